//! A PagerDuty service, told by its Events API v2 (`event.rs`).
//!
//! One alarm is one incident, found again by its `dedup_key`. Telling that a value has risen is two calls, since only a trigger
//! after a resolve pages again; so is a test, which must not stay open. Every call can be repeated without harm: PagerDuty
//! drops a resolve without an open alert and adds a repeated trigger to the open one.

pub mod event;

#[cfg(test)]
mod tests;

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;

use super::post::{Reply, post, shown};
use super::{Answer, Pace};
use crate::config::PagerDuty;
use crate::domain::notification::{Event, Notification};
use crate::domain::outbox::{Outcome, Reason};
use event::{Action, event};

/// 120 calls a minute and key are let through; a burst and this are 110.
pub const PACE: Pace = Pace { every: Duration::from_millis(600), burst: 10 };
/// How long to wait after a 429 that does not say: PagerDuty speaks of minutes.
const THROTTLED: Duration = Duration::from_secs(60);

/// The calls that tell of `event`, in their order.
pub fn actions(event: Event) -> &'static [Action] {
    match event {
        Event::Firing | Event::Repeated | Event::Flapping => &[Action::Trigger],
        Event::Resolved | Event::Closed => &[Action::Resolve],
        Event::Increased => &[Action::Resolve, Action::Trigger],
        Event::Test => &[Action::Trigger, Action::Resolve],
    }
}

/// Makes one attempt: every call that it takes, up to the first that fails.
pub async fn send(client: &Client, config: &PagerDuty, notification: &Notification) -> Answer {
    let mut answer = Answer { outcome: Outcome::Acknowledged, detail: String::new() };
    for action in actions(notification.event) {
        let url = format!("{}/v2/enqueue", config.url);
        let reply = post(client, &url, config.timeout, event(config, notification, *action)).await;
        answer = match reply {
            Ok(reply) => answered(&reply, config),
            Err(failed) => failed,
        };
        if answer.outcome != Outcome::Acknowledged {
            break;
        }
    }
    answer
}

/// What PagerDuty says in a body.
#[derive(Deserialize)]
struct Said {
    status: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<String>,
}

fn answered(reply: &Reply, config: &PagerDuty) -> Answer {
    let said: Option<Said> = reply.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
    let outcome = match reply.status.as_u16() {
        202 if said.as_ref().is_none_or(|said| said.status == "success") => Outcome::Acknowledged,
        // Whoever says 200 and 202 alike is not PagerDuty, but something before it.
        200..=299 => Outcome::Retry { reason: Reason::BadAnswer, after: None },
        429 => reply.throttled(THROTTLED),
        _ => reply.meaning(),
    };
    let words = match said {
        Some(said) => {
            let words = format!("{}: {}", said.message, said.errors.join("; "));
            format!(
                "HTTP {}: {}",
                reply.status,
                shown(words.trim_end_matches([':', ' ']), &config.routing_key)
            )
        }
        None => reply.shown(&config.routing_key),
    };
    Answer { outcome, detail: format!("{words}{}", hint(reply.status.as_u16())) }
}

fn hint(status: u16) -> &'static str {
    match status {
        200 | 201 | 203..=299 => "\nhint: PagerDuty says 202; is `url` PagerDuty's address?",
        300..=399 | 404 => {
            "\nhint: `url` is https://events.pagerduty.com, or https://events.eu.pagerduty.com in the EU"
        }
        400 => "\nhint: check `routing_key`: the Integration Key of an `Events API V2` integration",
        _ => "",
    }
}
