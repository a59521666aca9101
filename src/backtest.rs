//! The alarms of a configuration over recorded datapoints: which would have changed its state when, and why.
//!
//! ```text
//! csv json     what people have: rows of text, the answer of GetMetricData     -> data
//! data         the rows by queue and metric, every fault of them with its place
//! derived      the catalogue's derived metrics from the rows of their parts
//! roster       which queues a rule selects, as far as names and rows tell
//! replay       one condition at every instant of a range
//! report       the transitions and the states at the end
//! expect       what a team expects of them
//! ```
//!
//! It judges with the domain's functions, so that a verdict here is the daemon's. What differs is what is known: a gap in recorded
//! data is a missing datapoint, never an unknown one, and only closed periods count.

mod csv;
mod data;
mod derived;
mod expect;
mod json;
mod replay;
mod report;
mod roster;

use std::sync::Arc;

pub use data::{Collector, Data};
pub use expect::Expected;
pub use json::fallback_metric;
pub use replay::Range;
pub use report::{Change, End, Report};
pub use roster::Roster;

use crate::config::{CustomMetric, Faults};
use crate::domain::alarm::State;
use crate::domain::metric::Kind;
use crate::domain::rule::{Condition, MetricRef, Rule, Statistic, Trigger};

/// Reads rows of CSV, or the JSON that `aws cloudwatch get-metric-data` prints: the first character that is no blank tells which.
///
/// # Errors
/// Every fault of the data with its place.
pub fn read(
    mut input: impl std::io::BufRead,
    source_name: &str,
    mut collector: Collector,
) -> Result<Data, Faults> {
    let start = match input.fill_buf() {
        Ok(start) => start.strip_prefix(data::BYTE_ORDER_MARK).unwrap_or(start),
        Err(error) => return Err(collector.unreadable(source_name, &error)),
    };
    let is_json = matches!(start.trim_ascii_start().first(), Some(b'{' | b'['));
    let done = if is_json { json::read(input, &mut collector) } else { csv::read(input, &mut collector) };
    match done {
        Ok(()) => collector.finish(source_name),
        Err(error) => Err(collector.unreadable(source_name, &error)),
    }
}

/// Judges every rule over `data` at each instant of `range`; each alarm begins in `initial`.
pub fn run(rules: &[Rule], customs: &[CustomMetric], data: &Data, roster: &Roster, run: &Run) -> Report {
    let mut report = Report::default();
    for rule in rules {
        match &rule.trigger {
            Trigger::Metric(condition) => judge(&mut report, rule, condition, customs, data, roster, run),
            Trigger::Composite(_) => {
                report.note(format!("`{}` is a composite alarm: it is not judged here", rule.name));
            }
        }
    }
    report.sort();
    report
}

/// When is judged, and from which state on.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The instants.
    pub range: Range,
    /// Every alarm's state before the first of them.
    pub initial: State,
}

fn judge(
    report: &mut Report,
    rule: &Rule,
    condition: &Condition,
    customs: &[CustomMetric],
    data: &Data,
    roster: &Roster,
    run: &Run,
) {
    match &condition.metric {
        MetricRef::Queue(metric) => {
            for queue in roster.selected(rule) {
                let Some(rows) = data.queues.get(queue) else { continue };
                let points = match derived::points(*metric, rows) {
                    Ok(points) => points,
                    Err(lacking) => {
                        report
                            .note(format!("`{queue}` has no `{metric}`: {lacking}", metric = metric.name()));
                        Default::default()
                    }
                };
                let sums = metric.row().kind == Kind::Counter;
                let (transitions, state) = replay::replay(condition, &points, sums, run);
                report.add(&rule.name, Some(queue.clone()), transitions, state);
            }
        }
        MetricRef::Custom(name) => {
            let none = Vec::new();
            let points = data.customs.get(name).unwrap_or(&none);
            let sums =
                customs.iter().any(|custom| custom.name == *name && custom.statistic == Statistic::Sum);
            let (transitions, state) = replay::replay(condition, points, sums, run);
            report.add(&rule.name, Some(Arc::clone(name)), transitions, state);
        }
        MetricRef::Math(_) => report.note(format!("`{}` is an expression: it is not judged here", rule.name)),
    }
}
