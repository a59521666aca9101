//! Instants as the whole product counts them: milliseconds since the Unix epoch, UTC.
//!
//! A type of our own because alarm windows are arithmetic on epoch-aligned periods, which calendar types make
//! awkward; formatting and parsing are left to `jiff`.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

/// One minute, the resolution at which SQS publishes to CloudWatch.
pub const MINUTE: Duration = Duration::from_secs(60);

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored as Unix time does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `secs` seconds after the epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch with a fraction, as Prometheus writes instants.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The latest multiple of `step` (counted from the epoch) that is not after this instant.
    /// A `step` under a millisecond leaves the instant as it is.
    pub fn floor(self, step: Duration) -> Self {
        let step = millis(step);
        if step == 0 { self } else { Self(self.0 - self.0.rem_euclid(step)) }
    }

    /// The instant `millis` later, or earlier when negative.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// How long ago `earlier` was; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

/// A wall clock that was set: the moment that was `from` is `to` now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// What the clock would show.
    pub from: Timestamp,
    /// What it shows.
    pub to: Timestamp,
}

impl Jump {
    /// By how many milliseconds; negative when the clock was set back.
    pub fn millis(self) -> i64 {
        self.to.0.saturating_sub(self.from.0)
    }

    /// The instant that is as long ago now as `at` was.
    pub fn moved(self, at: Timestamp) -> Timestamp {
        at.plus_millis(self.millis())
    }

    /// As [`Jump::moved`], for the boundary of a slot of `step`: the slot that was the present one is the present one again.
    pub fn moved_slot(self, at: Timestamp, step: Duration) -> Timestamp {
        let slots = Self { from: self.from.floor(step), to: self.to.floor(step) };
        slots.moved(at)
    }
}

impl fmt::Display for Jump {
    /// E.g. `back by 3600 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.millis() < 0 { "back" } else { "forward" };
        write!(f, "{way} by {} s", self.millis().unsigned_abs() / 1000)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with the precision the value has, e.g. `2026-01-02T03:04:05Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at}"),
            Err(_) => write!(f, "{} ms since the epoch", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    /// Reads RFC 3339; any offset is converted to UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|at| Self(at.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_aligns_to_the_epoch_before_and_after_it() {
        let cases =
            [(0, 60, 0), (59_999, 60, 0), (60_000, 60, 60_000), (-1, 60, -60_000), (310_000, 300, 300_000)];
        for (millis, step, expected) in cases {
            let floored = Timestamp::from_millis(millis).floor(Duration::from_secs(step));
            assert_eq!(floored.as_millis(), expected, "{millis} floored to {step} s");
        }
        assert_eq!(Timestamp::from_millis(7).floor(Duration::ZERO).as_millis(), 7);
    }

    #[test]
    fn text_is_rfc_3339_and_comes_back() {
        let at: Timestamp = "2026-01-02T05:04:05.678+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-02T03:04:05.678Z");
        assert_eq!(Timestamp::from_secs(1_767_323_045).to_string(), "2026-01-02T03:04:05Z");
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!(Timestamp::from_millis(i64::MAX).to_string().contains("epoch"));
    }

    #[test]
    fn arithmetic_saturates_instead_of_overflowing() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end + Duration::MAX, end);
        assert_eq!(Timestamp::from_secs(10).since(Timestamp::from_secs(20)), Duration::ZERO);
    }

    #[test]
    fn a_jump_moves_instants_along_and_slots_by_whole_ones() {
        let at = |seconds: i64| Timestamp::from_secs(600 + seconds);
        let ahead = Jump { from: at(50), to: at(3665) };
        assert_eq!((ahead.moved(at(0)), ahead.to_string().as_str()), (at(3615), "forward by 3615 s"));
        assert_eq!(ahead.moved_slot(at(0), MINUTE), at(3660), "minute 0 was the present one, minute 61 is");
        assert_eq!(ahead.moved_slot(at(-60), MINUTE), at(3600));
        let back = Jump { from: at(50), to: at(-3591) };
        assert_eq!((back.moved(at(50)), back.to_string().as_str()), (at(-3591), "back by 3641 s"));
        assert_eq!(back.moved_slot(at(0), MINUTE), at(-3600));
    }
}
