//! Counts and prices every request to AWS, by region.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::failure::{Failure, Reason};
use crate::domain::cost::Call;
use crate::telemetry::Telemetry;

/// One operation of AWS that the daemon uses; all but the last only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named as AWS names it")]
pub enum Operation {
    ListQueues,
    GetQueueUrl,
    GetQueueAttributes,
    ListQueueTags,
    GetMetricData,
    GetCallerIdentity,
    Publish,
}

impl Operation {
    /// Those that watching takes.
    const WATCHING: [Self; 6] = [
        Self::ListQueues,
        Self::GetQueueUrl,
        Self::GetQueueAttributes,
        Self::ListQueueTags,
        Self::GetMetricData,
        Self::GetCallerIdentity,
    ];

    /// The service, as labels have it.
    pub fn service(self) -> &'static str {
        match self {
            Self::GetMetricData => "cloudwatch",
            Self::GetCallerIdentity => "sts",
            Self::Publish => "sns",
            _ => "sqs",
        }
    }

    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListQueues => "ListQueues",
            Self::GetQueueUrl => "GetQueueUrl",
            Self::GetQueueAttributes => "GetQueueAttributes",
            Self::ListQueueTags => "ListQueueTags",
            Self::GetMetricData => "GetMetricData",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::Publish => "Publish",
        }
    }

    /// The IAM action that allows it.
    pub fn action(self) -> String {
        format!("{}:{}", self.service(), self.name())
    }
}

/// Counts the requests of one region.
#[derive(Clone, Debug)]
pub struct Meter {
    telemetry: Telemetry,
    region: Arc<str>,
}

impl Meter {
    /// A meter of what is watched in `region`, with every counter there from the start, so that its first increase shows as
    /// one.
    pub fn new(telemetry: Telemetry, region: Arc<str>) -> Self {
        Self::of(&Operation::WATCHING, telemetry, region)
    }

    /// A meter of what is published in `region`.
    pub fn publishing(telemetry: Telemetry, region: Arc<str>) -> Self {
        Self::of(&[Operation::Publish], telemetry, region)
    }

    fn of(operations: &[Operation], telemetry: Telemetry, region: Arc<str>) -> Self {
        for operation in operations {
            let (service, name) = (operation.service(), operation.name());
            telemetry.requests.with_label_values(&[service, name, &region]);
            telemetry.throttles.with_label_values(&[service, &region]);
            for reason in Reason::ALL {
                telemetry.failures.with_label_values(&[service, name, &region, reason.as_str()]);
            }
        }
        Self { telemetry, region }
    }

    /// Makes one request, and counts it; what is no `call` in the price list costs nothing.
    pub async fn request<T, E>(
        &self,
        operation: Operation,
        call: Option<Call>,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failure>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let result = request.await.map_err(|error| Failure::new(operation, &error));
        self.count(operation, call, result.as_ref().err().map(|failure| failure.reason));
        result
    }

    /// Counts one request; `reason` is why it failed, if it did.
    pub fn count(&self, operation: Operation, call: Option<Call>, reason: Option<Reason>) {
        let labels = [operation.service(), operation.name(), &self.region];
        self.telemetry.requests.with_label_values(&labels).inc();
        if reason.is_none_or(Reason::is_charged) {
            let dollars = call.map_or(0.0, Call::dollars);
            self.telemetry.dollars.with_label_values(&[operation.service()]).inc_by(dollars);
        }
        if let Some(reason) = reason {
            self.failed(operation, reason);
        }
    }

    /// Counts a failure: of a request, or of an answer that is of no use, wholly or in part.
    pub fn failed(&self, operation: Operation, reason: Reason) {
        let labels = [operation.service(), operation.name(), &self.region, reason.as_str()];
        self.telemetry.failures.with_label_values(&labels).inc();
        if reason == Reason::Throttled {
            self.telemetry.throttles.with_label_values(&[operation.service(), &self.region]).inc();
        }
    }
}
