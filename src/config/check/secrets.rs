//! Secrets: a text in the file, `{ env: NAME }` or `{ file: PATH }`.
//!
//! Nothing here ever quotes a value, and a key only when it is surely not one: a fault must not tell a secret.

use std::io::Read;

use base64::Engine;

use crate::config::file::Value;
use crate::config::reader::{Cursor, quoted};
use crate::config::secret::Secret;
use crate::config::suggest;

/// The largest secret file, in bytes: a system's bundle of authorities fits.
const MAX_BYTES: u64 = 1_048_576;

/// A secret of any form; not empty.
pub fn secret(cursor: &Cursor<'_>) -> Option<Secret> {
    let text = match cursor.value {
        Value::Text(text) => text.clone(),
        Value::Map(_) => from_elsewhere(cursor)?,
        other => {
            let hint = "quotes make a text of it";
            let scalar = !matches!(other, Value::Null | Value::List(_));
            let message =
                format!("a text, `{{ env: NAME }}` or `{{ file: PATH }}` is wanted, not {}", other.kind());
            cursor.note(message, scalar.then(|| hint.to_owned()));
            return None;
        }
    };
    let secret = Secret::new(text);
    if secret.expose().is_empty() {
        cursor.refuse("is empty");
        return None;
    }
    Some(secret)
}

/// A token that fits into a header: printable ASCII without spaces.
pub fn token(cursor: &Cursor<'_>) -> Option<Secret> {
    let token = secret(cursor)?;
    if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        cursor.refuse("must be printable ASCII without spaces: it travels in a header");
        return None;
    }
    Some(token)
}

/// A key that signs webhooks; behind `whsec_` it must be Base64 (Standard Webhooks 1.0.0).
pub fn signing_key(cursor: &Cursor<'_>) -> Option<Secret> {
    let key = secret(cursor)?;
    let engine = base64::engine::general_purpose::STANDARD;
    let encoded = key.expose().strip_prefix("whsec_");
    if encoded.is_some_and(|encoded| encoded.is_empty() || engine.decode(encoded).is_err()) {
        cursor.refuse_with("is not Base64 behind `whsec_`", "copy the whole key, with any `=` at its end");
        return None;
    }
    Some(key)
}

/// Certificates or a key, in PEM.
pub fn pem(cursor: &Cursor<'_>) -> Option<Secret> {
    if let Value::Text(path) = cursor.value
        && path.starts_with('/')
    {
        cursor.refuse_with("is a path, not PEM", "write `{ file: PATH }`");
        return None;
    }
    secret(cursor)
}

/// A header's value.
pub fn header_value(cursor: &Cursor<'_>) -> Option<Secret> {
    let value = secret(cursor)?;
    if reqwest::header::HeaderValue::from_str(value.expose()).is_err() {
        cursor.refuse("is no value that a header can have");
        return None;
    }
    Some(value)
}

/// What `{ env: NAME }` or `{ file: PATH }` leads to.
pub fn from_elsewhere(cursor: &Cursor<'_>) -> Option<String> {
    let entries = cursor.entries();
    match entries.as_slice() {
        [("env", name)] => from_environment(name),
        [("file", path)] => from_file(path),
        _ => {
            let near = entries.iter().find_map(|(key, _)| suggest::closest(key, ["env", "file"]));
            let hint = near.map(|key| format!("did you mean `{key}`?"));
            cursor.note("exactly one key is wanted here: `env` or `file`".to_owned(), hint);
            None
        }
    }
}

fn from_environment(cursor: &Cursor<'_>) -> Option<String> {
    let name = cursor.line_of_text(200)?;
    let value = (cursor.report.environment)(name);
    match value.as_deref().map(str::trim) {
        None => cursor.refuse(format!("environment variable {} is not set", quoted(name))),
        Some("") => cursor.refuse(format!("environment variable {} is empty", quoted(name))),
        Some(_) => return value,
    }
    None
}

fn from_file(cursor: &Cursor<'_>) -> Option<String> {
    let path = cursor.line_of_text(4096)?;
    let mut bytes = Vec::new();
    let done = std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    let shown = quoted(path);
    match (done, String::from_utf8(bytes)) {
        (Err(error), _) => cursor.refuse(format!("file {shown} cannot be read: {error}")),
        (Ok(length), _) if length as u64 > MAX_BYTES => {
            cursor.refuse(format!("file {shown} is larger than 1 MiB"))
        }
        (Ok(_), Err(_)) => cursor.refuse(format!("file {shown} is no UTF-8 text")),
        (Ok(_), Ok(text)) if text.trim().is_empty() => cursor.refuse(format!("file {shown} is empty")),
        (Ok(_), Ok(text)) => return Some(text),
    }
    None
}
