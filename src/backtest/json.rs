//! The JSON that `aws cloudwatch get-metric-data` prints; several such documents may follow one another.
//!
//! A series' label names the queue. The metric comes from the label as well when it is in it (`orders messages_visible`,
//! `orders/NumberOfMessagesSent`, in either order), else from the caller.

use std::io::{self, BufRead, Read};

use serde::Deserialize;

use super::data::{BYTE_ORDER_MARK, Collector, Refusal, Shown};
use crate::domain::metric::Metric;
use crate::domain::rule::{Condition, MetricRef, Rule};
use crate::domain::time::Timestamp;

/// The largest input that is read, in bytes.
const LARGEST: u64 = 1 << 30;
/// Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5000.
const MILLISECONDS: f64 = 1e11;

/// What is used of one document.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    metric_data_results: Vec<Series>,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    messages: Option<Vec<Message>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Series {
    #[serde(default)]
    id: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    timestamps: Vec<Instant>,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    status_code: Option<String>,
    #[serde(default)]
    messages: Option<Vec<Message>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(default)]
    value: String,
}

/// As version 2 of the command writes an instant, and as version 1 does.
#[derive(Deserialize)]
#[serde(untagged)]
enum Instant {
    Text(String),
    Epoch(f64),
}

impl Instant {
    fn read(&self) -> Result<Timestamp, Refusal> {
        match self {
            Self::Text(text) => text.parse().map_err(|_| {
                let message = format!("{} is no instant", Shown(text));
                Refusal::new(message, "RFC 3339 with an offset, or seconds since 1970")
            }),
            Self::Epoch(seconds) if seconds.abs() >= MILLISECONDS => {
                Ok(Timestamp::from_millis(*seconds as i64))
            }
            Self::Epoch(seconds) => Ok(Timestamp::from_millis((seconds * 1000.0).round() as i64)),
        }
    }
}

/// Reads documents to the end.
///
/// # Errors
/// When the input cannot be read.
pub(super) fn read(input: impl BufRead, collector: &mut Collector) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        collector.refuse(None, String::new(), Refusal::plain("is larger than 1 GiB"));
        return Ok(());
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    for document in serde_json::Deserializer::from_slice(bytes).into_iter::<Document>() {
        match document {
            Ok(document) => take(document, collector),
            Err(error) => {
                let hint = "it should be what `aws cloudwatch get-metric-data` prints with `--output json`";
                let refusal = Refusal::new(error.to_string(), hint);
                collector.refuse(Some(error.line()), String::new(), refusal);
                break;
            }
        }
    }
    Ok(())
}

fn take(document: Document, collector: &mut Collector) {
    for (position, series) in document.metric_data_results.iter().enumerate() {
        if collector.is_hopeless() {
            return;
        }
        let path = format!("MetricDataResults[{position}]");
        if let Err(refusal) = take_series(series, &path, collector) {
            collector.refuse(None, path, refusal);
        }
    }
    if document.next_token.is_some_and(|token| !token.is_empty()) {
        collector.note("the data ends with a NextToken: more of it was not fetched".to_owned());
    }
    for message in document.messages.into_iter().flatten() {
        collector.note(format!("CloudWatch said: {}", Shown(&message.value)));
    }
}

fn take_series(series: &Series, path: &str, collector: &mut Collector) -> Result<(), Refusal> {
    let (times, values) = (series.timestamps.len(), series.values.len());
    if times != values {
        return Err(Refusal::plain(format!("has {times} timestamps and {values} values")));
    }
    let label = if series.label.is_empty() { &series.id } else { &series.label };
    note_status(series, label, collector);
    let (queue, metric) = subject(label, collector)?;
    for (index, (at, value)) in series.timestamps.iter().zip(&series.values).enumerate() {
        let taken = at.read().and_then(|at| collector.row(queue, &metric, (at, *value)));
        if let Err(refusal) = taken {
            collector.refuse(None, format!("{path}.Timestamps[{index}]"), refusal);
        }
        if collector.is_hopeless() {
            break;
        }
    }
    Ok(())
}

fn note_status(series: &Series, label: &str, collector: &mut Collector) {
    match series.status_code.as_deref() {
        None | Some("Complete") => {}
        Some(other) => {
            let label = Shown(label);
            collector.note(format!("the series {label} is {other}: what it lacks counts as missing"));
        }
    }
    for message in series.messages.iter().flatten() {
        collector.note(format!("CloudWatch said of {}: {}", Shown(label), Shown(&message.value)));
    }
}

/// Queue and metric of a label.
fn subject<'a>(label: &'a str, collector: &Collector) -> Result<(&'a str, MetricRef), Refusal> {
    let label = label.trim();
    let separator = |c: char| c.is_whitespace() || matches!(c, '/' | ':' | ',');
    if let Some((head, tail)) = label.rsplit_once(separator)
        && let Ok(metric) = collector.metric(tail)
    {
        return Ok((head.trim_end_matches(separator), metric));
    }
    if let Some((head, tail)) = label.split_once(separator)
        && let Ok(metric) = collector.metric(head)
    {
        return Ok((tail.trim_start_matches(separator), metric));
    }
    match collector.metric(label) {
        Ok(metric @ MetricRef::Custom(_)) => return Ok(("", metric)),
        Ok(MetricRef::Queue(metric)) if metric.row().cloudwatch == Some(label) => {
            return Err(Refusal::new(
                format!("the label {} names no queue", Shown(label)),
                "give each query of get-metric-data the queue's name as its Label",
            ));
        }
        _ => {}
    }
    let metric = collector.metric.clone().ok_or_else(|| {
        Refusal::new(
            format!("the label {} names no metric", Shown(label)),
            "say which with `--metric NAME`, or label the series `QUEUE METRIC`",
        )
    })?;
    Ok((label, metric))
}

/// The metric of labels that name none: the one that all rules look at, if it is one.
pub fn fallback_metric(rules: &[Rule]) -> Option<MetricRef> {
    let measured = |metric: &MetricRef| match metric {
        MetricRef::Queue(Metric::InFlightRatio) => MetricRef::Queue(Metric::MessagesInFlight),
        other => other.clone(),
    };
    let conditions = rules.iter().filter_map(Rule::condition);
    let mut metrics = conditions.flat_map(Condition::measured).map(|(metric, _)| measured(metric));
    let first = metrics.next()?;
    metrics.all(|metric| metric == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::super::data::Data;
    use super::*;

    const VISIBLE: Metric = Metric::MessagesVisible;

    fn parse(text: &str, metric: Option<Metric>) -> Result<Data, String> {
        let mut collector = Collector::default().with_metric(metric.map(MetricRef::Queue));
        read(text.as_bytes(), &mut collector).unwrap();
        collector.finish("data.json").map_err(|faults| faults.to_string())
    }

    fn document(label: &str) -> String {
        format!(
            r#"{{"MetricDataResults": [{{"Id": "m1", "Label": "{label}", "StatusCode": "Complete",
                "Timestamps": ["2026-01-02T03:04:00+00:00", 1767323100.0, "2026-01-02T04:06:00+01:00", 1767323220000],
                "Values": [1, 2.0, 3, 4]}}], "Messages": []}}"#
        )
    }

    #[test]
    fn the_label_is_the_queue_and_may_name_the_metric() {
        let expected = parse(&document("orders"), Some(VISIBLE)).unwrap();
        let points = &expected.queues["orders"][&VISIBLE];
        let minutes: Vec<i64> = points.iter().map(|(at, _)| (at.as_secs() - 1_767_323_040) / 60).collect();
        assert_eq!(minutes, [0, 1, 2, 3]);
        for label in [
            "orders ApproximateNumberOfMessagesVisible",
            "orders/messages_visible",
            "messages_visible: orders",
            " orders , messages_visible",
        ] {
            assert_eq!(
                parse(&document(label), Some(Metric::MessagesSent)).as_ref(),
                Ok(&expected),
                "{label}"
            );
        }
        let faults = parse(&document("orders"), None).unwrap_err();
        assert!(faults.contains("MetricDataResults[0]") && faults.contains("--metric"), "{faults}");
        let faults = parse(&document("NumberOfMessagesSent"), Some(VISIBLE)).unwrap_err();
        assert!(faults.contains("names no queue"), "{faults}");
    }

    #[test]
    fn what_was_not_fetched_is_said() {
        let text = r#"{"MetricDataResults": [{"Id": "m1", "Label": "q", "StatusCode": "PartialData",
            "Timestamps": [1767323100], "Values": [1]}], "NextToken": "x"}
            {"MetricDataResults": [{"Label": "q", "Timestamps": [1767323160], "Values": [1]}]}"#;
        let data = parse(text, Some(VISIBLE)).unwrap();
        assert_eq!(data.count(), 2, "a second document goes on");
        assert!(
            data.notes[0].contains("PartialData") && data.notes[1].contains("NextToken"),
            "{:?}",
            data.notes
        );
    }

    #[test]
    fn broken_documents_are_refused_with_their_place() {
        for (text, fault) in [
            ("{", "data.json:1: EOF"),
            (r#"{"MetricDataResults": [{"Label": "q", "Timestamps": [1, 2"#, "EOF"),
            ("{}", "missing field `MetricDataResults`"),
            ("[]", "data.json:1: "),
            (r#"{"MetricDataResults": 3}"#, "invalid type"),
            (r#"{"MetricDataResults": []}"#, "no datapoint"),
            (
                r#"{"MetricDataResults": [{"Label": "q", "Timestamps": [1, 2], "Values": [1]}]}"#,
                "2 timestamps and 1 values",
            ),
            (
                r#"{"MetricDataResults": [{"Label": "q", "Timestamps": ["noon"], "Values": [1]}]}"#,
                "Timestamps[0]: `noon`",
            ),
            (r#"{"MetricDataResults": [{"Label": "q", "Timestamps": [1], "Values": [-1]}]}"#, "negative"),
            (
                r#"{"MetricDataResults": [{"Label": "q", "Timestamps": [1], "Values": [1e999]}]}"#,
                "out of range",
            ),
            (r#"{"MetricDataResults": [{"Label": "q", "Timestamps": [1], "Values": [null]}]}"#, "null"),
            (r#"{"MetricDataResults": [{"Timestamps": [1], "Values": [1]}]}"#, "no queue"),
        ] {
            let faults = parse(text, Some(VISIBLE)).unwrap_err();
            assert!(faults.contains(fault), "{fault:?} is missing in {faults}");
        }
        assert!(parse(&"[".repeat(1_000_000), None).is_err());
    }
}
