//! Increased: told when the value has moved a step from what was told, at most once a gap.

use super::*;
use crate::domain::growth::{Growth, Step};

const EACH: Growth = Growth { step: Step::By(1.0), gap: Duration::from_secs(60) };

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

/// What is owed when, second by second, these values are found while the alarm is in ALARM.
fn told(life: &mut Life, values: &[(i64, f64)]) -> Vec<(i64, Event, Option<f64>)> {
    let mut told = Vec::new();
    for (second, value) in values {
        let verdict = Verdict { state: State::Alarm, reason: "Crossed.".into(), value: Some(*value) };
        let transition = life.alarm.apply(verdict, seconds(*second));
        if let Some(debt) = life.tell(transition.as_ref(), seconds(*second)) {
            told.push((*second, debt.notification.event, debt.notification.value));
        }
    }
    told
}

fn growing(growth: Growth) -> Life {
    Life::new(Rule { repeat_on: Some(growth), repeat: None, ..rule(&["a"]) })
}

#[test]
fn the_second_dead_letter_is_not_silent() {
    let mut life = growing(EACH);
    let values = [(0, 1.0), (300, 1.0), (305, 2.0), (310, 2.0), (400, 2.0), (500, 3.0)];
    let (increased, firing) = (Event::Increased, Event::Firing);
    assert_eq!(
        told(&mut life, &values),
        [(0, firing, Some(1.0)), (305, increased, Some(2.0)), (500, increased, Some(3.0))]
    );
}

#[test]
fn a_rise_within_the_gap_is_told_when_the_gap_is_over() {
    let mut life = growing(EACH);
    let values = [(0, 1.0), (10, 2.0), (20, 5.0), (59, 5.0), (60, 6.0), (65, 9.0), (119, 9.0), (121, 9.0)];
    let told = told(&mut life, &values);
    let at: Vec<_> = told.iter().map(|(second, _, value)| (*second, *value)).collect();
    assert_eq!(at, [(0, Some(1.0)), (60, Some(6.0)), (121, Some(9.0))]);
}

#[test]
fn a_fall_is_not_told_and_does_not_lower_what_growth_counts_from() {
    let mut life = growing(Growth { step: Step::By(10.0), ..EACH });
    let values = [(0, 10.0), (100, 2.0), (200, 15.0), (300, 20.0)];
    assert_eq!(told(&mut life, &values).last(), Some(&(300, Event::Increased, Some(20.0))));
    assert_eq!(life.alarm.tellings, 2);
}

#[test]
fn the_reason_says_from_what_to_what_and_it_goes_to_those_who_were_told() {
    let mut life = growing(EACH);
    told(&mut life, &[(0, 1.0)]);
    life.rule.notify = names(&["b"]);
    life.alarm.value = Some(4.5);
    let debt = life.pass(seconds(90)).unwrap();
    assert_eq!(debt.destinations, names(&["a"]));
    let notification = &debt.notification;
    assert_eq!(notification.reason, "The value rose from 1 to 4.5 since it was last told.");
    assert_eq!((notification.since, notification.at), (seconds(0), seconds(90)));
    assert_eq!((notification.from, notification.to), (State::Alarm, State::Alarm));
}

#[test]
fn an_alarm_that_fires_below_its_threshold_grows_downwards() {
    let mut life = growing(EACH);
    if let crate::domain::rule::Trigger::Metric(condition) = &mut life.rule.trigger {
        condition.comparison = Comparison::LessThan;
    }
    told(&mut life, &[(0, 5.0), (100, 7.0)]);
    life.alarm.value = Some(4.0);
    let debt = life.pass(seconds(200)).unwrap();
    assert_eq!(debt.notification.reason, "The value fell from 5 to 4 since it was last told.");
}

#[test]
fn a_value_that_was_not_known_at_first_is_what_growth_counts_from() {
    let mut life = growing(EACH);
    let verdict = Verdict { state: State::Alarm, reason: "Missing.".into(), value: None };
    let transition = life.alarm.apply(verdict, seconds(0));
    assert!(life.tell(transition.as_ref(), seconds(0)).is_some());
    assert_eq!(told(&mut life, &[(100, 7.0), (200, 7.0), (300, 8.0)]).len(), 1);
}

#[test]
fn a_repeat_tells_the_value_as_well() {
    let mut life = growing(EACH);
    life.rule.repeat = Some(HOUR);
    let values = [(0, 5.0), (3600, 3.0), (3700, 4.0)];
    let events: Vec<Event> = told(&mut life, &values).into_iter().map(|(_, event, _)| event).collect();
    assert_eq!(events, [Event::Firing, Event::Repeated, Event::Increased]);
}

#[test]
fn growth_waits_for_the_end_of_a_hold() {
    let mut life = growing(EACH);
    told(&mut life, &[(0, 1.0)]);
    life.hold = silence("s1");
    assert_eq!(told(&mut life, &[(100, 3.0)]), []);
    life.hold = None;
    assert_eq!(told(&mut life, &[(200, 3.0)]), [(200, Event::Increased, Some(3.0))]);
}

#[test]
fn a_new_firing_counts_from_its_own_value() {
    let mut life = growing(EACH);
    told(&mut life, &[(0, 50.0)]);
    life.find(State::Ok, seconds(100));
    let events: Vec<Event> =
        told(&mut life, &[(200, 1.0), (300, 2.0)]).into_iter().map(|(_, event, _)| event).collect();
    assert_eq!(events, [Event::Firing, Event::Increased]);
}
