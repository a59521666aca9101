//! How much earlier an alarm fires than it would at the end of its period, with readings as they come.

use super::*;

/// When the alarm on `queue` first fires, in seconds, while `read` brings in what is read each 5 seconds.
fn fires(rule: Rule, queue: &str, seconds: i64, read: impl Fn(&Judge, i64)) -> Option<i64> {
    let name = rule.name.clone();
    let (judge, _) = judge(vec![rule]);
    (0..=seconds).step_by(5).find(|second| {
        read(&judge, *second);
        judge.tick(minute(0) + Duration::from_secs(*second as u64)).unwrap();
        state(&judge, &name, queue) == Some(State::Alarm)
    })
}

fn second(second: i64) -> Timestamp {
    minute(0) + Duration::from_secs(second as u64)
}

/// What CloudWatch tells at each minute's tick: settled minutes are two minutes old, later ones are told in part.
fn told(judge: &Judge, metric: Metric, now: i64, minutes: &[(i64, f64, f64)]) {
    if now % 60 != 0 {
        return;
    }
    let (newest, settled) = (now / 60, now / 60 - 2);
    let datapoints = minutes.iter().filter(|(n, ..)| *n < newest).map(|(n, part, whole)| {
        let value = if *n < settled { *whole } else { *part };
        (minute(*n), StatisticSet::single(value))
    });
    let window = Window {
        from: minute(-10),
        until: minute(settled),
        settled: minute(settled - 3),
        datapoints: datapoints.collect(),
    };
    judge.board.read_cloudwatch(&queue_id("orders"), second(now), metric, &window);
}

#[test]
fn a_sum_of_cloudwatch_fires_as_soon_as_a_part_of_it_suffices() {
    let sent = |threshold| {
        rule("busy", Metric::MessagesSent, Statistic::Sum, 1, 1, Comparison::GreaterThanOrEqual, threshold)
    };
    let minutes = [(0, 0.0, 0.0), (1, 0.0, 0.0), (2, 0.0, 0.0), (3, 60.0, 100.0), (4, 0.0, 0.0)];
    let fires = |threshold| {
        fires(sent(threshold), "orders", 900, |judge, now| told(judge, Metric::MessagesSent, now, &minutes))
    };
    assert_eq!(fires(50.0), Some(4 * 60), "as it is told, not two minutes later");
    assert_eq!(fires(80.0), Some(6 * 60), "when it has settled");
    assert_eq!(fires(101.0), None);
}

#[test]
fn an_age_fires_as_soon_as_it_is_told() {
    let old =
        rule("too-old", Metric::OldestMessageAge, Statistic::Maximum, 1, 3, Comparison::GreaterThan, 100.0);
    let minutes: Vec<_> = (0..12).map(|n| (n, 60.0 * n as f64, 60.0 * n as f64)).collect();
    let fires = fires(old, "orders", 900, |judge, now| told(judge, Metric::OldestMessageAge, now, &minutes));
    // Minutes 2, 3 and 4 breach; minute 4 is told at 5:00 and settles at 7:00.
    assert_eq!(fires, Some(5 * 60));
}

#[test]
fn a_dead_letter_fires_within_its_minute() {
    let mut growing =
        rule("growing", Metric::DeadLetters, Statistic::Sum, 5, 1, Comparison::GreaterThanOrEqual, 1.0);
    growing.selector.role = Some(RoleSelector::DeadLetter);
    let fires = fires(growing, "orders-dlq", 900, |judge, now| {
        if now % 15 == 0 {
            read(judge, "orders-dlq", second(now), u64::from(now >= 310));
        }
    });
    // It is there at 5:15 and confirmed by the reading at 5:30; the minute ends at 6:00.
    assert_eq!(fires, Some(330));
}

#[test]
fn raw_readings_fire_at_once_and_a_minutes_last_reading_at_its_end() {
    let visible = |period: u64| {
        let mut rule =
            rule("deep", Metric::MessagesVisible, Statistic::Maximum, 1, 1, Comparison::GreaterThan, 5.0);
        let condition = Condition {
            period: Duration::from_secs(period),
            missing_data: MissingData::Missing,
            ..rule.condition().unwrap().clone()
        };
        rule.trigger = Trigger::Metric(condition);
        rule
    };
    let deep = |judge: &Judge, now: i64| {
        if now % 15 == 0 {
            read(judge, "orders", second(now), if now >= 135 { 9 } else { 0 });
        }
    };
    assert_eq!(fires(visible(30), "orders", 600, deep), Some(135));
    assert_eq!(fires(visible(60), "orders", 600, deep), Some(180));
}

#[test]
fn a_changed_definition_keeps_the_state_and_is_judged_at_once() {
    let (judge, _) = firing(vec![dead_letters()]);
    let mut stricter = dead_letters();
    let condition = Condition { threshold: 3.0, ..stricter.condition().unwrap().clone() };
    stricter.trigger = Trigger::Metric(condition.clone());
    judge.board.configure(vec![stricter], Duration::from_secs(15));
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "dead-letters", "orders-dlq"), Some(State::Ok), "1 is within the new threshold");

    let (judge, _) = firing(vec![dead_letters()]);
    let mut finer = dead_letters();
    finer.trigger = Trigger::Metric(Condition { period: Duration::from_secs(30), ..condition });
    judge.board.configure(vec![finer], Duration::from_secs(15));
    judge.tick(minute(2)).unwrap();
    assert_eq!(
        state(&judge, "dead-letters", "orders-dlq"),
        Some(State::Alarm),
        "nothing was read for it yet"
    );
    assert_eq!(owed(&judge).len(), 1);
}

#[test]
fn a_percentile_of_readings_is_made_of_those_that_were_kept_for_it() {
    let mut deep = rule(
        "deep",
        Metric::MessagesVisible,
        Statistic::Percentile(50.0),
        1,
        1,
        Comparison::GreaterThan,
        5.0,
    );
    let condition = Condition { period: Duration::from_secs(30), ..deep.condition().unwrap().clone() };
    deep.trigger = Trigger::Metric(condition);
    let once = |now: i64| u64::from(now == 65) * 900;
    let fires = |deep: Rule, depth: &dyn Fn(i64) -> u64| {
        fires(deep, "orders", 300, |judge, now| read(judge, "orders", second(now), depth(now)))
    };
    assert_eq!(fires(deep.clone(), &once), None, "one high reading is not the median");
    assert_eq!(fires(deep, &|now| if now >= 65 { 9 } else { 0 }), Some(90));
}
