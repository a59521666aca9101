//! A channel of Microsoft Teams, told through a workflow that takes Adaptive Cards (`card.rs`).
//!
//! Workflows answer 202 as soon as they have the request. The connectors before them answered 200 whatever Teams itself said,
//! and put that into the body: it is read, and what it says counts.

pub mod card;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::post::{Reply, post};
use super::{Answer, Pace, http};
use crate::config::Teams;
use crate::domain::notification::Notification;
use crate::domain::outbox::{Outcome, Reason};

/// A message a second, which both workflows and connectors take.
pub const PACE: Pace = Pace { every: Duration::from_secs(1), burst: 3 };
/// How long to wait after a 429 that does not say.
const THROTTLED: Duration = Duration::from_secs(10);
/// What stands before the status of Teams itself in a connector's 200.
const INNER: &str = "HTTP error ";

/// Makes one attempt at telling of all of `group` in one card.
pub async fn send(client: &Client, config: &Teams, group: &[Arc<Notification>]) -> Answer {
    match post(client, config.url.expose(), config.timeout, card::message(group)).await {
        Ok(reply) => answered(&reply, config),
        Err(failed) => failed,
    }
}

fn answered(reply: &Reply, config: &Teams) -> Answer {
    let outcome = match reply.status.as_u16() {
        200..=299 => accepted(reply),
        429 => reply.throttled(THROTTLED),
        _ => reply.meaning(),
    };
    Answer {
        outcome,
        detail: format!("{}{}", reply.shown(&config.url), hint(reply.status.as_u16(), outcome)),
    }
}

/// What a 2xx means: its body may tell another story, and one that cannot be read may as well.
fn accepted(reply: &Reply) -> Outcome {
    let bad = Outcome::Retry { reason: Reason::BadAnswer, after: None };
    let Some(body) = &reply.body else { return bad };
    match inner(body) {
        Some(StatusCode::TOO_MANY_REQUESTS) => reply.throttled(THROTTLED),
        Some(status) if !status.is_success() => http::meaning(status, reply.after),
        Some(_) => Outcome::Acknowledged,
        None if tells_of_failure(body) => bad,
        None => Outcome::Acknowledged,
    }
}

/// The status of Teams itself: `... returned HTTP error 429 with ContextId ...`.
fn inner(body: &str) -> Option<StatusCode> {
    let (_, rest) = body.split_once(INNER)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(4).collect();
    StatusCode::from_u16(digits.parse().ok()?).ok()
}

/// An error object, a connector's plain words, or a page that was meant for a person.
fn tells_of_failure(body: &str) -> bool {
    let object: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(body).ok();
    let start = body.trim_start().to_ascii_lowercase();
    object.is_some_and(|object| object.contains_key("error"))
        || start.contains("message delivery failed")
        || start.starts_with("<!doctype")
        || start.starts_with("<html")
}

fn hint(status: u16, outcome: Outcome) -> &'static str {
    match status {
        200..=299 if outcome != Outcome::Acknowledged => {
            "\nhint: it was accepted, but the body tells of a failure"
        }
        401 | 403 => {
            "\nhint: copy the workflow's address again, with its signature (`sig=`), and let anyone trigger it"
        }
        404 => "\nhint: the workflow is gone: make a new one and put its address into `url`",
        400 => "\nhint: the workflow must start with `When a Teams webhook request is received`",
        300..=399 => "\nhint: redirects are not followed; put the final address into `url`",
        _ => "",
    }
}
