//! The worker that reads CloudWatch: each `poll.cloudwatch`, a little after the minute, settled minutes only.
//!
//! Guaranteed: only a complete answer about a series is written, so that a minute without a datapoint is one of which CloudWatch
//! has none; a window that could not be read is read again, up to a bound, until it could.

mod batch;
mod plan;
mod statistics;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Watch;
use super::pace::Pace;
use super::trouble::Troubles;
use crate::aws::cloudwatch::{Answers, Span};
use crate::aws::failure::{Failure, Reason};
use crate::aws::meter::Operation;
use crate::board::{Board, Target, Window};
use crate::clock;
use crate::config::CustomMetric;
use crate::domain::alarm::CustomId;
use crate::domain::rule::Statistic;
use crate::domain::series::StatisticSet;
use crate::domain::time::{MINUTE, Timestamp};
use batch::Batch;
use plan::{Facts, Plan, Subject, Turn};

/// Requests in flight; CloudWatch answers 500 queries in one.
const PARALLEL: usize = 4;
/// Requests a second.
const A_SECOND: f64 = 10.0;
/// How long the first listing is waited for; custom metrics do not need it.
const FIRST: Duration = Duration::from_secs(10);
/// The longest wait after the minute, by target, so that targets do not come together.
const PHASE: Duration = Duration::from_secs(10);

/// The custom metrics of one target.
type Customs = BTreeMap<CustomId, CustomMetric>;

/// The worker of one target.
#[derive(Debug)]
pub struct Metrics {
    watch: Watch,
    troubles: Arc<Troubles>,
    pace: Arc<Pace>,
    plan: Plan,
    customs: Customs,
    /// The clock by which the plan was made.
    jumps: u64,
}

/// How a tick went, by the queue's name or the custom metric's.
#[derive(Debug, Default)]
struct Outcome {
    answered: bool,
    good: BTreeSet<String>,
    bad: BTreeMap<String, Failure>,
}

impl Metrics {
    /// A worker that has read nothing yet.
    pub fn new(watch: Watch, troubles: Arc<Troubles>) -> Self {
        let plan = Plan::new(watch.config.poll.clone());
        let (pace, customs) = (Arc::new(Pace::new(A_SECOND)), Customs::new());
        Self { watch, troubles, pace, plan, customs, jumps: clock::jumps() }
    }

    /// Works until shutdown, from the first listing on.
    pub async fn run(mut self, mut changed: watch::Receiver<()>) {
        let shutdown = self.watch.shutdown.clone();
        let poll = self.watch.config.poll.cloudwatch;
        let work = async {
            // No listing in this time is no reason to wait longer: the next tick looks again.
            let _ = tokio::time::timeout(FIRST, changed.changed()).await;
            let mut placed = false;
            loop {
                let began = clock::now();
                placed = placed || self.place_customs().await;
                self.tick(began).await;
                let now = clock::now();
                if now >= next_tick(self.watch.target(), began, poll) {
                    self.watch.telemetry.late.with_label_values(&["cloudwatch"]).inc();
                }
                tokio::time::sleep(next_tick(self.watch.target(), now, poll).since(now)).await;
            }
        };
        shutdown.run_until_cancelled(work).await;
    }

    /// Puts the custom metrics that are published in this region on the board. `false` when the account is not known yet: it
    /// is part of their identity, and alarms must not change theirs from one start to the next.
    async fn place_customs(&mut self) -> bool {
        let region = self.watch.target().region.clone();
        let here = |custom: &&CustomMetric| custom.region.as_deref().is_none_or(|wanted| wanted == &*region);
        let customs: Vec<CustomMetric> =
            self.watch.config.custom_metrics.iter().filter(here).cloned().collect();
        let account = if customs.is_empty() { Some("".into()) } else { self.account().await };
        let Some(account) = account else { return false };
        let id = |name: &Arc<str>| CustomId {
            account: account.clone(),
            region: region.clone(),
            name: name.clone(),
        };
        self.customs = customs.into_iter().map(|custom| (id(&custom.name), custom)).collect();
        self.watch.board.place_customs(self.watch.target(), self.customs.keys().cloned().collect());
        true
    }

    /// The account as discovery found it, or as STS tells; empty when SQS answers and nobody tells, as with other servers.
    async fn account(&self) -> Option<Arc<str>> {
        let health = self.watch.board.targets().remove(self.watch.target()).unwrap_or_default();
        match health.account {
            Some(account) => Some(account),
            None => {
                let told = self.watch.clients.account().await;
                told.or_else(|| health.discovered_at.map(|_| "".into()))
            }
        }
    }

    async fn tick(&mut self, now: Timestamp) {
        let jumps = clock::jumps();
        if std::mem::replace(&mut self.jumps, jumps) != jumps {
            self.plan.forget();
        }
        let turns = self.turns(now).into_iter();
        let (known, asked): (Vec<Turn>, Vec<Turn>) = turns.partition(|turn| turn.statistics.is_empty());
        for turn in known {
            self.write(turn.subject, turn.span, zeros(turn.span));
        }
        let mut outcome = Outcome { answered: asked.is_empty(), ..Outcome::default() };
        let mut batches = batch::batches(asked, &self.customs).into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < PARALLEL && !outcome.is_hopeless() {
                let Some(batch) = batches.next() else { break };
                running.spawn(batch.read(self.watch.clients.cloudwatch.clone(), self.pace.clone()));
            }
            match running.join_next().await {
                Some(Ok((batch, answers))) => self.take(batch, answers, &mut outcome),
                Some(Err(_)) => {}
                None => break,
            }
        }
        self.report(outcome);
    }

    fn turns(&mut self, now: Timestamp) -> Vec<Turn> {
        let (board, target) = (&self.watch.board, self.watch.target());
        let (queues, rules) = (board.queues(), board.rules());
        self.plan.retain(|id| queues.contains_key(id));
        let mut turns = Vec::new();
        for watched in queues.values().filter(|watched| watched.target == *target) {
            let (queue, empty_since, attributes_at) = {
                let readings = watched.lock();
                (readings.queue.clone(), readings.empty_since, readings.attributes_at)
            };
            turns.extend(self.plan.of_queue(
                Facts { queue: &queue, empty_since, attributes_at },
                &rules,
                now,
            ));
        }
        let customs = self.customs.iter();
        turns.extend(customs.filter_map(|(id, custom)| self.plan.of_custom(id, custom, &rules, now)));
        turns
    }

    /// Writes what is complete of a batch's answers.
    fn take(&mut self, batch: Batch, answers: Answers, outcome: &mut Outcome) {
        outcome.answered |= answers.answered > 0;
        for failure in answers.failures.iter().take(1) {
            outcome.bad.insert(String::new(), failure.clone());
        }
        let mut rest = &answers.answers[..];
        for turn in batch.turns {
            let (of_turn, others) = rest.split_at(turn.statistics.len().min(rest.len()));
            rest = others;
            let name = turn.subject.to_string();
            match statistics::assemble(&turn.statistics, of_turn) {
                Some(datapoints) => {
                    outcome.good.insert(name);
                    self.write(turn.subject, turn.span, datapoints);
                }
                None if answers.failures.is_empty() => {
                    outcome.bad.insert(name, batch::incomplete(&turn.subject, of_turn));
                }
                None => {}
            }
        }
    }

    fn write(&mut self, subject: Subject, span: Span, datapoints: Vec<(Timestamp, StatisticSet)>) {
        let steady = clock::steady();
        if *steady != self.jumps {
            // The clock was set meanwhile: these minutes are not those that are wanted now.
            return;
        }
        let settled = span.until - self.watch.config.poll.reread;
        let window = Window { from: span.from, until: span.until, settled, datapoints };
        write(&self.watch.board, &subject, &window, &self.customs);
        self.plan.done(subject, span.until, clock::now());
    }

    fn report(&self, mut outcome: Outcome) {
        let (now, api) = (clock::now(), Operation::GetMetricData.name());
        if outcome.answered {
            self.watch.board.update_target(self.watch.target(), |health| health.cloudwatch_at = Some(now));
            outcome.good.insert(String::new());
        }
        for (name, failure) in &outcome.bad {
            self.troubles.failed(name, failure, now);
        }
        for name in outcome.good.iter().filter(|name| !outcome.bad.contains_key(*name)) {
            self.troubles.succeeded(api, name, now);
        }
    }
}

impl Outcome {
    /// Whether what is left of the tick would fail like what was tried.
    fn is_hopeless(&self) -> bool {
        let failure = self.bad.get("");
        failure.is_some_and(|failure| failure.reason.is_general() || failure.reason == Reason::Denied)
    }
}

impl std::fmt::Display for Subject {
    /// The queue's name; a custom metric's after `custom:`, which no queue's name can hold.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Queue(id, _) => f.write_str(&id.name),
            Self::Custom(id) => write!(f, "custom:{}", id.name),
        }
    }
}

fn write(board: &Board, subject: &Subject, window: &Window, customs: &Customs) {
    let now = clock::now();
    match subject {
        Subject::Queue(id, metric) => board.read_cloudwatch(id, now, *metric, window),
        Subject::Custom(id) => {
            let counts = customs.get(id).is_some_and(|custom| custom.statistic == Statistic::Sum);
            if let Some(watched) = board.customs().get(id) {
                watched.read(now, window, counts);
            }
        }
    }
}

/// What is known without asking.
fn zeros(span: Span) -> Vec<(Timestamp, StatisticSet)> {
    let minutes = std::iter::successors(Some(span.from), |minute| Some(*minute + MINUTE));
    minutes
        .take_while(|minute| *minute < span.until)
        .map(|minute| (minute, StatisticSet::single(0.0)))
        .collect()
}

/// The next moment of this target after `now`.
fn next_tick(target: &Target, now: Timestamp, poll: Duration) -> Timestamp {
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    let most = PHASE.min(poll / 4).as_millis().max(1) as u64;
    let phase = Duration::from_millis(hasher.finish() % most);
    (now - phase).floor(poll) + phase + poll
}
