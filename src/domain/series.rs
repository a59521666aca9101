//! The recent past of one number: a bounded row of equal slots, and statistics over periods of it.
//!
//! A slot says which of four things is true, because an alarm must not confuse them: a value was read, it was read that
//! there is none (missing), it was not read (unknown: a failed or late read is not missing data), or only a part was read.

mod samples;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::rule::Statistic;
use super::time::{Jump, Timestamp};
use samples::Samples;

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

    /// One statistic of the set. A percentile cannot be had from a set: that of a custom metric CloudWatch computes, and its
    /// word on the minute stands in the set as the maximum; that of a queue's metric is made of [`Series::values`].
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
    /// Some of it was read, and more may come.
    Partial(StatisticSet),
    /// Between two readings, the first of which gave this value. It stands for a period in which nothing else was read, and
    /// is no reading of its own.
    Held(f64),
}

/// How several readings of one slot become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The last one stands for the slot, as SQS publishes one value a minute (periods of 60 s and more).
    Last,
    /// All count (periods below 60 s).
    All,
    /// They are increases, and their total is the slot's one value (counters that are kept here).
    Total,
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
    /// Every reading, where a percentile of readings is wanted.
    samples: Option<Samples>,
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
            samples: None,
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

    /// Keeps every reading from now on, or none any more. A minute's one value needs no keeping: only [`Fold::All`] does.
    pub fn keep_samples(&mut self, keep: bool) {
        let keep = keep && self.fold == Fold::All;
        if keep != self.samples.is_some() {
            self.samples = keep.then(Samples::default);
        }
    }

    /// Takes one reading of a gauge, or one increase ([`Fold::Total`]). What is older than the memory is dropped, and so is
    /// what is no number.
    pub fn record(&mut self, at: Timestamp, value: f64) {
        if !value.is_finite() {
            return;
        }
        if let Some((before, held)) = self.last_reading
            && at.since(before) <= self.hold
        {
            self.fill(before.floor(self.step) + self.step, at.floor(self.step), held);
        }
        self.last_reading = Some((at, value));
        let start = at.floor(self.step);
        let set = match (self.fold, self.at(start)) {
            (Fold::All, Slot::Value(set)) => set.merge(StatisticSet::single(value)),
            (Fold::Total, Slot::Value(set)) => StatisticSet::single(set.sum + value),
            _ => StatisticSet::single(value),
        };
        self.set(start, Slot::Value(set));
        let memory = self.end - self.step * self.capacity as u32;
        if let Some(samples) = &mut self.samples {
            samples.push(at, value, memory);
        }
    }

    /// What is known of the slots between two readings; what was read stands.
    fn fill(&mut self, from: Timestamp, to: Timestamp, held: f64) {
        let slot = match self.fold {
            Fold::Last => Slot::Value(StatisticSet::single(held)),
            Fold::All => Slot::Held(held),
            Fold::Total => Slot::Value(StatisticSet::single(0.0)),
        };
        let mut start = from;
        while start < to {
            if self.at(start) == Slot::Unknown {
                self.set(start, slot);
            }
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

    /// The wall clock was set. What was read here moves along, so that the history goes on without a gap; windows were asked for by
    /// the old clock, so what they told is unknown until they are read again.
    pub fn shift(&mut self, jump: Jump) {
        if self.settled.take().is_some() {
            (self.slots, self.end) = (VecDeque::new(), Timestamp::default());
        }
        if self.slots.is_empty() {
            return;
        }
        self.end = jump.moved_slot(self.end, self.step);
        if let Some(samples) = &mut self.samples {
            samples.shift(|at| jump.moved_slot(at, self.step));
        }
        if let Some((at, value)) = self.last_reading.take() {
            let (slot, at) = (jump.moved_slot(at.floor(self.step), self.step), jump.moved(at));
            // Its own slot may be one short of it now; nothing was missed in between.
            self.fill(slot + self.step, at.floor(self.step) + self.step, value);
            self.last_reading = Some((at, value));
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

    /// The end of the newest slot of which something was read; the epoch for an empty series.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// The length of a slot, by which the windows of an evaluation slide.
    pub fn step(&self) -> Duration {
        self.step
    }

    /// What is known of the period `[start, start + period)`: its slots merged, those from `closed` on as ones to which more
    /// may come.
    pub fn datapoint(&self, start: Timestamp, period: Duration, closed: Timestamp) -> Slot {
        let (mut set, mut held, mut unknown): (Option<StatisticSet>, _, bool) = (None, None, false);
        let end = start + period;
        let mut at = start.floor(self.step);
        while at < end {
            let slot = if at < closed { self.at(at) } else { self.open(at) };
            match slot {
                Slot::Value(value) | Slot::Partial(value) => {
                    set = Some(set.map_or(value, |sum| sum.merge(value)));
                    unknown |= matches!(slot, Slot::Partial(_));
                }
                Slot::Held(value) => held = Some(StatisticSet::single(value)),
                Slot::Missing => {}
                Slot::Unknown => unknown = true,
            }
            at = at + self.step;
        }
        match (set, unknown) {
            (Some(set), false) => Slot::Value(set),
            (Some(set), true) => Slot::Partial(set),
            (None, false) => held.map_or(Slot::Missing, Slot::Value),
            (None, true) => Slot::Unknown,
        }
    }

    /// A slot that is not over. Of a minute that its last reading stands for nothing is certain before its end.
    fn open(&self, start: Timestamp) -> Slot {
        match (self.at(start), self.fold) {
            (Slot::Partial(set), _) | (Slot::Value(set), Fold::All | Fold::Total) => Slot::Partial(set),
            _ => Slot::Unknown,
        }
    }

    /// The single values of which the period's [`Series::datapoint`] is made, for percentiles: one a minute, or every reading
    /// where all of them count. `None` when not every reading was kept.
    pub fn values(&self, start: Timestamp, period: Duration) -> Option<Vec<f64>> {
        let end = start + period;
        let slots = || {
            let starts = std::iter::successors(Some(start.floor(self.step)), |at| Some(*at + self.step));
            starts.take_while(|at| *at < end).map(|at| self.at(at))
        };
        if self.fold != Fold::All {
            let value = |slot| match slot {
                Slot::Value(set) | Slot::Partial(set) => Some(set.sum),
                _ => None,
            };
            return Some(slots().filter_map(value).collect());
        }
        let values = self.samples.as_ref()?.between(start, end);
        let counted = slots().map(|slot| if let Slot::Value(set) = slot { set.count } else { 0.0 });
        if counted.sum::<f64>() != values.len() as f64 {
            return None;
        }
        let held =
            || slots().filter_map(|slot| if let Slot::Held(value) = slot { Some(value) } else { None });
        Some(if values.is_empty() { held().last().into_iter().collect() } else { values })
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
