//! The worker that empties the outbox: one lane a destination, so that a destination that hangs keeps nobody else waiting.
//!
//! A wake-up carries no data: a lane reads what it owes from the store, so that the start after a crash is the normal
//! path. A configuration is fixed for one [`run`]; a reload ends it and starts another on the same store.

mod lane;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Counts, Receiver};
use crate::clock;
use crate::domain::outbox::Reason;
use crate::store::{Store, StoreError};
use lane::Lane;

/// How many entries of a destination that is gone are parked in one transaction.
const PARKED_AT_ONCE: usize = 500;

/// What the worker needs.
#[derive(Clone)]
pub struct Delivery {
    /// Where the debts are.
    pub store: Store,
    /// The destinations of the configuration, by name.
    pub receivers: Arc<BTreeMap<Arc<str>, Receiver>>,
    /// What is counted.
    pub counts: Counts,
    /// Where in their bounds the waits between attempts lie, from `[0, 1)`: `fastrand::f64`, or 0 to wait for nothing.
    pub random: fn() -> f64,
}

/// Delivers until `shutdown`. `wake` is rung (`notify_one`) after every commit that made debts. At the end, attempts in
/// hand finish, within their own time-outs, and are recorded.
///
/// # Panics
/// If a lane panicked, so that the supervisor learns of it.
pub async fn run(delivery: Delivery, wake: Arc<Notify>, shutdown: CancellationToken) {
    let mut lanes = JoinSet::new();
    let mut bells = Vec::new();
    for (name, receiver) in &*delivery.receivers {
        delivery.counts.expect(name);
        let bell = Arc::new(Notify::new());
        bells.push(bell.clone());
        let lane = Lane::new(name.clone(), receiver.clone(), delivery.clone(), shutdown.clone());
        lanes.spawn(lane.run(bell));
    }
    loop {
        if let Err(error) = park_strangers(&delivery).await {
            tracing::error!(%error, "cannot look for debts to removed destinations");
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(ended) = lanes.join_next() => raise(ended),
            () = wake.notified() => bells.iter().for_each(|bell| bell.notify_one()),
        }
    }
    while let Some(ended) = lanes.join_next().await {
        raise(ended);
    }
}

fn raise(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Parks what is owed to destinations that the configuration no longer has: nobody could deliver it.
async fn park_strangers(delivery: &Delivery) -> Result<(), StoreError> {
    let summary = delivery.store.call(|store| store.outbox_summary()).await?;
    for (name, owed) in summary {
        if owed.pending == 0 || delivery.receivers.contains_key(&name) {
            continue;
        }
        tracing::error!(destination = %name, pending = owed.pending, "destination is not in the configuration: what it is owed is parked");
        let park = move |store: &Store| {
            while store.park_all(&name, PARKED_AT_ONCE, Reason::UnknownDestination, clock::now())? > 0 {}
            Ok(())
        };
        delivery.store.call(park).await?;
    }
    Ok(())
}
