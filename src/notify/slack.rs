//! A Slack channel, told by an incoming webhook (`message.rs`).
//!
//! Only a 200 whose whole body is `ok` means that the message is there. Slack names what is wrong in a word; the words after
//! which it wants to see no more of a message end it, everything else is tried again.

pub mod message;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;

use super::post::{Reply, post};
use super::{Answer, Pace};
use crate::config::Slack;
use crate::domain::notification::Notification;
use crate::domain::outbox::{Outcome, Reason};

/// About one message a second is let through.
pub const PACE: Pace = Pace { every: Duration::from_secs(1), burst: 3 };
/// How long to wait after a 429 that does not say.
const THROTTLED: Duration = Duration::from_secs(5);

/// Makes one attempt at telling of all of `group` in one message.
pub async fn send(client: &Client, config: &Slack, group: &[Arc<Notification>]) -> Answer {
    let json = message::message(config, group);
    match post(client, config.url.expose(), config.timeout, json).await {
        Ok(reply) => answered(&reply, config),
        Err(failed) => failed,
    }
}

fn answered(reply: &Reply, config: &Slack) -> Answer {
    let word = reply.body.as_deref().unwrap_or_default();
    let outcome = match (reply.status.as_u16(), word) {
        (200, "ok") => return Answer { outcome: Outcome::Acknowledged, detail: "HTTP 200 OK: ok".into() },
        (429, _) => reply.throttled(THROTTLED),
        (403, "action_prohibited" | "posting_to_general_channel_denied") => refused(Reason::Denied),
        (404, "channel_not_found") => refused(Reason::NotFound),
        (410, _) => refused(Reason::Gone),
        (200..=299, _) => Outcome::Retry { reason: Reason::BadAnswer, after: None },
        _ => reply.meaning(),
    };
    let detail = format!("{}{}", reply.shown(&config.url), hint(reply.status.as_u16(), word));
    Answer { outcome, detail }
}

fn refused(reason: Reason) -> Outcome {
    Outcome::Refused { reason }
}

fn hint(status: u16, word: &str) -> &'static str {
    match (status, word) {
        (_, "channel_is_archived") => "\nhint: un-archive the channel, or make a webhook for another one",
        (_, "channel_not_found") => "\nhint: the webhook's channel is gone: make a new webhook",
        (_, "action_prohibited" | "posting_to_general_channel_denied") => {
            "\nhint: an administrator of the workspace restricts posting there"
        }
        (_, "no_service" | "no_team" | "team_disabled" | "invalid_token") => {
            "\nhint: the webhook was removed or switched off: make a new one and put it into `url`"
        }
        (200..=299, _) => "\nhint: Slack says `ok`; is `url` an incoming webhook of Slack's?",
        (300..=399, _) => "\nhint: redirects are not followed; put the final address into `url`",
        (403 | 404, _) => "\nhint: check the destination's `url`",
        _ => "",
    }
}
