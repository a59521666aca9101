//! Order, consequences and endings of deliveries, as tables and against random receivers.

mod groups;

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

/// What is told of `alarm`, which is a rule and, behind a slash, a queue.
fn notification(alarm: &str, event: Event) -> Arc<Notification> {
    let (rule, queue) = alarm.split_once('/').unwrap_or((alarm, "orders"));
    Arc::new(Notification {
        id: String::new(),
        event,
        alarm: AlarmKey { rule: rule.into(), subject: Subject::Queue(QueueId::new("1", "eu", queue)) },
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
    let notification = notification(alarm, Event::Firing);
    Entry { not_before: at(due), ..Entry::new(sequence, destination.into(), notification, at(0)) }
}

/// The entry that goes first when each is a message of its own.
fn next_due(entries: &[Entry], now: Timestamp) -> Option<usize> {
    let group = next_group(entries, Grouping::NONE, now)?;
    assert_eq!(group.len(), 1);
    Some(group[0])
}

/// What follows from an attempt at one entry.
fn settle(entry: &Entry, outcome: Outcome, now: Timestamp, random: f64) -> Next {
    match Batching::new(Grouping::NONE).settle(&[entry], outcome, now, random) {
        Verdict::Each(next) if next.len() == 1 => next[0],
        other => panic!("{other:?}"),
    }
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
        assert_eq!(wait(&entries, Grouping::NONE, at(10)), waits.map(seconds), "{what}");
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
    let mut entries = [entry(0, "a", "x", 86_400)];
    assert_eq!(next_due(&entries, at(0)), Some(0));
    assert_eq!(wait(&entries, Grouping::NONE, at(0)), Some(Duration::ZERO));
    assert_eq!(next_due(&entries, at(86_400 - 3000)), None);
    entries[0].created = at(86_400);
    for now in [0, 86_400 - 3000, 86_400 - 1] {
        assert_eq!(next_group(&entries, groups::BY_RULE, at(now)), Some(vec![0]), "a first page, at {now}");
    }
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

fn grouping() -> impl Strategy<Value = Grouping> {
    let by = proptest::sample::select(vec![GroupBy::Nothing, GroupBy::Rule, GroupBy::Event]);
    (by, 0u64..10, 1usize..6).prop_map(|(by, wait, max)| Grouping { by, wait: seconds(wait), max })
}

/// Whether `group` may be one message.
fn belongs_together(group: &[&Entry], grouping: Grouping) -> bool {
    let first = group[0];
    let alarms: BTreeSet<&AlarmKey> = group.iter().map(|entry| &entry.notification.alarm).collect();
    let same = group.iter().all(|entry| {
        entry.destination == first.destination
            && entry.notification.event == first.notification.event
            && (grouping.by == GroupBy::Event
                || entry.notification.alarm.rule == first.notification.alarm.rule)
    });
    let most = if grouping.by == GroupBy::Nothing { 1 } else { grouping.max };
    group.len() <= most && alarms.len() == group.len() && same
}

proptest! {
    /// Whatever receivers answer: waiting as told always leads on, all is settled, in order for each alarm and
    /// destination, no message mixes what does not belong together, and nothing that was never tried waits longer than
    /// it may.
    #[test]
    fn all_is_settled_in_order(
        grouping in grouping(),
        owed in prop::collection::vec((0u8..2, 0u8..3, 0u8..2, proptest::sample::select(Event::ALL.to_vec()), 0i64..20), 1..20),
        outcomes in prop::collection::vec((outcome(), 0.0f64..1.0), 0..60),
    ) {
        let mut born: Vec<i64> = owed.iter().map(|(.., born)| *born).collect();
        born.sort_unstable();
        let mut future: Vec<Entry> = std::iter::zip(&owed, born)
            .enumerate()
            .map(|(index, ((rule, queue, to, event, _), born))| {
                let notification = notification(&format!("{rule}/{queue}"), *event);
                Entry::new(index as u64, to.to_string().into(), notification, at(born))
            })
            .collect();
        let mut outcomes = outcomes.into_iter().chain(std::iter::repeat((Outcome::Acknowledged, 0.5)));
        let (mut now, mut entries, mut settled) = (at(0), Vec::<Entry>::new(), BTreeMap::<_, Vec<u64>>::new());
        let mut batching = Batching::new(grouping);
        loop {
            let born = future.iter().take_while(|entry| entry.created <= now).count();
            entries.extend(future.drain(..born));
            let present = batching.present();
            let positions = match (next_group(&entries, present, now), wait(&entries, present, now)) {
                (Some(positions), Some(Duration::ZERO)) => positions,
                (None, pause) => {
                    let next = future.first().map(|entry| entry.created.since(now));
                    let Some(pause) = pause.into_iter().chain(next).min() else { break };
                    prop_assert!(pause > Duration::ZERO, "nothing is due, and no wait is told");
                    now = now + pause;
                    continue;
                }
                other => panic!("{other:?}"),
            };
            let group: Vec<&Entry> = positions.iter().map(|index| &entries[*index]).collect();
            prop_assert!(belongs_together(&group, present), "{group:?}");
            let (outcome, random) = outcomes.next().expect("endless");
            let Verdict::Each(next) = batching.settle(&group, outcome, now, random) else { continue };
            prop_assert_eq!(next.len(), positions.len());
            for (index, next) in std::iter::zip(positions, next).rev() {
                if let Next::RetryAt { at, .. } = next {
                    entries[index].postpone(at);
                } else {
                    let entry = entries.remove(index);
                    settled.entry((entry.notification.alarm.clone(), entry.destination)).or_default().push(entry.sequence);
                }
            }
        }
        prop_assert_eq!(settled.values().map(Vec::len).sum::<usize>(), owed.len());
        prop_assert!(settled.values().all(|sequences| sequences.is_sorted()));
    }

    /// An entry whose turn it is never waits longer for others than it may.
    #[test]
    fn no_first_page_is_held_longer_than_the_wait(
        grouping in grouping(),
        owed in prop::collection::vec((0u8..3, 0u8..9, 0i64..20), 1..20),
        now in 0i64..40,
    ) {
        let entries: Vec<Entry> = owed
            .iter()
            .enumerate()
            .map(|(index, (rule, queue, born))| {
                let notification = notification(&format!("{rule}/{queue}"), Event::Firing);
                Entry::new(index as u64, "x".into(), notification, at(*born))
            })
            .collect();
        let pause = wait(&entries, grouping, at(now)).expect("something is owed");
        prop_assert!(pause <= grouping.wait, "{pause:?}");
        let over = entries.iter().any(|entry| at(now).since(entry.created) >= grouping.wait);
        prop_assert!(!over || pause.is_zero() || heads(&entries).all(|(_, head)| at(now).since(head.created) < grouping.wait));
    }
}
