//! Who we are and where: one SDK client a service, region and identity, all on one pool of connections.
//!
//! The SDK's credential chain is used as everywhere. Time-outs are set here, as the SDK has none of its own, and its retries are
//! off: whoever asks decides about asking again, so that each request is counted and priced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::cloudwatch::CloudWatch;
use super::meter::{Meter, Operation};
use super::sqs::Sqs;
use crate::board::Target;
use crate::config::{Aws, TargetConfig};
use crate::telemetry::Telemetry;

/// How long making a connection may take, within the bound of the whole attempt.
const CONNECT: Duration = Duration::from_secs(3);

/// Why the clients could not be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AwsError {
    /// Neither the configuration nor the environment names a region.
    #[error(
        "no region is known for `aws.targets[{index}]`\n  hint: set its `regions`, or AWS_REGION, or `region` in the AWS profile"
    )]
    NoRegion {
        /// The target's place in the configuration.
        index: usize,
    },
}

/// The identity that signs.
#[derive(Clone, Debug)]
pub enum Identity {
    /// The SDK's credential chain.
    Chain,
    /// Exactly this one.
    Given(SharedCredentialsProvider),
}

impl Identity {
    /// Made-up keys, for servers that do not check signatures: the simulator, ElasticMQ, LocalStack.
    pub fn made_up() -> Self {
        let credentials = Credentials::new("sqswatch", "sqswatch", None, None, "made up");
        Self::Given(SharedCredentialsProvider::new(credentials))
    }
}

/// All clients.
#[derive(Clone, Debug)]
pub struct Clients {
    base: SdkConfig,
    targets: Vec<TargetClients>,
}

/// The clients of one target; cheap to clone.
#[derive(Clone, Debug)]
pub struct TargetClients {
    /// Which region as whom.
    pub target: Arc<Target>,
    /// SQS there.
    pub sqs: Sqs,
    /// CloudWatch there.
    pub cloudwatch: CloudWatch,
    sts: aws_sdk_sts::Client,
    meter: Meter,
}

impl Clients {
    /// Makes a client for every target and region, each attempt bounded by `timeout`. Sends nothing, except that finding
    /// the default region may ask the instance metadata service.
    pub async fn connect(aws: &Aws, timeout: Duration, telemetry: &Telemetry) -> Result<Self, AwsError> {
        Self::connect_as(Identity::Chain, aws, timeout, telemetry).await
    }

    /// The same as another identity than the SDK's.
    pub async fn connect_as(
        identity: Identity,
        aws: &Aws,
        timeout: Duration,
        telemetry: &Telemetry,
    ) -> Result<Self, AwsError> {
        let base = base(identity, aws, timeout).await;
        let mut targets = BTreeMap::new();
        for (index, configured) in aws.targets.iter().enumerate() {
            let regions = regions(configured, &base).ok_or(AwsError::NoRegion { index })?;
            let identity = assume(&base, configured, &regions[0]).await;
            for region in regions {
                let clients = TargetClients::new(&identity, configured, region, telemetry);
                targets.entry(clients.target.clone()).or_insert(clients);
            }
        }
        Ok(Self { base, targets: targets.into_values().collect() })
    }

    /// The clients of each target, every pair of region and identity once.
    pub fn targets(&self) -> &[TargetClients] {
        &self.targets
    }

    /// A client that publishes in `region`, as `role_arn` if there is one.
    pub async fn sns(&self, region: &str, role_arn: Option<&str>) -> aws_sdk_sns::Client {
        let role = TargetConfig { role_arn: role_arn.map(str::to_owned), ..TargetConfig::default() };
        let config = assume(&self.base, &role, region).await;
        aws_sdk_sns::Client::new(&in_region(&config, region))
    }
}

impl TargetClients {
    fn new(identity: &SdkConfig, configured: &TargetConfig, region: String, telemetry: &Telemetry) -> Self {
        let config = in_region(identity, &region);
        let region: Arc<str> = region.into();
        let meter = Meter::new(telemetry.clone(), region.clone());
        Self {
            target: Arc::new(Target { region, role_arn: configured.role_arn.as_deref().map(Into::into) }),
            sqs: Sqs::new(aws_sdk_sqs::Client::new(&config), meter.clone()),
            cloudwatch: CloudWatch::new(aws_sdk_cloudwatch::Client::new(&config), meter.clone()),
            sts: aws_sdk_sts::Client::new(&config),
            meter,
        }
    }

    /// The account this identity belongs to, if STS tells; it needs no permission.
    pub async fn account(&self) -> Option<Arc<str>> {
        let request = self.sts.get_caller_identity().send();
        let answer = self.meter.request(Operation::GetCallerIdentity, None, request).await;
        answer.ok()?.account.map(Into::into)
    }
}

async fn base(identity: Identity, aws: &Aws, timeout: Duration) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT.min(timeout))
        .operation_attempt_timeout(timeout)
        .operation_timeout(timeout)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client(aws.endpoint_url.is_none()))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        // The bound of the attempt covers the whole small answer.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Ok(name) = AppName::new("sqswatch") {
        loader = loader.app_name(name);
    }
    if let Some(url) = &aws.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Identity::Given(provider) = identity {
        loader = loader.credentials_provider(provider);
    }
    // Where all regions are named, the default one need not be searched for.
    let named = aws.targets.iter().flat_map(|target| &target.regions).next();
    if let Some(region) = named.filter(|_| aws.targets.iter().all(|target| !target.regions.is_empty())) {
        loader = loader.region(Region::new(region.clone()));
    }
    loader.load().await
}

/// One pool for all clients; through the environment's proxy when AWS itself is asked.
fn http_client(proxied: bool) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let proxy = if proxied { ProxyConfig::from_env() } else { ProxyConfig::disabled() };
        let mut connector = Connector::builder().proxy_config(proxy);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
    })
}

fn regions(configured: &TargetConfig, base: &SdkConfig) -> Option<Vec<String>> {
    if !configured.regions.is_empty() {
        return Some(configured.regions.clone());
    }
    base.region().map(|region| vec![region.to_string()])
}

fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config.clone().into_builder().region(Region::new(region.to_owned())).build()
}

/// The configuration that signs as the target's role; without a role, the base's own identity.
async fn assume(base: &SdkConfig, target: &TargetConfig, region: &str) -> SdkConfig {
    let Some(role) = &target.role_arn else { return base.clone() };
    let mut provider = AssumeRoleProvider::builder(role)
        .configure(base)
        .region(Region::new(region.to_owned()))
        .session_name("sqswatch");
    if let Some(id) = &target.external_id {
        provider = provider.external_id(id);
    }
    let provider = SharedCredentialsProvider::new(provider.build().await);
    base.clone().into_builder().credentials_provider(provider).build()
}
