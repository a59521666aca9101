//! What people are told: the content of one notification, and who is owed it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::alarm::{Alarm, AlarmKey, State, Transition};
use super::queue::{Queue, QueueId, Role};
use super::rule::{Condition, Rule, Severity};
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
            Self::Closed => "closed",
            Self::Test => "test",
        }
    }

    /// All of them.
    pub const ALL: [Self; 5] = [Self::Firing, Self::Resolved, Self::Repeated, Self::Closed, Self::Test];
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
    /// When the state changed (for a repeat: when it fired).
    pub since: Timestamp,
    /// When this became due.
    pub at: Timestamp,
    /// Why, in CloudWatch's words.
    pub reason: String,
    /// The newest datapoint.
    pub value: Option<f64>,
    /// The rule's description.
    pub description: String,
    /// The rule's condition.
    pub condition: Condition,
    /// The rule's severity.
    pub severity: Severity,
    /// The rule's labels.
    pub labels: BTreeMap<String, String>,
    /// The queue, unless the subject is a custom metric.
    pub queue: Option<QueueFacts>,
}

/// One notification and the destinations that must get it.
#[derive(Clone, Debug, PartialEq)]
pub struct Debt {
    /// What.
    pub notification: Arc<Notification>,
    /// To whom, by the configuration's names.
    pub destinations: Vec<Arc<str>>,
}

/// What a transition makes owed, with the alarm's memory of who was told brought up to date.
///
/// ALARM is owed to the rule's destinations. OK is owed to those who were told of the firing and to nobody else, also
/// when INSUFFICIENT_DATA came between. A change to INSUFFICIENT_DATA alone is told to nobody.
pub fn owed(
    key: &AlarmKey,
    rule: &Rule,
    alarm: &mut Alarm,
    transition: &Transition,
    queue: Option<&Queue>,
) -> Option<Debt> {
    let (event, destinations) = match transition.to {
        State::Alarm => {
            let mut destinations = rule.notify.clone();
            destinations.dedup();
            for destination in &destinations {
                if !alarm.told.contains(destination) {
                    alarm.told.push(destination.clone());
                }
            }
            alarm.told_at = Some(transition.at);
            (Event::Firing, destinations)
        }
        State::Ok => {
            alarm.told_at = None;
            (Event::Resolved, std::mem::take(&mut alarm.told))
        }
        State::InsufficientData => return None,
    };
    debt(event, destinations, key, rule, transition, queue)
}

/// The debt of telling again that an alarm is still in ALARM, once `repeat` has passed since it was last owed.
pub fn repeated(
    key: &AlarmKey,
    rule: &Rule,
    alarm: &mut Alarm,
    queue: Option<&Queue>,
    now: Timestamp,
) -> Option<Debt> {
    let due = alarm.state == State::Alarm && now.since(alarm.told_at?) >= rule.repeat?;
    if !due {
        return None;
    }
    alarm.told_at = Some(now);
    let still = Transition {
        from: State::Alarm,
        to: State::Alarm,
        at: now,
        reason: alarm.reason.clone(),
        value: alarm.value,
    };
    let mut debt = debt(Event::Repeated, alarm.told.clone(), key, rule, &still, queue)?;
    Arc::make_mut(&mut debt.notification).since = alarm.since;
    Some(debt)
}

/// The debt of saying that nothing will resolve an alarm any more: its queue or its rule is gone.
pub fn closed(key: &AlarmKey, rule: &Rule, alarm: &Alarm, reason: String, now: Timestamp) -> Option<Debt> {
    let end = Transition { from: alarm.state, to: State::Ok, at: now, reason, value: None };
    debt(Event::Closed, alarm.told.clone(), key, rule, &end, None)
}

fn debt(
    event: Event,
    destinations: Vec<Arc<str>>,
    key: &AlarmKey,
    rule: &Rule,
    transition: &Transition,
    queue: Option<&Queue>,
) -> Option<Debt> {
    if destinations.is_empty() {
        return None;
    }
    let notification = Notification {
        id: id(key, event, transition.at),
        event,
        alarm: key.clone(),
        from: transition.from,
        to: transition.to,
        since: transition.at,
        at: transition.at,
        reason: transition.reason.clone(),
        value: transition.value,
        description: rule.description.clone(),
        condition: rule.condition.clone(),
        severity: rule.severity,
        labels: rule.labels.clone(),
        queue: queue.map(QueueFacts::from),
    };
    Some(Debt { notification: Arc::new(notification), destinations })
}

/// A name for one event: its instant and a hash of what it is about. URL-safe, 20 to 40 characters.
pub fn id(key: &AlarmKey, event: Event, at: Timestamp) -> String {
    let mut hasher = DefaultHasher::new();
    (key, event).hash(&mut hasher);
    format!("sqw_{:x}_{:016x}", at.as_millis(), hasher.finish())
}
