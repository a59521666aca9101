//! Which key is due when: each at its own fixed moment of the interval, so that the load is even and stays so.
//!
//! Guaranteed: a key comes once an interval; one that is late comes once and not once for each slot it missed; after a stall
//! or a jump of the clock, either way, the keys come within one interval and spread over it, in the order in which they
//! were due, so that an overloaded reader serves all of them in turn.

mod rate;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

pub use rate::Rate;

use super::time::Timestamp;

/// Over how long the first turns of new keys are spread: short, since somebody waits to see them.
pub const RAMP_UP: Duration = Duration::from_secs(5);

/// Keys and when each is due next.
#[derive(Clone, Debug)]
pub struct Schedule<K> {
    interval: Duration,
    due: BTreeMap<K, Timestamp>,
    /// The same by instant.
    queue: BTreeSet<(Timestamp, K)>,
    missed: u64,
}

impl<K: Ord + Hash + Clone> Schedule<K> {
    /// An empty schedule of one turn an `interval`; less than a millisecond counts as one.
    pub fn new(interval: Duration) -> Self {
        Self { interval: at_least(interval), due: BTreeMap::new(), queue: BTreeSet::new(), missed: 0 }
    }

    /// Adds a key: due within [`RAMP_UP`] or the interval, and then at its own moment. One that is there already stays as it is.
    pub fn insert(&mut self, key: K, now: Timestamp) {
        if !self.due.contains_key(&key) {
            let due = now + phase(&key, self.interval.min(RAMP_UP));
            self.put(key, due);
        }
    }

    /// Takes a key out; `false` when it was not there.
    pub fn remove(&mut self, key: &K) -> bool {
        let Some((key, due)) = self.due.remove_entry(key) else { return false };
        self.queue.remove(&(due, key))
    }

    /// Keeps only the keys that `wanted` likes.
    pub fn retain(&mut self, mut wanted: impl FnMut(&K) -> bool) {
        self.due.retain(|key, _| wanted(key));
        self.queue.retain(|(_, key)| self.due.contains_key(key));
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// How many turns were left out because they were a whole interval late or more.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// When the next key is due. Ask after [`Schedule::pop_due`] has answered `None`; then it is at most an interval away.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// The key that has been due longest and by how much it is late. Its next turn is its next moment after `now`.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<(K, Duration)> {
        self.bring_back(now);
        let due = self.next_due().filter(|due| *due <= now)?;
        let (_, key) = self.queue.pop_first()?;
        let late = now.since(due);
        if late >= self.interval {
            self.missed += turns(late, self.interval);
            self.spread_overdue(phase(&key, self.interval), now);
        }
        self.put(key.clone(), self.moment_after(&key, now));
        Some((key, late))
    }

    /// Changes the interval. No key's next turn moves further away, so that frequent changes starve none.
    pub fn set_interval(&mut self, interval: Duration, now: Timestamp) {
        let interval = at_least(interval);
        if interval == self.interval {
            return;
        }
        self.interval = interval;
        self.queue.clear();
        for (key, due) in std::mem::take(&mut self.due) {
            let moment = self.moment_after(&key, now);
            self.put(key, due.min(moment));
        }
    }

    fn put(&mut self, key: K, due: Timestamp) {
        self.due.insert(key.clone(), due);
        self.queue.insert((due, key));
    }

    /// The key's next moment after `now`.
    fn moment_after(&self, key: &K, now: Timestamp) -> Timestamp {
        let phase = phase(key, self.interval);
        (now - phase).floor(self.interval) + phase + self.interval
    }

    /// Nothing is ever due more than an interval ahead unless the clock was set back: what is then comes back in reach.
    fn bring_back(&mut self, now: Timestamp) {
        while self.queue.last().is_some_and(|(due, _)| *due > now + self.interval) {
            let Some((_, key)) = self.queue.pop_last() else { return };
            let moment = self.moment_after(&key, now);
            self.put(key, moment);
        }
    }

    /// After a stall: what is overdue follows over the coming interval in the order of its moments, from `first` on.
    fn spread_overdue(&mut self, first: Duration, now: Timestamp) {
        let mut overdue = Vec::new();
        while self.next_due().is_some_and(|due| due <= now) {
            overdue.extend(self.queue.pop_first());
        }
        for (due, key) in overdue {
            self.missed += turns(now.since(due), self.interval);
            let phase = phase(&key, self.interval);
            let behind = if phase >= first { phase - first } else { phase + self.interval - first };
            self.put(key, now + behind);
        }
    }
}

fn at_least(interval: Duration) -> Duration {
    interval.max(Duration::from_millis(1))
}

/// How many whole intervals fit in `late`.
fn turns(late: Duration, interval: Duration) -> u64 {
    u64::try_from(late.as_millis() / interval.as_millis().max(1)).unwrap_or(u64::MAX)
}

/// The key's share of `span`: always the same for the same key, evenly spread over keys.
fn phase<K: Hash>(key: &K, span: Duration) -> Duration {
    // Not RandomState: a restart must find every key at its moment.
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    Duration::from_millis(hasher.finish() % at_least(span).as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(15);
    const DAY: Duration = Duration::from_secs(86_400);

    fn start() -> Timestamp {
        Timestamp::from_secs(1_700_000_000)
    }

    fn schedule(keys: u32) -> Schedule<String> {
        let mut schedule = Schedule::new(INTERVAL);
        for key in 0..keys {
            schedule.insert(format!("queue-{key}"), start());
        }
        schedule
    }

    /// Runs the schedule in steps of `step` milliseconds, at most `capacity` keys a step, and counts turns by key.
    fn run(
        schedule: &mut Schedule<String>,
        from: Timestamp,
        span: Duration,
        step: u64,
        capacity: usize,
    ) -> BTreeMap<String, Vec<Timestamp>> {
        let mut turns: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        let mut now = from;
        while now < from + span {
            for _ in 0..capacity {
                let Some((key, _)) = schedule.pop_due(now) else { break };
                turns.entry(key).or_default().push(now);
            }
            now = now + Duration::from_millis(step);
        }
        turns
    }

    /// The most turns that fell into any `window`.
    fn peak(turns: &BTreeMap<String, Vec<Timestamp>>, window: Duration) -> usize {
        let mut all: Vec<Timestamp> = turns.values().flatten().copied().collect();
        all.sort();
        (0..all.len())
            .map(|i| all[i..].iter().take_while(|at| **at < all[i] + window).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn a_newcomer_comes_quickly_and_then_once_an_interval_at_its_own_moment() {
        let turns = run(&mut schedule(1000), start(), INTERVAL * 10, 10, 1000);
        assert_eq!(turns.len(), 1000);
        for (key, turns) in &turns {
            assert!(turns[0] < start() + RAMP_UP + Duration::from_millis(10), "{key}");
            assert!((10..=11).contains(&turns.len()), "{key} came {} times", turns.len());
            for pair in turns[1..].windows(2) {
                assert_eq!(pair[1].since(pair[0]), INTERVAL, "{key}");
            }
        }
    }

    #[test]
    fn keys_spread_over_the_interval_and_find_their_moment_again_after_a_restart() {
        let from = start() + INTERVAL * 4;
        let mut first = schedule(1000);
        run(&mut first, start(), INTERVAL * 4, 10, 1000);
        let turns = run(&mut first, from, INTERVAL, 1, 1000);
        // 1,000 keys over 15 s are 67 a second: chance alone keeps every second under twice that.
        assert!(peak(&turns, Duration::from_secs(1)) < 130);

        let mut restarted = Schedule::new(INTERVAL);
        for key in 0..1000 {
            restarted.insert(format!("queue-{key}"), start() + Duration::from_secs(7));
        }
        run(
            &mut restarted,
            start() + Duration::from_secs(7),
            INTERVAL * 4 - Duration::from_secs(7),
            10,
            1000,
        );
        assert_eq!(run(&mut restarted, from, INTERVAL, 1, 1000), turns);
    }

    #[test]
    fn a_late_tick_comes_once_and_counts_what_it_missed() {
        let mut schedule = schedule(1);
        let (_, first) = schedule.pop_due(start() + RAMP_UP).unwrap();
        assert!(first <= RAMP_UP);
        let due = schedule.next_due().unwrap();
        assert_eq!(schedule.pop_due(due - Duration::from_millis(1)), None);
        let late = INTERVAL * 3 + Duration::from_secs(1);
        assert_eq!(schedule.pop_due(due + late), Some(("queue-0".into(), late)));
        assert_eq!(schedule.missed(), 3);
        assert_eq!(schedule.pop_due(due + late), None);
        assert_eq!(schedule.next_due(), Some(due + INTERVAL * 4));
    }

    #[test]
    fn a_clock_that_jumps_neither_bursts_nor_starves() {
        for (what, jump) in [("forward", DAY.as_millis() as i64), ("back", -(DAY.as_millis() as i64))] {
            let mut schedule = schedule(1000);
            run(&mut schedule, start(), INTERVAL * 3, 10, 1000);
            let after = Timestamp::from_millis((start() + INTERVAL * 3).as_millis() + jump);
            let turns = run(&mut schedule, after, INTERVAL, 10, 1000);
            assert_eq!(turns.len(), 1000, "{what}: every key within one interval");
            assert!(peak(&turns, Duration::from_secs(1)) < 200, "{what}");
            let next = run(&mut schedule, after + INTERVAL, INTERVAL, 10, 1000);
            assert!(next.values().all(|turns| turns.len() == 1), "{what}: back to normal");
        }
    }

    #[test]
    fn the_next_turn_is_in_reach_after_a_jump_back() {
        let mut schedule = schedule(10);
        run(&mut schedule, start(), INTERVAL, 10, 10);
        let now = start() - DAY;
        assert_eq!(schedule.pop_due(now), None);
        assert!(schedule.next_due().unwrap() <= now + INTERVAL);
    }

    #[test]
    fn a_reader_that_is_too_slow_still_serves_all_in_turn() {
        for capacity_percent in [15, 40, 70, 95] {
            let mut schedule = schedule(300);
            let step = INTERVAL.as_millis() as u64 * 100 / (300 * capacity_percent);
            let turns = run(&mut schedule, start(), INTERVAL * 100, step, 1);
            let counts: Vec<usize> = turns.values().map(Vec::len).collect();
            assert_eq!(counts.len(), 300);
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(least * 2 >= *most, "at {capacity_percent} %: {least} to {most} turns");
            assert!(schedule.missed() > 0);
        }
    }

    #[test]
    fn keys_come_and_go() {
        let mut schedule = schedule(3);
        schedule.insert("queue-1".into(), start() + DAY);
        assert!(schedule.remove(&"queue-1".into()) && !schedule.remove(&"queue-1".into()));
        schedule.retain(|key| key == "queue-2");
        assert_eq!((schedule.len(), schedule.is_empty()), (1, false));
        let turns = run(&mut schedule, start(), INTERVAL, 10, 10);
        assert_eq!(turns.keys().collect::<Vec<_>>(), ["queue-2"]);
        assert_eq!(Schedule::<u8>::new(Duration::ZERO).next_due(), None);
    }

    #[test]
    fn an_interval_that_changes_often_starves_nobody() {
        let mut schedule = schedule(50);
        run(&mut schedule, start(), INTERVAL, 10, 100);
        let (mut now, mut seen) = (start() + INTERVAL, BTreeSet::new());
        for round in 0..40 {
            schedule.set_interval(INTERVAL + Duration::from_secs(round % 7), now);
            let turns = run(&mut schedule, now, Duration::from_secs(1), 10, 100);
            seen.extend(turns.into_keys());
            now = now + Duration::from_secs(1);
        }
        assert_eq!(seen.len(), 50);
        schedule.set_interval(Duration::from_secs(1), now);
        assert_eq!(run(&mut schedule, now, Duration::from_secs(1), 10, 100).len(), 50);
    }

    proptest! {
        #[test]
        fn whatever_the_clock_does_the_next_turn_is_after_now_and_in_reach(
            jumps in prop::collection::vec(-100_000_000i64..100_000_000, 1..40),
        ) {
            let mut schedule = schedule(20);
            let mut now = start();
            for jump in jumps {
                now = Timestamp::from_millis(now.as_millis() + jump);
                let mut popped = BTreeSet::new();
                while let Some((key, _)) = schedule.pop_due(now) {
                    prop_assert!(popped.insert(key), "twice at one instant");
                }
                let next = schedule.next_due().unwrap();
                prop_assert!(next > now && next <= now + INTERVAL);
                prop_assert_eq!(schedule.queue.len(), schedule.due.len());
            }
        }
    }
}
