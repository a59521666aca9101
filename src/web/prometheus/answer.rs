//! Reads an answer of `/api/v1/query_range`, and believes no more of it than was asked.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Question, Silence};

#[derive(Deserialize)]
struct Answer {
    status: String,
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

/// The value of each bucket. What is no count (negative, no number) is none.
pub(super) fn read(body: &[u8], question: &Question) -> Result<Vec<Option<f64>>, Silence> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Silence::NotPrometheus)?;
    if answer.status != "success" || answer.data.result_type != "matrix" {
        return Err(Silence::NotPrometheus);
    }
    let mut buckets = vec![None; question.count];
    let series = match answer.data.result.as_slice() {
        [] => return Ok(buckets),
        [series] if is_of(&series.metric, question) => series,
        _ => return Err(Silence::Other),
    };
    for (at, value) in &series.values {
        let value: f64 = value.parse().map_err(|_| Silence::Other)?;
        if let Some(bucket) = bucket(*at, question).and_then(|bucket| buckets.get_mut(bucket)) {
            *bucket = Some(value).filter(|value| value.is_finite() && *value >= 0.0);
        }
    }
    Ok(buckets)
}

/// Whether a series is of the queue that was asked for, and says nothing else of itself.
fn is_of(labels: &BTreeMap<String, String>, question: &Question) -> bool {
    let queue = &question.queue;
    let expected = [("account", &queue.account), ("queue", &queue.name), ("region", &queue.region)];
    labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .eq(expected.map(|(name, value)| (name, &**value)))
}

/// The bucket that ends at an instant.
fn bucket(at: f64, question: &Question) -> Option<usize> {
    let place = ((at - question.first.as_secs_f64()) / question.step.as_secs_f64()).round() - 1.0;
    (0.0..question.count as f64).contains(&place).then_some(place as usize)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::metric::Metric;
    use crate::domain::queue::QueueId;
    use crate::domain::time::Timestamp;

    fn question() -> Question {
        Question {
            queue: QueueId::new("1", "r", "q"),
            metrics: vec![Metric::MessagesVisible],
            first: Timestamp::from_secs(1000 * 60),
            step: Duration::from_secs(60),
            count: 3,
        }
    }

    fn read_series(series: &str) -> Result<Vec<Option<f64>>, Silence> {
        let body =
            format!(r#"{{"status": "success", "data": {{"resultType": "matrix", "result": [{series}]}}}}"#);
        read(body.as_bytes(), &question())
    }

    fn with_values(values: &str) -> Result<Vec<Option<f64>>, Silence> {
        read_series(&format!(
            r#"{{"metric": {{"account": "1", "region": "r", "queue": "q"}}, "values": [{values}]}}"#
        ))
    }

    #[test]
    fn values_stand_in_the_bucket_that_ends_at_their_instant() {
        for (values, expected) in [
            ("", [None; 3]),
            (r#"[60060, "5"], [60180, "7.5e0"]"#, [Some(5.0), None, Some(7.5)]),
            (r#"[60060.4, "5"]"#, [Some(5.0), None, None]),
            (r#"[60000, "1"], [60240, "2"], [-1e300, "3"], [1e300, "4"]"#, [None; 3]),
            (r#"[60060, "NaN"], [60120, "+Inf"], [60180, "-1"]"#, [None; 3]),
        ] {
            assert_eq!(with_values(values), Ok(expected.to_vec()), "{values}");
        }
        assert_eq!(read_series(""), Ok(vec![None; 3]), "nothing is stored");
    }

    #[test]
    fn what_was_not_asked_for_is_not_believed() {
        let series = |labels: &str| format!(r#"{{"metric": {{{labels}}}, "values": [[60060, "5"]]}}"#);
        let right = series(r#""account": "1", "region": "r", "queue": "q""#);
        for result in [
            series(""),
            series(r#""account": "1", "region": "r", "queue": "other""#),
            series(r#""account": "1", "region": "r", "queue": "q", "instance": "x""#),
            series(r#""account": "1", "region": "r""#),
            format!("{right}, {right}"),
            right.replace(r#""5""#, r#""five""#),
        ] {
            assert_eq!(read_series(&result), Err(Silence::Other), "{result}");
        }
        for body in [
            "",
            "<html>Sign in</html>",
            "[]",
            "{}",
            r#"{"status": "error", "errorType": "bad_data", "error": "<script>"}"#,
            r#"{"status": "error", "data": {"resultType": "matrix", "result": []}}"#,
            r#"{"status": "success", "data": {"resultType": "vector", "result": []}}"#,
            r#"{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, 2]]}]}}"#,
            r#"{"status": "success", "data": {"resultType": "matrix", "result": {"#,
        ] {
            assert_eq!(read(body.as_bytes(), &question()), Err(Silence::NotPrometheus), "{body}");
        }
    }
}
