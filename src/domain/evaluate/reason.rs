//! Why a state was reached, in CloudWatch's words, which people's filters and chat bridges match on.
//!
//! AWS documents the sentences by example only; these are the forms that its documentation and alarm histories show.

use std::fmt::Write;

use super::{Condition, Datapoint, Point};
use crate::domain::alarm::State;
use crate::domain::rule::{Comparison, MissingData};
use crate::domain::time::Timestamp;

/// How many datapoints a reason lists; from as many on, CloudWatch puts them in a sentence of their own.
const LISTED: usize = 5;

/// The reason of `state`; `datapoints` are newest first.
pub(super) fn explain(condition: &Condition, datapoints: &[Datapoint], state: State) -> String {
    let n = condition.evaluation_periods as usize;
    let considered: Vec<&Datapoint> =
        datapoints.iter().filter(|datapoint| datapoint.point != Point::Missing).take(n).collect();
    let gaps = n - considered.len();
    let supporting = match state {
        State::InsufficientData => return insufficient(gaps),
        State::Alarm => Point::Breaching,
        State::Ok => Point::NotBreaching,
    };
    let listed: Vec<&Datapoint> =
        considered.iter().copied().filter(|datapoint| datapoint.point == supporting).collect();
    if listed.is_empty() {
        let received = considered.iter().filter(|datapoint| datapoint.value.is_some()).count();
        return format!("Threshold Crossed: {}{}.", received_for(received, n), treated(condition, gaps));
    }
    crossed(condition, &listed, gaps, state)
}

fn insufficient(gaps: usize) -> String {
    format!("Insufficient Data: {} {} unknown.", counted(gaps, "datapoint"), was(gaps))
}

fn received_for(received: usize, n: usize) -> String {
    let datapoints = if received == 0 { "no datapoints".to_owned() } else { counted(received, "datapoint") };
    format!("{datapoints} {} received for {}", was(received), counted(n, "period"))
}

fn crossed(condition: &Condition, listed: &[&Datapoint], gaps: usize, state: State) -> String {
    let (n, m) = (condition.evaluation_periods, condition.datapoints_to_alarm);
    let (not, minimum, transition) = match state {
        State::Alarm => ("", m, "OK -> ALARM"),
        _ => ("not ", n.saturating_sub(m) + 1, "ALARM -> OK"),
    };
    let many = listed.len() >= LISTED;
    let list = list(listed);
    let mut text = format!("Threshold Crossed: {} out of the last {n} datapoints ", listed.len());
    if !many {
        text += &format!("[{list}] ");
    }
    let (was, verb) = (was(listed.len()), verb(condition.comparison));
    text += &format!("{was} {not}{verb} the threshold ({})", number(condition.threshold));
    text += &treated(condition, gaps);
    if many {
        let which = if state == State::Alarm { " which crossed the threshold" } else { "" };
        text += &format!(". The most recent datapoints{which}: [{list}]");
    }
    text + &format!(" (minimum {} for {transition} transition).", counted(minimum as usize, "datapoint"))
}

/// What was put in the place of missing datapoints, where the mode says so.
fn treated(condition: &Condition, gaps: usize) -> String {
    let word = match condition.missing_data {
        MissingData::Breaching => "Breaching",
        MissingData::NotBreaching => "NonBreaching",
        MissingData::Missing | MissingData::Ignore => return String::new(),
    };
    if gaps == 0 {
        return String::new();
    }
    format!(" and {} {} treated as [{word}]", counted(gaps, "missing datapoint"), was(gaps))
}

fn list(datapoints: &[&Datapoint]) -> String {
    let mut text = String::new();
    for datapoint in datapoints.iter().take(LISTED) {
        let separator = if text.is_empty() { "" } else { ", " };
        let value = datapoint.value.map_or_else(String::new, number);
        let _ = write!(text, "{separator}{value} ({})", date(datapoint.start));
    }
    text
}

fn verb(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::GreaterThan => "greater than",
        Comparison::GreaterThanOrEqual => "greater than or equal to",
        Comparison::LessThan => "less than",
        Comparison::LessThanOrEqual => "less than or equal to",
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// `DD/MM/YY HH:MM:SS` in UTC.
fn date(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.strftime("%d/%m/%y %H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

/// A number as Java's `Double.toString` writes it: `50.0`, `0.001`, `1.25E7`.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) || !value.is_finite() {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_java_prints_doubles() {
        for (value, text) in [
            (0.0, "0.0"),
            (99.5, "99.5"),
            (50.0, "50.0"),
            (1000.0, "1000.0"),
            (-3.0, "-3.0"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (12_500_000.0, "1.25E7"),
            (0.001, "0.001"),
            (0.000_25, "2.5E-4"),
            (1.016_666_666_666_666_6, "1.0166666666666666"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn dates_are_day_month_year_in_utc() {
        assert_eq!(date("2019-10-02T16:59:00Z".parse().unwrap()), "02/10/19 16:59:00");
        assert!(!date(Timestamp::from_millis(i64::MAX)).is_empty());
    }
}
