//! What the first page shows, worked out from the board: totals, what fires, and queues with the worst first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::board::{Board, Readings, Skip, TargetHealth, Watched};
use crate::domain::alarm::{Alarm, AlarmKey, State, Subject};
use crate::domain::hold::Hold;
use crate::domain::metric::Metric;
use crate::domain::queue::{Queue, QueueId};
use crate::domain::rule::{Rule, Severity};
use crate::domain::silence::Silences;
use crate::domain::time::{MINUTE, Timestamp};
use crate::store::{Kept, Store, StoreError};

/// How many parked notifications are shown; the others are in the API.
const PARKED: usize = 10;
/// How many rows of one table are sent.
const ROWS: usize = 500;
/// How many intervals old a reading may be before its row says so.
const STALE: u32 = 3;

/// The page's content.
pub struct Overview {
    /// When it was worked out.
    pub now: Timestamp,
    /// What was searched for.
    pub query: String,
    /// Why the daemon is not ready; empty when it is.
    pub unready: Vec<String>,
    /// When attributes of the least fresh target were last read.
    pub read_at: Option<Timestamp>,
    /// How often they are.
    pub interval: Duration,
    /// The figures at the top.
    pub totals: Totals,
    /// The alarms in ALARM whose subject is searched for, the most severe first, silenced ones last.
    pub firing: Vec<Firing>,
    /// Silences and maintenance windows that are in force, by what they mean; the one that ends first is first.
    pub silencing: Vec<Silencing>,
    /// Queues that hold work.
    pub queues: Table,
    /// Queues that hold dead letters.
    pub dead_letter_queues: Table,
    /// Notifications that were given up.
    pub parked: Parked,
    /// How many queues are skipped, by reason.
    pub skipped: BTreeMap<Skip, usize>,
    /// Those of them that somebody should look at, with the reason.
    pub lost: Vec<(Arc<str>, Skip)>,
}

/// The figures at the top. `None` is unknown.
pub struct Totals {
    /// Watched queues; unknown before the first listing.
    pub queues: Option<usize>,
    /// Visible messages outside dead-letter queues.
    pub waiting: Option<f64>,
    /// Visible messages in dead-letter queues.
    pub dead_letters: Option<f64>,
    /// Alarms in ALARM.
    pub firing: usize,
    /// Alarms there are.
    pub alarms: usize,
}

/// One alarm in ALARM.
pub struct Firing {
    /// Which.
    pub key: AlarmKey,
    /// Its state.
    pub alarm: Alarm,
    /// Its rule; gone for a moment after a reload.
    pub rule: Option<Rule>,
    /// Until when it is silenced, and by what.
    pub silenced: Option<(Timestamp, Hold)>,
}

/// A silence or maintenance window that is in force.
pub struct Silencing {
    /// Which.
    pub hold: Hold,
    /// Which alarms, as people say it.
    pub what: String,
    /// Who asked and why; of a window its schedule.
    pub why: String,
    /// Until when.
    pub until: Timestamp,
}

/// Notifications that were given up.
#[derive(Default)]
pub struct Parked {
    /// The latest of them, newest first.
    pub latest: Vec<Kept>,
    /// How many there are.
    pub total: u64,
}

impl Parked {
    /// Those of `store`; none while it cannot be read.
    pub fn of(store: &Store) -> Self {
        let total = |store: &Store| Ok(store.outbox_summary()?.values().map(|owed| owed.parked).sum());
        let total = total(store).unwrap_or_else(|error: StoreError| {
            tracing::warn!(%error, "parked notifications cannot be read for the page");
            0
        });
        Self { latest: store.latest_parked(PARKED).unwrap_or_default(), total }
    }
}

/// Rows of one table, and how many there would be.
pub struct Table {
    /// The worst of them.
    pub rows: Vec<Row>,
    /// How many match.
    pub matched: usize,
    /// Whether their place must be named to tell them apart.
    pub places: bool,
}

/// One queue.
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
    /// Messages sent in the newest minute.
    pub sent: Option<f64>,
    /// Messages deleted in the newest minute.
    pub deleted: Option<f64>,
    /// Visible messages in its dead-letter queue.
    pub dead_letters: Option<f64>,
    /// What fires for it: the rule's name and severity, the most severe first.
    pub firing: Vec<(Arc<str>, Severity)>,
    /// Whether it has alarms, and one of them can tell its state.
    pub judged: Option<bool>,
    /// When it was last read, if that is too long ago.
    pub stale_since: Option<Timestamp>,
    /// Whether it was read at all.
    pub known: bool,
}

impl Overview {
    /// The content at `now`, with tables of the queues whose names contain `query`.
    pub fn of(board: &Board, unready: Vec<String>, query: &str, now: Timestamp) -> Self {
        let targets = board.targets();
        let interval = targets.values().map(|health| health.attributes_interval).max().unwrap_or_default();
        let rows = rows(board, now - interval * STALE);
        let (dead, work): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|row| row.queue.role.is_dead_letter());
        let listed = targets.values().any(|health| health.discovered_at.is_some());
        let mut firing = firing(board, now);
        let totals = Totals {
            queues: listed.then_some(dead.len() + work.len()),
            waiting: sum(&work, listed),
            dead_letters: sum(&dead, listed),
            firing: firing.len(),
            alarms: board.with_alarms(BTreeMap::len),
        };
        firing.retain(|one| fits(one.key.subject.name(), query));
        Self {
            now,
            query: query.to_owned(),
            unready,
            read_at: targets.values().filter_map(|health| health.attributes_at).min(),
            interval,
            totals,
            firing,
            silencing: silencing(&board.silences(), now),
            queues: Table::of(work, query),
            dead_letter_queues: Table::of(dead, query),
            parked: Parked::default(),
            skipped: skipped(targets.values()),
            lost: lost(targets.values()),
        }
    }
}

impl Table {
    fn of(mut rows: Vec<Row>, query: &str) -> Self {
        let places: BTreeSet<_> =
            rows.iter().map(|row| (&row.queue.id.account, &row.queue.id.region)).collect();
        let places = places.len() > 1;
        rows.retain(|row| fits(&row.queue.id.name, query));
        rows.sort_by(|a, b| b.badness().partial_cmp(&a.badness()).unwrap_or(std::cmp::Ordering::Equal));
        let matched = rows.len();
        rows.truncate(ROWS);
        Self { rows, matched, places }
    }
}

impl Row {
    /// What puts a row above another: what fires, then what is close to being lost, then what waits.
    fn badness(&self) -> (Option<Severity>, bool, f64, f64) {
        let losing = self.age_ratio.is_some_and(|ratio| ratio >= 0.5);
        let worst = self.firing.first().map(|(_, severity)| *severity);
        (worst, losing, self.visible.unwrap_or(-1.0), self.in_flight.unwrap_or(-1.0))
    }

    fn of(watched: &Watched, alarms: Option<&Standing>, stale_before: Timestamp) -> Self {
        let readings = watched.lock();
        let read_at = readings.attributes_at;
        Self {
            queue: readings.queue.clone(),
            visible: readings.value(Metric::MessagesVisible),
            in_flight: readings.value(Metric::MessagesInFlight),
            delayed: readings.value(Metric::MessagesDelayed),
            age: readings.value(Metric::OldestMessageAge),
            age_ratio: readings.value(Metric::OldestMessageRetentionRatio),
            sent: per_minute(&readings, Metric::MessagesSent),
            deleted: per_minute(&readings, Metric::MessagesDeleted),
            dead_letters: None,
            firing: alarms.map(|alarms| alarms.firing.clone()).unwrap_or_default(),
            judged: alarms.map(|alarms| alarms.told),
            stale_since: read_at.filter(|at| *at < stale_before),
            known: read_at.is_some(),
        }
    }
}

/// Only for metrics that an alarm looks at: of the others no minutes are kept.
fn per_minute(readings: &Readings, metric: Metric) -> Option<f64> {
    readings.series(metric, MINUTE)?.latest().map(|(_, set)| set.sum)
}

/// What the alarms of one queue come to.
#[derive(Default)]
struct Standing {
    firing: Vec<(Arc<str>, Severity)>,
    /// Whether any of them has enough data.
    told: bool,
}

fn rows(board: &Board, stale_before: Timestamp) -> Vec<Row> {
    let standings = standings(board);
    let queues = board.queues();
    let mut rows: Vec<Row> =
        queues.values().map(|watched| Row::of(watched, standings.get(&watched.id), stale_before)).collect();
    let held: HashMap<QueueId, Option<f64>> =
        rows.iter().map(|row| (row.queue.id.clone(), row.visible)).collect();
    for row in &mut rows {
        row.dead_letters = row.queue.dead_letter_queue().and_then(|id| held.get(id).copied().flatten());
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

fn firing(board: &Board, now: Timestamp) -> Vec<Firing> {
    let (rules, silences) = (board.rules(), board.silences());
    let in_force = silences.at(now);
    let mut firing: Vec<Firing> = board.with_alarms(|alarms| {
        let firing = alarms.iter().filter(|(_, alarm)| alarm.state == State::Alarm);
        let with_rule = firing.map(|(key, alarm)| {
            let rule = rules.iter().find(|rule| rule.name == key.rule).cloned();
            let holder = rule.as_ref().and_then(|rule| in_force.holder(rule, &key.subject));
            let silenced = holder.map(|holder| (holder.until, holder.hold.clone()));
            Firing { key: key.clone(), alarm: alarm.clone(), rule, silenced }
        });
        with_rule.collect()
    });
    firing.sort_by_key(|one| Reverse((one.silenced.is_none(), one.severity(), one.alarm.since)));
    firing
}

fn silencing(silences: &Silences, now: Timestamp) -> Vec<Silencing> {
    let active = silences.silences.iter().filter(|silence| silence.is_active(now));
    let silences_now = active.map(|silence| Silencing {
        hold: Hold::Silence(silence.id.clone()),
        what: silence.matchers.to_string(),
        why: format!("{}: {}", silence.author, silence.reason),
        until: silence.ends,
    });
    let windows = silences.windows.iter().filter_map(|window| {
        Some(Silencing {
            hold: Hold::Maintenance(window.name.clone()),
            what: window.matchers.to_string(),
            why: window.schedule.to_string(),
            until: window.active(now)?.until,
        })
    });
    let mut silencing: Vec<Silencing> = silences_now.chain(windows).collect();
    silencing.sort_by_key(|one| one.until);
    silencing
}

impl Firing {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.rule.as_ref().map(|rule| rule.severity).unwrap_or_default()
    }
}

/// The sum of what is known. No queue at all holds nothing, but only once queues were listed.
fn sum(rows: &[Row], listed: bool) -> Option<f64> {
    let nothing = (rows.is_empty() && listed).then_some(0.0);
    rows.iter().filter_map(|row| row.visible).reduce(|sum, visible| sum + visible).or(nothing)
}

fn fits(name: &str, query: &str) -> bool {
    name.to_lowercase().contains(&query.trim().to_lowercase())
}

fn skipped<'a>(targets: impl Iterator<Item = &'a TargetHealth>) -> BTreeMap<Skip, usize> {
    let mut counts = BTreeMap::new();
    for skip in targets.flat_map(|health| health.skipped.values()) {
        *counts.entry(*skip).or_default() += 1;
    }
    counts
}

/// What is skipped because the configuration says so needs nobody.
fn lost<'a>(targets: impl Iterator<Item = &'a TargetHealth>) -> Vec<(Arc<str>, Skip)> {
    let skipped = targets.flat_map(|health| &health.skipped);
    let lost = skipped.filter(|(_, skip)| matches!(skip, Skip::Denied | Skip::Unreadable));
    lost.map(|(name, skip)| (name.clone(), *skip)).take(ROWS).collect()
}
