//! What CloudWatch is to be asked now: which series, which statistics, which window. Pure.
//!
//! Money is decided here: a query costs the same whatever its window, so what no alarm looks at is read seldom and in one go,
//! and what is known without asking (an empty queue has no oldest message) is not asked.

use std::collections::BTreeMap;
use std::time::Duration;

use super::statistics;
use crate::aws::cloudwatch::Span;
use crate::config::{CustomMetric, Poll};
use crate::domain::alarm::CustomId;
use crate::domain::metric::{Kind, Metric, Source};
use crate::domain::queue::{Queue, QueueId};
use crate::domain::rule::{MetricRef, Rule, Statistic};
use crate::domain::time::{MINUTE, Timestamp};

/// How far back a series is read that was never read before, if nothing needs more.
const START: Duration = Duration::from_secs(15 * 60);
/// How far back at most, also for an alarm with a long memory and after a long failure.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// One series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A metric of the catalogue, of one queue.
    Queue(QueueId, Metric),
    /// A custom metric.
    Custom(CustomId),
}

/// What is to be done about one series now.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Which series.
    pub subject: Subject,
    /// The settled minutes it is about.
    pub span: Span,
    /// The end of the present minute: up to it is asked, as what has not settled may be certain to raise an alarm.
    pub open_until: Timestamp,
    /// The statistics to ask for; none when the values are known to be 0.
    pub statistics: Vec<Statistic>,
}

/// A queue as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The queue.
    pub queue: &'a Queue,
    /// Since when it is known to hold nothing.
    pub empty_since: Option<Timestamp>,
    /// When its counts were last read.
    pub attributes_at: Option<Timestamp>,
}

impl Facts<'_> {
    fn known_empty(&self, span: Span) -> bool {
        self.empty_since.is_some_and(|since| since <= span.from)
            && self.attributes_at.is_some_and(|read| read >= span.until)
    }
}

/// How far a series has been read, and when.
#[derive(Clone, Copy, Debug)]
struct Progress {
    until: Timestamp,
    at: Timestamp,
}

/// What alarms want of one series.
#[derive(Debug, Default)]
struct Demand {
    reach: Duration,
    statistics: Vec<Statistic>,
}

/// What was read so far of every series of one target.
#[derive(Debug)]
pub struct Plan {
    poll: Poll,
    progress: BTreeMap<Subject, Progress>,
}

impl Plan {
    /// Nothing was read yet.
    pub fn new(poll: Poll) -> Self {
        Self { poll, progress: BTreeMap::new() }
    }

    /// The turns of one queue.
    pub fn of_queue(&self, facts: Facts<'_>, rules: &[Rule], now: Timestamp) -> Vec<Turn> {
        let metrics = Metric::all().filter(|metric| metric.row().source == Source::CloudWatch);
        let metrics = metrics.filter(|metric| metric.row().scope.has(facts.queue));
        metrics.filter_map(|metric| self.of_metric(facts, metric, rules, now)).collect()
    }

    fn of_metric(&self, facts: Facts<'_>, metric: Metric, rules: &[Rule], now: Timestamp) -> Option<Turn> {
        let (kind, demand) = (metric.row().kind, demand(rules, facts.queue, metric));
        if demand.is_none() && !self.poll.metrics.contains(&metric) {
            return None;
        }
        let subject = Subject::Queue(facts.queue.id.clone(), metric);
        let seldom = demand.is_none() && kind == Kind::Counter;
        let demand = demand.unwrap_or_default();
        let span = self.span(&subject, seldom, demand.reach, now)?;
        let nothing =
            matches!(metric, Metric::OldestMessageAge | Metric::GroupsInFlight) && facts.known_empty(span);
        let base = match kind {
            Kind::Counter => Statistic::Sum,
            // SQS publishes one value a minute: any statistic of it is that value.
            Kind::Gauge => Statistic::Maximum,
        };
        // A percentile of a queue's metric is one of its minutes' values, which the base gives.
        let wanted = demand
            .statistics
            .into_iter()
            .filter(|statistic| kind == Kind::Counter && !matches!(statistic, Statistic::Percentile(_)));
        let statistics =
            if nothing { Vec::new() } else { statistics::needed([base].into_iter().chain(wanted)) };
        Some(Turn { subject, span, open_until: now.floor(MINUTE) + MINUTE, statistics })
    }

    /// The turn of one custom metric.
    pub fn of_custom(
        &self,
        id: &CustomId,
        custom: &CustomMetric,
        rules: &[Rule],
        now: Timestamp,
    ) -> Option<Turn> {
        let mut judging: Vec<(Duration, Statistic)> = Vec::new();
        for condition in rules.iter().filter_map(Rule::condition) {
            for (metric, statistic) in condition.measured() {
                if matches!(metric, MetricRef::Custom(name) if *name == custom.name) {
                    judging.push((condition.reach(), statistic));
                    if condition.ignores_low_samples() {
                        judging.push((condition.reach(), Statistic::SampleCount));
                    }
                }
            }
        }
        let reach = judging.iter().map(|(reach, _)| *reach).max().unwrap_or_default();
        let seldom = judging.is_empty() && custom.statistic == Statistic::Sum;
        let subject = Subject::Custom(id.clone());
        let span = self.span(&subject, seldom, reach, now)?;
        let wanted = judging.iter().map(|(_, statistic)| *statistic);
        let statistics = statistics::needed([custom.statistic].into_iter().chain(wanted));
        Some(Turn { subject, span, open_until: now.floor(MINUTE) + MINUTE, statistics })
    }

    /// The window to read now, if it is this series' turn: what is new and settled, and some of what was read before.
    fn span(&self, subject: &Subject, seldom: bool, reach: Duration, now: Timestamp) -> Option<Span> {
        let until = (now - self.poll.settle).floor(MINUTE);
        let from = match self.progress.get(subject) {
            None => until - reach.max(START),
            Some(progress) => {
                let interval = if seldom { self.poll.counters } else { Duration::ZERO };
                // A little early is in time: ticks jitter.
                let due = progress.at > now || now.since(progress.at) + MINUTE / 4 >= interval;
                due.then(|| progress.until.min(until) - self.poll.reread)?
            }
        };
        let from = from.max(until - LONGEST).floor(MINUTE);
        (from < until).then_some(Span { from, until })
    }

    /// Notes that a series was read up to `until`.
    pub fn done(&mut self, subject: Subject, until: Timestamp, now: Timestamp) {
        self.progress.insert(subject, Progress { until, at: now });
    }

    /// Forgets what was read: the clock was set, and what was read by the old one is gone.
    pub fn forget(&mut self) {
        self.progress.clear();
    }

    /// Forgets the queues that are no longer watched.
    pub fn retain(&mut self, watched: impl Fn(&QueueId) -> bool) {
        self.progress.retain(|subject, _| match subject {
            Subject::Queue(id, _) => watched(id),
            Subject::Custom(_) => true,
        });
    }
}

/// What the rules that judge this queue want of this metric, also for a metric that is computed from it.
fn demand(rules: &[Rule], queue: &Queue, metric: Metric) -> Option<Demand> {
    let mut found: Option<Demand> = None;
    for rule in rules {
        let Some(condition) = rule.condition() else { continue };
        for (judged, statistic) in condition.measured() {
            let MetricRef::Queue(judged) = *judged else { continue };
            if source(judged) == metric && rule.selector.matches(queue) {
                let demand = found.get_or_insert_default();
                demand.reach = demand.reach.max(condition.reach());
                if judged == metric {
                    demand.statistics.push(statistic);
                }
            }
        }
    }
    found
}

/// The metric of CloudWatch that this one is computed from, or itself.
fn source(metric: Metric) -> Metric {
    match metric {
        Metric::OldestMessageRetentionRatio => Metric::OldestMessageAge,
        Metric::ConsumersStalled | Metric::DeadLetters => Metric::MessagesDeleted,
        other => other,
    }
}

#[cfg(test)]
mod tests;
