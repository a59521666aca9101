//! `alertmanager`: every replica of one Alertmanager cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{http, tls};
use crate::config::check::{secrets, shape};
use crate::config::file::Value;
use crate::config::reader::{Cursor, Section};
use crate::config::secret::Secret;
use crate::config::{Alertmanager, keys};

/// The path of the API; sqswatch adds it to every address.
const API: &str = "/api/v2/alerts";

/// Reads the section.
pub fn read(section: &Section<'_>) -> Option<Alertmanager> {
    let urls = urls(section);
    let headers = authorized(section, http::headers(section));
    let timeout = http::timeout(section);
    let bounds = Duration::from_secs(1)..=Duration::from_secs(300);
    let resend = section.duration("resend", Duration::from_secs(60), &bounds);
    let tls = tls::read(section, &keys::ALERTMANAGER_TLS);
    Some(Alertmanager { urls: urls?, headers, timeout, resend, tls })
}

fn urls(section: &Section<'_>) -> Option<Vec<Secret>> {
    let cursor = section.required("urls")?;
    let items = if matches!(cursor.value, Value::List(_)) { cursor.items() } else { vec![cursor.clone()] };
    if items.is_empty() {
        cursor.refuse_with("is empty", "name every replica, e.g. `[\"http://alertmanager:9093\"]`");
        return None;
    }
    let mut urls: Vec<Secret> = Vec::new();
    for item in &items {
        let Some(url) = url(item) else { continue };
        if urls.contains(&url) {
            item.refuse("is in the list twice");
        }
        urls.push(url);
    }
    (urls.len() == items.len()).then_some(urls)
}

/// The address of one replica, without the API's path and without a slash at its end.
fn url(cursor: &Cursor<'_>) -> Option<Secret> {
    let secret = secrets::secret(cursor)?;
    let text = secret.expose().trim_end_matches('/');
    match shape::address(text) {
        None => cursor.refuse_with("is no http or https address", "it looks like `http://alertmanager:9093`"),
        Some(url) if url.query().is_some() || url.fragment().is_some() => {
            cursor.refuse_with("has a query or a fragment", "write the address up to the path");
        }
        Some(_) if text.contains("/api/v") => {
            cursor.refuse_with("holds a path of the API", format!("leave it out: sqswatch adds `{API}`"));
        }
        Some(_) => return Some(Secret::new(text)),
    }
    None
}

/// The headers with `Authorization` by one of the three ways to say it.
fn authorized(section: &Section<'_>, mut headers: BTreeMap<String, Secret>) -> BTreeMap<String, Secret> {
    let basic = section.get("basic_auth");
    let bearer = section.get("bearer_token");
    let has_header = headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
    if let (Some(cursor), true) = (bearer.as_ref().or(basic.as_ref()), has_header) {
        cursor.refuse_with("stands beside the header `Authorization`", "leave one of the two out");
    } else if let (Some(_), Some(cursor)) = (&basic, &bearer) {
        cursor.refuse_with("stands beside `basic_auth`", "leave one of the two out");
    }
    let value = match (basic, bearer) {
        (Some(cursor), _) => basic_auth(&cursor.section(&keys::BASIC_AUTH)),
        (None, Some(cursor)) => secrets::token(&cursor).map(|token| format!("Bearer {}", token.expose())),
        (None, None) => None,
    };
    headers.extend(value.map(|value| ("Authorization".to_owned(), Secret::new(value))));
    headers
}

fn basic_auth(section: &Section<'_>) -> Option<String> {
    let username = section.required("username").and_then(|cursor| username(&cursor));
    let password = section.required("password").and_then(|cursor| secrets::secret(&cursor));
    let pair = format!("{}:{}", username?, password?.expose());
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

fn username<'a>(cursor: &Cursor<'a>) -> Option<&'a str> {
    let name = cursor.line_of_text(255)?;
    if name.contains(':') {
        cursor.refuse("has a colon, which ends a user name in basic authentication");
        return None;
    }
    Some(name)
}
