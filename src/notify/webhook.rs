//! A webhook: our JSON, Alertmanager's or the user's own words, POSTed and signed by the Standard Webhooks scheme.
//!
//! One attempt is one request (see `http.rs` for what its answer means). A template that fails although its samples did
//! not is no reason to tell nobody: the plain text goes out instead, and it is counted.

pub mod signature;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use prometheus::IntCounter;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use super::alertmanager::payload;
use super::body::Body;
use super::links::Links;
use super::{Answer, http, template, text};
use crate::clock;
use crate::config::{Format, Webhook};
use crate::domain::notification::Notification;

/// The largest body of ours; beyond it what has no bound (labels, sources, texts) is left out.
const BODY_BYTES: usize = 1_000_000;

/// A webhook with what it takes to reach it.
#[derive(Debug)]
pub struct Hook {
    /// The destination's name.
    pub name: Arc<str>,
    /// How it is reached and what it gets.
    pub config: Webhook,
    /// The client with the destination's own TLS.
    pub client: Client,
    /// Where links lead.
    pub links: Links,
    /// Counts templates that failed.
    pub template_failures: IntCounter,
}

/// What is sent: the body and its media type.
type Content = (String, String);

/// Makes one attempt.
pub async fn send(hook: &Hook, notification: &Notification) -> Answer {
    let config = &hook.config;
    let Some(headers) = http::headers(&config.headers) else { return http::bad_header() };
    let (body, content_type) = content(hook, notification);
    let seconds = clock::now().as_secs();
    let mut request = hook
        .client
        .post(config.url.expose())
        .headers(headers)
        .header(CONTENT_TYPE, content_type)
        .header("webhook-id", &notification.id)
        .header("webhook-timestamp", seconds);
    if !config.secrets.is_empty() {
        let signature = signature::sign(&config.secrets, &notification.id, seconds, &body);
        request = request.header("webhook-signature", signature);
    }
    http::attempt(request.body(body), config.timeout).await
}

fn content(hook: &Hook, notification: &Notification) -> Content {
    let json = |body: String| (body, "application/json".to_owned());
    match &hook.config.format {
        Format::Sqswatch => json(ours(notification)),
        Format::Alertmanager => json(payload::payload(notification, &hook.name, &hook.links)),
        Format::Template(template) => match template::render(template, notification) {
            Ok(body) => (body, template.content_type().to_owned()),
            Err(fault) => {
                hook.template_failures.inc();
                tracing::error!(
                    destination = %hook.name, id = notification.id, %fault,
                    "the template failed; the plain text is sent instead"
                );
                (text::cut(&text::long(notification), BODY_BYTES), "text/plain; charset=utf-8".to_owned())
            }
        },
    }
}

/// Serializing these plain structs cannot fail: no map has a key that is not a string.
fn ours(notification: &Notification) -> String {
    let full = serde_json::to_string(&Body::full(notification)).unwrap_or_default();
    if full.len() <= BODY_BYTES {
        return full;
    }
    serde_json::to_string(&Body::small(notification)).unwrap_or_default()
}
