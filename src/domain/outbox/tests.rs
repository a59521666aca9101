//! Order, consequences and endings of deliveries, as tables and against random receivers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::alarm::{State, Subject};
use crate::domain::metric::Metric;
use crate::domain::notification::{Cause, Event};
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, MetricRef, Severity, Statistic};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn notification(alarm: &str) -> Arc<Notification> {
    Arc::new(Notification {
        id: String::new(),
        event: Event::Firing,
        alarm: AlarmKey { rule: alarm.into(), subject: Subject::Queue(QueueId::new("1", "eu", "orders")) },
        from: State::Ok,
        to: State::Alarm,
        since: at(0),
        fired_at: None,
        at: at(0),
        reason: String::new(),
        value: None,
        description: String::new(),
        cause: Cause::Metric(Condition::new(
            MetricRef::Queue(Metric::MessagesVisible),
            Statistic::Maximum,
            Comparison::GreaterThan,
            0.0,
        )),
        severity: Severity::Warning,
        labels: BTreeMap::new(),
        queue: None,
    })
}

/// An entry of alarm `alarm` for `destination` that may be tried at second `due`.
fn entry(sequence: u64, alarm: &str, destination: &str, due: i64) -> Entry {
    Entry { not_before: at(due), ..Entry::new(sequence, destination.into(), notification(alarm), at(0)) }
}

#[test]
fn the_oldest_due_entry_goes_first_and_nothing_overtakes_its_own_alarm() {
    // Alarm, destination and second of each entry; what is due at second 10, and in how many seconds something is.
    type Case = (&'static str, &'static [(&'static str, &'static str, i64)], Option<usize>, Option<u64>);
    let cases: [Case; 7] = [
        ("nothing is owed", &[], None, None),
        ("oldest first", &[("a", "x", 9), ("b", "x", 3)], Some(0), Some(0)),
        ("due now", &[("a", "x", 10)], Some(0), Some(0)),
        ("another alarm may go before", &[("a", "x", 50), ("b", "x", 0)], Some(1), Some(0)),
        ("another destination may go before", &[("a", "x", 50), ("a", "y", 0)], Some(1), Some(0)),
        ("the same alarm and destination may not", &[("a", "x", 50), ("a", "x", 0)], None, Some(40)),
        ("the nearest counts", &[("a", "x", 50), ("b", "x", 30), ("b", "x", 20)], None, Some(20)),
    ];
    for (what, entries, due, waits) in cases {
        let entries: Vec<Entry> = entries
            .iter()
            .enumerate()
            .map(|(index, (alarm, destination, due))| entry(index as u64, alarm, destination, *due))
            .collect();
        assert_eq!(next_due(&entries, at(10)), due, "{what}");
        assert_eq!(wait(&entries, at(10)), waits.map(seconds), "{what}");
    }
}

#[test]
fn what_failed_already_lets_the_others_go_first() {
    let mut entries = [entry(0, "a", "x", 0), entry(1, "b", "x", 0), entry(2, "c", "x", 0)];
    for index in [0, 1, 2, 0] {
        assert_eq!(next_due(&entries, at(10)), Some(index));
        entries[index].postpone(at(5));
    }
}

#[test]
fn a_clock_set_back_holds_nothing_up() {
    let entries = [entry(0, "a", "x", 86_400)];
    assert_eq!(next_due(&entries, at(0)), Some(0));
    assert_eq!(wait(&entries, at(0)), Some(Duration::ZERO));
    assert_eq!(next_due(&entries, at(86_400 - 3000)), None);
}

#[test]
fn each_outcome_has_its_consequence() {
    let retry = |reason, after| Outcome::Retry { reason, after };
    let old = GIVE_UP.as_secs() as i64;
    for (attempts, outcome, now, expected) in [
        (0, Outcome::Acknowledged, 100, Next::Done),
        (0, Outcome::Acknowledged, old, Next::Done),
        (0, Outcome::Refused { reason: Reason::Gone }, 100, Next::Park { reason: Reason::Gone }),
        (
            0,
            retry(Reason::ServerError, None),
            100,
            Next::RetryAt { at: at(101), reason: Reason::ServerError },
        ),
        (3, retry(Reason::Connection, None), 100, Next::RetryAt { at: at(108), reason: Reason::Connection }),
        (u32::MAX, retry(Reason::Timeout, None), 100, Next::RetryAt { at: at(130), reason: Reason::Timeout }),
        (
            0,
            retry(Reason::Throttled, Some(seconds(60))),
            100,
            Next::RetryAt { at: at(160), reason: Reason::Throttled },
        ),
        (
            9,
            retry(Reason::ServerError, None),
            old - 1,
            Next::RetryAt { at: at(old + 29), reason: Reason::ServerError },
        ),
        (9, retry(Reason::ServerError, None), old, Next::Park { reason: Reason::Expired }),
    ] {
        let entry = Entry { attempts, ..entry(0, "a", "x", 0) };
        assert_eq!(settle(&entry, outcome, at(now), 0.5), expected, "{outcome:?} at {now}");
    }
}

#[test]
fn an_outage_of_a_day_is_survived_and_of_three_is_not() {
    for (outage, delivered) in [(86_400, true), (GIVE_UP.as_secs() as i64 + 600, false)] {
        let (mut entry, mut now) = (entry(0, "a", "x", 0), at(0));
        let end = loop {
            let down = now < at(outage);
            let outcome = Outcome::Retry { reason: Reason::Connection, after: None };
            match settle(&entry, if down { outcome } else { Outcome::Acknowledged }, now, 0.9) {
                Next::RetryAt { at, .. } => entry.postpone(at),
                end => break end,
            }
            now = entry.not_before;
        };
        let expected = if delivered { Next::Done } else { Next::Park { reason: Reason::Expired } };
        assert_eq!(end, expected);
        assert!(entry.attempts > 100);
    }
}

#[test]
fn reasons_have_distinct_words() {
    let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), Reason::ALL.len());
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let reason = proptest::sample::select(Reason::ALL.to_vec());
    let after = proptest::option::of((0u64..100).prop_map(Duration::from_secs));
    prop_oneof![
        Just(Outcome::Acknowledged),
        (reason.clone(), after).prop_map(|(reason, after)| Outcome::Retry { reason, after }),
        reason.prop_map(|reason| Outcome::Refused { reason }),
    ]
}

proptest! {
    /// Whatever receivers answer: waiting as told always leads on, all is settled, and in order for each alarm and destination.
    #[test]
    fn all_is_settled_in_order(
        owed in prop::collection::vec((0u8..3, 0u8..3), 1..20),
        outcomes in prop::collection::vec((outcome(), 0.0f64..1.0), 0..60),
    ) {
        let mut entries: Vec<Entry> = owed
            .iter()
            .enumerate()
            .map(|(index, (alarm, to))| entry(index as u64, &alarm.to_string(), &to.to_string(), 0))
            .collect();
        let mut outcomes = outcomes.into_iter().chain(std::iter::repeat((Outcome::Acknowledged, 0.5)));
        let (mut now, mut settled) = (at(0), BTreeMap::<_, Vec<u64>>::new());
        while let Some(pause) = wait(&entries, now) {
            now = now + pause;
            let index = next_due(&entries, now).expect("something is due after the wait");
            let (outcome, random) = outcomes.next().expect("endless");
            match settle(&entries[index], outcome, now, random) {
                Next::RetryAt { at, .. } => entries[index].postpone(at),
                Next::Done | Next::Park { .. } => {
                    let entry = entries.remove(index);
                    let key = (entry.notification.alarm.clone(), entry.destination);
                    settled.entry(key).or_default().push(entry.sequence);
                }
            }
        }
        prop_assert_eq!(settled.values().map(Vec::len).sum::<usize>(), owed.len());
        prop_assert!(settled.values().all(|sequences| sequences.is_sorted()));
    }
}
