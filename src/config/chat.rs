//! Destinations where people sit: PagerDuty, Slack, Microsoft Teams.

use std::collections::BTreeMap;
use std::time::Duration;

use super::secret::Secret;
use crate::domain::outbox::Grouping;
use crate::domain::rule::Severity;

/// A PagerDuty service, by its Events API v2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerDuty {
    /// The integration's key: 32 letters and digits.
    pub routing_key: Secret,
    /// Where the API is, without a slash at the end. Default `https://events.pagerduty.com`.
    pub url: String,
    /// The bound of one call. Default 15 s.
    pub timeout: Duration,
    /// What an incident's "view in sqswatch" leads to.
    pub client_url: Option<String>,
    /// Further links of each incident, e.g. a runbook: address by text.
    pub links: BTreeMap<String, String>,
}

/// A Slack channel, by an incoming webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slack {
    /// The webhook; who has it can post.
    pub url: Secret,
    /// The bound of one attempt. Default 15 s.
    pub timeout: Duration,
    /// Who is called by name when something fires, in Slack's notation, e.g. `<!channel>`.
    pub mention: BTreeMap<Severity, String>,
    /// What goes into one message. Default: what one rule says within 5 s.
    pub grouping: Grouping,
}

/// A channel of Microsoft Teams, by a workflow that takes Adaptive Cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teams {
    /// The workflow's address; who has it can post.
    pub url: Secret,
    /// The bound of one attempt. Default 15 s.
    pub timeout: Duration,
    /// What goes into one message. Default: what one rule says within 5 s.
    pub grouping: Grouping,
}
