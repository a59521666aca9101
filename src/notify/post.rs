//! One POST of JSON to a service, and as much of its answer as is worth looking at.
//!
//! Nothing that the other side says is trusted: its answer is read up to a bound in bytes and time, and shown only in a
//! short form that holds no secret, as error pages tend to repeat the address that was asked.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::Answer;
use super::http::{self, retry_after};
use crate::clock;
use crate::config::secret::Secret;
use crate::domain::outbox::{Outcome, Reason};

/// How much of an answer is read; the rest is dropped with the connection.
const ANSWER_BYTES: usize = 64 * 1024;
/// How much of an answer is shown.
const SHOWN_CHARACTERS: usize = 200;
/// Parts of an address that are at least so long may be tokens.
const TOKEN_BYTES: usize = 12;

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// How long it asks to be left alone.
    pub after: Option<Duration>,
    /// The body; `None` when it broke off, did not come in time, or is longer than anybody needs.
    pub body: Option<String>,
}

/// Makes one POST; `timeout` covers all of it, the answer's body included.
///
/// # Errors
/// What it means that there was no answer.
pub async fn post(client: &Client, url: &str, timeout: Duration, json: String) -> Result<Reply, Answer> {
    let request = client.post(url).timeout(timeout).header(CONTENT_TYPE, "application/json").body(json);
    match request.send().await {
        Ok(response) => Ok(reply(response).await),
        Err(error) => Err(http::failed(error, timeout)),
    }
}

async fn reply(response: Response) -> Reply {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|value| retry_after::parse(value, clock::now()));
    Reply { status, after, body: body(response).await }
}

async fn body(mut response: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if bytes.len() + chunk.len() > ANSWER_BYTES {
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

impl Reply {
    /// The answer in words: its status and how it begins, unless that holds a part of `secret`.
    pub fn shown(&self, secret: &Secret) -> String {
        let text = match &self.body {
            None => "an answer that cannot be read to its end".to_owned(),
            Some(body) if body.is_empty() => return format!("HTTP {}", self.status),
            Some(body) => shown(body, secret),
        };
        format!("HTTP {}: {text}", self.status)
    }

    /// What it means when the status alone decides.
    pub fn meaning(&self) -> Outcome {
        http::meaning(self.status, self.after)
    }

    /// Another attempt later, at the earliest after `least` where no wait is asked for.
    pub fn throttled(&self, least: Duration) -> Outcome {
        Outcome::Retry { reason: Reason::Throttled, after: self.after.or(Some(least)) }
    }
}

/// The beginning of a text from outside in one line, unless it holds a part of `secret`.
pub fn shown(text: &str, secret: &Secret) -> String {
    if holds(text, secret) {
        return "an answer that repeats a secret".to_owned();
    }
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_debug).collect();
    shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push_str("...");
    }
    shown
}

fn holds(text: &str, secret: &Secret) -> bool {
    let secret = secret.expose();
    if text.contains(secret) {
        return true;
    }
    let Ok(url) = Url::parse(secret) else { return false };
    let from_path = url.path_segments().into_iter().flatten().map(str::to_owned);
    let from_query = url.query_pairs().map(|(_, value)| value.into_owned());
    let raw = url.query().unwrap_or_default().split(['&', '=']).map(str::to_owned);
    let parts = from_path.chain(from_query).chain(raw).chain(url.password().map(str::to_owned));
    parts.filter(|part| part.len() >= TOKEN_BYTES).any(|part| text.contains(&part))
}

/// The JSON that `build` makes of texts of at most so many bytes each, with the largest bound for which all of it fits
/// into `limit` bytes. `build` must stay under the limit for texts of 64 bytes.
pub fn fit(limit: usize, build: impl Fn(usize) -> serde_json::Value) -> String {
    let mut bound = limit;
    loop {
        let json = build(bound).to_string();
        if json.len() <= limit || bound <= 64 {
            return json;
        }
        bound /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_repeats_a_secret_is_not_shown() {
        let slack =
            Secret::new("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX");
        let teams = Secret::new(
            "https://prod-01.westus.logic.azure.com:443/workflows/0123456789abcdef/triggers/manual?sig=abc%2Bdefghijklmno&sp=x",
        );
        let key = Secret::new("0123456789abcdef0123456789abcdef");
        for (text, secret, told) in [
            ("no_service", &slack, true),
            ("/services/ is not here", &slack, true),
            ("not found: /services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", &slack, false),
            ("token XXXXXXXXXXXXXXXXXXXXXXXX is bad", &slack, false),
            ("bad signature abc+defghijklmno", &teams, false),
            ("bad signature abc%2Bdefghijklmno", &teams, false),
            ("workflow 0123456789abcdef is off", &teams, false),
            ("triggers manual sp x", &teams, true),
            ("key 0123456789abcdef0123456789abcdef is bad", &key, false),
        ] {
            assert_eq!(shown(text, secret) == text, told, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_harmless() {
        let key = Secret::new("hunter2");
        assert_eq!(shown("a\u{1b}[31m\n\"b\"", &key), "a\\u{1b}[31m\\n\"b\"");
        let long = shown(&"ü".repeat(5000), &key);
        assert_eq!((long.chars().count(), long.ends_with("ü...")), (SHOWN_CHARACTERS + 3, true));
    }

    #[test]
    fn what_fits_is_as_long_as_it_can_be() {
        let text = "ü\u{1}".repeat(1_000_000);
        let json = fit(10_000, |bound| serde_json::json!({ "a": super::super::text::cut(&text, bound) }));
        assert!((4_000..=10_000).contains(&json.len()), "{}", json.len());
        assert_eq!(fit(100, |_| serde_json::json!("short")), "\"short\"");
    }
}
