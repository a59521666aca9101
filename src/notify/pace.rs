//! How fast a receiver may be called, so that a storm of a thousand incidents does not run into its limit.

use std::time::Duration;

use tokio::time::Instant;

/// A number of calls at once, then one each so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How far apart calls are in the long run.
    pub every: Duration,
    /// How many may come at once after a rest, at least 1.
    pub burst: u32,
}

impl Pace {
    /// As fast as the receiver answers.
    pub const UNBOUNDED: Self = Self { every: Duration::ZERO, burst: 1 };
}

/// What was spent of a pace.
#[derive(Debug)]
pub struct Spent {
    pace: Pace,
    /// When all that was spent has come back.
    restored: Option<Instant>,
}

impl Spent {
    /// Nothing yet.
    pub fn new(pace: Pace) -> Self {
        Self { pace, restored: None }
    }

    /// How long to wait before the next call.
    pub fn wait(&self, now: Instant) -> Duration {
        let Some(restored) = self.restored else { return Duration::ZERO };
        let saved = self.pace.every * self.pace.burst.saturating_sub(1);
        restored.saturating_duration_since(now).saturating_sub(saved)
    }

    /// So many calls are made now. More than were left are made up for by the next wait.
    pub fn spend(&mut self, calls: u32, now: Instant) {
        let from = self.restored.map_or(now, |restored| restored.max(now));
        self.restored = Some(from + self.pace.every * calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { every: Duration::from_secs(1), burst: 3 };

    /// The second in which each of `calls` is made, when all are wanted at once.
    fn seconds(pace: Pace, calls: &[u32]) -> Vec<u64> {
        let start = Instant::now();
        let (mut now, mut spent) = (start, Spent::new(pace));
        let call = |calls: &u32| {
            now += spent.wait(now);
            spent.spend(*calls, now);
            now.duration_since(start).as_secs()
        };
        calls.iter().map(call).collect()
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_by_the_pace() {
        assert_eq!(seconds(PACE, &[1; 6]), [0, 0, 0, 1, 2, 3]);
        assert_eq!(seconds(PACE, &[2, 2, 2, 1]), [0, 0, 2, 4]);
        assert_eq!(seconds(Pace { burst: 1, ..PACE }, &[1, 2, 1]), [0, 1, 3]);
        assert_eq!(seconds(Pace::UNBOUNDED, &[1; 3]), [0, 0, 0]);
    }

    #[test]
    fn a_rest_brings_the_burst_back_and_no_more() {
        let start = Instant::now();
        let mut spent = Spent::new(PACE);
        for _ in 0..3 {
            spent.spend(1, start);
        }
        let later = start + Duration::from_secs(3600);
        for expected in [0, 0, 0, 1] {
            let wait = spent.wait(later);
            assert_eq!(wait.as_secs(), expected);
            spent.spend(1, later);
        }
    }
}
