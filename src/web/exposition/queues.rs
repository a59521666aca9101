//! The queues' families: every row of the catalogue, `sqs_queue_info`, and how fresh the readings are.

use std::sync::Arc;

use super::labels::Labels;
use super::names::label_names;
use super::text::{Family, Text};
use crate::board::{Board, Watched};
use crate::domain::metric::{CATALOGUE, Source};
use crate::domain::queue::{Queue, QueueId};
use crate::domain::time::Timestamp;

/// All queues as of one moment: each lock is taken once, and a queue's series fit together. Values stand by metric, as
/// they are written, so that writing walks through memory instead of jumping about in it.
struct Picture {
    labels: Vec<Labels>,
    queues: Vec<Arc<Queue>>,
    values: Vec<Vec<Option<f64>>>,
    read_at: Vec<[(Source, Option<Timestamp>); 3]>,
}

impl Picture {
    fn of(board: &Board) -> Self {
        let watched = board.queues();
        let mut picture = Self {
            labels: watched.keys().map(labels_of).collect(),
            queues: Vec::with_capacity(watched.len()),
            values: CATALOGUE.iter().map(|_| Vec::with_capacity(watched.len())).collect(),
            read_at: Vec::with_capacity(watched.len()),
        };
        for watched in watched.values() {
            picture.take(watched);
        }
        picture
    }

    fn take(&mut self, watched: &Watched) {
        let readings = watched.lock();
        self.queues.push(readings.queue.clone());
        for (values, row) in self.values.iter_mut().zip(CATALOGUE) {
            values.push(readings.value(row.metric));
        }
        self.read_at.push([
            (Source::Attributes, readings.attributes_at),
            (Source::Settings, readings.settings_at),
            (Source::CloudWatch, readings.cloudwatch_at),
        ]);
    }
}

fn labels_of(id: &QueueId) -> Labels {
    Labels::of([("account", &*id.account), ("region", &*id.region), ("queue", &*id.name)])
}

/// Writes all families of queues.
pub fn write(text: &mut Text, board: &Board, tag_labels: &[String]) {
    let picture = Picture::of(board);
    write_catalogue(text, &picture);
    write_info(text, &picture, tag_labels);
    write_freshness(text, &picture);
}

fn write_catalogue(text: &mut Text, picture: &Picture) {
    for rows in CATALOGUE.chunk_by(|one, next| one.family == next.family) {
        let family = Family { name: rows[0].family, kind: rows[0].kind, help: rows[0].help };
        let mut series = text.family(family);
        for row in rows {
            for (labels, value) in picture.labels.iter().zip(&picture.values[row.metric.index()]) {
                match (*value, row.state) {
                    (Some(value), Some(state)) => series.add_with(labels, "state", state, value),
                    (Some(value), None) => series.add(labels, value),
                    (None, _) => {}
                }
            }
        }
    }
}

fn write_info(text: &mut Text, picture: &Picture, tag_labels: &[String]) {
    let labels = label_names("tag_", tag_labels.iter().map(String::as_str), &[]);
    let tags: Vec<(&String, String)> = tag_labels.iter().zip(labels).collect();
    let help =
        "What a queue is: standard or fifo, its part in the dead-letter topology, and the tags asked for.";
    let mut series = text.family(Family::gauge("sqs_queue_info", help));
    for (queue, labels) in picture.queues.iter().zip(&picture.labels) {
        let mut labels = labels.clone();
        labels.push("kind", queue.id.kind().as_str());
        labels.push("role", queue.role.as_str());
        if let Some(dead_letter_queue) = queue.dead_letter_queue() {
            labels.push("dead_letter_queue", &dead_letter_queue.name);
        }
        for (tag, label) in &tags {
            if let Some(value) = queue.tag(tag) {
                labels.push(label, value);
            }
        }
        series.add(&labels, 1.0);
    }
}

fn write_freshness(text: &mut Text, picture: &Picture) {
    let help = "When a queue was last read from each source, in Unix time.";
    let mut series = text.family(Family::gauge("sqs_queue_last_reading_timestamp_seconds", help));
    for (labels, read_at) in picture.labels.iter().zip(&picture.read_at) {
        for (source, at) in read_at {
            if let Some(at) = at {
                series.add_with(labels, "source", source.as_str(), at.as_secs_f64());
            }
        }
    }
}
