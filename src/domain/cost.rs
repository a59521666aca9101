//! What calls to AWS cost, in US dollars.
//!
//! List prices of us-east-1 without any free tier, from aws.amazon.com/sqs/pricing, /cloudwatch/pricing and /sns/pricing;
//! other regions differ by some percent. An estimate to steer by, not a bill.

use std::time::Duration;

/// One request to a standard queue, and any request that concerns no one queue: $0.40 a million.
pub const STANDARD_REQUEST: f64 = 0.40 / 1e6;
/// One request to a FIFO queue: $0.50 a million.
pub const FIFO_REQUEST: f64 = 0.50 / 1e6;
/// One metric asked for in GetMetricData, whatever the number of datapoints: $0.01 a thousand.
pub const METRIC_QUERY: f64 = 0.01 / 1e3;
/// One publish to a topic, up to 64 KiB: $0.50 a million.
pub const PUBLISH: f64 = 0.50 / 1e6;

/// What projections call a month.
pub const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// A call that costs something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// A request about one queue: GetQueueAttributes, GetQueueUrl.
    SqsRequest {
        /// Whether that queue is a FIFO queue.
        fifo: bool,
    },
    /// A page of ListQueues.
    ListRequest,
    /// ListQueueTags of one queue.
    TagRequest {
        /// Whether that queue is a FIFO queue.
        fifo: bool,
    },
    /// GetMetricData that asks for so many metrics; every page of an answer asks for them again.
    MetricQueries(u64),
    /// sns:Publish.
    SnsPublish,
}

impl Call {
    /// What it costs, in dollars.
    pub fn dollars(self) -> f64 {
        match self {
            Self::SqsRequest { fifo: true } | Self::TagRequest { fifo: true } => FIFO_REQUEST,
            Self::SqsRequest { fifo: false } | Self::TagRequest { fifo: false } | Self::ListRequest => {
                STANDARD_REQUEST
            }
            Self::MetricQueries(metrics) => metrics as f64 * METRIC_QUERY,
            Self::SnsPublish => PUBLISH,
        }
    }
}

/// What a [`MONTH`] costs at the rate at which `dollars` were spent in `time`; `None` before any time has passed.
pub fn monthly(dollars: f64, time: Duration) -> Option<f64> {
    (!time.is_zero()).then(|| dollars * (MONTH.as_secs_f64() / time.as_secs_f64()))
}

/// What a [`MONTH`] of one such call every `interval` costs; nothing for an interval of zero.
pub fn monthly_every(call: Call, interval: Duration) -> f64 {
    monthly(call.dollars(), interval).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_thousand_queues_for_a_month_cost_what_aws_would_bill() {
        for (call, interval, dollars) in [
            (Call::SqsRequest { fifo: false }, MINUTE, 17.28),
            (Call::SqsRequest { fifo: true }, MINUTE, 21.60),
            (Call::MetricQueries(3), MINUTE, 1296.0),
            (Call::MetricQueries(1), MINUTE, 432.0),
            (Call::MetricQueries(1), MINUTE * 5, 86.40),
            (Call::TagRequest { fifo: false }, MINUTE * 5, 3.456),
            (Call::SnsPublish, MINUTE, 21.60),
        ] {
            let thousand = 1000.0 * monthly_every(call, interval);
            assert!((thousand - dollars).abs() < 1e-6, "{call:?} every {interval:?}: {thousand}");
        }
    }

    #[test]
    fn a_projection_needs_time() {
        assert_eq!(monthly(1.0, Duration::ZERO), None);
        assert_eq!(monthly_every(Call::ListRequest, Duration::ZERO), 0.0);
        assert_eq!(monthly(0.5, MONTH / 2), Some(1.0));
        assert_eq!(Call::MetricQueries(0).dollars(), 0.0);
    }
}
