//! What a bucket of a plot is in PromQL.

use std::time::Duration;

use crate::domain::metric::{Kind, Metric};
use crate::domain::queue::QueueId;
use crate::domain::time::MINUTE;

/// A rate needs two scrapes, and CloudWatch's sums come every few minutes.
const RATE: Duration = MINUTE.saturating_mul(5);

/// The value of the `step` before an instant: the largest of a gauge, the sum per minute of a counter. Of several daemons or scrapes of
/// the same queue, the largest, so that nothing is counted twice.
pub(super) fn of(queue: &QueueId, metric: Metric, step: Duration) -> String {
    let row = metric.row();
    let selector = selector(queue, row.family, row.state);
    let value = match row.kind {
        Kind::Gauge => format!("max_over_time({selector}[{}s])", step.as_secs()),
        Kind::Counter => format!("rate({selector}[{}s]) * 60", step.max(RATE).as_secs()),
    };
    format!("max by (account, region, queue) ({value})")
}

fn selector(queue: &QueueId, family: &str, state: Option<&str>) -> String {
    let labels = [("account", Some(&*queue.account)), ("region", Some(&*queue.region))];
    let labels = labels.into_iter().chain([("queue", Some(&*queue.name)), ("state", state)]);
    let matchers = labels.filter_map(|(name, value)| Some(format!("{name}=\"{}\"", escaped(value?))));
    format!("{family}{{{}}}", matchers.collect::<Vec<_>>().join(", "))
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_the_largest_and_a_counter_the_sum_per_minute() {
        let queue = QueueId::new("123456789012", "eu-west-1", "orders");
        let place = r#"account="123456789012", region="eu-west-1", queue="orders""#;
        for (metric, step, expected) in [
            (
                Metric::MessagesDelayed,
                60,
                format!(r#"max_over_time(sqs_queue_messages{{{place}, state="delayed"}}[60s])"#),
            ),
            (
                Metric::OldestMessageAge,
                600,
                format!("max_over_time(sqs_queue_oldest_message_age_seconds{{{place}}}[600s])"),
            ),
            (Metric::MessagesSent, 60, format!("rate(sqs_queue_messages_sent_total{{{place}}}[300s]) * 60")),
            (Metric::DeadLetters, 3600, format!("rate(sqs_queue_dead_letters_total{{{place}}}[3600s]) * 60")),
        ] {
            let expected = format!("max by (account, region, queue) ({expected})");
            assert_eq!(of(&queue, metric, Duration::from_secs(step)), expected);
        }
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let queue = QueueId::new("1", "r", "a\"} or vector(1) #\\\n");
        let expression = of(&queue, Metric::MessagesVisible, MINUTE);
        assert!(expression.contains(r#"queue="a\"} or vector(1) #\\\n""#), "{expression}");
    }
}
