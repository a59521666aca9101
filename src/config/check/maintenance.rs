//! `maintenance`: the times at which alarms tell nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::{instants, matchers};
use crate::config::file::Value;
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{keys, suggest};
use crate::domain::maintenance::{self, Days, Schedule, Span, Weekly, Window};
use crate::domain::rule::{Glob, Rule};
use crate::domain::silence::Matchers;

/// How many windows there may be: each is asked at every evaluation.
const MOST: usize = 200;
const LONGEST_NAME: usize = 100;
/// The bound of a window of one time.
const LONGEST_ONCE: Duration = Duration::from_secs(366 * 86_400);

/// Reads the list. `rules` are the alarms of the same file.
pub fn read(top: &Section<'_>, rules: &[Rule]) -> Vec<Window> {
    let Some(list) = top.get("maintenance") else { return Vec::new() };
    let items = list.items();
    if items.len() > MOST {
        list.refuse(format!("has {} windows; at most {MOST} are allowed", items.len()));
        return Vec::new();
    }
    // Alarms with faults are not among the rules: only of a list without faults is it known what fits none.
    let known = (list.report.count() == 0).then_some(rules);
    let mut first_lines = BTreeMap::new();
    let mut windows = Vec::new();
    for item in items {
        let section = item.section(&keys::MAINTENANCE);
        let name = section.required("name").and_then(|cursor| {
            let name: Arc<str> = cursor.line_of_text(LONGEST_NAME)?.into();
            if let Some(first) = first_lines.insert(name.clone(), cursor.line) {
                cursor.refuse(format!("{} is the name of another window, in line {first}", quoted(&name)));
            }
            Some(name)
        });
        let matchers = which(&section, known);
        let schedule = schedule(&section);
        if let (Some(name), Some(schedule)) = (name, schedule) {
            windows.push(Window { name, matchers, schedule });
        }
    }
    windows
}

fn which(section: &Section<'_>, known: Option<&[Rule]>) -> Matchers {
    if !matchers::are_there(section) && section.cursor.is_mapping() {
        let hint = "write `alarms`, `queues` or `labels`; `alarms: \"*\"` is the way to mean every alarm";
        section.cursor.refuse_with("does not say which alarms are meant", hint);
    }
    let matchers = matchers::read(section);
    if let Some(rules) = known {
        for cursor in section.one_or_more("alarms") {
            let Value::Text(text) = cursor.value else { continue };
            if !rules.iter().any(|rule| Glob::new(text).matches(&rule.name)) {
                let near = suggest::closest(text, rules.iter().map(|rule| &*rule.name));
                let hint = near.map(|name| format!("did you mean `{name}`?"));
                cursor.note(format!("{} fits no alarm of this configuration", quoted(text)), hint);
            }
        }
    }
    matchers
}

fn schedule(section: &Section<'_>) -> Option<Schedule> {
    const WEEKLY: [&str; 4] = ["days", "start", "duration", "time_zone"];
    if section.get("from").is_none() && section.get("until").is_none() {
        return weekly(section).map(Schedule::Weekly);
    }
    for cursor in WEEKLY.iter().filter_map(|key| section.get(key)) {
        let hint = "a window has `start` and `duration`, or one time `from` and `until`";
        cursor.refuse_with("has no meaning beside `from` and `until`", hint);
    }
    once(section).map(Schedule::Once)
}

fn weekly(section: &Section<'_>) -> Option<Weekly> {
    let days = match section.get("days") {
        Some(cursor) => days(section, &cursor),
        None => Some(Days::ALL),
    };
    let start = section.required("start").and_then(|cursor| instants::time_of_day(&cursor));
    let bounds = Duration::from_secs(60)..=maintenance::LONGEST;
    let duration = section.required("duration").and_then(|cursor| cursor.duration(&bounds));
    let zone = section.get("time_zone").map_or(Some(TimeZone::UTC), |cursor| instants::zone(&cursor));
    Some(Weekly { days: days?, start: start?, duration: duration?, zone: zone? })
}

fn days(section: &Section<'_>, cursor: &Cursor<'_>) -> Option<Days> {
    let days = section.distinct("days", |day| day.word(&Days::WORDS));
    if cursor.length() == Some(0) {
        cursor.refuse_with("is empty, so the window would never open", "leave it out for every day");
        return None;
    }
    Some(days.into_iter().collect())
}

fn once(section: &Section<'_>) -> Option<Span> {
    let [from, until] = ["from", "until"].map(|key| {
        let cursor = section.required(key)?;
        Some((instants::instant(&cursor)?, cursor))
    });
    let ((from, _), (until, end)) = (from?, until?);
    if until <= from {
        end.refuse("is not after `from`");
    } else if until.since(from) > LONGEST_ONCE {
        end.refuse("is more than 366 days after `from`");
    }
    Some(Span { from, until })
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;
    use crate::config::parse;

    fn windows(rows: &str) -> Vec<Window> {
        let faults = |faults| panic!("{faults}\n{rows}");
        parse(&format!("maintenance: [{rows}]"), "test.yaml", &|_| None).unwrap_or_else(faults).maintenance
    }

    #[test]
    fn a_window_means_what_it_says() {
        let row = "name: night, queues: [a, b-*], labels: { severity: info }, days: [sat, mon], start: '22:30', \
                   duration: 36h, time_zone: europe/berlin";
        let [window] = windows(&format!("{{ {row} }}")).try_into().unwrap();
        assert_eq!(
            (&*window.name, window.matchers.to_string().as_str()),
            ("night", "queue a or b-*, severity=info")
        );
        let Schedule::Weekly(weekly) = window.schedule else { panic!("a weekly one") };
        assert_eq!(weekly.zone.iana_name(), Some("Europe/Berlin"));
        assert_eq!((weekly.start, weekly.duration), (time(22, 30, 0, 0), Duration::from_secs(36 * 3600)));
        assert_eq!(
            weekly.days,
            ["mon", "sat"]
                .map(|day| Days::WORDS.iter().find(|(word, _)| *word == day).unwrap().1)
                .into_iter()
                .collect()
        );
    }

    #[test]
    fn without_days_and_zone_it_opens_every_day_by_utc() {
        let [window] =
            windows("{ name: a, alarms: 'dlq-*', start: '00:00', duration: 1m }").try_into().unwrap();
        let expected = Weekly {
            days: Days::ALL,
            start: time(0, 0, 0, 0),
            duration: Duration::from_secs(60),
            zone: TimeZone::UTC,
        };
        assert_eq!(window.schedule, Schedule::Weekly(expected));
    }

    #[test]
    fn one_time_takes_any_offset() {
        let [window] = windows(
            "{ name: a, alarms: '*', from: 2026-05-01T22:00:00+02:00, until: '2026-05-01T21:00:00Z' }",
        )
        .try_into()
        .unwrap();
        let span = Span {
            from: "2026-05-01T20:00:00Z".parse().unwrap(),
            until: "2026-05-01T21:00:00Z".parse().unwrap(),
        };
        assert_eq!(window.schedule, Schedule::Once(span));
    }

    #[test]
    fn too_many_windows_are_one_fault() {
        let rows: Vec<String> = (0..=MOST)
            .map(|n| {
                format!("{{ name: w{n}, alarms: '*', start: '00:00', duration: 1m, time_zone: Nowhere }}")
            })
            .collect();
        let text = format!("maintenance: [{}]", rows.join(", "));
        let faults = parse(&text, "test.yaml", &|_| None).unwrap_err();
        assert_eq!(faults.count(), 1, "{faults}");
        assert!(windows("").is_empty());
    }
}
