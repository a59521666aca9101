//! The pages that people look at: rendered here, useful without a script, kept live by a small one (`live.rs`).
//!
//! Nothing on a page comes from anywhere else: the content security policy allows no other origin, no inline script and
//! no inline style, so that a hostile tag or queue name stays text.
//!
//! | file | owns |
//! |---|---|
//! | `page.rs` | what a page is made of, and what has changed on it |
//! | `shell.rs` | what is around every page: navigation, search, footer |
//! | `parts.rs`, `humane.rs` | figures, times, alarms and notices as every page shows them |
//! | `overview.rs`, `queue.rs`, `alarms.rs`, `alarm.rs`, `notifications.rs`, `system.rs` | one page each |
//! | `silence.rs`, `parked.rs` | the forms that change something, with the token |
//! | `condition.rs` | when an alarm fires, in words |
//! | `plot.rs` | values over time, drawn as SVG |
//! | `assets.rs` | style, script and icon |

mod alarm;
mod alarms;
pub(super) mod assets;
mod condition;
pub(super) mod humane;
mod notifications;
mod overview;
pub(super) mod page;
pub(super) mod parked;
mod parts;
mod plot;
mod queue;
mod shell;
pub(super) mod silence;
mod system;

use std::io::Write;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::html;
use serde::de::DeserializeOwned;

use super::Web;
use super::answer::unknown_path;
use super::metrics::takes_gzip;
use crate::address;
pub use overview::Rows;
pub(super) use page::Change;
use page::{Block, Page, Tab};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A page and what is asked of it: an address, understood.
#[derive(Clone, Debug)]
pub enum View {
    /// All queues.
    Overview(overview::Asked),
    /// One queue.
    Queue(queue::Asked),
    /// All alarms.
    Alarms(alarms::Asked),
    /// The alarms of one rule, or one of them.
    Alarm(alarm::Asked),
    /// What was sent to whom.
    Notifications(notifications::Asked),
    /// The daemon itself.
    System,
}

impl View {
    /// The page at this address; `None` where there is none. Parameters that make no sense are left out: links to pages travel far.
    pub fn of(uri: &Uri) -> Option<Self> {
        let mut segments = uri.path().strip_prefix('/')?.splitn(2, '/');
        let (first, rest) = (segments.next()?, segments.next().map(address::decoded));
        match (first, rest) {
            ("", None) => Some(Self::Overview(query(uri))),
            ("queues", Some(name)) => Some(Self::Queue(queue::Asked { name, ..query(uri) })),
            ("alarms", None) => Some(Self::Alarms(query(uri))),
            ("alarms", Some(rule)) => Some(Self::Alarm(alarm::Asked { rule, ..query(uri) })),
            ("notifications", None) => Some(Self::Notifications(query(uri))),
            ("system", None) => Some(Self::System),
            _ => None,
        }
    }

    /// The page as it is now.
    pub async fn render(&self, web: &Web) -> Page {
        let (view, web) = (self.clone(), web.clone());
        let page = match view {
            Self::Queue(asked) => return queue::page(&web, asked).await,
            Self::Overview(asked) => blocking(move || overview::page(&web, &asked)).await,
            Self::Alarms(asked) => blocking(move || alarms::page(&web, &asked)).await,
            Self::Alarm(asked) => blocking(move || alarm::page(&web, &asked)).await,
            Self::Notifications(asked) => blocking(move || notifications::page(&web, &asked)).await,
            Self::System => blocking(move || system::page(&web)).await,
        };
        page.unwrap_or_else(failed)
    }
}

fn query<T: DeserializeOwned + Default>(uri: &Uri) -> T {
    Query::try_from_uri(uri).map(|Query(asked)| asked).unwrap_or_default()
}

/// Boards of ten thousand queues and the store are not looked at on a thread that others wait for.
async fn blocking<T: Send + 'static>(render: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(render).await.ok()
}

fn failed() -> Page {
    let words = html! { p.nothing { "This page failed. The log of the daemon says why." } };
    let blocks = vec![Block::whole("failed", words)];
    Page { status: StatusCode::INTERNAL_SERVER_ERROR, ..Page::new(Tab::System, "Failed", blocks) }
}

/// GET of any page.
pub async fn show(State(web): State<Web>, headers: HeaderMap, uri: Uri) -> Response {
    let Some(view) = View::of(&uri) else {
        return unknown_path(uri).await.into_response();
    };
    let page = view.render(&web).await;
    let address = uri.path_and_query().map_or("/", |path| path.as_str());
    let html = shell::shell(&page, address).into_string();
    answer(page.status, &headers, html)
}

/// A page with the headers of all pages, compressed if that is taken.
pub(super) fn answer(status: StatusCode, request: &HeaderMap, html: String) -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, "same-origin")];
    let vary = [(header::VARY, "accept-encoding")];
    if !takes_gzip(request) {
        return (status, policy, vary, Html(html)).into_response();
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(html.len() / 4), Compression::fast());
    let compressed = encoder.write_all(html.as_bytes()).and_then(|()| encoder.finish());
    let mut response = (status, policy, vary, Html(compressed.unwrap_or_default())).into_response();
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}
