//! The past of one queue's main numbers, for plots: minutes for hours, ten minutes for a day, hours for a week.
//!
//! Guaranteed: bounded memory whatever comes (a column of 510 two-byte values a metric, and an eighth of a byte a value
//! for one that was never anything but 0); what is not known is absent, never 0; whole numbers to 4095 come back as they went in,
//! larger and broken ones within 0.03 %; a value of a later minute than `now` is not taken.
//!
//! Memory: a column is 1 KiB. A busy queue has seven or eight such metrics, so 10,000 busy queues take 70 to
//! 80 MB; an idle queue, whose values are all 0, takes less than 1 KiB.
//!
//! A coarse value is made of the finer ones it spans, whenever one of these changes: the largest of a gauge, the mean of a sum
//! per minute. Of hours, that is the mean of what is known of their tens of minutes.

pub mod bytes;
mod column;
mod packed;
mod shape;
#[cfg(test)]
mod tests;
mod tiers;

use std::collections::BTreeMap;
use std::time::Duration;

use super::metric::{Kind, Metric};
use super::time::{Jump, MINUTE, Timestamp};
use column::Column;
use packed::Packed;
use shape::Spacing;
use tiers::{TIERS, Tier};

/// The metrics that are remembered, in the order of the catalogue.
pub const TRACKED: [Metric; 9] = [
    Metric::MessagesVisible,
    Metric::MessagesInFlight,
    Metric::MessagesDelayed,
    Metric::OldestMessageAge,
    Metric::MessagesSent,
    Metric::MessagesReceived,
    Metric::MessagesDeleted,
    Metric::EmptyReceives,
    Metric::DeadLetters,
];

/// The end of time: the year 9999.
const LAST_MINUTE: i64 = 253_402_300_800 / 60;

/// How far back a history reaches at most.
pub const REACH: Duration = Duration::from_secs(7 * 86_400);

/// One value of a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The bucket's start.
    pub at: Timestamp,
    /// The largest of a gauge, the mean sum per minute of a counter; `None` where nothing is known.
    pub value: Option<f64>,
}

/// The values of a plot, evenly spaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// The length of a bucket: a whole multiple of a minute.
    pub step: Duration,
    /// Oldest first.
    pub points: Vec<Point>,
}

/// The remembered past of one queue.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The minute, counted from the epoch, after the newest that was noted; what it says without a column has no meaning.
    end: i64,
    /// In the order of [`TRACKED`].
    columns: [Column; TRACKED.len()],
}

impl Default for History {
    fn default() -> Self {
        Self { end: 0, columns: std::array::from_fn(|_| Column::Unknown) }
    }
}

impl History {
    /// Takes a reading of a gauge made at `at`, which is now: the largest of a minute stands for it.
    pub fn read(&mut self, metric: Metric, at: Timestamp, value: f64) {
        let (Some(column), Some(value)) = (position(metric), Packed::of(value)) else { return };
        self.advance(minute(at));
        if self.at(column, &TIERS[0], minute(at)).is_none_or(|known| known < value) {
            self.set(column, 0, minute(at), value);
        }
    }

    /// Takes an increase of a counter that was seen at `at`, which is now. An increase of 0 makes its minute known.
    pub fn increase(&mut self, metric: Metric, at: Timestamp, by: f64) {
        let Some(column) = position(metric) else { return };
        self.advance(minute(at));
        let before = self.at(column, &TIERS[0], minute(at)).map_or(0.0, Packed::value);
        if let Some(value) = Packed::of(before + by) {
            self.set(column, 0, minute(at), value);
        }
    }

    /// Takes what CloudWatch says at `now` about whole minutes, each by its start: the latest word on a minute stands. Of the time
    /// whose minutes are forgotten already, it fills what is unknown.
    pub fn tell(
        &mut self,
        metric: Metric,
        now: Timestamp,
        minutes: impl IntoIterator<Item = (Timestamp, f64)>,
    ) {
        let Some(column) = position(metric) else { return };
        self.advance(minute(now));
        let mut old: BTreeMap<(usize, i64), Vec<Packed>> = BTreeMap::new();
        for (at, value) in minutes {
            let (at, Some(value)) = (minute(at), Packed::of(value)) else { continue };
            if at > minute(now) {
                continue;
            }
            match self.tier_of(at) {
                Some(0) => self.set(column, 0, at, value),
                Some(tier) => old.entry((tier, TIERS[tier].bucket(at))).or_default().push(value),
                None => {}
            }
        }
        for ((tier, bucket), values) in old {
            if self.at(column, &TIERS[tier], bucket).is_none()
                && let Some(value) = fold(column, values.into_iter())
            {
                self.set(column, tier, bucket, value);
            }
        }
    }

    /// The points of `metric` in `[from, until)`, oldest first: at most `most` of them, and as many as a whole multiple of a minute
    /// allows that fits the remembered buckets. Buckets are aligned to that spacing, so the first may begin before `from`. A value
    /// that is remembered for longer than a bucket stands in each of the buckets it spans. A sum is per minute (the mean over what
    /// is known), so that zooming does not change the scale.
    pub fn points(&self, metric: Metric, from: Timestamp, until: Timestamp, most: usize) -> Points {
        let spacing = Spacing::of(from, until, most);
        let column = position(metric).filter(|column| !self.columns[*column].is_unknown());
        let point = |start: i64| Point {
            at: instant(start),
            value: column.and_then(|column| self.value(column, start, start + spacing.step)),
        };
        Points { step: spacing.length(), points: spacing.starts().map(point).collect() }
    }

    /// The earliest instant of which anything is known.
    pub fn since(&self) -> Option<Timestamp> {
        self.earliest(&self.columns)
    }

    /// The earliest instant of which this metric is known.
    pub fn known_since(&self, metric: Metric) -> Option<Timestamp> {
        self.earliest(std::slice::from_ref(&self.columns[position(metric)?]))
    }

    fn earliest(&self, columns: &[Column]) -> Option<Timestamp> {
        let known: Vec<&Column> = columns.iter().filter(|column| !column.is_unknown()).collect();
        let mut earliest: Option<i64> = None;
        for tier in TIERS.iter().rev() {
            let mut window = tier.window(self.end);
            if earliest.is_some_and(|earliest| earliest < window.start * tier.minutes) {
                break;
            }
            let is_known = |bucket: &i64| known.iter().any(|column| column.get(tier.slot(*bucket)).is_some());
            earliest = window.find(is_known).map(|bucket| bucket * tier.minutes).or(earliest);
        }
        earliest.map(instant)
    }

    /// Whether nothing was ever noted.
    pub fn is_empty(&self) -> bool {
        self.columns.iter().all(Column::is_unknown)
    }

    /// The end of the newest minute that was noted; of an empty history it means nothing.
    pub fn end(&self) -> Timestamp {
        instant(self.end)
    }

    /// Whether all that is known lies further back than a history reaches.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.is_empty() || now.since(self.end()) > REACH
    }

    /// Forgets what lies after `now`: it was noted by a clock that was wrong.
    pub fn forget_after(&mut self, now: Timestamp) {
        let end = minute(now).saturating_add(1);
        if end < self.end {
            self.moved_by(0, end);
        }
    }

    /// The wall clock was set: everything is as long ago as it was, to a bucket.
    pub fn shift(&mut self, jump: Jump) {
        let by = minute(jump.to) - minute(jump.from);
        self.moved_by(by, self.end.saturating_add(by));
    }

    /// Builds the same anew, later by so many minutes, without what lies at `end` and after it.
    fn moved_by(&mut self, by: i64, end: i64) {
        let mut moved = Self { end, ..Self::default() };
        for (place, tier) in TIERS.iter().enumerate() {
            let buckets = (by as f64 / tier.minutes as f64).round() as i64;
            for bucket in tier.window(self.end) {
                for column in 0..TRACKED.len() {
                    if let Some(value) = self.at(column, tier, bucket) {
                        moved.put(column, tier, bucket.saturating_add(buckets), Some(value));
                    }
                }
            }
            if place > 0 {
                moved.fold_anew(place);
            }
        }
        *self = moved;
    }

    /// Makes the values of a tier of all those of the finer one.
    fn fold_anew(&mut self, place: usize) {
        let (fine, tier) = (&TIERS[place - 1], &TIERS[place]);
        let first = tier.bucket(fine.window(self.end).start * fine.minutes);
        for bucket in first..tier.window(self.end).end {
            for column in 0..TRACKED.len() {
                let folded = self.folded(column, fine, bucket);
                self.put(column, tier, bucket, folded);
            }
        }
    }

    /// Makes room for the present minute.
    fn advance(&mut self, present: i64) {
        let end = present.saturating_add(1);
        if end <= self.end && !self.is_empty() {
            return;
        }
        if self.is_empty() {
            self.end = end;
            return;
        }
        for tier in &TIERS {
            let (known, wanted) = (tier.window(self.end).end, tier.window(end).end);
            if wanted - known >= tier.slots() && tier.is_coarsest() {
                *self = Self { end, ..Self::default() };
                return;
            }
            for bucket in known.max(wanted - tier.slots())..wanted {
                self.columns.iter_mut().for_each(|column| column.set(tier.slot(bucket), None));
            }
        }
        self.end = end;
    }

    /// The finest tier that remembers this minute.
    fn tier_of(&self, minute: i64) -> Option<usize> {
        TIERS.iter().position(|tier| tier.window(self.end).contains(&tier.bucket(minute)))
    }

    fn at(&self, column: usize, tier: &Tier, bucket: i64) -> Option<Packed> {
        let inside = tier.window(self.end).contains(&bucket);
        inside.then(|| self.columns[column].get(tier.slot(bucket))).flatten()
    }

    fn put(&mut self, column: usize, tier: &Tier, bucket: i64, value: Option<Packed>) {
        if tier.window(self.end).contains(&bucket) {
            self.columns[column].set(tier.slot(bucket), value);
        }
    }

    /// Writes a bucket, and what follows from it in the coarser tiers.
    fn set(&mut self, column: usize, tier: usize, bucket: i64, value: Packed) {
        if self.at(column, &TIERS[tier], bucket) == Some(value) {
            return;
        }
        let fine = &TIERS[tier];
        self.put(column, fine, bucket, Some(value));
        if !fine.is_coarsest()
            && let Some(folded) = self.folded(column, fine, fine.parent(bucket))
        {
            self.set(column, tier + 1, fine.parent(bucket), folded);
        }
    }

    /// What a bucket of the next coarser tier is by its parts.
    fn folded(&self, column: usize, fine: &Tier, parent: i64) -> Option<Packed> {
        fold(column, fine.parts(parent).filter_map(|part| self.at(column, fine, part)))
    }

    /// The value of the minutes `[start, end)` by the finest that is remembered of each.
    fn value(&self, column: usize, start: i64, end: i64) -> Option<f64> {
        let starts = TIERS.map(|tier| tier.window(self.end).start * tier.minutes);
        let (mut known, mut sum, mut largest) = (0.0, 0.0, 0.0_f64);
        let mut at = start.max(starts[TIERS.len() - 1]);
        while at < end.min(self.end) {
            let tier = &TIERS[starts.iter().position(|start| *start <= at)?];
            let next = (tier.bucket(at) + 1) * tier.minutes;
            if let Some(value) = self.columns[column].get(tier.slot(tier.bucket(at))) {
                let (value, minutes) = (value.value(), (next.min(end) - at) as f64);
                known += minutes;
                sum += value * minutes;
                largest = largest.max(value);
            }
            at = next;
        }
        let value = if is_sum(column) { sum / known } else { largest };
        (known > 0.0).then_some(value)
    }
}

/// What the values of several buckets are as one.
fn fold(column: usize, values: impl Iterator<Item = Packed>) -> Option<Packed> {
    if !is_sum(column) {
        return values.max();
    }
    let (count, sum) = values.fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + value.value()));
    if count == 0 { None } else { Packed::of(sum / f64::from(count)) }
}

fn is_sum(column: usize) -> bool {
    TRACKED[column].row().kind == Kind::Counter
}

fn position(metric: Metric) -> Option<usize> {
    TRACKED.iter().position(|tracked| *tracked == metric)
}

/// The minute an instant is in, counted from the epoch.
fn minute(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MINUTE.as_millis() as i64)
}

fn instant(minute: i64) -> Timestamp {
    Timestamp::from_secs(minute.saturating_mul(60))
}
