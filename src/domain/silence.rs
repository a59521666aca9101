//! Silences: which alarms tell nobody for a while, who said so, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::alarm::Subject;
use super::hold::Hold;
use super::rule::{Glob, Rule};
use super::time::Timestamp;

/// Which alarms are meant: all that is set must match; what is empty matches every alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matchers {
    /// Globs over the alarm's name, any of which may match.
    pub alarms: Vec<Glob>,
    /// Globs over the name of the queue (or custom metric), any of which may match.
    pub queues: Vec<Glob>,
    /// The alarm's labels with their exact values; `severity` stands for its severity.
    pub labels: BTreeMap<String, String>,
}

impl Matchers {
    /// Whether the alarm that `rule` has on `subject` is meant.
    pub fn matches(&self, rule: &Rule, subject: &Subject) -> bool {
        let any =
            |globs: &[Glob], name: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(name));
        let label = |name: &str| match name {
            "severity" => Some(rule.severity.as_str()),
            _ => rule.labels.get(name).map(String::as_str),
        };
        any(&self.alarms, &rule.name)
            && any(&self.queues, subject.name())
            && self.labels.iter().all(|(name, value)| label(name) == Some(value))
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
    /// Until when, exclusive.
    pub ends: Timestamp,
}

impl Silence {
    /// Whether it holds at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.starts <= now && now < self.ends
    }
}

/// Everything that silences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Silences {
    /// Those that were asked for, ended ones perhaps among them.
    pub silences: Vec<Silence>,
}

impl Silences {
    /// What silences the alarm that `rule` has on `subject` at `now`.
    pub fn hold(&self, rule: &Rule, subject: &Subject, now: Timestamp) -> Option<Hold> {
        let active = |silence: &&Silence| silence.is_active(now) && silence.matchers.matches(rule, subject);
        self.silences.iter().find(active).map(|silence| Hold::Silence(silence.id.clone()))
    }
}
