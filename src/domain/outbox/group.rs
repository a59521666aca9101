//! Which entries of one destination go out as one message, and what one answer means for each of them.
//!
//! Whatever is configured, a group holds at most one entry an alarm, the oldest, so that order is kept; and only entries of
//! one event, so that an end never hides in a beginning.

use std::collections::HashMap;
use std::time::Duration;

use super::{BACKOFF, Entry, Next, Outcome, Reason, heads, settle_after};
use crate::domain::notification::Event;
use crate::domain::time::Timestamp;

/// How the entries of one destination are put together.
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
    /// Those of one rule and event.
    Rule,
    /// Those of one event.
    Event,
}

impl Grouping {
    /// Each entry is a message of its own, and none waits.
    pub const NONE: Self = Self { by: GroupBy::Nothing, wait: Duration::ZERO, max: 1 };

    /// How long `entry` has to wait at `now`, for its next attempt or for others. Who was tried has waited for others
    /// already, and a clock set back to before the entry ends that wait.
    fn rest(self, entry: &Entry, now: Timestamp) -> Duration {
        let due = if entry.is_due(now) { Duration::ZERO } else { entry.not_before.since(now) };
        let gathers = entry.attempts == 0 && entry.created <= now;
        let gathering =
            if gathers { self.wait.saturating_sub(now.since(entry.created)) } else { Duration::ZERO };
        due.max(gathering)
    }

    fn key(self, index: usize, entry: &Entry) -> Key<'_> {
        let (rule, event) = (&*entry.notification.alarm.rule, entry.notification.event);
        match self.by {
            GroupBy::Nothing => Key::Alone(index),
            GroupBy::Rule => Key::Shared(&entry.destination, Some(rule), event),
            GroupBy::Event => Key::Shared(&entry.destination, None, event),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Alone(usize),
    Shared(&'a str, Option<&'a str>, Event),
}

/// The positions, ascending, of the entries to send now as one message. Only entries that are due and have no older one of
/// their alarm and destination before them are taken. A group goes once one of its entries has waited long enough, or
/// when it is full; first the one with the fewest failures, so that an entry that alone fails never holds up the
/// others, and the oldest of these. `entries` are those not yet settled, sorted by sequence.
pub fn next_group(entries: &[Entry], grouping: Grouping, now: Timestamp) -> Option<Vec<usize>> {
    let mut groups: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    for (index, entry) in heads(entries).filter(|(_, entry)| entry.is_due(now)) {
        groups.entry(grouping.key(index, entry)).or_default().push(index);
    }
    let rank = |index: &usize| (entries[*index].attempts, *index);
    let is_ready = |group: &Vec<usize>| {
        group.len() >= grouping.max
            || group.iter().any(|index| grouping.rest(&entries[*index], now).is_zero())
    };
    let ready = groups.into_values().filter(is_ready);
    let mut group = ready.min_by_key(|group| group.iter().map(rank).min())?;
    group.sort_by_key(rank);
    group.truncate(grouping.max.max(1));
    group.sort_unstable();
    Some(group)
}

/// How long until [`next_group`] has something; `None` when nothing is owed.
pub fn wait(entries: &[Entry], grouping: Grouping, now: Timestamp) -> Option<Duration> {
    if next_group(entries, grouping, now).is_some() {
        return Some(Duration::ZERO);
    }
    heads(entries).map(|(_, entry)| grouping.rest(entry, now)).min()
}

/// What becomes of a group after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This for each of its entries.
    Each(Vec<Next>),
    /// Nothing yet: the message was refused, and only smaller ones can tell for whose sake.
    Halve,
}

/// How large groups may be at present: one that is refused for its content is tried again in halves, down to the single
/// entry that is at fault, so that it takes no other with it. Then, and with each success, they grow again.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    grouping: Grouping,
    limit: usize,
}

impl Batching {
    /// Groups as large as `grouping` says.
    pub fn new(grouping: Grouping) -> Self {
        Self { grouping, limit: grouping.max.max(1) }
    }

    /// The grouping by which the next group is chosen.
    pub fn present(&self) -> Grouping {
        Grouping { max: self.limit, ..self.grouping }
    }

    /// What follows from an attempt at `group` that ended with `outcome`. `random` is in `[0, 1)`. Who is tried again is
    /// tried again together.
    pub fn settle(&mut self, group: &[&Entry], outcome: Outcome, now: Timestamp, random: f64) -> Verdict {
        match outcome {
            Outcome::Refused { reason: Reason::Refused } if group.len() > 1 => {
                self.limit = group.len() / 2;
                return Verdict::Halve;
            }
            // The one at fault is found.
            Outcome::Refused { .. } => self.limit = self.grouping.max.max(1),
            Outcome::Acknowledged => self.limit = self.limit.saturating_mul(2).min(self.grouping.max.max(1)),
            Outcome::Retry { .. } => {}
        }
        let attempts = group.iter().map(|entry| entry.attempts).max().unwrap_or_default();
        let after = match outcome {
            Outcome::Retry { after, .. } => after,
            Outcome::Acknowledged | Outcome::Refused { .. } => None,
        };
        let delay = BACKOFF.delay(attempts, random, after);
        Verdict::Each(group.iter().map(|entry| settle_after(entry, outcome, now, delay)).collect())
    }
}
