//! What every HTTP receiver has: an address, headers, a time-out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::check::{secrets, shape};
use crate::config::reader::{Cursor, Section};
use crate::config::secret::Secret;

/// Headers that the sender sets, so that nobody else may.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// An address; secret as a whole.
pub fn url(cursor: &Cursor<'_>) -> Option<Secret> {
    let url = secrets::secret(cursor)?;
    if shape::address(url.expose()).is_none() {
        cursor.refuse_with("is no http or https address", "it looks like `https://example.com/hook`");
        return None;
    }
    Some(url)
}

/// The bound of one attempt.
pub fn timeout(section: &Section<'_>) -> Duration {
    let bounds = Duration::from_secs(1)..=Duration::from_secs(120);
    section.duration("timeout", Duration::from_secs(15), &bounds)
}

/// Headers of the user's own, by name as written.
pub fn headers(section: &Section<'_>) -> BTreeMap<String, Secret> {
    let mut headers: BTreeMap<String, Secret> = BTreeMap::new();
    for (name, value) in section.get("headers").map(|cursor| cursor.entries()).unwrap_or_default() {
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            value.refuse("is no name that a header can have");
        } else if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            value.refuse_with("is set by sqswatch itself", "leave it out");
        } else if headers.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            value.refuse("is the same header again: upper and lower case do not matter");
        } else if let Some(secret) = secrets::header_value(&value) {
            headers.insert(name.to_owned(), secret);
        }
    }
    headers
}
