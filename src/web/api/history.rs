//! GET /api/v1/queues/{name}/history: the past of one queue, as its plots show it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::queues::{Place, named};
use super::{Asked, asked, instant};
use crate::clock;
use crate::domain::history::{Point, TRACKED};
use crate::domain::metric::Metric;
use crate::domain::time::{MINUTE, Timestamp};
use crate::web::Web;
use crate::web::answer::Fault;
use crate::web::reach::{Reach, plot_history};

/// How many points of a metric are told at most.
const MOST: usize = 500;
/// The end of the year 9999.
const LATEST: Timestamp = Timestamp::from_secs(253_402_300_799);

/// Of what and of when.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The first instant, RFC 3339 or Unix seconds; three hours before `until` by default.
    from: Option<String>,
    /// The end, which is not part of it; now by default.
    until: Option<String>,
    /// Names of metrics with commas between them; all that are remembered by default.
    metric: Option<String>,
    /// The owning account, where several queues have the name.
    account: Option<String>,
    /// The region's code, likewise.
    region: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct HistoryView {
    /// The first instant that was asked for.
    #[serde(serialize_with = "known")]
    pub from: Timestamp,
    /// The end that was asked for.
    #[serde(serialize_with = "known")]
    pub until: Timestamp,
    /// The distance of two points.
    pub step_seconds: u64,
    /// Who told the points: `daemon`, or `prometheus` where it reaches further back.
    pub source: &'static str,
    /// Why it reaches back less far than it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// By the catalogue's name, oldest first: the start of the bucket in Unix seconds, and its value or `null`.
    pub metrics: BTreeMap<&'static str, Vec<(i64, Option<f64>)>>,
}

fn known<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    instant(&Some(*at), serializer)
}

/// GET /api/v1/queues/{name}/history: 404 when no such queue is watched, 409 when several are.
pub async fn history(
    State(web): State<Web>,
    Path(name): Path<String>,
    query: Asked<Wanted>,
) -> Result<Json<HistoryView>, Fault> {
    let wanted = asked(query)?;
    let (from, until) = span(&wanted, clock::now())?;
    let metrics = wanted.metric.as_deref().map_or_else(|| Ok(TRACKED.to_vec()), metrics)?;
    let place = Place { account: wanted.account, region: wanted.region };
    let queue = named(&web.board, &name, place)?.id.clone();
    let reach = plot_history(&web, &queue, &metrics, from, until, MOST).await;
    Ok(Json(view(from, until, reach)))
}

fn view(from: Timestamp, until: Timestamp, reach: Reach) -> HistoryView {
    let told = |points: Vec<Point>| points.iter().map(|point| (point.at.as_secs(), point.value)).collect();
    HistoryView {
        from,
        until,
        step_seconds: reach.step.as_secs(),
        source: reach.source.as_str(),
        note: reach.note,
        metrics: reach.metrics.into_iter().map(|(metric, points)| (metric.name(), told(points))).collect(),
    }
}

fn span(wanted: &Wanted, now: Timestamp) -> Result<(Timestamp, Timestamp), Fault> {
    let until = wanted.until.as_deref().map_or(Ok(now), |text| parsed("until", text))?;
    let from = wanted.from.as_deref().map_or(Ok(until - MINUTE * 180), |text| parsed("from", text))?;
    if from < until {
        return Ok((from, until));
    }
    let error = format!("`from` ({from}) is not before `until` ({until})");
    Err(Fault::new(
        StatusCode::BAD_REQUEST,
        error,
        "without `until` it is now; without `from` three hours before",
    ))
}

fn parsed(name: &str, text: &str) -> Result<Timestamp, Fault> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    let at = match seconds {
        Some(seconds) => Some(Timestamp::from_millis((seconds * 1000.0) as i64)),
        None => text.parse().ok(),
    };
    at.filter(|at| (Timestamp::default()..=LATEST).contains(at)).ok_or_else(|| {
        let hint = "write RFC 3339, e.g. 2026-01-02T03:04:05Z (a `+` must be %2B here), or Unix seconds";
        Fault::new(
            StatusCode::BAD_REQUEST,
            format!("`{name}` is no instant from 1970 to 9999: `{text}`"),
            hint,
        )
    })
}

fn metrics(names: &str) -> Result<Vec<Metric>, Fault> {
    let metric = |name: &str| {
        let known = TRACKED.into_iter().find(|metric| metric.name() == name);
        known.ok_or_else(|| {
            let names: Vec<&str> = TRACKED.iter().map(|metric| metric.name()).collect();
            let hint = format!("remembered are {}; several have commas between them", names.join(", "));
            Fault::new(StatusCode::BAD_REQUEST, format!("no history is kept of `{name}`"), hint)
        })
    };
    names.split(',').map(metric).collect()
}
