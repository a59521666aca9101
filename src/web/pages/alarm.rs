//! GET /alarms/{rule}: the alarms of one rule, or one of them.

use maud::html;
use serde::Deserialize;

use super::page::{Block, Page, Tab};
use crate::web::Web;

/// Which alarm is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The rule's name, from the path.
    #[serde(skip)]
    pub rule: String,
    /// The queue's name.
    pub queue: String,
    /// The custom metric's name.
    pub metric: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
}

/// The page.
pub fn page(_web: &Web, asked: &Asked) -> Page {
    Page::new(Tab::Alarms, &*asked.rule, vec![Block::whole("head", html! { h1 { (asked.rule) } })])
}
