//! Why a request to AWS failed: a closed set of reasons, and one safe line for people.
//!
//! The reason is a metric label and decides what happens next, so it is told by the error's code first, then by the HTTP
//! status, then by how far the request came. Texts from outside are cut and kept to one line; those that can repeat what was
//! signed are left out.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::meter::Operation;

/// Why a request failed. Closed, as it is a label value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Too many requests.
    Throttled,
    /// No answer in time.
    Timeout,
    /// AWS's own fault, 5xx.
    ServerError,
    /// The identity may not do this.
    Denied,
    /// No credentials were found.
    CredentialsMissing,
    /// The credentials are not those of any identity, or the clock is so wrong that they do not hold.
    CredentialsInvalid,
    /// The credentials were good once.
    CredentialsExpired,
    /// The queue does not exist (any more).
    NoSuchQueue,
    /// The connection could not be made, or broke.
    Connection,
    /// An answer that makes no sense, or only a part of one.
    BadAnswer,
    /// AWS does not take the request as it is.
    InvalidRequest,
    /// Anything else.
    Other,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::Timeout,
        Self::ServerError,
        Self::Denied,
        Self::CredentialsMissing,
        Self::CredentialsInvalid,
        Self::CredentialsExpired,
        Self::NoSuchQueue,
        Self::Connection,
        Self::BadAnswer,
        Self::InvalidRequest,
        Self::Other,
    ];

    /// The label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::ServerError => "server_error",
            Self::Denied => "denied",
            Self::CredentialsMissing => "credentials_missing",
            Self::CredentialsInvalid => "credentials_invalid",
            Self::CredentialsExpired => "credentials_expired",
            Self::NoSuchQueue => "no_such_queue",
            Self::Connection => "connection",
            Self::BadAnswer => "bad_answer",
            Self::InvalidRequest => "invalid_request",
            Self::Other => "other",
        }
    }

    /// Whether the same request may succeed a moment later.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Throttled | Self::Timeout | Self::ServerError | Self::Connection | Self::BadAnswer
        )
    }

    /// Whether every other request of this identity fails for the same reason.
    pub fn is_general(self) -> bool {
        let identity = [Self::CredentialsMissing, Self::CredentialsInvalid, Self::CredentialsExpired];
        self == Self::Connection || identity.contains(&self)
    }

    /// Whether AWS saw the request, and so charges for it.
    pub fn is_charged(self) -> bool {
        !matches!(self, Self::CredentialsMissing | Self::Connection)
    }

    /// The reason that an error code stands for; a shape's namespace before `#` does not matter.
    pub fn of_code(code: &str) -> Option<Self> {
        Some(match code.rsplit('#').next().unwrap_or(code) {
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "LimitExceeded"
            | "LimitExceededException"
            | "KmsThrottled"
            | "KMS.ThrottlingException" => Self::Throttled,
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "NotAuthorized"
            | "AuthorizationError"
            | "OptInRequired"
            | "KmsAccessDenied"
            | "KMS.AccessDeniedException" => Self::Denied,
            "ExpiredToken" | "ExpiredTokenException" => Self::CredentialsExpired,
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "AuthFailure"
            | "InvalidSecurity"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "RequestExpired"
            | "RequestTimeTooSkewed" => Self::CredentialsInvalid,
            "AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist" | "NonExistentQueue" => {
                Self::NoSuchQueue
            }
            "InternalError"
            | "InternalFailure"
            | "InternalServiceError"
            | "InternalServiceFault"
            | "InternalServerError"
            | "ServiceUnavailable"
            | "ServiceUnavailableException" => Self::ServerError,
            "RequestTimeout" | "RequestTimeoutException" => Self::Timeout,
            _ => return None,
        })
    }

    fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Throttled,
            401 | 403 => Self::Denied,
            408 => Self::Timeout,
            500.. => Self::ServerError,
            // A 404 without a code we know comes from a server that does not speak this protocol.
            ..=399 | 404 => Self::BadAnswer,
            _ => Self::InvalidRequest,
        }
    }
}

/// One failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was tried.
    pub operation: Operation,
    /// Why it failed.
    pub reason: Reason,
    /// One short line, safe to log.
    pub message: String,
    /// How long AWS asks us to wait.
    pub retry_after: Option<Duration>,
    /// The IAM action that is not allowed, when that is the reason.
    denied: Option<String>,
}

impl Failure {
    /// Reads the SDK's error.
    pub fn new<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        if let Some(failure) = of_credentials(operation, error) {
            return failure;
        }
        match error {
            SdkError::ServiceError(service) => of_answer(operation, service.err(), service.raw()),
            SdkError::TimeoutError(_) => Self::plain(operation, Reason::Timeout, "no answer in time"),
            SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => {
                Self::plain(operation, Reason::Timeout, "no connection in time")
            }
            SdkError::DispatchFailure(_) => Self::plain(operation, Reason::Connection, root(error)),
            SdkError::ResponseError(response) => {
                let reason = match response.raw().status().as_u16() {
                    500.. => Reason::ServerError,
                    _ => Reason::BadAnswer,
                };
                Self::plain(operation, reason, "the answer could not be read to its end")
            }
            SdkError::ConstructionFailure(_) => Self::plain(operation, Reason::InvalidRequest, root(error)),
            _ => Self::plain(operation, Reason::Other, root(error)),
        }
    }

    /// A failure that is told by what an answer says rather than by the SDK.
    pub fn plain(operation: Operation, reason: Reason, message: impl Into<String>) -> Self {
        let denied = (reason == Reason::Denied).then(|| operation.action());
        Self { operation, reason, message: one_line(&message.into()), retry_after: None, denied }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self.reason {
            Reason::Denied => format!("allow `{}` in the identity's policy", self.denied.as_deref()?),
            Reason::CredentialsMissing => {
                "give the process AWS credentials: a role, a profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".into()
            }
            Reason::CredentialsInvalid => "check the credentials, and the clock of this machine".into(),
            Reason::CredentialsExpired => "renew the credentials; a role renews its own".into(),
            Reason::Throttled => "polling slows down by itself; a longer `poll.attributes` asks for less".into(),
            Reason::Connection | Reason::Timeout => "check the network, and `aws.endpoint_url` if it is set".into(),
            Reason::BadAnswer => "check that `aws.endpoint_url` is a server of this API".into(),
            _ => return None,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.operation.name(), self.message, self.reason.as_str())
    }
}

impl Error for Failure {}

fn of_answer(operation: Operation, error: &dyn ProvideErrorMetadata, answer: &HttpResponse) -> Failure {
    let status = answer.status().as_u16();
    let code = error.code().map(str::to_owned).or_else(|| code_in_xml(answer));
    let reason = code.as_deref().and_then(Reason::of_code).unwrap_or_else(|| Reason::of_status(status));
    let text = match (reason, error.message()) {
        // These texts can repeat the canonical request, token included.
        (Reason::CredentialsInvalid, _) | (_, None) => "",
        (_, Some(text)) => text,
    };
    let message = match &code {
        Some(code) => format!("{code} {text}"),
        None => format!("HTTP {status} {text}"),
    };
    let retry_after = answer.headers().get("retry-after").and_then(|seconds| seconds.trim().parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    Failure { retry_after, ..Failure::plain(operation, reason, message) }
}

/// The code of an error in XML, which a denial can be even for an API that speaks JSON.
fn code_in_xml(answer: &HttpResponse) -> Option<String> {
    let body = std::str::from_utf8(answer.body().bytes()?).ok()?;
    let (code, _) = body.split_once("<Code>")?.1.split_once("</Code>")?;
    let plausible = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (code.len() < 80 && code.chars().all(plausible)).then(|| code.to_owned())
}

/// Whether there were no credentials to sign with, and why.
fn of_credentials(operation: Operation, error: &(dyn Error + 'static)) -> Option<Failure> {
    let credentials = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())?;
    if let Some(refused) = causes(credentials).find_map(|cause| cause.downcast_ref::<AssumeError>()) {
        let mut failure = Failure::new(operation, refused);
        failure.denied = failure.denied.map(|_| "sts:AssumeRole".to_owned());
        failure.message = one_line(&format!("assuming the role: {}", failure.message));
        return Some(failure);
    }
    let reason = match credentials {
        CredentialsError::InvalidConfiguration(_) => Reason::CredentialsInvalid,
        _ => Reason::CredentialsMissing,
    };
    Some(Failure::plain(operation, reason, credentials.to_string()))
}

type AssumeError = SdkError<AssumeRoleError, HttpResponse>;

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

/// The innermost cause: what the layers above only wrap.
fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// At most 200 characters, without line breaks and other controls.
fn one_line(text: &str) -> String {
    let flat = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    flat.collect::<Vec<_>>().join(" ").chars().take(200).collect()
}
