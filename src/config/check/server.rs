//! `web`, `store` and `log`: what the daemon is to its own machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::{secrets, shape};
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::secret::Secret;
use crate::config::{Log, LogFormat, Prometheus, Store, Web, keys, suggest};

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9434);
const STORE: &str = "/var/lib/sqswatch/state.redb";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads `web`.
pub fn web(section: &Section<'_>) -> Web {
    Web {
        listen: section.get("listen").and_then(|cursor| listen(&cursor)).unwrap_or(LISTEN),
        external_url: section.get("external_url").and_then(|cursor| external_url(&cursor)),
        token: section.get("token").and_then(|cursor| secrets::token(&cursor)),
        prometheus: section.get("prometheus").and_then(|cursor| prometheus(&cursor)),
    }
}

fn prometheus(cursor: &Cursor<'_>) -> Option<Prometheus> {
    let section = cursor.section(&keys::WEB_PROMETHEUS);
    let url = section.required("url").and_then(|cursor| prometheus_url(&cursor));
    let bounds = Duration::from_millis(100)..=Duration::from_secs(30);
    let timeout = section.duration("timeout", Duration::from_secs(3), &bounds);
    let bearer_token = section.get("bearer_token").and_then(|cursor| secrets::token(&cursor));
    Some(Prometheus { url: url?, bearer_token, timeout })
}

/// Never quoted: it may hold a password.
fn prometheus_url(cursor: &Cursor<'_>) -> Option<Secret> {
    let secret = secrets::secret(cursor)?;
    let text = secret.expose().trim_end_matches('/');
    match shape::address(text) {
        None => cursor.refuse_with("is no http or https address", "it looks like `http://prometheus:9090`"),
        Some(url) if url.query().is_some() || url.fragment().is_some() => {
            cursor.refuse_with("has a query or a fragment", "write the address up to the path");
        }
        Some(_) if text.contains("/api/v") => {
            cursor
                .refuse_with("holds a path of the API", "leave it out: sqswatch adds `/api/v1/query_range`");
        }
        Some(_) => return Some(Secret::new(text)),
    }
    None
}

fn external_url(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.line_of_text(2000)?.trim_end_matches('/');
    let fits =
        |url: &reqwest::Url| url.query().is_none() && url.fragment().is_none() && url.password().is_none();
    if !shape::address(text).as_ref().is_some_and(fits) {
        // Not quoted: it may hold a password.
        cursor.refuse_with(
            "is no http or https address to put into links",
            "it looks like `https://sqswatch.example.com`",
        );
        return None;
    }
    Some(text.to_owned())
}

fn listen(cursor: &Cursor<'_>) -> Option<SocketAddr> {
    let text = cursor.text()?;
    let address = text.parse().ok();
    if address.is_none() {
        let hint = match text.rsplit_once(':') {
            Some(("", port)) => format!("for every interface write `0.0.0.0:{port}`"),
            Some(("localhost", port)) => format!("write `127.0.0.1:{port}`"),
            _ => "write an IP address and a port, e.g. `0.0.0.0:9434` or `[::]:9434`".to_owned(),
        };
        cursor.refuse_with(format!("{} is no address to listen on", quoted(text)), hint);
    }
    address
}

/// Reads `store`.
pub fn store(section: &Section<'_>) -> Store {
    let path = section.get("path").and_then(|cursor| path(&cursor));
    Store { path: Some(path.unwrap_or_else(|| PathBuf::from(STORE))) }
}

fn path(cursor: &Cursor<'_>) -> Option<PathBuf> {
    let text = cursor.line_of_text(4096)?;
    if text.ends_with('/') {
        cursor.refuse_with(
            format!("{} is a directory", quoted(text)),
            format!("name a file in it: `{text}state.redb`"),
        );
        return None;
    }
    Some(PathBuf::from(text))
}

/// Reads `log`.
pub fn log(section: &Section<'_>) -> Log {
    let words = [("json", LogFormat::Json), ("text", LogFormat::Text)];
    Log {
        format: section.get("format").and_then(|cursor| cursor.word(&words)).unwrap_or(LogFormat::Json),
        level: section.get("level").and_then(|cursor| level(&cursor)).unwrap_or_else(|| "info".to_owned()),
    }
}

/// A level or directives. `tracing` takes any single word for the name of a module, so a mistyped level is caught here.
fn level(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.line_of_text(1000)?;
    let is_level = LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text));
    let is_directives = text.contains('=') && EnvFilter::try_new(text).is_ok();
    if !is_level && !is_directives {
        let hint = match suggest::closest(text, LEVELS) {
            Some(level) => format!("did you mean `{level}`?"),
            None => format!(
                "known here: {}, or directives such as `info,sqswatch=debug`",
                suggest::listed(&LEVELS)
            ),
        };
        cursor.refuse_with(format!("{} is no log level", quoted(text)), hint);
        return None;
    }
    Some(text.to_owned())
}
