//! What people are told: the content of one notification, and who is owed it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::alarm::{Alarm, AlarmKey, State, Transition};
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
    /// When the state changed (for a repeat: when it fired).
    pub since: Timestamp,
    /// When the firing began that this belongs to; `None` when that is not known (then `since` is as near as it gets).
    pub fired_at: Option<Timestamp>,
    /// When this became due.
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
    fn of(rule: &Rule) -> Self {
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
    match transition.to {
        State::Alarm => {
            let destinations = with(Vec::new(), &rule.notify);
            alarm.told = with(std::mem::take(&mut alarm.told), &destinations);
            alarm.told_at = Some(transition.at);
            let debt = debt(Event::Firing, destinations, key, rule, transition, queue);
            if let Some(debt) = &debt {
                alarm.firing = Some(debt.notification.clone());
            }
            debt
        }
        State::Ok => {
            alarm.told_at = None;
            let fired_at = alarm.firing.take().map(|firing| firing.since);
            let told = std::mem::take(&mut alarm.told);
            let mut debt = debt(Event::Resolved, told, key, rule, transition, queue)?;
            Arc::make_mut(&mut debt.notification).fired_at = fired_at;
            Some(debt)
        }
        State::InsufficientData => None,
    }
}

/// `names` and those of `more` that are not among them yet.
fn with(mut names: Vec<Arc<str>>, more: &[Arc<str>]) -> Vec<Arc<str>> {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The debt of telling again that an alarm is still in ALARM, once `repeat` has passed since it was last owed.
///
/// A clock that was set back starts the wait anew, so that a repeat is late by one `repeat` at most.
pub fn repeated(
    key: &AlarmKey,
    rule: &Rule,
    alarm: &mut Alarm,
    queue: Option<&Queue>,
    now: Timestamp,
) -> Option<Debt> {
    let told_at = alarm.told_at?.min(now);
    alarm.told_at = Some(told_at);
    let due = alarm.state == State::Alarm && now.since(told_at) >= rule.repeat?;
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
    let notification = Arc::make_mut(&mut debt.notification);
    notification.since = alarm.since;
    notification.fired_at = alarm.firing.as_ref().map(|firing| firing.since);
    Some(debt)
}

/// The debt of saying that nothing will resolve an alarm any more: its queue or its rule is gone. Made from what was
/// told when it fired, since there may be nothing else left of it.
pub fn closed(alarm: &Alarm, reason: String, now: Timestamp) -> Option<Debt> {
    let firing = alarm.firing.as_deref().filter(|_| !alarm.told.is_empty())?;
    let notification = Notification {
        id: id(&firing.alarm, Event::Closed, now),
        event: Event::Closed,
        from: alarm.state,
        to: State::Ok,
        since: now,
        fired_at: Some(firing.since),
        at: now,
        reason,
        value: None,
        ..firing.clone()
    };
    Some(Debt { notification: Arc::new(notification), destinations: alarm.told.clone() })
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
        fired_at: None,
        at: transition.at,
        reason: transition.reason.clone(),
        value: transition.value,
        description: rule.description.clone(),
        cause: Cause::of(rule),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::alarm::{Subject, Verdict};
    use crate::domain::metric::Metric;
    use crate::domain::rule::{Comparison, MetricRef, Statistic};

    const HOUR: Duration = Duration::from_secs(3600);

    fn key() -> AlarmKey {
        AlarmKey {
            rule: "dlq-not-empty".into(),
            subject: Subject::Queue(QueueId::new("1", "eu-west-1", "orders-dlq")),
        }
    }

    fn condition() -> Condition {
        let visible = MetricRef::Queue(Metric::MessagesVisible);
        Condition::new(visible, Statistic::Maximum, Comparison::GreaterThanOrEqual, 1.0)
    }

    fn rule(notify: &[&str]) -> Rule {
        Rule {
            description: "a person is needed".into(),
            severity: Severity::Critical,
            notify: notify.iter().map(|name| Arc::from(*name)).collect(),
            repeat: Some(HOUR),
            ..Rule::on("dlq-not-empty", condition())
        }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(minutes * 60)
    }

    /// What is owed when the alarm goes to `state`: the event and its destinations.
    fn goes(alarm: &mut Alarm, rule: &Rule, state: State, now: Timestamp) -> Option<(Event, Vec<Arc<str>>)> {
        let verdict = Verdict { state, reason: format!("now {state}"), value: Some(3.0) };
        let transition = alarm.apply(verdict, now)?;
        let debt = owed(&key(), rule, alarm, &transition, None)?;
        assert_eq!(debt.notification.to, state);
        assert_eq!(debt.notification.reason, format!("now {state}"));
        Some((debt.notification.event, debt.destinations))
    }

    fn names(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    #[test]
    fn a_resolve_goes_to_exactly_those_who_were_told_of_the_firing() {
        use State::{Alarm as A, InsufficientData as I, Ok as O};
        // One letter a state, what is owed after it.
        type Step = (State, &'static [&'static str], Option<(Event, &'static [&'static str])>);
        let scripts: [&[Step]; 5] = [
            &[
                (A, &["a", "b"], Some((Event::Firing, &["a", "b"]))),
                (O, &["a", "b"], Some((Event::Resolved, &["a", "b"]))),
            ],
            // Nobody is told of the first OK, nor of INSUFFICIENT_DATA.
            &[(O, &["a"], None), (I, &["a"], None), (O, &["a"], None)],
            // INSUFFICIENT_DATA in between changes nothing.
            &[
                (A, &["a"], Some((Event::Firing, &["a"]))),
                (I, &["a"], None),
                (O, &["a"], Some((Event::Resolved, &["a"]))),
            ],
            // The rule was changed in between: who was told stays owed, who was not is not.
            &[
                (A, &["a", "b"], Some((Event::Firing, &["a", "b"]))),
                (O, &["c"], Some((Event::Resolved, &["a", "b"]))),
            ],
            // It fires again out of INSUFFICIENT_DATA: told again, and all who heard either firing are owed the end, once.
            &[
                (A, &["a", "b", "a"], Some((Event::Firing, &["a", "b"]))),
                (I, &["b", "c"], None),
                (A, &["b", "c"], Some((Event::Firing, &["b", "c"]))),
                (O, &[], Some((Event::Resolved, &["a", "b", "c"]))),
                (A, &[], None),
                (O, &["a"], None),
            ],
        ];
        for script in scripts {
            let mut alarm = Alarm::default();
            for (minute, (state, notify, expected)) in script.iter().enumerate() {
                let got = goes(&mut alarm, &rule(notify), *state, at(minute as i64));
                let expected = expected.map(|(event, to)| (event, names(to)));
                assert_eq!(got, expected, "step {minute} of {script:?}");
            }
        }
    }

    #[test]
    fn what_was_told_can_be_closed_also_after_a_firing_that_is_owed_to_nobody() {
        let mut alarm = Alarm::default();
        goes(&mut alarm, &rule(&["a"]), State::Alarm, at(0));
        goes(&mut alarm, &rule(&["a"]), State::InsufficientData, at(1));
        assert_eq!(goes(&mut alarm, &rule(&[]), State::Alarm, at(2)), None);
        let debt = closed(&alarm, "gone".into(), at(3)).unwrap();
        assert_eq!(debt.destinations, names(&["a"]));
    }

    #[test]
    fn a_repeat_comes_each_time_the_interval_has_passed_while_it_fires() {
        let (mut alarm, rule) = (Alarm::default(), rule(&["a"]));
        goes(&mut alarm, &rule, State::Alarm, at(0));
        let told: Vec<i64> = (0..=185)
            .filter(|minute| repeated(&key(), &rule, &mut alarm, None, at(*minute)).is_some())
            .collect();
        assert_eq!(told, [60, 120, 180]);

        let debt = repeated(&key(), &rule, &mut alarm, None, at(240)).unwrap();
        assert_eq!(debt.destinations, names(&["a"]));
        let notification = &debt.notification;
        assert_eq!(
            (notification.event, notification.since, notification.at),
            (Event::Repeated, at(0), at(240))
        );
        assert_eq!(
            (notification.from, notification.to, notification.value),
            (State::Alarm, State::Alarm, Some(3.0))
        );
        assert_eq!(notification.reason, "now ALARM");

        goes(&mut alarm, &rule, State::InsufficientData, at(250));
        assert!(repeated(&key(), &rule, &mut alarm, None, at(900)).is_none(), "it does not fire");
        goes(&mut alarm, &rule, State::Ok, at(900));
        assert!(repeated(&key(), &rule, &mut alarm, None, at(1800)).is_none());
    }

    #[test]
    fn without_an_interval_nothing_is_repeated() {
        let (mut alarm, rule) = (Alarm::default(), Rule { repeat: None, ..rule(&["a"]) });
        goes(&mut alarm, &rule, State::Alarm, at(0));
        assert!(repeated(&key(), &rule, &mut alarm, None, at(1_000_000)).is_none());
    }

    #[test]
    fn a_clock_that_jumps_neither_floods_nor_silences_repeats() {
        let (mut alarm, rule) = (Alarm::default(), rule(&["a"]));
        goes(&mut alarm, &rule, State::Alarm, at(10_000));
        assert!(repeated(&key(), &rule, &mut alarm, None, at(5)).is_none(), "set back");
        assert!(repeated(&key(), &rule, &mut alarm, None, at(65)).is_some());
        assert!(repeated(&key(), &rule, &mut alarm, None, at(65 + 100 * 60)).is_some(), "set forward");
        assert!(repeated(&key(), &rule, &mut alarm, None, at(66 + 100 * 60)).is_none());
    }

    #[test]
    fn the_end_of_an_alarm_that_fires_is_told_to_who_was_told() {
        let (mut alarm, rule) = (Alarm::default(), rule(&["a"]));
        assert_eq!(closed(&alarm, "queue deleted".into(), at(0)), None);
        goes(&mut alarm, &rule, State::Alarm, at(0));
        goes(&mut alarm, &rule, State::InsufficientData, at(1));
        let debt = closed(&alarm, "queue deleted".into(), at(2)).unwrap();
        assert_eq!(debt.destinations, names(&["a"]));
        assert_eq!((debt.notification.event, debt.notification.value), (Event::Closed, None));
        assert_eq!(debt.notification.reason, "queue deleted");
    }

    #[test]
    fn an_id_names_one_event_of_one_alarm() {
        let other = AlarmKey { rule: "other".into(), ..key() };
        let ids = [
            id(&key(), Event::Firing, at(1)),
            id(&key(), Event::Firing, at(2)),
            id(&key(), Event::Resolved, at(1)),
            id(&other, Event::Firing, at(1)),
        ];
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert_eq!(ids[0], id(&key(), Event::Firing, at(1)));
        for id in &ids {
            assert!((20..=40).contains(&id.len()), "{id}");
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{id}");
        }
    }
}
