//! The real SDK clients against the simulator: whatever they accept and report is what the daemon will see.

use std::time::Duration;

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::{Options, Simulator};

mod faults;
mod publishing;
mod queues;
mod series;

/// The clients of one caller, without retries, so that each answer is seen as it is.
struct Clients {
    sqs: aws_sdk_sqs::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    sns: aws_sdk_sns::Client,
    sts: aws_sdk_sts::Client,
}

async fn simulator() -> Simulator {
    Simulator::start(Options::default()).await.unwrap()
}

fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

impl Clients {
    fn of(simulator: &Simulator) -> Self {
        Clients::with(simulator, "AKIAIOSFODNN7EXAMPLE", "us-east-1")
    }

    fn with(simulator: &Simulator, access_key: &str, region: &'static str) -> Self {
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(
                    $sdk::Config::builder()
                        .behavior_version($sdk::config::BehaviorVersion::latest())
                        .http_client(http_client())
                        .endpoint_url(simulator.endpoint_url())
                        .region($sdk::config::Region::new(region))
                        .credentials_provider($sdk::config::Credentials::new(
                            access_key, "secret", None, None, "test",
                        ))
                        .retry_config(RetryConfig::disabled())
                        .timeout_config(
                            TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build(),
                        )
                        .build(),
                )
            };
        }
        Clients {
            sqs: client!(aws_sdk_sqs),
            cloudwatch: client!(aws_sdk_cloudwatch),
            sns: client!(aws_sdk_sns),
            sts: client!(aws_sdk_sts),
        }
    }
}
