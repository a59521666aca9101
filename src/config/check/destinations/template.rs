//! `template` and `content_type`: a body in words of the user's own, tried on samples before anything depends on it.

use super::super::secrets;
use crate::config::file::Value;
use crate::config::reader::{Cursor, Section};
use crate::config::template::Template;

/// Reads both keys of a webhook.
pub fn read(section: &Section<'_>) -> Option<Template> {
    let content_type = match section.get("content_type") {
        Some(cursor) => content_type(&cursor),
        None => Some("application/json"),
    };
    let cursor = section.required("template")?;
    let source = source(&cursor)?;
    let template = Template::new(source, content_type?);
    let checked = template.and_then(|template| template.check().map(|()| template));
    checked.map_err(|fault| cursor.note(fault.to_string(), fault.hint)).ok()
}

/// The text itself, or what `{ file: PATH }` holds.
fn source(cursor: &Cursor<'_>) -> Option<String> {
    let source = match cursor.value {
        Value::Map(_) => secrets::from_elsewhere(cursor)?,
        _ => cursor.text()?.to_owned(),
    };
    if source.trim().is_empty() {
        cursor.refuse("is empty");
        return None;
    }
    Some(source)
}

/// A media type, e.g. `text/plain; charset=utf-8`.
fn content_type<'a>(cursor: &Cursor<'a>) -> Option<&'a str> {
    let text = cursor.line_of_text(255)?;
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    let well_formed = text.is_ascii()
        && essence.split_once('/').is_some_and(|(family, kind)| is_word(family) && is_word(kind));
    if !well_formed {
        let message = format!("{} is no media type", cursor.shown());
        cursor.refuse_with(message, "it looks like `application/json` or `text/plain; charset=utf-8`");
    }
    well_formed.then_some(text)
}
