//! A webhook: our JSON, POSTed and signed by the Standard Webhooks scheme.
//!
//! One attempt is one request: no redirect is followed, the time-out covers all of it, and no more than
//! a little of the answer is read. The status alone decides what follows.

pub mod retry_after;
pub mod signature;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};

use super::Answer;
use super::body::Body;
use crate::clock;
use crate::config::Webhook;
use crate::config::secret::Secret;
use crate::domain::notification::Notification;
use crate::domain::outbox::{Outcome, Reason};

/// How much of an answer's body is read, so that the connection can be used again. The rest is dropped with the connection.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long that may take: the answer is known by then.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Makes one attempt.
pub async fn send(client: &Client, config: &Webhook, notification: &Notification) -> Answer {
    let Some(headers) = headers(config) else {
        return retry(
            Reason::Refused,
            "a configured header is not valid HTTP\nhint: look for line breaks in its value".into(),
        );
    };
    let body = serde_json::to_string(&Body::full(notification)).unwrap_or_default();
    let seconds = clock::now().as_secs();
    let mut request = client
        .post(config.url.expose())
        .timeout(config.timeout)
        .headers(headers)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &notification.id)
        .header("webhook-timestamp", seconds);
    if !config.secrets.is_empty() {
        let signature = signature::sign(&config.secrets, &notification.id, seconds, &body);
        request = request.header("webhook-signature", signature);
    }
    match request.body(body).send().await {
        Ok(response) => answered(response).await,
        Err(error) => failed(error, config.timeout),
    }
}

fn headers(config: &Webhook) -> Option<HeaderMap> {
    let one = |(name, value): (&String, &Secret)| {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    config.headers.iter().map(one).collect()
}

async fn answered(response: Response) -> Answer {
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = wait.and_then(|value| retry_after::parse(value, clock::now()));
    let _ = tokio::time::timeout(ANSWER_TIME, drain(response)).await;
    let asked =
        wait.map(|wait| format!(", asks to wait {}", humantime::format_duration(wait))).unwrap_or_default();
    Answer { outcome: meaning(status, wait), detail: format!("HTTP {status}{asked}{}", hint(status)) }
}

async fn drain(mut response: Response) {
    let mut left = ANSWER_BYTES;
    while let Ok(Some(chunk)) = response.chunk().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// What a status means for the debt. 2xx: told. What a person can mend at the destination (a redirect, a denied key,
/// a path that is not there) and what passes (408, 425, 429, 5xx): tried again. Other 4xx: this message will never
/// be taken; 410: the receiver wants nothing any more.
pub(super) fn meaning(status: StatusCode, after: Option<Duration>) -> Outcome {
    let reason = match status.as_u16() {
        200..=299 => return Outcome::Acknowledged,
        300..=399 => Reason::Redirect,
        401 | 403 | 407 => Reason::Denied,
        404 => Reason::NotFound,
        408 => Reason::Timeout,
        425 | 429 => Reason::Throttled,
        410 => return Outcome::Refused { reason: Reason::Gone },
        400..=499 => return Outcome::Refused { reason: Reason::Refused },
        _ => Reason::ServerError,
    };
    Outcome::Retry { reason, after }
}

fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "\nhint: redirects are not followed; put the final address into `url`",
        401 | 403 => "\nhint: check the destination's `headers` and the token in its `url`",
        404 => "\nhint: check the path of the destination's `url`",
        _ => "",
    }
}

/// What it means that a request got no answer.
pub(super) fn failed(error: reqwest::Error, timeout: Duration) -> Answer {
    if error.is_timeout() {
        return retry(Reason::Timeout, format!("no answer within {}", humantime::format_duration(timeout)));
    }
    let error = error.without_url();
    let (mut detail, mut reason) = (error.to_string(), Reason::Connection);
    let mut source = error.source();
    while let Some(inner) = source {
        detail = format!("{detail}: {inner}");
        if inner.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            reason = Reason::BadAnswer;
        }
        source = inner.source();
    }
    retry(reason, detail)
}

fn retry(reason: Reason, detail: String) -> Answer {
    Answer { outcome: Outcome::Retry { reason, after: None }, detail }
}
