//! What the store promises: crash, restart, refusals, bounds.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::domain::alarm::{Alarm, AlarmKey, CustomId, State, Subject, Untold};
use crate::domain::counter::Snapshot;
use crate::domain::flapping::Flaps;
use crate::domain::hold::Hold;
use crate::domain::metric::Metric;
use crate::domain::notification::{Cause, Debt, Event, Notification};
use crate::domain::outbox::{Entry, Reason};
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, LowSamples, MetricRef, Published, Statistic};
use crate::domain::time::Timestamp;
use crate::notify::fixture::{at, debt, key, notification};

mod bounds;
mod changes;
pub mod faults;
mod silences;

fn owe(store: &Store, debts: Vec<Debt>) {
    store.commit(&Batch { debts, ..Batch::default() }, at(0)).unwrap();
}

fn all(store: &Store, destination: &str) -> Vec<Entry> {
    store.pending(destination, usize::MAX).unwrap()
}

/// The events that wait for `destination`, in order.
fn events(store: &Store, destination: &str) -> Vec<Event> {
    all(store, destination).iter().map(|entry| entry.notification.event).collect()
}

fn alarm(told: &[&str]) -> Alarm {
    Alarm {
        state: State::Alarm,
        since: at(0),
        ended: Some(at(-1)),
        reason: "Threshold Crossed".into(),
        value: None,
        told: told.iter().map(|name| Arc::from(*name)).collect(),
        told_at: Some(at(1)),
        firing: Some(debt("dlq", Event::Firing, 0, &[]).notification),
        told_value: Some(3.0),
        tellings: 7,
        held: None,
        untold: Some(Untold {
            event: Event::Firing,
            from: State::InsufficientData,
            by: Hold::Maintenance("nightly".into()),
        }),
        flaps: Flaps { changes: vec![at(0), at(1)], flapping: true },
    }
}

#[test]
fn what_was_committed_is_there_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let counter = Snapshot { total: 7.5, debt: 0.5, recent: vec![(Timestamp::from_secs(60), 3.0)] };
    let queue = QueueId::new("1", "eu-west-1", "orders");
    let batch = Batch {
        alarms: vec![(key("dlq"), Some(alarm(&["ops", "chat"])))],
        debts: vec![debt("dlq", Event::Firing, 0, &["ops", "chat"])],
        counters: vec![(queue.clone(), Metric::MessagesSent, Some(counter.clone()))],
        ..Batch::default()
    };
    let written = {
        let store = Store::open(&path).unwrap();
        assert_eq!(store.commit(&batch, at(5)).unwrap(), 2);
        all(&store, "ops")
    };
    let store = Store::open(&path).unwrap();
    assert_eq!(all(&store, "ops"), written);
    assert_eq!(written[0].notification, batch.debts[0].notification);
    assert_eq!((written[0].attempts, written[0].created, written[0].not_before), (0, at(5), at(5)));
    assert_eq!(store.alarms().unwrap(), [(key("dlq"), alarm(&["ops", "chat"]))].into());
    assert_eq!(store.counters().unwrap(), [((queue, Metric::MessagesSent), counter)].into());
    owe(&store, vec![debt("dlq", Event::Resolved, 9, &["ops"])]);
    let sequences: Vec<u64> = all(&store, "ops").iter().map(|entry| entry.sequence).collect();
    assert!(sequences.is_sorted() && sequences[0] != sequences[1]);
}

#[test]
fn what_was_acknowledged_is_not_handed_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    {
        let store = Store::open(&path).unwrap();
        owe(&store, vec![debt("dlq", Event::Firing, 0, &["ops", "chat"])]);
        store.acknowledge(&all(&store, "ops")[0], at(3)).unwrap();
    }
    let store = Store::open(&path).unwrap();
    assert_eq!((events(&store, "ops").len(), events(&store, "chat").len()), (0, 1));
    let receipt = &store.history(10).unwrap()[0];
    assert_eq!((&*receipt.destination, receipt.event, receipt.at), ("ops", Event::Firing, at(3)));
    assert_eq!((receipt.attempts, receipt.reason.as_deref()), (1, None));
}

#[test]
fn a_postponed_entry_keeps_its_attempts_and_its_place() {
    let store = Store::memory();
    owe(&store, vec![debt("a", Event::Firing, 0, &["ops"]), debt("b", Event::Firing, 0, &["ops"])]);
    let mut first = all(&store, "ops").remove(0);
    first.postpone(at(60));
    store.postpone(&first).unwrap();
    assert_eq!(all(&store, "ops")[0], first);
    assert_eq!(store.pending("ops", 1).unwrap().len(), 1);
    let summary = store.outbox_summary().unwrap();
    assert_eq!(summary["ops"], Owed { pending: 2, oldest: Some(at(0)), parked: 0, ..Owed::default() });
}

#[test]
fn a_commit_that_is_repeated_owes_nothing_twice() {
    let store = Store::memory();
    let batch = Batch { debts: vec![debt("dlq", Event::Firing, 0, &["ops"])], ..Batch::default() };
    assert_eq!(store.commit(&batch, at(0)).unwrap(), 1);
    assert_eq!(store.commit(&batch, at(1)).unwrap(), 0);
    assert_eq!(all(&store, "ops").len(), 1);
}

#[test]
fn removed_alarms_are_forgotten() {
    let store = Store::memory();
    let commit = |alarm| {
        let batch = Batch { alarms: vec![(key("dlq"), alarm)], ..Batch::default() };
        store.commit(&batch, at(0)).unwrap();
    };
    commit(Some(alarm(&["ops"])));
    commit(None);
    assert!(store.alarms().unwrap().is_empty());
}

/// `F` firing, `R` resolved, `P` repeated, `C` closed are committed; `+` acknowledges the oldest entry and `-` refuses it for
/// good. The result is what still waits.
#[track_caller]
fn check(script: &str, waiting: &str) {
    let store = Store::memory();
    for (step, action) in script.chars().enumerate() {
        let event = match action {
            'F' => Event::Firing,
            'R' => Event::Resolved,
            'P' => Event::Repeated,
            'C' => Event::Closed,
            '+' => {
                store.acknowledge(&all(&store, "ops")[0], at(0)).unwrap();
                continue;
            }
            _ => {
                store.park(&all(&store, "ops")[0], Reason::Refused, at(0)).unwrap();
                continue;
            }
        };
        owe(&store, vec![debt("dlq", event, step as i64, &["ops"])]);
        owe(&store, vec![debt("another", Event::Firing, step as i64, &["chat"])]);
    }
    let letter = |event: &Event| match event {
        Event::Firing => 'F',
        Event::Resolved => 'R',
        Event::Repeated => 'P',
        _ => 'C',
    };
    assert_eq!(events(&store, "ops").iter().map(letter).collect::<String>(), waiting, "{script}");
}

#[test]
fn a_resolve_goes_only_where_the_firing_was_not_refused() {
    check("F+R", "R");
    check("F-R", "");
    check("F-P", "");
    check("F-C", "");
    check("F-PR", "");
    check("FR-", "");
    check("FPR-", "");
}

#[test]
fn a_refusal_concerns_one_firing_only() {
    check("F-RF", "F");
    check("F-RFR", "FR");
    check("FRFR-", "FR");
    check("FPFR-", "FR");
    check("F-FR", "FR");
    check("F-F+R", "R");
    check("F+F-R", "R");
    check("F+F-RFR", "RFR");
}

#[test]
fn refusing_anything_else_than_a_firing_ends_nothing_more() {
    check("F+P-R", "R");
    check("F+R-F", "F");
    check("F+R-F-R", "");
}

#[test]
fn who_refused_the_firing_is_not_among_the_told_after_a_start() {
    let store = Store::memory();
    let batch = Batch {
        alarms: vec![(key("dlq"), Some(alarm(&["ops", "chat"])))],
        debts: vec![debt("dlq", Event::Firing, 0, &["ops", "chat"])],
        ..Batch::default()
    };
    store.commit(&batch, at(0)).unwrap();
    store.park(&all(&store, "ops")[0], Reason::Gone, at(1)).unwrap();
    assert_eq!(store.alarms().unwrap()[&key("dlq")].told, vec![Arc::from("chat")]);
    assert_eq!(
        store.outbox_summary().unwrap()["ops"],
        Owed { pending: 0, oldest: None, parked: 1, ..Owed::default() }
    );
}

#[test]
fn dropped_followers_leave_a_receipt() {
    let store = Store::memory();
    owe(&store, vec![debt("dlq", Event::Firing, 0, &["ops"]), debt("dlq", Event::Resolved, 1, &["ops"])]);
    store.park(&all(&store, "ops")[0], Reason::Refused, at(1)).unwrap();
    let reasons: Vec<_> =
        store.history(9).unwrap().into_iter().map(|receipt| receipt.reason.unwrap()).collect();
    assert_eq!(reasons, ["firing_refused", "refused"]);
}

#[test]
fn what_is_owed_to_a_removed_destination_is_parked_and_bounded() {
    let store = Store::memory();
    store.limit(Limits { kept: 50, ..Limits::default() });
    owe(&store, (0..55).map(|n| debt(&format!("rule-{n}"), Event::Firing, n, &["old", "new"])).collect());
    while store.park_all("old", 30, Reason::UnknownDestination, at(0)).unwrap() > 0 {}
    assert_eq!((store.trim_parked().unwrap(), store.prune(at(0)).unwrap()), (5, 5));
    assert_eq!((store.trim_parked().unwrap(), store.prune(at(0)).unwrap()), (0, 0));
    let summary = store.outbox_summary().unwrap();
    assert_eq!((summary["old"].pending, summary["old"].parked, summary["new"].pending), (0, 50, 55));
    assert_eq!(store.history(99).unwrap().len(), 50);
}

#[test]
fn a_record_that_does_not_say_what_few_samples_do_evaluates_them() {
    let mut firing = debt("dlq", Event::Firing, 0, &[]).notification;
    let Cause::Metric(condition) = &mut Arc::make_mut(&mut firing).cause else { panic!("a metric alarm") };
    condition.low_samples = LowSamples::Ignore;
    let stored = serde_json::to_value(record::NotificationRecord::from(&*firing)).unwrap();
    let read = |stored: serde_json::Value| {
        let record: record::NotificationRecord = serde_json::from_value(stored).unwrap();
        Notification::try_from(record).unwrap()
    };
    assert_eq!(read(stored.clone()), *firing);
    let mut older = stored;
    older["condition"].as_object_mut().unwrap().remove("low_samples").unwrap();
    let Cause::Metric(condition) = read(older).cause else { panic!("a metric alarm") };
    assert_eq!(condition.low_samples, LowSamples::Evaluate);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z-]{1,8}", any::<String>()]
}

#[test]
fn where_a_custom_metric_is_and_when_a_firing_began_come_back() {
    let mut firing = notification("jobs", Event::Resolved, 60);
    firing.fired_at = Some(at(0));
    let published = Published {
        namespace: "Shop".into(),
        metric: "Failed".into(),
        dimensions: [("Service".to_owned(), "orders".to_owned())].into(),
    };
    let jobs = Condition::new(MetricRef::Custom("jobs".into()), Statistic::Sum, Comparison::GreaterThan, 1.0);
    firing.cause = Cause::Metric(Condition { published: Some(Arc::new(published)), ..jobs });
    let (key, alarm) = (key("jobs"), Alarm { firing: Some(Arc::new(firing)), ..alarm(&["ops"]) });
    let store = Store::memory();
    let batch = Batch { alarms: vec![(key.clone(), Some(alarm.clone()))], ..Batch::default() };
    store.commit(&batch, at(0)).unwrap();
    assert_eq!(store.alarms().unwrap(), [(key, alarm)].into());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn alarms_of_any_name_come_back(
        rule in text(), account in text(), region in text(), name in text(), custom: bool, reason in text(), millis: i64,
    ) {
        let (account, region, name) = (account.into(), region.into(), name.into());
        let subject = match custom {
            true => Subject::Custom(CustomId { account, region, name }),
            false => Subject::Queue(QueueId { account, region, name }),
        };
        let key = AlarmKey { rule: rule.into(), subject };
        let alarm = Alarm { reason, since: Timestamp::from_millis(millis), ..alarm(&["ops"]) };
        let store = Store::memory();
        let batch = Batch { alarms: vec![(key.clone(), Some(alarm.clone()))], ..Batch::default() };
        store.commit(&batch, at(0)).unwrap();
        prop_assert_eq!(store.alarms().unwrap(), [(key, alarm)].into());
    }
}
