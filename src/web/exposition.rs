//! What `/metrics` says: the picture of now as Prometheus text or OpenMetrics.
//!
//! The queues' families come from the catalogue and from nowhere else. What is not known has no series; a family without
//! series is not mentioned. The encoder is our own because ten thousand queues are a quarter of a million series: label
//! text is escaped once a queue, and each queue is locked once.

mod alarms;
mod custom;
mod labels;
mod names;
mod own;
mod queues;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::{Registry, TextEncoder};

use crate::board::Board;
use crate::config::Config;
use crate::domain::metric::Kind;
use crate::domain::rule::Statistic;
use crate::domain::time::Timestamp;
use crate::store::{Owed, Peril};

pub use custom::family_name as custom_family;
pub use labels::Labels;
pub use names::label_names;
pub use text::{Encoding, Family, Format, Text};

/// What one exposition is made of.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Queues, custom metrics, alarms and targets.
    pub board: &'a Board,
    /// For the tags that are labels, and for what custom metrics are.
    pub config: &'a Config,
    /// The daemon's own counters.
    pub registry: &'a Registry,
    /// What is owed to each destination; empty while the store cannot be read.
    pub outbox: &'a BTreeMap<Arc<str>, Owed>,
    /// What is in memory only, because the state file cannot be written.
    pub peril: Option<&'a Peril>,
    /// Whether `/readyz` would say so.
    pub ready: bool,
}

/// Writes all families. `capacity` is how many bytes will probably come out.
pub fn render(
    sources: Sources<'_>,
    now: Timestamp,
    format: Format,
    encoding: Encoding,
    capacity: usize,
) -> Vec<u8> {
    let mut text = Text::new(format, encoding, capacity);
    queues::write(&mut text, sources.board, &sources.config.discovery.tag_labels);
    custom::write(&mut text, sources.board, &sources.config.custom_metrics);
    alarms::write(&mut text, sources.board, now);
    own::write(&mut text, sources, now);
    match TextEncoder::new().encode_to_string(&sources.registry.gather()) {
        Ok(own) => text.foreign(&own),
        Err(error) => tracing::error!(%error, "the daemon's own metrics could not be written"),
    }
    text.finish()
}

/// Whether a custom metric of this statistic is a counter: the sums of minutes add up, nothing else does.
pub fn custom_kind(statistic: Statistic) -> Kind {
    match statistic {
        Statistic::Sum => Kind::Counter,
        _ => Kind::Gauge,
    }
}
