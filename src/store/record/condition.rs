//! A metric alarm's condition as it was told: metric or expression, statistic, comparison, and the rest of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{RecordError, word};
use crate::domain::math::{Input, Math};
use crate::domain::rule::{Condition, LowSamples, MetricRef, Published};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MetricRecord {
    Queue(String),
    Custom(String),
    Math { expression: String, inputs: Vec<InputRecord> },
}

#[derive(Debug, Serialize, Deserialize)]
struct InputRecord {
    id: String,
    metric: MetricRecord,
    statistic: String,
}

impl From<&MetricRef> for MetricRecord {
    fn from(metric: &MetricRef) -> Self {
        match metric {
            MetricRef::Queue(metric) => Self::Queue(metric.name().into()),
            MetricRef::Custom(name) => Self::Custom(name.to_string()),
            MetricRef::Math(math) => {
                let input = |input: &Input| InputRecord {
                    id: input.id.to_string(),
                    metric: (&input.metric).into(),
                    statistic: input.statistic.to_string(),
                };
                Self::Math {
                    expression: math.text.to_string(),
                    inputs: math.inputs.iter().map(input).collect(),
                }
            }
        }
    }
}

impl TryFrom<MetricRecord> for MetricRef {
    type Error = RecordError;

    fn try_from(record: MetricRecord) -> Result<Self, RecordError> {
        Ok(match record {
            MetricRecord::Queue(name) => Self::Queue(word("metric", &name)?),
            MetricRecord::Custom(name) => Self::Custom(name.into()),
            MetricRecord::Math { expression, inputs } => {
                let input = |input: InputRecord| {
                    Ok(Input {
                        id: input.id.into(),
                        metric: input.metric.try_into()?,
                        statistic: word("statistic", &input.statistic)?,
                    })
                };
                let inputs = inputs.into_iter().map(input).collect::<Result<_, RecordError>>()?;
                let unknown = |_| RecordError::Word { what: "expression", word: expression.clone() };
                Self::Math(Arc::new(Math::parse(&expression, inputs).map_err(unknown)?))
            }
        })
    }
}

/// [`Published`].
#[derive(Debug, Serialize, Deserialize)]
struct PublishedRecord {
    namespace: String,
    metric: String,
    dimensions: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ConditionRecord {
    metric: MetricRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published: Option<PublishedRecord>,
    statistic: String,
    period: u64,
    evaluation_periods: u32,
    datapoints_to_alarm: u32,
    evaluation_range: u32,
    comparison: String,
    /// `null` stands for a threshold that JSON cannot write (NaN, infinite).
    threshold: Option<f64>,
    missing_data: String,
    #[serde(default = "evaluate")]
    low_samples: String,
}

fn evaluate() -> String {
    LowSamples::default().as_str().into()
}

impl From<&Condition> for ConditionRecord {
    fn from(condition: &Condition) -> Self {
        Self {
            metric: (&condition.metric).into(),
            published: condition.published.as_deref().map(|published| PublishedRecord {
                namespace: published.namespace.clone(),
                metric: published.metric.clone(),
                dimensions: published.dimensions.clone(),
            }),
            statistic: condition.statistic.to_string(),
            period: u64::try_from(condition.period.as_millis()).unwrap_or(u64::MAX),
            evaluation_periods: condition.evaluation_periods,
            datapoints_to_alarm: condition.datapoints_to_alarm,
            evaluation_range: condition.evaluation_range,
            comparison: condition.comparison.as_symbol().into(),
            threshold: Some(condition.threshold),
            missing_data: condition.missing_data.as_str().into(),
            low_samples: condition.low_samples.as_str().into(),
        }
    }
}

impl TryFrom<ConditionRecord> for Condition {
    type Error = RecordError;

    fn try_from(record: ConditionRecord) -> Result<Self, RecordError> {
        Ok(Self {
            metric: record.metric.try_into()?,
            published: record.published.map(|record| {
                let PublishedRecord { namespace, metric, dimensions } = record;
                Arc::new(Published { namespace, metric, dimensions })
            }),
            statistic: word("statistic", &record.statistic)?,
            period: Duration::from_millis(record.period),
            evaluation_periods: record.evaluation_periods,
            datapoints_to_alarm: record.datapoints_to_alarm,
            evaluation_range: record.evaluation_range,
            comparison: word("comparison", &record.comparison)?,
            threshold: record.threshold.unwrap_or(f64::NAN),
            missing_data: word("missing data treatment", &record.missing_data)?,
            low_samples: word("low sample treatment", &record.low_samples)?,
        })
    }
}
