//! The notification that `test-notify` sends.

use std::collections::BTreeMap;

use crate::domain::alarm::{AlarmKey, State, Subject};
use crate::domain::metric::Metric;
use crate::domain::notification::{self, Cause, Event, Notification};
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, MetricRef, Severity, Statistic};
use crate::domain::time::Timestamp;

/// A notification that says of itself, wherever it is shown, that nothing is wrong. Its state is ALARM, so that a
/// receiver that only reacts to alarms shows it as well; its queue does not exist.
pub fn test_notification(now: Timestamp) -> Notification {
    let alarm = AlarmKey {
        rule: "sqswatch-test".into(),
        subject: Subject::Queue(QueueId::new("", "", "nothing-is-wrong")),
    };
    Notification {
        id: notification::id(&alarm, Event::Test, now, 0),
        event: Event::Test,
        alarm,
        from: State::Ok,
        to: State::Alarm,
        since: now,
        fired_at: None,
        at: now,
        reason: "This is a test of sqswatch's notifications. Nothing is wrong, and no OK will follow.".into(),
        value: None,
        description: "Sent by `sqswatch test-notify`".into(),
        cause: Cause::Metric(Condition {
            evaluation_range: 1,
            ..Condition::new(
                MetricRef::Queue(Metric::MessagesVisible),
                Statistic::Maximum,
                Comparison::GreaterThanOrEqual,
                1.0,
            )
        }),
        severity: Severity::Info,
        labels: BTreeMap::new(),
        queue: None,
    }
}
