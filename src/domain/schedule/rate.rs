//! The adaptive rate of one API: a token bucket that halves when AWS throttles and recovers while calls succeed.
//!
//! Additive increase, multiplicative decrease: several callers of one account find their shares without knowing of each other.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// The rate never falls below this many calls a second, so that recovery is always noticed.
const LOWEST: f64 = 0.5;
/// Throttles within this time of a cut are answers to calls from before it.
const SETTLE: Duration = Duration::from_secs(1);
/// How long successful calls take to recover from the lowest rate to the cap.
const RECOVERY: Duration = Duration::from_secs(60);

/// A rate with its bucket. It starts at its cap.
#[derive(Clone, Debug)]
pub struct Rate {
    /// Calls a second.
    cap: f64,
    rate: f64,
    tokens: f64,
    refilled: Timestamp,
    cut: Option<Timestamp>,
    raised: Timestamp,
}

impl Rate {
    /// A rate of at most `cap` calls a second; less than 0.5, or NaN, counts as 0.5.
    pub fn new(cap: f64, now: Timestamp) -> Self {
        let cap = cap.max(LOWEST);
        Self { cap, rate: cap, tokens: burst(cap), refilled: now, cut: None, raised: now }
    }

    /// Calls a second that are let through at present.
    pub fn per_second(&self) -> f64 {
        self.rate
    }

    /// Asks for one call: `Ok` lets it through, `Err` says how long to wait before asking again.
    pub fn take(&mut self, now: Timestamp) -> Result<(), Duration> {
        let elapsed = now.since(self.refilled).as_secs_f64();
        self.refilled = now;
        self.tokens = (self.tokens + elapsed * self.rate).min(burst(self.rate));
        if self.tokens > 1.0 - 1e-6 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // Rounded up to the clock's resolution, lest the caller come back a moment too early.
        let millis = ((1.0 - self.tokens) / self.rate * 1000.0 - 1e-9).ceil();
        Err(Duration::from_millis(millis as u64).max(Duration::from_millis(1)))
    }

    /// AWS refused a call for its rate: the rate is halved and what was saved up is gone, at most once a second.
    pub fn throttled(&mut self, now: Timestamp) {
        let just_cut = self.cut.is_some_and(|cut| cut <= now && now.since(cut) < SETTLE);
        self.raised = now;
        if !just_cut {
            self.cut = Some(now);
            self.rate = (self.rate / 2.0).max(LOWEST);
            (self.tokens, self.refilled) = (0.0, now);
        }
    }

    /// A call was answered: the rate rises a little, by the time since it last changed and by a second's worth at most.
    pub fn succeeded(&mut self, now: Timestamp) {
        let elapsed = now.since(self.raised).min(Duration::from_secs(1));
        self.raised = now;
        self.rate = (self.rate + self.cap * elapsed.as_secs_f64() / RECOVERY.as_secs_f64()).min(self.cap);
    }
}

/// How many calls may come at once after a pause: a second's worth.
fn burst(rate: f64) -> f64 {
    rate.max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Calls let through when asked every millisecond of `[from, to)`.
    fn granted(rate: &mut Rate, from: i64, to: i64) -> usize {
        (from..to).filter(|millis| rate.take(at(*millis)).is_ok()).count()
    }

    #[test]
    fn calls_pass_at_the_cap_and_the_wait_is_exact() {
        let mut rate = Rate::new(10.0, at(0));
        assert_eq!(granted(&mut rate, 0, 10_000), 10 + 99, "a burst, then ten a second");
        let mut rate = Rate::new(4.0, at(0));
        for _ in 0..4 {
            assert_eq!(rate.take(at(0)), Ok(()));
        }
        assert_eq!(rate.take(at(0)), Err(Duration::from_millis(250)));
        assert_eq!(rate.take(at(249)), Err(Duration::from_millis(1)));
        assert_eq!(rate.take(at(250)), Ok(()));
    }

    #[test]
    fn a_throttle_halves_once_a_second_and_never_to_nothing() {
        let mut rate = Rate::new(100.0, at(0));
        for millis in [0, 1, 500, 999] {
            rate.throttled(at(millis));
        }
        assert_eq!(rate.per_second(), 50.0);
        assert!(rate.take(at(999)).is_ok() && granted(&mut rate, 1000, 2000) <= 50 * 2);
        rate.throttled(at(2000));
        assert_eq!(rate.per_second(), 25.0);
        assert!(rate.take(at(2000)).is_err(), "what was saved up is gone");
        for second in 3..60 {
            rate.throttled(at(second * 1000));
        }
        assert_eq!(rate.per_second(), LOWEST);
        assert!(rate.take(at(59_000)).unwrap_err() <= Duration::from_secs(2));
    }

    #[test]
    fn it_recovers_in_a_minute_of_successes_and_not_by_idling() {
        let mut rate = Rate::new(60.0, at(0));
        for second in 0..20 {
            rate.throttled(at(second * 1000));
        }
        rate.succeeded(at(3_600_000));
        assert_eq!(rate.per_second(), LOWEST + 1.0, "an idle hour counts as a second");
        for tenth in 1..=600 {
            rate.succeeded(at(3_600_000 + tenth * 100));
        }
        assert_eq!(rate.per_second(), 60.0);
    }

    #[test]
    fn a_clock_set_back_stops_nothing() {
        let mut rate = Rate::new(2.0, at(1_000_000));
        rate.throttled(at(1_000_000));
        assert!(rate.take(at(0)).is_err());
        assert!(rate.take(at(1000)).is_ok());
        rate.throttled(at(1000));
        assert_eq!(rate.per_second(), LOWEST);
        rate.succeeded(at(2000));
        assert!(rate.per_second() > LOWEST);
    }

    #[test]
    fn a_senseless_cap_is_the_lowest() {
        for cap in [0.0, -1.0, f64::NAN] {
            assert_eq!(Rate::new(cap, at(0)).per_second(), LOWEST);
        }
    }

    proptest! {
        #[test]
        fn the_rate_stays_in_its_bounds_and_the_wait_is_always_enough(
            events in prop::collection::vec((0u8..3, 0i64..5000), 1..200),
            cap in 0.5f64..5000.0,
        ) {
            let (mut rate, mut now, mut grants) = (Rate::new(cap, at(0)), 0, 0);
            for (event, later) in events {
                now += later;
                match event {
                    0 => rate.throttled(at(now)),
                    1 => rate.succeeded(at(now)),
                    _ => match rate.take(at(now)) {
                        Ok(()) => grants += 1,
                        Err(wait) => {
                            now += wait.as_millis() as i64;
                            prop_assert!(rate.take(at(now)).is_ok());
                            grants += 1;
                        }
                    },
                }
                prop_assert!((LOWEST..=cap).contains(&rate.per_second()));
                prop_assert!(f64::from(grants) <= cap.max(1.0) + cap * now as f64 / 1000.0 + 1e-6);
            }
        }
    }
}
