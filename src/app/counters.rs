//! Keeps the counters over restarts, so that a datapoint of CloudWatch is counted once and not once a life.
//!
//! Saved every few minutes and at the end. After a crash the newest minutes are read from CloudWatch again, which is why
//! losing the last save costs nothing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::clock;
use crate::store::Batch;

/// Shorter than what CloudWatch is read back for at a start.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// Saves every [`INTERVAL`] until `shutdown`.
pub(super) async fn run(shared: Shared, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => save(&shared).await,
        }
    }
}

/// Saves all counters now, and forgets those of queues that are gone. A failure is logged; the next save has
/// them all again.
pub(super) async fn save(shared: &Shared) {
    let board = shared.board.clone();
    let saved = shared.store.call(move |store| {
        let counters = board.counters();
        let gone = counters.iter().filter(|(_, counter)| counter.is_none()).map(|(key, _)| key.clone());
        let gone: Vec<_> = gone.collect();
        let counters = counters.into_iter().map(|((id, metric), counter)| (id, metric, counter)).collect();
        let batch = Batch { counters, ..Batch::default() };
        if !batch.is_empty() {
            store.commit(&batch, clock::now())?;
        }
        board.drop_counters(gone);
        Ok(())
    });
    if let Err(error) = saved.await {
        tracing::warn!(%error, "cannot save the counters; the next save tries again");
    }
}
