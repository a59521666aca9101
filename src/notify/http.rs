//! What all HTTP receivers share: the client, one bounded attempt, and what an answer means.
//!
//! No redirect is followed, the time-out covers all of an attempt, and no more than a little of the answer is read. The
//! status alone decides what follows.

pub mod retry_after;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity, RequestBuilder, Response, StatusCode};
use rustls::pki_types::CertificateDer;

use super::Answer;
use crate::clock;
use crate::config::secret::Secret;
use crate::config::tls::{self, Tls};
use crate::domain::outbox::{Outcome, Reason};

/// How much of an answer's body is read, so that the connection can be used again. The rest is dropped with the connection.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long that may take: the answer is known by then.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Builds the client of destinations without a `tls` section: TLS by rustls with ring and the system's certificates, no
/// redirect followed, proxies as the environment says.
///
/// # Errors
/// The TLS backend cannot be set up.
pub fn http_client() -> Result<Client, reqwest::Error> {
    builder().build().or_else(|error| {
        tracing::warn!(%error, "no certificates of the system: https receivers cannot be verified and will fail");
        builder().tls_certs_only([]).build()
    })
}

/// Builds the client of one destination with a `tls` section. Authorities of its own are the only ones it trusts.
///
/// # Errors
/// The TLS backend cannot be set up, or has no use for what is in `tls`.
pub fn client_with(tls: &Tls) -> Result<Client, reqwest::Error> {
    let mut builder = builder();
    if let Some(identity) = &tls.identity {
        builder = builder.identity(shown(identity)?);
    }
    if tls.authorities.is_empty() {
        return builder.build();
    }
    let authorities: Result<Vec<_>, _> =
        tls.authorities.iter().map(|der| Certificate::from_der(der)).collect();
    builder.tls_certs_only(authorities?).build()
}

/// The identity in the one form that the client takes: PEM, the key last.
fn shown(identity: &tls::Identity) -> Result<Identity, reqwest::Error> {
    let mut pem: String = identity.chain.iter().map(pem).collect();
    pem.push_str(identity.key.expose());
    Identity::from_pem(pem.as_bytes())
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn builder() -> ClientBuilder {
    // Fails only if somebody installed a provider before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("sqswatch/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(60))
}

/// Headers of the user's, marked so that nobody prints them; `None` when one is not valid HTTP.
pub fn headers(configured: &BTreeMap<String, Secret>) -> Option<HeaderMap> {
    let one = |(name, value): (&String, &Secret)| {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    configured.iter().map(one).collect()
}

/// The answer when [`headers`] gave none.
pub fn bad_header() -> Answer {
    let detail = "a configured header is not valid HTTP\nhint: look for line breaks in its value";
    Answer::retry(Reason::Refused, detail)
}

/// Makes one attempt within `timeout`.
pub async fn attempt(request: RequestBuilder, timeout: Duration) -> Answer {
    match request.timeout(timeout).send().await {
        Ok(response) => answered(response).await,
        Err(error) => failed(error, timeout),
    }
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
pub fn meaning(status: StatusCode, after: Option<Duration>) -> Outcome {
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
pub fn failed(error: reqwest::Error, timeout: Duration) -> Answer {
    if error.is_timeout() {
        return Answer::retry(
            Reason::Timeout,
            format!("no answer within {}", humantime::format_duration(timeout)),
        );
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
    Answer::retry(reason, detail)
}
