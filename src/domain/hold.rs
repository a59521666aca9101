//! Why an alarm's notifications are held back for now. Whatever holds them, the alarm is judged and shown all the same, and a firing
//! that was held and is not over when nothing holds it any more is told then.

use std::fmt;
use std::sync::Arc;

/// What holds the notifications of an alarm back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A silence, by its id.
    Silence(Arc<str>),
    /// A maintenance window of the configuration, by its name.
    Maintenance(Arc<str>),
    /// The suppressor of a composite alarm, by its rule's name; also while it is waited for.
    Suppressor(Arc<str>),
}

impl Hold {
    /// The word for its kind in the API and in labels.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Silence(_) => "silence",
            Self::Maintenance(_) => "maintenance",
            Self::Suppressor(_) => "suppressor",
        }
    }

    /// The id or name of what holds.
    pub fn by(&self) -> &Arc<str> {
        match self {
            Self::Silence(by) | Self::Maintenance(by) | Self::Suppressor(by) => by,
        }
    }
}

impl fmt::Display for Hold {
    /// E.g. `` silence `2f1c` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind(), self.by())
    }
}
