//! A dashboard as Grafana reads it: its panels, its queries, its variables, and what they become when everything is chosen.

#![allow(dead_code)] // shared by two test programs, and neither needs all of it

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The dashboards by file name, in `dashboards/`.
pub const FILES: [&str; 3] = ["overview.json", "queue.json", "daemon.json"];

/// One dashboard.
pub struct Dashboard {
    /// Its file's name.
    pub file: &'static str,
    /// All of it.
    pub json: Value,
}

/// A query of a panel or an annotation.
#[derive(Debug)]
pub struct Query {
    /// File and panel, for messages.
    pub place: String,
    /// PromQL with Grafana's variables.
    pub expression: String,
    /// Whether it is asked for one instant rather than a range.
    pub instant: bool,
}

impl Dashboard {
    /// Reads `dashboards/FILE`.
    pub fn read(file: &'static str) -> Self {
        let path = root().join("dashboards").join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        Self { file, json }
    }

    /// All three.
    pub fn all() -> Vec<Self> {
        FILES.into_iter().map(Self::read).collect()
    }

    /// Every panel, rows and what collapsed rows hold included.
    pub fn panels(&self) -> Vec<&Value> {
        let top = list(&self.json["panels"]);
        top.iter().flat_map(|panel| std::iter::once(panel).chain(list(&panel["panels"]))).collect()
    }

    /// The queries of all panels and annotations.
    pub fn queries(&self) -> Vec<Query> {
        let query = |place: &Value, target: &Value| Query {
            place: format!("{}: {}", self.file, place.as_str().unwrap()),
            expression: target["expr"].as_str().unwrap().to_owned(),
            instant: target["instant"] == true,
        };
        let panels = self.panels().into_iter();
        let of_panels = panels.flat_map(|panel| {
            list(&panel["targets"]).iter().map(move |target| query(&panel["title"], target))
        });
        let annotations = list(&self.json["annotations"]["list"]).iter();
        let of_annotations = annotations
            .filter(|annotation| annotation["builtIn"].is_null())
            .map(|annotation| query(&annotation["name"], annotation));
        of_panels.chain(of_annotations).collect()
    }

    /// Every text in it, however deep.
    pub fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        collect(&self.json, &mut found);
        found
    }

    /// The names of its variables.
    pub fn variables(&self) -> BTreeSet<&str> {
        list(&self.json["templating"]["list"]).iter().filter_map(|one| one["name"].as_str()).collect()
    }
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => map.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Grafana's own variables and ours as Grafana would fill them in with everything chosen, and for one queue with this one.
pub fn filled(expression: &str, queue: &str) -> String {
    let named = [
        ("$__rate_interval", "1m"),
        ("$__range", "3h"),
        ("$rate", "10m"),
        ("${tag}", "team"),
        ("$tag_value", ".*"),
        ("=\"$queue\"", &*format!("=\"{queue}\"")),
        ("=\"$account\"", "=\"123456789012\""),
        ("=\"$region\"", "=\"us-east-1\""),
        ("$queue", ".*"),
        ("$account", ".*"),
        ("$region", ".*"),
        ("$job", ".*"),
        ("$instance", ".*"),
    ];
    named.into_iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// The variables that a text uses; `$1` of PromQL's `label_replace` and the end of a regular expression are none.
pub fn used(text: &str) -> BTreeSet<String> {
    let names = text.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
    });
    let named = |name: &&str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    names.filter(named).map(str::to_owned).collect()
}

/// The elements of an array, none if it is none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
