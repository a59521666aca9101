//! When a metric alarm fires: M of N datapoints, and what missing ones count as.
//!
//! No rule has a `for`: that would ask at each evaluation instead of once a period, could not say M of N, and would begin anew after
//! a single gap. What is asked is whether enough of the last N datapoints breach, so that an alert begins and ends where CloudWatch's does.

use std::time::Duration;

use super::Cannot;
use super::datapoint::{Datapoints, step};
use super::math::Formula;
use super::promql::{Expr, Grid, number, span};
use super::queues::Queues;
use crate::config::Config;
use crate::domain::metric::{Kind, Metric, Scope, Source};
use crate::domain::rule::{Comparison, Condition, MetricRef, MissingData, Rule, Statistic};
use crate::domain::time::MINUTE;

/// Up to how many datapoints of several minutes are written out one by one, so that their windows slide.
const MOST_WRITTEN_OUT: u32 = 5;

/// The expression of a metric alarm.
///
/// # Errors
/// Why there is none.
pub fn expression(
    config: &Config,
    rule: &Rule,
    condition: &Condition,
    notes: &mut Vec<String>,
) -> Result<String, Cannot> {
    let measured: Vec<&MetricRef> = condition.measured().into_iter().map(|(metric, _)| metric).collect();
    let scopes = measured.iter().filter_map(|metric| of_queue(metric)).map(|metric| metric.row().scope);
    let queues = scopes
        .filter(|scope| *scope != Scope::All && condition.missing_data == MissingData::Breaching)
        .fold(Queues::of(&rule.selector, config)?, Queues::having);
    let datapoints = Datapoints::new(config, rule, condition, &queues);
    let judged = Judged { condition, datapoints };
    note(config, condition, notes);
    let (n, m) = (condition.evaluation_periods, condition.datapoints_to_alarm);
    let firing = match condition.missing_data {
        MissingData::Breaching => {
            let present = datapoints.presence(&measured).ok_or(Cannot::NoValue)?;
            let fine = judged.counted(inverse(condition.comparison), n - m + 1, notes)?;
            Expr::lines("unless", &[judged.known_throughout(&present), fine])
        }
        _ => queues.joined(judged.counted(condition.comparison, m, notes)?),
    };
    Ok(firing.text().to_owned())
}

fn of_queue(metric: &MetricRef) -> Option<Metric> {
    match metric {
        MetricRef::Queue(metric) => Some(*metric),
        _ => None,
    }
}

/// What is not breaching.
fn inverse(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::GreaterThan => Comparison::LessThanOrEqual,
        Comparison::GreaterThanOrEqual => Comparison::LessThan,
        Comparison::LessThan => Comparison::GreaterThanOrEqual,
        Comparison::LessThanOrEqual => Comparison::GreaterThan,
    }
}

/// What is held against the threshold.
struct Judged<'a> {
    condition: &'a Condition,
    datapoints: Datapoints<'a>,
}

impl Judged<'_> {
    /// The datapoint whose period ended `offset` ago.
    fn value(&self, offset: Duration, notes: &mut Vec<String>) -> Result<Expr, Cannot> {
        match &self.condition.metric {
            MetricRef::Math(math) => {
                Formula { math, datapoints: self.datapoints, reach: self.condition.reach() }
                    .value(offset, notes)
            }
            metric => self.datapoints.value(metric, self.condition.statistic, offset),
        }
    }

    /// Has a value when at least `enough` of the last N datapoints compare so with the threshold.
    fn counted(&self, comparison: Comparison, enough: u32, notes: &mut Vec<String>) -> Result<Expr, Cannot> {
        let Condition { period, evaluation_periods: n, threshold, .. } = *self.condition;
        let (symbol, threshold) = (comparison.as_symbol(), number(threshold));
        if n == 1 {
            return Ok(self.value(Duration::ZERO, notes)?.with(symbol, &threshold));
        }
        if period == step(period) || n > MOST_WRITTEN_OUT {
            if period != step(period) {
                let period = span(period);
                notes.push(format!(
                    "It is judged over whole periods of {period}, not anew each minute, so that it can be up to {period} later."
                ));
            }
            let bits = self.value(Duration::ZERO, notes)?.with(&format!("{symbol} bool"), &threshold);
            let window = Grid { reach: period * n, step: period, offset: Duration::ZERO };
            let count = Expr::closed(format!("sum_over_time({})", window.of(&bits)));
            return Ok(count.with(">=", &number(f64::from(enough))));
        }
        let offsets = (0..n).map(|index| period * index);
        let each: Result<Vec<Expr>, Cannot> =
            offsets.map(|offset| Ok(self.value(offset, notes)?.with(symbol, &threshold))).collect();
        Ok(self.gathered(&each?, enough))
    }

    /// At least `enough` of these have a value.
    fn gathered(&self, each: &[Expr], enough: u32) -> Expr {
        if enough as usize == each.len() {
            return Expr::lines("and", each);
        }
        if enough == 1 {
            return Expr::lines("or", each);
        }
        let numbered = each.iter().enumerate().map(|(index, one)| {
            let (text, number) = (one.text(), index + 1);
            Expr::closed(format!("label_replace({text}, \"datapoint\", \"{number}\", \"\", \"\")"))
        });
        let all = Expr::lines("or", &numbered.collect::<Vec<_>>());
        let labels = self.datapoints.subject.labels();
        let count = Expr::closed(format!("count by ({labels}) (\n  {}\n)", all.text()));
        count.with(">=", &number(f64::from(enough)))
    }

    /// The subjects that were there during all of the N periods: what was not watched yet has nothing missing.
    fn known_throughout(&self, present: &Expr) -> Expr {
        let Condition { period, evaluation_periods: n, .. } = *self.condition;
        let (step, reach) = (step(period), period * n);
        let points = reach.as_secs() / step.as_secs().max(1);
        let window = Grid { reach, step, offset: Duration::ZERO };
        let count = Expr::closed(format!("count_over_time({})", window.of(present)));
        count.with(">=", &number(points as f64))
    }
}

fn note(config: &Config, condition: &Condition, notes: &mut Vec<String>) {
    let counters = condition.measured().into_iter().any(|(metric, statistic)| match metric {
        MetricRef::Queue(metric) => metric.row().kind == Kind::Counter,
        MetricRef::Custom(_) => statistic == Statistic::Sum,
        MetricRef::Math(_) => false,
    });
    let asked = condition.measured().into_iter().any(|(metric, _)| match metric {
        MetricRef::Queue(metric) => metric.row().source == Source::CloudWatch,
        _ => true,
    });
    if asked && config.poll.cloudwatch > condition.period {
        let every = span(config.poll.cloudwatch);
        notes.push(format!("CloudWatch is read every {every} (`poll.cloudwatch`): what it says of several periods arrives at once."));
    }
    let downward = matches!(condition.comparison, Comparison::LessThan | Comparison::LessThanOrEqual);
    if counters && (downward || condition.missing_data == MissingData::Breaching) {
        notes.push(
            "A counter has no gaps: a period without datapoints is 0 here and missing in CloudWatch."
                .to_owned(),
        );
    }
    if condition.missing_data == MissingData::Ignore {
        notes.push(
            "`treat_missing_data: ignore` keeps the state while datapoints are missing; here the alert ends."
                .to_owned(),
        );
    }
    if condition.missing_data == MissingData::Breaching {
        notes.push(
            "A queue or metric that was not there during all of the evaluation periods does not fire yet."
                .to_owned(),
        );
    }
    if condition.ignores_low_samples() {
        notes.push(
            "`evaluate_low_sample_count_percentile: ignore` keeps the state while there are few samples; here they count."
                .to_owned(),
        );
    }
    if condition.period < MINUTE {
        let step = span(step(condition.period));
        notes.push(format!("Scrape sqswatch every {step} or more often: no period can be finer than that."));
    }
}
