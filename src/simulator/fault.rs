//! Faults on demand: which request fails how, and how often.

use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer};

use super::refusal::Refusal;

/// One fault. Fields that are `None` match everything; the first fault that matches a request decides its fate.
///
/// As JSON (`POST /_simulator/faults`): `{"service": "sqs", "operation": "GetQueueAttributes", "queue": "orders",
/// "kind": "throttle", "times": 3}`, `{"kind": {"latency": "500ms"}}`, `{"kind": {"cloud_watch_status": "forbidden"}}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `sqs`, `cloudwatch`, `sns` or `sts`.
    #[serde(default)]
    pub service: Option<String>,
    /// E.g. `GetQueueAttributes`.
    #[serde(default)]
    pub operation: Option<String>,
    /// Name of the queue that an SQS request is about, or, for `CloudWatchStatus`, a series is about.
    #[serde(default)]
    pub queue: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many requests (or series) it hits; `None`: until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The service's own throttling error, 400.
    Throttle,
    /// Throttled beyond so many requests a second, as AWS does: a bucket that holds a second's worth, at least one.
    RateLimit(f64),
    /// An internal error, 500.
    ServerError,
    /// The ordinary answer, so much later. As JSON a text: `500ms`.
    Latency(#[serde(deserialize_with = "duration")] Duration),
    /// 200 with a page of HTML.
    Garbage,
    /// 200 with the first half of the true answer.
    Truncated,
    /// Access denied, 403.
    Denied,
    /// Access denied as moto says it: 403 with XML, even for SQS.
    DeniedXml,
    /// The connection is reset without an answer.
    ConnectionReset,
    /// The security token has expired, 403.
    ExpiredCredentials,
    /// SQS: the queue does not exist.
    NoSuchQueue,
    /// Every page has a next one: ListQueues and GetMetricData repeat themselves for ever.
    EndlessPages,
    /// GetQueueAttributes: one attribute with this value, or without it.
    Attribute {
        /// E.g. `ApproximateNumberOfMessages`.
        name: String,
        /// What to say instead; `None` leaves the attribute out.
        value: Option<String>,
    },
    /// GetMetricData: what a series' StatusCode says.
    CloudWatchStatus(SeriesStatus),
}

/// A `StatusCode` of GetMetricData other than `Complete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesStatus {
    /// Half of the datapoints, without a next page.
    PartialData,
    /// No datapoints, no permission.
    Forbidden,
    /// No datapoints, try again.
    InternalError,
}

impl SeriesStatus {
    /// As the wire has it.
    pub fn name(self) -> &'static str {
        match self {
            SeriesStatus::PartialData => "PartialData",
            SeriesStatus::Forbidden => "Forbidden",
            SeriesStatus::InternalError => "InternalError",
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

/// The faults to come, in the order they were injected.
#[derive(Debug, Default)]
pub struct Faults(Vec<Injected>);

#[derive(Debug)]
struct Injected {
    fault: Fault,
    /// `RateLimit`: requests that may pass, and since when.
    allowance: (f64, Instant),
}

impl Injected {
    /// Whether the fault lets a request pass that it matches.
    fn lets_pass(&mut self) -> bool {
        let FaultKind::RateLimit(rate) = self.fault.kind else { return false };
        let (left, since) = self.allowance;
        let left = (left + since.elapsed().as_secs_f64() * rate).min(rate.max(1.0));
        let passes = left >= 1.0;
        self.allowance = (if passes { left - 1.0 } else { left }, Instant::now());
        passes
    }
}

impl Faults {
    /// Adds one.
    pub fn inject(&mut self, fault: Fault) {
        let full = if let FaultKind::RateLimit(rate) = fault.kind { rate.max(1.0) } else { 0.0 };
        self.0.push(Injected { fault, allowance: (full, Instant::now()) });
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault of one request, used up by one.
    pub fn of_request(&mut self, service: &str, operation: &str, queue: Option<&str>) -> Option<FaultKind> {
        self.take(|fault| {
            !matches!(fault.kind, FaultKind::CloudWatchStatus(_))
                && fault.matches(service, operation)
                && fault.queue.as_deref().is_none_or(|wanted| queue == Some(wanted))
        })
    }

    /// The fault of one series of a GetMetricData request, used up by one.
    pub fn of_series(&mut self, queue: Option<&str>) -> Option<SeriesStatus> {
        let kind = self.take(|fault| {
            matches!(fault.kind, FaultKind::CloudWatchStatus(_))
                && fault.matches("cloudwatch", "GetMetricData")
                && fault.queue.as_deref().is_none_or(|wanted| queue == Some(wanted))
        });
        match kind {
            Some(FaultKind::CloudWatchStatus(status)) => Some(status),
            _ => None,
        }
    }

    fn take(&mut self, matches: impl Fn(&Fault) -> bool) -> Option<FaultKind> {
        let hits = |injected: &mut Injected| {
            injected.fault.times != Some(0) && matches(&injected.fault) && !injected.lets_pass()
        };
        let index = self.0.iter_mut().position(hits)?;
        let fault = &mut self.0[index].fault;
        let kind = fault.kind.clone();
        fault.times = fault.times.map(|times| times - 1);
        if fault.times == Some(0) {
            self.0.remove(index);
        }
        Some(kind)
    }
}

impl Fault {
    /// A fault of every request, until cleared; narrow it with the fields.
    pub fn new(kind: FaultKind) -> Self {
        Fault { service: None, operation: None, queue: None, kind, times: None }
    }

    fn matches(&self, service: &str, operation: &str) -> bool {
        self.service.as_deref().is_none_or(|wanted| wanted == service)
            && self.operation.as_deref().is_none_or(|wanted| wanted == operation)
    }
}

/// The error answer of a fault that is one, in the words of `service`.
pub fn refusal(kind: &FaultKind, service: &str, operation: &str) -> Option<Refusal> {
    Some(match kind {
        FaultKind::Throttle | FaultKind::RateLimit(_) if service == "sqs" => {
            let message = "The request was denied due to request throttling.";
            Refusal::new("com.amazonaws.sqs#RequestThrottled", "RequestThrottled", message)
        }
        FaultKind::Throttle | FaultKind::RateLimit(_) => {
            Refusal::new("com.amazon.coral.availability#ThrottlingException", "Throttling", "Rate exceeded")
        }
        FaultKind::ServerError => {
            let message = "We encountered an internal error. Please try again.";
            Refusal::new("com.amazon.coral.service#InternalFailure", "InternalFailure", message)
                .with_status(500)
        }
        FaultKind::Denied | FaultKind::DeniedXml => {
            let message = format!(
                "User: arn:aws:iam::123456789012:user/sqswatch is not authorized to perform: {service}:{operation}"
            );
            let code = if service == "sns" { "AuthorizationError" } else { "AccessDenied" };
            Refusal::new("com.amazon.coral.service#AccessDeniedException", code, message).with_status(403)
        }
        FaultKind::ExpiredCredentials => {
            let message = "The security token included in the request is expired";
            Refusal::new("com.amazon.coral.service#ExpiredTokenException", "ExpiredToken", message)
                .with_status(403)
        }
        FaultKind::NoSuchQueue => super::cloud::no_such_queue(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_used_up_and_leaves_others_alone() {
        let mut faults = Faults::default();
        let throttle =
            Fault { queue: Some("orders".into()), times: Some(2), ..Fault::new(FaultKind::Throttle) };
        faults.inject(throttle);
        let mut hit = |queue| faults.of_request("sqs", "GetQueueAttributes", Some(queue)).is_some();
        assert!(!hit("orders-dlq"));
        assert!(hit("orders") && hit("orders"));
        assert!(!hit("orders"));
    }

    #[test]
    fn a_rate_limit_lets_its_share_pass() {
        let mut faults = Faults::default();
        faults.inject(Fault::new(FaultKind::RateLimit(1e-9)));
        let mut hit = || faults.of_request("sqs", "ListQueueTags", None);
        assert_eq!(hit(), None);
        assert_eq!(hit(), Some(FaultKind::RateLimit(1e-9)));
    }

    #[test]
    fn faults_are_read_from_json() {
        for (text, kind) in [
            (r#"{"kind":"throttle"}"#, FaultKind::Throttle),
            (r#"{"kind":{"latency":"250ms"}}"#, FaultKind::Latency(Duration::from_millis(250))),
            (
                r#"{"kind":{"cloud_watch_status":"forbidden"}}"#,
                FaultKind::CloudWatchStatus(SeriesStatus::Forbidden),
            ),
        ] {
            assert_eq!(serde_json::from_str::<Fault>(text).unwrap().kind, kind, "{text}");
        }
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"throttle","time":3}"#).is_err());
    }
}
