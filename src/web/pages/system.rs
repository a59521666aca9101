//! GET /system: the daemon itself: what it reads and how well, what that costs, and its own health.

mod calls;
mod daemon;
mod targets;

use std::time::Instant;

use maud::html;

use super::page::{Block, Page, Tab};
use super::parts;
use crate::clock;
use crate::web::Web;

/// The page.
pub fn page(web: &Web) -> Page {
    let now = clock::now();
    let usage = calls::Usage::of(&web.telemetry, Instant::now());
    let blocks = vec![
        Block::whole("trouble", html! { h1.unseen { "System" } (parts::blind(&web.unready())) }),
        Block::whole("totals", calls::totals(&usage)),
        Block::whole("targets", targets::targets(&web.board, now)),
        Block::whole("skipped", targets::skipped(&web.board)),
        Block::whole("calls", calls::table(&usage)),
        Block::whole("daemon", daemon::facts(web, usage.uptime, now)),
        Block::whole("links", daemon::links()),
    ];
    Page::new(Tab::System, "System", blocks)
}
