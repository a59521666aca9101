//! Looks after the state file: brings it up to date when it could not be written, and forgets what is too old. On the same
//! rounds it notes what AWS was asked for.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::clock;
use crate::config::Outbox;
use crate::store::{Limits, Peril, Store, StoreError};

/// How often a file that could not be written is tried again.
const INTERVAL: Duration = Duration::from_secs(5);

/// The store's limits by the configuration.
pub(super) fn limits(config: &Outbox) -> Limits {
    let Outbox { give_up, max_pending, history } = *config;
    Limits { give_up, max_pending: max_pending.into(), history, ..Limits::default() }
}

/// Works until `shutdown`.
pub(super) async fn run(shared: Shared, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if let Err(error) = shared.store.call(keep).await {
            tracing::warn!(%error, "the history of alarms and notifications cannot be tidied");
        }
        shared.telemetry.usage.sample(&shared.telemetry, Instant::now());
        shared.telemetry.store_failures.inc_by(shared.store.take_failures());
    }
}

fn keep(store: &Store) -> Result<(), StoreError> {
    // The store says by itself, in the log and to `/readyz`, that the file cannot be written.
    let _ = store.come_back();
    store.trim_parked()?;
    store.prune_changes(clock::now())?;
    store.prune(clock::now()).map(drop)
}

/// The last attempt to have all on disk, and what is lost when it fails.
pub(super) async fn finish(shared: &Shared) {
    let peril = shared.store.call(|store| {
        let _ = store.come_back(); // what it did not manage follows
        store.peril()
    });
    if let Ok(Some(Peril { why, undelivered, settled, changes })) = peril.await {
        tracing::error!(
            why,
            undelivered,
            settled,
            changes,
            "the state file could not be written: what is not delivered is lost, what was settled is told again after the start"
        );
    }
}
