//! GET /metrics: the exposition in the format and compression that the scraper asks for.
//!
//! One rendering serves everybody who asks within a second, and only one is made at a time for each format, so that
//! neither many scrapers nor a broken one load the daemon. A scraper that leaves does not stop the rendering.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use super::Web;
use super::answer::Fault;
use super::exposition::{Encoding, Format, Sources, render};
use crate::clock;

/// How long one rendering is good for.
const FRESH: Duration = Duration::from_secs(1);

/// The renderings at hand, one place for each format and compression.
#[derive(Clone, Default)]
pub struct Scrapes(Arc<[Place; 4]>);

#[derive(Default)]
struct Place {
    /// Present only while it is fresh.
    rendering: Mutex<Option<Bytes>>,
    /// How long the last one was.
    length: AtomicUsize,
}

/// GET /metrics
pub async fn scrape(
    State(web): State<Web>,
    State(scrapes): State<Scrapes>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let (format, encoding) = (format(&headers), encoding(&headers));
    // A task of its own: when this scraper goes away the others still get what it began.
    let work = tokio::spawn(async move { scrapes.get(web, format, encoding).await });
    let Ok(Some(body)) = work.await else { return Err(Fault::internal("the exposition failed")) };
    let kind = match format {
        Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    let mut response =
        ([(header::CONTENT_TYPE, kind), (header::VARY, "accept, accept-encoding")], body).into_response();
    if encoding == Encoding::Gzip {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

impl Scrapes {
    async fn get(self, web: Web, format: Format, encoding: Encoding) -> Option<Bytes> {
        let index = usize::from(format == Format::OpenMetrics) * 2 + usize::from(encoding == Encoding::Gzip);
        let place = &self.0[index];
        let mut rendering = place.rendering.lock().await;
        if let Some(fresh) = &*rendering {
            return Some(fresh.clone());
        }
        let length = place.length.load(Ordering::Relaxed);
        let work = move || written(&web, format, encoding, length + length / 16);
        let body = Bytes::from(tokio::task::spawn_blocking(work).await.ok()?);
        place.length.store(body.len(), Ordering::Relaxed);
        *rendering = Some(body.clone());
        drop(rendering);
        tokio::spawn(async move {
            tokio::time::sleep(FRESH).await;
            *self.0[index].rendering.lock().await = None;
        });
        Some(body)
    }
}

fn written(web: &Web, format: Format, encoding: Encoding, capacity: usize) -> Vec<u8> {
    let outbox = web.owed(&web.store).unwrap_or_else(|error| {
        tracing::warn!(%error, "the outbox cannot be read for /metrics");
        Default::default()
    });
    let peril = web.store.peril().unwrap_or_default();
    let config = web.config.load_full();
    let sources = Sources {
        board: &web.board,
        config: &config,
        registry: &web.telemetry.registry,
        outbox: &outbox,
        peril: peril.as_ref(),
        ready: web.unready().is_empty(),
    };
    render(sources, clock::now(), format, encoding, capacity)
}

/// OpenMetrics when it is asked for at least as much as plain text.
fn format(headers: &HeaderMap) -> Format {
    let open = quality(headers, header::ACCEPT, "application/openmetrics-text");
    let text = quality(headers, header::ACCEPT, "text/plain").unwrap_or(0.0);
    match open {
        Some(open) if open > 0.0 && open >= text => Format::OpenMetrics,
        _ => Format::Prometheus,
    }
}

fn encoding(headers: &HeaderMap) -> Encoding {
    if takes_gzip(headers) { Encoding::Gzip } else { Encoding::Identity }
}

/// Whether the client takes answers compressed by gzip.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    quality(headers, header::ACCEPT_ENCODING, "gzip").is_some_and(|quality| quality > 0.0)
}

/// The highest `q` with which a header names `wanted`; `None` when it does not. RFC 9110, 12.4.2.
fn quality(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> Option<f32> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let named = lines.flat_map(|line| line.split(',')).filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_wanted = parts.next()?.eq_ignore_ascii_case(wanted);
        let quality = parts.filter_map(|part| part.strip_prefix("q=")?.parse().ok()).next();
        is_wanted.then(|| quality.unwrap_or(1.0))
    });
    named.reduce(f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn the_format_is_what_the_scraper_likes_best() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        for (accept, expected) in [
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text; version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text;q=0.2,text/plain;q=0.9", Format::Prometheus),
            ("application/openmetrics-text;q=0", Format::Prometheus),
            ("text/html,*/*", Format::Prometheus),
            ("", Format::Prometheus),
        ] {
            assert_eq!(format(&headers(header::ACCEPT, accept)), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Prometheus);
    }

    #[test]
    fn gzip_is_used_when_it_is_taken() {
        for (accept, expected) in [
            ("gzip", Encoding::Gzip),
            ("deflate, GZIP;q=0.5", Encoding::Gzip),
            ("gzip;q=0", Encoding::Identity),
            ("br", Encoding::Identity),
        ] {
            assert_eq!(encoding(&headers(header::ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
    }
}
