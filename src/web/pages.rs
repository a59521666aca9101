//! The pages that people look at: rendered here, useful without a script, kept live by a small one.
//!
//! Nothing on a page comes from anywhere else: the content security policy allows no other origin, no inline script and
//! no inline style, so that a hostile tag or queue name stays text.

pub(super) mod humane;
mod overview;
mod template;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::Web;
use super::answer::{Fault, unknown_path};
use crate::clock;
use overview::{Overview, Parked};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the address bar asks of the page. Unknown parameters are left alone: links to pages travel far.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// A part of the names to show.
    #[serde(default)]
    q: String,
    /// Anything: only what changes, for the script.
    fragment: Option<String>,
}

/// GET /
pub async fn overview(
    State(web): State<Web>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Asked { q, fragment } = query.map(|Query(asked)| asked).unwrap_or_default();
    let render = move || {
        let overview = Overview::of(&web.board, web.unready(), &q, clock::now());
        let overview = Overview { parked: Parked::of(&web.store), ..overview };
        match fragment {
            Some(_) => template::live(&overview),
            None => template::page(&overview),
        }
    };
    let page = tokio::task::spawn_blocking(render).await.map_err(|_| Fault::internal("the page failed"))?;
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, "no-referrer")];
    Ok((headers, Html(page.into_string())).into_response())
}

/// One file that pages use.
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset { name: "style.css", kind: "text/css; charset=utf-8", content: include_str!("assets/style.css") },
    Asset {
        name: "page.js",
        kind: "text/javascript; charset=utf-8",
        content: include_str!("assets/page.js"),
    },
    Asset { name: "icon.svg", kind: "image/svg+xml", content: include_str!("assets/icon.svg") },
];

/// GET /assets/{file}
pub async fn asset(Path(file): Path<String>, uri: Uri) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == file) else {
        return unknown_path(uri).await.into_response();
    };
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "max-age=60")];
    (headers, asset.content).into_response()
}
