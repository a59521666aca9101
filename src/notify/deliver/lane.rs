//! One destination's lane: one attempt at a time, each alarm's entries in the order of their commits.
//!
//! Two waits are kept apart. An entry that failed waits by its own number of attempts, and what follows for the same
//! alarm waits behind it; that is durable. The lane pauses by the number of failures in a row, so that a destination which
//! takes nothing is tried ever more seldom however much it is owed, while one entry that alone fails, even by a time-out,
//! does not hold up the others for longer than a first failure does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Delivery;
use crate::clock;
use crate::domain::outbox::{self, BACKOFF, Entry, Next, Outcome, Reason};
use crate::notify::{Answer, Receiver, send};
use crate::store::{Store, StoreError};

/// How many entries are read at once.
const WINDOW: usize = 256;
/// How long an idle lane sleeps when nobody rings: a safeguard, nothing depends on it.
const IDLE: Duration = Duration::from_secs(60);
/// How long to wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Lane {
    name: Arc<str>,
    receiver: Receiver,
    delivery: Delivery,
    shutdown: CancellationToken,
    /// Failures in a row.
    failures: u32,
    paused_until: Option<Instant>,
}

/// What a lane does after an attempt.
enum Then {
    /// Takes the next entry of its window.
    GoOn,
    /// Reads the store again: the window may hold what is not owed any more.
    Reread,
}

impl Lane {
    pub(super) fn new(
        name: Arc<str>,
        receiver: Receiver,
        delivery: Delivery,
        shutdown: CancellationToken,
    ) -> Self {
        Self { name, receiver, delivery, shutdown, failures: 0, paused_until: None }
    }

    /// Works until shutdown; `bell` says that something new is owed.
    pub(super) async fn run(mut self, bell: Arc<Notify>) {
        while !self.shutdown.is_cancelled() {
            let rest = self.work().await;
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => {}
                () = bell.notified() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Delivers all that is due, and returns how long there is nothing more to do.
    async fn work(&mut self) -> Duration {
        let mut limit = WINDOW;
        while !self.shutdown.is_cancelled() {
            if let Some(rest) = self.pause() {
                return rest;
            }
            let mut window = match self.read(limit).await {
                Ok(window) if window.is_empty() => return IDLE,
                Ok(window) => window,
                Err(error) => {
                    tracing::error!(destination = %self.name, %error, "cannot read what is owed");
                    return STORE_PAUSE;
                }
            };
            let was_full = window.len() == limit;
            let delivered = self.deliver_due(&mut window).await;
            match outbox::wait(&window, clock::now()) {
                Some(rest) if !delivered && !was_full => return rest,
                // All of a full window waits for another attempt: what is due lies behind it.
                Some(_) if !delivered => limit = limit.saturating_mul(2),
                _ => {}
            }
        }
        Duration::ZERO
    }

    fn pause(&self) -> Option<Duration> {
        let rest = self.paused_until?.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }

    async fn read(&self, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let name = self.name.clone();
        self.delivery.store.call(move |store| store.pending(&name, limit)).await
    }

    /// Works through the window; `true` if it should be read again.
    async fn deliver_due(&mut self, window: &mut Vec<Entry>) -> bool {
        let mut attempted = false;
        while let Some(position) = outbox::next_due(window, clock::now()) {
            if self.shutdown.is_cancelled() || self.pause().is_some() {
                return true;
            }
            attempted = true;
            if let Then::Reread = self.attempt(window, position).await {
                return true;
            }
        }
        attempted
    }

    /// One attempt, with everything that follows from it. The window's entry is removed or postponed.
    async fn attempt(&mut self, window: &mut Vec<Entry>, position: usize) -> Then {
        let answer = send(&self.receiver, std::slice::from_ref(&window[position].notification)).await;
        let (now, random) = (clock::now(), (self.delivery.random)());
        window[position].hear(&answer.detail);
        match outbox::settle(&window[position], answer.outcome, now, random) {
            Next::Done => {
                let entry = window.remove(position);
                self.reached(&entry);
                self.record(move |store| store.acknowledge(&entry, now)).await;
                Then::GoOn
            }
            // Whether the destination as a whole should rest follows from the failures in a row.
            Next::RetryAt { at, reason } => {
                window[position].postpone(at);
                self.unreached(&window[position], reason, &answer, random);
                let entry = window[position].clone();
                self.record(move |store| store.postpone(&entry)).await;
                Then::GoOn
            }
            Next::Park { reason } => {
                let mut entry = window.remove(position);
                entry.postpone(now);
                self.refused(&entry, reason, &answer);
                self.record(move |store| store.park(&entry, reason, now)).await;
                Then::Reread
            }
        }
    }

    fn reached(&mut self, entry: &Entry) {
        self.delivery.counts.acknowledged(&self.name, entry.notification.event);
        if self.failures > 0 {
            tracing::info!(destination = %self.name, failures = self.failures, "destination takes notifications again");
        }
        (self.failures, self.paused_until) = (0, None);
    }

    fn unreached(&mut self, entry: &Entry, reason: Reason, answer: &Answer, random: f64) {
        self.delivery.counts.failed(&self.name, reason);
        if self.failures == 0 {
            tracing::warn!(
                destination = %self.name, reason = reason.as_str(), id = entry.notification.id, detail = answer.detail,
                "cannot deliver a notification; it is tried again"
            );
        }
        let after = match answer.outcome {
            Outcome::Retry { after, .. } => after,
            Outcome::Acknowledged | Outcome::Refused { .. } => None,
        };
        self.paused_until = Some(Instant::now() + BACKOFF.delay(self.failures, random, after));
        self.failures = self.failures.saturating_add(1);
    }

    fn refused(&self, entry: &Entry, reason: Reason, answer: &Answer) {
        self.delivery.counts.failed(&self.name, reason);
        tracing::error!(
            destination = %self.name, reason = reason.as_str(), id = entry.notification.id, alarm = %entry.notification.alarm,
            event = entry.notification.event.as_str(), attempts = entry.attempts, detail = answer.detail,
            "a notification is given up and parked"
        );
    }

    /// Writes down what an attempt led to, again and again until it is on disk: a receiver that acknowledged must not be
    /// told twice. Only the end of the program cuts this short; then the entry is sent once more after the start.
    async fn record(&self, work: impl Fn(&Store) -> Result<(), StoreError> + Clone + Send + 'static) {
        let mut failed = false;
        while let Err(error) = self.delivery.store.call(work.clone()).await {
            if !failed {
                tracing::error!(destination = %self.name, %error, "cannot record a delivery; tried until it works");
            }
            failed = true;
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(STORE_PAUSE) => {}
            }
        }
    }
}
