//! GET /assets/{file}: what pages use, built into the program.
//!
//! Their addresses carry the build, so that a browser keeps them for as long as they are true and no longer.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderName, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::web::answer::unknown_path;

/// The build's name: another one has other assets, and pages that are open are fetched anew.
pub fn build() -> &'static str {
    static BUILD: LazyLock<String> = LazyLock::new(|| {
        let mut hasher = DefaultHasher::new();
        ASSETS.iter().for_each(|asset| asset.content.hash(&mut hasher));
        format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish())
    });
    &BUILD
}

/// One file that pages use.
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

const ASSETS: [Asset; 5] = [
    Asset {
        name: "style.css",
        kind: "text/css; charset=utf-8",
        content: include_str!("../assets/style.css"),
    },
    Asset {
        name: "queue.css",
        kind: "text/css; charset=utf-8",
        content: include_str!("../assets/queue.css"),
    },
    Asset { name: "page.js", kind: SCRIPT, content: include_str!("../assets/page.js") },
    Asset { name: "plot.js", kind: SCRIPT, content: include_str!("../assets/plot.js") },
    Asset { name: "icon.svg", kind: "image/svg+xml", content: include_str!("../assets/icon.svg") },
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// GET /assets/{file}
pub async fn asset(Path(file): Path<String>, uri: Uri) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == file) else {
        return unknown_path(uri).await.into_response();
    };
    let asked_for_this_build = uri.query() == Some(build());
    let keep = if asked_for_this_build { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, keep)];
    (headers, asset.content).into_response()
}
