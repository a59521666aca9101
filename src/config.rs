//! The checked configuration: what the daemon runs by. Whoever holds one need not check anything again.
//!
//! `config/file.rs` is what the user wrote, `config/check.rs` turns that into this and reports every fault at once,
//! each with its path and line, `config/secret.rs` keeps secrets out of sight.

mod builtin;
mod chat;
mod check;
mod fault;
mod file;
mod keys;
pub mod label;
mod reader;
pub mod secret;
pub(crate) mod suggest;
pub mod template;
pub mod tls;

pub use chat::{PagerDuty, Slack, Teams};
pub use check::{WantedSilence, load, parse, silence};
pub use fault::{Fault, Faults};
pub use keys::all as keys;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::maintenance::Window;
use crate::domain::metric::Metric;
use crate::domain::outbox::GIVE_UP;
use crate::domain::rule::{Glob, Rule, Statistic};
use secret::Secret;
use template::Template;
use tls::Tls;

/// Everything the daemon runs by.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where and as whom AWS is asked.
    pub aws: Aws,
    /// Which queues are watched.
    pub discovery: Discovery,
    /// How often what is read.
    pub poll: Poll,
    /// The alarms; the built-in set when the file has no `alarms` key.
    pub rules: Vec<Rule>,
    /// The times at which alarms tell nobody.
    pub maintenance: Vec<Window>,
    /// CloudWatch metrics of the user's own.
    pub custom_metrics: Vec<CustomMetric>,
    /// Who can be told, by name.
    pub destinations: BTreeMap<Arc<str>, Destination>,
    /// How long and how much is owed, and how long it is remembered.
    pub outbox: Outbox,
    /// Who learns that all is well; `None`: nobody.
    pub heartbeat: Option<Heartbeat>,
    /// The HTTP server.
    pub web: Web,
    /// The durable state.
    pub store: Store,
    /// The log.
    pub log: Log,
}

/// Where and as whom AWS is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Aws {
    /// Another server than AWS, e.g. ElasticMQ or LocalStack.
    pub endpoint_url: Option<String>,
    /// At least one.
    pub targets: Vec<TargetConfig>,
}

/// One identity and the regions it is used in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetConfig {
    /// Region codes; empty means the SDK's default region.
    pub regions: Vec<String>,
    /// A role to assume first.
    pub role_arn: Option<String>,
    /// The external id that role asks for.
    pub external_id: Option<String>,
}

/// Which queues are watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovery {
    /// How often queues are listed and their settings re-read. Default 5 min.
    pub interval: Duration,
    /// Exactly these queues, by name; then nothing is listed (sqs:GetQueueUrl instead of sqs:ListQueues).
    pub queues: Vec<String>,
    /// Globs over names; empty means every queue.
    pub include: Vec<Glob>,
    /// Globs over names that are left out even when included.
    pub exclude: Vec<Glob>,
    /// Tags that must all be there with these values.
    pub tags: BTreeMap<String, String>,
    /// Tags that become labels of `sqs_queue_info`.
    pub tag_labels: Vec<String>,
}

impl Discovery {
    /// Whether names alone let this queue in.
    pub fn admits(&self, name: &str) -> bool {
        (self.include.is_empty() || self.include.iter().any(|glob| glob.matches(name)))
            && !self.exclude.iter().any(|glob| glob.matches(name))
    }
}

/// How often what is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// Counts by GetQueueAttributes, one request a queue. Default 15 s.
    pub attributes: Duration,
    /// CloudWatch metrics that alarms need, and ages. Default 1 min; a whole number of minutes.
    pub cloudwatch: Duration,
    /// CloudWatch sums that are only exported as counters; each read fetches all minutes since the last. Default 5 min.
    pub counters: Duration,
    /// The CloudWatch metrics to read beside those that alarms need. Default: age, sent, received, deleted, empty receives,
    /// sent bytes, and the FIFO ones.
    pub metrics: Vec<Metric>,
    /// How old a minute must be before CloudWatch's word on it is taken. Default 2 min.
    pub settle: Duration,
    /// How much before that is read again, for late and revised datapoints. Default 3 min.
    pub reread: Duration,
    /// Requests in flight a target and region. Default 16.
    pub concurrency: usize,
    /// The bound of one attempt at AWS. Default 10 s.
    pub timeout: Duration,
}

/// A CloudWatch metric of the user's own, read, exported, and ready for alarms under its name.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomMetric {
    /// Unique; lower-case letters, digits and `_`, as alarms name it and Prometheus shows it (`sqs_custom_<name>`).
    pub name: Arc<str>,
    /// The CloudWatch namespace.
    pub namespace: String,
    /// The CloudWatch metric name.
    pub metric: String,
    /// The exact dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// The statistic that is exported, and the default of alarms.
    pub statistic: Statistic,
    /// Where it is published; empty means every target's regions.
    pub region: Option<String>,
    /// For `# HELP`.
    pub description: String,
}

/// Who is told, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// An SNS topic.
    Sns(Sns),
    /// An HTTP receiver.
    Webhook(Webhook),
    /// The replicas of an Alertmanager.
    Alertmanager(Alertmanager),
    /// A PagerDuty service.
    PagerDuty(PagerDuty),
    /// A Slack channel.
    Slack(Slack),
    /// A channel of Microsoft Teams.
    Teams(Teams),
}

impl Destination {
    /// The configuration's word for the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sns(_) => "sns",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::PagerDuty(_) => "pagerduty",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
        }
    }

    /// Its `tls` section, if it has one.
    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Sns(_) | Self::PagerDuty(_) | Self::Slack(_) | Self::Teams(_) => None,
            Self::Webhook(webhook) => webhook.tls.as_ref(),
            Self::Alertmanager(alertmanager) => alertmanager.tls.as_ref(),
        }
    }
}

/// An SNS topic; its region and whether it is FIFO are told by the ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sns {
    /// `arn:aws:sns:REGION:ACCOUNT:NAME`.
    pub topic_arn: String,
    /// A role to assume for publishing.
    pub role_arn: Option<String>,
}

impl Sns {
    /// The region the topic is in, as its ARN says.
    pub fn region(&self) -> &str {
        self.topic_arn.split(':').nth(3).unwrap_or_default()
    }
}

/// An HTTP receiver, signed by Standard Webhooks when there is a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// Where to POST. Secret as a whole: receivers put tokens into paths and queries.
    pub url: Secret,
    /// Signing keys; more than one while a key is rotated.
    pub secrets: Vec<Secret>,
    /// Further headers, e.g. Authorization.
    pub headers: BTreeMap<String, Secret>,
    /// The bound of one attempt. Default 15 s.
    pub timeout: Duration,
    /// What the body looks like.
    pub format: Format,
    /// Whom it trusts and what it shows of itself; `None` is the system's authorities and nothing.
    pub tls: Option<Tls>,
}

/// What a webhook's body looks like.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// Our JSON. The default.
    Sqswatch,
    /// The JSON of Alertmanager's own webhooks, version 4.
    Alertmanager,
    /// The user's own words.
    Template(Template),
}

/// An Alertmanager: each alert goes to every replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanager {
    /// Where each replica is, without the API's path and without a slash at the end; at least one. Secret, as an address
    /// can hold a password.
    pub urls: Vec<Secret>,
    /// Further headers, `Authorization` among them.
    pub headers: BTreeMap<String, Secret>,
    /// The bound of one attempt at one replica. Default 15 s.
    pub timeout: Duration,
    /// How often alerts that fire, or have just ended, are sent again. Default 1 min.
    pub resend: Duration,
    /// Whom it trusts and what it shows of itself; `None` is the system's authorities and nothing.
    pub tls: Option<Tls>,
}

/// How long and how much is owed, and how long it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    /// How old a notification may become before a failed attempt is its last. Default 3 days.
    pub give_up: Duration,
    /// How many notifications may wait for one destination. Default 10,000.
    pub max_pending: u32,
    /// How long it is remembered what became of a notification. Default 7 days.
    pub history: Duration,
}

impl Default for Outbox {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self { give_up: GIVE_UP, max_pending: 10_000, history: days(7) }
    }
}

/// A dead man's switch: called while all is well, so that somebody else notices the silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// What to call. Secret as a whole: such addresses are tokens.
    pub url: Secret,
    /// Whether by POST instead of GET.
    pub post: bool,
    /// How often. Default 1 min.
    pub interval: Duration,
    /// The bound of one call. Default 10 s.
    pub timeout: Duration,
    /// How long a notification may be owed before the outbox counts as stuck. Default 15 min.
    pub stuck_after: Duration,
}

/// The HTTP server.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Where it listens. Default 0.0.0.0:9434.
    pub listen: SocketAddr,
    /// Where people reach it, without a slash at the end; for links in notifications.
    pub external_url: Option<String>,
    /// Where plots look for what is older than the daemon remembers.
    pub prometheus: Option<Prometheus>,
    /// What POST /-/reload asks for as `Authorization: Bearer`; without it such requests are refused.
    pub token: Option<Secret>,
}

/// A Prometheus that scrapes this daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// Where it is, without the API's path and without a slash at the end. Secret, as an address can hold a password.
    pub url: Secret,
    /// What it asks for as `Authorization: Bearer`.
    pub bearer_token: Option<Secret>,
    /// How long a plot waits for it. Default 3 s.
    pub timeout: Duration,
}

/// The durable state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The file; `None` keeps it in memory (demo, status).
    pub path: Option<PathBuf>,
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// A level, or `tracing` directives such as `info,sqswatch::watch=debug`.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}
