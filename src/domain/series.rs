//! The recent past of one number: a bounded row of equal slots, and statistics over periods of it.
//!
//! A slot says which of four things is true, because an alarm must not confuse them: a value was read, it was read that
//! there is none (missing), it was not read (unknown: a failed or late read is not missing data), or only a part was read.

use std::collections::VecDeque;
use std::time::Duration;

use super::rule::Statistic;
use super::time::Timestamp;

/// CloudWatch's statistic set: what is kept of the values of one slot or period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatisticSet {
    /// How many values.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

impl StatisticSet {
    /// The set of one value.
    pub fn single(value: f64) -> Self {
        Self { count: 1.0, sum: value, minimum: value, maximum: value }
    }

    /// The set of the values of both.
    pub fn merge(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    /// One statistic of the set. A percentile cannot be had from a set: CloudWatch computes it, so that the set
    /// holds that one value and any statistic of it is the value.
    pub fn get(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Average => self.sum / self.count,
            Statistic::Sum => self.sum,
            Statistic::Minimum => self.minimum,
            Statistic::Maximum | Statistic::Percentile(_) => self.maximum,
            Statistic::SampleCount => self.count,
        }
    }
}

/// What is known of one slot or period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Slot {
    /// Not read: no statement is possible.
    #[default]
    Unknown,
    /// Read, and there is no value.
    Missing,
    /// Read in full.
    Value(StatisticSet),
    /// Some of it was read, the rest was not; only [`Series::datapoint`] makes these.
    Partial(StatisticSet),
}

/// How several readings of one slot become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The last one stands for the slot, as SQS publishes one value a minute (periods of 60 s and more).
    Last,
    /// All count (periods below 60 s).
    All,
}

/// The recent slots of one metric of one queue.
#[derive(Clone, Debug)]
pub struct Series {
    step: Duration,
    capacity: usize,
    fold: Fold,
    /// A gauge's reading stands for the slots up to the next one, if that comes within this time.
    hold: Duration,
    /// Oldest first; `end` is the exclusive end of the last.
    slots: VecDeque<Slot>,
    end: Timestamp,
    last_reading: Option<(Timestamp, f64)>,
    /// For what is read in windows: all before this is final. `None` for gauges read as they are.
    settled: Option<Timestamp>,
}

impl Series {
    /// An empty series of `step`-long slots that remembers `reach` and one slot more.
    pub fn new(step: Duration, reach: Duration, fold: Fold) -> Self {
        let capacity = (reach.as_millis() / step.as_millis().max(1)) as usize + 2;
        Self {
            step,
            capacity,
            fold,
            hold: Duration::ZERO,
            slots: VecDeque::new(),
            end: Timestamp::default(),
            last_reading: None,
            settled: None,
        }
    }

    /// The same with `hold`: how long a reading stands for itself when readings are rarer than slots.
    pub fn with_hold(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// Widens the memory to at least `reach`; what is remembered stays.
    pub fn ensure_reach(&mut self, reach: Duration) {
        self.capacity = self.capacity.max((reach.as_millis() / self.step.as_millis().max(1)) as usize + 2);
    }

    /// Takes one reading of a gauge. Readings older than the memory are dropped.
    pub fn record(&mut self, at: Timestamp, value: f64) {
        if let Some((before, held)) = self.last_reading
            && at.since(before) <= self.hold
        {
            self.fill(before.floor(self.step) + self.step, at.floor(self.step), held);
        }
        self.last_reading = Some((at, value));
        let start = at.floor(self.step);
        let slot = match (self.fold, self.at(start)) {
            (Fold::All, Slot::Value(set)) => Slot::Value(set.merge(StatisticSet::single(value))),
            _ => Slot::Value(StatisticSet::single(value)),
        };
        self.set(start, slot);
    }

    fn fill(&mut self, from: Timestamp, to: Timestamp, value: f64) {
        let mut start = from;
        while start < to {
            self.set(start, Slot::Value(StatisticSet::single(value)));
            start = start + self.step;
        }
    }

    /// Writes the slot that starts at `start` (aligned to the step), over what stood there.
    pub fn set(&mut self, start: Timestamp, slot: Slot) {
        let start = start.floor(self.step);
        self.extend_to(start + self.step);
        if let Some(index) = self.index(start) {
            self.slots[index] = slot;
        }
    }

    /// Says that everything before `until` has been read in its final form.
    pub fn settle(&mut self, until: Timestamp) {
        let until = until.floor(self.step);
        self.settled = Some(self.settled.map_or(until, |settled| settled.max(until)));
    }

    /// The end of the newest slot that an evaluation at `now` may look at as a closed one.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        self.settled.unwrap_or_else(|| now.floor(self.step))
    }

    /// The newest value, whatever its slot's age.
    pub fn latest(&self) -> Option<(Timestamp, StatisticSet)> {
        self.slots.iter().rev().enumerate().find_map(|(age, slot)| match slot {
            Slot::Value(set) => Some((self.end - self.step * (age as u32 + 1), *set)),
            _ => None,
        })
    }

    /// What is known of the period `[start, start + period)`: its slots merged.
    pub fn datapoint(&self, start: Timestamp, period: Duration) -> Slot {
        let (mut set, mut unknown): (Option<StatisticSet>, bool) = (None, false);
        let end = start + period;
        let mut at = start.floor(self.step);
        while at < end {
            match self.at(at) {
                Slot::Value(value) | Slot::Partial(value) => {
                    set = Some(set.map_or(value, |sum| sum.merge(value)));
                }
                Slot::Missing => {}
                Slot::Unknown => unknown = true,
            }
            at = at + self.step;
        }
        match (set, unknown) {
            (Some(set), false) => Slot::Value(set),
            (Some(set), true) => Slot::Partial(set),
            (None, false) => Slot::Missing,
            (None, true) => Slot::Unknown,
        }
    }

    /// The slot that starts at `start`; unknown outside the memory.
    pub fn at(&self, start: Timestamp) -> Slot {
        self.index(start).map_or(Slot::Unknown, |index| self.slots[index])
    }

    /// Makes room so that the last slot ends at `end` or later. A jump beyond the memory empties it.
    fn extend_to(&mut self, end: Timestamp) {
        if self.slots.is_empty() {
            self.end = end;
            self.slots.push_back(Slot::Unknown);
            return;
        }
        let ahead = (end.since(self.end).as_millis() / self.step.as_millis().max(1)) as usize;
        if ahead >= self.capacity {
            self.slots.clear();
            self.slots.push_back(Slot::Unknown);
        } else {
            self.slots.extend(std::iter::repeat_n(Slot::Unknown, ahead));
        }
        self.end = self.end.max(end);
        // What is older than the first slot may come later (a re-read window): make room for it as well.
        while self.slots.len() < self.capacity {
            self.slots.push_front(Slot::Unknown);
        }
        self.slots.drain(..self.slots.len() - self.capacity);
    }

    fn index(&self, start: Timestamp) -> Option<usize> {
        if start >= self.end {
            return None;
        }
        let back = self.end.since(start).as_millis().div_ceil(self.step.as_millis().max(1)) as usize;
        self.slots.len().checked_sub(back)
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(series.datapoint(minute(1), MINUTE * 2), value(4.0));
        assert_eq!(series.datapoint(minute(2), MINUTE), Slot::Missing);
        assert_eq!(series.datapoint(minute(3), MINUTE), Slot::Unknown);
        assert_eq!(series.datapoint(minute(9), MINUTE), Slot::Unknown);
        let Slot::Partial(part) = series.datapoint(minute(1), MINUTE * 4) else { panic!("a part") };
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
}
