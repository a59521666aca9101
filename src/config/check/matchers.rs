//! Which alarms are meant: `alarms`, `queues` and `labels`, of a maintenance window as of a silence.

use std::collections::BTreeMap;

use super::discovery;
use crate::config::label;
use crate::config::reader::{Cursor, Section};
use crate::domain::rule::{Glob, Severity};
use crate::domain::silence::Matchers;

/// How many globs or labels there may be.
const MOST: usize = 100;
/// The longest name of an alarm, and the longest value of a label.
const LONGEST_NAME: usize = 255;
const LONGEST_LABEL: usize = 1024;

/// The keys that are read here.
pub const KEYS: [&str; 3] = ["alarms", "queues", "labels"];

/// Reads the three keys.
pub fn read(section: &Section<'_>) -> Matchers {
    for cursor in KEYS.iter().filter_map(|key| section.get(key)) {
        let count = cursor.length();
        if count == Some(0) {
            cursor.refuse_with("is empty", "leave it out, unless something was to stand here");
        } else if count.is_some_and(|count| count > MOST) {
            cursor.refuse(format!("has more than {MOST} entries"));
        }
    }
    Matchers {
        alarms: section.distinct("alarms", |cursor| cursor.line_of_text(LONGEST_NAME).map(Glob::new)),
        queues: section.distinct("queues", discovery::glob),
        labels: section.get("labels").map(|cursor| labels(&cursor)).unwrap_or_default(),
    }
}

/// Whether any of the three keys is there.
pub fn are_there(section: &Section<'_>) -> bool {
    KEYS.iter().any(|key| section.get(key).is_some())
}

fn labels(cursor: &Cursor<'_>) -> BTreeMap<String, String> {
    let severities = [Severity::Critical, Severity::Error, Severity::Warning, Severity::Info]
        .map(|severity| (severity.as_str(), severity));
    let mut labels = BTreeMap::new();
    for (name, value) in cursor.entries() {
        let text = match name {
            "severity" => value.word(&severities).map(Severity::as_str),
            _ => value.text(),
        };
        let Some(text) = text else { continue };
        if !label::is_name(name) {
            value.refuse_with("is no label name", "letters, digits and `_`, no digit first, no `__` first");
        } else if text.chars().count() > LONGEST_LABEL {
            value.refuse(format!("is longer than {LONGEST_LABEL} characters"));
        } else {
            labels.insert(name.to_owned(), text.to_owned());
        }
    }
    labels
}
