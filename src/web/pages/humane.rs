//! Numbers and lengths of time as people read them at a glance; the exact value goes into a title beside them.

use std::time::Duration;

/// A count or measure: `0`, `999`, `1,234`, `12.4k`, `3.1M`, `0.25`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    match value.abs() {
        size if size >= 999.95e12 => format!("{value:.0e}"),
        size if size >= 999.95e9 => short(value / 1e12, "T"),
        size if size >= 999_950_000.0 => short(value / 1e9, "G"),
        size if size >= 999_950.0 => short(value / 1e6, "M"),
        size if size >= 10_000.0 => short(value / 1e3, "k"),
        _ if value.fract() == 0.0 => grouped(value),
        size if size >= 100.0 => grouped(value.round()),
        size if size >= 0.01 => trimmed(format!("{value:.2}")),
        size if size >= 1e-9 => format!("{value:.1e}"),
        _ => "0".to_owned(),
    }
}

/// A whole number in full, with commas: `1,234,567`.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn short(value: f64, suffix: &str) -> String {
    trimmed(format!("{value:.1}")) + suffix
}

fn trimmed(decimal: String) -> String {
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A length of time in its one or two largest units: `0 s`, `45 s`, `3 min`, `2 h 5 min`, `3 d 4 h`.
pub fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        (1..100, _, _) => two(days, "d", hours % 24, "h"),
        _ => format!("{days} d"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

/// A value in its unit of the catalogue: seconds as a length of time, ratios as per cent.
pub fn measure(value: f64, unit: &str) -> String {
    match unit {
        "seconds" => Duration::try_from_secs_f64(value).map_or_else(|_| number(value), length),
        "ratio" if value > 0.0 && value < 1e-4 => "< 0.01 %".to_owned(),
        "ratio" => number(value * 100.0) + " %",
        _ => number(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_stay_short() {
        for (value, expected) in [
            (0.0, "0"),
            (999.0, "999"),
            (1234.0, "1,234"),
            (9999.0, "9,999"),
            (12_400.0, "12.4k"),
            (10_000.0, "10k"),
            (999_949.0, "999.9k"),
            (999_950.0, "1M"),
            (3_140_000.0, "3.1M"),
            (2.5e9, "2.5G"),
            (1e12, "1T"),
            (1e18, "1e18"),
            (0.25, "0.25"),
            (1.5, "1.5"),
            (123.456, "123"),
            (0.000_12, "1.2e-4"),
            (-1234.0, "-1,234"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(grouped(1_234_567.0), "1,234,567");
    }

    #[test]
    fn lengths_use_their_largest_units() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (7500, "2 h 5 min"),
            (86_400, "1 d"),
            (273_600, "3 d 4 h"),
            (86_400 * 400, "400 d"),
        ] {
            assert_eq!(length(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(measure(90.0, "seconds"), "1 min");
        assert_eq!(measure(-1.0, "seconds"), "-1");
        assert_eq!(measure(0.5, "ratio"), "50 %");
        assert_eq!(measure(0.000_01, "ratio"), "< 0.01 %");
    }

    proptest! {
        #[test]
        fn no_value_is_too_wide_for_its_column(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            prop_assert!(number(value).len() <= 9, "{}", number(value));
        }
    }
}
