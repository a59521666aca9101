//! What SQS tells CloudWatch of each queue once a minute.
//!
//! Nine classic metrics, two more of a FIFO queue, five more of a fair one; see `AWS/SQS` in the SQS Developer Guide. A queue that nobody touched for
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
        fair(&mut minute, queue);
    }
}

fn fifo(minute: &mut Minute<'_>, queue: &Queue, deduplicated: u64) {
    if queue.settings.fifo {
        minute.events("NumberOfDeduplicatedSentMessages", deduplicated);
        minute.gauge("ApproximateNumberOfGroupsWithInflightMessages", queue.groups_in_flight() as f64);
    }
}

fn fair(minute: &mut Minute<'_>, queue: &Queue) {
    if let Some(quiet) = queue.quiet_groups(minute.end) {
        minute.gauge("ApproximateNumberOfNoisyGroups", quiet.noisy_groups as f64);
        minute.gauge("ApproximateNumberOfMessagesVisibleInQuietGroups", quiet.counts.visible as f64);
        minute.gauge("ApproximateNumberOfMessagesNotVisibleInQuietGroups", quiet.counts.in_flight as f64);
        minute.gauge("ApproximateNumberOfMessagesDelayedInQuietGroups", quiet.counts.delayed as f64);
        minute.gauge("ApproximateAgeOfOldestMessageInQuietGroups", quiet.oldest_age);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::message::Draft;
    use crate::simulator::metrics::Window;
    use crate::simulator::settings::Settings;

    const END: Millis = 100 * MINUTE;

    fn realm() -> Realm {
        let mut queue = Queue::new("arn".into(), Settings::new(false), END - MINUTE, 1);
        for _ in 0..10 {
            queue.send(Draft { body: "x".into(), ..Draft::default() }, END - 30_000).unwrap();
        }
        let mut realm = Realm::default();
        realm.queues.insert("orders".into(), queue);
        realm
    }

    /// The minute that ended at `END`, as it is seen `seconds` later.
    fn seen(realm: &Realm, metric: &str, seconds: i64) -> Option<f64> {
        let at = (END - MINUTE) / 1_000;
        let window = Window { start: at, end: at + 60, period: 60 };
        let key = SeriesKey::of_queue("orders", metric);
        realm.metrics.window(&key, window, END + seconds * 1_000).first().map(|(_, set)| set.sum)
    }

    #[test]
    fn a_minute_is_late_and_first_seen_incomplete() {
        let mut realm = realm();
        publish_minute(&mut realm, END, Lateness { delay: Duration::from_secs(60), revised: true });
        assert_eq!(seen(&realm, "NumberOfMessagesSent", 29), None);
        assert_eq!(seen(&realm, "NumberOfMessagesSent", 30), Some(8.0));
        assert_eq!(seen(&realm, "NumberOfMessagesSent", 60), Some(10.0));
        assert_eq!(seen(&realm, "ApproximateAgeOfOldestMessage", 60), Some(30.0));
        assert_eq!(seen(&realm, "NumberOfMessagesReceived", 60), Some(0.0));
        assert_eq!(seen(&realm, "SentMessageSize", 60), Some(10.0));
    }

    #[test]
    fn a_queue_that_nobody_used_for_six_hours_falls_silent() {
        let lateness = Lateness { delay: Duration::ZERO, revised: false };
        let mut idle = realm();
        idle.queues.values_mut().for_each(|queue| queue.used_at = END - IDLE_AFTER - 1);
        publish_minute(&mut idle, END, lateness);
        assert_eq!(seen(&idle, "ApproximateNumberOfMessagesVisible", 0), None);
        let mut used = realm();
        used.queues.values_mut().for_each(|queue| queue.used_at = END - IDLE_AFTER);
        publish_minute(&mut used, END, lateness);
        assert_eq!(seen(&used, "ApproximateNumberOfMessagesVisible", 0), Some(10.0));
    }
}
