//! The bound of the outbox, the history, and what a person does to what was given up.

use super::*;

fn bounded(max_pending: u64) -> Store {
    let store = Store::memory();
    store.limit(Limits { max_pending, ..Limits::default() });
    store
}

/// Reason and event of each parked entry.
fn parked(store: &Store) -> Vec<(String, Event)> {
    let parked = store.parked(&Wanted { limit: 99, ..Wanted::default() }).unwrap();
    parked.into_iter().map(|kept| (kept.parked.unwrap().0, kept.entry.notification.event)).collect()
}

#[test]
fn over_the_bound_reminders_go_first_and_then_what_is_new_is_parked() {
    let store = bounded(3);
    owe(&store, vec![debt("a", Event::Firing, 0, &["ops", "chat"])]);
    owe(&store, vec![debt("a", Event::Repeated, 1, &["ops"]), debt("a", Event::Increased, 2, &["ops"])]);
    assert_eq!(events(&store, "ops").len(), 3);
    owe(&store, vec![debt("a", Event::Repeated, 3, &["ops"])]);
    assert_eq!(store.overflow()["ops"], Overflow { dropped: 1, parked: 0 }, "one more reminder does not fit");

    owe(&store, vec![debt("b", Event::Firing, 4, &["ops"]), debt("c", Event::Firing, 5, &["ops"])]);
    assert_eq!(events(&store, "ops"), [Event::Firing; 3], "those that waited made room");
    owe(&store, vec![debt("d", Event::Firing, 6, &["ops", "chat"]), debt("a", Event::Resolved, 7, &["ops"])]);
    assert_eq!(store.overflow()["ops"], Overflow { dropped: 3, parked: 2 });
    let overflow = |event| ("overflow".to_owned(), event);
    assert_eq!(parked(&store), [overflow(Event::Firing), overflow(Event::Resolved)]);
    assert_eq!(events(&store, "chat").len(), 2, "another destination has its own room");
    assert_eq!(store.outbox_summary().unwrap()["ops"].overflow, Overflow { dropped: 3, parked: 2 });

    let given_up = store.history(99).unwrap();
    assert_eq!(given_up.len(), 5, "nothing ends without a receipt");
    assert!(given_up.iter().all(|receipt| receipt.reason.as_deref() == Some("overflow")));
}

#[test]
fn the_latest_receipts_are_kept_for_a_while() {
    let store = Store::memory();
    store.limit(Limits { history: Duration::from_secs(60), ..Limits::default() });
    for (n, seconds) in [(0, 0), (1, 30), (2, 90)] {
        owe(&store, vec![debt("dlq", Event::Firing, n, &["ops"])]);
        let mut entry = all(&store, "ops").remove(0);
        entry.hear("HTTP 202 Accepted\nhint: none");
        store.acknowledge(&entry, at(seconds)).unwrap();
    }
    assert_eq!(store.prune(at(60)).unwrap(), 0);
    assert_eq!(store.prune(at(61)).unwrap(), 1);
    assert_eq!(store.prune(at(0)).unwrap(), 0, "a clock set back forgets nothing");
    let receipts = store.history(9).unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt.at).collect::<Vec<_>>(), [at(90), at(30)]);
    assert_eq!(receipts[0].answer.as_deref(), Some("HTTP 202 Accepted hint: none"));
    assert_eq!(receipts[0].owed_at, Some(at(0)));
}

#[test]
fn receipts_and_entries_are_found_page_by_page() {
    let store = Store::memory();
    for n in 0..9 {
        owe(&store, vec![debt(["a", "b"][n as usize % 2], Event::Firing, n, &["ops", "chat"])]);
    }
    let wanted = |after, alarm: Option<&str>, destination: Option<&str>| Wanted {
        after,
        alarm: alarm.map(str::to_owned),
        destination: destination.map(str::to_owned),
        limit: 4,
    };
    let page = |wanted: &Wanted| -> Vec<u64> {
        store.waiting(wanted).unwrap().iter().map(|kept| kept.entry.sequence).collect()
    };
    assert_eq!(page(&wanted(None, None, None)), [0, 1, 2, 3]);
    assert_eq!(page(&wanted(Some(3), None, None)), [4, 5, 6, 7]);
    assert_eq!(page(&wanted(Some(11), None, Some("chat"))), [13, 15, 17]);
    assert_eq!(page(&wanted(None, Some("b"), Some("ops"))), [2, 6, 10, 14]);

    all(&store, "ops").iter().for_each(|entry| store.acknowledge(entry, at(1)).unwrap());
    let receipts = |wanted: &Wanted| -> Vec<u64> {
        store.receipts(wanted, |_| true).unwrap().iter().map(|receipt| receipt.number).collect()
    };
    assert_eq!(receipts(&wanted(None, None, None)), [8, 7, 6, 5]);
    assert_eq!(receipts(&wanted(Some(5), Some("a"), Some("ops"))), [4, 2, 0]);
    assert_eq!(receipts(&wanted(None, None, Some("chat"))), [0u64; 0]);
}

/// Parks a firing of `dlq` at `ops` that is remembered as fired at `fired`, or not at all; returns its number.
fn refused(store: &Store, fired: Option<i64>) -> u64 {
    let alarm = fired.map(|seconds| Alarm {
        firing: Some(debt("dlq", Event::Firing, seconds, &[]).notification),
        ..alarm(&["chat"])
    });
    let debts = vec![debt("dlq", Event::Firing, 0, &["ops"])];
    let batch = Batch { alarms: vec![(key("dlq"), alarm)], debts, ..Batch::default() };
    store.commit(&batch, at(0)).unwrap();
    let entry = all(store, "ops").remove(0);
    store.park(&entry, Reason::Refused, at(1)).unwrap();
    entry.sequence
}

#[test]
fn a_firing_that_lasts_can_be_sent_again_and_its_end_follows() {
    for number in [true, false] {
        let store = Store::memory();
        let sequence = refused(&store, Some(0));
        assert_eq!(store.resend("chat", None, at(5)).unwrap(), Resent::default());
        let resent = store.resend("ops", number.then_some(sequence), at(5)).unwrap();
        assert_eq!((resent.resent, resent.outdated, resent.told), (1, 0, vec![key("dlq")]));
        assert!(parked(&store).is_empty());
        let entry = all(&store, "ops").remove(0);
        assert_eq!((entry.attempts, entry.created), (0, at(5)));
        assert!(entry.sequence > sequence);
        assert_eq!(
            entry.notification,
            debt("dlq", Event::Firing, 0, &[]).notification,
            "the same, with its id"
        );
        let told = &store.alarms().unwrap()[&key("dlq")].told;
        assert!(told.contains(&Arc::from("ops")) && told.contains(&Arc::from("chat")), "{told:?}");
        owe(&store, vec![debt("dlq", Event::Resolved, 9, &["ops"])]);
        assert_eq!(events(&store, "ops"), [Event::Firing, Event::Resolved]);
    }
}

#[test]
fn a_firing_that_is_over_is_not_sent_again() {
    for fired in [None, Some(60)] {
        let store = Store::memory();
        let sequence = refused(&store, fired);
        let resent = store.resend("ops", Some(sequence), at(5)).unwrap();
        assert_eq!((resent.resent, resent.outdated), (0, 1), "{fired:?}");
        assert_eq!((parked(&store).len(), events(&store, "ops").len()), (1, 0));
    }
}

#[test]
fn an_end_is_sent_again_unless_the_alarm_fires_anew() {
    for (fires, resent) in [(false, 1), (true, 0)] {
        let store = Store::memory();
        owe(&store, vec![debt("dlq", Event::Resolved, 0, &["ops"])]);
        let entry = all(&store, "ops").remove(0);
        store.park(&entry, Reason::Expired, at(1)).unwrap();
        let alarm = fires.then(|| alarm(&["ops"]));
        let batch = Batch { alarms: vec![(key("dlq"), alarm)], ..Batch::default() };
        store.commit(&batch, at(2)).unwrap();
        assert_eq!(store.resend("ops", None, at(5)).unwrap().resent, resent);
    }
}

#[test]
fn what_is_dropped_by_hand_leaves_a_receipt() {
    let store = Store::memory();
    let sequence = refused(&store, None);
    assert_eq!(store.drop_parked("ops", Some(sequence + 1), at(2)).unwrap(), 0);
    assert_eq!(store.drop_parked("ops", Some(sequence), at(2)).unwrap(), 1);
    assert_eq!(store.drop_parked("ops", None, at(2)).unwrap(), 0);
    assert!(parked(&store).is_empty());
    assert_eq!(store.history(1).unwrap()[0].reason.as_deref(), Some("dropped"));
}
