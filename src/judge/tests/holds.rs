//! Silenced alarms: judged and shown as ever, and told when the silence ends.

use super::*;
use crate::domain::hold::Hold;
use crate::domain::silence::{Matchers, Silence, Silences};

/// Everything is silenced from `starts` to `ends`.
fn silence(judge: &Judge, starts: Timestamp, ends: Timestamp) {
    let silence = Silence {
        id: "s1".into(),
        matchers: Matchers::default(),
        reason: "deployment".into(),
        author: "me".into(),
        starts,
        ends,
    };
    let mut silences = Silences::default();
    silences.silences.push(silence);
    judge.board.set_silences(silences);
}

fn held(judge: &Judge) -> Option<Hold> {
    judge.board.with_alarms(|alarms| alarms.values().next().and_then(|alarm| alarm.held.clone()))
}

#[test]
fn a_silenced_alarm_is_judged_and_shown_and_told_when_the_silence_ends() {
    let (judge, _) = judge(vec![dead_letters()]);
    silence(&judge, minute(1), minute(5));
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(1)).unwrap();
    assert_eq!(held(&judge), Some(Hold::Silence("s1".into())), "shown though nothing else changed");
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Alarm));
    assert_eq!(owed(&judge), []);
    judge.tick(minute(5)).unwrap();
    judge.tick(minute(6)).unwrap();
    let pending = judge.store.pending("ops", 9).unwrap();
    let [entry] = pending.as_slice() else { panic!("{pending:?}") };
    let notification = &entry.notification;
    assert_eq!((notification.since, notification.at), (minute(2), minute(5)));
    assert!(
        notification.reason.ends_with("held back until now by the silence `s1`."),
        "{}",
        notification.reason
    );
    assert_eq!(held(&judge), None);
}

#[test]
fn a_restart_in_the_middle_of_a_silence_loses_no_page() {
    let (before, _) = judge(vec![dead_letters()]);
    silence(&before, minute(1), minute(5));
    read(&before, "orders-dlq", minute(1), 1);
    before.tick(minute(2)).unwrap();
    let (mut after, _) = judge(vec![dead_letters()]);
    after.store = before.store.clone();
    after.board.with_alarms_mut(|alarms| *alarms = before.store.alarms().unwrap());
    silence(&after, minute(1), minute(5));
    after.tick(minute(4)).unwrap();
    assert_eq!(owed(&after), []);
    after.tick(minute(30)).unwrap();
    assert_eq!(owed(&after), [(Event::Firing, "orders-dlq".to_owned())]);
}

#[test]
fn a_queue_that_vanishes_in_a_silence_is_told_of_where_it_was_told_that_it_fires() {
    for (silenced_from, expected) in [(1, vec![]), (3, vec![Event::Firing, Event::Closed])] {
        let (judge, target) = judge(vec![dead_letters()]);
        silence(&judge, minute(silenced_from), minute(9));
        read(&judge, "orders-dlq", minute(1), 1);
        judge.tick(minute(2)).unwrap();
        discover(&judge, &target, &["orders"], minute(4));
        judge.tick(minute(4)).unwrap();
        let events: Vec<Event> = owed(&judge).into_iter().map(|(event, _)| event).collect();
        assert_eq!(events, expected, "silenced from minute {silenced_from}");
    }
}
