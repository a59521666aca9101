//! The simulator's clock: milliseconds since the Unix epoch.
//!
//! Timestamps are always true ones, because the SDKs correct their clocks by the answers they get; what
//! `Options::speed` changes is the tempo of the living world, never the date.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// One minute, the resolution of the `AWS/SQS` metrics.
pub const MINUTE: Millis = 60_000;

/// The present; 0 on a machine whose clock stands before 1970.
pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

/// The start of the minute that `at` lies in.
pub fn minute_of(at: Millis) -> Millis {
    at.div_euclid(MINUTE) * MINUTE
}
