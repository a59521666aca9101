//! `/healthz` says that the process answers; `/readyz` says whether it sees what it should, and if not, why.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Web;
use super::pages::humane::length;
use crate::board::{Board, Target, TargetHealth};
use crate::domain::time::Timestamp;
use crate::store::{Peril, Store};

/// How many intervals a reading may be old before the daemon counts as blind.
const INTERVALS: u32 = 3;

/// The answer of `/readyz`.
#[derive(Debug, Serialize)]
pub struct Readiness {
    /// Whether the daemon sees all it should.
    pub ready: bool,
    /// What is wrong, one line each.
    pub reasons: Vec<String>,
}

/// What decides about readiness beside the targets.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The process was told to end.
    pub draining: bool,
    /// What a restart would lose because the state file cannot be written.
    pub peril: Option<Peril>,
}

/// Why a daemon with this board and store is not ready at `now`; empty when it is.
pub fn unready(board: &Board, store: &Store, draining: bool, now: Timestamp) -> Vec<String> {
    let watched = watched_per_target(board);
    match store.peril() {
        Ok(peril) => reasons(Facts { draining, peril }, &board.targets(), &watched, now),
        Err(error) => vec![format!("the store cannot be read: {error}")],
    }
}

/// GET /healthz
pub async fn alive() -> &'static str {
    "ok\n"
}

/// GET /readyz: 200 or 503.
pub async fn ready(State(web): State<Web>) -> Response {
    let reasons = web.unready();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: reasons.is_empty(), reasons })).into_response()
}

/// How many queues of each target are watched.
pub fn watched_per_target(board: &Board) -> BTreeMap<Arc<Target>, usize> {
    let mut counts = BTreeMap::new();
    for watched in board.queues().values() {
        *counts.entry(watched.target.clone()).or_default() += 1;
    }
    counts
}

/// Why the daemon is not ready at `now`; empty when it is.
pub fn reasons(
    facts: Facts,
    targets: &BTreeMap<Arc<Target>, TargetHealth>,
    watched: &BTreeMap<Arc<Target>, usize>,
    now: Timestamp,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if facts.draining {
        reasons.push("the daemon is shutting down".to_owned());
    }
    reasons.extend(facts.peril.map(|peril| risk(&peril)));
    if targets.is_empty() {
        reasons.push("no region is read yet".to_owned());
    }
    for (target, health) in targets {
        let has_queues = watched.get(target).is_some_and(|count| *count > 0);
        reasons.extend(blind(target, health, has_queues, now));
    }
    reasons
}

/// What a restart would do while the state file cannot be written.
fn risk(peril: &Peril) -> String {
    let Peril { why, undelivered, settled, changes } = peril;
    format!(
        "the state file cannot be written, sqswatch goes on in memory ({why}): a restart now would lose {undelivered} \
         notifications that are not delivered yet, tell {settled} again and forget {changes} changes of alarms and silences"
    )
}

fn blind(target: &Target, health: &TargetHealth, has_queues: bool, now: Timestamp) -> Option<String> {
    let listing = stale("queues", "listed", health.discovered_at, health.discovery_interval, now);
    let reading = || stale("attributes", "read", health.attributes_at, health.attributes_interval, now);
    let what = listing.or_else(|| if has_queues { reading() } else { None })?;
    let troubles: Vec<String> = health.troubles.iter().map(|(api, why)| format!("{api}: {why}")).collect();
    let why = if troubles.is_empty() { String::new() } else { format!(" ({})", troubles.join("; ")) };
    Some(format!("{target}: {what}{why}"))
}

fn stale(
    noun: &str,
    verb: &str,
    at: Option<Timestamp>,
    interval: Duration,
    now: Timestamp,
) -> Option<String> {
    let Some(at) = at else { return Some(format!("{noun} were not {verb} yet")) };
    let age = now.since(at);
    (age > interval * INTERVALS).then(|| {
        format!("{noun} were last {verb} {} ago and should be every {}", length(age), length(interval))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(10_000);

    fn ago(seconds: u64) -> Option<Timestamp> {
        Some(NOW - Duration::from_secs(seconds))
    }

    fn health(discovered: Option<Timestamp>, attributes: Option<Timestamp>) -> TargetHealth {
        TargetHealth {
            discovered_at: discovered,
            discovery_interval: Duration::from_secs(300),
            attributes_at: attributes,
            attributes_interval: Duration::from_secs(15),
            ..TargetHealth::default()
        }
    }

    fn reasons_of(health: TargetHealth, queues: usize) -> Vec<String> {
        let target = Arc::new(Target { region: "eu-west-1".into(), role_arn: None });
        let watched = [(target.clone(), queues)].into();
        reasons(Facts::default(), &[(target, health)].into(), &watched, NOW)
    }

    #[test]
    fn a_target_is_ready_while_both_readings_are_at_most_three_intervals_old() {
        let cases = [
            (ago(0), ago(0), 1, None),
            (ago(900), ago(45), 1, None),
            (None, None, 0, Some("eu-west-1: queues were not listed yet")),
            (
                ago(901),
                ago(1),
                1,
                Some("eu-west-1: queues were last listed 15 min ago and should be every 5 min"),
            ),
            (ago(1), None, 1, Some("eu-west-1: attributes were not read yet")),
            (
                ago(1),
                ago(46),
                1,
                Some("eu-west-1: attributes were last read 46 s ago and should be every 15 s"),
            ),
            (ago(1), None, 0, None),
        ];
        for (discovered, attributes, queues, expected) in cases {
            let found = reasons_of(health(discovered, attributes), queues);
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{discovered:?} {attributes:?}");
        }
    }

    #[test]
    fn troubles_are_named_only_when_they_blind() {
        let troubles = [("ListQueues", "access denied".to_owned())].into();
        let seeing = TargetHealth { troubles, ..health(ago(1), ago(1)) };
        assert!(reasons_of(seeing.clone(), 1).is_empty());
        let blind = TargetHealth { discovered_at: None, ..seeing };
        let expected = "eu-west-1: queues were not listed yet (ListQueues: access denied)";
        assert_eq!(reasons_of(blind, 1), [expected]);
    }

    #[test]
    fn draining_a_store_that_fails_and_an_empty_start_are_reasons() {
        let nobody = BTreeMap::new();
        let peril = Peril { why: "no space left".into(), undelivered: 7, settled: 8, changes: 9 };
        let facts = Facts { draining: true, peril: Some(peril) };
        let found = reasons(facts, &nobody, &BTreeMap::new(), NOW);
        assert_eq!(found.len(), 3, "{found:?}");
        for (reason, word) in
            found.iter().zip(["shutting down", "(no space left): a restart now would lose 7 ", "region"])
        {
            assert!(reason.contains(word), "{reason}");
        }
    }
}
