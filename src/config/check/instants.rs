//! Instants, times of day and time zones, as maintenance windows and silences have them.

use jiff::civil::Time;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::config::reader::{Cursor, quoted};
use crate::config::suggest;
use crate::domain::time::Timestamp;

/// An instant in RFC 3339, with its offset.
pub fn instant(cursor: &Cursor<'_>) -> Option<Timestamp> {
    let text = cursor.text()?;
    let instant = text.parse().ok();
    if instant.is_none() {
        let hint =
            "write RFC 3339 with an offset, e.g. `2026-05-01T22:00:00Z` or `2026-05-01T22:00:00+02:00`";
        cursor.refuse_with(format!("{} is no instant", quoted(text)), hint);
    }
    instant
}

/// A time of day, `HH:MM`.
pub fn time_of_day(cursor: &Cursor<'_>) -> Option<Time> {
    let text = cursor.text()?;
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i8>().ok()).flatten()
    };
    let time = text
        .split_once(':')
        .and_then(|(hour, minute)| Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok());
    if time.is_none() {
        let hint = "write hours and minutes from `\"00:00\"` to `\"23:59\"`";
        cursor.refuse_with(format!("{} is no time of day", quoted(text)), hint);
    }
    time
}

/// A zone of the IANA database, whatever the case of its letters.
pub fn zone(cursor: &Cursor<'_>) -> Option<TimeZone> {
    let text = cursor.text()?;
    let zones = TimeZoneDatabase::bundled();
    let zone = zones.get(text).ok().filter(|zone| !zone.is_unknown());
    if zone.is_none() {
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        let hint = match nearest(text, &names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "write a name of the IANA database, e.g. `Europe/Berlin`, or `UTC`".to_owned(),
        };
        cursor.refuse_with(format!("{} is no time zone", quoted(text)), hint);
    }
    zone
}

/// The zone whose name, or whose city when no continent was written, is closest.
fn nearest<'a>(text: &str, names: &'a [String]) -> Option<&'a str> {
    // Abbreviations such as CEST are near to names that mean something else.
    if text.len() < 5 {
        return None;
    }
    let part = |name: &'a str| match text.contains('/') {
        true => name,
        false => name.rsplit('/').next().unwrap_or(name),
    };
    // Each call looks at so many words only.
    let best =
        names.chunks(100).filter_map(|names| suggest::closest(text, names.iter().map(|name| part(name))));
    let best = suggest::closest(text, best.collect::<Vec<_>>())?;
    names.iter().map(String::as_str).find(|name| part(name) == best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_suggested_by_name_and_by_city() {
        let names: Vec<String> =
            TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
        assert!(names.len() > 400, "only {} zones", names.len());
        for (text, expected) in [
            ("Europe/Berln", Some("Europe/Berlin")),
            ("europe/berln", Some("Europe/Berlin")),
            ("Berlin", Some("Europe/Berlin")),
            ("new york", Some("America/New_York")),
            ("America/NewYork", Some("America/New_York")),
            ("Asia/Tokio", Some("Asia/Tokyo")),
            ("Middle-earth/Mordor", None),
            ("CEST", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, &names), expected, "{text}");
        }
    }
}
