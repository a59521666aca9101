//! The past of one queue for a plot: what the daemon remembers of it, and before that what the configured Prometheus does.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Web;
use super::prometheus::{Question, Told};
use crate::clock;
use crate::domain::history::{History, Point, Points};
use crate::domain::metric::Metric;
use crate::domain::queue::QueueId;
use crate::domain::time::{MINUTE, Timestamp};

/// Who told the points of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// The daemon's own history.
    Daemon,
    /// The configured Prometheus, for what is before the daemon's own history.
    Prometheus,
}

impl Teller {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Prometheus => "prometheus",
        }
    }
}

/// The past as far as it can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// The distance of two points, the same for all metrics.
    pub step: Duration,
    /// The points of each metric that was asked for, oldest first, all at the same instants.
    pub metrics: BTreeMap<Metric, Vec<Point>>,
    /// Who told them.
    pub source: Teller,
    /// Why it reaches back less far than it could, in words for people.
    pub note: Option<String>,
}

/// The points of `metrics` of one queue in `[from, until)`, at most `most` each (see [`History::points`]). What is before the
/// daemon's own history comes from the configured Prometheus, if it tells; of a queue that is not watched the daemon knows nothing.
pub async fn plot_history(
    web: &Web,
    queue: &QueueId,
    metrics: &[Metric],
    from: Timestamp,
    until: Timestamp,
    most: usize,
) -> Reach {
    let history = web.board.queue(queue).map(|watched| watched.lock().history.clone()).unwrap_or_default();
    let mut reach = own(&history, metrics, from, until, most);
    let since = metrics.iter().filter_map(|metric| history.known_since(*metric)).max();
    // Of a gap later on Prometheus knows nothing either: it was this daemon that did not read.
    let end = since.unwrap_or(until).min(until).min(clock::now());
    let config = web.config.load().web.prometheus.clone();
    if let Some(config) = config.filter(|_| from < end)
        && let Some(question) = question(&reach, queue, metrics, end)
    {
        match web.prometheus.ask(&config, &question).await {
            Ok(told) => reach.fill(&told),
            Err(why) => reach.note = Some(format!("{why}: shown is what sqswatch itself remembers")),
        }
    }
    reach
}

/// What the daemon itself remembers.
fn own(history: &History, metrics: &[Metric], from: Timestamp, until: Timestamp, most: usize) -> Reach {
    let mut reach = Reach { step: MINUTE, metrics: BTreeMap::new(), source: Teller::Daemon, note: None };
    for metric in metrics {
        let Points { step, points } = history.points(*metric, from, until, most);
        reach.step = step;
        reach.metrics.insert(*metric, points);
    }
    reach
}

/// What is to be asked: the buckets that begin before `end`.
fn question(reach: &Reach, queue: &QueueId, metrics: &[Metric], end: Timestamp) -> Option<Question> {
    let points = reach.metrics.values().next()?;
    let count = points.iter().take_while(|point| point.at < end).count();
    let first = points.first().filter(|_| count > 0)?.at;
    Some(Question { queue: queue.clone(), metrics: metrics.to_vec(), first, step: reach.step, count })
}

impl Reach {
    /// Adds what another tells of buckets of which the daemon knows nothing.
    fn fill(&mut self, told: &Told) {
        for (metric, points) in &mut self.metrics {
            for (point, value) in points.iter_mut().zip(told.get(metric).into_iter().flatten()) {
                if point.value.is_none() && value.is_some() {
                    point.value = *value;
                    self.source = Teller::Prometheus;
                }
            }
        }
    }
}
