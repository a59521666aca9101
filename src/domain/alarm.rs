//! An alarm: one rule applied to one subject, its state, and what a change of state is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::flapping::Flaps;
use super::hold::Hold;
use super::notification::{Event, Notification};
use super::queue::QueueId;
use super::rule::UnknownWord;
use super::time::{Jump, Timestamp};

/// CloudWatch's three alarm states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Within the threshold.
    Ok,
    /// Breaching.
    Alarm,
    /// Just created, or not enough data to tell.
    #[default]
    InsufficientData,
}

impl State {
    /// All of them, in the order a page shows them.
    pub const ALL: [Self; 3] = [Self::Alarm, Self::InsufficientData, Self::Ok];

    /// CloudWatch's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownWord)
    }
}

/// The identity of a custom metric: the configuration's name, read in one account and region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomId {
    /// The account it is read in; empty while not known.
    pub account: Arc<str>,
    /// The region it is read in.
    pub region: Arc<str>,
    /// Its name in `custom_metrics`.
    pub name: Arc<str>,
}

/// What an alarm judges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A queue.
    Queue(QueueId),
    /// A custom CloudWatch metric.
    Custom(CustomId),
    /// Other alarms as a whole, by the composite alarm's name: it has no place of its own.
    Composite(Arc<str>),
}

impl Subject {
    /// The word for its kind in bodies, in the API and in the state file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Queue(_) => "queue",
            Self::Custom(_) => "custom",
            Self::Composite(_) => "composite",
        }
    }

    /// The queue's, the metric's or the composite alarm's name.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Queue(id) => &id.name,
            Self::Custom(id) => &id.name,
            Self::Composite(name) => name,
        }
    }

    /// The account; empty while not known, and of a composite alarm.
    pub fn account(&self) -> &str {
        match self {
            Self::Queue(id) => &id.account,
            Self::Custom(id) => &id.account,
            Self::Composite(_) => "",
        }
    }

    /// The region; empty of a composite alarm.
    pub fn region(&self) -> &str {
        match self {
            Self::Queue(id) => &id.region,
            Self::Custom(id) => &id.region,
            Self::Composite(_) => "",
        }
    }
}

impl fmt::Display for Subject {
    /// `account/region/name`; the name alone of a composite alarm.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Composite(name) => f.write_str(name),
            _ => write!(f, "{}/{}/{}", self.account(), self.region(), self.name()),
        }
    }
}

/// The identity of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmKey {
    /// The rule's name.
    pub rule: Arc<str>,
    /// What it judges.
    pub subject: Subject,
}

impl fmt::Display for AlarmKey {
    /// `rule on account/region/name`; the rule alone of a composite alarm over the whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Composite(_) => f.write_str(&self.rule),
            subject => write!(f, "{} on {subject}", self.rule),
        }
    }
}

/// What an evaluation found. Whether it is a change is for [`Alarm`] to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The state that follows from the datapoints.
    pub state: State,
    /// Why, in CloudWatch's words; empty when the alarm has that state already.
    pub reason: String,
    /// The newest datapoint that was looked at.
    pub value: Option<f64>,
}

/// The remembered state of one alarm. Durable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alarm {
    /// The state.
    pub state: State,
    /// Since when it has it.
    pub since: Timestamp,
    /// When it last left ALARM, for what it suppresses; `None` if it never did.
    pub ended: Option<Timestamp>,
    /// The reason of the last change.
    pub reason: String,
    /// The newest value judged; not durable.
    pub value: Option<f64>,
    /// The destinations that are owed, or got, the present firing: a resolve goes to exactly these.
    pub told: Vec<Arc<str>>,
    /// When anything of the firing was last owed to them.
    pub told_at: Option<Timestamp>,
    /// The value they were told then: what `repeat_on` counts from.
    pub told_value: Option<f64>,
    /// What they were told: from it the end can be told even when rule and queue are gone.
    pub firing: Option<Arc<Notification>>,
    /// How many notifications there were of it: what makes each one's id another.
    pub tellings: u64,
    /// What holds its notifications back at present; not durable, every evaluation says it anew.
    pub held: Option<Hold>,
    /// What nobody was told because something held it, to be told once nothing does.
    pub untold: Option<Untold>,
    /// Its latest changes, and whether they are too many to be told.
    pub flaps: Flaps,
}

/// What is to be told of an alarm when nothing holds its notifications back any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Untold {
    /// Why.
    pub event: Event,
    /// The state before the change that is untold.
    pub from: State,
    /// What held it back last.
    pub by: Hold,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Before.
    pub from: State,
    /// After; differs from `from`.
    pub to: State,
    /// Since when it had the state before.
    pub since: Timestamp,
    /// When it was seen.
    pub at: Timestamp,
    /// Why, in CloudWatch's words.
    pub reason: String,
    /// The newest datapoint that was looked at.
    pub value: Option<f64>,
}

impl Alarm {
    /// A new one: in INSUFFICIENT_DATA since `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, ..Self::default() }
    }

    /// The wall clock was set: what is remembered is as long ago as it was, so that nothing is repeated at once or kept silent for
    /// as long as the clock was set back.
    pub fn shift(&mut self, jump: Jump) {
        self.since = jump.moved(self.since);
        self.told_at = self.told_at.map(|at| jump.moved(at));
        self.ended = self.ended.map(|at| jump.moved(at));
        self.flaps.changes.iter_mut().for_each(|at| *at = jump.moved(*at));
    }

    /// Takes a verdict: the alarm moves, and a change of state is returned.
    pub fn apply(&mut self, verdict: Verdict, now: Timestamp) -> Option<Transition> {
        self.value = verdict.value;
        if verdict.state == self.state {
            return None;
        }
        let from = std::mem::replace(&mut self.state, verdict.state);
        let since = std::mem::replace(&mut self.since, now);
        if from == State::Alarm {
            self.ended = Some(now);
        }
        self.reason.clone_from(&verdict.reason);
        Some(Transition {
            from,
            to: self.state,
            since,
            at: now,
            reason: verdict.reason,
            value: verdict.value,
        })
    }

    /// Whether there is nothing to write down when this has become of `before`.
    pub fn is_recorded_as(&self, before: Self) -> bool {
        *self == Self { value: self.value, held: self.held.clone(), ..before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_state_is_a_transition() {
        let at = Timestamp::from_secs;
        let verdict =
            |state, value| Verdict { state, reason: format!("because {value}"), value: Some(value) };
        let mut alarm = Alarm::default();
        assert_eq!(alarm.apply(verdict(State::InsufficientData, 1.0), at(10)), None);
        assert_eq!((alarm.since, alarm.value), (at(0), Some(1.0)));

        let fired = alarm.apply(verdict(State::Alarm, 2.0), at(20)).unwrap();
        assert_eq!((fired.from, fired.to), (State::InsufficientData, State::Alarm));
        assert_eq!((fired.since, fired.at), (at(0), at(20)));
        assert_eq!((fired.reason.as_str(), fired.value), ("because 2", Some(2.0)));

        assert_eq!(alarm.apply(verdict(State::Alarm, 3.0), at(30)), None);
        assert_eq!((alarm.since, alarm.value), (at(20), Some(3.0)));
        assert_eq!(alarm.reason, "because 2", "the reason is that of the change");

        let resolved = alarm.apply(verdict(State::Ok, 0.0), at(40)).unwrap();
        assert_eq!((resolved.from, resolved.to), (State::Alarm, State::Ok));
        assert_eq!(alarm.ended, Some(at(40)));
    }

    #[test]
    fn states_read_back_in_the_spelling_of_cloudwatch() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("alarm".parse::<State>(), Err(UnknownWord));
        assert_eq!(State::default(), State::InsufficientData);
    }

    #[test]
    fn subjects_of_one_name_in_two_places_are_two() {
        let subject = |region: &str| Subject::Queue(QueueId::new("1", region, "orders"));
        let custom =
            Subject::Custom(CustomId { account: "1".into(), region: "eu".into(), name: "orders".into() });
        assert_ne!(subject("eu"), subject("us"));
        assert_ne!(subject("eu"), custom);
        assert_eq!(subject("eu").to_string(), custom.to_string());
        let key = AlarmKey { rule: "old".into(), subject: subject("eu") };
        assert_eq!(key.to_string(), "old on 1/eu/orders");
    }
}
