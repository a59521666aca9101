//! The shop's promises: a history, something noteworthy soon, the same way twice.

use super::*;
use crate::simulator::metrics::{SeriesKey, Statistic, Window};

const START: Millis = 1_767_323_045_000;
const LATENESS: Lateness = Lateness { delay: Duration::from_secs(60), revised: false };

fn home() -> Scope {
    Scope { account: "123456789012".into(), region: "us-east-1".into() }
}

fn opened() -> (Cloud, Living) {
    let mut cloud = Cloud::new(1);
    let living = Living::open(&mut cloud, &home(), 1, LATENESS, START);
    (cloud, living)
}

/// Lives on for `seconds`, ten steps each, and calls `look` after each of them.
fn live(cloud: &mut Cloud, living: &mut Living, seconds: i64, mut look: impl FnMut(&mut Cloud, Millis)) {
    for step in 1..=seconds * 10 {
        let now = START + step * 100;
        living.step(cloud, 0.1, now);
        look(cloud, now);
    }
}

#[test]
fn an_hour_of_history_is_there_for_every_worked_queue() {
    let (mut cloud, _) = opened();
    let names: Vec<String> = cloud.realm(&home()).queues.keys().cloned().collect();
    assert!(names.len() >= 12, "{names:?}");
    let window = Window { start: START / 1_000 - 3_600, end: START / 1_000, period: 60 };
    for name in &names {
        for metric in
            ["ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent", "ApproximateAgeOfOldestMessage"]
        {
            let key = SeriesKey::of_queue(name, metric);
            let minutes = cloud.realm(&home()).metrics.window(&key, window, START).len();
            assert!(minutes >= 57, "{name} {metric}: {minutes} minutes");
        }
    }
    let key = SeriesKey::new(
        "Shop/Workers",
        "ProcessingLatency",
        &[("Environment", "prod"), ("Service", "checkout")],
    );
    let latency = cloud.realm(&home()).metrics.window(&key, window, START);
    assert!(latency.iter().any(|(_, set)| set.get(Statistic::Percentile(99.0)).is_some()));
}

#[test]
fn within_two_minutes_letters_die_consumers_stall_and_all_recovers() {
    let (mut cloud, mut living) = opened();
    let (mut dead, mut cleared, mut backlog, mut worked_off, mut in_flight) = (0, false, 0, false, 0);
    live(&mut cloud, &mut living, 140, |cloud, now| {
        let mut counts = |name| cloud.queue(&home(), name).unwrap().counts(now);
        let letters = counts("orders-dlq").visible;
        cleared |= dead > 0 && letters == 0;
        dead = dead.max(letters);
        let emails = counts("emails").visible;
        worked_off |= backlog > 100 && emails < 10;
        backlog = backlog.max(emails);
        in_flight = in_flight.max(counts("inventory-sync").in_flight);
    });
    assert!(dead >= 3 && cleared, "{dead} dead letters, cleared: {cleared}");
    assert!(backlog > 100 && worked_off, "backlog of {backlog} emails, worked off: {worked_off}");
    assert!(in_flight > 50, "{in_flight} in flight");
    let idle = cloud.queue(&home(), "legacy-reports").unwrap().counts(START);
    assert_eq!(idle.visible + idle.in_flight, 0);
}

#[test]
fn consumers_keep_up_in_the_long_run() {
    let (mut cloud, _) = opened();
    for (name, queue) in &mut cloud.realm(&home()).queues {
        let visible = queue.counts(START).visible;
        assert!(visible < 100, "{name}: {visible} after an hour");
    }
}

#[test]
fn one_seed_lives_one_life() {
    let state = || {
        let (mut cloud, mut living) = opened();
        live(&mut cloud, &mut living, 5, |_, _| {});
        let realm = cloud.realm(&home());
        let counts = |(name, queue): (&String, &mut crate::simulator::queue::Queue)| {
            format!("{name} {:?}", queue.counts(START + 5_000))
        };
        realm.queues.iter_mut().map(counts).collect::<Vec<_>>()
    };
    assert_eq!(state(), state());
}
