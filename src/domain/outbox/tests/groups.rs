//! What goes together, what one answer means for all of it, and an hour of failures.

use super::*;

/// Five seconds for those of one rule, four at most.
pub const BY_RULE: Grouping = Grouping { by: GroupBy::Rule, wait: Duration::from_secs(5), max: 4 };

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
        give_up: GIVE_UP,
        answer: None,
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
