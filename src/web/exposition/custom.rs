//! The user's own CloudWatch metrics: one family each, with the dimensions as labels.

use super::custom_kind;
use super::labels::Labels;
use super::names::label_names;
use super::text::{Family, Text};
use crate::board::{Board, WatchedCustom};
use crate::config::CustomMetric;
use crate::domain::alarm::CustomId;
use crate::domain::metric::Kind;
use crate::domain::time::Timestamp;

/// Writes a family for each custom metric that was read, and when each was.
pub fn write(text: &mut Text, board: &Board, metrics: &[CustomMetric]) {
    let customs = board.customs();
    for metric in metrics {
        let kind = custom_kind(metric.statistic);
        let name = family_name(&metric.name, kind);
        let help = if metric.description.is_empty() { &metric.metric } else { &metric.description };
        let mut series = text.family(Family { name: &name, kind, help });
        for watched in customs.values().filter(|watched| watched.id.name == metric.name) {
            if let Some(value) = value(watched, metric, kind) {
                series.add(&labels_of(&watched.id, metric), value);
            }
        }
    }
    write_freshness(text, customs.values().map(|watched| (&watched.id, watched.lock().read_at)));
}

/// The family of the custom metric of this name.
pub fn family_name(name: &str, kind: Kind) -> String {
    // No name ends in `_total` itself: the configuration refuses it, so that no two families meet.
    let suffix = if kind == Kind::Counter { "_total" } else { "" };
    format!("sqs_custom_{name}{suffix}")
}

fn value(watched: &WatchedCustom, metric: &CustomMetric, kind: Kind) -> Option<f64> {
    let readings = watched.lock();
    match kind {
        Kind::Counter => readings.read_at.map(|_| readings.total.total()),
        Kind::Gauge => readings.newest.map(|set| set.get(metric.statistic)),
    }
}

fn labels_of(id: &CustomId, metric: &CustomMetric) -> Labels {
    let dimensions = metric.dimensions.keys().map(String::as_str);
    let names = label_names("", dimensions, &["account", "region"]);
    let mut labels = where_read(id);
    for (name, value) in names.iter().zip(metric.dimensions.values()) {
        labels.push(name, value);
    }
    labels
}

/// The account is left out while it is not known.
fn where_read(id: &CustomId) -> Labels {
    let account = Some(("account", &*id.account)).filter(|(_, account)| !account.is_empty());
    Labels::of(account.into_iter().chain([("region", &*id.region)]))
}

fn write_freshness<'a>(text: &mut Text, read: impl Iterator<Item = (&'a CustomId, Option<Timestamp>)>) {
    let help = "When a custom metric was last read, in Unix time.";
    let name = "sqswatch_custom_metric_last_reading_timestamp_seconds";
    let mut series = text.family(Family::gauge(name, help));
    for (id, at) in read {
        if let Some(at) = at {
            let mut labels = where_read(id);
            labels.push("metric", &id.name);
            series.add(&labels, at.as_secs_f64());
        }
    }
}
