//! Order, groups, consequences and endings of deliveries, as tables and against random receivers.

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

/// Five seconds for those of one rule, four at most.
const BY_RULE: Grouping = Grouping { by: GroupBy::Rule, wait: Duration::from_secs(5), max: 4 };

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
        assert_eq!(next_group(&entries, BY_RULE, at(now)), Some(vec![0]), "a first page, at {now}");
    }
}

/// Alarm, event, second in which it became owed, attempts, second of the next attempt.
type Owed = (&'static str, Event, i64, u32, i64);

fn owed(entries: &[Owed]) -> Vec<Entry> {
    let make = |(sequence, (alarm, event, created, attempts, due)): (usize, &Owed)| Entry {
        sequence: sequence as u64,
        destination: "x".into(),
        notification: notification(alarm, *event),
        attempts: *attempts,
        not_before: at(*due),
        created: at(*created),
    };
    entries.iter().enumerate().map(make).collect()
}

#[test]
fn what_belongs_together_goes_together_once_the_first_has_waited() {
    use Event::{Firing as F, Resolved as R};
    // What goes at second 10, and in how many seconds something goes.
    type Case = (&'static str, GroupBy, &'static [Owed], Option<&'static [usize]>, u64);
    let cases: [Case; 11] = [
        ("the first waits", GroupBy::Rule, &[("a/1", F, 8, 0, 8), ("a/2", F, 9, 0, 9)], None, 3),
        ("it has waited", GroupBy::Rule, &[("a/1", F, 5, 0, 5), ("a/2", F, 10, 0, 10)], Some(&[0, 1]), 0),
        ("another rule", GroupBy::Rule, &[("a/1", F, 5, 0, 5), ("b/1", F, 5, 0, 5)], Some(&[0]), 0),
        ("all rules", GroupBy::Event, &[("a/1", F, 5, 0, 5), ("b/1", F, 9, 0, 9)], Some(&[0, 1]), 0),
        (
            "never an end with a beginning",
            GroupBy::Event,
            &[("a/1", F, 5, 0, 5), ("a/2", R, 5, 0, 5)],
            Some(&[0]),
            0,
        ),
        (
            "one of an alarm",
            GroupBy::Rule,
            &[("a/1", F, 1, 0, 1), ("a/1", F, 2, 0, 2), ("a/2", F, 3, 0, 3)],
            Some(&[0, 2]),
            0,
        ),
        (
            "an end waits for its beginning",
            GroupBy::Rule,
            &[("a/1", F, 1, 1, 60), ("a/1", R, 2, 0, 2)],
            None,
            50,
        ),
        (
            "who is put off is not taken along",
            GroupBy::Rule,
            &[("a/1", F, 1, 1, 60), ("a/2", F, 2, 0, 2)],
            Some(&[1]),
            0,
        ),
        (
            "who was tried does not wait again",
            GroupBy::Rule,
            &[("a/1", F, 9, 1, 10), ("a/2", F, 9, 0, 9)],
            Some(&[0, 1]),
            0,
        ),
        (
            "a full group does not wait, and no more go than fit",
            GroupBy::Rule,
            &[
                ("a/1", F, 10, 0, 10),
                ("a/2", F, 10, 0, 10),
                ("a/3", F, 10, 0, 10),
                ("a/4", F, 10, 0, 10),
                ("a/5", F, 10, 0, 10),
            ],
            Some(&[0, 1, 2, 3]),
            0,
        ),
        (
            "none wait where none are grouped",
            GroupBy::Nothing,
            &[("a/1", F, 5, 0, 5), ("a/2", F, 5, 0, 5)],
            Some(&[0]),
            0,
        ),
    ];
    for (what, by, entries, expected, waits) in cases {
        let (entries, grouping) = (owed(entries), Grouping { by, ..BY_RULE });
        assert_eq!(next_group(&entries, grouping, at(10)).as_deref(), expected, "{what}");
        assert_eq!(wait(&entries, grouping, at(10)), Some(seconds(waits)), "{what}");
    }
}

#[test]
fn one_answer_settles_all_and_they_are_tried_again_together() {
    let group = owed(&[
        ("a/1", Event::Firing, 0, 0, 0),
        ("a/2", Event::Firing, 0, 3, 0),
        ("a/3", Event::Firing, -(GIVE_UP.as_secs() as i64), 3, 0),
    ]);
    let group: Vec<&Entry> = group.iter().collect();
    let mut batching = Batching::new(BY_RULE);
    let reason = Reason::ServerError;
    let verdict = batching.settle(&group, Outcome::Retry { reason, after: None }, at(0), 0.5);
    let retry = Next::RetryAt { at: at(8), reason };
    assert_eq!(verdict, Verdict::Each(vec![retry, retry, Next::Park { reason: Reason::Expired }]));
    let verdict = batching.settle(&group, Outcome::Refused { reason: Reason::Gone }, at(0), 0.5);
    assert_eq!(verdict, Verdict::Each(vec![Next::Park { reason: Reason::Gone }; 3]));
    let verdict = batching.settle(&group, Outcome::Acknowledged, at(0), 0.5);
    assert_eq!(verdict, Verdict::Each(vec![Next::Done; 3]));
}

#[test]
fn one_entry_that_is_refused_takes_no_other_with_it() {
    let mut entries = owed(&[("a/0", Event::Firing, 0, 0, 0); 16]);
    for (number, entry) in entries.iter_mut().enumerate() {
        entry.notification = notification(&format!("a/{number}"), Event::Firing);
    }
    let mut batching = Batching::new(Grouping { max: 100, ..BY_RULE });
    let (mut attempts, mut parked) = (0, Vec::new());
    while let Some(positions) = next_group(&entries, batching.present(), at(10)) {
        attempts += 1;
        let group: Vec<&Entry> = positions.iter().map(|index| &entries[*index]).collect();
        let poisoned = group.iter().any(|entry| entry.sequence == 11);
        let refused = Outcome::Refused { reason: Reason::Refused };
        match batching.settle(&group, if poisoned { refused } else { Outcome::Acknowledged }, at(10), 0.0) {
            Verdict::Halve => continue,
            Verdict::Each(next) => {
                let pairs = group.iter().zip(next).filter(|(_, next)| *next != Next::Done);
                parked.extend(pairs.map(|(entry, _)| entry.sequence));
            }
        }
        entries = entries
            .into_iter()
            .enumerate()
            .filter(|(index, _)| !positions.contains(index))
            .map(|(_, entry)| entry)
            .collect();
    }
    assert_eq!(parked, [11]);
    assert!(attempts < 16, "{attempts} attempts");
    assert_eq!(batching.present().max, 100, "and the next are together again");
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

/// An hour of 500 (or of 429 that asks for five minutes) while alarms fire and end, lived through by a clock of numbers: a
/// lane as `notify/deliver/lane.rs` has it, with its pauses.
#[test]
fn an_hour_of_failures_delays_and_loses_nothing() {
    let failures = [
        (Outcome::Retry { reason: Reason::ServerError, after: None }, 60..=400),
        (Outcome::Retry { reason: Reason::Throttled, after: Some(seconds(300)) }, 12..=13),
    ];
    for (failure, attempts_expected) in failures {
        // Every 30 s one of a hundred alarms fires, and it ends ten minutes later.
        let owed = |n: i64| (n * 30, format!("a/{}", n % 100), Event::Firing);
        let mut future: Vec<_> = (0..100)
            .flat_map(|n| {
                let (born, alarm, _) = owed(n);
                [(born, alarm.clone(), Event::Firing), (born + 600, alarm, Event::Resolved)]
            })
            .collect();
        future.sort_by_key(|(born, ..)| *born);
        let mut future: Vec<Entry> = future
            .into_iter()
            .enumerate()
            .map(|(n, (born, alarm, event))| {
                Entry::new(n as u64, "x".into(), notification(&alarm, event), at(born))
            })
            .collect();
        let mut batching = Batching::new(Grouping { max: 100, ..BY_RULE });
        let (mut now, mut entries, mut told) = (at(0), Vec::<Entry>::new(), Vec::<Entry>::new());
        let (mut in_a_row, mut attempts, mut messages) = (0, 0, 0);
        while !(future.is_empty() && entries.is_empty()) {
            let born = future.iter().take_while(|entry| entry.created <= now).count();
            entries.extend(future.drain(..born));
            let Some(positions) = next_group(&entries, batching.present(), now) else {
                let next = future.first().map(|entry| entry.created.since(now));
                let pause = wait(&entries, batching.present(), now).into_iter().chain(next).min();
                now = now + pause.expect("something is owed or will be");
                continue;
            };
            let down = now < at(3600);
            let group: Vec<&Entry> = positions.iter().map(|index| &entries[*index]).collect();
            let outcome = if down { failure } else { Outcome::Acknowledged };
            let Verdict::Each(next) = batching.settle(&group, outcome, now, 0.5) else { panic!("halved") };
            for (index, next) in std::iter::zip(positions, next).rev() {
                match next {
                    Next::RetryAt { at, .. } => entries[index].postpone(at),
                    Next::Done => told.push(entries.remove(index)),
                    Next::Park { .. } => panic!("given up"),
                }
            }
            if down {
                attempts += 1;
                let Outcome::Retry { after, .. } = failure else { unreachable!() };
                now = now + BACKOFF.delay(in_a_row, 0.5, after);
                in_a_row += 1;
            } else {
                messages += 1;
            }
        }
        assert!(attempts_expected.contains(&attempts), "{attempts} attempts during the hour");
        assert_eq!(told.len(), 200);
        assert!(messages <= 20, "{messages} messages after the hour");
        let ends: Vec<_> = told.iter().filter(|entry| entry.notification.event == Event::Resolved).collect();
        assert!(ends.iter().all(|end| {
            let of = |entry: &&Entry| entry.notification.alarm == end.notification.alarm;
            told.iter().find(of).is_some_and(|first| first.notification.event == Event::Firing)
        }));
        assert!(now < at(3600 + 600), "all is told soon after");
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
