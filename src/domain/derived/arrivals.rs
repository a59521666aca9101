//! How many messages arrived in a dead-letter queue, which SQS counts nowhere.
//!
//! A rise of the total depth is arrivals. What comes and is deleted between two readings shows in CloudWatch's deletes only, minutes
//! later: deletes that no fall of the depth accounts for are of messages that were never seen, and these arrived as well. A fall that
//! no deletes account for (a redrive, a purge, the end of the retention) is none of arrivals, and is forgotten once its minutes
//! are final, so that later deletes count.
//!
//! Counts are approximate. A single reading may be a phantom, too high or 0 although messages are there; and they settle
//! within about a minute. So a level moves only as far as two readings in a row agree, and deletes are held against it only when
//! enough readings have followed them. In doubt a message is not counted: never twice.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::domain::time::{MINUTE, Timestamp};

/// How long the counts may take to show what has happened (SQS developer guide: about a minute).
const SETTLING: Duration = Duration::from_secs(60);
/// How far the clocks of readings and of CloudWatch's minutes may be apart.
const SKEW: Duration = Duration::from_secs(30);
/// Readings that must have followed a minute: among as many, two in a row are sound even when one is a phantom.
const READINGS: usize = 4;
/// How long what was not accounted for is remembered while CloudWatch is silent.
const MEMORY: Duration = Duration::from_secs(6 * 3600);

/// The arrivals in one dead-letter queue, from readings of its total depth and from the deletes of its minutes.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrivals {
    /// The total that is taken for true: the median of itself and the last two readings.
    level: u64,
    last: u64,
    /// When the last few readings were made, oldest first.
    readings: VecDeque<Timestamp>,
    /// Falls of the level that no deletes account for yet, oldest first.
    falls: Vec<Fall>,
    /// The deletes of final minutes that are not held against the level yet.
    deletes: BTreeMap<Timestamp, u64>,
    /// Every minute before this one is final.
    settled: Timestamp,
    /// Deletes before this instant are accounted for, or were before the first reading.
    done: Timestamp,
}

/// A fall of the level, and between which readings it happened.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fall {
    after: Timestamp,
    until: Timestamp,
    messages: u64,
}

impl Arrivals {
    /// Starts from a first reading of the total depth: what is there already has not arrived.
    pub fn since(at: Timestamp, total: u64) -> Self {
        Self {
            level: total,
            last: total,
            readings: VecDeque::from([at]),
            falls: Vec::new(),
            deletes: BTreeMap::new(),
            settled: Timestamp::default(),
            // The counts may still show what was deleted in the minute before.
            done: at + SETTLING,
        }
    }

    /// Takes a later reading, and says how many arrivals it makes known.
    pub fn observe(&mut self, at: Timestamp, total: u64) -> u64 {
        match self.readings.back() {
            Some(last) if at == *last => return 0,
            Some(last) if at < *last => self.start_anew(at),
            _ => {}
        }
        let before = self.level;
        self.level = before.clamp(self.last.min(total), self.last.max(total));
        self.last = total;
        if self.level < before {
            let after = *self.readings.front().unwrap_or(&at);
            self.falls.push(Fall { after, until: at, messages: before - self.level });
        }
        self.readings.push_back(at);
        if self.readings.len() > READINGS {
            self.readings.pop_front();
        }
        self.level.saturating_sub(before).saturating_add(self.account(at))
    }

    /// After a clock went back: which deletes were when is not known any more, the level is.
    fn start_anew(&mut self, at: Timestamp) {
        *self = Self { level: self.level, ..Self::since(at, self.last) };
        self.readings.clear();
    }

    /// Takes the deletes of minutes, in which nothing will change any more before `settled`; the next reading makes known what
    /// follows. Minutes told again are told for good.
    pub fn deleted(&mut self, minutes: impl IntoIterator<Item = (Timestamp, u64)>, settled: Timestamp) {
        self.settled = self.settled.max(settled.floor(MINUTE));
        for (minute, messages) in minutes {
            if minute >= self.done && minute < self.settled {
                self.deletes.insert(minute.floor(MINUTE), messages);
            }
        }
    }

    /// Holds the deletes of minutes that enough readings have followed against the falls; what remains has arrived unseen.
    fn account(&mut self, now: Timestamp) -> u64 {
        let followed = match self.readings.front() {
            Some(oldest) if self.readings.len() == READINGS => (*oldest - SETTLING).floor(MINUTE),
            _ => return 0,
        };
        let until = followed.min(self.settled);
        let later = self.deletes.split_off(&until);
        let mut unseen = 0u64;
        for (minute, messages) in std::mem::replace(&mut self.deletes, later) {
            unseen = unseen.saturating_add(self.explain(minute, messages));
        }
        // While CloudWatch is silent, old falls are given up, and with them the minutes they may have been of.
        self.done = self.done.max(until).max((now - MEMORY).floor(MINUTE));
        self.deletes = self.deletes.split_off(&self.done);
        self.falls.retain(|fall| fall.messages > 0 && fall.until + SKEW >= self.done);
        unseen
    }

    /// Takes the deletes of one minute off the falls that may be theirs, and says how many are left.
    fn explain(&mut self, minute: Timestamp, mut messages: u64) -> u64 {
        let (from, until) = (minute - SKEW, minute + MINUTE + SETTLING);
        for fall in self.falls.iter_mut().filter(|fall| fall.until >= from && fall.after <= until) {
            let explained = fall.messages.min(messages);
            fall.messages -= explained;
            messages -= explained;
        }
        messages
    }

    /// The total that is taken for true.
    pub fn level(&self) -> u64 {
        self.level
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_767_312_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(START + second)
    }

    /// What each of `totals` makes known after the first, read every fifteen seconds.
    fn read(totals: &[u64]) -> Vec<u64> {
        let mut arrivals = Arrivals::since(at(0), totals[0]);
        let later = totals[1..].iter().enumerate();
        later.map(|(n, total)| arrivals.observe(at(15 * (n as i64 + 1)), *total)).collect()
    }

    #[test]
    fn a_rise_counts_when_a_second_reading_confirms_it() {
        for (what, totals, arrived) in [
            ("what was there has not arrived", vec![7, 7, 7], vec![0, 0]),
            ("a rise counts with the next reading", vec![0, 3, 3, 3], vec![0, 3, 0]),
            ("a phantom does not", vec![0, 3, 0, 0], vec![0, 0, 0]),
            ("a rise goes on", vec![0, 3, 5, 5], vec![0, 3, 2]),
            ("a rise is confirmed in part", vec![0, 5, 3, 3], vec![0, 3, 0]),
            ("a dip is no arrival", vec![5, 0, 5, 5], vec![0, 0, 0]),
            ("emptied and filled again", vec![5, 0, 0, 2, 2], vec![0, 0, 0, 2]),
        ] {
            assert_eq!(read(&totals), arrived, "{what}");
        }
    }

    /// One dead-letter queue of which everything is known: what happens in which second.
    #[derive(Clone, Debug, Default)]
    struct World {
        arrivals: BTreeMap<i64, u64>,
        deletes: BTreeMap<i64, u64>,
        /// Redrives and the like.
        moves: BTreeMap<i64, u64>,
    }

    fn until(events: &BTreeMap<i64, u64>, second: i64) -> u64 {
        events.range(..=second).map(|(_, messages)| messages).sum()
    }

    impl World {
        /// Takes as much as there is of what is wanted to leave.
        fn new(arrivals: &[(i64, u64)], deletes: &[(i64, u64)], moves: &[(i64, u64)]) -> Self {
            let mut world = Self::default();
            for (second, messages) in arrivals {
                *world.arrivals.entry(*second).or_default() += messages;
            }
            let leaving =
                deletes.iter().map(|event| (event, false)).chain(moves.iter().map(|event| (event, true)));
            let mut leaving: Vec<_> = leaving.collect();
            leaving.sort();
            for ((second, messages), moved) in leaving {
                let there = world.total(*second).min(*messages);
                let events = if moved { &mut world.moves } else { &mut world.deletes };
                *events.entry(*second).or_default() += there;
            }
            world
        }

        fn total(&self, second: i64) -> u64 {
            until(&self.arrivals, second) - until(&self.deletes, second) - until(&self.moves, second)
        }

        /// CloudWatch's word on the minutes that are five minutes old.
        fn settled(&self, now: i64) -> (Vec<(Timestamp, u64)>, Timestamp) {
            let last = (now - 300).div_euclid(60);
            let minutes = (0..last.max(0)).filter_map(|minute| {
                let of_it = self.deletes.range(minute * 60..(minute + 1) * 60);
                let messages = of_it.map(|(_, messages)| messages).sum::<u64>();
                (messages > 0).then(|| (at(minute * 60), messages))
            });
            (minutes.collect(), at(last * 60))
        }

        /// Counts as the daemon would, up to `end`, and holds that it is never more than the truth; `odd` are phantoms.
        fn counted(&self, end: i64, every: i64, odd: &BTreeMap<i64, u64>) -> u64 {
            let mut arrivals = Arrivals::since(at(0), 0);
            let mut counted = 0;
            for n in 1..=end / every {
                let now = n * every;
                let (minutes, settled) = self.settled(now);
                arrivals.deleted(minutes, settled);
                let total = odd.get(&n).copied().unwrap_or_else(|| self.total(now));
                counted += arrivals.observe(at(now), total);
                let true_count = until(&self.arrivals, now);
                assert!(counted <= true_count, "{counted} of {true_count} counted at {now} s");
            }
            counted
        }
    }

    #[test]
    fn what_comes_and_goes_between_two_readings_is_counted_by_its_deletes() {
        let none = BTreeMap::new();
        for (what, arrivals, deletes, moves, expected) in [
            ("unseen", vec![(601, 5)], vec![(604, 5)], vec![], 5),
            ("seen and then deleted", vec![(601, 5)], vec![(700, 5)], vec![], 5),
            ("seen in part", vec![(601, 5)], vec![(604, 2)], vec![], 5),
            ("over a minute's end", vec![(655, 5)], vec![(659, 2), (661, 3)], vec![], 5),
            (
                "all the time",
                vec![(601, 5), (631, 5), (661, 5)],
                vec![(605, 5), (635, 5), (667, 5)],
                vec![],
                15,
            ),
            ("redriven, then unseen", vec![(601, 9), (1801, 4)], vec![(1803, 4)], vec![(700, 9)], 13),
            ("redriven in part", vec![(601, 9)], vec![(700, 3)], vec![(701, 6)], 9),
        ] {
            let world = World::new(&arrivals, &deletes, &moves);
            assert_eq!(world.counted(3600, 15, &none), expected, "{what}");
        }
    }

    #[test]
    fn deletes_of_messages_that_were_there_at_the_start_are_no_arrivals() {
        let mut arrivals = Arrivals::since(at(30), 9);
        arrivals.deleted([(at(0), 3), (at(60), 4)], at(120));
        let known: u64 = (0..40).map(|n| arrivals.observe(at(95 + 15 * n), 5)).sum();
        assert_eq!(known, 0);
    }

    #[test]
    fn a_silent_cloudwatch_costs_no_memory_and_counts_nothing_late() {
        let mut arrivals = Arrivals::since(at(0), 10_000);
        let mut known: u64 = (1..10_000).map(|n| arrivals.observe(at(n * 15), 10_000 - n as u64)).sum();
        assert!(arrivals.falls.len() <= 6 * 240 + 10, "{}", arrivals.falls.len());
        arrivals.deleted((0..2499).map(|minute| (at(minute * 60), 4)), at(2520 * 60));
        known += (10_000..10_100).map(|n| arrivals.observe(at(n * 15), 1)).sum::<u64>();
        assert_eq!(known, 0);
        assert!(arrivals.deletes.is_empty() && arrivals.falls.is_empty());
    }

    #[test]
    fn a_clock_that_goes_back_costs_the_deletes_and_not_the_rises() {
        let mut arrivals = Arrivals::since(at(6000), 0);
        arrivals.deleted([(at(6060), 7)], at(90_000));
        let readings = [(6015, 0), (6030, 0), (0, 5), (15, 5), (15, 9), (30, 5), (45, 5)];
        let known = readings.map(|(second, total)| arrivals.observe(at(second), total));
        assert_eq!(known, [0, 0, 0, 5, 0, 0, 0]);
        arrivals.deleted([(at(120), 3)], at(180));
        let known: u64 = (20..40).map(|n| arrivals.observe(at(n * 15), 5)).sum();
        assert_eq!(known, 3);
    }

    fn events(most: u64) -> impl Strategy<Value = Vec<(i64, u64)>> {
        prop::collection::vec((200i64..3000, 1..=most), 0..25)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn without_redrives_the_count_is_the_truth(
            arrivals in events(6), deletes in events(8), every in prop::sample::select(vec![5i64, 15, 30, 60]),
        ) {
            let world = World::new(&arrivals, &deletes, &[]);
            let counted = world.counted(3000 + 1200, every, &BTreeMap::new());
            prop_assert_eq!(counted, until(&world.arrivals, 5000));
        }

        #[test]
        fn redrives_hide_no_more_than_they_take_and_never_add(
            arrivals in events(6), deletes in events(8), moves in events(20),
            phantoms in prop::collection::btree_map(1i64..40, 0u64..50, 0..20),
        ) {
            let world = World::new(&arrivals, &deletes, &moves);
            // One phantom in five readings.
            let odd: BTreeMap<i64, u64> = phantoms.into_iter().map(|(n, total)| (n * 5, total)).collect();
            let counted = world.counted(3000 + 1200, 15, &odd);
            let truth = until(&world.arrivals, 5000);
            prop_assert!(counted <= truth);
            let clean = world.counted(3000 + 1200, 15, &BTreeMap::new());
            prop_assert!(clean + until(&world.moves, 5000) >= truth, "{} of {} counted", clean, truth);
        }
    }
}
