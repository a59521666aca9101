//! GetMetricData: limits, paging, and the StatusCode of each series.
//!
//! A page holds at most MaxDatapoints datapoints of all series together. A series that goes on with the next page is
//! `PartialData` on this one, and `Complete` on the page that ends it. CloudWatch API reference, GetMetricData.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Dimension, offset_token, parse, read_offset, series_key, statistic, validation, window};
use crate::simulator::call::{Answer, Call};
use crate::simulator::clock;
use crate::simulator::cloud::Cloud;
use crate::simulator::fault::{Faults, SeriesStatus};
use crate::simulator::refusal::Refusal;
use crate::simulator::shared::{Shared, lock};

const MAX_QUERIES: usize = 500;
const MAX_DATAPOINTS: i64 = 100_800;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMetricData {
    #[serde(default)]
    metric_data_queries: Vec<Query>,
    start_time: f64,
    end_time: f64,
    scan_by: Option<String>,
    max_datapoints: Option<i64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: String,
    metric_stat: Option<MetricStat>,
    expression: Option<String>,
    label: Option<String>,
    return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Metric,
    period: i64,
    stat: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

/// One series, found.
struct Series<'a> {
    id: &'a str,
    label: &'a str,
    points: Vec<(i64, f64)>,
    fault: Option<SeriesStatus>,
}

/// Answers one call. `endless`: every page has a next one.
pub fn answer(shared: &Shared, call: &Call, endless: bool) -> Result<Answer, Refusal> {
    let input: GetMetricData = parse(call)?;
    check(&input)?;
    let newest_first = match input.scan_by.as_deref() {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => {
            return Err(validation(format!("The value {other} for parameter ScanBy is not valid.")));
        }
    };
    let size = input.max_datapoints.unwrap_or(MAX_DATAPOINTS);
    if !(1..=MAX_DATAPOINTS).contains(&size) {
        return Err(validation("MaxDatapoints must be between 1 and 100800."));
    }
    let mark = mark(&input);
    let from = input.next_token.as_deref().map_or(Ok(0), |token| read_offset(token, mark))?;
    let mut series = find(shared, call, &input)?;
    if newest_first {
        series.iter_mut().for_each(|series| series.points.reverse());
    }
    let (results, next) = page(&series, from, size as usize);
    let mut answer = json!({"MetricDataResults": results, "Messages": []});
    if let Some(offset) = next.or(endless.then_some(0)) {
        answer["NextToken"] = offset_token(offset, mark).into();
    }
    Ok(Answer::Value(answer))
}

fn check(input: &GetMetricData) -> Result<(), Refusal> {
    let queries = &input.metric_data_queries;
    if queries.is_empty() {
        return Err(validation("The parameter MetricDataQueries is required."));
    }
    if queries.len() > MAX_QUERIES {
        let message =
            format!("The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.");
        return Err(validation(message));
    }
    let mut ids = HashSet::new();
    for Query { id, .. } in queries {
        if !id.starts_with(|first: char| first.is_ascii_lowercase())
            || id.len() > 255
            || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(validation(format!(
                "The value {id} for parameter MetricDataQueries.Id is not valid."
            )));
        }
        if !ids.insert(id) {
            return Err(validation(format!("The id {id} is used more than once in MetricDataQueries.")));
        }
    }
    Ok(())
}

/// What a page token is bound to: another request with it is refused.
fn mark(input: &GetMetricData) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.metric_data_queries.iter().for_each(|query| query.id.hash(&mut hasher));
    (input.start_time.to_bits(), input.end_time.to_bits()).hash(&mut hasher);
    hasher.finish()
}

fn find<'a>(shared: &Shared, call: &Call, input: &'a GetMetricData) -> Result<Vec<Series<'a>>, Refusal> {
    let mut cloud = lock(&shared.cloud);
    let mut faults = lock(&shared.faults);
    let mut found = Vec::with_capacity(input.metric_data_queries.len());
    for query in &input.metric_data_queries {
        let series = one(shared, call, &mut cloud, &mut faults, (input, query))?;
        if query.return_data != Some(false) {
            found.push(series);
        }
    }
    Ok(found)
}

fn one<'a>(
    shared: &Shared,
    call: &Call,
    cloud: &mut Cloud,
    faults: &mut Faults,
    (input, query): (&'a GetMetricData, &'a Query),
) -> Result<Series<'a>, Refusal> {
    let (Some(MetricStat { metric, period, stat }), None) = (&query.metric_stat, &query.expression) else {
        return Err(validation("The simulator knows MetricStat only, no Expression."));
    };
    let key = series_key(&metric.namespace, &metric.metric_name, &metric.dimensions)?;
    let statistic = statistic(stat)?;
    let window = window(input.start_time, input.end_time, *period)?;
    let now = clock::now();
    let synthetic = shared.synthetic.as_ref().filter(|_| call.caller == shared.home);
    let points = match synthetic.and_then(|synthetic| synthetic.window(&key, window, now)) {
        Some(points) => points,
        None => cloud.realm(&call.caller).metrics.window(&key, window, now),
    };
    let mut points: Vec<(i64, f64)> =
        points.into_iter().filter_map(|(at, set)| Some((at, set.get(statistic)?))).collect();
    let fault = if faults.is_empty() { None } else { faults.of_series(key.queue()) };
    match fault {
        Some(SeriesStatus::PartialData) => points.truncate(points.len() / 2),
        Some(_) => points.clear(),
        None => {}
    }
    Ok(Series { id: &query.id, label: query.label.as_deref().unwrap_or(&metric.metric_name), points, fault })
}

/// The results between datapoint `from` and `from + size` of all series in a row, and where the next page starts.
fn page(series: &[Series<'_>], from: usize, size: usize) -> (Vec<Value>, Option<usize>) {
    let end = from.saturating_add(size);
    let mut results = Vec::new();
    let mut first = 0;
    for series in series {
        let last = first + series.points.len();
        let here =
            if series.points.is_empty() { (from..end).contains(&first) } else { first < end && last > from };
        if here {
            let points = &series.points[from.saturating_sub(first)..end.min(last) - first];
            results.push(result(series, points, last > end));
        }
        first = last;
    }
    // A series without datapoints can stand right at the end of a page, and belongs to the next one then.
    let more = first > end || (first == end && series.last().is_some_and(|series| series.points.is_empty()));
    (results, more.then_some(end))
}

fn result(series: &Series<'_>, points: &[(i64, f64)], goes_on: bool) -> Value {
    let timestamps: Vec<f64> = points.iter().map(|(at, _)| *at as f64).collect();
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let status = match series.fault {
        Some(status) => status.name(),
        None if goes_on => "PartialData",
        None => "Complete",
    };
    let mut result = json!({
        "Id": series.id, "Label": series.label, "StatusCode": status,
        "Timestamps": timestamps, "Values": values,
    });
    if series.fault == Some(SeriesStatus::Forbidden) {
        let why = "You are not authorized to perform the requested action";
        result["Messages"] = json!([{"Code": "Forbidden", "Value": why}]);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(id: &str, length: i64) -> Series<'_> {
        Series { id, label: id, points: (0..length).map(|at| (at * 60, at as f64)).collect(), fault: None }
    }

    #[test]
    fn pages_cover_every_series_once_and_say_what_goes_on() {
        let all = [series("a", 3), series("none", 0), series("b", 4), series("last", 0)];
        for size in 1..10 {
            let (mut from, mut seen) = (Some(0), Vec::new());
            let mut complete = Vec::new();
            while let Some(start) = from {
                let (results, next) = page(&all, start, size);
                let mut datapoints = 0;
                for result in &results {
                    let values = result["Values"].as_array().unwrap();
                    datapoints += values.len();
                    seen.extend(values.iter().map(|value| (result["Id"].clone(), value.clone())));
                    if result["StatusCode"] == "Complete" {
                        complete.push(result["Id"].as_str().unwrap().to_owned());
                    }
                }
                assert!(datapoints <= size);
                from = next;
            }
            assert_eq!(seen.len(), 7, "size {size}");
            assert_eq!(complete, ["a", "none", "b", "last"], "size {size}");
        }
    }
}
