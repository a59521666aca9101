//! `discovery`: which queues are watched.

use std::collections::BTreeMap;
use std::time::Duration;

use super::shape;
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{Discovery, label};
use crate::domain::rule::Glob;

const SECOND: Duration = Duration::from_secs(1);

/// Reads the section.
pub fn read(section: &Section<'_>) -> Discovery {
    let queues = section.distinct("queues", shape::queue_name);
    for key in ["include", "exclude"] {
        if let (Some(cursor), Some(_)) = (section.get(key), section.get("queues")) {
            cursor.refuse_with("has no meaning beside `queues`", "name the queues, or choose them by globs");
        }
    }
    Discovery {
        interval: section.duration("interval", 300 * SECOND, &(10 * SECOND..=86_400 * SECOND)),
        queues,
        include: section.distinct("include", glob),
        exclude: section.distinct("exclude", glob),
        tags: section.texts_by_name("tags"),
        tag_labels: tag_labels(section),
    }
}

/// A glob over queue names; one that no name can fit is a mistake.
pub fn glob(cursor: &Cursor<'_>) -> Option<Glob> {
    let text = cursor.text()?;
    let possible = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*' | '?');
    if text.is_empty() || !text.chars().all(possible) {
        let message = format!("{} fits no queue name", quoted(text));
        cursor.refuse_with(
            message,
            "`*` is any run of characters and `?` is one; names have letters, digits, `-`, `_`",
        );
        return None;
    }
    Some(Glob::new(text))
}

/// Tags that become labels must stay apart after their names are made fit for Prometheus.
fn tag_labels(section: &Section<'_>) -> Vec<String> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for own in label::OF_QUEUE_INFO {
        taken.insert(own.to_owned(), "sqs_queue_info itself".to_owned());
    }
    let mut tags = Vec::new();
    for item in section.one_or_more("tag_labels") {
        let Some(tag) = item.line_of_text(128) else { continue };
        let label = label::of_tag(tag);
        if let Some(other) = taken.get(&label) {
            item.refuse(format!("becomes the label `{label}`, which {other} already has"));
            continue;
        }
        taken.insert(label, format!("tag {}", quoted(tag)));
        tags.push(tag.to_owned());
    }
    tags
}
