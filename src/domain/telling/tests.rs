//! Scripts of one alarm, step by step: what happens, and what is owed after it.

mod flapping;
mod growth;

use std::time::Duration;

use super::*;
use crate::domain::alarm::{Subject, Verdict};
use crate::domain::metric::Metric;
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, MetricRef, Statistic};

const HOUR: Duration = Duration::from_secs(3600);

fn key() -> AlarmKey {
    let queue = QueueId::new("1", "eu-west-1", "orders-dlq");
    AlarmKey { rule: "dlq-not-empty".into(), subject: Subject::Queue(queue) }
}

fn rule(notify: &[&str]) -> Rule {
    let visible = MetricRef::Queue(Metric::MessagesVisible);
    let condition = Condition::new(visible, Statistic::Maximum, Comparison::GreaterThanOrEqual, 1.0);
    Rule { notify: names(notify), repeat: Some(HOUR), ..Rule::on("dlq-not-empty", condition) }
}

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_secs(minutes * 60)
}

fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn silence(id: &str) -> Option<Hold> {
    Some(Hold::Silence(id.into()))
}

/// One alarm through time.
struct Life {
    alarm: Alarm,
    rule: Rule,
    hold: Option<Hold>,
}

impl Life {
    fn new(rule: Rule) -> Self {
        Self { alarm: Alarm::default(), rule, hold: None }
    }

    /// An evaluation that finds `state`.
    fn find(&mut self, state: State, now: Timestamp) -> Option<Debt> {
        let verdict = Verdict { state, reason: format!("Now {state}."), value: Some(3.0) };
        let transition = self.alarm.apply(verdict, now);
        self.tell(transition.as_ref(), now)
    }

    /// An evaluation that finds nothing new.
    fn pass(&mut self, now: Timestamp) -> Option<Debt> {
        self.tell(None, now)
    }

    fn tell(&mut self, transition: Option<&Transition>, now: Timestamp) -> Option<Debt> {
        let key = key();
        let about = About { key: &key, rule: &self.rule, queue: None };
        tell(about, &mut self.alarm, transition, self.hold.clone(), now)
    }

    /// Plays a script, a minute a letter: `A`, `O` and `I` find a state, `(` and `)` begin and end a silence, `.` is a minute
    /// without news, `x` closes the alarm. Gives the first letter of each event that is owed, at the place of what made it owed.
    fn play(&mut self, script: &str) -> String {
        let mut played = String::new();
        for (letter, minute) in script.chars().zip(0..) {
            let now = at(minute);
            let debt = match letter {
                'A' => self.find(State::Alarm, now),
                'O' => self.find(State::Ok, now),
                'I' => self.find(State::InsufficientData, now),
                'x' => closed(&self.alarm, "gone".into(), now),
                _ => {
                    match letter {
                        '(' => self.hold = silence("s1"),
                        ')' => self.hold = None,
                        _ => {}
                    }
                    self.pass(now)
                }
            };
            played.push(debt.map_or('-', |debt| letter_of(debt.notification.event)));
        }
        played
    }
}

fn letter_of(event: Event) -> char {
    match event {
        Event::Firing => 'F',
        Event::Resolved => 'R',
        Event::Repeated => 'P',
        Event::Increased => 'N',
        Event::Flapping => 'L',
        Event::Closed => 'C',
        Event::Test => 'T',
    }
}

#[test]
fn a_resolve_goes_to_exactly_those_who_were_told_of_the_firing() {
    use State::{Alarm as A, InsufficientData as I, Ok as O};
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
        let mut life = Life::new(rule(&[]));
        for ((state, notify, expected), minute) in script.iter().zip(0..) {
            life.rule.notify = names(notify);
            let debt = life.find(*state, at(minute));
            if let Some(Debt { notification, .. }) = &debt {
                assert_eq!((notification.to, &*notification.reason), (*state, &*format!("Now {state}.")));
            }
            let got = debt.map(|debt| (debt.notification.event, debt.destinations));
            let expected = expected.map(|(event, to)| (event, names(to)));
            assert_eq!(got, expected, "minute {minute} of {script:?}");
        }
    }
}

#[test]
fn while_held_only_ends_of_what_was_told_are_told() {
    for (script, expected) in [
        // Untold, and still in ALARM when the hold ends: told then, and the end as ever.
        ("(A.).O", "---F-R"),
        // Over before the hold is: nobody ever knows.
        ("(AO)..A", "------F"),
        ("(AI).", "-----"),
        ("(AIA)", "----F"),
        ("(AIO)", "-----"),
        // Told before: the end is told at once, a new firing is not.
        ("A(O).", "F-R--"),
        ("A(OA)O", "F-R-FR"),
        ("A().O", "F---R"),
        ("A(I)O", "F---R"),
        // As without a hold, ALARM out of INSUFFICIENT_DATA is told again.
        ("A(IA)O", "F---FR"),
        // What is gone is told of where it was told that it fires.
        ("A(x", "F-C"),
        ("(Ax", "---"),
        ("(A)x", "--FC"),
        ("(A.", "---"),
        // The hold begins or ends in the very evaluation that finds the change: see the next test.
    ] {
        assert_eq!(Life::new(rule(&["a"])).play(script), expected, "{script}");
    }
}

#[test]
fn a_hold_that_begins_or_ends_with_the_change_counts() {
    let mut life = Life::new(rule(&["a"]));
    life.hold = silence("s1");
    assert_eq!(life.find(State::Alarm, at(0)), None);
    life.hold = None;
    assert_eq!(life.find(State::Ok, at(1)), None, "over with the hold");
    life.hold = silence("s1");
    assert_eq!(life.find(State::InsufficientData, at(2)), None);
    life.hold = None;
    let debt = life.find(State::Alarm, at(3)).unwrap();
    assert_eq!(debt.notification.reason, "Now ALARM.", "nothing held this one");
}

#[test]
fn what_was_held_says_since_when_it_fires_and_what_held_it_last() {
    let mut life = Life::new(rule(&["a"]));
    life.find(State::Ok, at(0));
    life.hold = silence("s1");
    assert_eq!(life.alarm.held, None);
    life.find(State::Alarm, at(1));
    assert_eq!(life.alarm.held, silence("s1"));
    life.hold = Some(Hold::Maintenance("nightly".into()));
    life.pass(at(2));
    (life.hold, life.rule.notify) = (None, names(&["b"]));
    let debt = life.pass(at(9)).unwrap();
    let notification = &debt.notification;
    assert_eq!((notification.since, notification.at), (at(1), at(9)));
    assert_eq!((notification.from, notification.to), (State::Ok, State::Alarm));
    assert_eq!(notification.reason, "Now ALARM. It was held back until now by the maintenance `nightly`.");
    assert_eq!((life.alarm.held.clone(), debt.destinations), (None, names(&["b"])));
    assert_eq!(life.find(State::Ok, at(10)).unwrap().destinations, names(&["b"]));
}

#[test]
fn repeats_wait_for_the_end_of_a_hold() {
    let mut life = Life::new(rule(&["a"]));
    life.find(State::Alarm, at(0));
    life.hold = silence("s1");
    assert_eq!(life.pass(at(60)), None);
    life.hold = None;
    assert_eq!(life.pass(at(90)).unwrap().notification.event, Event::Repeated);
    assert_eq!(life.pass(at(149)), None);
}

#[test]
fn what_was_told_can_be_closed_also_after_a_firing_that_is_owed_to_nobody() {
    let mut life = Life::new(rule(&["a"]));
    life.find(State::Alarm, at(0));
    life.find(State::InsufficientData, at(1));
    life.rule.notify = Vec::new();
    assert_eq!(life.find(State::Alarm, at(2)), None);
    let debt = closed(&life.alarm, "gone".into(), at(3)).unwrap();
    assert_eq!(debt.destinations, names(&["a"]));
}

#[test]
fn a_repeat_comes_each_time_the_interval_has_passed_while_it_fires() {
    let mut life = Life::new(rule(&["a"]));
    life.find(State::Alarm, at(0));
    let told: Vec<i64> = (0..=185).filter(|minute| life.pass(at(*minute)).is_some()).collect();
    assert_eq!(told, [60, 120, 180]);

    let debt = life.pass(at(240)).unwrap();
    assert_eq!(debt.destinations, names(&["a"]));
    let notification = &debt.notification;
    assert_eq!((notification.event, notification.since, notification.at), (Event::Repeated, at(0), at(240)));
    assert_eq!((notification.from, notification.to), (State::Alarm, State::Alarm));
    assert_eq!((notification.value, &*notification.reason), (Some(3.0), "Now ALARM."));

    life.find(State::InsufficientData, at(250));
    assert!(life.pass(at(900)).is_none(), "it does not fire");
    life.find(State::Ok, at(900));
    assert!(life.pass(at(1800)).is_none());
}

#[test]
fn without_an_interval_nothing_is_repeated() {
    let mut life = Life::new(Rule { repeat: None, ..rule(&["a"]) });
    life.find(State::Alarm, at(0));
    assert!(life.pass(at(1_000_000)).is_none());
}

#[test]
fn a_clock_that_jumps_neither_floods_nor_silences_repeats() {
    let mut life = Life::new(rule(&["a"]));
    life.find(State::Alarm, at(10_000));
    assert!(life.pass(at(5)).is_none(), "set back");
    assert!(life.pass(at(65)).is_some());
    assert!(life.pass(at(65 + 100 * 60)).is_some(), "set forward");
    assert!(life.pass(at(66 + 100 * 60)).is_none());
}

#[test]
fn the_end_of_an_alarm_that_fires_is_told_to_who_was_told() {
    let mut life = Life::new(rule(&["a"]));
    assert_eq!(closed(&life.alarm, "queue deleted".into(), at(0)), None);
    life.find(State::Alarm, at(0));
    life.find(State::InsufficientData, at(1));
    let debt = closed(&life.alarm, "queue deleted".into(), at(2)).unwrap();
    assert_eq!(debt.destinations, names(&["a"]));
    assert_eq!((debt.notification.event, debt.notification.value), (Event::Closed, None));
    assert_eq!(debt.notification.reason, "queue deleted");
}

#[test]
fn an_event_that_is_found_again_has_the_same_id_and_another_event_another() {
    let mut life = Life::new(rule(&["a"]));
    life.find(State::Ok, at(0));
    let before = life.alarm.clone();
    let first = life.find(State::Alarm, at(1)).unwrap().notification.id.clone();
    // The commit failed, and the next tick finds the same.
    life.alarm = before;
    let again = life.find(State::Alarm, at(2)).unwrap().notification.id.clone();
    assert_eq!(again, first);
    // The clock is set back, and all of it happens again at the same instants.
    life.find(State::Ok, at(0));
    assert_ne!(life.find(State::Alarm, at(1)).unwrap().notification.id, first);
}
