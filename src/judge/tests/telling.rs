//! Who is told what, over random lives of one alarm: what must hold whatever happens, in which order, and whatever the clock does.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use crate::domain::alarm::{Alarm, AlarmKey, State, Subject, Verdict};
use crate::domain::flapping::Rate;
use crate::domain::growth::{Growth, Step};
use crate::domain::hold::Hold;
use crate::domain::metric::Metric;
use crate::domain::notification::{Debt, Event};
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, MetricRef, Rule, Statistic};
use crate::domain::telling::{About, closed, tell};
use crate::domain::time::{MINUTE, Timestamp};
use crate::store::{Batch, Store};

const STEP: f64 = 2.0;

/// What happens before and at one evaluation.
#[derive(Clone, Debug)]
struct Moment {
    /// By how many seconds the clock moved; it may be set back.
    clock: i64,
    /// `None` when nothing can be said.
    found: Option<(State, u8)>,
    held: bool,
    /// The rule's `notify` from now on.
    notify: Vec<&'static str>,
    /// The daemon is started anew before it.
    restarts: bool,
    /// The queue vanishes after it, and comes back.
    vanishes: bool,
}

fn moment() -> impl Strategy<Value = Moment> {
    let state =
        prop_oneof![Just(State::Ok), Just(State::Alarm), Just(State::Alarm), Just(State::InsufficientData)];
    let clock = prop_oneof![20 => 1..200_i64, 2 => 200..5_000_i64, 1 => -5_000..0_i64, 1 => Just(0)];
    let notify = prop_oneof![Just(vec!["a"]), Just(vec!["b"]), Just(vec!["a", "b"])];
    let rarely = || prop::bool::weighted(0.05);
    let found = prop::option::weighted(0.7, (state, 0..20_u8));
    (clock, found, prop::bool::weighted(0.3), notify, rarely(), rarely()).prop_map(
        |(clock, found, held, notify, restarts, vanishes)| Moment {
            clock,
            found,
            held,
            notify,
            restarts,
            vanishes,
        },
    )
}

fn key() -> AlarmKey {
    AlarmKey { rule: "a".into(), subject: Subject::Queue(QueueId::new("1", "eu-west-1", "q")) }
}

fn rule(flaps: bool) -> Rule {
    let visible = MetricRef::Queue(Metric::MessagesVisible);
    let condition = Condition::new(visible, Statistic::Maximum, Comparison::GreaterThanOrEqual, 1.0);
    Rule {
        repeat: Some(MINUTE * 10),
        repeat_on: Some(Growth { step: Step::By(STEP), gap: MINUTE }),
        flapping: flaps.then_some(Rate { changes: 4, within: MINUTE * 10 }),
        ..Rule::on("a", condition)
    }
}

/// What the receivers know, and nothing else.
#[derive(Default)]
struct Receivers {
    /// Who has an open page.
    open: BTreeSet<String>,
    ids: BTreeSet<String>,
    /// How often the present ALARM was opened.
    opened: usize,
    /// When something was told last, and the value; forgotten when the clock is set back.
    last: Option<(Timestamp, Option<f64>)>,
}

impl Receivers {
    fn take(&mut self, debt: &Debt, held: bool, now: Timestamp) -> Result<(), TestCaseError> {
        let (event, notification) = (debt.notification.event, &debt.notification);
        let to: BTreeSet<String> = debt.destinations.iter().map(|name| name.to_string()).collect();
        prop_assert!(!to.is_empty() && to.len() == debt.destinations.len(), "to {:?}", debt.destinations);
        prop_assert!(self.ids.insert(notification.id.clone()), "the id of {event:?} was there before");
        prop_assert!(event.ends() || !held, "{event:?} while held");
        prop_assert_eq!(notification.at, now);
        if event.opens() {
            self.open.extend(to);
            self.opened += 1;
        } else if event.ends() {
            prop_assert_eq!(&to, &self.open, "the end goes to exactly those who were told");
            self.open.clear();
        } else {
            prop_assert!(to.is_subset(&self.open), "{:?} to {:?}, open at {:?}", event, to, self.open);
            prop_assert_eq!(notification.to, State::Alarm);
        }
        if let (Event::Increased, Some((at, value))) = (event, self.last) {
            prop_assert!(now.since(at) >= MINUTE, "within the gap");
            let (before, value) = (value.unwrap_or(f64::NEG_INFINITY), notification.value);
            prop_assert!(value.is_some_and(|value| value >= before + STEP), "{before} to {value:?}");
        }
        // A value that is not known (just restarted) leaves receivers with the one they were told before.
        let known = self.last.and_then(|(_, value)| value).filter(|_| !event.opens());
        self.last = Some((now, notification.value.or(known)));
        Ok(())
    }
}

/// The alarm as another process finds it.
fn written_and_read(alarm: Alarm) -> Alarm {
    let store = Store::memory();
    let batch = Batch { alarms: vec![(key(), Some(alarm))], ..Batch::default() };
    store.commit(&batch, Timestamp::default()).unwrap();
    store.alarms().unwrap().remove(&key()).unwrap()
}

/// One alarm, what is written down of it, and who was told.
struct Life {
    alarm: Alarm,
    stored: Option<Alarm>,
    rule: Rule,
    now: Timestamp,
    receivers: Receivers,
}

impl Life {
    fn evaluate(&self, moment: &Moment, now: Timestamp) -> (Alarm, Option<Debt>) {
        let mut alarm = self.alarm.clone();
        let verdict = moment.found.map(|(state, value)| Verdict {
            state,
            reason: format!("Now {state}."),
            value: Some(f64::from(value)),
        });
        let transition = verdict.and_then(|verdict| alarm.apply(verdict, now));
        let hold = moment.held.then(|| Hold::Silence("s1".into()));
        let key = key();
        let about = About { key: &key, rule: &self.rule, queue: None };
        let debt = tell(about, &mut alarm, transition.as_ref(), hold, now);
        (alarm, debt)
    }

    fn live(&mut self, moment: &Moment) -> Result<(), TestCaseError> {
        self.now = Timestamp::from_millis(self.now.as_millis() + moment.clock * 1000);
        self.rule.notify = moment.notify.iter().map(|name| (*name).into()).collect();
        if moment.clock < 0 {
            self.receivers.last = None;
        }
        if moment.restarts {
            self.alarm = self.stored.take().map_or_else(|| Alarm::new(self.now), written_and_read);
            self.stored = Some(self.alarm.clone());
        }
        let (alarm, debt) = self.evaluate(moment, self.now);
        // The commit fails, and the next tick finds it again.
        let (_, again) = self.evaluate(moment, self.now + Duration::from_secs(1));
        if let (Some(debt), Some(again)) = (&debt, &again)
            && debt.notification.event == again.notification.event
        {
            prop_assert_eq!(&debt.notification.id, &again.notification.id);
        }
        if alarm.since != self.alarm.since || alarm.state != self.alarm.state {
            self.receivers.opened = 0;
        }
        if !alarm.is_recorded_as(self.alarm.clone()) {
            self.stored = Some(alarm.clone());
        } else {
            prop_assert_eq!(&debt, &None, "told and not written down");
        }
        self.alarm = alarm;
        if let Some(debt) = &debt {
            self.receivers.take(debt, moment.held, self.now)?;
        }
        self.check(moment)?;
        if moment.vanishes {
            let end = closed(&self.alarm, "gone".into(), self.now);
            prop_assert_eq!(end.is_some(), !self.receivers.open.is_empty());
            end.iter().try_for_each(|debt| self.receivers.take(debt, moment.held, self.now))?;
            (self.alarm, self.stored) = (Alarm::new(self.now), None);
            // The memory is gone with the alarm, and so are the numbers of the ids.
            self.receivers = Receivers::default();
        }
        Ok(())
    }

    /// What holds between any two evaluations.
    fn check(&self, moment: &Moment) -> Result<(), TestCaseError> {
        let open = &self.receivers.open;
        let (same, debt) = self.evaluate(&Moment { found: None, ..moment.clone() }, self.now);
        prop_assert_eq!(debt, None, "told twice at one instant");
        prop_assert!(same.is_recorded_as(self.alarm.clone()), "nothing new, and yet to be written down");
        let told: BTreeSet<String> = self.alarm.told.iter().map(|name| name.to_string()).collect();
        prop_assert_eq!(&told, open);
        if self.alarm.state == State::Alarm && !moment.held {
            prop_assert!(!open.is_empty(), "in ALARM, not held, and nobody knows");
        }
        if self.alarm.flaps.flapping {
            return Ok(());
        }
        prop_assert!(self.receivers.opened <= 1, "one firing, opened twice");
        if self.alarm.state == State::Ok {
            prop_assert!(open.is_empty(), "OK, and a page is open");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn nobody_is_left_alone_and_nobody_is_told_what_is_not_so(
        flaps: bool, moments in prop::collection::vec(moment(), 1..120),
    ) {
        let now = Timestamp::from_secs(1_800_000_000);
        let (alarm, receivers) = (Alarm::new(now), Receivers::default());
        let mut life = Life { alarm, stored: None, rule: rule(flaps), now, receivers };
        for (number, moment) in moments.iter().enumerate() {
            life.live(moment).map_err(|error| {
                TestCaseError::fail(format!("moment {number}, {moment:?}: {error}"))
            })?;
        }
    }
}
