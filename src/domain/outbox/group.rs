//! Which entries of one destination go out as one message.

use std::time::Duration;

/// How the entries of one destination are put together. Whatever this says, a group holds at most one entry an alarm, so
/// that order is kept, and only entries of one event, so that an end never hides in a beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// Which entries belong together.
    pub by: GroupBy,
    /// How long the first of a group waits for others, counted from when it became owed.
    pub wait: Duration,
    /// The most entries in one group, at least 1; a group that has so many does not wait.
    pub max: usize,
}

/// Which entries belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// None: each entry is a message of its own.
    Nothing,
    /// Those of one rule.
    Rule,
    /// All.
    Event,
}

impl Grouping {
    /// Each entry is a message of its own, and none waits.
    pub const NONE: Self = Self { by: GroupBy::Nothing, wait: Duration::ZERO, max: 1 };
}
