//! Early verdicts against what the closed window says later, over readings as they come in.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::metric::Metric;
use crate::domain::rule::{MetricRef, MissingData};
use crate::domain::series::{Fold, Series, Slot, StatisticSet};
use crate::domain::time::MINUTE;

const TICK: u64 = 5;

fn at(second: u64) -> Timestamp {
    Timestamp::from_secs(1_570_035_600) + Duration::from_secs(second)
}

/// What one source of readings does to its series at the tick of a second.
type Feed<'a> = &'a dyn Fn(&mut Series, u64);

/// Runs two alarms over the same readings, one that judges closed periods only and one that is early, and holds them against each
/// other at every tick. Returns when each first fired.
fn race(
    condition: &Condition,
    mut series: Series,
    seconds: u64,
    feed: Feed<'_>,
) -> (Option<u64>, Option<u64>) {
    let (mut patient, mut early) = (State::default(), State::default());
    let mut fired = (None, None);
    let mut claims: Vec<Timestamp> = Vec::new();
    for second in (0..=seconds).step_by(TICK as usize) {
        feed(&mut series, second);
        let now = at(second);
        let closed = |state| evaluate(condition, &series, state, now).map_or(state, |verdict| verdict.state);
        let horizon = series.horizon(now);
        for end in claims.extract_if(.., |end| *end <= horizon) {
            assert_eq!(end, horizon, "every window is looked at");
            for state in State::ALL {
                assert_eq!(
                    closed(state),
                    State::Alarm,
                    "what was said early of the window that ends at {end}"
                );
            }
        }
        patient = closed(patient);
        early = evaluate_early(condition, &series, early, now).map_or(early, |verdict| verdict.state);
        let foreseen = foreseen(condition, &series, now);
        assert!(claims.is_empty() || foreseen.is_some() || patient == State::Alarm, "taken back at {now}");
        claims.extend(foreseen.map(|(end, _)| end).filter(|end| !claims.contains(end)));
        assert!(early == patient || early == State::Alarm, "{early} is no ALARM, and not {patient}");
        assert!(early == patient || !claims.is_empty(), "{early} without a claim where it is {patient}");
        for (first, state) in [(&mut fired.0, patient), (&mut fired.1, early)] {
            if state == State::Alarm {
                first.get_or_insert(second);
            }
        }
    }
    fired
}

fn condition(metric: Metric, statistic: Statistic, comparison: Comparison, threshold: f64) -> Condition {
    Condition::new(MetricRef::Queue(metric), statistic, comparison, threshold)
}

/// Any condition whose period is one of `periods`.
fn conditions(metric: Metric, periods: &'static [u64]) -> impl Strategy<Value = Condition> {
    use Comparison::{GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual};
    use Statistic::{Average, Maximum, Minimum, Percentile, SampleCount, Sum};
    let select = proptest::sample::select::<u64>;
    (
        proptest::sample::select(vec![
            Maximum,
            Maximum,
            Sum,
            Sum,
            SampleCount,
            Minimum,
            Average,
            Percentile(90.0),
        ]),
        proptest::sample::select(vec![GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual]),
        proptest::sample::select(vec![0.0, 1.0, 2.0, 5.0, 9.0, 20.0]),
        select(periods.to_vec()),
        (1u32..=4).prop_flat_map(|n| (Just(n), 1..=n, n..=n + 3)),
        proptest::sample::select(vec![
            MissingData::Missing,
            MissingData::Ignore,
            MissingData::Breaching,
            MissingData::NotBreaching,
        ]),
    )
        .prop_map(move |(statistic, comparison, threshold, period, (n, m, range), missing_data)| {
            Condition {
                period: Duration::from_secs(period),
                evaluation_periods: n,
                datapoints_to_alarm: m,
                evaluation_range: range,
                missing_data,
                ..condition(metric, statistic, comparison, threshold)
            }
        })
}

/// Readings as gaps in seconds and values: mostly each 5 to 20 s, now and then none for long.
fn readings() -> impl Strategy<Value = Vec<(u64, f64)>> {
    let gap = prop_oneof![9 => 5u64..20, 1 => 60u64..200];
    let value = prop_oneof![3 => Just(0.0), 2 => (0u32..12).prop_map(f64::from)];
    prop::collection::vec((gap, value), 1..120)
}

fn by_second(readings: &[(u64, f64)]) -> BTreeMap<u64, f64> {
    let mut second = 0;
    let place = |(gap, value): &(u64, f64)| {
        second += gap;
        (second, *value)
    };
    readings.iter().map(place).collect()
}

/// Records what came since the last tick.
fn record(series: &mut Series, readings: &BTreeMap<u64, f64>, second: u64) {
    for (moment, value) in readings.range(second.saturating_sub(TICK - 1)..=second) {
        series.record(at(*moment), *value);
    }
}

fn race_readings(condition: &Condition, step: Duration, fold: Fold, readings: &BTreeMap<u64, f64>) {
    let mut series = Series::new(step, condition.reach() + condition.period, fold).with_hold(MINUTE / 3);
    series.keep_samples(true);
    race(condition, series, 1200, &|series, second| record(series, readings, second));
}

/// A minute of CloudWatch's: what it is in the end, what is told of it at first, and how many minutes late that comes.
type Told = (Option<f64>, f64, u64);

/// At each minute's tick: what is told so far of the last minutes, of which those two minutes old are final.
fn tell(series: &mut Series, minutes: &[Told], second: u64) {
    if !second.is_multiple_of(60) {
        return;
    }
    let now = second / 60;
    for (minute, (value, share, late)) in (0..now).zip(minutes) {
        let slot = match value {
            Some(value) if minute + 2 < now => Slot::Value(StatisticSet::single(*value)),
            None if minute + 2 < now => Slot::Missing,
            Some(value) if minute + late < now => {
                Slot::Partial(StatisticSet::single((value * share).floor()))
            }
            _ => continue,
        };
        series.set(at(minute * 60), slot);
    }
    series.settle(at(now.saturating_sub(2) * 60));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn raw_readings(
        condition in conditions(Metric::MessagesVisible, &[10, 20, 30]),
        readings in readings(),
    ) {
        race_readings(&condition, Duration::from_secs(10), Fold::All, &by_second(&readings));
    }

    #[test]
    fn minutes_that_their_last_reading_stands_for(
        condition in conditions(Metric::MessagesVisible, &[60, 120, 180]),
        readings in readings(),
    ) {
        race_readings(&condition, MINUTE, Fold::Last, &by_second(&readings));
    }

    #[test]
    fn counters_that_grow_within_their_minute(
        condition in conditions(Metric::DeadLetters, &[60, 120, 180]),
        readings in readings(),
    ) {
        race_readings(&condition, MINUTE, Fold::Total, &by_second(&readings));
    }

    #[test]
    fn sums_that_settle_late(
        condition in conditions(Metric::MessagesSent, &[60, 120, 300]),
        minutes in prop::collection::vec((prop::option::weighted(0.8, (0u32..12).prop_map(f64::from)), 0.0..=1.0, 0u64..3), 20),
    ) {
        // Such a set is one value, which grows: its minimum is none of CloudWatch's.
        prop_assume!(condition.statistic != Statistic::Minimum);
        let series = Series::new(MINUTE, condition.reach() + condition.period, Fold::Last);
        race(&condition, series, 1200, &|series, second| tell(series, &minutes, second));
    }
}

#[test]
fn a_sum_fires_when_what_is_told_of_its_minutes_suffices() {
    let wide = |n, threshold| Condition {
        period: MINUTE * 5,
        evaluation_periods: n,
        datapoints_to_alarm: n,
        ..condition(Metric::MessagesSent, Statistic::Sum, Comparison::GreaterThanOrEqual, threshold)
    };
    // A hundred a minute from minute 10 on, told a minute late and in part.
    let minutes: Vec<Told> =
        (0..40).map(|minute| (Some(if minute < 10 { 0.0 } else { 100.0 }), 0.5, 1)).collect();
    for (condition, fires) in [
        (wide(1, 50.0), (13 * 60, 12 * 60)),
        (wide(1, 100.0), (13 * 60, 13 * 60)),
        (wide(1, 250.0), (15 * 60, 14 * 60)),
        (wide(2, 50.0), (18 * 60, 17 * 60)),
    ] {
        let series = Series::new(MINUTE, condition.reach(), Fold::Last);
        let (patient, early) =
            race(&condition, series, 1800, &|series, second| tell(series, &minutes, second));
        assert_eq!((patient, early), (Some(fires.0), Some(fires.1)), "{condition:?}");
    }
}

#[test]
fn a_reading_fires_at_once_where_readings_count_and_not_where_the_last_one_stands_for_its_minute() {
    let readings = BTreeMap::from([(5, 0.0), (20, 0.0), (65, 0.0), (80, 7.0), (95, 0.0), (125, 0.0)]);
    let fired = |period: u64, fold, metric, statistic| {
        let step = Duration::from_secs(if period < 60 { 10 } else { 60 });
        let condition = Condition {
            period: Duration::from_secs(period),
            ..condition(metric, statistic, Comparison::GreaterThanOrEqual, 5.0)
        };
        let series = Series::new(step, condition.reach(), fold).with_hold(MINUTE);
        race(&condition, series, 300, &|series, second| record(series, &readings, second))
    };
    use Statistic::{Average, Maximum, Sum};
    assert_eq!(fired(30, Fold::All, Metric::MessagesVisible, Maximum), (Some(90), Some(80)));
    assert_eq!(fired(60, Fold::Total, Metric::DeadLetters, Sum), (Some(120), Some(80)));
    assert_eq!(fired(120, Fold::Total, Metric::DeadLetters, Average), (None, None));
    assert_eq!(fired(60, Fold::Last, Metric::MessagesVisible, Maximum), (None, None), "it was 0 in the end");
}

#[test]
fn a_breach_that_stands_is_not_taken_back_by_a_window_that_closes_before() {
    // Told of minutes 0 to 4 at minute 5: 0 to 2 are final, 3 is within the threshold, 4 is over it already.
    let mut series = Series::new(MINUTE, MINUTE * 10, Fold::Last);
    for (minute, value) in [(0, 0.0), (1, 0.0), (2, 0.0)] {
        series.set(at(minute * 60), Slot::Value(StatisticSet::single(value)));
    }
    series.settle(at(180));
    series.set(at(180), Slot::Partial(StatisticSet::single(0.0)));
    series.set(at(240), Slot::Partial(StatisticSet::single(9.0)));
    let condition = condition(Metric::MessagesSent, Statistic::Sum, Comparison::GreaterThan, 5.0);
    let state =
        |series: &Series, state, now| evaluate_early(&condition, series, state, at(now)).unwrap().state;
    assert_eq!(state(&series, State::Ok, 300), State::Alarm);
    series.set(at(180), Slot::Value(StatisticSet::single(1.0)));
    series.settle(at(240));
    assert_eq!(evaluate(&condition, &series, State::Alarm, at(360)).unwrap().state, State::Ok);
    assert_eq!(state(&series, State::Alarm, 360), State::Alarm, "minute 4 is certain");
    series.set(at(240), Slot::Value(StatisticSet::single(9.0)));
    series.settle(at(300));
    assert_eq!(state(&series, State::Alarm, 420), State::Alarm);
    series.set(at(300), Slot::Value(StatisticSet::single(0.0)));
    series.settle(at(360));
    assert_eq!(state(&series, State::Alarm, 480), State::Ok);
}
