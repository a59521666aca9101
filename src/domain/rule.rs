//! An alarm's definition: which queues it looks at, and under which condition it fires.
//!
//! The names and limits are CloudWatch's (PutMetricAlarm API); specs are restated in docs/alarms.md.

mod missing;
mod selector;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::composite::{Composite, Scope};
use super::flapping::Rate;
use super::growth::Growth;
use super::math::Math;
use super::metric::Metric;
use super::time::MINUTE;
pub use missing::{LowSamples, MissingData};
pub use selector::{Glob, RoleSelector, Selector};

/// One alarm rule of the configuration. It stands for as many alarms as it selects queues.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique in the configuration.
    pub name: Arc<str>,
    /// What it means to the person who is woken; may be empty.
    pub description: String,
    /// Which queues it judges; meaningless for a custom metric.
    pub selector: Selector,
    /// When it fires.
    pub trigger: Trigger,
    /// How bad it is.
    pub severity: Severity,
    /// The destinations by name; already defaulted from the top-level `notify`.
    pub notify: Vec<Arc<str>>,
    /// How often to tell again while it stays in ALARM; `None` is never.
    pub repeat: Option<Duration>,
    /// Tells again when the value has risen since it was last told; `None` is never. Without meaning for a composite alarm.
    pub repeat_on: Option<Growth>,
    /// Beyond which rate changes of state are not told one by one; `None` tells every one.
    pub flapping: Option<Rate>,
    /// Free labels that travel with every notification.
    pub labels: BTreeMap<String, String>,
}

impl Rule {
    /// An alarm on every queue that tells nobody: what the configuration's defaults give.
    pub fn new(name: &str, trigger: Trigger) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            selector: Selector::default(),
            trigger,
            severity: Severity::default(),
            notify: Vec::new(),
            repeat: None,
            repeat_on: None,
            flapping: None,
            labels: BTreeMap::new(),
        }
    }

    /// [`Rule::new`] for a metric alarm.
    pub fn on(name: &str, condition: Condition) -> Self {
        Self::new(name, Trigger::Metric(condition))
    }

    /// The condition of a metric alarm; a composite alarm has none.
    pub fn condition(&self) -> Option<&Condition> {
        match &self.trigger {
            Trigger::Metric(condition) => Some(condition),
            Trigger::Composite(_) => None,
        }
    }

    /// Whether it has an alarm for each queue it selects.
    pub fn judges_queues(&self) -> bool {
        match &self.trigger {
            Trigger::Metric(condition) => condition.metric.is_of_queues(),
            Trigger::Composite(composite) => composite.scope == Scope::EachQueue,
        }
    }
}

/// What makes an alarm fire.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// The datapoints of a metric.
    Metric(Condition),
    /// The states of other alarms.
    Composite(Composite),
}

/// When a metric alarm fires, in CloudWatch's terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is measured.
    pub metric: MetricRef,
    /// Where CloudWatch has a custom metric, so that whoever is told can look there; `None` for a queue's metric.
    pub published: Option<Arc<Published>>,
    /// How the values of one period become one datapoint; without meaning for an expression, whose metrics have their own.
    pub statistic: Statistic,
    /// One datapoint's length: 10, 20, 30 s or a multiple of 60 s.
    pub period: Duration,
    /// N: how many datapoints are looked at.
    pub evaluation_periods: u32,
    /// M: how many of them must breach; 1 <= M <= N.
    pub datapoints_to_alarm: u32,
    /// How many datapoints back real ones are sought when some of N are missing; >= N.
    pub evaluation_range: u32,
    /// How a datapoint is held against the threshold.
    pub comparison: Comparison,
    /// The threshold, in the metric's unit.
    pub threshold: f64,
    /// What a missing datapoint counts as.
    pub missing_data: MissingData,
    /// What a percentile of few samples counts as; without meaning for other statistics.
    pub low_samples: LowSamples,
}

/// How many datapoints beyond N are looked at when the alarm does not say: AWS publishes no number, and this is what its one
/// example uses.
pub const RANGE_BEYOND_N: u32 = 2;

impl Condition {
    /// One datapoint of a minute decides: what CloudWatch's defaults give.
    pub fn new(metric: MetricRef, statistic: Statistic, comparison: Comparison, threshold: f64) -> Self {
        Self {
            metric,
            published: None,
            statistic,
            period: MINUTE,
            evaluation_periods: 1,
            datapoints_to_alarm: 1,
            evaluation_range: 1 + RANGE_BEYOND_N,
            comparison,
            threshold,
            missing_data: MissingData::default(),
            low_samples: LowSamples::default(),
        }
    }

    /// Whether periods with too few samples for a percentile must keep the state.
    pub fn ignores_low_samples(&self) -> bool {
        self.low_samples == LowSamples::Ignore && matches!(self.statistic, Statistic::Percentile(_))
    }

    /// How many periods back an evaluation looks for datapoints.
    pub fn range(&self) -> u32 {
        self.evaluation_range.max(self.evaluation_periods)
    }

    /// How much history an evaluation can look at. An expression that compares a period with an earlier one finds that within as much again.
    pub fn reach(&self) -> Duration {
        let range = match &self.metric {
            MetricRef::Math(math) if math.looks_back() => self.range().saturating_mul(2),
            _ => self.range(),
        };
        self.period.saturating_mul(range)
    }

    /// The metrics that are looked at, each with its statistic; several of an expression.
    pub fn measured(&self) -> Vec<(&MetricRef, Statistic)> {
        match &self.metric {
            MetricRef::Math(math) => {
                math.inputs.iter().map(|input| (&input.metric, input.statistic)).collect()
            }
            one => vec![(one, self.statistic)],
        }
    }
}

/// A custom metric in CloudWatch's own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The namespace.
    pub namespace: String,
    /// The metric's name there.
    pub metric: String,
    /// The exact dimensions.
    pub dimensions: BTreeMap<String, String>,
}

/// What an alarm measures.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricRef {
    /// A metric of the catalogue, of each selected queue.
    Queue(Metric),
    /// A metric of the configuration's `custom_metrics`, by its name there.
    Custom(Arc<str>),
    /// An expression over several of these. It is of each selected queue when it looks at a metric of queues, else of each account
    /// and region that has its custom metrics.
    Math(Arc<Math>),
}

impl MetricRef {
    /// Whether it is of queues.
    pub fn is_of_queues(&self) -> bool {
        match self {
            Self::Queue(_) => true,
            Self::Custom(_) => false,
            Self::Math(math) => math.inputs.iter().any(|input| input.metric.is_of_queues()),
        }
    }
}

/// How the values of a period become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// Mean of the values.
    Average,
    /// Sum of the values.
    Sum,
    /// Smallest value.
    Minimum,
    /// Largest value.
    Maximum,
    /// How many values there are.
    SampleCount,
    /// A percentile, 0 < p < 100, e.g. 99.9 for `p99.9`.
    Percentile(f64),
}

impl fmt::Display for Statistic {
    /// CloudWatch's spelling: `Average`, ..., `p99.9`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Average => f.write_str("Average"),
            Self::Sum => f.write_str("Sum"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Maximum => f.write_str("Maximum"),
            Self::SampleCount => f.write_str("SampleCount"),
            Self::Percentile(p) => write!(f, "p{p}"),
        }
    }
}

/// The text is none of the words that are understood here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord;

impl FromStr for Statistic {
    type Err = UnknownWord;

    /// Takes CloudWatch's spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "SampleCount" => Self::SampleCount,
            _ => {
                let digits =
                    text.strip_prefix('p').filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
                let percentile: f64 = digits.ok_or(UnknownWord)?.parse().map_err(|_| UnknownWord)?;
                if !(percentile > 0.0 && percentile < 100.0) {
                    return Err(UnknownWord);
                }
                Self::Percentile(percentile)
            }
        })
    }
}

/// The four static comparisons of CloudWatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    GreaterThan,
    /// `>=`
    GreaterThanOrEqual,
    /// `<`
    LessThan,
    /// `<=`
    LessThanOrEqual,
}

impl Comparison {
    /// Whether `value` breaches `threshold`. NaN never does.
    pub fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThan => value > threshold,
            Self::GreaterThanOrEqual => value >= threshold,
            Self::LessThan => value < threshold,
            Self::LessThanOrEqual => value <= threshold,
        }
    }

    /// CloudWatch's ComparisonOperator.
    pub fn as_cloudwatch(self) -> &'static str {
        match self {
            Self::GreaterThan => "GreaterThanThreshold",
            Self::GreaterThanOrEqual => "GreaterThanOrEqualToThreshold",
            Self::LessThan => "LessThanThreshold",
            Self::LessThanOrEqual => "LessThanOrEqualToThreshold",
        }
    }

    /// The short form, e.g. `>=`.
    pub fn as_symbol(self) -> &'static str {
        match self {
            Self::GreaterThan => ">",
            Self::GreaterThanOrEqual => ">=",
            Self::LessThan => "<",
            Self::LessThanOrEqual => "<=",
        }
    }
}

impl FromStr for Comparison {
    type Err = UnknownWord;

    /// Takes the short form or CloudWatch's.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::GreaterThan, Self::GreaterThanOrEqual, Self::LessThan, Self::LessThanOrEqual]
            .into_iter()
            .find(|comparison| comparison.as_symbol() == text || comparison.as_cloudwatch() == text)
            .ok_or(UnknownWord)
    }
}

/// How bad an alarm is, in PagerDuty's four words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For the record.
    Info,
    /// Look at it in working hours.
    #[default]
    Warning,
    /// Something fails.
    Error,
    /// Wake somebody.
    Critical,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// `info`, `warning`, `error` or `critical`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_in_both_spellings() {
        for comparison in [">", ">=", "<", "<="] {
            let read: Comparison = comparison.parse().unwrap();
            assert_eq!(read.as_symbol(), comparison);
            assert_eq!(read.as_cloudwatch().parse(), Ok(read));
        }
        assert_eq!("=>".parse::<Comparison>(), Err(UnknownWord));
        for (text, statistic) in [("p99.9", Statistic::Percentile(99.9)), ("Average", Statistic::Average)] {
            assert_eq!(text.parse(), Ok(statistic));
            assert_eq!(statistic.to_string(), text);
        }
        for wrong in ["p0", "p100", "p", "p-5", "pNaN", "pinf", "avg", ""] {
            assert_eq!(wrong.parse::<Statistic>(), Err(UnknownWord), "{wrong}");
        }
        assert_eq!("notBreaching".parse(), Ok(MissingData::NotBreaching));
        assert_eq!("critical".parse(), Ok(Severity::Critical));
    }

    #[test]
    fn nan_breaches_nothing() {
        for comparison in [Comparison::GreaterThan, Comparison::LessThanOrEqual] {
            assert!(!comparison.breaches(f64::NAN, 1.0));
        }
        assert!(Comparison::GreaterThanOrEqual.breaches(1.0, 1.0));
        assert!(!Comparison::GreaterThan.breaches(1.0, 1.0));
    }
}
