//! The history of alarms: written with the change, read by alarm and in order, bounded.

use super::*;
use crate::domain::alarm::Transition;

fn transition(second: i64) -> Transition {
    let (from, to) = if second % 2 == 0 { (State::Ok, State::Alarm) } else { (State::Alarm, State::Ok) };
    let reason = format!("because <b>{second}</b>");
    Transition { from, to, since: at(second - 60), at: at(second), reason, value: Some(second as f64) }
}

fn change(store: &Store, changes: &[(&str, i64)]) {
    let changes = changes.iter().map(|(rule, second)| (key(rule), transition(*second))).collect();
    store.commit(&Batch { changes, ..Batch::default() }, at(0)).unwrap();
}

/// At which seconds the alarm changed, as the store tells it.
fn seconds(store: &Store, rule: &str, limit: usize) -> Vec<i64> {
    let changes = store.changes_of(&key(rule), limit).unwrap();
    changes.iter().map(|change| change.transition.at.since(at(0)).as_secs() as i64).collect()
}

#[test]
fn each_alarm_has_its_history_and_all_have_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    {
        let store = Store::open(&path).unwrap();
        change(&store, &[("a", 1), ("b", 2), ("a", 3)]);
        change(&store, &[("a", 4)]);
    }
    let store = Store::open(&path).unwrap();
    assert_eq!(seconds(&store, "a", 9), [4, 3, 1]);
    assert_eq!(seconds(&store, "a", 2), [4, 3]);
    assert_eq!(seconds(&store, "c", 9), [0i64; 0]);
    let latest = store.latest_changes(3).unwrap();
    let expected = [("a", 4), ("a", 3), ("b", 2)];
    assert_eq!(latest.iter().map(|change| change.number).collect::<Vec<_>>(), [3, 2, 1]);
    for (found, (rule, second)) in latest.iter().zip(expected) {
        assert_eq!((&found.alarm, &found.transition), (&key(rule), &transition(second)));
    }
}

#[test]
fn one_alarm_that_flaps_pushes_out_only_its_own_history() {
    let store = Store::memory();
    change(&store, &[("quiet", 1)]);
    for second in 0..crate::store::changes::OF_ONE as i64 + 20 {
        change(&store, &[("flapping", second)]);
    }
    assert_eq!(seconds(&store, "quiet", 9), [1]);
    let kept = seconds(&store, "flapping", 9999);
    assert_eq!((kept.len(), kept[0], *kept.last().unwrap()), (500, 519, 20));
    assert_eq!(store.latest_changes(9999).unwrap().len(), 501);
}

#[test]
fn the_oldest_of_all_go_first_whatever_comes_at_once() {
    let store = Store::memory();
    store.limit(Limits { kept: 10, ..Limits::default() });
    let storm: Vec<String> = (0..25).map(|n| format!("rule-{n:02}")).collect();
    change(&store, &storm.iter().map(|rule| (&**rule, 1)).collect::<Vec<_>>());
    assert_eq!((seconds(&store, "rule-14", 9).len(), seconds(&store, "rule-15", 9).len()), (0, 1));
    change(&store, &[("late", 2)]);
    assert_eq!((seconds(&store, "rule-15", 9).len(), seconds(&store, "rule-16", 9).len()), (0, 1));
    assert_eq!(store.latest_changes(99).unwrap().len(), 10);
}

#[test]
fn what_is_too_long_ago_is_forgotten() {
    let store = Store::memory();
    store.limit(Limits { history: Duration::from_secs(60), ..Limits::default() });
    change(&store, &[("a", 0), ("b", 30), ("a", 90)]);
    assert_eq!(store.prune_changes(at(60)).unwrap(), 0);
    assert_eq!(store.prune_changes(at(61)).unwrap(), 1);
    assert_eq!(store.prune_changes(at(0)).unwrap(), 0, "a clock set back forgets nothing");
    assert_eq!((seconds(&store, "a", 9), seconds(&store, "b", 9)), (vec![90], vec![30]));
}

#[test]
fn what_was_told_of_one_alarm_is_found_by_it() {
    let store = Store::memory();
    store.limit(Limits { history: Duration::from_secs(60), ..Limits::default() });
    for n in 0..3 {
        owe(
            &store,
            vec![debt("a", Event::Firing, n, &["ops", "chat"]), debt("b", Event::Firing, n, &["ops"])],
        );
    }
    let owed = |rule| -> Vec<(String, u64)> {
        let owed = store.owed_of(&key(rule)).unwrap();
        owed.iter().map(|entry| (entry.destination.to_string(), entry.sequence)).collect()
    };
    let place = |destination: &str, sequence| (destination.to_owned(), sequence);
    assert_eq!(owed("b"), [place("ops", 2), place("ops", 5), place("ops", 8)]);
    assert_eq!(owed("a").iter().filter(|(destination, _)| destination == "chat").count(), 3);
    assert_eq!(owed("c"), []);

    for (second, entry) in (0..).zip(all(&store, "ops")) {
        store.acknowledge(&entry, at(second * 20)).unwrap();
    }
    let told = |rule| -> Vec<Timestamp> {
        store.receipts_of(&key(rule), 2).unwrap().iter().map(|receipt| receipt.at).collect()
    };
    assert_eq!((told("a"), told("b"), told("c")), (vec![at(80), at(40)], vec![at(100), at(60)], vec![]));
    assert_eq!(store.prune(at(121)).unwrap(), 4);
    assert_eq!((told("a"), told("b")), (vec![at(80)], vec![at(100)]));
    assert_eq!(owed("b"), []);
}

#[test]
fn a_file_of_the_version_before_is_brought_up_to_date() {
    use super::super::schema::{CHANGE_ORDER, CHANGES, HISTORY_BY_ALARM, META};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    {
        let store = Store::open(&path).unwrap();
        owe(&store, vec![debt("dlq", Event::Firing, 0, &["ops"])]);
        store.acknowledge(&all(&store, "ops")[0], at(1)).unwrap();
    }
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.delete_table(CHANGES).unwrap();
    transaction.delete_table(CHANGE_ORDER).unwrap();
    transaction.delete_table(HISTORY_BY_ALARM).unwrap();
    transaction.open_table(META).unwrap().insert("schema", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let store = Store::open(&path).unwrap();
    assert_eq!(store.receipts_of(&key("dlq"), 9).unwrap().len(), 1);
    change(&store, &[("dlq", 4)]);
    assert_eq!(seconds(&store, "dlq", 9), [4]);
}
