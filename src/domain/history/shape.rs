//! How a span of time is divided into the points of a plot.

use std::time::Duration;

use super::{LAST_MINUTE, instant, minute};
use crate::domain::time::{MINUTE, Timestamp};

/// The lengths that are tried first, in minutes: each divides or is a multiple of every tier's bucket.
const STEPS: [i64; 12] = [1, 2, 5, 10, 20, 30, 60, 120, 180, 240, 360, 720];
const DAY: i64 = 1440;
/// More points nobody can see.
const MOST: usize = 11_000;

/// Evenly spaced buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spacing {
    /// The length of one, in minutes.
    pub(super) step: i64,
    first: i64,
    count: i64,
}

impl Spacing {
    /// The shortest of which at most `most` cover `[from, until)`. Before 1970 there is nothing.
    pub(super) fn of(from: Timestamp, until: Timestamp, most: usize) -> Self {
        let most = most.clamp(1, MOST) as i64;
        let [from, until] = [from, until].map(|at| at.clamp(Timestamp::default(), instant(LAST_MINUTE)));
        if until <= from {
            return Self { step: 1, first: minute(from), count: 0 };
        }
        let (first, last) = (minute(from), minute(until.plus_millis(-1)));
        let days = std::iter::successors(Some(DAY), |step| step.checked_mul(2));
        let steps = STEPS.into_iter().chain(days);
        let spaced =
            |step: i64| Self { step, first: first - first % step, count: last / step - first / step + 1 };
        // A step beyond the end of time has one bucket only.
        steps.map(spaced).find(|spacing| spacing.count <= most).unwrap_or(spaced(i64::MAX))
    }

    /// The start of each bucket, oldest first.
    pub(super) fn starts(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |place| self.first + place * self.step)
    }

    /// The length of a bucket.
    pub(super) fn length(self) -> Duration {
        instant(self.step).since(Timestamp::default()).max(MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shortest_step_is_taken_that_needs_no_more_points() {
        let at = Timestamp::from_secs;
        for (from, until, most, step, first, count) in [
            (0, 3 * 3600, 180, 1, 0, 180),
            (0, 3 * 3600, 179, 2, 0, 90),
            (30, 3 * 3600 + 30, 180, 2, 0, 91),
            (3600, 3600 + 86_400, 300, 5, 60, 288),
            (0, 7 * 86_400, 300, 60, 0, 168),
            (0, 7 * 86_400, 7, 1440, 0, 7),
            (0, 7 * 86_400, 1, 11_520, 0, 1),
            (-5, 60, 10, 1, 0, 1),
            (100, 100, 10, 1, 1, 0),
            (200, 100, 10, 1, 3, 0),
        ] {
            let spacing = Spacing::of(at(from), at(until), most);
            assert_eq!(spacing, Spacing { step, first, count }, "[{from}, {until}) in {most}");
        }
    }

    proptest! {
        #[test]
        fn any_span_has_a_bounded_number_of_points_that_cover_it(
            from in any::<i64>(), until in any::<i64>(), most in any::<usize>(),
        ) {
            let spacing = Spacing::of(Timestamp::from_millis(from), Timestamp::from_millis(until), most);
            prop_assert!(spacing.count as usize <= most.clamp(1, MOST));
            prop_assert_eq!(spacing.starts().count() as i64, spacing.count);
            prop_assert_eq!(spacing.first % spacing.step, 0);
            if spacing.count > 0 {
                let end = spacing.first + spacing.count.saturating_mul(spacing.step);
                prop_assert!(spacing.first <= from.max(0) / 60_000);
                prop_assert!(end > (until.min(instant(LAST_MINUTE).as_millis()) - 1) / 60_000);
            }
        }
    }
}
