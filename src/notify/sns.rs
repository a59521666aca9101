//! An SNS topic, told in CloudWatch's words (`message.rs`).
//!
//! One attempt is one Publish: the SDK's own retries are off, because the outbox retries and knows for how long.

pub mod message;
pub mod region;

mod cloudwatch;
mod failure;

#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::{self, retry::RetryConfig};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_smithy_types::error::display::DisplayErrorContext;

use super::Answer;
use crate::config::Sns;
use crate::domain::notification::Notification;
use crate::domain::outbox::{Outcome, Reason};
pub use failure::failure;
use failure::{hint, meaning};
use message::{Topic, message};

/// The bound of one attempt, credentials included.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Makes one attempt through a client of the topic's region.
pub async fn send(client: &Client, config: &Sns, notification: &Notification) -> Answer {
    let message = message(notification, &Topic::new(&config.topic_arn));
    let (group, deduplication) = message.fifo.unzip();
    let publish = client
        .publish()
        .topic_arn(&config.topic_arn)
        .message_structure("json")
        .subject(message.subject)
        .message(message.body)
        .set_message_group_id(group)
        .set_message_deduplication_id(deduplication)
        .customize()
        .config_override(config::Builder::new().retry_config(RetryConfig::disabled()))
        .send();
    match tokio::time::timeout(TIMEOUT, publish).await {
        Ok(Ok(output)) => Answer {
            outcome: Outcome::Acknowledged,
            detail: format!("published as {}", output.message_id().unwrap_or("a message without an id")),
        },
        Ok(Err(error)) => failed(&error, &config.topic_arn),
        Err(_) => Answer::retry(
            Reason::Timeout,
            format!("no answer within {}", humantime::format_duration(TIMEOUT)),
        ),
    }
}

fn failed(error: &SdkError<PublishError>, topic: &str) -> Answer {
    match error {
        SdkError::TimeoutError(_) => Answer::retry(Reason::Timeout, "no answer from SNS in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            Answer::retry(Reason::Timeout, "no answer from SNS in time")
        }
        SdkError::ServiceError(service) => {
            let code = error.code().unwrap_or_default();
            let text = error.message().unwrap_or("no message");
            let outcome = meaning(code, service.raw().status().as_u16());
            let name = if code.is_empty() { "an answer without an error code" } else { code };
            Answer { outcome, detail: format!("{name}: {text}{}", hint(code, topic)) }
        }
        SdkError::ResponseError(_) => {
            Answer::retry(Reason::BadAnswer, DisplayErrorContext(error).to_string())
        }
        other => Answer::retry(Reason::Connection, DisplayErrorContext(other).to_string()),
    }
}
