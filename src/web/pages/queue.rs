//! GET /queues/{name}: one queue.

use maud::html;
use serde::Deserialize;

use super::page::{Block, Page, Tab};
use crate::web::Web;

/// Which queue is asked for, and which time its plots show.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The queue's name, from the path.
    #[serde(skip)]
    pub name: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// How far the plots reach back, e.g. `3h`.
    pub range: String,
    /// The first instant of the plots instead, in Unix seconds.
    pub from: String,
    /// The last one.
    pub until: String,
}

/// The page.
pub async fn page(_web: &Web, asked: Asked) -> Page {
    Page::new(Tab::Queues, &*asked.name, vec![Block::whole("head", html! { h1 { (asked.name) } })])
}
