//! GET /system: the daemon itself.

use maud::html;

use super::page::{Block, Page, Tab};
use crate::web::Web;

/// The page.
pub fn page(_web: &Web) -> Page {
    Page::new(Tab::System, "System", vec![Block::whole("head", html! { h1 { "System" } })])
}
