//! Silences: which alarms tell nobody for a while, who said so, and why; beside them the maintenance windows, which do the
//! same by the configuration.
//!
//! Silences are kept for a while after their end, for the record. How many there may be is bounded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::Subject;
use super::hold::Hold;
use super::maintenance::Window;
use super::rule::{Glob, Rule};
use super::time::Timestamp;

/// How long a silence may last, and how far ahead it may begin.
pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// How long a silence is kept after its end.
pub const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// How many may be active or pending.
pub const MOST: usize = 1000;
/// How many are kept after their end: those that ended last.
pub const MOST_KEPT: usize = 1000;

/// Labels that every alarm has; a rule's own labels of these names are not looked at.
pub const OWN_LABELS: [&str; 3] = ["severity", "account", "region"];

/// Which alarms are meant: all that is set must match; what is empty matches every alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matchers {
    /// Globs over the alarm's name, any of which may match.
    pub alarms: Vec<Glob>,
    /// Globs over the name of the queue (or custom metric), any of which may match. A composite alarm as a whole has none.
    pub queues: Vec<Glob>,
    /// The alarm's labels with their exact values; see [`OWN_LABELS`].
    pub labels: BTreeMap<String, String>,
}

impl Matchers {
    /// Whether the alarm that `rule` has on `subject` is meant.
    pub fn matches(&self, rule: &Rule, subject: &Subject) -> bool {
        let any =
            |globs: &[Glob], name: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(name));
        let label = |name: &str| match name {
            "severity" => Some(rule.severity.as_str()),
            "account" => Some(subject.account()),
            "region" => Some(subject.region()),
            _ => rule.labels.get(name).map(String::as_str),
        };
        let on_queue = match subject {
            Subject::Composite(_) => self.queues.is_empty(),
            _ => any(&self.queues, subject.name()),
        };
        any(&self.alarms, &rule.name)
            && on_queue
            && self.labels.iter().all(|(name, value)| label(name) == Some(value))
    }

    /// Whether nothing is set, so that every alarm is meant.
    pub fn is_everything(&self) -> bool {
        self.alarms.is_empty() && self.queues.is_empty() && self.labels.is_empty()
    }
}

impl fmt::Display for Matchers {
    /// E.g. `alarm backlog, queue orders-* or carts-*, team=payments`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_everything() {
            return f.write_str("everything");
        }
        let any = |what: &str, globs: &[Glob]| {
            let globs: Vec<String> = globs.iter().map(Glob::to_string).collect();
            (!globs.is_empty()).then(|| format!("{what} {}", globs.join(" or ")))
        };
        let labels = self.labels.iter().map(|(name, value)| format!("{name}={value}"));
        let parts: Vec<String> =
            any("alarm", &self.alarms).into_iter().chain(any("queue", &self.queues)).chain(labels).collect();
        f.write_str(&parts.join(", "))
    }
}

/// A silence that somebody asked for. Durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Names this silence and no other.
    pub id: Arc<str>,
    /// Which alarms.
    pub matchers: Matchers,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub author: String,
    /// From when on.
    pub starts: Timestamp,
    /// Until when, exclusive; not before `starts`.
    pub ends: Timestamp,
}

/// Where a silence is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It holds.
    Active,
    /// It has not begun.
    Pending,
    /// It is over.
    Expired,
}

impl Phase {
    /// All of them, in the order a list shows them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Pending, Self::Expired];

    /// The word for it in the API and in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

impl Silence {
    /// Where it is in its life at `now`.
    pub fn phase(&self, now: Timestamp) -> Phase {
        match () {
            () if now >= self.ends => Phase::Expired,
            () if now < self.starts => Phase::Pending,
            () => Phase::Active,
        }
    }

    /// Whether it holds at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.phase(now) == Phase::Active
    }
}

/// Why a silence is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// Why a silence cannot be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotEnd {
    /// There is none of this id.
    Unknown,
    /// It ended then.
    Over(Timestamp),
}

/// Everything that silences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Silences {
    /// Those that were asked for, ended ones perhaps among them.
    pub silences: Vec<Silence>,
    /// The maintenance windows of the configuration.
    pub windows: Vec<Window>,
}

impl Silences {
    /// Takes a new silence.
    ///
    /// # Errors
    /// When [`MOST`] are active or pending already.
    pub fn add(&mut self, silence: Silence, now: Timestamp) -> Result<(), TooMany> {
        let living = self.silences.iter().filter(|silence| silence.phase(now) != Phase::Expired);
        if living.count() >= MOST {
            return Err(TooMany);
        }
        self.silences.push(silence);
        Ok(())
    }

    /// Ends a silence at `now`, before its time; one that has not begun never does.
    ///
    /// # Errors
    /// When there is none of this id, or it is over.
    pub fn end(&mut self, id: &str, now: Timestamp) -> Result<&Silence, CannotEnd> {
        let silence = self.silences.iter_mut().find(|silence| &*silence.id == id);
        let silence = silence.ok_or(CannotEnd::Unknown)?;
        if silence.phase(now) == Phase::Expired {
            return Err(CannotEnd::Over(silence.ends));
        }
        silence.ends = now;
        silence.starts = silence.starts.min(now);
        Ok(silence)
    }

    /// Forgets what ended [`KEPT`] ago, and the oldest of what ended when there are more than [`MOST_KEPT`]. Returns the ids.
    pub fn forget(&mut self, now: Timestamp) -> Vec<Arc<str>> {
        let expired = self.silences.iter().filter(|silence| silence.phase(now) == Phase::Expired);
        let mut expired: Vec<(Timestamp, Arc<str>)> =
            expired.map(|silence| (silence.ends, silence.id.clone())).collect();
        expired.sort();
        let surplus = expired.len().saturating_sub(MOST_KEPT);
        let old = |position: usize, ends: Timestamp| position < surplus || ends + KEPT <= now;
        let numbered = expired.into_iter().enumerate();
        let gone: Vec<Arc<str>> =
            numbered.filter(|(n, (ends, _))| old(*n, *ends)).map(|(_, (_, id))| id).collect();
        self.silences.retain(|silence| !gone.contains(&silence.id));
        gone
    }

    /// The silences but those that ended [`KEPT`] ago: what anybody is shown.
    pub fn recorded(&self, now: Timestamp) -> impl Iterator<Item = &Silence> {
        self.silences.iter().filter(move |silence| silence.ends + KEPT > now)
    }

    /// What silences the alarm that `rule` has on `subject` at `now`. For many alarms ask [`Silences::at`] once.
    pub fn hold(&self, rule: &Rule, subject: &Subject, now: Timestamp) -> Option<Hold> {
        self.at(now).hold(rule, subject)
    }

    /// All that silences at `now`.
    pub fn at(&self, now: Timestamp) -> InForce {
        let silences = self.silences.iter().filter(|silence| silence.is_active(now)).map(|silence| Holder {
            hold: Hold::Silence(silence.id.clone()),
            matchers: silence.matchers.clone(),
            until: silence.ends,
        });
        let windows = self.windows.iter().filter_map(|window| {
            let until = window.active(now)?.until;
            Some(Holder {
                hold: Hold::Maintenance(window.name.clone()),
                matchers: window.matchers.clone(),
                until,
            })
        });
        let mut holders: Vec<Holder> = silences.chain(windows).collect();
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.until));
        InForce(holders)
    }
}

/// What silences at one instant.
#[derive(Clone, Debug, Default)]
pub struct InForce(Vec<Holder>);

/// One of them.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Which.
    pub hold: Hold,
    /// When it ends.
    pub until: Timestamp,
    matchers: Matchers,
}

impl InForce {
    /// What silences the alarm that `rule` has on `subject`; of several that which ends last.
    pub fn holder(&self, rule: &Rule, subject: &Subject) -> Option<&Holder> {
        self.0.iter().find(|holder| holder.matchers.matches(rule, subject))
    }

    /// The same without its end.
    pub fn hold(&self, rule: &Rule, subject: &Subject) -> Option<Hold> {
        self.holder(rule, subject).map(|holder| holder.hold.clone())
    }
}

#[cfg(test)]
mod tests;
