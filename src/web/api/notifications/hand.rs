//! What a person does to parked notifications: sends them again, or drops them. Needs the token.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::super::token::authorize;
use crate::clock;
use crate::store::{Resent, StoreError};
use crate::web::Web;
use crate::web::answer::Fault;

const LIST: &str = "GET /api/v1/notifications?state=parked lists them";

/// The answer to sending again.
#[derive(Debug, Serialize)]
pub struct ResentView {
    /// How many are owed anew.
    pub resent: usize,
    /// How many stay parked because their alarm has moved on.
    pub outdated: usize,
}

/// The answer to dropping.
#[derive(Debug, Serialize)]
pub struct DroppedView {
    /// How many are gone, each with a receipt.
    pub dropped: usize,
}

/// POST /api/v1/notifications/{destination}/{sequence}/resend: 200, 403, 404, or 409 when it is not so any more.
pub async fn resend_one(
    State(web): State<Web>,
    Path((destination, sequence)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<ResentView>, Fault> {
    let asked = number(&sequence)?;
    let answer = resend(&web, destination, Some(asked), &headers).await?;
    match (answer.resent, answer.outdated) {
        (0, 0) => Err(unknown(&sequence)),
        (0, _) => Err(Fault::new(
            StatusCode::CONFLICT,
            "its alarm has moved on since: telling it now would say what is not so",
            "drop it with DELETE, or leave it until it is forgotten",
        )),
        _ => Ok(Json(answer)),
    }
}

/// POST /api/v1/notifications/{destination}/resend: all that is parked there.
pub async fn resend_all(
    State(web): State<Web>,
    Path(destination): Path<String>,
    headers: HeaderMap,
) -> Result<Json<ResentView>, Fault> {
    resend(&web, destination, None, &headers).await.map(Json)
}

/// DELETE /api/v1/notifications/{destination}/{sequence}: 200, 403, 404.
pub async fn drop_one(
    State(web): State<Web>,
    Path((destination, sequence)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<DroppedView>, Fault> {
    let asked = number(&sequence)?;
    let answer = drop_parked(&web, destination, Some(asked), &headers).await?;
    if answer.dropped == 0 { Err(unknown(&sequence)) } else { Ok(Json(answer)) }
}

/// DELETE /api/v1/notifications/{destination}: all that is parked there.
pub async fn drop_all(
    State(web): State<Web>,
    Path(destination): Path<String>,
    headers: HeaderMap,
) -> Result<Json<DroppedView>, Fault> {
    drop_parked(&web, destination, None, &headers).await.map(Json)
}

async fn resend(
    web: &Web,
    destination: String,
    sequence: Option<u64>,
    headers: &HeaderMap,
) -> Result<ResentView, Fault> {
    authorize(web, headers)?;
    send_again(web, destination, sequence).await
}

/// Owes again what is parked at a destination: one of them, or all. Who asks has shown the token.
pub async fn send_again(web: &Web, destination: String, sequence: Option<u64>) -> Result<ResentView, Fault> {
    if !web.config.load().destinations.contains_key(&*destination) {
        let error = format!("the configuration has no destination `{destination}`");
        return Err(Fault::new(StatusCode::NOT_FOUND, error, "put it back into `destinations` first"));
    }
    let name: Arc<str> = destination.as_str().into();
    let done = web.store.call(move |store| store.resend(&destination, sequence, clock::now())).await;
    let Resent { told, resent, outdated } = done.map_err(failed)?;
    // The end of these alarms is owed here from now on.
    web.board.with_alarms_mut(|alarms| {
        for key in &told {
            if let Some(alarm) = alarms.get_mut(key).filter(|alarm| !alarm.told.contains(&name)) {
                alarm.told.push(name.clone());
            }
        }
    });
    tracing::info!(destination = %name, resent, outdated, "parked notifications are sent again by hand");
    web.owed.notify_one();
    Ok(ResentView { resent, outdated })
}

async fn drop_parked(
    web: &Web,
    destination: String,
    sequence: Option<u64>,
    headers: &HeaderMap,
) -> Result<DroppedView, Fault> {
    authorize(web, headers)?;
    forget(web, destination, sequence).await
}

/// Drops what is parked at a destination: one of them, or all. Who asks has shown the token.
pub async fn forget(web: &Web, destination: String, sequence: Option<u64>) -> Result<DroppedView, Fault> {
    let name = destination.clone();
    let done = web.store.call(move |store| store.drop_parked(&destination, sequence, clock::now())).await;
    let dropped = done.map_err(failed)?;
    tracing::info!(destination = name, dropped, "parked notifications are dropped by hand");
    Ok(DroppedView { dropped })
}

fn number(text: &str) -> Result<u64, Fault> {
    text.parse().map_err(|_| unknown(text))
}

fn unknown(sequence: &str) -> Fault {
    Fault::new(StatusCode::NOT_FOUND, format!("no notification `{sequence}` is parked there"), LIST)
}

fn failed(error: StoreError) -> Fault {
    tracing::warn!(%error, "parked notifications cannot be changed");
    Fault::internal("the store failed")
}
