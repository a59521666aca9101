//! What each error of SNS's Publish means, and what a person does about it.
//!
//! The codes are those that the service sends, with and without the `Exception` that its documentation adds. A topic whose
//! KMS key may not or cannot be used swallows every alarm in silence when nobody says so; so each code has its words.

use crate::aws::failure::Reason as Failure;
use crate::domain::outbox::{Outcome, Reason};

/// What an error means for the debt.
pub fn meaning(code: &str, status: u16) -> Outcome {
    let reason = match bare(code) {
        "KMSThrottling" | "Throttling" | "Throttled" | "TooManyRequests" | "RequestLimitExceeded" => {
            Reason::Throttled
        }
        "AuthorizationError" | "AccessDenied" | "EndpointDisabled" | "PlatformApplicationDisabled" => {
            Reason::Denied
        }
        code if is_credentials(code) => Reason::Denied,
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

/// The outcome as requests to AWS are counted; `None` is success.
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

/// What to do about it, on a line of its own; empty when there is nothing but to wait.
pub fn hint(code: &str, topic: &str) -> String {
    let hint = match bare(code) {
        "AuthorizationError" | "AccessDenied" => format!(
            "allow `sns:Publish` on `{topic}` to the identity that sqswatch runs as, or in the topic's policy"
        ),
        "KMSAccessDenied" => format!(
            "`{topic}` is encrypted; allow `kms:GenerateDataKey*` and `kms:Decrypt` on its key to the identity that \
             sqswatch runs as, in its policy and in the key's"
        ),
        "KMSDisabled" => {
            format!("the KMS key that encrypts `{topic}` is disabled; enable it, or give the topic another key")
        }
        "KMSInvalidState" => format!(
            "the KMS key that encrypts `{topic}` is being deleted or waits for its import; cancel the deletion, or give \
             the topic another key"
        ),
        "KMSNotFound" => format!(
            "the KMS key that encrypts `{topic}` does not exist, or not in the topic's region; give the topic another key"
        ),
        "KMSOptInRequired" => {
            format!("the account of the KMS key that encrypts `{topic}` has no subscription to KMS; use a key of another")
        }
        "KMSThrottling" => {
            "every Publish to an encrypted topic asks KMS; raise the account's quota for `kms:GenerateDataKey`".to_owned()
        }
        "EndpointDisabled" | "PlatformApplicationDisabled" => {
            format!("`{topic}` leads to a mobile endpoint that is disabled; enable it, or name a topic")
        }
        "InvalidParameter" | "InvalidParameterValue" => {
            format!("SNS will never take this message; is `{topic}` a topic, in the region that it names?")
        }
        "NotFound" => format!("there is no topic `{topic}`; check region, account and name"),
        code if is_credentials(code) => "the AWS credentials are expired or not valid".to_owned(),
        _ => return String::new(),
    };
    format!("\nhint: {hint}")
}

fn is_credentials(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClient"
            | "InvalidSecurity"
            | "RequestExpired"
            | "MissingAuthenticationToken"
            | "OptInRequired"
    )
}

fn bare(code: &str) -> &str {
    code.strip_suffix("Exception").unwrap_or(code)
}
