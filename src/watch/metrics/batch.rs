//! Turns of one window, put together to requests, and asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Customs;
use super::plan::{Subject, Turn};
use crate::aws::cloudwatch::{Answer, Answers, CloudWatch, MAX_QUERIES, Query, SQS, Span};
use crate::aws::failure::{Failure, Reason};
use crate::aws::meter::Operation;
use crate::domain::backoff::Backoff;
use crate::domain::rule::Statistic;
use crate::domain::time::MINUTE;
use crate::watch::pace::Pace;

const RETRIES: Backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(5) };
const ATTEMPTS: u32 = 3;

/// Turns of one window that go into one request.
#[derive(Debug)]
pub struct Batch {
    span: Span,
    /// The turns; their statistics in this order are the queries.
    pub turns: Vec<Turn>,
    queries: Vec<Query>,
}

impl Batch {
    fn new(span: Span) -> Self {
        Self { span, turns: Vec::new(), queries: Vec::new() }
    }

    /// Asks, and again while that may help.
    pub async fn read(self, cloudwatch: CloudWatch, pace: Arc<Pace>) -> (Self, Answers) {
        let mut attempts = 0;
        loop {
            pace.turn().await;
            let answers = cloudwatch.read(&self.queries, self.span).await;
            let result = answers.failures.first().cloned().map_or(Ok(()), Err);
            pace.learn(&result);
            attempts += 1;
            match result {
                Err(failure) if failure.reason.is_transient() && attempts < ATTEMPTS => {
                    let wait = RETRIES.delay(attempts, fastrand::f64(), failure.retry_after);
                    tokio::time::sleep(wait).await;
                }
                _ => return (self, answers),
            }
        }
    }
}

/// The fewest batches that hold all turns.
pub fn batches(turns: Vec<Turn>, customs: &Customs) -> Vec<Batch> {
    let mut open: BTreeMap<Span, Batch> = BTreeMap::new();
    let mut full = Vec::new();
    for turn in turns {
        let asked = Span { until: turn.open_until.max(turn.span.until), ..turn.span };
        let batch = open.entry(asked).or_insert_with(|| Batch::new(asked));
        if batch.queries.len() + turn.statistics.len() > MAX_QUERIES {
            full.push(std::mem::replace(batch, Batch::new(asked)));
        }
        let statistics = turn.statistics.iter();
        batch.queries.extend(statistics.map(|statistic| query(&turn.subject, *statistic, customs)));
        batch.turns.push(turn);
    }
    full.extend(open.into_values());
    full
}

fn query(subject: &Subject, statistic: Statistic, customs: &Customs) -> Query {
    let (namespace, metric, dimensions) = match subject {
        Subject::Queue(id, metric) => {
            let metric = metric.row().cloudwatch.unwrap_or_default().to_owned();
            (SQS.to_owned(), metric, vec![("QueueName".to_owned(), id.name.to_string())])
        }
        Subject::Custom(id) => {
            let custom = customs.get(id).cloned();
            let custom = custom.map(|custom| (custom.namespace, custom.metric, custom.dimensions));
            let (namespace, metric, dimensions) = custom.unwrap_or_default();
            (namespace, metric, dimensions.into_iter().collect())
        }
    };
    Query { namespace, metric, dimensions, statistic, period: MINUTE }
}

/// Why a series could not be taken although its request was answered.
pub fn incomplete(subject: &Subject, answers: &[Answer]) -> Failure {
    let reason = answers.iter().find_map(|answer| answer.lacking).unwrap_or(Reason::ServerError);
    let what = match reason {
        Reason::Denied => "may not be read",
        Reason::BadAnswer => "was answered without sense",
        _ => "was not answered in full",
    };
    let metric = match subject {
        Subject::Queue(_, metric) => metric.name(),
        Subject::Custom(id) => &id.name,
    };
    Failure::plain(Operation::GetMetricData, reason, format!("`{metric}` {what}"))
}
