//! What people are told: the content of one notification. Who is told, and when, is `telling.rs`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::alarm::{AlarmKey, State, Subject};
use super::queue::{Queue, QueueId, Role};
use super::rule::{Condition, Rule, Severity, Trigger};
use super::time::Timestamp;

/// Why somebody is told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The alarm went into ALARM.
    Firing,
    /// It left ALARM for OK; told to exactly those who were told that it fired.
    Resolved,
    /// It is still in ALARM.
    Repeated,
    /// It is still in ALARM, and its value has risen by the rule's step since it was last told.
    Increased,
    /// Its state changes so often that the changes are not told one by one any more.
    Flapping,
    /// What it judged is gone (queue deleted, rule removed), so nothing will resolve it.
    Closed,
    /// `test-notify`.
    Test,
}

impl Event {
    /// The word used in bodies and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
            Self::Repeated => "repeated",
            Self::Increased => "increased",
            Self::Flapping => "flapping",
            Self::Closed => "closed",
            Self::Test => "test",
        }
    }

    /// Whether it begins what an end is owed for.
    pub fn opens(self) -> bool {
        matches!(self, Self::Firing | Self::Flapping)
    }

    /// Whether nothing more is owed of a firing after it.
    pub fn ends(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }

    /// What happened, as a headline begins.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "ALARM",
            Self::Resolved => "OK",
            Self::Repeated => "still ALARM",
            Self::Increased => "ALARM, and rising",
            Self::Flapping => "FLAPPING",
            Self::Closed => "CLOSED",
            Self::Test => "TEST, nothing is wrong",
        }
    }

    /// What happened to `alarm`, in one line: `ALARM: dlq-not-empty on orders-dlq (us-east-1)`.
    pub fn line(self, alarm: &AlarmKey) -> String {
        let subject = &alarm.subject;
        let on = match subject {
            Subject::Composite(_) => String::new(),
            _ => format!(" on {}", subject.name()),
        };
        let place = match subject.region() {
            "" => String::new(),
            region => format!(" ({region})"),
        };
        format!("{}: {}{on}{place}", self.word(), alarm.rule)
    }

    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Firing,
        Self::Resolved,
        Self::Repeated,
        Self::Increased,
        Self::Flapping,
        Self::Closed,
        Self::Test,
    ];
}

/// What a person wants to know of the queue beside its name.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueFacts {
    /// The queue's URL.
    pub url: Arc<str>,
    /// Its part in the topology.
    pub role: Role,
    /// Where its dead letters go.
    pub dead_letter_queue: Option<QueueId>,
    /// Whose dead letters it holds.
    pub sources: Vec<QueueId>,
}

impl From<&Queue> for QueueFacts {
    fn from(queue: &Queue) -> Self {
        Self {
            url: queue.url.clone(),
            role: queue.role,
            dead_letter_queue: queue.dead_letter_queue().cloned(),
            sources: queue.sources.clone(),
        }
    }
}

/// One thing to tell, complete in itself: it can be delivered after a restart with another configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Names this event and no other; the same on every attempt and for every destination.
    pub id: String,
    /// Why it is told.
    pub event: Event,
    /// Which alarm.
    pub alarm: AlarmKey,
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
    /// When the state changed.
    pub since: Timestamp,
    /// When the firing began that this belongs to; `None` when that is not known (then `since` is as near as it gets).
    pub fired_at: Option<Timestamp>,
    /// When this became due: later than `since` for what is told again, and for a firing that was held back.
    pub at: Timestamp,
    /// Why, in CloudWatch's words.
    pub reason: String,
    /// The newest datapoint.
    pub value: Option<f64>,
    /// The rule's description.
    pub description: String,
    /// What the rule looks at.
    pub cause: Cause,
    /// The rule's severity.
    pub severity: Severity,
    /// The rule's labels.
    pub labels: BTreeMap<String, String>,
    /// The queue, unless the subject is a custom metric.
    pub queue: Option<QueueFacts>,
}

impl Notification {
    /// What receivers are told that know nothing but ALARM and OK: it is over, or it is not.
    pub fn tells(&self) -> State {
        match self.event {
            Event::Resolved | Event::Closed => State::Ok,
            Event::Firing | Event::Repeated | Event::Increased | Event::Flapping | Event::Test => {
                State::Alarm
            }
        }
    }
}

/// What an alarm that is told of looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// A metric alarm's condition.
    Metric(Condition),
    /// A composite alarm's expression and the children that made it true.
    Composite {
        /// As the user wrote it.
        text: Arc<str>,
        /// Those that count; see [`Child`].
        children: Vec<Child>,
    },
}

/// An alarm that a composite alarm looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Which.
    pub alarm: AlarmKey,
    /// Its state.
    pub state: State,
    /// Since when it has it.
    pub since: Timestamp,
}

impl Cause {
    /// What `rule` looks at.
    pub fn of(rule: &Rule) -> Self {
        match &rule.trigger {
            Trigger::Metric(condition) => Self::Metric(condition.clone()),
            Trigger::Composite(composite) => {
                Self::Composite { text: composite.text.clone(), children: Vec::new() }
            }
        }
    }
}

/// One notification and the destinations that must get it.
#[derive(Clone, Debug, PartialEq)]
pub struct Debt {
    /// What.
    pub notification: Arc<Notification>,
    /// To whom, by the configuration's names.
    pub destinations: Vec<Arc<str>>,
}

/// A name for one event: an instant and a hash of what it is about. URL-safe, 20 to 40 characters.
///
/// Made from what is remembered durably (`since`: when the state before this event began; `number`: how many notifications there
/// were of the alarm before), so that it is the same when the event is found again after a commit that failed, and another
/// after a clock that was set back.
pub fn id(key: &AlarmKey, event: Event, since: Timestamp, number: u64) -> String {
    let mut hasher = DefaultHasher::new();
    (key, event, number).hash(&mut hasher);
    format!("sqw_{:x}_{:016x}", since.as_millis(), hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_one_event_of_one_alarm() {
        let key = AlarmKey { rule: "a".into(), subject: Subject::Queue(QueueId::new("1", "eu", "q")) };
        let other = AlarmKey { rule: "other".into(), ..key.clone() };
        let at = Timestamp::from_secs;
        let ids = [
            id(&key, Event::Firing, at(1), 0),
            id(&key, Event::Firing, at(2), 0),
            id(&key, Event::Firing, at(1), 1),
            id(&key, Event::Resolved, at(1), 0),
            id(&other, Event::Firing, at(1), 0),
        ];
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert_eq!(ids[0], id(&key, Event::Firing, at(1), 0));
        for id in &ids {
            assert!((20..=40).contains(&id.len()), "{id}");
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{id}");
        }
    }

    #[test]
    fn a_page_is_opened_before_it_is_ended() {
        let opening: Vec<Event> = Event::ALL.into_iter().filter(|event| event.opens()).collect();
        let ending: Vec<Event> = Event::ALL.into_iter().filter(|event| event.ends()).collect();
        assert_eq!(opening, [Event::Firing, Event::Flapping]);
        assert_eq!(ending, [Event::Resolved, Event::Closed]);
    }
}
