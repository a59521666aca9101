//! One queue's producers and consumers.
//!
//! All rates and waits are in seconds of the world. Whatever happens regularly does so by a `Rhythm` on the world's time,
//! which is 0 at the start: that is how the table of the shop can promise something within the first minute.

use crate::simulator::clock::Millis;
use crate::simulator::cloud::{Cloud, Scope};
use crate::simulator::message::{Draft, Message};
use crate::simulator::metrics::{Metrics, SeriesKey, Statistics};

/// What makes a message one that no consumer can handle.
const POISON: &str = "\"malformed\":true";
/// Seconds until a failed message is tried again.
const RETRY_AFTER: u32 = 2;
/// Seconds between the polls of a consumer that finds nothing.
const IDLE_POLL: f64 = 1.0;
const NAMESPACE: &str = "Shop/Workers";

/// Something that happens every so often.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// When it starts for the first time after the start of the simulator.
    pub first: f64,
    /// From one start to the next.
    pub every: f64,
    /// How long it goes on; 0: it never happens.
    pub lasts: f64,
}

impl Rhythm {
    /// It never happens.
    pub const NEVER: Rhythm = Rhythm { first: 0.0, every: 1.0, lasts: 0.0 };

    fn is_on(self, time: f64) -> bool {
        (time - self.first).rem_euclid(self.every) < self.lasts
    }
}

/// How one queue is worked.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The queue; its dead-letter queue, if it has one, is in `dead_letters`.
    pub queue: &'static str,
    /// Name of the consumer, and value of the custom metrics' dimension `Service`.
    pub service: &'static str,
    /// Messages a second.
    pub rate: f64,
    /// When ...
    pub burst: Rhythm,
    /// ... there are so many times more.
    pub burst_factor: f64,
    /// When ...
    pub poison: Rhythm,
    /// ... so many poison messages a second come as well.
    pub poison_rate: f64,
    /// Whether messages of this standard queue name their tenant, which makes it a fair queue.
    pub tenants: bool,
    /// Messages a second that the consumers begin at most.
    pub capacity: f64,
    /// Seconds that a message takes.
    pub handling: f64,
    /// When messages take a hundred times as long, so that they pile up in flight.
    pub slow: Rhythm,
    /// When the consumers stand still.
    pub stall: Rhythm,
    /// The dead-letter queue, and when somebody clears it.
    pub dead_letters: Option<(&'static str, Rhythm)>,
}

impl Plan {
    /// A queue that is worked steadily: the rest of the table says what is different.
    pub const fn steady(queue: &'static str, service: &'static str, rate: f64) -> Self {
        Plan {
            queue,
            service,
            rate,
            burst: Rhythm::NEVER,
            burst_factor: 1.0,
            poison: Rhythm::NEVER,
            poison_rate: 0.0,
            tenants: false,
            capacity: rate * 2.5,
            handling: 0.4,
            slow: Rhythm::NEVER,
            stall: Rhythm::NEVER,
            dead_letters: None,
        }
    }
}

/// A moment of the world and how long it lasts.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// World seconds since the start.
    pub time: f64,
    /// World seconds since the last moment.
    pub seconds: f64,
    /// The true time.
    pub now: Millis,
}

/// A plan at work.
#[derive(Debug)]
pub struct Workload {
    plan: Plan,
    /// Fractions of messages that are due to be sent, and to be received.
    due: f64,
    poison_due: f64,
    free: f64,
    idle_until: f64,
    jobs: Vec<Job>,
    sent: u64,
    processed: u64,
    failed: u64,
    latency: Option<Statistics>,
}

#[derive(Debug)]
struct Job {
    handle: String,
    started: f64,
    done: f64,
    poison: bool,
}

impl Workload {
    /// Nothing sent yet.
    pub fn new(plan: Plan) -> Self {
        Workload {
            plan,
            due: 0.0,
            poison_due: 0.0,
            free: 0.0,
            idle_until: f64::NEG_INFINITY,
            jobs: Vec::new(),
            sent: 0,
            processed: 0,
            failed: 0,
            latency: None,
        }
    }

    /// Lets one moment pass. Somebody may have deleted the queue; then nothing happens.
    pub fn step(&mut self, cloud: &mut Cloud, home: &Scope, random: &mut fastrand::Rng, moment: Moment) {
        self.produce(cloud, home, random, moment);
        if !self.plan.stall.is_on(moment.time) {
            self.finish(cloud, home, moment);
            self.begin(cloud, home, random, moment);
        }
        self.clear_dead_letters(cloud, home, moment);
    }

    fn produce(&mut self, cloud: &mut Cloud, home: &Scope, random: &mut fastrand::Rng, moment: Moment) {
        let factor = if self.plan.burst.is_on(moment.time) { self.plan.burst_factor } else { 1.0 };
        self.due += self.plan.rate * factor * moment.seconds * (0.5 + random.f64());
        while self.due >= 1.0 {
            self.due -= 1.0;
            self.send(cloud, home, random, false, moment.now);
        }
        if self.plan.poison.is_on(moment.time) {
            self.poison_due += self.plan.poison_rate * moment.seconds;
        }
        while self.poison_due >= 1.0 {
            self.poison_due -= 1.0;
            self.send(cloud, home, random, true, moment.now);
        }
    }

    fn send(
        &mut self,
        cloud: &mut Cloud,
        home: &Scope,
        random: &mut fastrand::Rng,
        poison: bool,
        now: Millis,
    ) {
        self.sent += 1;
        let (number, customer) = (self.sent, random.u32(1..=40));
        let note = "x".repeat(random.usize(0..200));
        let body = match poison {
            true => format!("{{\"number\":{number},{POISON}}}"),
            false => format!("{{\"number\":{number},\"customer\":{customer},\"note\":\"{note}\"}}"),
        };
        let fifo = self.plan.queue.ends_with(".fifo");
        let draft = Draft {
            body,
            group: (fifo || self.plan.tenants).then(|| format!("customer-{customer}")),
            deduplication_id: fifo.then(|| number.to_string()),
            ..Draft::default()
        };
        let _ = cloud.send(home, self.plan.queue, draft, now);
    }

    fn begin(&mut self, cloud: &mut Cloud, home: &Scope, random: &mut fastrand::Rng, moment: Moment) {
        let fresh = self.plan.capacity * moment.seconds;
        // No more than a second's worth is saved up, but always enough for one message.
        self.free = (self.free + fresh).min(fresh.max(self.plan.capacity).max(1.0));
        while self.free >= 1.0 && moment.time >= self.idle_until {
            let max = self.free.min(10.0) as usize;
            let Ok(receipt) = cloud.receive(home, self.plan.queue, max, None, moment.now) else { return };
            if receipt.delivered.is_empty() {
                self.idle_until = moment.time + IDLE_POLL;
            }
            for (message, handle) in receipt.delivered {
                self.free -= 1.0;
                self.jobs.push(self.job(&message, handle, random, moment));
            }
        }
    }

    fn job(&self, message: &Message, handle: String, random: &mut fastrand::Rng, moment: Moment) -> Job {
        let slowness = if self.plan.slow.is_on(moment.time) { 100.0 } else { 1.0 };
        let takes = self.plan.handling * slowness * (0.5 + random.f64());
        let poison = message.body.contains(POISON);
        Job { handle, started: moment.time, done: moment.time + takes, poison }
    }

    fn finish(&mut self, cloud: &mut Cloud, home: &Scope, moment: Moment) {
        let Ok(queue) = cloud.queue(home, self.plan.queue) else { return };
        let (done, going_on) = self.jobs.drain(..).partition(|job| job.done <= moment.time);
        self.jobs = going_on;
        for job in done {
            // A message that took longer than its visibility time-out is no longer this consumer's.
            if job.poison {
                self.failed += 1;
                let _ = queue.change_visibility(&job.handle, RETRY_AFTER, moment.now);
            } else {
                self.processed += 1;
                let _ = queue.delete(&job.handle, moment.now);
            }
            let milliseconds = ((job.done - job.started) * 1_000.0).round();
            self.latency.get_or_insert_with(Statistics::default).add(milliseconds, 1.0);
        }
    }

    fn clear_dead_letters(&mut self, cloud: &mut Cloud, home: &Scope, moment: Moment) {
        let Some((name, clearing)) = self.plan.dead_letters else { return };
        if !clearing.is_on(moment.time) {
            return;
        }
        let Ok(receipt) = cloud.receive(home, name, 10, None, moment.now) else { return };
        let Ok(queue) = cloud.queue(home, name) else { return };
        for (_, handle) in receipt.delivered {
            let _ = queue.delete(&handle, moment.now);
        }
    }

    /// Publishes the consumer's own metrics of the minute that began at second `at`.
    pub fn publish(&mut self, metrics: &mut Metrics, at: i64, visible_from: Millis) {
        let key = |metric| {
            SeriesKey::new(NAMESPACE, metric, &[("Service", self.plan.service), ("Environment", "prod")])
        };
        metrics.publish(key("MessagesProcessed"), at, visible_from, Statistics::of(self.processed as f64));
        metrics.publish(key("MessagesFailed"), at, visible_from, Statistics::of(self.failed as f64));
        if let Some(latency) = self.latency.take() {
            metrics.publish(key("ProcessingLatency"), at, visible_from, latency);
        }
        (self.processed, self.failed) = (0, 0);
    }
}
