//! /api/v1/notifications: what is owed, what was given up, and what became of the latest; `hand.rs` sends again and drops.

mod hand;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::{Asked, asked, instant};
use crate::domain::alarm::{AlarmKey, Subject};
use crate::domain::outbox::Entry;
use crate::domain::time::Timestamp;
use crate::store::{Kept, Owed, Receipt, Store, StoreError, Wanted};
use crate::web::Web;
use crate::web::answer::Fault;
pub use hand::{drop_all, drop_one, forget, resend_all, resend_one, send_again};

/// How many are shown unless another number is asked for.
const USUAL: usize = 100;
/// How many are shown at most.
const MOST: usize = 1000;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only these; without it what became of the latest.
    state: Option<Progress>,
    /// Only those of this destination.
    destination: Option<String>,
    /// Only those of this alarm, by its rule's name.
    alarm: Option<String>,
    /// Those that follow the page which said this as `next`.
    after: Option<u64>,
    /// At most this many, up to [`MOST`].
    limit: Option<usize>,
}

/// How far a notification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Progress {
    Pending,
    Parked,
    Delivered,
}

/// The answer of `/api/v1/notifications`.
#[derive(Debug, Serialize)]
pub struct Notifications {
    /// What is owed, one row a destination.
    pub outbox: Vec<OutboxView>,
    /// What became of the latest, newest first; unless `pending` or `parked` ones are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent: Option<Vec<ReceiptView>>,
    /// The `pending` or `parked` ones, in the order in which they became owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Vec<KeptView>>,
    /// What to ask as `after` for those that follow; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
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

/// Which event of which alarm a notification tells.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The notification's id, the same on every attempt.
    pub id: String,
    /// `firing`, `resolved`, `repeated`, `increased`, `flapping`, `closed` or `test`.
    pub event: &'static str,
    /// All of it in one line.
    pub headline: String,
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
    /// When it became owed.
    #[serde(serialize_with = "instant", skip_serializing_if = "Option::is_none")]
    pub owed_at: Option<Timestamp>,
    /// How many attempts were made.
    pub attempts: u32,
    /// What came back from the latest attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why it was given up; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of one notification at one destination.
#[derive(Debug, Serialize)]
pub struct ReceiptView {
    #[serde(flatten)]
    told: Told,
    /// When its way ended.
    pub at: String,
    /// Whether the destination acknowledged it.
    pub delivered: bool,
}

/// A notification that is owed, or was given up.
#[derive(Debug, Serialize)]
pub struct KeptView {
    #[serde(flatten)]
    told: Told,
    /// Names it at its destination, for sending it again or dropping it.
    pub sequence: u64,
    /// When it may be tried next; of pending ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<String>,
    /// When it was given up; of parked ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_at: Option<String>,
}

/// GET /api/v1/notifications
pub async fn list(State(web): State<Web>, query: Asked<Filter>) -> Result<Json<Notifications>, Fault> {
    let filter = asked(query)?;
    let store = web.store.clone();
    let read = store.call(move |store| found(&web, store, filter)).await;
    read.map(Json).map_err(|error| {
        tracing::warn!(%error, "notifications cannot be read for the API");
        Fault::internal("the store cannot be read")
    })
}

fn found(web: &Web, store: &Store, filter: Filter) -> Result<Notifications, StoreError> {
    let outbox = web.owed(store)?.into_iter();
    let outbox = outbox.map(|(destination, owed)| outbox_view(&destination, owed)).collect();
    let limit = filter.limit.unwrap_or(USUAL).min(MOST);
    let Filter { destination, alarm, after, .. } = filter;
    // One more than is shown tells whether others follow.
    let wanted = Wanted { destination, alarm, after, limit: limit + 1 };
    let mut answer = Notifications { outbox, recent: None, notifications: None, next: None };
    match filter.state {
        Some(Progress::Pending | Progress::Parked) => {
            let is_parked = filter.state == Some(Progress::Parked);
            let mut kept = if is_parked { store.parked(&wanted) } else { store.waiting(&wanted) }?;
            answer.next = cut(&mut kept, limit, |kept| kept.entry.sequence);
            answer.notifications = Some(kept.into_iter().map(|kept| kept_view(kept, is_parked)).collect());
        }
        state => {
            let fits = |receipt: &Receipt| state.is_none() || receipt.reason.is_none();
            let mut receipts = store.receipts(&wanted, fits)?;
            answer.next = cut(&mut receipts, limit, |receipt| receipt.number);
            answer.recent = Some(receipts.into_iter().map(receipt_view).collect());
        }
    }
    Ok(answer)
}

/// Leaves `limit` of them; the number of the last one if others follow.
fn cut<T>(found: &mut Vec<T>, limit: usize, number: impl Fn(&T) -> u64) -> Option<u64> {
    let more = found.len() > limit;
    found.truncate(limit);
    found.last().filter(|_| more).map(number)
}

fn outbox_view(destination: &str, owed: Owed) -> OutboxView {
    let Owed { pending, oldest, parked, overflow: _ } = owed;
    OutboxView { destination: destination.to_owned(), pending, oldest, parked }
}

/// How something that waits is shown.
pub fn owed_view(entry: Entry) -> KeptView {
    kept_view(Kept { entry, parked: None }, false)
}

fn kept_view(kept: Kept, is_parked: bool) -> KeptView {
    let (entry, notification) = (&kept.entry, &kept.entry.notification);
    let (reason, parked_at) = kept.parked.clone().unzip();
    let (queue, custom_metric) = queue_or_custom(&notification.alarm);
    let told = Told {
        id: notification.id.clone(),
        event: notification.event.as_str(),
        headline: notification.event.line(&notification.alarm),
        alarm: notification.alarm.rule.to_string(),
        account: notification.alarm.subject.account().to_owned(),
        region: notification.alarm.subject.region().to_owned(),
        queue,
        custom_metric,
        destination: entry.destination.to_string(),
        owed_at: Some(entry.created),
        attempts: entry.attempts,
        answer: entry.answer.clone(),
        reason,
    };
    KeptView {
        told,
        sequence: entry.sequence,
        next_attempt: (!is_parked).then(|| entry.not_before.to_string()),
        parked_at: parked_at.map(|at| at.to_string()),
    }
}

/// How a receipt is shown.
pub fn receipt_view(receipt: Receipt) -> ReceiptView {
    let (queue, custom_metric) = queue_or_custom(&receipt.alarm);
    let delivered = receipt.reason.is_none();
    let told = Told {
        event: receipt.event.as_str(),
        headline: receipt.event.line(&receipt.alarm),
        alarm: receipt.alarm.rule.to_string(),
        account: receipt.alarm.subject.account().to_owned(),
        region: receipt.alarm.subject.region().to_owned(),
        queue,
        custom_metric,
        id: receipt.id,
        destination: receipt.destination,
        owed_at: receipt.owed_at,
        attempts: receipt.attempts,
        answer: receipt.answer,
        reason: receipt.reason,
    };
    ReceiptView { told, at: receipt.at.to_string(), delivered }
}

fn queue_or_custom(alarm: &AlarmKey) -> (Option<String>, Option<String>) {
    let name = alarm.subject.name().to_string();
    match alarm.subject {
        Subject::Queue(_) => (Some(name), None),
        Subject::Custom(_) => (None, Some(name)),
        Subject::Composite(_) => (None, None),
    }
}
