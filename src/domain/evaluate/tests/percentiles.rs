//! Percentiles of a queue's metric and of CloudWatch's own, and what too few samples do.

use super::*;

/// `p` over the minutes of one period, more than 50.
fn percentile(p: f64, minutes: u32) -> Condition {
    Condition { statistic: Statistic::Percentile(p), period: MINUTE * minutes, ..condition(1, 1) }
}

fn ignoring(condition: Condition) -> Condition {
    Condition { low_samples: LowSamples::Ignore, ..condition }
}

fn value(condition: &Condition, values: &str) -> Option<f64> {
    evaluate(condition, &series(values), State::Ok, minute(0)).unwrap().value
}

#[test]
fn over_minutes_it_is_the_percentile_of_their_values() {
    assert_eq!(value(&percentile(50.0, 5), "900 10 20 30 40 50"), Some(30.0));
    assert_eq!(value(&percentile(90.0, 5), "10 20 30 40 50"), Some(46.0));
    assert_eq!(value(&percentile(90.0, 5), "10 - - - 20"), Some(19.0), "what is missing is no value");
    assert_eq!(value(&percentile(99.9, 1), "10 20"), Some(20.0));
    assert_eq!(judge(&percentile(50.0, 3), "60 ? 60", State::Ok), None, "and what was not read may be any");
}

#[test]
fn of_a_counter_it_is_the_percentile_of_the_minutes_sums() {
    let mut series = Series::new(MINUTE, MINUTE * 10, Fold::Last);
    for (n, sum) in [(-3, 30.0), (-2, 60.0), (-1, 120.0)] {
        let set = StatisticSet { count: 7.0, sum, minimum: 1.0, maximum: 9.0 };
        series.set(minute(n), Slot::Value(set));
    }
    let condition = Condition { metric: MetricRef::Queue(Metric::MessagesSent), ..percentile(50.0, 3) };
    assert_eq!(evaluate(&condition, &series, State::Ok, minute(0)).unwrap().value, Some(60.0));
}

#[test]
fn below_a_minute_it_is_the_percentile_of_every_reading() {
    let condition = Condition { period: Duration::from_secs(20), ..percentile(75.0, 1) };
    let step = Duration::from_secs(10);
    let readings = |keep: bool| {
        let mut series = Series::new(step, condition.reach(), Fold::All).with_hold(Duration::from_secs(15));
        series.keep_samples(keep);
        for (second, value) in [(0, 10.0), (4, 20.0), (8, 30.0), (12, 40.0), (16, 90.0)] {
            series.record(minute(0) + Duration::from_secs(second), value);
        }
        series
    };
    let at = minute(0) + Duration::from_secs(20);
    let verdict = evaluate(&condition, &readings(true), State::Ok, at).unwrap();
    assert_eq!((verdict.state, verdict.value), (State::Ok, Some(40.0)));
    let forgetful = evaluate(&condition, &readings(false), State::Ok, at);
    assert_eq!(forgetful, None, "readings that were not kept are not made up");
    let mut later = readings(true);
    later.record(minute(0) + Duration::from_secs(31), 70.0);
    later.record(minute(0) + Duration::from_secs(46), 71.0);
    let half = Condition { period: step, ..condition.clone() };
    let held = evaluate(&half, &later, State::Ok, minute(0) + Duration::from_secs(30)).unwrap();
    assert_eq!(held.value, Some(90.0), "no reading in it: the one before is held");
}

/// A custom metric's minutes as CloudWatch tells them: the percentile and of how many samples.
fn told(minutes: &[(f64, f64)]) -> Series {
    let mut series = Series::new(MINUTE, MINUTE * 60, Fold::Last);
    for (index, (value, count)) in minutes.iter().enumerate() {
        let set = StatisticSet { count: *count, ..StatisticSet::single(*value) };
        series.set(minute(index as i64 - minutes.len() as i64), Slot::Value(set));
    }
    series
}

#[test]
fn too_few_samples_keep_the_state_where_that_is_wanted() {
    let p90 = |n, m| Condition {
        metric: MetricRef::Custom("latency".into()),
        statistic: Statistic::Percentile(90.0),
        ..condition(n, m)
    };
    let (high_few, high_many, low_few, low_many) = ((60.0, 99.0), (60.0, 100.0), (1.0, 99.0), (1.0, 100.0));
    let any = [State::Ok, State::Alarm, State::InsufficientData];
    for (n, m, minutes, ignored) in [
        (1, 1, vec![high_many], Some(State::Alarm)),
        (1, 1, vec![high_few], None),
        (1, 1, vec![low_few], None),
        (1, 1, vec![high_few, low_many], Some(State::Ok)),
        (2, 1, vec![high_few, high_many], None),
        (2, 1, vec![high_many, high_few], None),
        (2, 1, vec![high_few, high_many, low_many], Some(State::Alarm)),
        (3, 3, vec![high_many], None),
    ] {
        let series = told(&minutes);
        for state in any {
            let kept = evaluate(&ignoring(p90(n, m)), &series, state, minute(0));
            let kept = kept.map_or(state, |verdict| verdict.state);
            assert_eq!(kept, ignored.unwrap_or(state), "{minutes:?} {m} of {n} from {state}");
        }
    }
    let evaluated = evaluate(&p90(1, 1), &told(&[high_few]), State::Ok, minute(0)).unwrap();
    assert_eq!(evaluated.state, State::Alarm, "CloudWatch's default goes on");
    let kept = evaluate(&ignoring(p90(1, 1)), &told(&[high_few]), State::Ok, minute(0)).unwrap();
    assert_eq!((kept.reason.as_str(), kept.value), ("", Some(60.0)), "its value is shown all the same");
}

#[test]
fn a_missing_datapoint_has_no_samples_to_be_too_few() {
    let condition = Condition { missing_data: MissingData::Breaching, ..ignoring(percentile(50.0, 1)) };
    assert_eq!(judge(&condition, "- - -", State::Ok), Some(State::Alarm));
    let minutes = Condition { evaluation_range: 1, ..ignoring(percentile(50.0, 20)) };
    let kept = judge(&minutes, &"60 ".repeat(19), State::InsufficientData);
    assert_eq!(kept, Some(State::InsufficientData), "one minute was not read: there may be too few");
    assert_eq!(judge(&minutes, &"60 ".repeat(20), State::Ok), Some(State::Alarm));
    let short = judge(&minutes, &format!("- {}", "60 ".repeat(19)), State::InsufficientData);
    assert_eq!(short, Some(State::InsufficientData), "one minute is missing: there are too few");
}

#[test]
fn what_is_no_finite_number_decides_nothing() {
    for value in ["NaN", "inf", "-inf"] {
        for statistic in [Statistic::Maximum, Statistic::Average, Statistic::Percentile(50.0)] {
            let condition = Condition { statistic, ..condition(1, 1) };
            assert_eq!(judge(&condition, value, State::Alarm), None, "{value} {statistic}");
            assert_eq!(judge(&condition, value, State::Ok), None, "{value} {statistic}");
        }
    }
    let sum = Condition { statistic: Statistic::Sum, period: MINUTE * 2, ..condition(1, 1) };
    assert_eq!(judge(&sum, "1e308 1e308", State::Ok), None, "a sum beyond all numbers");
    let mut series = Series::new(MINUTE, MINUTE * 5, Fold::Last);
    series.record(minute(-1), 7.0);
    series.record(minute(-1), f64::NAN);
    series.record(minute(-1), f64::INFINITY);
    assert_eq!(series.at(minute(-1)), Slot::Value(StatisticSet::single(7.0)));
}
