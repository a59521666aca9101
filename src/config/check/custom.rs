//! `custom_metrics`: CloudWatch metrics of the user's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::condition::statistic;
use super::shape;
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{CustomMetric, keys};
use crate::domain::metric::Metric;

/// CloudWatch's limits for the texts of a metric (PutMetricData).
const LONGEST_NAME: usize = 255;
const MOST_DIMENSIONS: usize = 30;
/// Endings that are a counter's, a histogram's or a summary's: another metric with one would be taken for these, or meet the
/// series of one of ours.
const RESERVED: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];

/// A metric under its name; `None` is one with a fault, kept so that alarms on it are not unknown as well.
pub type Named = (Arc<str>, Option<CustomMetric>);

/// Reads the list.
pub fn read(top: &Section<'_>, own_server: bool) -> Vec<Named> {
    let mut metrics: Vec<Named> = Vec::new();
    let mut first_lines = BTreeMap::new();
    for item in top.get("custom_metrics").map(|list| list.items()).unwrap_or_default() {
        let section = item.section(&keys::CUSTOM_METRIC);
        let name_cursor = section.required("name");
        let name = name_cursor.as_ref().and_then(name);
        let metric = metric(&section, name.clone(), own_server);
        let (Some(name), Some(cursor)) = (name, name_cursor) else { continue };
        if let Some(first) = first_lines.insert(name.clone(), cursor.line) {
            cursor.refuse(format!("{} is the name of another custom metric, in line {first}", quoted(&name)));
        } else {
            metrics.push((name, metric));
        }
    }
    metrics
}

fn metric(section: &Section<'_>, name: Option<Arc<str>>, own_server: bool) -> Option<CustomMetric> {
    let line = |key| section.required(key).and_then(|cursor| cursor.line_of_text(LONGEST_NAME));
    let namespace = line("namespace");
    let metric = line("metric");
    let statistic = section.required("statistic").and_then(|cursor| statistic(&cursor));
    let region = section.get("region").and_then(|cursor| shape::region(&cursor, own_server));
    let description = section.get("description").and_then(|cursor| description(&cursor)).unwrap_or_default();
    Some(CustomMetric {
        dimensions: dimensions(section),
        name: name?,
        namespace: namespace?.to_owned(),
        metric: metric?.to_owned(),
        statistic: statistic?,
        region,
        description,
    })
}

fn name(cursor: &Cursor<'_>) -> Option<Arc<str>> {
    let text = cursor.text()?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let well_formed =
        text.len() <= 100 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(fits);
    if !well_formed {
        let message = format!("{} is no name for a metric", quoted(text));
        cursor.refuse_with(message, "up to 100 lower-case letters, digits and `_`, the first a letter");
    } else if let Some(suffix) = RESERVED.iter().find(|suffix| text.ends_with(*suffix)) {
        let message =
            format!("{} ends in `{suffix}`, which Prometheus gives a meaning of its own", quoted(text));
        cursor.refuse_with(message, "leave it out; a metric read as `Sum` gets `_total` by itself");
    } else if text.parse::<Metric>().is_ok() {
        cursor.refuse_with(format!("{} is a metric of every queue", quoted(text)), "choose another name");
    }
    well_formed.then(|| text.into())
}

/// A description: up to 1,024 characters, as CloudWatch allows an alarm (AlarmDescription).
pub fn description(cursor: &Cursor<'_>) -> Option<String> {
    const LONGEST: usize = 1024;
    let text = cursor.text()?;
    let length = text.chars().count();
    if length > LONGEST {
        cursor.refuse(format!("is {length} characters long; at most {LONGEST} are allowed"));
        return None;
    }
    Some(text.trim().to_owned())
}

fn dimensions(section: &Section<'_>) -> BTreeMap<String, String> {
    let Some(cursor) = section.get("dimensions") else { return BTreeMap::new() };
    let dimensions = cursor.texts_by_name();
    if dimensions.len() > MOST_DIMENSIONS {
        let count = dimensions.len();
        cursor.refuse(format!("has {count} dimensions; CloudWatch allows {MOST_DIMENSIONS}"));
    }
    if dimensions.iter().any(|(name, value)| name.is_empty() || value.is_empty()) {
        cursor.refuse("has an empty name or value; CloudWatch allows neither");
    }
    dimensions
}
