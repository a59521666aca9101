//! What the HTTP server, the living world and the control share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio_util::task::TaskTracker;

use super::cloud::{Cloud, Scope};
use super::fault::Faults;
use super::synthetic::Synthetic;
use super::topic::Published;

/// Published messages kept for a test to read.
const MAX_PUBLISHED: usize = 10_000;

/// One simulator's state.
#[derive(Debug)]
pub struct Shared {
    /// Account and region of the world, and of callers who name none.
    pub home: Scope,
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    /// Queues, metrics and topics.
    pub cloud: Mutex<Cloud>,
    /// Faults to come.
    pub faults: Mutex<Faults>,
    /// The queues of `World::Synthetic`, which exist only as a function of time.
    pub synthetic: Option<Synthetic>,
    /// Deliveries to HTTP subscribers that are under way.
    pub deliveries: TaskTracker,
    requests: Mutex<BTreeMap<String, u64>>,
    published: Mutex<Vec<Published>>,
    watch: broadcast::Sender<Published>,
}

impl Shared {
    /// The state of a new simulator; `synthetic` queues become visible in CloudWatch after `delay`.
    pub fn new(home: Scope, endpoint: String, seed: u64, synthetic: Option<(usize, Duration)>) -> Self {
        Shared {
            home,
            endpoint,
            cloud: Mutex::new(Cloud::new(seed)),
            faults: Mutex::default(),
            synthetic: synthetic.map(|(queues, delay)| Synthetic::new(queues, delay)),
            deliveries: TaskTracker::new(),
            requests: Mutex::default(),
            published: Mutex::default(),
            watch: broadcast::channel(1_024).0,
        }
    }

    /// Counts one request, e.g. `sqs.GetQueueAttributes`.
    pub fn count(&self, service: &str, operation: &str) {
        let key = format!("{service}.{operation}");
        *lock(&self.requests).entry(key).or_default() += 1;
    }

    /// Requests so far by service and operation.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        lock(&self.requests).clone()
    }

    /// Remembers a message published to a topic and tells those who watch.
    pub fn record(&self, message: Published) {
        let mut published = lock(&self.published);
        if published.len() == MAX_PUBLISHED {
            published.remove(0);
        }
        published.push(message.clone());
        // Nobody may be watching; that is no failure.
        let _ = self.watch.send(message);
    }

    /// The messages published so far, the last 10,000 of them.
    pub fn published(&self) -> Vec<Published> {
        lock(&self.published).clone()
    }

    /// A receiver of every message published from now on.
    pub fn watch_published(&self) -> broadcast::Receiver<Published> {
        self.watch.subscribe()
    }

    /// URL of a queue.
    pub fn queue_url(&self, scope: &Scope, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint, scope.account)
    }
}

/// Locks, also after a panic elsewhere: every change under these locks is whole before anything can fail.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
