//! Series as tables: what each kind of slot becomes, and how much is remembered.

use super::*;
use crate::domain::time::MINUTE;

fn minute(n: i64) -> Timestamp {
    Timestamp::from_secs(n * 60)
}

fn value(v: f64) -> Slot {
    Slot::Value(StatisticSet::single(v))
}

#[test]
fn the_last_reading_of_a_minute_stands_for_it() {
    let mut series = Series::new(MINUTE, MINUTE * 5, Fold::Last);
    for (second, reading) in [(0, 5.0), (15, 9.0), (45, 2.0), (60, 7.0)] {
        series.record(Timestamp::from_secs(second), reading);
    }
    assert_eq!(series.at(minute(0)), value(2.0));
    assert_eq!(series.at(minute(1)), value(7.0));
    assert_eq!(series.latest(), Some((minute(1), StatisticSet::single(7.0))));
}

#[test]
fn short_periods_count_every_reading() {
    let mut series = Series::new(Duration::from_secs(10), MINUTE, Fold::All);
    series.record(Timestamp::from_secs(1), 5.0);
    series.record(Timestamp::from_secs(9), 1.0);
    let set = StatisticSet { count: 2.0, sum: 6.0, minimum: 1.0, maximum: 5.0 };
    assert_eq!(series.at(Timestamp::from_secs(0)), Slot::Value(set));
    assert_eq!(set.get(Statistic::Average), 3.0);
}

#[test]
fn unread_is_not_missing_and_a_part_is_not_the_whole() {
    let mut series = Series::new(MINUTE, MINUTE * 10, Fold::Last);
    series.set(minute(1), value(4.0));
    series.set(minute(2), Slot::Missing);
    series.set(minute(4), value(6.0));
    assert_eq!(series.datapoint(minute(1), MINUTE * 2, minute(99)), value(4.0));
    assert_eq!(series.datapoint(minute(2), MINUTE, minute(99)), Slot::Missing);
    assert_eq!(series.datapoint(minute(3), MINUTE, minute(99)), Slot::Unknown);
    assert_eq!(series.datapoint(minute(9), MINUTE, minute(99)), Slot::Unknown);
    let Slot::Partial(part) = series.datapoint(minute(1), MINUTE * 4, minute(99)) else { panic!("a part") };
    assert_eq!((part.sum, part.count), (10.0, 2.0));
}

#[test]
fn rare_readings_stand_until_the_next_one_but_not_over_an_outage() {
    let mut series = Series::new(MINUTE, MINUTE * 20, Fold::Last).with_hold(MINUTE * 3);
    series.record(minute(0), 5.0);
    series.record(minute(2), 6.0);
    series.record(minute(9), 7.0);
    assert_eq!(series.at(minute(1)), value(5.0));
    assert_eq!(series.at(minute(3)), Slot::Unknown);
}

#[test]
fn memory_is_bounded_and_jumps_of_the_clock_are_survived() {
    let mut series = Series::new(MINUTE, MINUTE * 3, Fold::Last);
    for n in 0..100 {
        series.record(minute(n), n as f64);
    }
    assert!(series.slots.len() <= 5);
    assert_eq!(series.at(minute(90)), Slot::Unknown);
    series.record(minute(1_000_000), 1.0);
    assert_eq!(series.at(minute(1_000_000)), value(1.0));
    assert_eq!(series.at(minute(99)), Slot::Unknown);
    series.record(minute(3), 9.0); // far back: dropped
    assert_eq!(series.latest(), Some((minute(1_000_000), StatisticSet::single(1.0))));
}

#[test]
fn a_re_read_window_may_start_before_the_first_slot() {
    let mut series = Series::new(MINUTE, MINUTE * 5, Fold::Last);
    series.set(minute(10), value(1.0));
    series.set(minute(11), value(2.0));
    series.set(minute(8), value(3.0));
    assert_eq!(series.at(minute(8)), value(3.0));
    series.settle(minute(11));
    series.settle(minute(10));
    assert_eq!(series.horizon(minute(50)), minute(11));
}
