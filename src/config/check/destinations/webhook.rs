//! `webhook`: any HTTP receiver, in our JSON, Alertmanager's, or words of its own.

use super::{http, template, tls};
use crate::config::check::secrets;
use crate::config::reader::Section;
use crate::config::secret::Secret;
use crate::config::{Format, Webhook, keys};

/// The configuration's words for the formats.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Sqswatch,
    Alertmanager,
    Template,
}

/// Reads the section.
pub fn read(section: &Section<'_>) -> Option<Webhook> {
    let url = section.required("url").and_then(|cursor| http::url(&cursor));
    let secrets = signing_keys(section);
    let headers = http::headers(section);
    let timeout = http::timeout(section);
    let tls = tls::read(section, &keys::WEBHOOK_TLS);
    let format = format(section);
    Some(Webhook { url: url?, secrets, headers, timeout, format: format?, tls })
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

/// The body's format. A template alone says enough.
fn format(section: &Section<'_>) -> Option<Format> {
    let words =
        [("sqswatch", Word::Sqswatch), ("alertmanager", Word::Alertmanager), ("template", Word::Template)];
    let has_template = section.get("template").is_some();
    let word = match section.get("format") {
        Some(cursor) => cursor.word(&words)?,
        None if has_template => Word::Template,
        None => Word::Sqswatch,
    };
    if word == Word::Template {
        return template::read(section).map(Format::Template);
    }
    for key in ["template", "content_type"] {
        if let Some(cursor) = section.get(key) {
            cursor.refuse_with("is only used with `format: template`", "leave one of the two out");
        }
    }
    Some(if word == Word::Alertmanager { Format::Alertmanager } else { Format::Sqswatch })
}
