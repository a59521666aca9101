//! The destinations of a configuration, each with the client that reaches it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::AppError;
use crate::aws::clients::{Clients, Identity};
use crate::aws::meter::Meter;
use crate::clock;
use crate::config::{Config, Destination};
use crate::notify::alertmanager::Cluster;
use crate::notify::links::Links;
use crate::notify::webhook::Hook;
use crate::notify::{self, Counts, Receiver};
use crate::telemetry::Telemetry;

/// Destinations by name.
pub(super) type Receivers = BTreeMap<Arc<str>, Receiver>;

/// What all destinations are made with.
pub(super) struct Maker<'a> {
    pub clients: &'a Clients,
    pub http: &'a reqwest::Client,
    pub telemetry: &'a Telemetry,
    pub counts: &'a Counts,
}

impl Maker<'_> {
    /// Every destination of `config`, ready to be sent to.
    ///
    /// # Errors
    /// When a client has no use for what is in a `tls` section, although it could be read.
    pub(super) async fn all(&self, config: &Config) -> Result<Receivers, reqwest::Error> {
        let links = Links { external_url: config.web.external_url.clone() };
        let mut receivers = BTreeMap::new();
        for (name, destination) in &config.destinations {
            let receiver = match destination {
                Destination::Sns(sns) => {
                    let client = self.clients.sns(sns.region(), sns.role_arn.as_deref()).await;
                    let meter = Meter::publishing(self.telemetry.clone(), sns.region().into());
                    Receiver::Sns(sns.clone(), client, meter)
                }
                Destination::Webhook(webhook) => Receiver::Webhook(Arc::new(Hook {
                    name: name.clone(),
                    client: self.http(name, destination)?,
                    config: webhook.clone(),
                    links: links.clone(),
                    template_failures: self.counts.template_failures(name),
                })),
                Destination::Alertmanager(alertmanager) => Receiver::Alertmanager(Arc::new(Cluster::new(
                    name.clone(),
                    alertmanager.clone(),
                    self.http(name, destination)?,
                    links.clone(),
                    self.counts.replica_failures(),
                ))),
                Destination::PagerDuty(config) => Receiver::PagerDuty(config.clone(), self.http.clone()),
                Destination::Slack(config) => Receiver::Slack(config.clone(), self.http.clone()),
                Destination::Teams(config) => Receiver::Teams(config.clone(), self.http.clone()),
            };
            receivers.insert(name.clone(), receiver);
        }
        Ok(receivers)
    }

    /// The client that all share, or one of the destination's own.
    fn http(&self, name: &str, destination: &Destination) -> Result<reqwest::Client, reqwest::Error> {
        let Some(tls) = destination.tls() else { return Ok(self.http.clone()) };
        for expired in tls.expired(clock::now()) {
            tracing::warn!(destination = name, expired, "connections to the destination will be refused");
        }
        notify::client_with(tls)
    }
}

/// The destinations of `config` by name, for a command that runs no daemon.
///
/// # Errors
/// When a client cannot be made.
pub async fn receivers(config: &Config, identity: Identity) -> Result<Receivers, AppError> {
    let telemetry = Telemetry::new();
    let clients = Clients::connect_as(identity, &config.aws, config.poll.timeout, &telemetry).await?;
    let counts = Counts::register(&telemetry.registry)?;
    let http = notify::http_client()?;
    let maker = Maker { clients: &clients, http: &http, telemetry: &telemetry, counts: &counts };
    Ok(maker.all(config).await?)
}
