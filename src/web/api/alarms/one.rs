//! GET /api/v1/alarms/{alarm}: one alarm, what happened to it, and what was told of it.

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;

use super::find::{Found, Place, find};
use super::{AlarmView, shown};
use crate::clock;
use crate::domain::alarm::AlarmKey;
use crate::store::{Change, Store, StoreError};
use crate::web::Web;
use crate::web::answer::Fault;
use crate::web::api::notifications::{KeptView, ReceiptView, owed_view, receipt_view};
use crate::web::api::{Asked, asked};

/// How many receipts are shown.
const RECEIPTS: usize = 100;
/// How many subjects are named to choose from.
const NAMED: usize = 20;

/// One alarm with its past.
#[derive(Debug, Serialize)]
pub struct AlarmDetail {
    /// As in the list of alarms.
    #[serde(flatten)]
    pub alarm: AlarmView,
    /// The latest changes of its state, newest first.
    pub history: Vec<ChangeView>,
    /// What is still owed of it, by destination.
    pub owed: Vec<KeptView>,
    /// What became of its latest notifications, newest first.
    pub notifications: Vec<ReceiptView>,
}

/// One change of state.
#[derive(Debug, Serialize)]
pub struct ChangeView {
    /// The state before.
    pub from: &'static str,
    /// The state after.
    pub to: &'static str,
    /// Since when it had the state before.
    pub since: String,
    /// When it changed.
    pub at: String,
    /// Why.
    pub reason: String,
    /// The newest value that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// GET /api/v1/alarms/{alarm}: 200, 404 with names that are near, 409 when several are meant.
pub async fn one(
    Shared(web): Shared<Web>,
    Path(rule): Path<String>,
    query: Asked<Place>,
) -> Result<Json<AlarmDetail>, Fault> {
    let place = asked(query)?;
    let key = match find(&web.board, &rule, &place) {
        Found::One(key, _) => key,
        Found::Several(meant) => {
            return Err(several(&rule, &meant.into_iter().map(|(key, _)| key).collect::<Vec<_>>()));
        }
        Found::NoSubject(near) => return Err(no_subject(&rule, &near)),
        Found::NoRule(near) => return Err(no_rule(&rule, &near)),
    };
    let view = shown(&web.board, &key, clock::now()).ok_or_else(|| no_subject(&rule, &[]))?;
    let past = web.store.call(move |store| past(store, &key)).await;
    let (history, owed, notifications) = past.map_err(|error| {
        tracing::warn!(%error, "the history of an alarm cannot be read for the API");
        Fault::internal("the store cannot be read")
    })?;
    Ok(Json(AlarmDetail { alarm: view, history, owed, notifications }))
}

type Past = (Vec<ChangeView>, Vec<KeptView>, Vec<ReceiptView>);

fn past(store: &Store, key: &AlarmKey) -> Result<Past, StoreError> {
    let changes = store.changes_of(key, usize::MAX)?.into_iter().map(ChangeView::from).collect();
    let owed = store.owed_of(key)?.into_iter().map(owed_view).collect();
    let receipts = store.receipts_of(key, RECEIPTS)?.into_iter().map(receipt_view).collect();
    Ok((changes, owed, receipts))
}

impl From<Change> for ChangeView {
    fn from(Change { transition, .. }: Change) -> Self {
        Self {
            from: transition.from.as_str(),
            to: transition.to.as_str(),
            since: transition.since.to_string(),
            at: transition.at.to_string(),
            reason: transition.reason,
            value: transition.value,
        }
    }
}

fn several(rule: &str, meant: &[AlarmKey]) -> Fault {
    let named: Vec<String> = meant.iter().take(NAMED).map(|key| format!("`{}`", key.subject)).collect();
    let more = if meant.len() > NAMED { ", ..." } else { "" };
    let hint = format!(
        "say which with ?queue= or ?metric=, and ?region= and ?account= where the name is not enough: {}{more}",
        named.join(", ")
    );
    let error = format!("the alarm `{rule}` judges {} things that fit", meant.len());
    Fault::new(StatusCode::CONFLICT, error, hint)
}

fn no_subject(rule: &str, near: &[String]) -> Fault {
    let hint = did_you_mean(near, "/api/v1/alarms lists every alarm with what it judges");
    Fault::new(StatusCode::NOT_FOUND, format!("the alarm `{rule}` judges nothing of the kind"), hint)
}

fn no_rule(rule: &str, near: &[String]) -> Fault {
    let hint = did_you_mean(near, "/api/v1/alarms lists every alarm");
    Fault::new(StatusCode::NOT_FOUND, format!("there is no alarm `{rule}`"), hint)
}

fn did_you_mean(near: &[String], otherwise: &str) -> String {
    let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    if near.is_empty() { otherwise.to_owned() } else { format!("did you mean {}?", near.join(" or ")) }
}
