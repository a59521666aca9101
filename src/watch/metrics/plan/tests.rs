//! What is asked when, as tables.

use super::*;
use crate::domain::rule::{Comparison, Condition, Glob, LowSamples, Selector, Trigger};

fn poll(metrics: &[Metric]) -> Poll {
    Poll {
        attributes: Duration::from_secs(15),
        cloudwatch: MINUTE,
        counters: MINUTE * 5,
        metrics: metrics.to_vec(),
        settle: MINUTE * 2,
        reread: MINUTE * 3,
        concurrency: 16,
        timeout: Duration::from_secs(10),
    }
}

/// So many seconds after a whole hour.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 / 3600 * 3600 + seconds)
}

fn minute(n: i64) -> Timestamp {
    at(n * 60)
}

fn queue(name: &str) -> Queue {
    Queue::new(QueueId::new("1", "us-east-1", name), "http://q")
}

fn facts(queue: &Queue) -> Facts<'_> {
    Facts { queue, empty_since: None, attributes_at: None }
}

fn rule(metric: MetricRef, statistic: Statistic, periods: u32, names: &[&str]) -> Rule {
    let condition = Condition {
        evaluation_periods: periods,
        evaluation_range: periods,
        ..Condition::new(metric, statistic, Comparison::GreaterThan, 1.0)
    };
    Rule {
        selector: Selector {
            names: names.iter().map(|name| Glob::new(name)).collect(),
            ..Selector::default()
        },
        ..Rule::on("r", condition)
    }
}

/// Each turn's metric, statistics, and window in minutes.
fn shown(turns: &[Turn]) -> Vec<(&'static str, usize, i64, i64)> {
    let minutes = |at: Timestamp| at.since(minute(-100_000)).as_secs() as i64 / 60 - 100_000;
    let show = |turn: &Turn| {
        let Subject::Queue(_, metric) = &turn.subject else { return ("custom", 0, 0, 0) };
        (metric.name(), turn.statistics.len(), minutes(turn.span.from), minutes(turn.span.until))
    };
    turns.iter().map(show).collect()
}

fn finish(plan: &mut Plan, turns: Vec<Turn>, now: Timestamp) {
    for turn in turns {
        plan.done(turn.subject, turn.span.until, now);
    }
}

#[test]
fn gauges_are_read_each_time_and_counters_that_no_alarm_needs_seldom() {
    let queue = queue("orders");
    let mut plan = Plan::new(poll(&[Metric::OldestMessageAge, Metric::MessagesSent]));
    let mut seen = Vec::new();
    for n in 0..7 {
        let now = minute(n) + Duration::from_secs(5);
        let turns = plan.of_queue(facts(&queue), &[], now);
        seen.push(shown(&turns));
        finish(&mut plan, turns, now);
    }
    assert_eq!(seen[0], [("oldest_message_age", 1, -17, -2), ("messages_sent", 1, -17, -2)]);
    assert_eq!(seen[1], [("oldest_message_age", 1, -5, -1)]);
    assert_eq!(seen[4], [("oldest_message_age", 1, -2, 2)]);
    assert_eq!(seen[5], [("oldest_message_age", 1, -1, 3), ("messages_sent", 1, -5, 3)]);
    assert_eq!(seen[6].len(), 1);
}

#[test]
fn a_window_that_failed_is_read_again_with_the_next_and_not_for_ever() {
    let queue = queue("orders");
    let mut plan = Plan::new(poll(&[Metric::OldestMessageAge]));
    let turns = plan.of_queue(facts(&queue), &[], minute(0));
    finish(&mut plan, turns, minute(0));
    assert_eq!(shown(&plan.of_queue(facts(&queue), &[], minute(30))), [("oldest_message_age", 1, -5, 28)]);
    let day = 24 * 60;
    assert_eq!(
        shown(&plan.of_queue(facts(&queue), &[], minute(3 * day))),
        [("oldest_message_age", 1, 2 * day - 2, 3 * day - 2)]
    );
}

#[test]
fn a_clock_that_was_set_back_neither_stops_nor_panics() {
    let queue = queue("orders");
    let mut plan = Plan::new(poll(&[Metric::MessagesSent]));
    let turns = plan.of_queue(facts(&queue), &[], minute(600));
    finish(&mut plan, turns, minute(600));
    assert_eq!(shown(&plan.of_queue(facts(&queue), &[], minute(0))), [("messages_sent", 1, -5, -2)]);
}

#[test]
fn an_empty_queue_is_not_asked_for_its_age() {
    let orders = queue("orders");
    let mut plan = Plan::new(poll(&[Metric::OldestMessageAge, Metric::MessagesSent]));
    let turns = plan.of_queue(facts(&orders), &[], minute(0));
    finish(&mut plan, turns, minute(0));
    // The window at minute 10 is [-5, 8).
    for (empty_since, read_at, asked) in [
        (None, Some(minute(10)), 1),
        (Some(minute(-4)), Some(minute(10)), 1),
        (Some(minute(-5)), Some(minute(10)), 0),
        (Some(minute(-5)), Some(minute(8)), 0),
        (Some(minute(-5)), Some(minute(7)), 1),
        (Some(minute(-5)), None, 1),
    ] {
        let facts = Facts { queue: &orders, empty_since, attributes_at: read_at };
        let turns = plan.of_queue(facts, &[], minute(10));
        let expected = [("oldest_message_age", asked, -5, 8), ("messages_sent", 1, -5, 8)];
        assert_eq!(shown(&turns), expected, "{empty_since:?} {read_at:?}");
    }
}

#[test]
fn only_queues_that_can_have_a_metric_are_asked_for_it() {
    let fifo = [Metric::GroupsInFlight, Metric::DeduplicatedSent];
    let plan = Plan::new(poll(&[
        fifo[0],
        fifo[1],
        Metric::NoisyGroups,
        Metric::MessagesVisible,
        Metric::DeadLetters,
    ]));
    for (name, expected) in
        [("orders", vec!["noisy_groups"]), ("orders.fifo", vec!["groups_in_flight", "deduplicated_sent"])]
    {
        let queue = queue(name);
        let turns = plan.of_queue(facts(&queue), &[], minute(0));
        assert_eq!(shown(&turns).iter().map(|turn| turn.0).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn an_alarm_makes_its_queues_and_only_its_queues_cost() {
    let plan = Plan::new(poll(&[]));
    let retention_ratio = MetricRef::Queue(Metric::OldestMessageRetentionRatio);
    let rules = [
        rule(MetricRef::Queue(Metric::SentBytes), Statistic::Average, 60, &["orders"]),
        rule(retention_ratio, Statistic::Average, 1, &["orders", "pay*"]),
        rule(MetricRef::Queue(Metric::MessagesVisible), Statistic::Maximum, 1, &[]),
    ];
    for (name, expected) in [
        ("orders", vec![("oldest_message_age", 1, -17, -2), ("sent_bytes", 2, -62, -2)]),
        ("payments", vec![("oldest_message_age", 1, -17, -2)]),
        ("users", vec![]),
    ] {
        let queue = queue(name);
        assert_eq!(shown(&plan.of_queue(facts(&queue), &rules, minute(0))), expected, "{name}");
    }
}

#[test]
fn a_counter_that_an_alarm_needs_is_read_each_time() {
    let queue = queue("orders");
    for metric in [Metric::ConsumersStalled, Metric::DeadLetters] {
        let mut plan = Plan::new(poll(&[Metric::MessagesDeleted]));
        let rules = [rule(MetricRef::Queue(metric), Statistic::Minimum, 5, &[])];
        let turns = plan.of_queue(facts(&queue), &rules, minute(0));
        finish(&mut plan, turns, minute(0));
        let again = plan.of_queue(facts(&queue), &rules, minute(1));
        assert_eq!(shown(&again), [("messages_deleted", 1, -5, -1)], "{}", metric.name());
    }
}

#[test]
fn a_custom_metric_is_asked_for_what_it_shows_and_what_alarms_look_at() {
    let custom = CustomMetric {
        name: "latency".into(),
        namespace: "Shop".into(),
        metric: "ProcessingLatency".into(),
        dimensions: BTreeMap::new(),
        statistic: Statistic::Percentile(99.0),
        region: None,
        description: String::new(),
    };
    let id = CustomId { account: "1".into(), region: "us-east-1".into(), name: "latency".into() };
    let plan = Plan::new(poll(&[]));
    let mine = rule(MetricRef::Custom("latency".into()), Statistic::Average, 30, &[]);
    let others = rule(MetricRef::Custom("failed".into()), Statistic::Sum, 300, &[]);
    let turn = plan.of_custom(&id, &custom, &[mine, others], minute(0)).unwrap();
    let expected = [Statistic::Percentile(99.0), Statistic::Sum, Statistic::SampleCount];
    assert_eq!(turn.statistics, expected);
    assert_eq!(turn.span, Span { from: minute(-32), until: minute(-2) });
    assert_eq!(turn.open_until, minute(1), "what has not settled is asked for too");

    let percentile = rule(MetricRef::Custom("latency".into()), custom.statistic, 1, &[]);
    let condition = percentile.condition().unwrap().clone();
    let asked = |low_samples| {
        let trigger = Trigger::Metric(Condition { low_samples, ..condition.clone() });
        let rule = Rule { trigger, ..percentile.clone() };
        plan.of_custom(&id, &custom, &[rule], minute(0)).unwrap().statistics
    };
    assert_eq!(asked(LowSamples::Evaluate), [custom.statistic]);
    assert_eq!(asked(LowSamples::Ignore), [custom.statistic, Statistic::SampleCount]);
}

#[test]
fn a_percentile_of_a_queues_counter_is_one_of_its_minutes_sums() {
    let queue = queue("orders");
    let rules = [rule(MetricRef::Queue(Metric::MessagesSent), Statistic::Percentile(90.0), 5, &[])];
    let turns = Plan::new(poll(&[])).of_queue(facts(&queue), &rules, minute(0));
    assert_eq!(turns[0].statistics, [Statistic::Sum]);
}
