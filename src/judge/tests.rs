//! The judge over a real board and a store in memory, minute by minute.

mod changes;
mod clock;
mod composites;
mod early;
mod holds;
mod telling;

use std::collections::BTreeMap;

use super::*;
use crate::board::{Target, Window};
use crate::domain::alarm::{Alarm, AlarmKey, CustomId, State, Subject};
use crate::domain::math::{Input, Math};
use crate::domain::metric::Metric;
use crate::domain::notification::Event;
use crate::domain::queue::{Depth, Queue, QueueId, RedrivePolicy, Settings};
use crate::domain::rule::{
    Comparison, Condition, MetricRef, MissingData, RoleSelector, Rule, Severity, Statistic, Trigger,
};
use crate::domain::series::StatisticSet;
use crate::domain::time::MINUTE;

fn minute(n: i64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + n * 60)
}

fn queue_id(name: &str) -> QueueId {
    QueueId::new("123456789012", "eu-west-1", name)
}

fn rule(
    name: &str,
    metric: Metric,
    statistic: Statistic,
    minutes: u32,
    n: u32,
    comparison: Comparison,
    threshold: f64,
) -> Rule {
    let condition = Condition {
        period: MINUTE * minutes,
        evaluation_periods: n,
        datapoints_to_alarm: n,
        evaluation_range: n + 2,
        ..Condition::new(MetricRef::Queue(metric), statistic, comparison, threshold)
    };
    Rule { severity: Severity::Critical, notify: vec!["ops".into()], ..Rule::on(name, condition) }
}

fn dead_letters() -> Rule {
    let mut rule = rule(
        "dead-letters",
        Metric::MessagesVisible,
        Statistic::Sum,
        1,
        1,
        Comparison::GreaterThanOrEqual,
        1.0,
    );
    rule.selector.role = Some(RoleSelector::DeadLetter);
    rule
}

/// A judge over `orders` (whose dead letters go to `orders-dlq`), discovered and read once in minute 0.
fn judge(rules: Vec<Rule>) -> (Judge, Arc<Target>) {
    let board = Arc::new(Board::default());
    board.configure(rules, Duration::from_secs(15));
    let judge = Judge {
        board,
        store: Store::memory(),
        telemetry: Telemetry::new(),
        owed: Arc::default(),
        said: Said::default(),
    };
    let target = Arc::new(Target { region: "eu-west-1".into(), role_arn: None });
    discover(&judge, &target, &["orders", "orders-dlq"], minute(0));
    for name in ["orders", "orders-dlq"] {
        let redrive = (name == "orders")
            .then(|| RedrivePolicy { dead_letter_queue: queue_id("orders-dlq"), max_receive_count: 3 });
        let settings = Settings { redrive, retention_seconds: Some(345_600), ..Settings::default() };
        judge.board.read_attributes(&queue_id(name), minute(0), depth(0), Some(settings));
    }
    (judge, target)
}

fn discover(judge: &Judge, target: &Arc<Target>, names: &[&str], at: Timestamp) {
    let found = names.iter().map(|name| Queue::new(queue_id(name), format!("http://sqs/{name}"))).collect();
    judge.board.discovered(target, found);
    judge.board.update_target(target, |health| health.note_discovery(at));
}

fn depth(visible: u64) -> Depth {
    Depth { visible: Some(visible), in_flight: Some(0), delayed: Some(0) }
}

fn read(judge: &Judge, name: &str, at: Timestamp, visible: u64) {
    judge.board.read_attributes(&queue_id(name), at, depth(visible), None);
}

fn state(judge: &Judge, rule: &str, queue: &str) -> Option<State> {
    let key = AlarmKey { rule: rule.into(), subject: Subject::Queue(queue_id(queue)) };
    judge.board.with_alarms(|alarms| alarms.get(&key).map(|alarm| alarm.state))
}

fn owed(judge: &Judge) -> Vec<(Event, String)> {
    let pending = judge.store.pending("ops", 100).unwrap();
    pending
        .iter()
        .map(|entry| (entry.notification.event, entry.notification.alarm.subject.name().to_string()))
        .collect()
}

#[test]
fn a_dead_letter_pages_when_its_minute_closes_and_resolves_when_it_is_gone() {
    let (judge, _) = judge(vec![dead_letters()]);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(1)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Ok));
    assert_eq!(state(&judge, "dead-letters", "orders"), None, "not a dead-letter queue");
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Alarm));
    read(&judge, "orders-dlq", minute(2), 0);
    judge.tick(minute(3)).unwrap();
    judge.tick(minute(3)).unwrap();
    let queue = || "orders-dlq".to_owned();
    assert_eq!(owed(&judge), [(Event::Firing, queue()), (Event::Resolved, queue())]);
}

#[test]
fn every_change_of_state_is_on_record_with_its_reason() {
    let (judge, _) = judge(vec![dead_letters()]);
    for (n, letters) in [(1, 1), (2, 1), (3, 0)] {
        read(&judge, "orders-dlq", minute(n), letters);
        judge.tick(minute(n + 1)).unwrap();
    }
    let key = AlarmKey { rule: "dead-letters".into(), subject: Subject::Queue(queue_id("orders-dlq")) };
    let changes = judge.store.changes_of(&key, 9).unwrap();
    let states: Vec<_> =
        changes.iter().map(|change| (change.transition.from, change.transition.to)).collect();
    assert_eq!(states, [(State::Alarm, State::Ok), (State::InsufficientData, State::Alarm)], "newest first");
    assert!(changes[1].transition.reason.starts_with("Threshold Crossed"), "{changes:?}");
}

#[test]
fn backlog_needs_two_full_averages() {
    let average = Statistic::Average;
    let (judge, _) =
        judge(vec![rule("backlog", Metric::MessagesVisible, average, 5, 2, Comparison::GreaterThan, 1000.0)]);
    for n in 0..10 {
        read(&judge, "orders", minute(n), 2000);
        judge.tick(minute(n)).unwrap();
        assert_ne!(state(&judge, "backlog", "orders"), Some(State::Alarm), "minute {n}");
    }
    judge.tick(minute(10)).unwrap();
    assert_eq!(state(&judge, "backlog", "orders"), Some(State::Alarm));
}

#[test]
fn age_is_judged_from_cloudwatch_over_settled_minutes() {
    let (judge, _) = judge(vec![rule(
        "too-old",
        Metric::OldestMessageAge,
        Statistic::Maximum,
        1,
        5,
        Comparison::GreaterThan,
        300.0,
    )]);
    let aged = |from: i64, ages: &[f64]| Window {
        from: minute(from),
        until: minute(from + ages.len() as i64),
        settled: minute(from),
        datapoints: ages.iter().zip(from..).map(|(age, n)| (minute(n), StatisticSet::single(*age))).collect(),
    };
    let id = queue_id("orders");
    judge.board.read_cloudwatch(
        &id,
        minute(6),
        Metric::OldestMessageAge,
        &aged(0, &[310.0, 370.0, 430.0, 490.0]),
    );
    judge.tick(minute(6)).unwrap();
    assert_eq!(state(&judge, "too-old", "orders"), Some(State::InsufficientData));
    judge.board.read_cloudwatch(&id, minute(7), Metric::OldestMessageAge, &aged(4, &[550.0]));
    judge.tick(minute(7)).unwrap();
    assert_eq!(state(&judge, "too-old", "orders"), Some(State::Alarm));
    assert_eq!(owed(&judge).len(), 1);
}

#[test]
fn a_restart_neither_raises_nor_resolves() {
    let (before, _) = judge(vec![dead_letters()]);
    read(&before, "orders-dlq", minute(1), 1);
    before.tick(minute(2)).unwrap();
    let remembered = before.store.alarms().unwrap();
    let (mut after, _) = judge(vec![dead_letters()]);
    after.store = before.store.clone();
    after.board.with_alarms_mut(|alarms| *alarms = remembered);
    after.tick(minute(30)).unwrap();
    assert_eq!(state(&after, "dead-letters", "orders-dlq"), Some(State::Alarm));
    assert_eq!(owed(&after).len(), 1, "only the firing of before");
}

#[test]
fn the_alarm_of_a_deleted_queue_is_closed_and_those_told_are_told() {
    let (judge, target) = judge(vec![dead_letters()]);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    discover(&judge, &target, &["orders"], minute(3));
    judge.tick(minute(3)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), None);
    assert_eq!(owed(&judge).last().map(|(event, _)| *event), Some(Event::Closed));
    assert!(judge.store.alarms().unwrap().is_empty());
}

#[test]
fn the_alarm_of_a_removed_rule_is_closed_from_what_was_told() {
    let (judge, _) = judge(vec![dead_letters()]);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    judge.board.configure(Vec::new(), Duration::from_secs(15));
    judge.tick(minute(3)).unwrap();
    assert_eq!(owed(&judge).last().map(|(event, _)| *event), Some(Event::Closed));
}

#[test]
fn before_everything_was_listed_nothing_is_closed() {
    let (before, _) = judge(vec![dead_letters()]);
    read(&before, "orders-dlq", minute(1), 1);
    before.tick(minute(2)).unwrap();
    let board = Arc::new(Board::default());
    board.configure(vec![dead_letters()], Duration::from_secs(15));
    board.with_alarms_mut(|alarms| *alarms = before.store.alarms().unwrap());
    let after = Judge { board, ..before.clone() };
    after.tick(minute(3)).unwrap();
    assert_eq!(state(&after, "dead-letters", "orders-dlq"), Some(State::Alarm));
}

#[test]
fn what_a_queue_is_not_is_only_judged_once_the_topology_is_known() {
    let mut waiting =
        rule("waiting", Metric::MessagesVisible, Statistic::Maximum, 1, 1, Comparison::GreaterThan, 0.0);
    waiting.selector.role = Some(RoleSelector::NotDeadLetter);
    let (judge, target) = judge(vec![waiting]);
    discover(&judge, &target, &["orders", "orders-dlq", "late"], minute(1));
    read(&judge, "orders", minute(1), 5);
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "waiting", "orders"), None, "`late` has not told its settings");
    judge.tick(minute(10)).unwrap();
    assert!(state(&judge, "waiting", "orders").is_some(), "patience is over");
}

#[test]
fn it_is_told_again_while_it_lasts_and_only_when_due() {
    let (judge, _) = judge(vec![Rule { repeat: Some(MINUTE * 3), ..dead_letters() }]);
    for n in 1..=8 {
        read(&judge, "orders-dlq", minute(n), 1);
        judge.tick(minute(n)).unwrap();
    }
    let events: Vec<Event> = owed(&judge).into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, [Event::Firing, Event::Repeated, Event::Repeated]);
}

/// In ALARM since minute 2.
fn firing(rules: Vec<Rule>) -> (Judge, Arc<Target>) {
    let (judge, target) = judge(rules);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Alarm));
    (judge, target)
}

#[test]
fn an_alarm_stays_and_is_judged_while_the_source_of_its_queue_may_not_be_read() {
    let (judge, target) = firing(vec![dead_letters()]);
    judge.board.update_target(&target, |health| {
        health.skipped.insert("orders".into(), crate::board::Skip::Denied);
    });
    judge.board.forget(&queue_id("orders"));
    judge.tick(minute(3)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Alarm));
    read(&judge, "orders-dlq", minute(3), 0);
    judge.tick(minute(4)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Ok), "it is judged all the same");
}

#[test]
fn an_alarm_stays_when_its_source_has_not_told_its_settings_in_time() {
    let (before, _) = firing(vec![dead_letters()]);
    let board = Arc::new(Board::default());
    board.configure(vec![dead_letters()], Duration::from_secs(15));
    board.with_alarms_mut(|alarms| *alarms = before.store.alarms().unwrap());
    let after = Judge { board, ..before.clone() };
    let target = Arc::new(Target { region: "eu-west-1".into(), role_arn: None });
    discover(&after, &target, &["orders", "orders-dlq"], minute(10));
    after.tick(minute(60)).unwrap();
    assert_eq!(state(&after, "dead-letters", "orders-dlq"), Some(State::Alarm));
    let settings = Some(Settings::default());
    for name in ["orders", "orders-dlq"] {
        after.board.read_attributes(&queue_id(name), minute(60), depth(1), settings.clone());
    }
    after.tick(minute(61)).unwrap();
    assert_eq!(state(&after, "dead-letters", "orders-dlq"), None, "it is no dead-letter queue any more");
}

#[test]
fn an_alarm_that_selects_by_tags_stays_until_they_are_read() {
    let mut tagged = dead_letters();
    tagged.selector.tags = [("team".to_owned(), "red".to_owned())].into();
    let (before, target) = judge(vec![tagged.clone()]);
    let found = |tags: Option<BTreeMap<String, String>>| {
        let queue = |name: &str| Queue::new(queue_id(name), format!("http://sqs/{name}"));
        vec![queue("orders"), Queue { tags, ..queue("orders-dlq") }]
    };
    before.board.discovered(&target, found(Some([("team".to_owned(), "red".to_owned())].into())));
    read(&before, "orders-dlq", minute(1), 1);
    before.tick(minute(2)).unwrap();
    assert_eq!(state(&before, "dead-letters", "orders-dlq"), Some(State::Alarm));
    let remembered = before.store.alarms().unwrap();
    let (mut after, target) = judge(vec![tagged]);
    after.store = before.store.clone();
    after.board.with_alarms_mut(|alarms| *alarms = remembered);
    after.tick(minute(3)).unwrap();
    assert_eq!(state(&after, "dead-letters", "orders-dlq"), Some(State::Alarm), "its tags are not read yet");
    after.board.discovered(&target, found(Some(BTreeMap::new())));
    after.tick(minute(4)).unwrap();
    assert_eq!(state(&after, "dead-letters", "orders-dlq"), None, "it has another team now");
}

#[test]
fn the_alarms_of_a_region_that_left_the_configuration_are_closed() {
    let (judge, _) = firing(vec![dead_letters()]);
    let other = Arc::new(Target { region: "us-east-1".into(), role_arn: None });
    judge.board.retain_targets(&[other.clone()].into());
    judge.tick(minute(3)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Alarm), "the new one is not listed");
    judge.board.update_target(&other, |health| health.note_discovery(minute(3)));
    judge.tick(minute(4)).unwrap();
    assert_eq!(owed(&judge).last().map(|(event, _)| *event), Some(Event::Closed));
}

#[test]
fn the_alarm_of_a_custom_metric_stays_until_custom_metrics_are_placed() {
    let mut jobs = rule("jobs", Metric::MessagesSent, Statistic::Sum, 1, 1, Comparison::GreaterThan, 0.0);
    let condition = jobs.condition().unwrap().clone();
    jobs.trigger = Trigger::Metric(Condition { metric: MetricRef::Custom("jobs".into()), ..condition });
    let (judge, target) = judge(vec![jobs]);
    let id = crate::domain::alarm::CustomId {
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        name: "jobs".into(),
    };
    let key = AlarmKey { rule: "jobs".into(), subject: Subject::Custom(id) };
    let firing = Alarm { state: State::Alarm, ..Alarm::default() };
    judge.board.with_alarms_mut(|alarms| alarms.insert(key.clone(), firing));
    let is_there = || judge.board.with_alarms(|alarms| alarms.contains_key(&key));
    judge.tick(minute(1)).unwrap();
    assert!(is_there(), "the queues are listed, the custom metrics are not placed");
    judge.board.place_customs(&target, Vec::new());
    judge.tick(minute(2)).unwrap();
    assert!(!is_there());
}

#[test]
fn a_wake_up_is_kept_for_a_deliverer_that_is_busy() {
    use std::task::{Context, Poll, Waker};
    let (judge, _) = firing(vec![dead_letters()]);
    let woken = std::pin::pin!(judge.owed.notified());
    assert_eq!(woken.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
}

#[test]
fn a_new_alarm_is_there_since_it_was_first_judged() {
    let (judge, _) = judge(vec![dead_letters()]);
    judge.tick(minute(0)).unwrap();
    let since = judge.board.with_alarms(|alarms| alarms.values().map(|alarm| alarm.since).min());
    assert_eq!(since, Some(minute(0)));
}

#[test]
fn a_metric_that_its_queue_cannot_have_leaves_the_alarm_without_data_whatever_missing_data_counts_as() {
    let mut groups =
        rule("groups", Metric::GroupsInFlight, Statistic::Maximum, 1, 1, Comparison::GreaterThan, 0.0);
    let condition = Condition { missing_data: MissingData::Breaching, ..groups.condition().unwrap().clone() };
    groups.trigger = Trigger::Metric(condition);
    let (judge, _) = judge(vec![groups]);
    for n in 0..10 {
        judge.tick(minute(n)).unwrap();
    }
    assert_eq!(state(&judge, "groups", "orders"), Some(State::InsufficientData));
    assert!(owed(&judge).is_empty());
}

#[test]
fn what_was_judged_before_the_queue_lost_its_role_stands_no_longer() {
    let arrivals =
        rule("arrivals", Metric::DeadLetters, Statistic::Sum, 1, 1, Comparison::GreaterThanOrEqual, 1.0);
    let (judge, _) = judge(vec![arrivals]);
    judge.tick(minute(0)).unwrap();
    for (second, count) in [(0, 0), (15, 1), (30, 1), (45, 1)] {
        read(&judge, "orders-dlq", minute(1) + Duration::from_secs(second), count);
    }
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "arrivals", "orders-dlq"), Some(State::Alarm));
    judge.board.read_attributes(&queue_id("orders"), minute(3), depth(0), Some(Settings::default()));
    judge.tick(minute(3)).unwrap();
    assert_eq!(state(&judge, "arrivals", "orders-dlq"), Some(State::InsufficientData));
}

#[test]
fn an_expression_is_judged_on_each_queue() {
    let input = |id: &str, metric| Input {
        id: id.into(),
        metric: MetricRef::Queue(metric),
        statistic: Statistic::Maximum,
    };
    let inputs = vec![input("waiting", Metric::MessagesVisible), input("working", Metric::MessagesInFlight)];
    let math = Math::parse("waiting - working", inputs).unwrap();
    let metric = MetricRef::Math(Arc::new(math));
    let condition = Condition::new(metric, Statistic::Average, Comparison::GreaterThan, 5.0);
    let (judge, _) = judge(vec![Rule { notify: vec!["ops".into()], ..Rule::on("behind", condition) }]);
    read(&judge, "orders", minute(1), 6);
    read(&judge, "orders-dlq", minute(1), 5);
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "behind", "orders"), Some(State::Alarm));
    assert_eq!(state(&judge, "behind", "orders-dlq"), Some(State::Ok));
}

#[test]
fn an_expression_over_custom_metrics_is_judged_where_they_all_are() {
    let input =
        |id: &str| Input { id: id.into(), metric: MetricRef::Custom(id.into()), statistic: Statistic::Sum };
    let math = Math::parse("100 * failed / (failed + done)", vec![input("failed"), input("done")]).unwrap();
    let condition =
        Condition::new(MetricRef::Math(Arc::new(math)), Statistic::Average, Comparison::GreaterThan, 5.0);
    let (judge, target) = judge(vec![Rule::on("error-rate", condition)]);
    let id = |name: &str| CustomId { account: "1".into(), region: "eu-west-1".into(), name: name.into() };
    judge.board.place_customs(&target, vec![id("failed"), id("done")]);
    for (name, sum) in [("failed", 1.0), ("done", 9.0)] {
        let datapoints = vec![(minute(1), StatisticSet::single(sum))];
        let window = Window { from: minute(1), until: minute(2), settled: minute(2), datapoints };
        judge.board.customs()[&id(name)].read(minute(4), &window, false);
    }
    judge.tick(minute(4)).unwrap();
    let key = AlarmKey { rule: "error-rate".into(), subject: Subject::Custom(id("error-rate")) };
    let alarm = judge.board.with_alarms(|alarms| alarms[&key].clone());
    assert_eq!((alarm.state, alarm.value), (State::Alarm, Some(10.0)));
}
