//! `destinations.NAME.pagerduty`.

use crate::config::PagerDuty;
use crate::config::check::{secrets, shape};
use crate::config::reader::{Cursor, Section};
use crate::config::secret::Secret;

/// Where events go when nothing is said.
const URL: &str = "https://events.pagerduty.com";
/// How long an integration's key is.
const KEY_LENGTH: usize = 32;

/// Reads it.
pub fn read(section: &Section<'_>) -> Option<PagerDuty> {
    let routing_key = section.required("routing_key").and_then(|cursor| routing_key(&cursor));
    let url = section.get("url").map_or_else(|| Some(URL.to_owned()), |cursor| address(&cursor, URL));
    let timeout = super::timeout(section);
    let client_url =
        section.get("client_url").and_then(|cursor| address(&cursor, "https://sqswatch.example.com"));
    let links = section.get("links").map(|cursor| cursor.entries()).unwrap_or_default().into_iter();
    let links = links.filter_map(|(text, cursor)| {
        Some((text.to_owned(), address(&cursor, "https://example.com/runbook")?))
    });
    let links = links.collect();
    let url = url?.trim_end_matches('/').to_owned();
    Some(PagerDuty { routing_key: routing_key?, url, timeout, client_url, links })
}

fn routing_key(cursor: &Cursor<'_>) -> Option<Secret> {
    let key = secrets::secret(cursor)?;
    let well_formed =
        key.expose().len() == KEY_LENGTH && key.expose().bytes().all(|b| b.is_ascii_alphanumeric());
    if !well_formed {
        let hint = "copy the Integration Key of the service's `Events API V2` integration";
        cursor.refuse_with("is no integration key: that has 32 letters and digits", hint);
    }
    well_formed.then_some(key)
}

fn address(cursor: &Cursor<'_>, example: &str) -> Option<String> {
    let text = cursor.text()?;
    if shape::address(text).is_none() {
        cursor.refuse_with("is no http or https address", format!("it looks like `{example}`"));
        return None;
    }
    Some(text.to_owned())
}
