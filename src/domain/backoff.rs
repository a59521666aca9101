//! How long to wait before trying again: exponential, with full jitter, and never shorter than the other side asked for.

use std::time::Duration;

/// The longest Retry-After that is believed; more is taken for a mistake of the receiver's.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A way of waiting. Full jitter: the wait is evenly spread from nothing to the exponential bound, so that
/// many who failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound of the first wait; it doubles with each further attempt.
    pub base: Duration,
    /// What the bound grows to.
    pub cap: Duration,
}

impl Backoff {
    /// The wait after `attempts` failures before this one. `random` is in `[0, 1)`; `retry_after` is a lower bound, itself
    /// bounded by [`LONGEST_RETRY_AFTER`].
    pub fn delay(self, attempts: u32, random: f64, retry_after: Option<Duration>) -> Duration {
        let random = if random.is_nan() { 1.0 } else { random.clamp(0.0, 1.0) };
        let bound = self.bound(attempts);
        let jittered = Duration::try_from_secs_f64(bound.as_secs_f64() * random).unwrap_or(bound).min(bound);
        jittered.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }

    /// The longest wait of any attempt.
    pub fn longest(self) -> Duration {
        self.cap.max(LONGEST_RETRY_AFTER)
    }

    fn bound(self, attempts: u32) -> Duration {
        let factor = 1u32.checked_shl(attempts).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(300) };

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        for (attempts, seconds) in
            [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (31, 300), (32, 300), (u32::MAX, 300)]
        {
            assert_eq!(BACKOFF.delay(attempts, 1.0, None), Duration::from_secs(seconds), "{attempts}");
        }
    }

    #[test]
    fn the_wait_is_jittered_over_the_whole_bound() {
        assert_eq!(BACKOFF.delay(4, 0.0, None), Duration::ZERO);
        assert_eq!(BACKOFF.delay(4, 0.25, None), Duration::from_secs(4));
        assert_eq!(BACKOFF.delay(4, 0.75, None), Duration::from_secs(12));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_a_lower_bound_within_reason() {
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(BACKOFF.delay(0, 0.5, asked(30)), Duration::from_secs(30));
        assert_eq!(BACKOFF.delay(8, 1.0, asked(30)), Duration::from_secs(256));
        assert_eq!(BACKOFF.delay(0, 0.5, asked(86_400)), LONGEST_RETRY_AFTER);
        assert_eq!(BACKOFF.delay(0, 0.5, Some(Duration::MAX)), LONGEST_RETRY_AFTER);
    }

    proptest! {
        #[test]
        fn no_input_panics_or_waits_beyond_the_bound(
            attempts: u32, random: f64, after: Option<Duration>, base: Duration, cap: Duration,
        ) {
            let backoff = Backoff { base, cap };
            let delay = backoff.delay(attempts, random, after);
            prop_assert!(delay <= backoff.longest());
        }
    }
}
