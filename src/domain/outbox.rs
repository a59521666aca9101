//! Deliveries: what is owed to whom, in which order it goes out, and what follows from each attempt. `group.rs` puts
//! entries together into one message.
//!
//! Guaranteed: for one alarm and destination nothing overtakes what is older, and an entry is tried until it is
//! acknowledged, refused for good, or too old ([`GIVE_UP`]).

mod group;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::AlarmKey;
use super::backoff::Backoff;
use super::notification::Notification;
use super::time::{Jump, Timestamp};
pub use group::{Batching, GroupBy, Grouping, Verdict, next_group, wait};

/// How old an entry must be for a failed attempt to be its last unless the configuration says another time: three days, so
/// that a receiver may be down over a weekend.
pub const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);

/// How much of an answer is remembered.
pub const ANSWER_BYTES: usize = 300;

/// How long attempts are apart: seconds at first, a minute during an outage.
pub const BACKOFF: Backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(60) };

/// One notification owed to one destination. Durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Unique, and growing in the order in which entries became owed.
    pub sequence: u64,
    /// Whom it is owed to, by the configuration's name.
    pub destination: Arc<str>,
    /// What is owed.
    pub notification: Arc<Notification>,
    /// How many attempts have failed.
    pub attempts: u32,
    /// When it may be tried next.
    pub not_before: Timestamp,
    /// When it became owed.
    pub created: Timestamp,
    /// How old it must be for a failed attempt to be its last. Not durable: it is as the configuration says now.
    pub give_up: Duration,
    /// What came back from the latest attempt, in words without secrets, at most [`ANSWER_BYTES`] long.
    pub answer: Option<String>,
}

impl Entry {
    /// A new entry, to be tried at once.
    pub fn new(
        sequence: u64,
        destination: Arc<str>,
        notification: Arc<Notification>,
        now: Timestamp,
    ) -> Self {
        Self {
            sequence,
            destination,
            notification,
            attempts: 0,
            not_before: now,
            created: now,
            give_up: GIVE_UP,
            answer: None,
        }
    }

    /// Remembers what came back from an attempt, on one line and not too long.
    pub fn hear(&mut self, answer: &str) {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let mut answer: String = answer.chars().map(plain).collect();
        let mut end = ANSWER_BYTES.min(answer.len());
        while !answer.is_char_boundary(end) {
            end -= 1;
        }
        answer.truncate(end);
        self.answer = Some(answer);
    }

    /// Remembers that an attempt failed and that the next may be made at `at`.
    pub fn postpone(&mut self, at: Timestamp) {
        self.attempts = self.attempts.saturating_add(1);
        self.not_before = at;
    }

    /// The wall clock was set: it has waited, and has to wait, as long as before.
    pub fn shift(&mut self, jump: Jump) {
        self.not_before = jump.moved(self.not_before);
        self.created = jump.moved(self.created);
    }

    /// Whether it may be tried. After a clock was set back, what was never put off is due, and so is what would wait
    /// longer than any wait that is ever set.
    fn is_due(&self, now: Timestamp) -> bool {
        self.not_before <= now.max(self.created) || self.not_before > now + BACKOFF.longest()
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Acknowledged,
    /// It may work later.
    Retry {
        /// What went wrong.
        reason: Reason,
        /// How long the receiver asked to be left alone.
        after: Option<Duration>,
    },
    /// It will never work.
    Refused {
        /// What went wrong.
        reason: Reason,
    },
}

/// Why a delivery failed: a closed set, as it is also a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No answer in time.
    Timeout,
    /// Not connected, or the connection broke.
    Connection,
    /// Asked to slow down (429, ThrottlingException).
    Throttled,
    /// The receiver failed (5xx).
    ServerError,
    /// The receiver does not want this (another 4xx, an invalid parameter).
    Refused,
    /// Not permitted (401, 403, AccessDenied, expired credentials).
    Denied,
    /// There is no such topic or address (404, NotFound).
    NotFound,
    /// Sent elsewhere (3xx), which is never followed.
    Redirect,
    /// An answer that is none.
    BadAnswer,
    /// Switched off for good (410).
    Gone,
    /// The configuration does not know the destination any more.
    UnknownDestination,
    /// Tried for as long as the configuration allows ([`Entry::give_up`]) without success.
    Expired,
    /// More is owed to the destination than the outbox may hold.
    Overflow,
}

impl Reason {
    /// All of them, so that every series of the metric exists from the start.
    pub const ALL: [Self; 13] = [
        Self::Timeout,
        Self::Connection,
        Self::Throttled,
        Self::ServerError,
        Self::Refused,
        Self::Denied,
        Self::NotFound,
        Self::Redirect,
        Self::BadAnswer,
        Self::Gone,
        Self::UnknownDestination,
        Self::Expired,
        Self::Overflow,
    ];

    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Redirect => "redirect",
            Self::BadAnswer => "bad_answer",
            Self::Gone => "gone",
            Self::UnknownDestination => "unknown_destination",
            Self::Expired => "expired",
            Self::Overflow => "overflow",
        }
    }
}

/// What becomes of an entry after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is paid: forget it.
    Done,
    /// [`Entry::postpone`] it.
    RetryAt {
        /// When it may be tried again.
        at: Timestamp,
        /// What went wrong.
        reason: Reason,
    },
    /// It will not be tried again: keep it aside for a person, out of the way of what follows.
    Park {
        /// What went wrong.
        reason: Reason,
    },
}

/// What follows from an attempt at `entry` that ended with `outcome`; `delay` is the wait before another.
fn settle_after(entry: &Entry, outcome: Outcome, now: Timestamp, delay: Duration) -> Next {
    match outcome {
        Outcome::Acknowledged => Next::Done,
        Outcome::Refused { reason } => Next::Park { reason },
        Outcome::Retry { .. } if now.since(entry.created) >= entry.give_up => {
            Next::Park { reason: Reason::Expired }
        }
        Outcome::Retry { reason, .. } => Next::RetryAt { at: now + delay, reason },
    }
}

/// The oldest entry of each alarm and destination.
fn heads(entries: &[Entry]) -> impl Iterator<Item = (usize, &Entry)> {
    let mut seen: HashSet<(&AlarmKey, &str)> = HashSet::new();
    entries
        .iter()
        .enumerate()
        .filter(move |(_, entry)| seen.insert((&entry.notification.alarm, &*entry.destination)))
}

#[cfg(test)]
mod tests;
