//! What is remembered how finely for how long, and where in a column it stands.
//!
//! Each tier is a ring: a bucket's place follows from its number alone. A tier remembers whole buckets of the next coarser one
//! only, so that a coarse value can always be made of all its parts.

use std::ops::Range;

/// Equal buckets over some time.
#[derive(Debug)]
pub(super) struct Tier {
    /// The length of a bucket.
    pub(super) minutes: i64,
    /// How many buckets are remembered at least, the present one included.
    reach: i64,
    /// How many of them are one bucket of the next tier.
    ratio: i64,
    /// Where its ring begins in a column.
    offset: usize,
}

/// A minute for three hours, ten minutes for a day, an hour for a week; finest first.
pub(super) const TIERS: [Tier; 3] = [
    Tier { minutes: 1, reach: 180, ratio: 10, offset: 0 },
    Tier { minutes: 10, reach: 144, ratio: 6, offset: 190 },
    Tier { minutes: 60, reach: 169, ratio: 1, offset: 340 },
];

/// The values of one column.
pub(super) const SLOTS: usize = 510;

impl Tier {
    /// The bucket that a minute is in.
    pub(super) fn bucket(&self, minute: i64) -> i64 {
        minute.div_euclid(self.minutes)
    }

    /// The buckets that are remembered before the minute `end`.
    pub(super) fn window(&self, end: i64) -> Range<i64> {
        let past = self.bucket(end.saturating_sub(1)) + 1;
        let first = past - self.reach;
        first - first.rem_euclid(self.ratio)..past
    }

    /// The bucket of the next tier that this one is a part of.
    pub(super) fn parent(&self, bucket: i64) -> i64 {
        bucket.div_euclid(self.ratio)
    }

    /// The buckets that are one bucket of the next tier.
    pub(super) fn parts(&self, parent: i64) -> Range<i64> {
        parent * self.ratio..(parent + 1) * self.ratio
    }

    /// How many places its ring has.
    pub(super) fn slots(&self) -> i64 {
        self.reach + self.ratio
    }

    /// Whether nothing is remembered for longer.
    pub(super) fn is_coarsest(&self) -> bool {
        self.ratio == 1
    }

    /// The place of a bucket in a column.
    pub(super) fn slot(&self, bucket: i64) -> usize {
        self.offset + bucket.rem_euclid(self.slots()) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_lie_side_by_side_and_hold_every_window_in_whole_buckets_of_the_next() {
        let mut offset = 0;
        for (place, tier) in TIERS.iter().enumerate() {
            assert_eq!(tier.offset, offset);
            offset += tier.slots() as usize;
            let ratio = TIERS.get(place + 1).map_or(1, |coarser| coarser.minutes / tier.minutes);
            assert_eq!(tier.ratio, ratio);
            for end in -200_000..200_000 {
                let window = tier.window(end);
                let length = window.end - window.start;
                assert!((tier.reach..=tier.slots()).contains(&length), "{end}: {window:?}");
                assert_eq!(window.start.rem_euclid(ratio), 0);
                assert!(
                    window.contains(&tier.bucket(end - 1))
                        && !window.contains(&tier.bucket(end - 1 + tier.minutes))
                );
            }
        }
        assert_eq!(offset, SLOTS);
    }
}
