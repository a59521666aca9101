//! What a team expects of its alarms: the JSON of a report, of which reasons and states may be left out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::Report;
use crate::domain::alarm::State;
use crate::domain::time::Timestamp;

/// Expected transitions and states.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    transitions: Option<Vec<ExpectedChange>>,
    states: Option<Vec<ExpectedEnd>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedChange {
    alarm: String,
    #[serde(default)]
    queue: Option<String>,
    at: String,
    from: String,
    to: String,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedEnd {
    alarm: String,
    #[serde(default)]
    queue: Option<String>,
    state: String,
}

/// A transition as it is compared: when, which alarm, which queue, from, to.
type Key = (Timestamp, String, String, State, State);

impl Expected {
    /// Reads what is expected.
    ///
    /// # Errors
    /// In words, with the line of a JSON error.
    pub fn read(text: &str) -> Result<Self, String> {
        let expected: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if expected.transitions.is_none() && expected.states.is_none() {
            return Err("has neither `transitions` nor `states`".to_owned());
        }
        expected.keys()?;
        expected.ends()?;
        Ok(expected)
    }

    /// How `report` differs, a line each: `-` is expected and not there, `+` is there and not expected. Empty when it does not.
    pub fn differences(&self, report: &Report) -> Vec<String> {
        let mut lines = self.changes(report);
        let expected = self.ends().unwrap_or_default();
        if self.states.is_some() {
            let found = report.states.iter().map(|end| {
                ((end.alarm.to_string(), end.queue.as_deref().unwrap_or_default().to_owned()), end.state)
            });
            let found: BTreeMap<_, _> = found.collect();
            for (key @ (alarm, queue), state) in &expected {
                if found.get(key) != Some(state) {
                    lines.push(format!("- at the end {alarm} of {} is {state}", named(queue)));
                }
            }
            for (key @ (alarm, queue), state) in &found {
                if expected.get(key) != Some(state) {
                    lines.push(format!("+ at the end {alarm} of {} is {state}", named(queue)));
                }
            }
        }
        lines
    }

    fn changes(&self, report: &Report) -> Vec<String> {
        let (Some(_), Ok(expected)) = (&self.transitions, self.keys()) else { return Vec::new() };
        let mut found: BTreeMap<Key, &str> = BTreeMap::new();
        for change in &report.transitions {
            let transition = &change.transition;
            let queue = change.queue.as_deref().unwrap_or_default().to_owned();
            let key = (transition.at, change.alarm.to_string(), queue, transition.from, transition.to);
            found.insert(key, &transition.reason);
        }
        let mut differences: Vec<(Key, Vec<String>)> = Vec::new();
        for (key, reason) in expected {
            match (found.remove(&key), reason) {
                (Some(got), Some(reason)) if got != reason => {
                    let line = line(&key);
                    let both = vec![format!("- {line}: {reason}"), format!("+ {line}: {got}")];
                    differences.push((key, both));
                }
                (Some(_), _) => {}
                (None, _) => differences.push((key.clone(), vec![format!("- {}", line(&key))])),
            }
        }
        let surplus = found.into_iter().map(|(key, reason)| {
            let text = format!("+ {}: {reason}", line(&key));
            (key, vec![text])
        });
        differences.extend(surplus);
        differences.sort();
        differences.into_iter().flat_map(|(_, lines)| lines).collect()
    }

    fn keys(&self) -> Result<Vec<(Key, Option<&str>)>, String> {
        let mut keys = Vec::new();
        for (index, change) in self.transitions.iter().flatten().enumerate() {
            let place = format!("transitions[{index}]");
            let at = change.at.parse().map_err(|_| format!("{place}.at: `{}` is no instant", change.at))?;
            let (from, to) = (state(&change.from, &place)?, state(&change.to, &place)?);
            let queue = change.queue.clone().unwrap_or_default();
            keys.push(((at, change.alarm.clone(), queue, from, to), change.reason.as_deref()));
        }
        Ok(keys)
    }

    fn ends(&self) -> Result<BTreeMap<(String, String), State>, String> {
        let read = |(index, end): (usize, &ExpectedEnd)| {
            let state = state(&end.state, &format!("states[{index}]"))?;
            Ok(((end.alarm.clone(), end.queue.clone().unwrap_or_default()), state))
        };
        self.states.iter().flatten().enumerate().map(read).collect()
    }
}

fn state(text: &str, place: &str) -> Result<State, String> {
    text.parse().map_err(|_| format!("{place}: `{text}` is no state: OK, ALARM or INSUFFICIENT_DATA"))
}

fn line((at, alarm, queue, from, to): &Key) -> String {
    format!("{at} {alarm} of {} {from} -> {to}", named(queue))
}

fn named(queue: &str) -> &str {
    if queue.is_empty() { "all" } else { queue }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::alarm::Transition;

    fn report() -> Report {
        let mut report = Report::default();
        let transition = |minute: i64, from, to| Transition {
            from,
            to,
            since: Timestamp::default(),
            at: Timestamp::from_secs(minute * 60),
            reason: "Threshold Crossed".to_owned(),
            value: None,
        };
        let transitions =
            vec![transition(1, State::InsufficientData, State::Ok), transition(2, State::Ok, State::Alarm)];
        report.add(&"deep".into(), Some(Arc::from("orders")), transitions, State::Alarm);
        report.sort();
        report
    }

    #[test]
    fn what_a_report_says_is_what_can_be_expected() {
        let report = report();
        assert_eq!(Expected::read(&report.json()).unwrap().differences(&report), Vec::<String>::new());
        let brief = r#"{"states": [{"alarm": "deep", "queue": "orders", "state": "ALARM"}]}"#;
        assert_eq!(Expected::read(brief).unwrap().differences(&report), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_a_line() {
        let expected = r#"{"transitions": [
            {"alarm": "deep", "queue": "orders", "at": "1970-01-01T01:01:00+01:00", "from": "INSUFFICIENT_DATA", "to": "OK", "reason": "other"},
            {"alarm": "deep", "queue": "orders", "at": "1970-01-01T00:03:00Z", "from": "OK", "to": "ALARM"}],
            "states": [{"alarm": "deep", "queue": "orders", "state": "OK"}]}"#;
        assert_eq!(
            Expected::read(expected).unwrap().differences(&report()),
            [
                "- 1970-01-01T00:01:00Z deep of orders INSUFFICIENT_DATA -> OK: other",
                "+ 1970-01-01T00:01:00Z deep of orders INSUFFICIENT_DATA -> OK: Threshold Crossed",
                "+ 1970-01-01T00:02:00Z deep of orders OK -> ALARM: Threshold Crossed",
                "- 1970-01-01T00:03:00Z deep of orders OK -> ALARM",
                "- at the end deep of orders is OK",
                "+ at the end deep of orders is ALARM",
            ]
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, fault) in [
            ("", "EOF"),
            ("{}", "neither"),
            (r#"{"transition": []}"#, "unknown field"),
            (r#"{"states": [{"alarm": "a", "state": "Alarm"}]}"#, "states[0]: `Alarm` is no state"),
            (
                r#"{"transitions": [{"alarm": "a", "at": "noon", "from": "OK", "to": "OK"}]}"#,
                "transitions[0].at",
            ),
        ] {
            let error = Expected::read(text).unwrap_err();
            assert!(error.contains(fault), "{error}");
        }
    }
}
