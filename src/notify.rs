//! Telling people: how notifications become an SNS message, a request, an incident, an alert or a chat message, and what the answer
//! means.
//!
//! `deliver.rs` is the worker that empties the outbox; everything else here is about one attempt. Two rules hold for
//! every destination. What concerns the destination as it stands now (unreachable, overloaded, denied, not found)
//! is tried again until it works, because a person can mend it and the page is still owed. Only what concerns the
//! message itself, or an explicit "gone", is refused for good and parked. No secret is in a log line, a detail or a
//! label: destinations are spoken of by their names.

pub mod alertmanager;
pub mod body;
pub mod deliver;
pub mod heartbeat;
pub mod links;
pub mod pagerduty;
pub mod slack;
pub mod sns;
pub mod teams;
pub mod template;
pub mod text;
pub mod webhook;

mod counts;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod hostile;
mod http;
mod pace;
mod post;
mod sample;

pub use counts::Counts;
pub use http::{client_with, http_client};
pub use pace::{Pace, Spent};
pub use sample::test_notification;

use std::sync::Arc;

use alertmanager::Cluster;
use webhook::Hook;

use crate::aws::meter::{Meter, Operation};
use crate::config;
use crate::domain::cost::Call;
use crate::domain::notification::Notification;
use crate::domain::outbox::{Grouping, Outcome, Reason};

/// A destination with what it takes to reach it. Cheap to clone.
#[derive(Clone)]
pub enum Receiver {
    /// An SNS topic, through a client of the topic's region and, if one is set, of its role; each Publish is metered.
    Sns(config::Sns, aws_sdk_sns::Client, Meter),
    /// An HTTP receiver.
    Webhook(Arc<Hook>),
    /// The replicas of an Alertmanager.
    Alertmanager(Arc<Cluster>),
    /// A PagerDuty service, through the client of [`http_client`].
    PagerDuty(config::PagerDuty, reqwest::Client),
    /// A Slack channel, through the client of [`http_client`].
    Slack(config::Slack, reqwest::Client),
    /// A channel of Teams, through the client of [`http_client`].
    Teams(config::Teams, reqwest::Client),
}

impl Receiver {
    /// Which notifications this receiver wants in one message; [`send`] is given no others together.
    pub fn grouping(&self) -> Grouping {
        match self {
            Self::Alertmanager(_) => alertmanager::GROUPING,
            Self::Sns(..) | Self::Webhook(..) | Self::PagerDuty(..) => Grouping::NONE,
            Self::Slack(config, _) => config.grouping,
            Self::Teams(config, _) => config.grouping,
        }
    }

    /// How fast it may be called.
    pub fn pace(&self) -> Pace {
        match self {
            Self::Sns(..) | Self::Webhook(..) | Self::Alertmanager(_) => Pace::UNBOUNDED,
            Self::PagerDuty(..) => pagerduty::PACE,
            Self::Slack(..) => slack::PACE,
            Self::Teams(..) => teams::PACE,
        }
    }

    /// How many calls telling of `group` takes.
    pub fn calls(&self, group: &[Arc<Notification>]) -> u32 {
        match self {
            Self::PagerDuty(..) => group.iter().map(|one| pagerduty::actions(one.event).len() as u32).sum(),
            Self::Sns(..) | Self::Webhook(..) | Self::Slack(..) | Self::Teams(..) | Self::Alertmanager(_) => {
                1
            }
        }
    }
}

/// What one attempt led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it means for the debt.
    pub outcome: Outcome,
    /// The answer in words, for the log and `test-notify`, with a hint where the user can act. Holds no secret.
    pub detail: String,
}

impl Answer {
    /// It is to be tried again.
    fn retry(reason: Reason, detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::Retry { reason, after: None }, detail: detail.into() }
    }
}

/// Makes one attempt, bounded in time, at telling `receiver` of `group`: one notification, or as many as
/// [`Receiver::grouping`] puts together. The answer holds for all of them.
pub async fn send(receiver: &Receiver, group: &[Arc<Notification>]) -> Answer {
    let Some(first) = group.first() else {
        return Answer { outcome: Outcome::Acknowledged, detail: "there was nothing to tell".into() };
    };
    match receiver {
        Receiver::Sns(config, client, meter) => {
            let answer = sns::send(client, config, first).await;
            meter.count(Operation::Publish, Some(Call::SnsPublish), sns::failure(answer.outcome));
            answer
        }
        Receiver::Webhook(hook) => webhook::send(hook, first).await,
        Receiver::Alertmanager(cluster) => alertmanager::send(cluster, group).await,
        Receiver::PagerDuty(config, client) => pagerduty::send(client, config, first).await,
        Receiver::Slack(config, client) => slack::send(client, config, group).await,
        Receiver::Teams(config, client) => teams::send(client, config, group).await,
    }
}
