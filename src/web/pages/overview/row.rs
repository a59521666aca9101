//! One queue as the overview shows it, worked out from the board, and what makes one worse than another.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::asked::Sort;
use crate::board::{Board, Readings, Watched};
use crate::domain::alarm::{State, Subject};
use crate::domain::metric::Metric;
use crate::domain::queue::{Queue, QueueId};
use crate::domain::rule::Severity;
use crate::domain::time::{MINUTE, Timestamp};

/// For how long rows are good.
const FRESH: Duration = Duration::from_secs(1);
/// How old a rate may be and still be shown as the present one.
const LATELY_MINUTES: usize = 15;
const LATELY: Duration = MINUTE.saturating_mul(LATELY_MINUTES as u32);

/// One queue. `None` is unknown.
pub struct Row {
    /// The queue.
    pub queue: Arc<Queue>,
    /// Visible messages.
    pub visible: Option<f64>,
    /// Messages in flight.
    pub in_flight: Option<f64>,
    /// Delayed messages.
    pub delayed: Option<f64>,
    /// Age of the oldest message, in seconds.
    pub age: Option<f64>,
    /// That age over the retention.
    pub age_ratio: Option<f64>,
    /// Messages sent in the newest minute that CloudWatch told of lately.
    pub sent: Option<f64>,
    /// Messages deleted in it.
    pub deleted: Option<f64>,
    /// Visible messages in its dead-letter queue; of a dead-letter queue its own.
    pub dead_letters: Option<f64>,
    /// Seconds until it is empty.
    pub drain: Option<f64>,
    /// What fires for it: the rule's name and severity, the most severe first.
    pub firing: Vec<(Arc<str>, Severity)>,
    /// Whether it has alarms, and one of them can tell its state.
    pub judged: Option<bool>,
    /// When it was last read, if that is too long ago.
    pub stale_since: Option<Timestamp>,
    /// Whether it was read at all.
    pub known: bool,
}

impl Row {
    fn of(watched: &Watched, alarms: Option<&Standing>, look: Look) -> Self {
        let readings = watched.lock();
        let read_at = readings.attributes_at;
        let visible = readings.value(Metric::MessagesVisible);
        Self {
            queue: readings.queue.clone(),
            visible,
            in_flight: readings.value(Metric::MessagesInFlight),
            delayed: readings.value(Metric::MessagesDelayed),
            age: readings.value(Metric::OldestMessageAge),
            age_ratio: readings.value(Metric::OldestMessageRetentionRatio),
            sent: per_minute(&readings, Metric::MessagesSent, look.now),
            deleted: per_minute(&readings, Metric::MessagesDeleted, look.now),
            dead_letters: visible.filter(|_| readings.queue.role.is_dead_letter()),
            drain: readings.value(Metric::DrainTime),
            firing: alarms.map(|alarms| alarms.firing.clone()).unwrap_or_default(),
            judged: alarms.map(|alarms| alarms.told),
            stale_since: read_at.filter(|at| *at < look.stale_before),
            known: read_at.is_some(),
        }
    }

    /// Which of two comes first; names decide between equals, so that rows keep their places.
    pub fn compare(&self, other: &Self, (sort, ascending): (Sort, bool)) -> Ordering {
        let by = |value: fn(&Self) -> Option<f64>| {
            // What is not known is last either way.
            let (a, b) = (value(self), value(other));
            a.is_none().cmp(&b.is_none()).then_with(|| turned(a.partial_cmp(&b), ascending))
        };
        let order = match sort {
            Sort::Worst => turned(self.badness().partial_cmp(&other.badness()), ascending),
            Sort::Name => turned(self.queue.id.name.partial_cmp(&other.queue.id.name), ascending),
            Sort::Waiting => by(|row| row.visible),
            Sort::InFlight => by(|row| row.in_flight),
            Sort::Oldest => by(|row| row.age),
            Sort::In => by(|row| row.sent),
            Sort::Out => by(|row| row.deleted),
            Sort::DeadLetters => by(|row| row.dead_letters),
            Sort::Drain => by(|row| row.drain),
        };
        order.then_with(|| self.queue.id.name.cmp(&other.queue.id.name))
    }

    /// What puts a row above another: what fires, then what is close to being lost, then dead letters, then what waits.
    fn badness(&self) -> (Option<Severity>, bool, bool, f64, f64) {
        let losing = self.age_ratio.is_some_and(|ratio| ratio >= 0.5);
        let worst = self.firing.first().map(|(_, severity)| *severity);
        let dead = self.queue.role.is_dead_letter() && self.visible > Some(0.0);
        (worst, losing, dead, self.visible.unwrap_or(-1.0), self.in_flight.unwrap_or(-1.0))
    }
}

/// The greater first, unless `ascending`.
fn turned(order: Option<Ordering>, ascending: bool) -> Ordering {
    let order = order.unwrap_or(Ordering::Equal);
    if ascending { order } else { order.reverse() }
}

/// What CloudWatch told last, if that is not long ago: its minutes come late and, for metrics that no alarm looks at, in fives.
fn per_minute(readings: &Readings, metric: Metric, now: Timestamp) -> Option<f64> {
    let this_minute = now.floor(MINUTE);
    let minutes = readings.history.points(metric, this_minute - LATELY, this_minute, LATELY_MINUTES).points;
    minutes.iter().rev().find_map(|point| point.value)
}

/// What the alarms of one queue come to.
#[derive(Default)]
struct Standing {
    firing: Vec<(Arc<str>, Severity)>,
    /// Whether any of them has enough data.
    told: bool,
}

/// When rows are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The present.
    pub now: Timestamp,
    /// A reading before this is old.
    pub stale_before: Timestamp,
}

/// The rows of every watched queue, worked out once for all who look within a moment: views of ten thousand queues differ in what
/// they show of them, and not in what they are. Cheap to clone: all clones are one.
#[derive(Clone, Default)]
pub struct Rows(Arc<Mutex<Option<Known>>>);

struct Known {
    at: Instant,
    rows: Arc<Vec<Row>>,
}

impl Rows {
    /// The rows as they are, or were within the last second. Blocks while somebody else works them out.
    pub fn of(&self, board: &Board, look: Look) -> Arc<Vec<Row>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known { rows, .. }) = known.as_ref().filter(|known| known.at.elapsed() < FRESH) {
            return rows.clone();
        }
        let rows = Arc::new(rows(board, look));
        *known = Some(Known { at: Instant::now(), rows: rows.clone() });
        rows
    }
}

fn rows(board: &Board, look: Look) -> Vec<Row> {
    let standings = standings(board);
    let queues = board.queues();
    let mut rows: Vec<Row> =
        queues.values().map(|watched| Row::of(watched, standings.get(&watched.id), look)).collect();
    let held: HashMap<QueueId, Option<f64>> =
        rows.iter().map(|row| (row.queue.id.clone(), row.visible)).collect();
    for row in &mut rows {
        if let Some(id) = row.queue.dead_letter_queue() {
            row.dead_letters = held.get(id).copied().flatten();
        }
    }
    rows
}

fn standings(board: &Board) -> HashMap<QueueId, Standing> {
    let rules = board.rules();
    let severities: HashMap<&str, Severity> = rules.iter().map(|rule| (&*rule.name, rule.severity)).collect();
    let mut standings: HashMap<QueueId, Standing> = HashMap::new();
    board.with_alarms(|alarms| {
        for (key, alarm) in alarms {
            let Subject::Queue(id) = &key.subject else { continue };
            let standing = standings.entry(id.clone()).or_default();
            standing.told |= alarm.state != State::InsufficientData;
            if alarm.state == State::Alarm {
                let severity = severities.get(&*key.rule).copied().unwrap_or_default();
                standing.firing.push((key.rule.clone(), severity));
            }
        }
    });
    for standing in standings.values_mut() {
        standing.firing.sort_by_key(|(_, severity)| Reverse(*severity));
    }
    standings
}
