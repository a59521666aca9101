//! The past of a queue and of its dead-letter queue over the time that the plots show.

use std::collections::BTreeMap;

use super::span::MOST;
use crate::board::Watched;
use crate::domain::history::{Point, TRACKED};
use crate::domain::metric::Metric;
use crate::domain::queue::QueueId;
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::pages::plot::Axis;
use crate::web::reach::plot_history;

const OF_DEAD_LETTERS: [Metric; 2] = [Metric::MessagesVisible, Metric::DeadLetters];

/// What is known of it.
pub struct Past {
    /// The time.
    pub axis: Axis,
    /// The values of the queue itself.
    own: BTreeMap<Metric, Vec<Point>>,
    /// Its dead-letter queue with its values, on an axis of its own: it may be known less far back.
    pub dead: Option<(QueueId, Axis, BTreeMap<Metric, Vec<Point>>)>,
    /// Why it does not reach back as far as it could.
    pub note: Option<String>,
}

impl Past {
    /// Asks for it.
    pub async fn read(web: &Web, watched: &Watched, (from, until): (Timestamp, Timestamp)) -> Self {
        let dead_letter_queue = watched.lock().queue.dead_letter_queue().cloned();
        let dead_letter_queue = dead_letter_queue.filter(|id| *id != watched.id);
        let own = plot_history(web, &watched.id, &TRACKED, from, until, MOST);
        let dead = async {
            let id = dead_letter_queue?;
            let reach = plot_history(web, &id, &OF_DEAD_LETTERS, from, until, MOST).await;
            Some((id, axis(&reach.metrics, reach.step, from), reach.metrics))
        };
        let (own, dead) = tokio::join!(own, dead);
        Self { axis: axis(&own.metrics, own.step, from), own: own.metrics, dead, note: own.note }
    }

    /// The values of one metric of the queue itself, one a bucket.
    pub fn values(&self, metric: Metric) -> Vec<Option<f64>> {
        values(&self.own, metric)
    }

    /// Those of its dead-letter queue.
    pub fn dead_values(&self, metric: Metric) -> Vec<Option<f64>> {
        self.dead.as_ref().map(|(_, _, dead)| values(dead, metric)).unwrap_or_default()
    }
}

fn values(metrics: &BTreeMap<Metric, Vec<Point>>, metric: Metric) -> Vec<Option<f64>> {
    metrics.get(&metric).map(|points| points.iter().map(|point| point.value).collect()).unwrap_or_default()
}

fn axis(metrics: &BTreeMap<Metric, Vec<Point>>, step: std::time::Duration, from: Timestamp) -> Axis {
    let points = metrics.values().next().map(Vec::as_slice).unwrap_or_default();
    Axis { from: points.first().map_or(from, |point| point.at), step, count: points.len() }
}
