//! One datapoint of an alarm: a statistic of a metric over a period, as an expression that has its value.
//!
//! CloudWatch has one value a minute and queue. So a period is made of the values at its whole minutes (a subquery of a minute's
//! steps), not of whatever was scraped: then sums, counts and averages are CloudWatch's, and the windows slide by a minute as its do.

use std::time::Duration;

use super::Cannot;
use super::promql::{self, Expr, Grid, ago};
use super::queues::{QUEUE, Queues, selector};
use crate::config::{Config, CustomMetric};
use crate::domain::metric::{Kind, Metric, Source};
use crate::domain::rule::{Condition, MetricRef, Rule, Statistic, Trigger};
use crate::domain::time::MINUTE;
use crate::web::exposition::{custom_family, custom_kind};

/// What the alerts of one rule are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An alert for each queue.
    Queue,
    /// An alert for each account and region.
    Area,
    /// One alert.
    Whole,
}

impl Subject {
    /// That of `rule`.
    pub fn of(rule: &Rule) -> Self {
        match &rule.trigger {
            _ if rule.judges_queues() => Self::Queue,
            Trigger::Metric(_) => Self::Area,
            Trigger::Composite(_) => Self::Whole,
        }
    }

    /// The labels.
    pub fn labels(self) -> &'static str {
        match self {
            Self::Queue => QUEUE,
            Self::Area => "account, region",
            Self::Whole => "",
        }
    }

    /// `of` once, however many instances of sqswatch export it.
    pub fn once(self, of: &str) -> Expr {
        Expr::closed(format!("max by ({}) ({of})", self.labels()))
    }
}

/// By how much the windows of CloudWatch slide, which is also how often a value counts.
pub fn step(period: Duration) -> Duration {
    if period < MINUTE { Duration::from_secs(10) } else { MINUTE }
}

/// Where the datapoints of one alarm come from.
#[derive(Clone, Copy, Debug)]
pub struct Datapoints<'a> {
    /// For what custom metrics are.
    pub config: &'a Config,
    /// What the alerts are told apart by.
    pub subject: Subject,
    /// The queues, when that is by queue.
    pub queues: &'a Queues,
    /// The length of a datapoint.
    pub period: Duration,
}

/// A family's series, the newest values or those of `offset` ago.
struct Series {
    text: String,
    kind: Kind,
}

impl<'a> Datapoints<'a> {
    /// Those of `condition`.
    pub fn new(config: &'a Config, rule: &Rule, condition: &Condition, queues: &'a Queues) -> Self {
        Self { config, subject: Subject::of(rule), queues, period: condition.period }
    }

    /// The datapoint of `metric` whose period ended `offset` ago. An expression is not a metric: `math.rs` has it.
    ///
    /// # Errors
    /// A statistic of which nothing is exported.
    pub fn value(&self, metric: &MetricRef, statistic: Statistic, offset: Duration) -> Result<Expr, Cannot> {
        match metric {
            MetricRef::Queue(metric) => self.of_queue(*metric, statistic, offset),
            MetricRef::Custom(name) => self.of_custom(name, statistic, offset),
            MetricRef::Math(_) => Err(Cannot::NoValue),
        }
    }

    fn of_queue(&self, metric: Metric, statistic: Statistic, offset: Duration) -> Result<Expr, Cannot> {
        let row = metric.row();
        let series = Series { text: self.queues.series(row.family, row.state), kind: row.kind };
        let minutes = matches!(statistic, Statistic::Sum | Statistic::Percentile(_));
        if (row.kind, row.source) == (Kind::Counter, Source::CloudWatch) && !minutes {
            return Err(Cannot::SumsOnly { metric: row.name, statistic });
        }
        Ok(self.statistic(Subject::Queue, &series, statistic, offset))
    }

    /// Of a metric that is exported as one statistic only that one can be told, over any number of minutes.
    fn of_custom(&self, name: &str, statistic: Statistic, offset: Duration) -> Result<Expr, Cannot> {
        let metric = self.custom(name).ok_or(Cannot::NoValue)?;
        if metric.statistic != statistic {
            let (exported, judged) = (metric.statistic, statistic);
            return Err(Cannot::Custom { metric: metric.name.clone(), exported, judged });
        }
        let kind = custom_kind(metric.statistic);
        let series = Series { text: custom_family(name, kind), kind };
        let over_minutes = match statistic {
            // The minutes' counts add up; a minute's percentile is CloudWatch's, of which the largest counts.
            Statistic::SampleCount => Statistic::Sum,
            Statistic::Percentile(_) => Statistic::Maximum,
            other => other,
        };
        let value = self.statistic(Subject::Area, &series, over_minutes, offset);
        Ok(match self.subject {
            Subject::Queue => Expr::tight(format!(
                "{} * on (account, region) group_left () {}",
                self.queues.all().text(),
                value.operand()
            )),
            _ => value,
        })
    }

    fn custom(&self, name: &str) -> Option<&'a CustomMetric> {
        self.config.custom_metrics.iter().find(|metric| &*metric.name == name)
    }

    fn statistic(&self, by: Subject, series: &Series, statistic: Statistic, offset: Duration) -> Expr {
        let step = step(self.period);
        if series.kind == Kind::Counter && statistic == Statistic::Sum {
            return rise(by, series, self.period, offset);
        }
        let point = |offset| match series.kind {
            Kind::Counter => rise(by, series, step, offset),
            Kind::Gauge => by.once(&format!("{}{}", series.text, ago(offset))),
        };
        if self.period == step {
            let value = point(offset);
            return match statistic {
                Statistic::SampleCount => Expr::tight(format!("0 * {} + 1", value.operand())),
                _ => value,
            };
        }
        let window = Grid { reach: self.period, step, offset }.of(&point(Duration::ZERO));
        Expr::closed(match statistic {
            Statistic::Average => format!("avg_over_time({window})"),
            Statistic::Sum => format!("sum_over_time({window})"),
            Statistic::Minimum => format!("min_over_time({window})"),
            Statistic::Maximum => format!("max_over_time({window})"),
            Statistic::SampleCount => format!("count_over_time({window})"),
            Statistic::Percentile(p) => {
                // Rounded, as 99.9 / 100 is 0.9990000000000001.
                let part = (p * 1e10).round() / 1e12;
                format!("quantile_over_time({}, {window})", promql::number(part).text())
            }
        })
    }

    /// What says that a subject is there, with any value: a watched queue, or an account and region in which a custom metric is read.
    pub fn presence(&self, metrics: &[&MetricRef]) -> Option<Expr> {
        let custom = metrics.iter().find_map(|metric| match metric {
            MetricRef::Custom(name) => Some(name),
            _ => None,
        });
        match self.subject {
            Subject::Queue => Some(self.queues.all()),
            _ => custom.map(|name| {
                let matcher = format!("metric={}", promql::quoted(name));
                let family = "sqswatch_custom_metric_last_reading_timestamp_seconds";
                self.subject.once(&selector(family, [&matcher]))
            }),
        }
    }
}

/// By how much a counter has risen. `increase` would do, but it extrapolates, and it sees nothing of a period with fewer than two
/// scrapes; the difference is exact, and a counter that started anew is 0 instead of negative. The earlier value is sought over as
/// long as Prometheus looks back anyhow, but past the mark that a restart of sqswatch leaves.
fn rise(by: Subject, series: &Series, period: Duration, offset: Duration) -> Expr {
    let Series { text, .. } = series;
    let before = format!("last_over_time({text}[5m]{})", ago(offset + period));
    let rise = format!("{text}{} - {before}", ago(offset));
    Expr::closed(format!("clamp_min({}, 0)", by.once(&rise).text()))
}
