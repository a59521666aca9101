//! GET /api/v1/notifications: what is owed, and what became of the latest.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::{Asked, asked, instant};
use crate::domain::alarm::Subject;
use crate::domain::time::Timestamp;
use crate::store::{Owed, Receipt};
use crate::web::Web;
use crate::web::answer::Fault;

/// How many receipts are shown at most, and unless fewer are asked for.
const RECENT: usize = 100;

/// How much is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// At most this many receipts, up to 100.
    limit: Option<usize>,
}

/// The answer of `/api/v1/notifications`.
#[derive(Debug, Serialize)]
pub struct Notifications {
    /// What is owed, one row a destination.
    pub outbox: Vec<OutboxView>,
    /// What became of the latest, newest first.
    pub recent: Vec<ReceiptView>,
}

/// What is owed to one destination.
#[derive(Debug, Serialize)]
pub struct OutboxView {
    /// Its name in the configuration.
    pub destination: String,
    /// Notifications that are not acknowledged yet.
    pub pending: u64,
    /// When the oldest of them became due.
    #[serde(serialize_with = "instant", skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Notifications that were refused for good and are kept.
    pub parked: u64,
}

/// What became of one notification at one destination.
#[derive(Debug, Serialize)]
pub struct ReceiptView {
    /// The notification's id, the same on every attempt.
    pub id: String,
    /// `firing`, `resolved`, `repeated`, `closed` or `test`.
    pub event: &'static str,
    /// The rule's name.
    pub alarm: String,
    /// The account of what was judged; empty when it was not known.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The queue that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The custom metric that was judged, when it was not a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_metric: Option<String>,
    /// The destination's name.
    pub destination: String,
    /// When its way ended.
    pub at: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// Whether the destination acknowledged it.
    pub delivered: bool,
    /// Why it was given up; absent when it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// GET /api/v1/notifications
pub async fn list(State(web): State<Web>, query: Asked<Filter>) -> Result<Json<Notifications>, Fault> {
    let limit = asked(query)?.limit.unwrap_or(RECENT).min(RECENT);
    let store = web.store.clone();
    let read = store.call(move |store| Ok((web.owed(store)?, store.history(limit)?))).await;
    let (owed, history) = read.map_err(|error| {
        tracing::warn!(%error, "notifications cannot be read for the API");
        Fault::internal("the store cannot be read")
    })?;
    let outbox = owed.into_iter().map(|(destination, owed)| outbox_view(&destination, owed)).collect();
    Ok(Json(Notifications { outbox, recent: history.into_iter().map(receipt_view).collect() }))
}

fn outbox_view(destination: &str, owed: Owed) -> OutboxView {
    let Owed { pending, oldest, parked } = owed;
    OutboxView { destination: destination.to_owned(), pending, oldest, parked }
}

fn receipt_view(receipt: Receipt) -> ReceiptView {
    let subject = &receipt.alarm.subject;
    let name = subject.name().to_string();
    let (queue, custom_metric) = match subject {
        Subject::Queue(_) => (Some(name), None),
        Subject::Custom(_) => (None, Some(name)),
        Subject::Composite(_) => (None, None),
    };
    ReceiptView {
        event: receipt.event.as_str(),
        alarm: receipt.alarm.rule.to_string(),
        account: subject.account().to_string(),
        region: subject.region().to_string(),
        queue,
        custom_metric,
        id: receipt.id,
        destination: receipt.destination,
        at: receipt.at.to_string(),
        attempts: receipt.attempts,
        delivered: receipt.reason.is_none(),
        reason: receipt.reason,
    }
}
