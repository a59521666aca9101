//! One destination's lane: one attempt at a time, each alarm's entries in the order of their commits.
//!
//! Two waits are kept apart. An entry that failed waits by its own number of attempts, and what follows for the same
//! alarm waits behind it; that is durable. The lane pauses by the number of failures in a row, so that a destination which
//! takes nothing is tried ever more seldom however much it is owed, while one entry that alone fails, even by a time-out,
//! does not hold up the others for longer than a first failure does. Beside these, the lane keeps its receiver's pace.
//!
//! What belongs together goes out as one message, and its answer is recorded for all of it in one transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Delivery;
use crate::clock;
use crate::domain::notification::Notification;
use crate::domain::outbox::{self, BACKOFF, Batching, Entry, Next, Outcome, Reason, Verdict};
use crate::domain::time::Timestamp;
use crate::notify::{Answer, Receiver, Spent, send};
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
    batching: Batching,
    spent: Spent,
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
        let (batching, spent) = (Batching::new(receiver.grouping()), Spent::new(receiver.pace()));
        Self { name, receiver, delivery, shutdown, failures: 0, paused_until: None, batching, spent }
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
        let mut limit = WINDOW.max(self.batching.present().max);
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
            match outbox::wait(&window, self.batching.present(), clock::now()) {
                Some(rest) if !delivered && !was_full => return rest,
                // All of a full window waits for another attempt: what is due lies behind it.
                Some(_) if !delivered => limit = limit.saturating_mul(2),
                _ => {}
            }
        }
        Duration::ZERO
    }

    /// How long the receiver is to be left alone.
    fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let failed = self.paused_until.map(|until| until.saturating_duration_since(now)).unwrap_or_default();
        let rest = failed.max(self.spent.wait(now));
        (!rest.is_zero()).then_some(rest)
    }

    async fn read(&self, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let name = self.name.clone();
        self.delivery.store.call(move |store| store.pending(&name, limit)).await
    }

    /// Works through the window; `true` if it should be read again.
    async fn deliver_due(&mut self, window: &mut Vec<Entry>) -> bool {
        let mut attempted = false;
        while let Some(group) = outbox::next_group(window, self.batching.present(), clock::now()) {
            if self.shutdown.is_cancelled() || self.pause().is_some() {
                return true;
            }
            attempted = true;
            if let Then::Reread = self.attempt(window, &group).await {
                return true;
            }
        }
        attempted
    }

    /// One attempt at the entries at these positions, with everything that follows from it. They are removed from the
    /// window or postponed in it.
    async fn attempt(&mut self, window: &mut Vec<Entry>, positions: &[usize]) -> Then {
        let group: Vec<&Entry> = positions.iter().map(|position| &window[*position]).collect();
        let told: Vec<Arc<Notification>> = group.iter().map(|entry| entry.notification.clone()).collect();
        self.spent.spend(self.receiver.calls(&told), Instant::now());
        let answer = send(&self.receiver, &told).await;
        let (now, random) = (clock::now(), (self.delivery.random)());
        let Verdict::Each(next) = self.batching.settle(&group, answer.outcome, now, random) else {
            self.halved(&told, &answer);
            return Then::GoOn;
        };
        for position in positions {
            window[*position].hear(&answer.detail);
        }
        let settled = settled(window, positions, next, now);
        self.report(&settled, &answer, random);
        let parked = settled.iter().any(|(_, next)| matches!(next, Next::Park { .. }));
        self.record(move |store| store.settle(&settled, now)).await;
        if parked { Then::Reread } else { Then::GoOn }
    }

    fn report(&mut self, settled: &[(Entry, Next)], answer: &Answer, random: f64) {
        match answer.outcome {
            Outcome::Acknowledged => self.reached(settled),
            // Whether the destination as a whole should rest follows from the failures in a row.
            Outcome::Retry { reason, after } => self.unreached(settled, reason, after, answer, random),
            Outcome::Refused { .. } => {}
        }
        for (entry, next) in settled {
            if let Next::Park { reason } = next {
                self.parked(entry, *reason, answer);
            }
        }
    }

    fn reached(&mut self, settled: &[(Entry, Next)]) {
        for (entry, _) in settled {
            self.delivery.counts.acknowledged(&self.name, entry.notification.event);
        }
        if self.failures > 0 {
            tracing::info!(destination = %self.name, failures = self.failures, "destination takes notifications again");
        }
        (self.failures, self.paused_until) = (0, None);
    }

    fn unreached(
        &mut self,
        settled: &[(Entry, Next)],
        reason: Reason,
        after: Option<Duration>,
        answer: &Answer,
        random: f64,
    ) {
        let again = settled.iter().find(|(_, next)| matches!(next, Next::RetryAt { .. }));
        if let Some((entry, _)) = again {
            self.delivery.counts.failed(&self.name, reason);
            if self.failures == 0 {
                tracing::warn!(
                    destination = %self.name, reason = reason.as_str(), id = entry.notification.id,
                    together = settled.len(), detail = answer.detail,
                    "cannot deliver a notification; it is tried again"
                );
            }
        }
        self.paused_until = Some(Instant::now() + BACKOFF.delay(self.failures, random, after));
        self.failures = self.failures.saturating_add(1);
    }

    fn halved(&self, told: &[Arc<Notification>], answer: &Answer) {
        self.delivery.counts.failed(&self.name, Reason::Refused);
        tracing::warn!(
            destination = %self.name, together = told.len(), detail = answer.detail,
            "a message for several alarms is refused; they are told in smaller ones"
        );
    }

    fn parked(&self, entry: &Entry, reason: Reason, answer: &Answer) {
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

/// The entries at these ascending positions with what becomes of them; those to be tried again stay in the window too.
fn settled(
    window: &mut Vec<Entry>,
    positions: &[usize],
    next: Vec<Next>,
    now: Timestamp,
) -> Vec<(Entry, Next)> {
    let settle = |(position, next): (&usize, Next)| {
        let entry = match next {
            Next::RetryAt { at, .. } => {
                window[*position].postpone(at);
                window[*position].clone()
            }
            Next::Park { .. } => {
                let mut entry = window.remove(*position);
                entry.postpone(now);
                entry
            }
            Next::Done => window.remove(*position),
        };
        (entry, next)
    };
    // From behind, so that the positions before hold.
    let mut settled: Vec<_> = std::iter::zip(positions, next).rev().map(settle).collect();
    settled.reverse();
    settled
}
