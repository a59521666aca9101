//! From datapoints to a verdict: CloudWatch's rules for M out of N and for missing data, on data that may be incomplete.
//!
//! The rules are those of docs/alarms.md, which restates CloudWatch's. They are extended in one way: CloudWatch always
//! knows whether a datapoint is there, this daemon does not when a read failed or it has just started. Such a datapoint is
//! unknown, and a verdict is given only when it would be the same whatever the unknown ones turn out to be.

mod early;
mod math;
mod percentile;
mod reason;
#[cfg(test)]
mod tests;

pub use math::evaluate_math;

use std::time::Duration;

use super::alarm::{State, Verdict};
use super::metric::{Kind, Source};
use super::rule::{Comparison, Condition, MetricRef, MissingData, Statistic};
use super::series::{Series, Slot, StatisticSet};
use super::time::Timestamp;
pub use early::evaluate_early;

/// What one datapoint is to an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Read, and there is none.
    Missing,
    /// There, and within the threshold.
    NotBreaching,
    /// There, and over the threshold.
    Breaching,
    /// There, but read in part only: it may breach or not.
    Undecided,
    /// Not read: it may be missing, breach or not.
    Unknown,
}

/// One period and what is known of it.
#[derive(Clone, Copy, Debug)]
struct Datapoint {
    /// When the period starts.
    start: Timestamp,
    /// Its statistic, as far as [`Point`] says that it can be relied on.
    value: Option<f64>,
    point: Point,
    /// A percentile of fewer samples than CloudWatch calls significant.
    few: bool,
}

/// Judges the closed periods, as CloudWatch does: the datapoints up to the series' horizon, newest first: `[h-p, h)`,
/// `[h-2p, h-p)`, ... for as many as the condition's range. [`evaluate_early`] is what the daemon asks.
///
/// `None` says that what is known allows no statement, so that the state must stay. The verdict's reason is empty when its
/// state is `state`, since nothing has changed that would need one.
pub fn evaluate(condition: &Condition, series: &Series, state: State, now: Timestamp) -> Option<Verdict> {
    let horizon = series.horizon(now);
    conclude(condition, &datapoints(condition, series, horizon, horizon), state)
}

/// The verdict on datapoints, newest first.
fn conclude(condition: &Condition, datapoints: &[Datapoint], state: State) -> Option<Verdict> {
    let points: Vec<Point> = datapoints.iter().map(|datapoint| datapoint.point).collect();
    let (n, m) = (condition.evaluation_periods as usize, condition.datapoints_to_alarm as usize);
    let decided = if condition.ignores_low_samples() && any_few(datapoints, n) {
        state
    } else {
        decide(&points, n, m, condition.missing_data, state)?
    };
    let reason =
        if decided == state { String::new() } else { reason::explain(condition, datapoints, decided) };
    Some(Verdict { state: decided, reason, value: datapoints.iter().find_map(|datapoint| datapoint.value) })
}

/// Whether among the newest `n` real datapoints one has too few samples, or may turn out to have.
fn any_few(datapoints: &[Datapoint], n: usize) -> bool {
    let real = datapoints.iter().filter(|datapoint| datapoint.point != Point::Missing).take(n);
    let sure = |point| matches!(point, Point::Breaching | Point::NotBreaching);
    real.into_iter().any(|datapoint| datapoint.few || !sure(datapoint.point))
}

/// The state that follows from `points` (newest first, as many as the evaluation range), under N = `n`, M = `m`.
///
/// `None` when it depends on the points that are not known. Two completions suffice to tell: the one in which every
/// unknown point is there and within the threshold, and the one in which every one breaches. Giving ALARM up is easiest in the
/// first and OK in the second: a further real point can only push an older one out of the newest N, and turning
/// it to the other side can only help the other verdict. INSUFFICIENT_DATA and a kept state fall to any point within the threshold.
/// `tests.rs` holds this against every completion.
pub fn decide(points: &[Point], n: usize, m: usize, mode: MissingData, state: State) -> Option<State> {
    let completed = |assumed: Point| {
        points.iter().map(move |point| match point {
            Point::Undecided | Point::Unknown => assumed,
            known => *known,
        })
    };
    let best = settled(completed(Point::NotBreaching), n, m, mode, state);
    let worst = settled(completed(Point::Breaching), n, m, mode, state);
    (best == worst).then_some(best)
}

/// The state when every point is known; `state` is what `ignore` keeps.
fn settled(
    points: impl Iterator<Item = Point>,
    n: usize,
    m: usize,
    mode: MissingData,
    state: State,
) -> State {
    let real = points.enumerate().filter(|(_, point)| *point != Point::Missing).take(n);
    let (mut breaching, mut not_breaching, mut oldest_breach) = (0, 0, 0);
    for (index, point) in real {
        if point == Point::Breaching {
            (breaching, oldest_breach) = (breaching + 1, index + 1);
        } else {
            not_breaching += 1;
        }
    }
    let gaps = n - (breaching + not_breaching);
    let fill = if mode == MissingData::Breaching { gaps } else { 0 };
    let full = gaps == 0 || matches!(mode, MissingData::Breaching | MissingData::NotBreaching);
    if breaching + fill >= m {
        State::Alarm
    } else if full || not_breaching > 0 {
        State::Ok
    } else if mode == MissingData::Ignore {
        state
    } else if oldest_breach >= m {
        State::Alarm
    } else {
        State::InsufficientData
    }
}

/// The datapoints of the range that ends at `end`, newest first; no more of them than can matter.
fn datapoints(condition: &Condition, series: &Series, end: Timestamp, closed: Timestamp) -> Vec<Datapoint> {
    let needed = condition.evaluation_periods as usize;
    let mut found = Vec::with_capacity(needed);
    let (mut real, mut end) = (0, end);
    for _ in 0..condition.evaluation_range.max(condition.evaluation_periods) {
        let start = end - condition.period;
        let datapoint = datapoint(condition, series, start, closed);
        real += usize::from(!matches!(datapoint.point, Point::Missing | Point::Unknown));
        found.push(datapoint);
        if real == needed {
            break;
        }
        end = start;
    }
    found
}

fn datapoint(condition: &Condition, series: &Series, start: Timestamp, closed: Timestamp) -> Datapoint {
    let mut few = false;
    let (value, point) = match series.datapoint(start, condition.period, closed) {
        Slot::Missing => (None, Point::Missing),
        Slot::Value(set) => {
            let Condition { metric, statistic, period, .. } = condition;
            let measured = Measured { metric, statistic: *statistic, period: *period, series };
            let told = measured.told(start, set);
            few = told.is_some_and(|told| told.few);
            classify(condition, told.map(|told| told.value))
        }
        Slot::Partial(set) => classify_part(condition, set),
        Slot::Unknown | Slot::Held(_) => (None, Point::Unknown),
    };
    Datapoint { start, value, point, few }
}

/// What a period that was read in full gives.
#[derive(Clone, Copy)]
struct Told {
    value: f64,
    /// A percentile of fewer samples than CloudWatch calls significant.
    few: bool,
}

/// One series as it is measured.
#[derive(Clone, Copy)]
struct Measured<'a> {
    metric: &'a MetricRef,
    statistic: Statistic,
    period: Duration,
    series: &'a Series,
}

impl Measured<'_> {
    /// The value of the period that starts at `start` and was read as `set`; `None` when not all that a percentile is made of was kept.
    fn told(&self, start: Timestamp, set: StatisticSet) -> Option<Told> {
        let value = set.get(self.statistic);
        match (self.statistic, self.metric) {
            (Statistic::Percentile(p), MetricRef::Queue(_)) => {
                let values = self.series.values(start, self.period)?;
                let few = percentile::few(p, values.len() as f64);
                Some(Told { value: percentile::of(values, p)?, few })
            }
            (Statistic::Percentile(p), _) => Some(Told { value, few: percentile::few(p, set.count) }),
            _ => Some(Told { value, few: false }),
        }
    }
}

/// What is no finite number decides nothing: it cannot have been read.
fn classify(condition: &Condition, value: Option<f64>) -> (Option<f64>, Point) {
    let Some(value) = value.filter(|value| value.is_finite()) else { return (None, Point::Unknown) };
    let breaches = condition.comparison.breaches(value, condition.threshold);
    (Some(value), if breaches { Point::Breaching } else { Point::NotBreaching })
}

/// A period of which more may come. When the statistic can only move away from the threshold it is decided already.
fn classify_part(condition: &Condition, set: StatisticSet) -> (Option<f64>, Point) {
    let (value, point) = classify(condition, Some(set.get(condition.statistic)));
    let upward = matches!(condition.comparison, Comparison::GreaterThan | Comparison::GreaterThanOrEqual);
    let decided = match point {
        Point::Breaching => drift(condition) == Some(if upward { Drift::Up } else { Drift::Down }),
        Point::NotBreaching => drift(condition) == Some(if upward { Drift::Down } else { Drift::Up }),
        _ => return (None, point),
    };
    if decided { (value, point) } else { (None, Point::Undecided) }
}

/// Where further values can move a statistic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drift {
    Up,
    Down,
}

/// A sum only grows when no value is negative, which is sure of queues and not of custom metrics. A counter that is kept here
/// has one value a minute, which itself grows, so that its minimum may rise.
fn drift(condition: &Condition) -> Option<Drift> {
    let grows_within_a_minute = |metric: &MetricRef| match metric {
        MetricRef::Queue(metric) => {
            (metric.row().kind, metric.row().source) == (Kind::Counter, Source::Derived)
        }
        MetricRef::Custom(_) | MetricRef::Math(_) => false,
    };
    match (condition.statistic, &condition.metric) {
        (Statistic::Maximum | Statistic::SampleCount, _) | (Statistic::Sum, MetricRef::Queue(_)) => {
            Some(Drift::Up)
        }
        (Statistic::Minimum, metric) if !grows_within_a_minute(metric) => Some(Drift::Down),
        _ => None,
    }
}
