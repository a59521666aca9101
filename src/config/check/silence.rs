//! What is asked of `POST /api/v1/silences`, read with the same eyes as the configuration: all faults at once, unknown keys
//! refused.

use std::time::Duration;

use super::{instants, matchers};
use crate::config::fault::{Fault, Faults};
use crate::config::file::{Node, Value};
use crate::config::keys::Known;
use crate::config::reader::{Cursor, Report, Section};
use crate::domain::silence::{LONGEST, Matchers};
use crate::domain::time::Timestamp;

const KEYS: Known = Known {
    path: "",
    keys: &["alarms", "queues", "labels", "all", "reason", "author", "starts", "ends", "duration"],
    planned: &[],
};
const LONGEST_REASON: usize = 1024;
const LONGEST_AUTHOR: usize = 255;

/// A silence that somebody asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedSilence {
    /// Which alarms.
    pub matchers: Matchers,
    /// Why.
    pub reason: String,
    /// Who asks.
    pub author: String,
    /// From when on; not before the time of asking.
    pub starts: Timestamp,
    /// Until when; after that time and after `starts`.
    pub ends: Timestamp,
}

/// Reads the JSON object `body`; what has no instant begins `now`.
///
/// # Errors
/// All faults, without lines, or the one that it is no JSON.
pub fn silence(body: &[u8], now: Timestamp) -> Result<WantedSilence, Faults> {
    const SOURCE: &str = "request";
    let json: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| Faults::new(SOURCE, vec![Fault::of_file(format!("is no JSON: {error}"))]))?;
    let (node, report) = (tree(json), Report::new(&|_| None));
    let wanted = wanted(&Cursor::root(&node, &report).section(&KEYS), now);
    let wanted = report.finish(SOURCE, wanted)?;
    // Whatever makes it nothing was noted.
    wanted.ok_or_else(|| Faults::new(SOURCE, vec![Fault::of_file("is no silence")]))
}

fn wanted(section: &Section<'_>, now: Timestamp) -> Option<WantedSilence> {
    let text = |key, longest| section.required(key).and_then(|cursor| cursor.line_of_text(longest));
    let matchers = which(section);
    let reason = text("reason", LONGEST_REASON);
    let author = text("author", LONGEST_AUTHOR);
    let (starts, ends) = when(section, now)?;
    Some(WantedSilence { matchers, reason: reason?.to_owned(), author: author?.to_owned(), starts, ends })
}

/// That everything is meant must be said: a mistyped request must not silence the house.
fn which(section: &Section<'_>) -> Matchers {
    let all = section.get("all").and_then(|cursor| cursor.truth()).unwrap_or_default();
    match (all, matchers::are_there(section)) {
        (false, false) if section.cursor.is_mapping() => {
            let hint = "write `alarms`, `queues` or `labels`; `\"all\": true` is the way to mean every alarm";
            section.cursor.refuse_with("it is not said which alarms are meant", hint);
        }
        (true, true) => section.cursor.refuse_with(
            "`all` stands beside `alarms`, `queues` or `labels`",
            "leave `all` out to silence a part",
        ),
        _ => {}
    }
    matchers::read(section)
}

fn when(section: &Section<'_>, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let starts = section.get("starts").map_or(Some(now), |cursor| starts(&cursor, now));
    let bounds = Duration::from_secs(1)..=LONGEST;
    let ends = match (section.get("ends"), section.get("duration")) {
        (Some(_), Some(duration)) => {
            duration.refuse_with("stands beside `ends`", "write one of the two");
            None
        }
        (Some(cursor), None) => ends(&cursor, starts?, now),
        (None, Some(cursor)) => cursor.duration(&bounds).and_then(|duration| Some(starts? + duration)),
        (None, None) => {
            if section.cursor.is_mapping() {
                section.cursor.refuse_with(
                    "it is not said until when",
                    "write `duration`, e.g. `\"2h\"`, or `ends` in RFC 3339",
                );
            }
            None
        }
    };
    Some((starts?, ends?))
}

fn starts(cursor: &Cursor<'_>, now: Timestamp) -> Option<Timestamp> {
    let starts = instants::instant(cursor)?.max(now);
    if starts.since(now) > LONGEST {
        cursor.refuse("is more than 366 days ahead");
    }
    Some(starts)
}

fn ends(cursor: &Cursor<'_>, starts: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let ends = instants::instant(cursor)?;
    match () {
        () if ends <= now => cursor.refuse(format!("{ends} has passed: it is {now}")),
        () if ends <= starts => cursor.refuse("is not after `starts`"),
        () if ends.since(starts) > LONGEST => cursor.refuse("is more than 366 days after the start"),
        () => return Some(ends),
    }
    None
}

/// The tree that readers walk; JSON has no lines that would help.
fn tree(json: serde_json::Value) -> Node {
    use serde_json::Value as Json;
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i128() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(tree).collect()),
        Json::Object(entries) => {
            let key = |name| Node { line: 1, value: Value::Text(name) };
            Value::Map(entries.into_iter().map(|(name, value)| (key(name), tree(value))).collect())
        }
    };
    Node { line: 1, value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn asked(body: serde_json::Value) -> Result<WantedSilence, Vec<String>> {
        let told = |faults: Faults| {
            faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
        };
        silence(body.to_string().as_bytes(), NOW).map_err(told)
    }

    /// `rest` and what every silence needs.
    fn with(rest: serde_json::Value) -> serde_json::Value {
        let mut body = json!({ "alarms": ["a*"], "reason": "why", "author": "ana", "duration": "2h" });
        for (key, value) in rest.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    #[test]
    fn a_silence_means_what_it_says() {
        let wanted =
            asked(with(json!({ "queues": "q", "labels": { "severity": "info", "team": "x" } }))).unwrap();
        assert_eq!(wanted.matchers.to_string(), "alarm a*, queue q, severity=info, team=x");
        assert_eq!((wanted.reason.as_str(), wanted.author.as_str()), ("why", "ana"));
        assert_eq!((wanted.starts, wanted.ends), (NOW, NOW + Duration::from_secs(7200)));
    }

    #[test]
    fn times_are_counted_from_the_start_or_from_now() {
        let at = |seconds: i64| Timestamp::from_secs(NOW.as_secs() + seconds);
        for (rest, starts, ends) in [
            (json!({ "duration": null, "ends": at(60).to_string() }), 0, 60),
            (json!({ "starts": at(-60).to_string() }), 0, 7200),
            (json!({ "starts": at(60).to_string() }), 60, 7260),
            (json!({ "starts": at(60).to_string(), "duration": "366days" }), 60, 60 + 366 * 86_400),
        ] {
            let wanted = asked(with(rest.clone())).unwrap();
            assert_eq!((wanted.starts, wanted.ends), (at(starts), at(ends)), "{rest}");
        }
    }

    #[test]
    fn everything_must_be_asked_for() {
        let all = with(json!({ "alarms": null, "all": true }));
        assert!(asked(all).unwrap().matchers.is_everything());
        for rest in [
            json!({ "alarms": null }),
            json!({ "alarms": null, "all": false }),
            json!({ "alarms": [] }),
            json!({ "alarms": [""] }),
            json!({ "alarms": null, "labels": {} }),
            json!({ "all": true }),
            json!({ "alarms": null, "all": "true" }),
            json!({ "alarms": null, "all": 1 }),
        ] {
            assert!(asked(with(rest.clone())).is_err(), "{rest}");
        }
    }

    #[test]
    fn each_fault_has_its_words() {
        let at = |seconds: i64| Timestamp::from_secs(NOW.as_secs() + seconds).to_string();
        for (rest, words) in [
            (json!({ "reason": null }), ": `reason` is missing"),
            (json!({ "author": "" }), "author: is empty"),
            (json!({ "author": "a\u{7}" }), "author: has control characters"),
            (json!({ "reason": "x".repeat(1025) }), "reason: is 1025 characters long"),
            (json!({ "queue": "q" }), "queue: is no key that is known here"),
            (json!({ "queues": ["a/b"] }), "queues[0]: `a/b` fits no queue name"),
            (json!({ "alarms": [1] }), "alarms[0]: a text is wanted"),
            (
                json!({ "alarms": (0..101).map(|n| n.to_string()).collect::<Vec<_>>() }),
                "alarms: has more than 100 entries",
            ),
            (json!({ "labels": ["team"] }), "labels: a mapping is wanted"),
            (json!({ "labels": { "severity": "bad" } }), "labels.severity: `bad` is not understood"),
            (json!({ "duration": null }), ": it is not said until when"),
            (json!({ "duration": "0s" }), "duration: `0s` is out of range"),
            (json!({ "duration": "367days" }), "duration: `367days` is out of range"),
            (json!({ "duration": 7200 }), "duration: a duration is wanted"),
            (json!({ "ends": at(60) }), "duration: stands beside `ends`"),
            (json!({ "duration": null, "ends": at(0) }), "has passed"),
            (json!({ "duration": null, "ends": "tomorrow" }), "ends: `tomorrow` is no instant"),
            (json!({ "duration": null, "ends": at(60), "starts": at(60) }), "ends: is not after `starts`"),
            (json!({ "duration": null, "ends": at(367 * 86_400) }), "ends: is more than 366 days"),
            (json!({ "starts": at(367 * 86_400) }), "starts: is more than 366 days ahead"),
        ] {
            let faults = asked(with(rest.clone())).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains(words), "{rest}: {faults:?}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once_and_other_shapes_are_refused() {
        let faults = asked(json!({ "alarm": "a", "reason": 7, "ends": "soon" })).unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
        for body in [json!([]), json!("all"), json!(null), json!(7)] {
            assert_eq!(asked(body.clone()).unwrap_err().len(), 1, "{body}");
        }
        let deep = "[".repeat(100_000);
        for body in ["", "{", "reason: x", "{\"reason\": \"\\ud800\"}", "\u{feff}{}", &deep] {
            let faults = silence(body.as_bytes(), NOW).unwrap_err();
            assert!(faults.to_string().contains("is no JSON"), "{body}");
        }
        assert!(silence(b"\xff", NOW).is_err());
    }

    proptest! {
        #[test]
        fn no_body_panics(
            key in prop::sample::select(KEYS.keys),
            value in prop_oneof![any::<String>().prop_map(|text| json!(text)), any::<f64>().prop_map(|n| json!(n)), any::<i64>().prop_map(|n| json!([n, {"a": n}]))],
        ) {
            let _ = asked(with(json!({ key: value })));
        }
    }
}
