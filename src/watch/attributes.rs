//! The worker that reads each queue's counts, and now and then its settings.
//!
//! Guaranteed: each queue once an interval at a moment of its own, at most `poll.concurrency` at a time, no faster than AWS lets
//! us; what is late is not made up for. One queue that cannot be read never hurts another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::info;

use super::Watch;
use super::pace::Pace;
use super::trouble::Troubles;
use crate::aws::failure::{Failure, Reason};
use crate::aws::meter::Operation;
use crate::aws::sqs::{Attributes as Answer, Wanted};
use crate::board::{Skip, Watched};
use crate::clock;
use crate::domain::queue::QueueId;
use crate::domain::schedule::Schedule;
use crate::domain::time::Timestamp;

/// The longest sleep: how soon a clock that was set back is noticed.
const LOOK: Duration = Duration::from_secs(1);
/// The rate is capped at this many times what the interval asks for, so that what was late can follow.
const HEADROOM: f64 = 2.0;
/// Requests a second that are let through in any case.
const LEAST_CAP: f64 = 20.0;

/// The worker of one target.
#[derive(Debug)]
pub struct Attributes {
    poll: Arc<Poll>,
    schedule: Schedule<QueueId>,
    permits: Arc<Semaphore>,
    missed: u64,
    /// The clock by which the schedule was made.
    jumps: u64,
}

/// What one reading needs.
#[derive(Debug)]
struct Poll {
    watch: Watch,
    troubles: Arc<Troubles>,
    pace: Pace,
}

impl Attributes {
    /// A worker with nothing to do yet.
    pub fn new(watch: Watch, troubles: Arc<Troubles>) -> Self {
        let poll = &watch.config.poll;
        Self {
            schedule: Schedule::new(poll.attributes),
            permits: Arc::new(Semaphore::new(poll.concurrency.max(1))),
            missed: 0,
            jumps: clock::jumps(),
            poll: Arc::new(Poll { pace: Pace::new(LEAST_CAP), watch, troubles }),
        }
    }

    /// Works until shutdown; looks at the set of queues anew whenever `changed` tells. What is in flight is finished.
    pub async fn run(mut self, mut changed: watch::Receiver<()>) {
        let watch = self.poll.watch.clone();
        let interval = watch.config.poll.attributes;
        watch.board.update_target(watch.target(), |health| health.attributes_interval = interval);
        let mut readings = JoinSet::new();
        let work = async {
            let mut permit = None;
            loop {
                let held = match permit.take() {
                    Some(permit) => permit,
                    None => self.permit().await,
                };
                // The permit is had before the turn is taken, so that waiting for it shows as lateness.
                permit = tokio::select! {
                    turn = self.turn() => {
                        readings.spawn(self.poll.clone().read(turn, held));
                        None
                    }
                    Ok(()) = changed.changed() => {
                        self.follow();
                        Some(held)
                    }
                };
                while readings.try_join_next().is_some() {}
            }
        };
        watch.shutdown.run_until_cancelled(work).await;
        while readings.join_next().await.is_some() {}
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        match self.permits.clone().acquire_owned().await {
            Ok(permit) => permit,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until a queue is due and a request may be made. Taking the turn is its last step, so that it can be dropped.
    async fn turn(&mut self) -> Arc<Watched> {
        loop {
            self.follow_clock();
            let now = clock::now();
            let due = self.schedule.next_due();
            if due.is_none_or(|due| due > now) {
                tokio::time::sleep(due.map_or(LOOK, |due| due.since(now)).min(LOOK)).await;
                continue;
            }
            self.poll.pace.turn().await;
            let next = self.schedule.pop_due(clock::now());
            self.count_late();
            if let Some(watched) = next.and_then(|(id, _)| self.poll.watch.board.queue(&id)) {
                return watched;
            }
        }
    }

    /// By a clock that was set nothing is late, and nothing has to wait: the schedule starts anew.
    fn follow_clock(&mut self) {
        let jumps = clock::jumps();
        if std::mem::replace(&mut self.jumps, jumps) != jumps {
            self.schedule.retain(|_| false);
            self.follow();
        }
    }

    fn count_late(&mut self) {
        let late = self.schedule.missed() - self.missed;
        self.missed = self.schedule.missed();
        self.poll.watch.telemetry.late.with_label_values(&["attributes"]).inc_by(late);
    }

    /// Schedules exactly the queues of the target that are watched now.
    fn follow(&mut self) {
        let (watch, now) = (&self.poll.watch, clock::now());
        let queues = watch.board.queues();
        self.schedule.retain(|id| queues.contains_key(id));
        for watched in queues.values().filter(|watched| watched.target == *watch.target()) {
            self.schedule.insert(watched.id.clone(), now);
        }
        let a_second = self.schedule.len() as f64 / watch.config.poll.attributes.as_secs_f64().max(0.001);
        self.poll.pace.fit((a_second * HEADROOM).max(LEAST_CAP));
    }
}

impl Poll {
    async fn read(self: Arc<Self>, watched: Arc<Watched>, _permit: OwnedSemaphorePermit) {
        let url = watched.lock().queue.url.clone();
        let wanted = self.wanted(&watched, clock::now());
        let result = self.watch.clients.sqs.attributes(&watched.id, &url, wanted).await;
        self.pace.learn(&result);
        match result {
            Ok(answer) => self.take(&watched.id, answer),
            Err(failure) => self.failed(&watched.id, &failure),
        }
    }

    /// Settings change rarely: they are asked for at first and then once a discovery.
    fn wanted(&self, watched: &Watched, now: Timestamp) -> Wanted {
        let config = &self.watch.config;
        let fresh = config.discovery.interval.saturating_sub(config.poll.attributes / 2);
        match watched.lock().settings_at {
            Some(at) if at <= now && now.since(at) < fresh => Wanted::Counts,
            _ => Wanted::All,
        }
    }

    fn take(&self, id: &QueueId, answer: Answer) {
        let _steady = clock::steady();
        let now = clock::now();
        self.watch.board.read_attributes(id, now, answer.depth, answer.settings);
        self.watch.board.update_target(self.watch.target(), |health| health.attributes_at = Some(now));
        self.troubles.succeeded(Operation::GetQueueAttributes.name(), &id.name, now);
    }

    /// A queue that is gone or may not be read leaves the picture; every other failure lets its reading age.
    fn failed(&self, id: &QueueId, failure: &Failure) {
        match failure.reason {
            Reason::NoSuchQueue => {
                info!(queue = %id, "the queue is gone");
                self.skip(id, Skip::Gone);
                self.troubles.succeeded(Operation::GetQueueAttributes.name(), &id.name, clock::now());
            }
            reason => {
                if reason == Reason::Denied {
                    self.skip(id, Skip::Denied);
                }
                self.troubles.failed(&id.name, failure, clock::now());
            }
        }
    }

    /// The skip stands before the queue is forgotten, lest a discovery in between take it back.
    fn skip(&self, id: &QueueId, skip: Skip) {
        self.watch.board.update_target(self.watch.target(), |health| {
            health.skipped.insert(id.name.clone(), skip);
        });
        self.watch.board.forget(id);
    }
}
