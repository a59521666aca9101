//! /api/v1/silences: what silences alarms, and the two ways to change it. A change is on disk before it is answered and
//! before it is in force.

mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::token::authorize;
use crate::board::Board;
use crate::clock;
use crate::config::{self, Faults, WantedSilence};
use crate::domain::alarm;
use crate::domain::silence::{CannotEnd, MOST, Silence, Silences, TooMany};
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError};
use crate::web::Web;
use crate::web::answer::Fault;
pub use view::{MaintenanceView, SilenceList, SilenceView};

/// The largest body that is read, in bytes.
const BODY_BYTES: usize = 64 * 1024;
/// How long a client may take to send it.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// The answer of `POST /api/v1/silences`.
#[derive(Debug, Serialize)]
pub struct Created {
    /// The silence as it is on record.
    pub silence: SilenceView,
    /// How many alarms that are there now it means.
    pub alarms: usize,
    /// How many of them are in ALARM.
    pub firing: usize,
}

/// GET /api/v1/silences
pub async fn list(State(web): State<Web>) -> Json<SilenceList> {
    Json(SilenceList::of(&web.board.silences(), clock::now()))
}

/// POST /api/v1/silences: 201, 400 with all faults, 403 without the token, 409 when there are too many, 503 when it cannot be recorded.
pub async fn create(
    State(web): State<Web>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<Created>), Fault> {
    authorize(&web, &headers)?;
    let body = body(request.into_body()).await?;
    let now = now();
    let wanted = config::silence(&body, now).map_err(bad_request)?;
    let silence = make(&web, wanted, now).await?;
    let (alarms, firing) = meant(&web.board, &silence);
    let silence = SilenceView::of(&silence, now);
    Ok((StatusCode::CREATED, Json(Created { silence, alarms, firing })))
}

/// DELETE /api/v1/silences/{id}: ends it now; 200, 403 without the token, 404, 409 when it is over, 503 when that cannot be recorded.
pub async fn end(
    State(web): State<Web>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<SilenceView>, Fault> {
    authorize(&web, &headers)?;
    let now = now();
    let silence = end_now(&web, id, now).await?;
    Ok(Json(SilenceView::of(&silence, now)))
}

/// Makes a silence that was asked for at `now`. Who asks has shown the token.
pub async fn make(web: &Web, wanted: WantedSilence, now: Timestamp) -> Result<Silence, Fault> {
    let silence = change(web, move |silences| add(silences, wanted, now)).await?;
    tracing::info!(
        id = %silence.id, author = silence.author, reason = silence.reason, silences = %silence.matchers,
        starts = %silence.starts, ends = %silence.ends, "a silence was made",
    );
    Ok(silence)
}

/// Ends a silence at `now`. Who asks has shown the token.
pub async fn end_now(web: &Web, id: String, now: Timestamp) -> Result<Silence, Fault> {
    let silence = change(web, move |silences| end_one(silences, &id, now)).await?;
    tracing::info!(
        id = %silence.id, author = silence.author, silences = %silence.matchers, "a silence was ended before its time",
    );
    Ok(silence)
}

/// The present second: nobody wants to read fractions of one.
pub fn now() -> Timestamp {
    clock::now().floor(Duration::from_secs(1))
}

/// Makes one change, durable first.
async fn change(
    web: &Web,
    change: impl FnOnce(&mut Silences) -> Result<Silence, Fault> + Send + 'static,
) -> Result<Silence, Fault> {
    let board = web.board.clone();
    let work = move |store: &Store| Ok(board.change_silences(|silences| durably(store, silences, change)));
    let changed = web.store.call(work).await.unwrap_or_else(|error| Err(not_recorded(&error)));
    let failed = |fault: &Fault| fault.status == StatusCode::SERVICE_UNAVAILABLE;
    changed.inspect_err(|fault| web.telemetry.store_failures.inc_by(u64::from(failed(fault))))
}

fn durably(
    store: &Store,
    silences: &mut Silences,
    change: impl FnOnce(&mut Silences) -> Result<Silence, Fault>,
) -> Result<Silence, Fault> {
    let silence = change(silences)?;
    let forgotten = silences.forget(clock::now());
    store.record_silence(&silence, &forgotten).map_err(|error| not_recorded(&error))?;
    Ok(silence)
}

fn add(silences: &mut Silences, wanted: WantedSilence, now: Timestamp) -> Result<Silence, Fault> {
    let silence = Silence {
        id: unused_id(silences),
        matchers: wanted.matchers,
        reason: wanted.reason,
        author: wanted.author,
        starts: wanted.starts,
        ends: wanted.ends,
    };
    silences.add(silence.clone(), now).map_err(|TooMany| {
        let error = format!("there are {MOST} silences that are active or pending, and no more are taken");
        Fault::new(StatusCode::CONFLICT, error, "end some, or silence more alarms with one")
    })?;
    Ok(silence)
}

fn end_one(silences: &mut Silences, id: &str, now: Timestamp) -> Result<Silence, Fault> {
    let hint = "GET /api/v1/silences lists them, for a week after their end as well";
    silences.end(id, now).cloned().map_err(|error| match error {
        CannotEnd::Unknown => Fault::new(StatusCode::NOT_FOUND, format!("there is no silence `{id}`"), hint),
        CannotEnd::Over(at) => {
            Fault::new(StatusCode::CONFLICT, format!("silence `{id}` is over since {at}"), hint)
        }
    })
}

/// Short enough to be typed.
fn unused_id(silences: &Silences) -> Arc<str> {
    loop {
        let id = format!("{:08x}", fastrand::u32(..));
        if silences.silences.iter().all(|silence| *silence.id != *id) {
            return id.into();
        }
    }
}

/// How many alarms that are there a silence means, and how many of those are in ALARM.
fn meant(board: &Board, silence: &Silence) -> (usize, usize) {
    let rules = board.rules();
    board.with_alarms(|alarms| {
        let meant = alarms.iter().filter(|(key, _)| {
            let rule = rules.iter().find(|rule| rule.name == key.rule);
            rule.is_some_and(|rule| silence.matchers.matches(rule, &key.subject))
        });
        let firing = |alarm: &alarm::Alarm| usize::from(alarm.state == alarm::State::Alarm);
        meant.fold((0, 0), |(count, in_alarm), (_, alarm)| (count + 1, in_alarm + firing(alarm)))
    })
}

/// The whole body, bounded in size and patience.
pub async fn body(body: Body) -> Result<axum::body::Bytes, Fault> {
    let whole = tokio::time::timeout(BODY_PATIENCE, axum::body::to_bytes(body, BODY_BYTES)).await;
    let hint = "what is asked for is small; docs/http.md has an example";
    match whole {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let error = "the body is larger than 64 KiB, or was broken off";
            Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, error, hint))
        }
        Err(_) => Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time", hint)),
    }
}

fn bad_request(faults: Faults) -> Fault {
    let line = |fault: &config::Fault| {
        let place = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{place}{}{hint}", fault.message)
    };
    let error: Vec<String> = faults.iter().take(50).map(line).collect();
    let hint = "docs/http.md explains every field; nothing was changed";
    Fault::new(StatusCode::BAD_REQUEST, error.join("\n"), hint)
}

fn not_recorded(error: &StoreError) -> Fault {
    tracing::error!(%error, "a change of a silence could not be recorded, so it was not made");
    let hint =
        "the log of the daemon says why the store cannot be written; try again when /readyz answers 200";
    let error = "the change could not be recorded, so it was not made";
    Fault::new(StatusCode::SERVICE_UNAVAILABLE, error, hint)
}

#[cfg(test)]
mod tests;
