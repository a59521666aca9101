//! CloudWatch, read only: GetMetricData for any number of queries over one window.
//!
//! Queries are split by what one request may hold, pages are followed, and the status of each series is looked at: what is not
//! complete is said to be so, for an absent datapoint means something only in a complete answer.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use aws_smithy_types::DateTime;

use super::failure::{Failure, Reason};
use super::meter::{Meter, Operation};
use crate::domain::cost::Call;
use crate::domain::rule::Statistic;
use crate::domain::time::Timestamp;

/// SQS's own namespace. Nothing in it can be negative: all are counts, ages and sizes.
pub const SQS: &str = "AWS/SQS";
/// Queries that one request may hold.
pub const MAX_QUERIES: usize = 500;
/// Datapoints that one request may ask for.
pub const MAX_DATAPOINTS: usize = 100_800;
/// Pages of one request; what goes on longer does not end.
const MAX_PAGES: usize = 1_000;

/// One series to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The namespace, e.g. `AWS/SQS`.
    pub namespace: String,
    /// The metric's name there.
    pub metric: String,
    /// The exact dimensions.
    pub dimensions: Vec<(String, String)>,
    /// The statistic.
    pub statistic: Statistic,
    /// One datapoint's length.
    pub period: Duration,
}

/// The window that is read: `[from, until)`, both aligned to the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first instant.
    pub from: Timestamp,
    /// The exclusive end.
    pub until: Timestamp,
}

/// What was answered about one query.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The datapoints by the start of their period.
    pub datapoints: BTreeMap<Timestamp, f64>,
    /// Why this is not all there is; an absent datapoint means nothing then. `None` when the answer is complete.
    pub lacking: Option<Reason>,
}

impl Answer {
    /// No answer yet.
    const NONE: Self = Self { datapoints: BTreeMap::new(), lacking: Some(Reason::ServerError) };

    /// Whether all is there.
    pub fn is_complete(&self) -> bool {
        self.lacking.is_none()
    }
}

/// What was answered about all queries.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One for each query, in their order.
    pub answers: Vec<Answer>,
    /// The requests that failed; the queries of these are not complete.
    pub failures: Vec<Failure>,
    /// How many requests were answered.
    pub answered: usize,
}

/// CloudWatch in one region as one identity.
#[derive(Clone, Debug)]
pub struct CloudWatch {
    client: Client,
    meter: Meter,
}

impl CloudWatch {
    /// Takes the SDK's client.
    pub fn new(client: Client, meter: Meter) -> Self {
        Self { client, meter }
    }

    /// Reads all `queries` over `span`, in as few requests as there can be, one after the other.
    pub async fn read(&self, queries: &[Query], span: Span) -> Answers {
        let mut all = Answers::default();
        for chunk in queries.chunks(queries_a_request(queries, span)) {
            let (answers, failure) = self.request(chunk, span).await;
            all.answers.extend(answers);
            all.answered += usize::from(failure.is_none());
            all.failures.extend(failure);
        }
        all
    }

    /// One request with all its pages.
    async fn request(&self, queries: &[Query], span: Span) -> (Vec<Answer>, Option<Failure>) {
        let mut pages = Pages::new(queries, span);
        let asked: Vec<MetricDataQuery> =
            queries.iter().enumerate().map(|(index, query)| ask(index, query)).collect();
        let (mut token, mut tokens) = (None, HashSet::new());
        let call = Some(Call::MetricQueries(queries.len() as u64));
        for _ in 0..MAX_PAGES {
            let request = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(asked.clone()))
                .start_time(DateTime::from_millis(span.from.as_millis()))
                .end_time(DateTime::from_millis(span.until.as_millis()))
                .scan_by(ScanBy::TimestampAscending)
                .set_next_token(token)
                .send();
            let answer = match self.meter.request(Operation::GetMetricData, call, request).await {
                Ok(answer) => answer,
                Err(failure) => return (pages.finish(&self.meter, false), Some(failure)),
            };
            pages.add(answer.metric_data_results.unwrap_or_default());
            token = answer.next_token.filter(|token| !token.is_empty());
            match &token {
                None => return (pages.finish(&self.meter, true), None),
                Some(token) if !tokens.insert(token.clone()) => break,
                Some(_) => {}
            }
        }
        pages.distrust();
        let endless =
            Failure::plain(Operation::GetMetricData, Reason::BadAnswer, "the pages of the answer do not end");
        (pages.finish(&self.meter, false), Some(endless))
    }
}

/// How many of `queries` one request may hold over `span`.
pub fn queries_a_request(queries: &[Query], span: Span) -> usize {
    let period = queries.iter().map(|query| query.period).min().unwrap_or(Duration::MAX);
    let datapoints = span.until.since(span.from).as_millis().div_ceil(period.as_millis().max(1)).max(1);
    (MAX_DATAPOINTS / datapoints.min(MAX_DATAPOINTS as u128) as usize).clamp(1, MAX_QUERIES)
}

fn ask(index: usize, query: &Query) -> MetricDataQuery {
    let dimension = |(name, value): &(String, String)| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace(&query.namespace)
        .metric_name(&query.metric)
        .set_dimensions(Some(query.dimensions.iter().map(dimension).collect()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(query.period.as_secs()).unwrap_or(i32::MAX))
        .stat(query.statistic.to_string())
        .build();
    MetricDataQuery::builder().id(format!("q{index}")).metric_stat(stat).build()
}

/// The pages of one request's answer, put together.
#[derive(Debug)]
struct Pages<'a> {
    queries: &'a [Query],
    span: Span,
    answers: Vec<Answer>,
    garbled: bool,
}

impl<'a> Pages<'a> {
    fn new(queries: &'a [Query], span: Span) -> Self {
        Self { queries, span, answers: vec![Answer::NONE; queries.len()], garbled: false }
    }

    fn add(&mut self, results: Vec<MetricDataResult>) {
        for result in results {
            let index = result
                .id()
                .and_then(|id| id.strip_prefix('q'))
                .and_then(|digits| digits.parse::<usize>().ok());
            match index.filter(|index| *index < self.answers.len()) {
                Some(index) => self.add_series(index, &result),
                None => self.garbled = true,
            }
        }
    }

    /// The last page's status stands, as a series that goes on is partial until its last page; but sense that is lost on one
    /// page does not come back on another.
    fn add_series(&mut self, index: usize, result: &MetricDataResult) {
        let answer = &mut self.answers[index];
        let query = &self.queries[index];
        let counts = query.namespace == SQS || query.statistic == Statistic::SampleCount;
        let sound = result.timestamps().len() == result.values().len()
            && result.values().iter().all(|value| value.is_finite() && (*value >= 0.0 || !counts));
        self.garbled |= !sound;
        answer.lacking = match result.status_code() {
            _ if !sound || answer.lacking == Some(Reason::BadAnswer) => Some(Reason::BadAnswer),
            Some(StatusCode::Complete) => None,
            Some(StatusCode::Forbidden) => Some(Reason::Denied),
            _ => Some(Reason::ServerError),
        };
        for (at, value) in result.timestamps().iter().zip(result.values()) {
            let at = at.to_millis().map(Timestamp::from_millis).ok();
            let at = at.filter(|at| (self.span.from..self.span.until).contains(at));
            match at.filter(|_| sound) {
                Some(at) => {
                    let slot = at.floor(self.queries[index].period);
                    self.garbled |= answer.datapoints.insert(slot, *value).is_some();
                }
                None => self.garbled = true,
            }
        }
    }

    /// Nothing of an answer that has no end is complete.
    fn distrust(&mut self) {
        self.garbled = true;
        self.answers.iter_mut().for_each(|answer| answer.lacking = Some(Reason::BadAnswer));
    }

    /// Counts each kind of defect once, and those of single series only when the request did not fail as a `whole`.
    fn finish(self, meter: &Meter, whole: bool) -> Vec<Answer> {
        let lacks = |reason| whole && self.answers.iter().any(|answer| answer.lacking == Some(reason));
        for (reason, found) in [
            (Reason::BadAnswer, self.garbled),
            (Reason::Denied, lacks(Reason::Denied)),
            (Reason::ServerError, lacks(Reason::ServerError)),
        ] {
            if found {
                meter.failed(Operation::GetMetricData, reason);
            }
        }
        self.answers
    }
}
