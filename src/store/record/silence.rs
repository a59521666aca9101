//! The stored form of a silence.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::rule::Glob;
use crate::domain::silence::{Matchers, Silence};
use crate::domain::time::Timestamp;

/// [`Silence`] without its id, which is its key.
#[derive(Debug, Serialize, Deserialize)]
pub struct SilenceRecord {
    alarms: Vec<String>,
    queues: Vec<String>,
    labels: BTreeMap<String, String>,
    reason: String,
    author: String,
    starts: i64,
    ends: i64,
}

impl From<&Silence> for SilenceRecord {
    fn from(silence: &Silence) -> Self {
        let globs = |globs: &[Glob]| globs.iter().map(Glob::to_string).collect();
        Self {
            alarms: globs(&silence.matchers.alarms),
            queues: globs(&silence.matchers.queues),
            labels: silence.matchers.labels.clone(),
            reason: silence.reason.clone(),
            author: silence.author.clone(),
            starts: silence.starts.as_millis(),
            ends: silence.ends.as_millis(),
        }
    }
}

impl SilenceRecord {
    /// The silence that was stored under this id.
    pub fn into_silence(self, id: &str) -> Silence {
        let globs = |texts: Vec<String>| texts.iter().map(|text| Glob::new(text)).collect();
        Silence {
            id: Arc::from(id),
            matchers: Matchers {
                alarms: globs(self.alarms),
                queues: globs(self.queues),
                labels: self.labels,
            },
            reason: self.reason,
            author: self.author,
            starts: Timestamp::from_millis(self.starts),
            ends: Timestamp::from_millis(self.ends),
        }
    }
}
