//! `destinations` and `notify`: who can be told, how, and who is told when an alarm names nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{secrets, shape};
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::secret::Secret;
use crate::config::{Destination, Sns, Webhook, keys, suggest};

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

/// Reads `destinations`: the good ones, and the names of all, so that a faulty one is not unknown as well.
pub fn read(top: &Section<'_>) -> (BTreeMap<Arc<str>, Destination>, Vec<Arc<str>>) {
    let mut destinations = BTreeMap::new();
    let mut names = Vec::new();
    for (name, cursor) in top.get("destinations").map(|cursor| cursor.entries()).unwrap_or_default() {
        let name: Arc<str> = name.into();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            cursor.refuse("is no name for a destination: up to 64 letters, digits, `-`, `_` and `.`");
        }
        if let Some(destination) = destination(&cursor) {
            destinations.insert(name.clone(), destination);
        }
        names.push(name);
    }
    (destinations, names)
}

/// Reads a `notify` list; `None` when there is none.
pub fn notify(section: &Section<'_>, known: &[Arc<str>]) -> Option<Vec<Arc<str>>> {
    section.get("notify")?;
    Some(section.distinct("notify", |item| {
        let name = item.text()?;
        let found = known.iter().find(|known| &***known == name).cloned();
        if found.is_none() {
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            let hint = suggest::hint(name, &known).unwrap_or_else(|| "`destinations` has none".to_owned());
            item.refuse_with(format!("{} is no destination", quoted(name)), hint);
        }
        found
    }))
}

fn destination(cursor: &Cursor<'_>) -> Option<Destination> {
    let section = cursor.section(&keys::DESTINATION);
    match section.names().as_slice() {
        ["sns"] => sns(&section.required("sns")?.section(&keys::SNS)).map(Destination::Sns),
        ["webhook"] => {
            webhook(&section.required("webhook")?.section(&keys::WEBHOOK)).map(Destination::Webhook)
        }
        [_] => None,
        _ if cursor.is_mapping() => {
            cursor.refuse_with("is not of exactly one kind", "write `sns: ...` or `webhook: ...`");
            None
        }
        _ => None,
    }
}

fn sns(section: &Section<'_>) -> Option<Sns> {
    let topic_arn = section.required("topic_arn").and_then(|cursor| shape::topic_arn(&cursor));
    let role_arn = section.get("role_arn").and_then(|cursor| shape::role_arn(&cursor));
    Some(Sns { topic_arn: topic_arn?, role_arn })
}

fn webhook(section: &Section<'_>) -> Option<Webhook> {
    let url = section.required("url").and_then(|cursor| url(&cursor));
    let secrets = signing_keys(section);
    let headers = section.get("headers").map(|cursor| headers(&cursor)).unwrap_or_default();
    let bounds = Duration::from_secs(1)..=Duration::from_secs(120);
    let timeout = section.duration("timeout", Duration::from_secs(15), &bounds);
    Some(Webhook { url: url?, secrets, headers, timeout })
}

fn url(cursor: &Cursor<'_>) -> Option<Secret> {
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
