//! The HTTP server: what Prometheus, probes, scripts and people see. It only reads, but for a reload and for silences, which
//! need the token.
//!
//! Guarantees: no client, however slow, large or numerous, costs more than a bounded share; a thousand scrapes at once
//! cost one; every error is JSON `{error, hint}`; what is not known is left out; no secret is in any answer.
//!
//! [`serve`] is all that the rest of the program calls.

mod answer;
pub mod api;
pub mod exposition;
pub mod health;
mod live;
mod metrics;
mod near;
mod pages;
mod prometheus;
pub mod reach;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::board::Board;
use crate::clock;
use crate::config::Config;
use crate::store::{Owed, Store, StoreError};
use crate::telemetry::Telemetry;

pub use pages::Rows;
pub use prometheus::Prometheus;
pub use server::serve;

/// A reload that somebody asked for. The receiver answers with `Ok` when the new configuration is in force, or with its
/// faults as `sqswatch check` prints them; then the old one goes on.
pub type Reload = oneshot::Sender<Result<(), String>>;

/// All that the web needs from the rest of the program. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    /// The picture of now.
    pub board: Arc<Board>,
    /// The daemon's own counters.
    pub telemetry: Telemetry,
    /// The configuration in force; a reload swaps it.
    pub config: Arc<ArcSwap<Config>>,
    /// The durable state: whether it takes writes, what is owed, what became of notifications.
    pub store: Store,
    /// Set on SIGTERM: readiness fails from then on, everything else goes on until the server is shut down.
    pub draining: Arc<AtomicBool>,
    /// The way to the configured Prometheus, if there is one.
    pub prometheus: Prometheus,
    /// What the overview's views share.
    pub rows: Rows,
    /// Rung when something is owed anew.
    pub owed: Arc<Notify>,
    /// Where POST /-/reload is sent.
    pub reload: mpsc::Sender<Reload>,
}

impl Web {
    /// Why the daemon is not ready; empty when it is.
    fn unready(&self) -> Vec<String> {
        health::unready(&self.board, &self.store, self.draining.load(Ordering::Relaxed), clock::now())
    }

    /// What is owed to each destination: every configured one, and those that left the configuration in debt.
    fn owed(&self, store: &Store) -> Result<BTreeMap<Arc<str>, Owed>, StoreError> {
        let mut summary = store.outbox_summary()?;
        for name in self.config.load().destinations.keys() {
            summary.entry(name.clone()).or_default();
        }
        Ok(summary)
    }
}
