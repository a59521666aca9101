//! The workers that read AWS and write the board: three for each target, none of which knows the others.
//!
//! | worker | reads |
//! |---|---|
//! | [`discover`] | which queues there are, and their tags |
//! | [`attributes`] | counts and settings of each queue, spread over the interval |
//! | [`metrics`] | CloudWatch, once a poll, settled minutes only |
//!
//! Each is a loop over an idempotent tick that looks at the board, so that a restart and a reload are nothing special. They
//! share a [`trouble::Troubles`], and a wake-up that says nothing but "look again".

pub mod attributes;
pub mod discover;
mod globs;
mod listing;
pub mod metrics;
mod pace;
mod tagging;
pub mod trouble;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::aws::clients::TargetClients;
use crate::board::{Board, Target};
use crate::config::Config;
use crate::telemetry::Telemetry;
use trouble::Troubles;

/// What the workers of one target need.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The clients of the target.
    pub clients: TargetClients,
    /// What to watch, and how often.
    pub config: Arc<Config>,
    /// What they write.
    pub board: Arc<Board>,
    /// What they count.
    pub telemetry: Telemetry,
    /// Ends them: what is in flight is finished first, nothing new is begun.
    pub shutdown: CancellationToken,
}

impl Watch {
    fn target(&self) -> &Arc<Target> {
        &self.clients.target
    }
}

/// Starts the workers of one target; call it once a target. Each task ends with its worker's name, and only after
/// `watch.shutdown`.
pub fn spawn(set: &mut JoinSet<&'static str>, watch: Watch) {
    let troubles = Arc::new(Troubles::new(watch.target().clone(), watch.board.clone()));
    let (changed, seen) = watch::channel(());
    let discover = discover::Discover::new(watch.clone(), troubles.clone(), changed);
    let attributes = attributes::Attributes::new(watch.clone(), troubles.clone());
    let metrics = metrics::Metrics::new(watch, troubles);
    let seen_by_metrics = seen.clone();
    set.spawn(async move {
        discover.run().await;
        "discover"
    });
    set.spawn(async move {
        attributes.run(seen).await;
        "attributes"
    });
    set.spawn(async move {
        metrics.run(seen_by_metrics).await;
        "cloudwatch"
    });
}
