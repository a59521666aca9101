//! Walks the tree of `file.rs` and notes every fault it meets, so that reading goes on after each of them.
//!
//! A [`Cursor`] is one value with its path; a [`Section`] is a mapping with known keys. Their methods give the value, or
//! note a fault and give `None` (or the default). A key without a value (`null`) counts as not there. Messages quote
//! what the user wrote only where it has the right type and is no secret.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::fault::{Fault, Faults};
use super::file::{Node, Value};
use super::{keys, suggest};

/// What reading needs and gathers.
pub struct Report<'a> {
    faults: RefCell<Vec<Fault>>,
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Report<'a> {
    /// A report without faults.
    pub fn new(environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { faults: RefCell::default(), environment }
    }

    /// How many faults there are so far.
    pub fn count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// `value`, unless there was a fault.
    pub fn finish<T>(self, source_name: &str, value: T) -> Result<T, Faults> {
        let faults = self.faults.into_inner();
        if faults.is_empty() { Ok(value) } else { Err(Faults::new(source_name, faults)) }
    }
}

/// One value of the file.
#[derive(Clone)]
pub struct Cursor<'a> {
    /// What stands there.
    pub value: &'a Value,
    /// Where, e.g. `alarms[2].period`.
    pub path: String,
    /// Where to go to change it.
    pub line: usize,
    /// Where faults are noted.
    pub report: &'a Report<'a>,
}

impl<'a> Cursor<'a> {
    /// The whole document.
    pub fn root(node: &'a Node, report: &'a Report<'a>) -> Self {
        Self { value: &node.value, path: String::new(), line: node.line, report }
    }

    /// Notes a fault of this value.
    pub fn refuse(&self, message: impl Into<String>) {
        self.note(message.into(), None);
    }

    /// Notes a fault of this value and what to do about it.
    pub fn refuse_with(&self, message: impl Into<String>, hint: impl Into<String>) {
        self.note(message.into(), Some(hint.into()));
    }

    /// Notes a fault with a hint that may be missing.
    pub fn note(&self, message: String, hint: Option<String>) {
        let fault = Fault { path: self.path.clone(), line: Some(self.line), message, hint };
        self.report.faults.borrow_mut().push(fault);
    }

    /// Notes that another kind of value is wanted; never quotes what stands there.
    fn refuse_kind(&self, wanted: &str) {
        let hint = match (wanted, self.value) {
            ("a text", Value::Bool(_) | Value::Integer(_) | Value::Float(_)) => Some("put it in quotes"),
            ("a number" | "a whole number", Value::Text(text)) if text.parse::<f64>().is_ok() => {
                Some("write it without quotes")
            }
            ("a duration", Value::Integer(_) | Value::Float(_)) => {
                Some("a duration has a unit, e.g. `90s`, `5m` or `1h 30m`")
            }
            _ => None,
        };
        self.note(format!("{wanted} is wanted, not {}", self.value.kind()), hint.map(str::to_owned));
    }

    /// Whether keys stand here.
    pub fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// A text as the user wrote it, quoted for a message; never of a secret.
    pub fn shown(&self) -> String {
        if let Value::Text(text) = self.value { quoted(text) } else { self.value.kind().to_owned() }
    }

    /// A text.
    pub fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::Text(text) => Some(text),
            _ => {
                self.refuse_kind("a text");
                None
            }
        }
    }

    /// A text of 1 to `longest` characters without control characters.
    pub fn line_of_text(&self, longest: usize) -> Option<&'a str> {
        let text = self.text()?;
        match text.chars().count() {
            0 => self.refuse("is empty"),
            length if length > longest => {
                self.refuse(format!("is {length} characters long; at most {longest} are allowed"));
            }
            _ if text.chars().any(char::is_control) => self.refuse("has control characters"),
            _ if text.trim() != text => self.refuse("begins or ends with white space"),
            _ => return Some(text),
        }
        None
    }

    /// `true` or `false`.
    pub fn truth(&self) -> Option<bool> {
        match *self.value {
            Value::Bool(truth) => Some(truth),
            _ => {
                self.refuse_kind("`true` or `false`");
                None
            }
        }
    }

    /// How many items or entries there are, where there can be several.
    pub fn length(&self) -> Option<usize> {
        match self.value {
            Value::List(items) => Some(items.len()),
            Value::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }

    /// A finite number.
    pub fn number(&self) -> Option<f64> {
        match *self.value {
            Value::Integer(number) => return Some(number as f64),
            Value::Float(number) if number.is_finite() => return Some(number),
            Value::Float(_) => self.refuse("must be finite"),
            _ => self.refuse_kind("a number"),
        }
        None
    }

    /// A whole number within the range.
    pub fn count(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let Value::Integer(number) = *self.value else {
            self.refuse_kind("a whole number");
            return None;
        };
        let count = u32::try_from(number).ok().filter(|count| range.contains(count));
        if count.is_none() {
            self.refuse(format!("`{number}` is out of range: {} to {}", range.start(), range.end()));
        }
        count
    }

    /// A duration of any length, as humantime writes it.
    pub fn any_duration(&self) -> Option<Duration> {
        let Value::Text(text) = self.value else {
            self.refuse_kind("a duration");
            return None;
        };
        let duration = humantime::parse_duration(text).ok();
        if duration.is_none() {
            self.refuse_with(
                format!("{} is no duration", quoted(text)),
                "write e.g. `90s`, `5m` or `1h 30m`",
            );
        }
        duration
    }

    /// A duration within the range.
    pub fn duration(&self, range: &RangeInclusive<Duration>) -> Option<Duration> {
        let duration = self.any_duration()?;
        if range.contains(&duration) {
            return Some(duration);
        }
        let [from, to] = [range.start(), range.end()].map(|bound| humantime::format_duration(*bound));
        self.refuse(format!("{} is out of range: {from} to {to}", self.shown()));
        None
    }

    /// One of these words.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.note(format!("{} is not understood", quoted(text)), suggest::hint(text, &words));
        }
        found
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Cursor<'a>> {
        let Value::List(list) = self.value else {
            self.refuse_kind("a list");
            return Vec::new();
        };
        let item = |(position, node): (usize, &'a Node)| Cursor {
            value: &node.value,
            path: format!("{}[{position}]", self.path),
            line: node.line,
            report: self.report,
        };
        list.iter().enumerate().map(item).collect()
    }

    /// The items of a list, or the one value that stands in its place.
    pub fn one_or_more(&self) -> Vec<Cursor<'a>> {
        if matches!(self.value, Value::Text(_)) { vec![self.clone()] } else { self.items() }
    }

    /// The entries of a mapping whose keys are the user's own.
    pub fn entries(&self) -> Vec<(&'a str, Cursor<'a>)> {
        let Value::Map(map) = self.value else {
            self.refuse_kind("a mapping");
            return Vec::new();
        };
        let mut lines = BTreeMap::new();
        let mut entries = Vec::new();
        for (key, node) in map {
            let Value::Text(name) = &key.value else {
                let key = Cursor { value: &key.value, line: key.line, ..self.clone() };
                key.refuse_with(
                    format!("a key must be a text, not {}", key.value.kind()),
                    "put it in quotes",
                );
                continue;
            };
            let line =
                if matches!(node.value, Value::Map(_) | Value::List(_)) { key.line } else { node.line };
            let entry =
                Cursor { value: &node.value, path: joined(&self.path, name), line, report: self.report };
            if let Some(first) = lines.insert(name, key.line) {
                Cursor { line: key.line, ..entry.clone() }
                    .refuse(format!("stands here twice, first in line {first}"));
            } else {
                entries.push((name.as_str(), entry));
            }
        }
        entries
    }

    /// A mapping from texts to texts.
    pub fn texts_by_name(&self) -> BTreeMap<String, String> {
        let pairs = self.entries().into_iter();
        pairs.filter_map(|(name, value)| Some((name.to_owned(), value.text()?.to_owned()))).collect()
    }

    /// A mapping with these keys; any other key is noted.
    pub fn section(&self, known: &keys::Known) -> Section<'a> {
        let entries: BTreeMap<_, _> = self.entries().into_iter().collect();
        for (name, entry) in &entries {
            if known.planned.contains(name) {
                entry.refuse_with("is not supported by this version yet", "leave it out");
            } else if !known.keys.contains(name) {
                entry.note("is no key that is known here".to_owned(), suggest::hint(name, known.keys));
            }
        }
        Section { cursor: self.clone(), entries }
    }
}

/// A mapping with known keys.
pub struct Section<'a> {
    /// The mapping itself.
    pub cursor: Cursor<'a>,
    entries: BTreeMap<&'a str, Cursor<'a>>,
}

impl<'a> Section<'a> {
    /// The value of a key, unless it is missing or `null`.
    pub fn get(&self, key: &str) -> Option<Cursor<'a>> {
        self.entries.get(key).filter(|entry| !matches!(entry.value, Value::Null)).cloned()
    }

    /// The keys that are there, with or without a value.
    pub fn names(&self) -> Vec<&'a str> {
        self.entries.keys().copied().collect()
    }

    /// The value of a key that must be there.
    pub fn required(&self, key: &str) -> Option<Cursor<'a>> {
        let value = self.get(key);
        if value.is_none() && self.cursor.is_mapping() {
            self.cursor.refuse(format!("`{key}` is missing"));
        }
        value
    }

    /// The section under a key; an empty one when it is missing.
    pub fn section(&self, key: &str, known: &keys::Known) -> Section<'a> {
        match self.get(key) {
            Some(cursor) => cursor.section(known),
            None => Section {
                cursor: Cursor { path: joined(&self.cursor.path, key), ..self.cursor.clone() },
                entries: BTreeMap::new(),
            },
        }
    }

    /// The items under a key, which may be a single text; none when it is missing.
    pub fn one_or_more(&self, key: &str) -> Vec<Cursor<'a>> {
        self.get(key).map(|cursor| cursor.one_or_more()).unwrap_or_default()
    }

    /// The texts under a key, each kept once; a repeated one is noted.
    pub fn distinct<T>(&self, key: &str, read: impl Fn(&Cursor<'a>) -> Option<T>) -> Vec<T> {
        let mut seen = BTreeSet::new();
        let mut distinct = Vec::new();
        for item in self.one_or_more(key) {
            let Some(value) = read(&item) else { continue };
            match item.value {
                Value::Text(text) if !seen.insert(text) => item.refuse("is in the list twice"),
                _ => distinct.push(value),
            }
        }
        distinct
    }

    /// A duration with its default and range.
    pub fn duration(&self, key: &str, default: Duration, range: &RangeInclusive<Duration>) -> Duration {
        self.get(key).and_then(|cursor| cursor.duration(range)).unwrap_or(default)
    }

    /// The user's mapping of texts under a key; empty when it is missing.
    pub fn texts_by_name(&self, key: &str) -> BTreeMap<String, String> {
        self.get(key).map(|cursor| cursor.texts_by_name()).unwrap_or_default()
    }
}

/// A text of the user's in backticks, harmless to a terminal and not too long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    let dots = if text.chars().nth(LONGEST).is_some() { "..." } else { "" };
    format!("`{shown}{dots}`")
}

/// The path of a key; a key that could be mistaken for something else is quoted.
fn joined(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let short: String = key.chars().take(64).collect();
    let key = if plain { short } else { format!("{short:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
