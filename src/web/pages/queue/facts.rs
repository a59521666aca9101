//! What is known of a queue now, taken from the board at one moment.

use std::sync::Arc;

use crate::board::{Board, Readings, Watched};
use crate::domain::advice::{Advice, Case, DeadLetterQueue, Observed, advise};
use crate::domain::metric::Metric;
use crate::domain::queue::{Queue, QueueId};
use crate::domain::time::{MINUTE, Timestamp};

use super::lost;

/// How many intervals old a reading may be before the page says so.
const STALE: u32 = 3;
/// How far back rates are looked at, in minutes.
const HOUR: usize = 60;
/// Of fewer minutes no rate is told.
const ENOUGH: usize = 5;
/// How old the newest minute of CloudWatch may be to count as now.
const LATE: usize = 10;

/// One queue. `None` is unknown.
pub struct Facts {
    /// The queue.
    pub queue: Arc<Queue>,
    /// When its counts were last read.
    pub read_at: Option<Timestamp>,
    /// Whether that is too long ago.
    pub stale: bool,
    /// Messages by state.
    pub visible: Option<f64>,
    /// As above.
    pub in_flight: Option<f64>,
    /// As above.
    pub delayed: Option<f64>,
    /// Age of the oldest message, in seconds.
    pub age: Option<f64>,
    /// That age over the retention.
    pub age_ratio: Option<f64>,
    /// Seconds until it is empty.
    pub drain: Option<f64>,
    /// Messages sent in the newest minute that is known.
    pub sent: Option<f64>,
    /// Messages deleted in it.
    pub deleted: Option<f64>,
    /// What its dead-letter queue holds.
    pub dead_letters: Option<f64>,
    /// What its settings deserve to be told.
    pub advice: Vec<Advice>,
    /// What stands where its redrive policy points.
    pub target: Target,
}

/// What is known of the queue that a redrive policy names.
#[derive(Clone, Debug)]
pub enum Target {
    /// No redrive policy, or its settings were not read.
    None,
    /// A watched queue.
    Watched(Arc<Queue>),
    /// Why it is not watched.
    Skipped(crate::board::Skip),
    /// No listing has it.
    Missing,
    /// Not every listing is complete.
    Unknown,
}

impl Facts {
    /// What the board says.
    pub fn of(board: &Board, watched: &Watched, now: Timestamp) -> Self {
        let targets = board.targets();
        let interval =
            targets.get(&watched.target).map(|health| health.attributes_interval).unwrap_or_default();
        let mut facts = Self::read(&watched.lock(), now);
        facts.stale = facts.read_at.is_some_and(|at| !interval.is_zero() && now.since(at) > interval * STALE);
        facts.target = target(board, facts.queue.dead_letter_queue());
        let dead_letter_queue = facts.queue.dead_letter_queue().and_then(|id| board.queue(id));
        facts.dead_letters = dead_letter_queue.and_then(|queue| queue.lock().value(Metric::MessagesVisible));
        let observed = observed(&watched.lock(), now);
        facts.advice = facts.advised(board, observed);
        facts
    }

    fn read(readings: &Readings, now: Timestamp) -> Self {
        Self {
            queue: readings.queue.clone(),
            read_at: readings.attributes_at,
            stale: false,
            visible: readings.value(Metric::MessagesVisible),
            in_flight: readings.value(Metric::MessagesInFlight),
            delayed: readings.value(Metric::MessagesDelayed),
            age: readings.value(Metric::OldestMessageAge),
            age_ratio: readings.value(Metric::OldestMessageRetentionRatio),
            drain: readings.value(Metric::DrainTime),
            sent: newest(readings, Metric::MessagesSent, now),
            deleted: newest(readings, Metric::MessagesDeleted, now),
            dead_letters: None,
            advice: Vec::new(),
            target: Target::None,
        }
    }

    fn advised(&self, board: &Board, observed: Observed) -> Vec<Advice> {
        let sources: Vec<Arc<Queue>> = self
            .queue
            .sources
            .iter()
            .filter_map(|id| board.queue(id))
            .map(|watched| watched.lock().queue.clone())
            .collect();
        let dead_letter_queue = match &self.target {
            Target::None => DeadLetterQueue::None,
            Target::Watched(queue) => DeadLetterQueue::Watched(queue),
            Target::Skipped(_) => DeadLetterQueue::Skipped,
            Target::Missing => DeadLetterQueue::Missing,
            Target::Unknown => DeadLetterQueue::Unknown,
        };
        let sources = sources.iter().map(|queue| &**queue).collect();
        advise(&Case { queue: &self.queue, dead_letter_queue, sources, observed })
    }
}

fn target(board: &Board, id: Option<&QueueId>) -> Target {
    let Some(id) = id else { return Target::None };
    if let Some(watched) = board.queue(id) {
        return Target::Watched(watched.lock().queue.clone());
    }
    match lost::skipped(board, &id.region, &id.name) {
        Some(skip) => Target::Skipped(skip),
        None if board.is_listed() => Target::Missing,
        None => Target::Unknown,
    }
}

/// The known minutes of the last hour, oldest first, each with how many minutes ago it is.
fn minutes(readings: &Readings, metric: Metric, now: Timestamp) -> Vec<(usize, f64)> {
    let until = now.floor(MINUTE) + MINUTE;
    let points = readings.history.points(metric, until - MINUTE * HOUR as u32, until, HOUR).points;
    let count = points.len();
    points.into_iter().enumerate().filter_map(|(place, point)| Some((count - place, point.value?))).collect()
}

fn newest(readings: &Readings, metric: Metric, now: Timestamp) -> Option<f64> {
    minutes(readings, metric, now).last().filter(|(ago, _)| *ago <= LATE).map(|(_, value)| *value)
}

fn observed(readings: &Readings, now: Timestamp) -> Observed {
    let mean = |metric| {
        let minutes = minutes(readings, metric, now);
        let sum: f64 = minutes.iter().map(|(_, value)| value).sum();
        (minutes.len() >= ENOUGH).then(|| sum / minutes.len() as f64)
    };
    Observed {
        received: mean(Metric::MessagesReceived),
        deleted: mean(Metric::MessagesDeleted),
        empty_receives: mean(Metric::EmptyReceives),
        in_flight: mean(Metric::MessagesInFlight),
    }
}
