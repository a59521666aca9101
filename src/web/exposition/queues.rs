//! The queues' families: every row of the catalogue, `sqs_queue_info`, and how fresh the readings are.

use std::sync::Arc;

use super::labels::Labels;
use super::names::label_names;
use super::text::{Family, Text};
use crate::board::{Board, Watched};
use crate::domain::metric::{CATALOGUE, Metric, Source};
use crate::domain::queue::{Queue, QueueId};
use crate::domain::time::Timestamp;

/// One queue as of one moment, so that its series fit together and its lock is taken once.
struct Snapshot {
    labels: Labels,
    queue: Arc<Queue>,
    values: [Option<f64>; Metric::COUNT],
    read_at: [(Source, Option<Timestamp>); 3],
}

impl Snapshot {
    fn of(watched: &Watched) -> Self {
        let labels = labels_of(&watched.id);
        let readings = watched.lock();
        Self {
            labels,
            queue: readings.queue.clone(),
            values: std::array::from_fn(|index| readings.value(CATALOGUE[index].metric)),
            read_at: [
                (Source::Attributes, readings.attributes_at),
                (Source::Settings, readings.settings_at),
                (Source::CloudWatch, readings.cloudwatch_at),
            ],
        }
    }
}

fn labels_of(id: &QueueId) -> Labels {
    Labels::of([("account", &*id.account), ("region", &*id.region), ("queue", &*id.name)])
}

/// Writes all families of queues.
pub fn write(text: &mut Text, board: &Board, tag_labels: &[String]) {
    let snapshots: Vec<Snapshot> = board.queues().values().map(|watched| Snapshot::of(watched)).collect();
    write_catalogue(text, &snapshots);
    write_info(text, &snapshots, tag_labels);
    write_freshness(text, &snapshots);
}

fn write_catalogue(text: &mut Text, snapshots: &[Snapshot]) {
    for rows in CATALOGUE.chunk_by(|one, next| one.family == next.family) {
        let family = Family { name: rows[0].family, kind: rows[0].kind, help: rows[0].help };
        let mut series = text.family(family);
        for row in rows {
            for snapshot in snapshots {
                match (snapshot.values[row.metric.index()], row.state) {
                    (Some(value), Some(state)) => series.add_with(&snapshot.labels, "state", state, value),
                    (Some(value), None) => series.add(&snapshot.labels, value),
                    (None, _) => {}
                }
            }
        }
    }
}

fn write_info(text: &mut Text, snapshots: &[Snapshot], tag_labels: &[String]) {
    let labels = label_names("tag_", tag_labels.iter().map(String::as_str), &[]);
    let tags: Vec<(&String, String)> = tag_labels.iter().zip(labels).collect();
    let help =
        "What a queue is: standard or fifo, its part in the dead-letter topology, and the tags asked for.";
    let mut series = text.family(Family::gauge("sqs_queue_info", help));
    for snapshot in snapshots {
        let queue = &snapshot.queue;
        let mut labels = snapshot.labels.clone();
        labels.push("kind", queue.id.kind().as_str());
        labels.push("role", queue.role.as_str());
        if let Some(dead_letter_queue) = queue.dead_letter_queue() {
            labels.push("dead_letter_queue", &dead_letter_queue.name);
        }
        for (tag, label) in &tags {
            if let Some(value) = queue.tags.get(*tag) {
                labels.push(label, value);
            }
        }
        series.add(&labels, 1.0);
    }
}

fn write_freshness(text: &mut Text, snapshots: &[Snapshot]) {
    let help = "When a queue was last read from each source, in Unix time.";
    let mut series = text.family(Family::gauge("sqs_queue_last_reading_timestamp_seconds", help));
    for snapshot in snapshots {
        for (source, at) in snapshot.read_at {
            if let Some(at) = at {
                series.add_with(&snapshot.labels, "source", source.as_str(), at.as_secs_f64());
            }
        }
    }
}
