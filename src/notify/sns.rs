//! An SNS topic, told in CloudWatch's words (`message.rs`).
//!
//! One attempt is one Publish: the SDK's own retries are off, because the outbox retries and knows for how long.

pub mod message;
pub mod region;

#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::{self, retry::RetryConfig};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_smithy_types::error::display::DisplayErrorContext;

use super::Answer;
use crate::aws::failure::Reason as Failure;
use crate::config::Sns;
use crate::domain::notification::Notification;
use crate::domain::outbox::{Outcome, Reason};
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
        Err(_) => retry(Reason::Timeout, format!("no answer within {}", humantime::format_duration(TIMEOUT))),
    }
}

fn failed(error: &SdkError<PublishError>, topic: &str) -> Answer {
    match error {
        SdkError::TimeoutError(_) => retry(Reason::Timeout, "no answer from SNS in time".into()),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            retry(Reason::Timeout, "no answer from SNS in time".into())
        }
        SdkError::ServiceError(service) => {
            let code = error.code().unwrap_or_default();
            let text = error.message().unwrap_or("no message");
            let outcome = meaning(code, service.raw().status().as_u16());
            let name = if code.is_empty() { "an answer without an error code" } else { code };
            Answer { outcome, detail: format!("{name}: {text}{}", hint(code, topic)) }
        }
        SdkError::ResponseError(_) => retry(Reason::BadAnswer, DisplayErrorContext(error).to_string()),
        other => retry(Reason::Connection, DisplayErrorContext(other).to_string()),
    }
}

/// What an error of SNS means for the debt. The codes are those that the service sends, with and without the
/// `Exception` that its documentation adds.
fn meaning(code: &str, status: u16) -> Outcome {
    let reason = match bare(code) {
        "KMSThrottling" | "Throttling" | "Throttled" | "TooManyRequests" | "RequestLimitExceeded" => {
            Reason::Throttled
        }
        "AuthorizationError" | "AccessDenied" => Reason::Denied,
        "ExpiredToken"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClient"
        | "InvalidSecurity"
        | "RequestExpired"
        | "MissingAuthenticationToken"
        | "OptInRequired" => Reason::Denied,
        code if code.starts_with("KMS") => Reason::Denied,
        "NotFound" => Reason::NotFound,
        "InternalError" | "InternalFailure" | "ServiceUnavailable" => Reason::ServerError,
        _ if (200..300).contains(&status) => Reason::BadAnswer,
        _ if status == 429 => Reason::Throttled,
        _ if status == 401 || status == 403 => Reason::Denied,
        _ if (400..500).contains(&status) => return Outcome::Refused { reason: Reason::Refused },
        _ => Reason::ServerError,
    };
    Outcome::Retry { reason, after: None }
}

/// The failure as requests to AWS are counted; `None` is success.
pub fn failure(outcome: Outcome) -> Option<Failure> {
    let (Outcome::Retry { reason, .. } | Outcome::Refused { reason }) = outcome else { return None };
    Some(match reason {
        Reason::Timeout => Failure::Timeout,
        Reason::Connection => Failure::Connection,
        Reason::Throttled => Failure::Throttled,
        Reason::ServerError => Failure::ServerError,
        Reason::Denied => Failure::Denied,
        Reason::BadAnswer => Failure::BadAnswer,
        Reason::Refused => Failure::InvalidRequest,
        _ => Failure::Other,
    })
}

fn bare(code: &str) -> &str {
    code.strip_suffix("Exception").unwrap_or(code)
}

fn hint(code: &str, topic: &str) -> String {
    match bare(code) {
        "AuthorizationError" | "AccessDenied" => {
            format!(
                "\nhint: allow `sns:Publish` on `{topic}` to the identity that sqswatch runs as, or in the topic's policy"
            )
        }
        "KMSAccessDenied" => format!(
            "\nhint: `{topic}` is encrypted; allow `kms:GenerateDataKey*` and `kms:Decrypt` on its key to the identity that sqswatch runs as"
        ),
        "KMSDisabled" | "KMSInvalidState" | "KMSNotFound" | "KMSOptInRequired" => {
            format!(
                "\nhint: the KMS key that encrypts `{topic}` cannot be used; enable it or give the topic another"
            )
        }
        "NotFound" => format!("\nhint: there is no topic `{topic}`; check region, account and name"),
        "ExpiredToken" | "InvalidClientTokenId" | "UnrecognizedClient" | "SignatureDoesNotMatch" => {
            "\nhint: the AWS credentials are expired or not valid".into()
        }
        _ => String::new(),
    }
}

fn retry(reason: Reason, detail: String) -> Answer {
    Answer { outcome: Outcome::Retry { reason, after: None }, detail }
}
