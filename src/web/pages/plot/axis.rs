//! The time axis of a plot: equal buckets, and ticks at round times.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// How wide the drawing is in its own units: it is stretched to the room there is.
pub const WIDTH: f64 = 1000.0;
/// At most so many ticks fit side by side on a small screen.
const TICKS: i64 = 6;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// The distances that ticks can have, in seconds; then doubled days.
const ROUND: [i64; 14] = [
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];

/// The buckets that a plot has values of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The start of the first.
    pub from: Timestamp,
    /// The length of one.
    pub step: Duration,
    /// How many there are.
    pub count: usize,
}

impl Axis {
    /// The end of the last bucket.
    pub fn until(self) -> Timestamp {
        self.from + self.step * u32::try_from(self.count).unwrap_or(u32::MAX)
    }

    /// Where an instant is, from 0 to [`WIDTH`]; what is outside is at the edge.
    pub fn x(self, at: Timestamp) -> f64 {
        let span = self.until().as_secs_f64() - self.from.as_secs_f64();
        let share = (at.as_secs_f64() - self.from.as_secs_f64()) / span;
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) * WIDTH }
    }

    /// The width of a bucket.
    pub fn bucket(self) -> f64 {
        WIDTH / self.count.max(1) as f64
    }

    /// The distance of two ticks.
    pub fn every(self) -> Duration {
        let span = self.until().since(self.from).as_secs() as i64;
        let days = std::iter::successors(Some(28 * DAY), |every| every.checked_mul(2));
        let every = ROUND.into_iter().chain(days).find(|every| span / every <= TICKS);
        Duration::from_secs(every.unwrap_or(DAY).unsigned_abs())
    }

    /// Round instants in UTC, each with what is written below it.
    pub fn ticks(self) -> Vec<(Timestamp, String)> {
        let every = self.every();
        let first = self.from.floor(every);
        let all = (0..=TICKS as u32 + 1).map(|count| first + every * count);
        all.filter(|at| *at >= self.from && *at <= self.until()).map(|at| (at, words(at, every))).collect()
    }
}

/// The time of day, and at midnight the day.
fn words(at: Timestamp, every: Duration) -> String {
    let midnight = at.as_secs().rem_euclid(DAY) == 0 || every.as_secs() >= DAY.unsigned_abs();
    let form = if midnight { "%-d %b" } else { "%H:%M" };
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map(|at| at.strftime(form).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ticks(from: &str, step: u64, count: usize) -> String {
        let axis = Axis { from: from.parse().unwrap(), step: Duration::from_secs(step), count };
        axis.ticks().into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn ticks_are_at_round_times() {
        for (from, step, count, expected) in [
            ("2026-01-02T03:04:00Z", 60, 60, "03:10, 03:20, 03:30, 03:40, 03:50, 04:00"),
            ("2026-01-02T03:04:00Z", 60, 180, "03:30, 04:00, 04:30, 05:00, 05:30, 06:00"),
            ("2026-01-01T20:00:00Z", 300, 144, "20:00, 22:00, 2 Jan, 02:00, 04:00, 06:00, 08:00"),
            ("2026-01-01T05:00:00Z", 3600, 168, "3 Jan, 5 Jan, 7 Jan"),
            ("2026-01-01T05:00:00Z", 60, 0, "05:00"),
        ] {
            assert_eq!(ticks(from, step, count), expected, "{from} {step} {count}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_is_inside(from in any::<i64>(), step in 0u64..1_000_000, count in 0usize..12_000, at in any::<i64>()) {
            let axis = Axis { from: Timestamp::from_millis(from), step: Duration::from_secs(step), count };
            prop_assert!((0.0..=WIDTH).contains(&axis.x(Timestamp::from_millis(at))));
            prop_assert!(axis.ticks().len() <= 8);
            prop_assert!(axis.bucket().is_finite());
        }
    }
}
