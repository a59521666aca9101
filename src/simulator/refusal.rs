//! An error answer, as the AWS services word it, before it is put on the wire.
//!
//! A service has two names for one error: the shape of its model (`__type` in JSON and CBOR) and the older code of
//! the query protocol, which JSON and CBOR answers repeat in the header `x-amzn-query-error`. The Rust SDK
//! matches on the latter, boto3 on both, so a refusal carries both.

use std::fmt;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Shape with its namespace, e.g. `com.amazonaws.sqs#QueueDoesNotExist`.
    pub shape: &'static str,
    /// Query code, e.g. `AWS.SimpleQueueService.NonExistentQueue`.
    pub code: &'static str,
    /// Text for a person.
    pub message: String,
}

impl Refusal {
    /// A refusal with status 400, the one nearly all of them have.
    pub fn new(shape: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Refusal { status: 400, shape, code, message: message.into() }
    }

    /// The same with another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A body that could not be read.
    pub fn unreadable(why: impl fmt::Display) -> Self {
        let message = format!("the request body could not be read: {why}");
        Refusal::new("com.amazon.coral.service#SerializationException", "MalformedInput", message)
    }

    /// An operation that the simulator does not have; never a silent success.
    pub fn unknown_operation(operation: &str) -> Self {
        let message = format!("the simulator has no operation `{operation}`");
        Refusal::new("com.amazon.coral.service#UnknownOperationException", "InvalidAction", message)
    }

    /// A required field that is not there.
    pub fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Refusal::new("com.amazonaws.sqs#MissingParameter", "MissingParameter", message)
    }

    /// A field with a value that the service does not take.
    pub fn invalid_value(message: impl Into<String>) -> Self {
        Refusal::new("com.amazonaws.sqs#InvalidParameterValueException", "InvalidParameterValue", message)
    }

    /// Whose fault it is, as the wire says it.
    pub fn blame(&self) -> &'static str {
        if self.status < 500 { "Sender" } else { "Receiver" }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}
