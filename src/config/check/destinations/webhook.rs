//! `destinations.NAME.webhook`: any HTTP receiver.

use std::collections::BTreeMap;

use crate::config::Webhook;
use crate::config::check::{secrets, shape};
use crate::config::reader::{Cursor, Section};
use crate::config::secret::Secret;

/// Headers that the sender sets, so that nobody else may.
const OWN_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "webhook-id",
    "webhook-timestamp",
];

/// Reads `destinations.NAME.webhook`.
pub fn read(section: &Section<'_>) -> Option<Webhook> {
    let url = section.required("url").and_then(|cursor| url(&cursor));
    let secrets = signing_keys(section);
    let headers = section.get("headers").map(|cursor| headers(&cursor)).unwrap_or_default();
    let timeout = super::timeout(section);
    Some(Webhook { url: url?, secrets, headers, timeout })
}

/// An address to call, secret as a whole.
pub fn url(cursor: &Cursor<'_>) -> Option<Secret> {
    let url = secrets::secret(cursor)?;
    if shape::address(url.expose()).is_none() {
        cursor.refuse_with("is no http or https address", "it looks like `https://example.com/hook`");
        return None;
    }
    Some(url)
}

fn signing_keys(section: &Section<'_>) -> Vec<Secret> {
    let one = section.get("secret");
    let many = section.get("secrets");
    if let (Some(_), Some(cursor)) = (&one, &many) {
        cursor.refuse_with("stands beside `secret`", "put every key into `secrets`");
    }
    let cursors = one.into_iter().chain(many.into_iter().flat_map(|cursor| cursor.items()));
    cursors.filter_map(|cursor| secrets::signing_key(&cursor)).collect()
}

fn headers(cursor: &Cursor<'_>) -> BTreeMap<String, Secret> {
    let mut headers: BTreeMap<String, Secret> = BTreeMap::new();
    for (name, value) in cursor.entries() {
        let lower = name.to_ascii_lowercase();
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            value.refuse("is no name that a header can have");
        } else if OWN_HEADERS.contains(&lower.as_str()) || lower == "webhook-signature" {
            value.refuse_with("is set by sqswatch itself", "leave it out");
        } else if headers.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            value.refuse("is the same header again: upper and lower case do not matter");
        } else if let Some(secret) = secrets::header_value(&value) {
            headers.insert(name.to_owned(), secret);
        }
    }
    headers
}
