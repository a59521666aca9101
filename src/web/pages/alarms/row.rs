//! One alarm of a list: what puts it above another, and how it is shown.

use std::cmp::Reverse;

use maud::{Markup, html};

use crate::domain::alarm::{Alarm, AlarmKey, State, Subject};
use crate::domain::hold::Hold;
use crate::domain::rule::{Rule, Severity, Trigger};
use crate::domain::silence::Holder;
use crate::domain::time::Timestamp;
use crate::web::pages::{address, condition, parts};

/// How many alarms there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In ALARM.
    pub alarm: usize,
    /// In INSUFFICIENT_DATA.
    pub no_data: usize,
    /// In OK.
    pub ok: usize,
    /// In ALARM, with nobody told.
    pub silenced: usize,
}

impl Counts {
    /// Counts one alarm.
    pub fn count(&mut self, state: State, silenced: bool) {
        *match state {
            State::Alarm => &mut self.alarm,
            State::InsufficientData => &mut self.no_data,
            State::Ok => &mut self.ok,
        } += 1;
        self.silenced += usize::from(silenced && state == State::Alarm);
    }

    /// All of them.
    pub fn all(&self) -> usize {
        self.alarm + self.no_data + self.ok
    }
}

/// What puts an alarm above another: what fires and is told, by severity, the latest first; then what cannot be judged.
pub type Rank = (usize, bool, Reverse<Severity>, Reverse<Timestamp>);

/// The rank of an alarm; the least is the first.
pub fn rank(alarm: &Alarm, severity: Severity, silenced: bool) -> Rank {
    let state = State::ALL.iter().position(|state| *state == alarm.state).unwrap_or_default();
    (state, silenced, Reverse(severity), Reverse(alarm.since))
}

/// What holds an alarm's notifications back, and until when that is known to.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What.
    pub hold: Hold,
    /// The end of a silence or a window.
    pub until: Option<Timestamp>,
}

impl Held {
    /// By a silence or window in force, ahead of the next evaluation; else by a suppressor, of which only the judge knows.
    pub fn of(holder: Option<&Holder>, alarm: &Alarm) -> Option<Self> {
        let suppressor = alarm.held.clone().filter(|hold| matches!(hold, Hold::Suppressor(_)));
        match holder {
            Some(holder) => Some(Self { hold: holder.hold.clone(), until: Some(holder.until) }),
            None => suppressor.map(|hold| Self { hold, until: None }),
        }
    }

    /// A word in passing.
    pub fn chip(&self) -> Markup {
        let word = match self.hold {
            Hold::Silence(_) => "silenced",
            Hold::Maintenance(_) => "maintenance",
            Hold::Suppressor(_) => "suppressed",
        };
        let until = self.until.map(|until| format!(" until {until}")).unwrap_or_default();
        html! { span.chip title={ "by the " (self.hold) (until) } { (word) } }
    }
}

/// One alarm.
pub struct Row<'a> {
    /// Which.
    pub key: AlarmKey,
    /// Its state.
    pub alarm: Alarm,
    /// Gone for a moment after a reload.
    pub rule: Option<&'a Rule>,
    /// Why nobody is told.
    pub held: Option<Held>,
}

impl Row<'_> {
    /// As a row; `names_rule` unless the list is of one rule.
    pub fn show(&self, names_rule: bool, places: bool) -> Markup {
        let (alarm, subject) = (&self.alarm, &self.key.subject);
        let severity = self.rule.map(|rule| rule.severity).unwrap_or_default();
        let fires = alarm.state == State::Alarm;
        let says_nothing = alarm.reason.is_empty() && self.held.is_none() && !alarm.flaps.flapping;
        html! {
            tr .quiet[fires && self.held.is_some()] data-key=(address::alarm(&self.key)) {
                th scope="row" {
                    a href=(address::alarm(&self.key)) title=(self.key) { (subject.name()) }
                    @if names_rule && !matches!(subject, Subject::Composite(_)) { small.place { (self.key.rule) } }
                    @if matches!(subject, Subject::Composite(_)) { small.place { "composite alarm" } }
                    @if places && !subject.region().is_empty() { small.place { (subject.region()) " " (subject.account()) } }
                }
                td data-label="State" { (parts::state(alarm.state)) }
                td .calm[!fires] data-label="Severity" { (parts::severity(severity)) }
                td.n data-label="Value" { (self.value()) }
                td.n data-label="For" { (parts::lasting(alarm.since)) }
                td.why.wide .bare[says_nothing] data-label="Why" {
                    @if let Some(held) = &self.held { (held.chip()) " " }
                    @if alarm.flaps.flapping { span.chip title="its state changes too often for each change to be told" { "flapping" } " " }
                    span.reason title=(alarm.reason) { @if alarm.reason.is_empty() { (parts::unknown("it has not changed since it was first judged")) } @else { (alarm.reason) } }
                }
            }
        }
    }

    fn value(&self) -> Markup {
        html! {
            @match self.rule.map(|rule| &rule.trigger) {
                Some(Trigger::Metric(condition)) => { (condition::held_against(self.alarm.value, condition)) }
                _ => { (parts::unknown("a composite alarm has no value")) }
            }
        }
    }
}
