//! What SQS tells CloudWatch of each queue once a minute.
//!
//! Nine classic metrics, one FIFO pair more; see `AWS/SQS` in the SQS Developer Guide. A queue that nobody touched for
//! six hours is left out. Each datapoint becomes visible after a delay, and, if asked for, first in a partial version.

use std::time::Duration;

use super::clock::{MINUTE, Millis};
use super::cloud::Realm;
use super::metrics::{Metrics, SeriesKey, Statistics};
use super::queue::Queue;

const IDLE_AFTER: Millis = 6 * 60 * MINUTE;

/// How datapoints become visible.
#[derive(Clone, Copy, Debug)]
pub struct Lateness {
    /// From the end of a minute to its complete datapoint.
    pub delay: Duration,
    /// Whether a partial one is seen after half of that.
    pub revised: bool,
}

/// Publishes the minute that ended at `end` for every queue of `realm`.
pub fn publish_minute(realm: &mut Realm, end: Millis, lateness: Lateness) {
    for (name, queue) in &mut realm.queues {
        let tally = queue.tally.take();
        if end - queue.used_at > IDLE_AFTER {
            continue;
        }
        let counts = queue.counts(end);
        let mut minute = Minute { metrics: &mut realm.metrics, queue: name, end, lateness };
        minute.gauge("ApproximateNumberOfMessagesVisible", counts.visible as f64);
        minute.gauge("ApproximateNumberOfMessagesNotVisible", counts.in_flight as f64);
        minute.gauge("ApproximateNumberOfMessagesDelayed", counts.delayed as f64);
        minute.gauge("ApproximateAgeOfOldestMessage", queue.oldest_age(end));
        minute.events("NumberOfMessagesSent", tally.sent);
        minute.events("NumberOfMessagesReceived", tally.received);
        minute.events("NumberOfMessagesDeleted", tally.deleted);
        minute.events("NumberOfEmptyReceives", tally.empty_receives);
        if let Some(sizes) = tally.sizes {
            minute.publish("SentMessageSize", lateness.delay, sizes);
        }
        fifo(&mut minute, queue, tally.deduplicated);
    }
}

fn fifo(minute: &mut Minute<'_>, queue: &Queue, deduplicated: u64) {
    if queue.settings.fifo {
        minute.events("NumberOfDeduplicatedSentMessages", deduplicated);
        minute.gauge("ApproximateNumberOfGroupsWithInflightMessages", queue.groups_in_flight() as f64);
    }
}

struct Minute<'a> {
    metrics: &'a mut Metrics,
    queue: &'a str,
    end: Millis,
    lateness: Lateness,
}

impl Minute<'_> {
    fn gauge(&mut self, metric: &str, value: f64) {
        self.publish(metric, self.lateness.delay, Statistics::of(value));
    }

    fn events(&mut self, metric: &str, count: u64) {
        if self.lateness.revised && count > 1 {
            self.publish(metric, self.lateness.delay / 2, Statistics::of_events(count * 4 / 5));
        }
        self.publish(metric, self.lateness.delay, Statistics::of_events(count));
    }

    fn publish(&mut self, metric: &str, delay: Duration, statistics: Statistics) {
        let visible_from = self.end + delay.as_millis() as Millis;
        let key = SeriesKey::of_queue(self.queue, metric);
        self.metrics.publish(key, (self.end - MINUTE) / 1_000, visible_from, statistics);
    }
}
