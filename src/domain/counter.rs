//! CloudWatch's sums per minute turned into a true counter: every minute counted once, revisions included.
//!
//! CloudWatch reports how much happened in each minute, late, and may revise it for a few minutes; a window is therefore read
//! again and again. Prometheus wants one number that only grows. Guaranteed here: the total never falls, reading a minute again
//! changes nothing, and total minus debt is the sum of the latest word on every minute counted.

use std::time::Duration;

use super::time::{MINUTE, Timestamp};

/// How far behind the newest minute a minute may still be counted or revised. AWS revises for about 3 minutes.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// A counter of one metric of one queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counter {
    total: f64,
    /// By how much the total is ahead of the revised sums: later increments pay this first.
    debt: f64,
    /// The minutes that may come again with the sums counted for them, oldest first.
    recent: Vec<(Timestamp, f64)>,
}

/// All that a counter knows, for the store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The counter's value.
    pub total: f64,
    /// By how much later increments are reduced, because sums that are in `total` were revised downward.
    pub debt: f64,
    /// The recent minutes with the sums counted for them, oldest first; the last one bounds what is counted again.
    pub recent: Vec<(Timestamp, f64)>,
}

impl Counter {
    /// Takes CloudWatch's word on one minute, for the first time or again.
    ///
    /// `false` says that it was refused and nothing changed: `sum` is no count (negative, infinite or NaN), or the minute is
    /// [`WINDOW`] or more behind the newest one and may have been counted before. After a long gap minutes must therefore be
    /// given oldest first.
    pub fn observe(&mut self, minute: Timestamp, sum: f64) -> bool {
        let minute = minute.floor(MINUTE);
        if !is_count(sum) || self.newest().is_some_and(|newest| newest.since(minute) >= WINDOW) {
            return false;
        }
        match self.recent.binary_search_by_key(&minute, |(minute, _)| *minute) {
            Ok(index) => {
                let before = std::mem::replace(&mut self.recent[index].1, sum);
                self.change(sum - before);
            }
            Err(index) => {
                self.recent.insert(index, (minute, sum));
                self.change(sum);
                self.forget();
            }
        }
        true
    }

    /// Counts `increase` more, which no minute of CloudWatch's reports. What is no count is refused.
    pub fn add(&mut self, increase: f64) {
        if is_count(increase) {
            self.change(increase);
        }
    }

    /// The counter's value: finite, never negative, never falling.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The newest minute counted.
    pub fn newest(&self) -> Option<Timestamp> {
        self.recent.last().map(|(minute, _)| *minute)
    }

    /// What the store must keep so that [`Counter::restore`] goes on where this counter is.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { total: self.total, debt: self.debt, recent: self.recent.clone() }
    }

    /// The counter of a snapshot. What is no count in it is dropped.
    pub fn restore(snapshot: Snapshot) -> Self {
        let or_zero = |value: f64| if is_count(value) { value } else { 0.0 };
        let mut recent = snapshot.recent;
        recent.retain(|(_, sum)| is_count(*sum));
        recent.sort_by_key(|(minute, _)| *minute);
        recent.dedup_by_key(|(minute, _)| *minute);
        let mut counter = Self { total: or_zero(snapshot.total), debt: or_zero(snapshot.debt), recent };
        counter.forget();
        counter
    }

    fn change(&mut self, by: f64) {
        let owed = by - self.debt;
        self.total = (self.total + owed.max(0.0)).min(f64::MAX);
        self.debt = (-owed).max(0.0);
    }

    fn forget(&mut self) {
        let Some(newest) = self.newest() else { return };
        self.recent.retain(|(minute, _)| newest.since(*minute) < WINDOW);
    }
}

fn is_count(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_secs(n * 60)
    }

    fn read(counter: &mut Counter, reads: &[(i64, f64)]) -> Vec<f64> {
        reads
            .iter()
            .map(|(at, sum)| {
                counter.observe(minute(*at), *sum);
                counter.total()
            })
            .collect()
    }

    #[test]
    fn each_minute_counts_once_and_revisions_count_by_their_difference() {
        for (what, reads, totals) in [
            ("new minutes", vec![(0, 5.0), (1, 7.0)], vec![5.0, 12.0]),
            ("read again", vec![(0, 5.0), (0, 5.0), (1, 0.0), (0, 5.0)], vec![5.0, 5.0, 5.0, 5.0]),
            ("revised upward", vec![(0, 5.0), (1, 1.0), (0, 8.0)], vec![5.0, 6.0, 9.0]),
            (
                "revised downward: the debt is paid by what comes",
                vec![(0, 9.0), (0, 4.0), (1, 3.0), (2, 4.0)],
                vec![9.0, 9.0, 9.0, 11.0],
            ),
            ("down and up again", vec![(0, 9.0), (0, 4.0), (0, 9.0)], vec![9.0, 9.0, 9.0]),
            ("a late minute in between", vec![(0, 1.0), (2, 1.0), (1, 4.0)], vec![1.0, 2.0, 6.0]),
        ] {
            assert_eq!(read(&mut Counter::default(), &reads), totals, "{what}");
        }
    }

    #[test]
    fn what_is_no_count_is_refused() {
        let mut counter = Counter::default();
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert!(!counter.observe(minute(1), wrong), "{wrong}");
        }
        assert_eq!(counter, Counter::default());
        assert!(counter.observe(minute(1), f64::MAX) && counter.observe(minute(2), f64::MAX));
        assert!(counter.total().is_finite());
    }

    #[test]
    fn only_a_bounded_past_is_remembered_and_nothing_older_counts_again() {
        let mut counter = Counter::default();
        for n in 0..100 {
            assert!(counter.observe(minute(n), 1.0));
        }
        assert_eq!(counter.recent.len(), 15);
        assert!(!counter.observe(minute(84), 50.0), "fifteen minutes behind");
        assert_eq!(counter.total(), 100.0);
        assert!(counter.observe(minute(85), 2.0), "fourteen minutes behind");
        assert_eq!(counter.total(), 101.0);
    }

    #[test]
    fn a_restart_counts_no_minute_again() {
        let mut counter = Counter::default();
        read(&mut counter, &[(0, 9.0), (1, 3.0), (0, 4.0)]);
        let mut restored = Counter::restore(counter.snapshot());
        assert_eq!(restored, counter);
        assert_eq!(read(&mut restored, &[(0, 4.0), (1, 3.0), (2, 6.0)]), [12.0, 12.0, 13.0]);
    }

    #[test]
    fn a_damaged_snapshot_yields_a_sound_counter() {
        let recent = vec![(minute(2), 1.0), (minute(1), f64::NAN), (minute(-90), 1.0), (minute(2), 7.0)];
        let counter = Counter::restore(Snapshot { total: f64::NAN, debt: -3.0, recent });
        assert_eq!((counter.total(), counter.debt), (0.0, 0.0));
        assert_eq!(counter.recent, [(minute(2), 1.0)]);
    }

    /// Reads of minutes within one window, each of any minute, any number of times, in any order.
    fn reads() -> impl Strategy<Value = Vec<(i64, u32)>> {
        prop::collection::vec((0i64..15, 0u32..1000), 0..80)
    }

    proptest! {
        #[test]
        fn total_less_debt_is_the_sum_of_the_latest_words(reads in reads(), restart in 0usize..80) {
            let (mut counter, mut latest, mut before) = (Counter::default(), BTreeMap::new(), 0.0);
            for (index, (at, sum)) in reads.into_iter().enumerate() {
                prop_assert!(counter.observe(minute(at), f64::from(sum)));
                latest.insert(at, f64::from(sum));
                prop_assert!(counter.total() >= before, "the total fell");
                before = counter.total();
                prop_assert_eq!(counter.total() - counter.debt, latest.values().sum::<f64>());
                if index == restart {
                    counter = Counter::restore(counter.snapshot());
                }
            }
        }

        #[test]
        fn sums_that_only_grow_are_counted_exactly(mut reads in reads()) {
            reads.sort_by_key(|(_, sum)| *sum);
            let mut counter = Counter::default();
            for (at, sum) in &reads {
                counter.observe(minute(*at), f64::from(*sum));
            }
            let latest: BTreeMap<_, _> = reads.into_iter().collect();
            prop_assert_eq!(counter.total(), latest.values().copied().map(f64::from).sum::<f64>());
        }
    }
}
