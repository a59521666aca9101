//! An Alertmanager, every replica of it, by its API version 2.
//!
//! Replicas remove duplicates among themselves, so each is sent everything, and a change is told once one of them has taken it;
//! those that did not are counted, said, and reached by the re-send (`resend.rs`). What is sent for one destination goes out in
//! turn under one lock, so that a re-send that was under way cannot bring back an alert whose end was just told.

pub mod alert;
pub mod payload;
pub mod resend;

mod memory;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prometheus::IntCounterVec;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::links::Links;
use super::{Answer, http};
use crate::clock;
use crate::config::Alertmanager;
use crate::config::secret::Secret;
use crate::domain::alarm::State;
use crate::domain::notification::Notification;
use crate::domain::outbox::{GroupBy, Grouping, Outcome, Reason};
use crate::domain::time::Timestamp;
use alert::Alert;
use memory::Memory;

/// The most alerts in one request, as Prometheus has it.
pub const BATCH: usize = 64;
/// What is owed goes out together as it is there; a request that is refused for one alert is halved until that one is found.
pub const GROUPING: Grouping = Grouping { by: GroupBy::Event, wait: Duration::ZERO, max: BATCH };
/// How long the other replicas may still take once one has taken a change.
const LAGGARDS: Duration = Duration::from_secs(1);

/// An Alertmanager with what it takes to reach it.
#[derive(Debug)]
pub struct Cluster {
    name: Arc<str>,
    config: Alertmanager,
    client: Client,
    links: Links,
    replicas: Vec<Replica>,
    failures: IntCounterVec,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Replica {
    endpoint: Secret,
    /// Host and port: what may be said of it.
    name: String,
    is_failing: AtomicBool,
}

impl Cluster {
    /// The destination `name`. `failures` counts by destination and reason.
    pub fn new(
        name: Arc<str>,
        config: Alertmanager,
        client: Client,
        links: Links,
        failures: IntCounterVec,
    ) -> Self {
        for reason in Reason::ALL {
            failures.with_label_values(&[&*name, reason.as_str()]);
        }
        let replicas = config.urls.iter().map(Replica::new).collect();
        Self { name, config, client, links, replicas, failures, memory: Mutex::default() }
    }

    /// How long an alert fires without being sent again: as Prometheus has it, four re-sends.
    fn lease(&self) -> Duration {
        self.config.resend * 4
    }

    /// One request to each replica. It is over once one has taken it and the others had a moment.
    async fn post(&self, alerts: &[Alert]) -> Answer {
        let Some(headers) = http::headers(&self.config.headers) else { return http::bad_header() };
        let body = serde_json::to_string(alerts).unwrap_or_default();
        let mut attempts = JoinSet::new();
        for (place, replica) in self.replicas.iter().enumerate() {
            let request = self.client.post(replica.endpoint.expose()).headers(headers.clone());
            let request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            let timeout = self.config.timeout;
            attempts.spawn(async move { (place, http::attempt(request, timeout).await) });
        }
        let answers = gather(&mut attempts, self.replicas.len()).await;
        for (replica, answer) in self.replicas.iter().zip(&answers) {
            self.note(replica, answer);
        }
        self.conclude(&answers)
    }

    /// Counts a failure, and says when a replica begins and ends to fail.
    fn note(&self, replica: &Replica, answer: &Answer) {
        let (Outcome::Retry { reason, .. } | Outcome::Refused { reason }) = answer.outcome else {
            if replica.is_failing.swap(false, Ordering::Relaxed) {
                tracing::info!(destination = %self.name, replica = replica.name, "the replica takes alerts again");
            }
            return;
        };
        self.failures.with_label_values(&[&*self.name, reason.as_str()]).inc();
        if !replica.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                destination = %self.name, replica = replica.name, reason = reason.as_str(), detail = answer.detail,
                "a replica does not take alerts; it is sent them again with the next re-send"
            );
        }
    }

    /// What the answers of all replicas mean together. A refusal is only one when nobody may still take it.
    fn conclude(&self, answers: &[Answer]) -> Answer {
        let taken = answers.iter().filter(|answer| answer.outcome == Outcome::Acknowledged).count();
        let said: Vec<String> = self
            .replicas
            .iter()
            .zip(answers)
            .filter(|(_, answer)| answer.outcome != Outcome::Acknowledged)
            .map(|(replica, answer)| format!("{}: {}", replica.name, answer.detail))
            .collect();
        if taken > 0 {
            let said = said.iter().map(|line| format!("; not by {line}")).collect::<String>();
            let detail = format!("taken by {taken} of {}{said}", answers.len());
            return Answer { outcome: Outcome::Acknowledged, detail };
        }
        let hopeful = answers.iter().find(|answer| matches!(answer.outcome, Outcome::Retry { .. }));
        let nobody = Outcome::Retry { reason: Reason::Connection, after: None };
        let outcome = hopeful.or(answers.first()).map_or(nobody, |answer| answer.outcome);
        Answer { outcome, detail: said.join("; ") }
    }
}

/// The answer of each of `count` attempts by its place. Once one is an acknowledgement, the rest has [`LAGGARDS`] left: one
/// replica that hangs must not hold up everything that is to be told.
async fn gather(attempts: &mut JoinSet<(usize, Answer)>, count: usize) -> Vec<Answer> {
    let late = Answer::retry(Reason::Timeout, "no answer yet, and another replica has taken it");
    let mut answers = vec![late; count];
    let mut until: Option<Instant> = None;
    loop {
        let next = async {
            match until {
                Some(until) => tokio::time::timeout_at(until, attempts.join_next()).await.ok().flatten(),
                None => attempts.join_next().await,
            }
        };
        let Some(ended) = next.await else { return answers };
        let Ok((place, answer)) = ended else { continue };
        if answer.outcome == Outcome::Acknowledged {
            until = until.or(Some(Instant::now() + LAGGARDS));
        }
        answers[place] = answer;
    }
}

impl Replica {
    fn new(url: &Secret) -> Self {
        let parsed = reqwest::Url::parse(url.expose()).ok();
        let host = parsed.as_ref().and_then(|url| url.host_str()).unwrap_or("a replica");
        let port = parsed.as_ref().and_then(reqwest::Url::port_or_known_default);
        Self {
            name: port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            endpoint: Secret::new(format!("{}/api/v2/alerts", url.expose())),
            is_failing: AtomicBool::new(false),
        }
    }
}

/// Makes one attempt at telling every replica of these.
pub async fn send(cluster: &Cluster, group: &[Arc<Notification>]) -> Answer {
    let mut memory = cluster.memory.lock().await;
    let now = clock::now();
    let alerts: Vec<Alert> = group.iter().map(|notification| cluster.alert(notification, now)).collect();
    let answer = cluster.post(&alerts).await;
    if answer.outcome == Outcome::Acknowledged {
        group.iter().for_each(|notification| memory.told(notification, now));
    }
    answer
}

impl Cluster {
    fn alert(&self, notification: &Notification, now: Timestamp) -> Alert {
        match notification.tells() {
            State::Ok => self.ended(notification, notification.at.min(now)),
            _ => self.fires(notification, now),
        }
    }

    fn fires(&self, notification: &Notification, now: Timestamp) -> Alert {
        Alert::firing(notification, &self.links, now, self.lease())
    }

    fn ended(&self, notification: &Notification, at: Timestamp) -> Alert {
        Alert::ended(notification, &self.links, at)
    }
}
