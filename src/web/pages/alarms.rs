//! GET /alarms

use maud::html;
use serde::Deserialize;

use super::page::{Block, Page, Tab};
use crate::web::Web;

/// What is asked of the page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {}

/// The page.
pub fn page(_web: &Web, _asked: &Asked) -> Page {
    Page::new(Tab::Alarms, "Alarms", vec![Block::whole("head", html! { h1 { "Alarms" } })])
}
