//! Asks the configured Prometheus for what it has stored of one queue, for plots that reach back further than the daemon does.
//!
//! Guarantees: an answer takes no longer than `web.prometheus.timeout` and no more than [`MOST_BYTES`] of memory a metric; the same
//! is asked once in ten seconds however many look; while it cannot be reached it is not asked at all for ten seconds. Nothing it says is
//! believed that is not one series of the queue that was asked for. Neither its address nor its token is in any text.

mod answer;
mod expression;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use form_urlencoded::Serializer;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::Prometheus as Config;
use crate::domain::metric::Metric;
use crate::domain::queue::QueueId;
use crate::domain::time::Timestamp;

/// The largest answer about one metric; a plot's is a fiftieth of it.
const MOST_BYTES: usize = 1024 * 1024;
/// How long an answer, or the lack of one, stands for itself.
const KEPT: Duration = Duration::from_secs(10);
/// How many answers are remembered.
const MOST_ANSWERS: usize = 64;
/// How many plots are asked for at once.
const AT_ONCE: usize = 4;

/// What is asked: buckets of one length, side by side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    /// Of which queue.
    pub(super) queue: QueueId,
    /// Of which metrics.
    pub(super) metrics: Vec<Metric>,
    /// Where the first bucket begins.
    pub(super) first: Timestamp,
    /// How long a bucket is.
    pub(super) step: Duration,
    /// How many there are; at least one.
    pub(super) count: usize,
}

/// The value of each bucket, by metric; `None` where nothing is stored.
pub(super) type Told = BTreeMap<Metric, Vec<Option<f64>>>;

/// Why nothing was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Silence {
    #[error("Prometheus did not answer within {}", humantime::format_duration(*.0))]
    Late(Duration),
    #[error("Prometheus cannot be reached")]
    Unreachable,
    #[error("Prometheus answered HTTP {0}")]
    Status(u16),
    #[error("Prometheus answered more than {} MiB", MOST_BYTES / 1024 / 1024)]
    TooMuch,
    #[error("what answers at `web.prometheus.url` is no Prometheus, or none that understands the question")]
    NotPrometheus,
    #[error("Prometheus answered with something else than was asked for")]
    Other,
}

impl Silence {
    /// Whether another question would end the same way.
    fn is_general(&self) -> bool {
        matches!(self, Self::Late(_) | Self::Unreachable)
    }
}

/// The way to a Prometheus. Cheap to clone: all clones share what was answered.
#[derive(Clone)]
pub struct Prometheus(Arc<Inner>);

struct Inner {
    client: Client,
    turns: Semaphore,
    answers: Mutex<Vec<Answered>>,
}

struct Answered {
    at: Instant,
    by: Config,
    question: Question,
    answer: Result<Told, Silence>,
}

impl Prometheus {
    /// The way by this client.
    pub fn new(client: Client) -> Self {
        Self(Arc::new(Inner { client, turns: Semaphore::new(AT_ONCE), answers: Mutex::default() }))
    }

    /// What the Prometheus of `config` has stored, within its time limit.
    pub(super) async fn ask(&self, config: &Config, question: &Question) -> Result<Told, Silence> {
        if let Some(known) = self.known(config, question) {
            return known;
        }
        let asked = async {
            let _turn = self.0.turns.acquire().await; // never closed
            // Who waited for a turn may find that somebody else has asked.
            match self.known(config, question) {
                Some(known) => known,
                None => {
                    let answer = self.ask_all(config, question).await;
                    self.note(config, question, answer.clone());
                    answer
                }
            }
        };
        match tokio::time::timeout(config.timeout, asked).await {
            Ok(answer) => answer,
            Err(_) => {
                self.note(config, question, Err(Silence::Late(config.timeout)));
                Err(Silence::Late(config.timeout))
            }
        }
    }

    /// The answer that was given a moment ago, or is known without asking.
    fn known(&self, config: &Config, question: &Question) -> Option<Result<Told, Silence>> {
        let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|answered| answered.at.elapsed() < KEPT);
        let fits = |answered: &&Answered| {
            let general = answered.answer.as_ref().is_err_and(Silence::is_general);
            answered.by == *config && (general || answered.question == *question)
        };
        answers.iter().find(fits).map(|answered| answered.answer.clone())
    }

    fn note(&self, config: &Config, question: &Question, answer: Result<Told, Silence>) {
        if let Err(why) = &answer {
            tracing::debug!(%why, queue = %question.queue, "the plots do not reach back further");
        }
        let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST_ANSWERS {
            answers.remove(0);
        }
        answers.push(Answered { at: Instant::now(), by: config.clone(), question: question.clone(), answer });
    }

    /// Asks for all metrics at once; one that fails fails all, so that a plot is of one piece.
    async fn ask_all(&self, config: &Config, question: &Question) -> Result<Told, Silence> {
        let mut asked = JoinSet::new();
        for metric in question.metrics.clone() {
            let (client, config, question) = (self.0.client.clone(), config.clone(), question.clone());
            asked.spawn(async move { (metric, ask_one(&client, &config, &question, metric).await) });
        }
        let mut told = Told::new();
        while let Some(answer) = asked.join_next().await {
            let (metric, values) = answer.map_err(|_| Silence::Other)?;
            told.insert(metric, values?);
        }
        Ok(told)
    }
}

async fn ask_one(
    client: &Client,
    config: &Config,
    question: &Question,
    metric: Metric,
) -> Result<Vec<Option<f64>>, Silence> {
    // The value of a bucket is what its end looks back on.
    let first = (question.first + question.step).as_secs();
    let step = question.step.as_secs();
    let last = first + (question.count as i64 - 1) * step as i64;
    let query = Serializer::new(String::new())
        .append_pair("query", &expression::of(&question.queue, metric, question.step))
        .append_pair("start", &first.to_string())
        .append_pair("end", &last.to_string())
        .append_pair("step", &step.to_string())
        .finish();
    let url = format!("{}/api/v1/query_range?{query}", config.url.expose());
    let mut request = client.get(url).timeout(config.timeout);
    if let Some(token) = &config.bearer_token {
        request = request.header(AUTHORIZATION, bearer(token.expose()).ok_or(Silence::Unreachable)?);
    }
    let failed = |error: reqwest::Error| {
        if error.is_timeout() { Silence::Late(config.timeout) } else { Silence::Unreachable }
    };
    let mut response = request.send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(Silence::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Silence::TooMuch);
        }
        body.extend_from_slice(&chunk);
    }
    answer::read(&body, question)
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}
