//! The tags of queues, read only when something asks for them, slowly, and rarely again: AWS throttles them first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Watch;
use super::pace::Pace;
use super::trouble::Troubles;
use crate::aws::failure::Reason;
use crate::aws::meter::Operation;
use crate::clock;
use crate::config::Config;
use crate::domain::queue::Queue;
use crate::domain::time::Timestamp;

/// Requests a second, far below what AWS lets an account have.
const A_SECOND: f64 = 20.0;
/// How long tags are taken to stay as they are.
const FRESH: Duration = Duration::from_secs(3600);

/// The tags of one queue.
pub type Tags = BTreeMap<String, String>;

/// What is known of one queue's tags.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// These.
    Tags(Tags),
    /// They may not be read.
    Denied,
}

/// The tags of the queues of one target.
#[derive(Debug)]
pub struct Tagging {
    needed: bool,
    known: BTreeMap<Arc<str>, (Timestamp, Known)>,
    pace: Pace,
}

impl Tagging {
    /// Knows nothing yet.
    pub fn new(config: &Config) -> Self {
        let discovery = &config.discovery;
        let by_rules = config.rules.iter().any(|rule| !rule.selector.tags.is_empty());
        let needed = by_rules || !discovery.tags.is_empty() || !discovery.tag_labels.is_empty();
        Self { needed, known: BTreeMap::new(), pace: Pace::new(A_SECOND) }
    }

    /// What is known of the queue's tags.
    pub fn of(&self, name: &str) -> Option<&Known> {
        self.known.get(name).map(|(_, known)| known)
    }

    /// Forgets the queues that are no longer there.
    pub fn retain(&mut self, listed: impl Fn(&str) -> bool) {
        self.known.retain(|name, _| listed(name));
    }

    /// The queues of these whose tags are to be read: new ones first, then those read longest ago.
    pub fn due<'a>(&self, queues: impl Iterator<Item = &'a Queue>, now: Timestamp) -> Vec<Queue> {
        let read_at = |queue: &Queue| self.known.get(&queue.id.name).map(|(at, _)| *at);
        let stale = |queue: &&Queue| read_at(queue).is_none_or(|at| now.since(at) >= FRESH || at > now);
        let mut due: Vec<Queue> = queues.filter(|_| self.needed).filter(stale).cloned().collect();
        due.sort_by_key(read_at);
        due
    }

    /// Reads the tags of these queues, one after the other; gives up when every other request would fail as well.
    pub async fn read(&mut self, queues: &[Queue], watch: &Watch, troubles: &Troubles) {
        for queue in queues {
            self.pace.turn().await;
            let result = watch.clients.sqs.tags(&queue.id, &queue.url).await;
            self.pace.learn(&result);
            let now = clock::now();
            let name = &queue.id.name;
            match result {
                Ok(tags) => {
                    troubles.succeeded(Operation::ListQueueTags.name(), name, now);
                    self.known.insert(name.clone(), (now, Known::Tags(tags)));
                }
                Err(failure) => {
                    if failure.reason != Reason::NoSuchQueue {
                        troubles.failed(name, &failure, now);
                    }
                    if failure.reason == Reason::Denied {
                        self.known.insert(name.clone(), (now, Known::Denied));
                    }
                    if failure.reason.is_general() {
                        return;
                    }
                }
            }
        }
    }
}
