//! The past of one queue for a plot: what the daemon remembers of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Web;
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

/// The points of `metrics` of one queue in `[from, until)`, at most `most` each (see [`History::points`]). Of a queue that is not
/// watched nothing is known.
pub async fn plot_history(
    web: &Web,
    queue: &QueueId,
    metrics: &[Metric],
    from: Timestamp,
    until: Timestamp,
    most: usize,
) -> Reach {
    let history = web.board.queue(queue).map(|watched| watched.lock().history.clone()).unwrap_or_default();
    own(&history, metrics, from, until, most)
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
