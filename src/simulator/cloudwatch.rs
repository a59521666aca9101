//! CloudWatch: operations, in CBOR as well as in JSON. GetMetricData has a file of its own.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::call::{Answer, Call, Protocol};
use super::cbor;
use super::clock;
use super::metrics::{SeriesKey, Statistic, Statistics, Window};
use super::refusal::Refusal;
use super::shared::{Shared, lock};
use super::topic::timestamp;

mod get_metric_data;

const LIST_METRICS_PAGE: usize = 500;
const MAX_DIMENSIONS: usize = 30;
const MAX_DATA: usize = 1_000;
const MAX_VALUES: usize = 150;
const MAX_STATISTICS_DATAPOINTS: i64 = 1_440;

/// Answers one call. `endless`: every page has a next one.
pub fn answer(shared: &Shared, call: &Call, endless: bool) -> Result<Answer, Refusal> {
    match call.operation.as_str() {
        "GetMetricData" => get_metric_data::answer(shared, call, endless),
        "PutMetricData" => put_metric_data(shared, call),
        "ListMetrics" => list_metrics(shared, call),
        "GetMetricStatistics" => get_metric_statistics(shared, call),
        operation => Err(Refusal::unknown_operation(operation)),
    }
}

/// Reads the body of a call in either encoding.
fn parse<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    match call.protocol {
        Protocol::Cbor => {
            let value = cbor::decode(&call.body).map_err(Refusal::unreadable)?;
            serde_json::from_value(value).map_err(Refusal::unreadable)
        }
        _ => serde_json::from_slice(&call.body).map_err(Refusal::unreadable),
    }
}

/// A dimension; in ListMetrics the value is optional.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: Option<String>,
}

fn series_key(namespace: &str, metric: &str, dimensions: &[Dimension]) -> Result<SeriesKey, Refusal> {
    if namespace.is_empty() || namespace.len() > 255 || metric.is_empty() || metric.len() > 255 {
        return Err(validation("Namespace and MetricName must be 1 to 255 characters long."));
    }
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(validation("A metric can have up to 30 dimensions."));
    }
    let pairs: Vec<(&str, &str)> = dimensions
        .iter()
        .map(|dimension| (dimension.name.as_str(), dimension.value.as_deref().unwrap_or_default()))
        .collect();
    if pairs.iter().any(|(name, value)| name.is_empty() || value.is_empty()) {
        return Err(validation("Name and Value of a dimension must not be empty."));
    }
    Ok(SeriesKey::new(namespace, metric, &pairs))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutMetricData {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<f64>,
    value: Option<f64>,
    statistic_values: Option<StatisticSet>,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    counts: Vec<f64>,
    storage_resolution: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatisticSet {
    sample_count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

/// Unlike AWS, `AWS/` namespaces are taken as well: a test may put what SQS itself would.
fn put_metric_data(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: PutMetricData = parse(call)?;
    if input.metric_data.is_empty() {
        return Err(missing("The parameter MetricData is required."));
    }
    if input.metric_data.len() > MAX_DATA {
        return Err(validation("The collection MetricData must not have a size greater than 1000."));
    }
    let now = clock::now();
    // Read all before anything is stored, so that a refused request changes nothing.
    let data: Vec<(SeriesKey, i64, Statistics)> =
        input.metric_data.iter().map(|datum| datum.read(&input.namespace, now)).collect::<Result<_, _>>()?;
    let mut cloud = lock(&shared.cloud);
    let metrics = &mut cloud.realm(&call.caller).metrics;
    data.into_iter().for_each(|(key, at, statistics)| metrics.add(key, at, now, &statistics));
    Ok(Answer::Value(json!({})))
}

impl Datum {
    fn read(&self, namespace: &str, now: clock::Millis) -> Result<(SeriesKey, i64, Statistics), Refusal> {
        let key = series_key(namespace, &self.metric_name, &self.dimensions)?;
        let at = self.timestamp.map_or(now / 1_000, |at| at as i64);
        let resolution = match self.storage_resolution {
            Some(1) => 1,
            _ => 60,
        };
        Ok((key, at.div_euclid(resolution) * resolution, self.statistics()?))
    }

    fn statistics(&self) -> Result<Statistics, Refusal> {
        let mut statistics = Statistics::default();
        match (self.value, &self.statistic_values, self.values.as_slice()) {
            (Some(value), None, []) => statistics.add(value, 1.0),
            (None, Some(set), []) if set.sample_count > 0.0 && set.minimum <= set.maximum => {
                statistics = Statistics::summary(set.sample_count, set.sum, set.minimum, set.maximum);
            }
            (None, None, values @ [_, ..]) if values.len() <= MAX_VALUES => {
                if !self.counts.is_empty() && self.counts.len() != values.len() {
                    return Err(combination("Values and Counts must have the same length."));
                }
                let counts = self.counts.iter().copied().chain(std::iter::repeat(1.0));
                values.iter().zip(counts).for_each(|(value, count)| statistics.add(*value, count));
            }
            _ => return Err(combination("One of Value, Values or StatisticValues is required.")),
        }
        let numbers = [statistics.count, statistics.sum, statistics.minimum, statistics.maximum];
        match numbers.iter().all(|number| number.is_finite() && number.abs() <= 2f64.powi(360)) {
            true => Ok(statistics),
            false => Err(validation("A value must be a finite number between -2^360 and 2^360.")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListMetrics {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    next_token: Option<String>,
}

impl ListMetrics {
    fn wants(&self, key: &SeriesKey) -> bool {
        let has = |wanted: &Dimension| {
            key.dimensions.iter().any(|(name, value)| {
                *name == wanted.name && wanted.value.as_ref().is_none_or(|wanted| wanted == value)
            })
        };
        self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
            && self.metric_name.as_ref().is_none_or(|metric| *metric == key.metric)
            && self.dimensions.iter().all(has)
    }
}

fn list_metrics(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: ListMetrics = parse(call)?;
    let from = input.next_token.as_deref().map_or(Ok(0), |token| read_offset(token, 0))?;
    let mut cloud = lock(&shared.cloud);
    let keys: Vec<&SeriesKey> =
        cloud.realm(&call.caller).metrics.keys().filter(|key| input.wants(key)).collect();
    let page = keys.iter().skip(from).take(LIST_METRICS_PAGE);
    let metrics: Vec<Value> = page.map(|key| metric(key)).collect();
    let mut answer = json!({ "Metrics": metrics });
    if from + LIST_METRICS_PAGE < keys.len() {
        answer["NextToken"] = offset_token(from + LIST_METRICS_PAGE, 0).into();
    }
    Ok(Answer::Value(answer))
}

fn metric(key: &SeriesKey) -> Value {
    let dimension = |(name, value): &(String, String)| json!({"Name": name, "Value": value});
    let dimensions: Vec<Value> = key.dimensions.iter().map(dimension).collect();
    json!({"Namespace": key.namespace, "MetricName": key.metric, "Dimensions": dimensions})
}

/// A page token: an offset, and a mark of the request that it belongs to.
fn offset_token(offset: usize, mark: u64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{offset}:{mark}"))
}

fn read_offset(token: &str, mark: u64) -> Result<usize, Refusal> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let read = text.as_deref().and_then(|text| {
        let (offset, of) = text.split_once(':')?;
        (of.parse() == Ok(mark)).then_some(offset.parse().ok()?)
    });
    read.ok_or_else(|| {
        let message = "The next token is not valid.";
        Refusal::new("com.amazonaws.cloudwatch#InvalidNextToken", "InvalidNextToken", message)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMetricStatistics {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    start_time: f64,
    end_time: f64,
    period: i64,
    #[serde(default)]
    statistics: Vec<String>,
    #[serde(default)]
    extended_statistics: Vec<String>,
}

fn get_metric_statistics(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: GetMetricStatistics = parse(call)?;
    let key = series_key(&input.namespace, &input.metric_name, &input.dimensions)?;
    let window = window(input.start_time, input.end_time, input.period)?;
    if (window.end - window.start) / window.period > MAX_STATISTICS_DATAPOINTS {
        return Err(combination("You have requested more than 1440 datapoints."));
    }
    let names = || input.statistics.iter().chain(&input.extended_statistics);
    let statistics: BTreeMap<&str, Statistic> =
        names().map(|name| Ok((name.as_str(), statistic(name)?))).collect::<Result<_, Refusal>>()?;
    if statistics.is_empty() {
        return Err(missing("At least one of Statistics and ExtendedStatistics is required."));
    }
    let mut cloud = lock(&shared.cloud);
    let found = cloud.realm(&call.caller).metrics.window(&key, window, clock::now());
    let datapoints: Vec<Value> = found
        .iter()
        .map(|(at, set)| {
            let mut datapoint = json!({"Timestamp": *at as f64, "Unit": "None"});
            for (name, statistic) in &statistics {
                match statistic {
                    Statistic::Percentile(_) => {
                        datapoint["ExtendedStatistics"][*name] = json!(set.get(*statistic))
                    }
                    _ => datapoint[*name] = json!(set.get(*statistic)),
                }
            }
            datapoint
        })
        .collect();
    Ok(Answer::Value(json!({"Label": input.metric_name, "Datapoints": datapoints})))
}

/// A window as CloudWatch rounds it: the start down to the whole minute, or to the period below one.
fn window(start: f64, end: f64, period: i64) -> Result<Window, Refusal> {
    if !matches!(period, 1 | 5 | 10 | 20 | 30) && (period < 60 || period % 60 != 0 || period > 86_400) {
        return Err(validation("Period must be 1, 5, 10, 20, 30, or a multiple of 60 up to a day."));
    }
    // Beyond these bounds seconds are no dates, and sums of them could overflow.
    let seconds = |at: f64| (0.0..=253_402_300_799.0).contains(&at).then_some(at);
    let (Some(start), Some(end)) = (seconds(start), seconds(end)) else {
        return Err(validation("StartTime and EndTime must be dates."));
    };
    if start >= end {
        let (start, end) = (timestamp((start * 1e3) as i64), timestamp((end * 1e3) as i64));
        return Err(validation(format!(
            "The parameter StartTime ({start}) must be less than EndTime ({end})."
        )));
    }
    let step = period.min(60);
    let start = (start as i64).div_euclid(step) * step;
    Ok(Window { start, end: end.ceil() as i64, period })
}

fn statistic(name: &str) -> Result<Statistic, Refusal> {
    let message = || format!("The value {name} for parameter Stat is not supported.");
    Statistic::parse(name).ok_or_else(|| validation(message()))
}

fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new("com.amazonaws.cloudwatch#ValidationException", "ValidationError", message)
}

fn combination(message: &str) -> Refusal {
    let shape = "com.amazonaws.cloudwatch#InvalidParameterCombinationException";
    Refusal::new(shape, "InvalidParameterCombination", message)
}

fn missing(message: &str) -> Refusal {
    let shape = "com.amazonaws.cloudwatch#MissingRequiredParameterException";
    Refusal::new(shape, "MissingParameter", message)
}
