//! What a backtest found, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::roster::listed;
use crate::domain::alarm::{State, Transition};
use crate::domain::metric::Metric;

/// The transitions and the states at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// By time, then alarm, then queue.
    pub transitions: Vec<Change>,
    /// By alarm, then queue.
    pub states: Vec<End>,
    /// What a reader should know, each once.
    pub notes: Vec<String>,
    /// The queues that have no rows from which a metric could be computed, by metric and reason.
    lacking: BTreeMap<(Metric, String), BTreeSet<Arc<str>>>,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The rule's name.
    pub alarm: Arc<str>,
    /// The queue's name, a custom metric's, or nothing of a composite alarm.
    pub queue: Option<Arc<str>>,
    /// What changed, when and why.
    pub transition: Transition,
}

/// The state of an alarm after the last instant.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// The rule's name.
    pub alarm: Arc<str>,
    /// As in [`Change`].
    pub queue: Option<Arc<str>>,
    /// The state.
    pub state: State,
}

impl Report {
    /// Takes what became of one alarm.
    pub(super) fn add(
        &mut self,
        alarm: &Arc<str>,
        queue: Option<Arc<str>>,
        transitions: Vec<Transition>,
        state: State,
    ) {
        let change = |transition| Change { alarm: alarm.clone(), queue: queue.clone(), transition };
        self.transitions.extend(transitions.into_iter().map(change));
        self.states.push(End { alarm: alarm.clone(), queue, state });
    }

    /// Tells the reader something, once.
    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Notes that `queue` has nothing of `metric`, and why.
    pub(super) fn lacks(&mut self, metric: Metric, why: String, queue: &str) {
        self.lacking.entry((metric, why)).or_default().insert(queue.into());
    }

    /// Puts everything in its order.
    pub(super) fn sort(&mut self) {
        for ((metric, why), queues) in std::mem::take(&mut self.lacking) {
            let queues: Vec<&str> = queues.iter().map(|queue| &**queue).collect();
            self.note(format!("no `{}` of {}: {why}", metric.name(), listed(&queues)));
        }
        self.transitions.sort_by(|one, other| {
            let key = |change: &Change| (change.transition.at, change.alarm.clone(), change.queue.clone());
            key(one).cmp(&key(other))
        });
        self.states.sort_by(|one, other| (&one.alarm, &one.queue).cmp(&(&other.alarm, &other.queue)));
    }

    /// The public JSON: `{"transitions": [{alarm, queue, at, from, to, reason}], "states": [{alarm, queue, state}]}`.
    pub fn json(&self) -> String {
        let transitions = self.transitions.iter().map(|change| ChangeView {
            alarm: &change.alarm,
            queue: change.queue.as_deref(),
            at: change.transition.at.to_string(),
            from: change.transition.from.as_str(),
            to: change.transition.to.as_str(),
            reason: &change.transition.reason,
        });
        let states = self.states.iter().map(|end| EndView {
            alarm: &end.alarm,
            queue: end.queue.as_deref(),
            state: end.state.as_str(),
        });
        let view = View { transitions: transitions.collect(), states: states.collect() };
        // Plain structs of text always serialise.
        serde_json::to_string_pretty(&view).unwrap_or_default()
    }

    /// A table of the transitions and a line that sums up.
    pub fn table(&self) -> String {
        let mut text = String::new();
        if !self.transitions.is_empty() {
            let width = |of: fn(&Change) -> &str, least: usize| {
                self.transitions.iter().map(|change| of(change).chars().count()).max().unwrap_or(0).max(least)
            };
            let (alarm, queue) = (width(|change| &change.alarm, 5), width(queue_of, 5));
            let time = self.transitions.iter().map(|change| change.transition.at.to_string().len());
            let time = time.max().unwrap_or(0).max(4);
            text += &format!(
                "{:<time$}  {:<alarm$}  {:<queue$}  {:<17} -> {:<17}  REASON\n",
                "TIME", "ALARM", "QUEUE", "FROM", "TO"
            );
            for change in &self.transitions {
                let Transition { at, from, to, reason, .. } = &change.transition;
                text += &format!(
                    "{:<time$}  {:<alarm$}  {:<queue$}  {:<17} -> {:<17}  {reason}\n",
                    at.to_string(),
                    change.alarm,
                    queue_of(change),
                    from.as_str(),
                    to.as_str()
                );
            }
            text.push('\n');
        }
        text + &self.summary()
    }

    fn summary(&self) -> String {
        let count = |state| self.states.iter().filter(|end| end.state == state).count();
        let ends: Vec<String> = State::ALL.map(|state| format!("{} {}", count(state), state.as_str())).into();
        let (transitions, alarms) = (self.transitions.len(), self.states.len());
        format!(
            "{transitions} transition{}; {alarms} alarm{}, at the end: {}\n",
            plural(transitions),
            plural(alarms),
            ends.join(", ")
        )
    }
}

fn queue_of(change: &Change) -> &str {
    change.queue.as_deref().unwrap_or("-")
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[derive(Serialize)]
struct View<'a> {
    transitions: Vec<ChangeView<'a>>,
    states: Vec<EndView<'a>>,
}

#[derive(Serialize)]
struct ChangeView<'a> {
    alarm: &'a str,
    queue: Option<&'a str>,
    at: String,
    from: &'static str,
    to: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct EndView<'a> {
    alarm: &'a str,
    queue: Option<&'a str>,
    state: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn report() -> Report {
        let transition = |minute: i64, from, to| Transition {
            from,
            to,
            since: Timestamp::default(),
            at: Timestamp::from_secs(minute * 60),
            reason: format!("because {minute}"),
            value: None,
        };
        let mut report = Report::default();
        let (unknown, ok, alarm) = (State::InsufficientData, State::Ok, State::Alarm);
        report.add(
            &"b".into(),
            Some("q1".into()),
            vec![transition(1, unknown, ok), transition(2, ok, alarm)],
            alarm,
        );
        report.add(&"a".into(), Some("q2".into()), vec![transition(1, unknown, ok)], ok);
        report.add(&"a".into(), None, vec![], unknown);
        report.sort();
        report
    }

    #[test]
    fn transitions_stand_by_time_and_states_by_alarm() {
        let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "transitions": [
                    {"alarm": "a", "queue": "q2", "at": "1970-01-01T00:01:00Z", "from": "INSUFFICIENT_DATA", "to": "OK", "reason": "because 1"},
                    {"alarm": "b", "queue": "q1", "at": "1970-01-01T00:01:00Z", "from": "INSUFFICIENT_DATA", "to": "OK", "reason": "because 1"},
                    {"alarm": "b", "queue": "q1", "at": "1970-01-01T00:02:00Z", "from": "OK", "to": "ALARM", "reason": "because 2"},
                ],
                "states": [
                    {"alarm": "a", "queue": null, "state": "INSUFFICIENT_DATA"},
                    {"alarm": "a", "queue": "q2", "state": "OK"},
                    {"alarm": "b", "queue": "q1", "state": "ALARM"},
                ],
            })
        );
    }

    #[test]
    fn the_table_sums_up() {
        let table = report().table();
        assert!(
            table.ends_with("3 transitions; 3 alarms, at the end: 1 ALARM, 1 INSUFFICIENT_DATA, 1 OK\n"),
            "{table}"
        );
        assert!(
            table
                .lines()
                .nth(3)
                .is_some_and(|line| line.ends_with("OK                -> ALARM              because 2")),
            "{table}"
        );
        assert!(Report::default().table().starts_with("0 transitions; 0 alarms"));
    }
}
