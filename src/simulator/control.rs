//! What a test does to the simulator from inside its process.
//!
//! Everything happens in the simulator's own account and region. A name that does not exist is a mistake of the test, so
//! these functions panic on it (at the caller's line) instead of returning a result that tests would unwrap anyway.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::clock::{self, Millis};
use super::cloud::Scope;
use super::fault::Fault;
use super::message::Draft;
use super::metrics::{SeriesKey, Statistics};
use super::queue::Counts;
use super::refusal::Refusal;
use super::shared::{Shared, lock};
use super::sns;
use super::topic::Published;

/// A handle on a running simulator; cheap to clone.
#[derive(Clone, Debug)]
pub struct Control(Arc<Shared>);

/// A message received through the control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its id.
    pub message_id: String,
    /// With which it is deleted.
    pub receipt_handle: String,
    /// Its body.
    pub body: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
}

impl Control {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Control(shared)
    }

    fn home(&self) -> &Scope {
        &self.0.home
    }

    /// URL of a queue of the simulator's own account, whether or not it exists.
    pub fn queue_url(&self, name: &str) -> String {
        self.0.queue_url(self.home(), name)
    }

    /// ARN of a queue of the simulator's own account, whether or not it exists.
    pub fn queue_arn(&self, name: &str) -> String {
        self.home().arn("sqs", name)
    }

    /// CreateQueue.
    ///
    /// # Panics
    /// If SQS would refuse the name or an attribute.
    #[track_caller]
    pub fn create_queue(&self, name: &str, attributes: &[(&str, &str)], tags: &[(&str, &str)]) {
        let attributes: BTreeMap<_, _> = owned(attributes);
        let mut cloud = lock(&self.0.cloud);
        proved(cloud.create_queue(self.home(), name, &attributes, clock::now()));
        proved(cloud.queue(self.home(), name)).tags.extend(owned(tags));
    }

    /// DeleteQueue.
    ///
    /// # Panics
    /// If there is no such queue.
    #[track_caller]
    pub fn delete_queue(&self, name: &str) {
        let mut cloud = lock(&self.0.cloud);
        proved(cloud.queue(self.home(), name));
        cloud.realm(self.home()).queues.remove(name);
    }

    /// SendMessage; gives the message's id. To a FIFO queue it goes in the group `group`, each message unlike the
    /// others.
    ///
    /// # Panics
    /// If there is no such queue, or the message is too large.
    #[track_caller]
    pub fn send(&self, queue: &str, body: &str) -> String {
        let mut cloud = lock(&self.0.cloud);
        let mut draft = Draft { body: body.to_owned(), ..Draft::default() };
        if proved(cloud.queue(self.home(), queue)).settings.fifo {
            draft.group = Some("group".to_owned());
            draft.deduplication_id = Some(super::message::uuid(&mut cloud.random));
        }
        proved(cloud.send(self.home(), queue, draft, clock::now())).message_id
    }

    /// ReceiveMessage, without waiting, up to `max` messages.
    ///
    /// # Panics
    /// If there is no such queue.
    #[track_caller]
    pub fn receive(&self, queue: &str, max: usize) -> Vec<Received> {
        let receipt = proved(lock(&self.0.cloud).receive(self.home(), queue, max, None, clock::now()));
        let received = receipt.delivered.into_iter().map(|(message, receipt_handle)| Received {
            message_id: message.id,
            receipt_handle,
            body: message.body.to_string(),
            receive_count: message.receive_count,
        });
        received.collect()
    }

    /// DeleteMessage.
    ///
    /// # Panics
    /// If there is no such queue, or the handle is none.
    #[track_caller]
    pub fn delete(&self, queue: &str, receipt_handle: &str) {
        let mut cloud = lock(&self.0.cloud);
        proved(proved(cloud.queue(self.home(), queue)).delete(receipt_handle, clock::now()));
    }

    /// PurgeQueue, as often as one likes.
    ///
    /// # Panics
    /// If there is no such queue.
    #[track_caller]
    pub fn purge(&self, queue: &str) {
        let mut cloud = lock(&self.0.cloud);
        let queue = proved(cloud.queue(self.home(), queue));
        queue.purge(clock::now());
        queue.purged_at = None;
    }

    /// Lets a queue show these counts from now on, whatever it holds.
    ///
    /// # Panics
    /// If there is no such queue.
    #[track_caller]
    pub fn set_counts(&self, queue: &str, visible: u64, in_flight: u64, delayed: u64) {
        let mut cloud = lock(&self.0.cloud);
        let queue = proved(cloud.queue(self.home(), queue));
        queue.counts_override = Some(Counts { visible, in_flight, delayed });
    }

    /// Puts a CloudWatch datapoint, visible at once, at second `at_unix_secs` since the epoch. A second one for the same time
    /// revises the first.
    pub fn put_datapoint(
        &self,
        namespace: &str,
        metric: &str,
        dimensions: &[(&str, &str)],
        at_unix_secs: i64,
        value: f64,
    ) {
        let key = SeriesKey::new(namespace, metric, dimensions);
        let mut cloud = lock(&self.0.cloud);
        cloud.realm(self.home()).metrics.publish(key, at_unix_secs, Millis::MIN, Statistics::of(value));
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        lock(&self.0.faults).inject(fault);
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        lock(&self.0.faults).clear();
    }

    /// Requests so far, e.g. `sqs.GetQueueAttributes`: 3. Retries count.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.0.requests()
    }

    /// CreateTopic; gives the ARN. A name that ends in `.fifo` makes a FIFO topic.
    pub fn create_topic(&self, name: &str) -> String {
        let fifo = name.ends_with(".fifo").then_some(("FifoTopic", "true"));
        let attributes = owned(fifo.as_slice());
        sns::create(lock(&self.0.cloud).realm(self.home()), self.home(), name, attributes)
    }

    /// The messages published so far, the last 10,000 of them.
    pub fn published(&self) -> Vec<Published> {
        self.0.published()
    }

    /// A receiver of every message published from now on.
    pub fn watch_published(&self) -> broadcast::Receiver<Published> {
        self.0.watch_published()
    }
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[track_caller]
fn proved<T>(result: Result<T, Refusal>) -> T {
    match result {
        Ok(value) => value,
        Err(refusal) => panic!("the simulator refused: {refusal}"),
    }
}
