//! One account and region as one identity sees it, and how well reading it goes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::time::{Jump, Timestamp};

/// One identity in one region: the unit of discovery, of rates and of readiness.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The region's code.
    pub region: Arc<str>,
    /// The role assumed, if any.
    pub role_arn: Option<Arc<str>>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.role_arn {
            Some(role) => write!(f, "{} as {role}", self.region),
            None => f.write_str(&self.region),
        }
    }
}

/// Why a discovered queue is not watched. Closed, as it is a label value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// The configuration's include and exclude leave it out.
    Excluded,
    /// The configuration's tags leave it out.
    Tags,
    /// Its attributes or the tags that decide may not be read.
    Denied,
    /// It vanished between being listed and being read.
    Gone,
    /// It could not be read for another reason; it is tried again at each discovery.
    Unreadable,
}

impl Skip {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Excluded, Self::Tags, Self::Denied, Self::Gone, Self::Unreadable];

    /// The label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::Tags => "tags",
            Self::Denied => "denied",
            Self::Gone => "gone",
            Self::Unreadable => "unreadable",
        }
    }
}

/// How well a target is read. discovered = watched + skipped, always.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetHealth {
    /// The account, once known.
    pub account: Option<Arc<str>>,
    /// The queues that are not watched, by name, and why.
    pub skipped: BTreeMap<Arc<str>, Skip>,
    /// When a complete listing last succeeded.
    pub discovered_at: Option<Timestamp>,
    /// When the first complete listing of this process succeeded.
    pub first_discovered_at: Option<Timestamp>,
    /// How long a listing stays good.
    pub discovery_interval: Duration,
    /// When any queue's attributes were last read.
    pub attributes_at: Option<Timestamp>,
    /// How often each queue's are.
    pub attributes_interval: Duration,
    /// When CloudWatch last answered.
    pub cloudwatch_at: Option<Timestamp>,
    /// Whether the custom metrics that are read here are on the board.
    pub knows_customs: bool,
    /// What goes wrong at the moment, one line an API, for `/readyz` and the page.
    pub troubles: BTreeMap<&'static str, String>,
}

impl TargetHealth {
    /// Notes that a complete listing succeeded.
    pub fn note_discovery(&mut self, at: Timestamp) {
        self.discovered_at = Some(at);
        self.first_discovered_at.get_or_insert(at);
    }

    /// The wall clock was set: what was read is as long ago as it was.
    pub(super) fn shift(&mut self, jump: Jump) {
        let instants = [
            &mut self.discovered_at,
            &mut self.first_discovered_at,
            &mut self.attributes_at,
            &mut self.cloudwatch_at,
        ];
        for at in instants.into_iter().flatten() {
            *at = jump.moved(*at);
        }
    }
}
