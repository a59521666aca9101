//! THE catalogue: every metric of a queue, one row each.
//!
//! Configuration names, CloudWatch names, Prometheus names, units, sources and help texts all come from here and
//! from nowhere else; the exposition, `sqswatch metrics`, docs/metrics.md and the dashboards are checked against it.

use std::str::FromStr;

use super::queue::{Queue, QueueKind};
use super::rule::Statistic;

/// A metric of one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each variant's meaning is its catalogue row's help text")]
pub enum Metric {
    MessagesVisible,
    MessagesInFlight,
    MessagesDelayed,
    OldestMessageAge,
    MessagesSent,
    MessagesReceived,
    MessagesDeleted,
    EmptyReceives,
    SentBytes,
    GroupsInFlight,
    DeduplicatedSent,
    NoisyGroups,
    VisibleInQuietGroups,
    InFlightInQuietGroups,
    DelayedInQuietGroups,
    OldestAgeInQuietGroups,
    Retention,
    VisibilityTimeout,
    Delay,
    ReceiveWait,
    MaximumMessageBytes,
    MaxReceiveCount,
    Encrypted,
    Created,
    Modified,
    Messages,
    DrainTime,
    InFlightRatio,
    OldestMessageRetentionRatio,
    DeadLetters,
    ConsumersStalled,
}

/// Where a metric's values come from, and so what they cost and how late they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A count of GetQueueAttributes, read every `poll.attributes`.
    Attributes,
    /// A setting of GetQueueAttributes, read along with a poll every `discovery.interval`.
    Settings,
    /// GetMetricData, one query a metric and queue.
    CloudWatch,
    /// Computed here from other rows.
    Derived,
}

impl Source {
    /// As docs and `sqswatch metrics` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attributes => "attributes",
            Self::Settings => "settings",
            Self::CloudWatch => "cloudwatch",
            Self::Derived => "derived",
        }
    }
}

/// Prometheus's two types of number that the catalogue needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A sum per minute in CloudWatch and in alarms, exported as a counter that only grows.
    Counter,
}

impl Kind {
    /// As `# TYPE` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// The queues that can have a metric at all; nothing is asked of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every queue.
    All,
    /// FIFO queues.
    Fifo,
    /// Standard queues whose producers set a message group (fair queues). Asked only on request, as no attribute tells.
    Fair,
    /// Dead-letter queues.
    DeadLetter,
}

impl Scope {
    /// Whether `queue` can have such a metric.
    pub fn has(self, queue: &Queue) -> bool {
        match self {
            Self::All => true,
            Self::Fifo => queue.id.kind() == QueueKind::Fifo,
            Self::Fair => queue.id.kind() == QueueKind::Standard,
            Self::DeadLetter => queue.role.is_dead_letter(),
        }
    }
}

/// One row of the catalogue.
#[derive(Debug)]
pub struct Row {
    /// Which metric.
    pub metric: Metric,
    /// Its name in the configuration, the API and `backtest` data.
    pub name: &'static str,
    /// Its name in namespace AWS/SQS, if CloudWatch has it.
    pub cloudwatch: Option<&'static str>,
    /// The Prometheus family it is exported as.
    pub family: &'static str,
    /// The value of the family's `state` label, for the families that have one.
    pub state: Option<&'static str>,
    /// Base unit, as people write it: `messages`, `seconds`, `bytes`, `ratio`, ...
    pub unit: &'static str,
    /// Gauge or counter.
    pub kind: Kind,
    /// Where the value comes from.
    pub source: Source,
    /// Which queues can have it.
    pub scope: Scope,
    /// What an alarm uses when it names no statistic.
    pub statistic: Statistic,
    /// One sentence for `# HELP` and the docs; rows of one family share the first row's.
    pub help: &'static str,
}

macro_rules! row {
    ($metric:ident $name:literal, $cloudwatch:expr, $family:literal $({$state:literal})?, $unit:literal,
     $kind:ident, $source:ident, $scope:ident, $statistic:ident, $help:literal) => {
        Row {
            metric: Metric::$metric, name: $name, cloudwatch: $cloudwatch, family: $family,
            state: [$(Some($state),)? None][0], unit: $unit, kind: Kind::$kind, source: Source::$source,
            scope: Scope::$scope, statistic: Statistic::$statistic, help: $help,
        }
    };
}

/// All rows, families together, in the order of [`Metric`].
#[rustfmt::skip]
pub const CATALOGUE: &[Row] = &[
    row!(MessagesVisible "messages_visible", Some("ApproximateNumberOfMessagesVisible"), "sqs_queue_messages" {"visible"}, "messages", Gauge, Attributes, All, Maximum,
        "Approximate number of messages by state: visible (could be received now), in_flight (received, not yet deleted), delayed."),
    row!(MessagesInFlight "messages_in_flight", Some("ApproximateNumberOfMessagesNotVisible"), "sqs_queue_messages" {"in_flight"}, "messages", Gauge, Attributes, All, Maximum,
        "Approximate number of messages received and neither deleted nor visible again."),
    row!(MessagesDelayed "messages_delayed", Some("ApproximateNumberOfMessagesDelayed"), "sqs_queue_messages" {"delayed"}, "messages", Gauge, Attributes, All, Maximum,
        "Approximate number of messages not yet visible because of a delay."),
    row!(OldestMessageAge "oldest_message_age", Some("ApproximateAgeOfOldestMessage"), "sqs_queue_oldest_message_age_seconds", "seconds", Gauge, CloudWatch, All, Maximum,
        "Approximate age of the oldest message that is not deleted; in a dead-letter queue it counts from the move."),
    row!(MessagesSent "messages_sent", Some("NumberOfMessagesSent"), "sqs_queue_messages_sent_total", "messages", Counter, CloudWatch, All, Sum,
        "Messages sent to the queue; moves to a dead-letter queue are not sends."),
    row!(MessagesReceived "messages_received", Some("NumberOfMessagesReceived"), "sqs_queue_messages_received_total", "messages", Counter, CloudWatch, All, Sum,
        "Messages returned by receives, each receive of a message counted."),
    row!(MessagesDeleted "messages_deleted", Some("NumberOfMessagesDeleted"), "sqs_queue_messages_deleted_total", "messages", Counter, CloudWatch, All, Sum,
        "Successful deletes."),
    row!(EmptyReceives "empty_receives", Some("NumberOfEmptyReceives"), "sqs_queue_empty_receives_total", "receives", Counter, CloudWatch, All, Sum,
        "Receives that returned no message."),
    row!(SentBytes "sent_bytes", Some("SentMessageSize"), "sqs_queue_sent_bytes_total", "bytes", Counter, CloudWatch, All, Sum,
        "Bytes of the messages sent to the queue."),
    row!(GroupsInFlight "groups_in_flight", Some("ApproximateNumberOfGroupsWithInflightMessages"), "sqs_queue_groups_in_flight", "groups", Gauge, CloudWatch, Fifo, Maximum,
        "Approximate number of message groups with messages in flight; FIFO queues only."),
    row!(DeduplicatedSent "deduplicated_sent", Some("NumberOfDeduplicatedSentMessages"), "sqs_queue_deduplicated_messages_sent_total", "messages", Counter, CloudWatch, Fifo, Sum,
        "Sends that were dropped as duplicates; FIFO queues only."),
    row!(NoisyGroups "noisy_groups", Some("ApproximateNumberOfNoisyGroups"), "sqs_queue_noisy_groups", "groups", Gauge, CloudWatch, Fair, Maximum,
        "Approximate number of message groups that take more than their share; fair queues only."),
    row!(VisibleInQuietGroups "messages_visible_in_quiet_groups", Some("ApproximateNumberOfMessagesVisibleInQuietGroups"), "sqs_queue_quiet_group_messages" {"visible"}, "messages", Gauge, CloudWatch, Fair, Maximum,
        "Approximate number of messages outside noisy groups, by state; fair queues only."),
    row!(InFlightInQuietGroups "messages_in_flight_in_quiet_groups", Some("ApproximateNumberOfMessagesNotVisibleInQuietGroups"), "sqs_queue_quiet_group_messages" {"in_flight"}, "messages", Gauge, CloudWatch, Fair, Maximum,
        "Approximate number of messages in flight outside noisy groups; fair queues only."),
    row!(DelayedInQuietGroups "messages_delayed_in_quiet_groups", Some("ApproximateNumberOfMessagesDelayedInQuietGroups"), "sqs_queue_quiet_group_messages" {"delayed"}, "messages", Gauge, CloudWatch, Fair, Maximum,
        "Approximate number of delayed messages outside noisy groups; fair queues only."),
    row!(OldestAgeInQuietGroups "oldest_message_age_in_quiet_groups", Some("ApproximateAgeOfOldestMessageInQuietGroups"), "sqs_queue_quiet_group_oldest_message_age_seconds", "seconds", Gauge, CloudWatch, Fair, Maximum,
        "Approximate age of the oldest message outside noisy groups; fair queues only."),
    row!(Retention "retention", None, "sqs_queue_retention_seconds", "seconds", Gauge, Settings, All, Maximum,
        "How long the queue keeps a message."),
    row!(VisibilityTimeout "visibility_timeout", None, "sqs_queue_visibility_timeout_seconds", "seconds", Gauge, Settings, All, Maximum,
        "How long a received message stays hidden from other receives."),
    row!(Delay "delay", None, "sqs_queue_delay_seconds", "seconds", Gauge, Settings, All, Maximum,
        "How long a new message stays hidden."),
    row!(ReceiveWait "receive_wait", None, "sqs_queue_receive_wait_seconds", "seconds", Gauge, Settings, All, Maximum,
        "How long a receive waits for a message by default; 0 is short polling."),
    row!(MaximumMessageBytes "maximum_message_bytes", None, "sqs_queue_maximum_message_bytes", "bytes", Gauge, Settings, All, Maximum,
        "The largest message the queue accepts."),
    row!(MaxReceiveCount "max_receive_count", None, "sqs_queue_max_receives", "receives", Gauge, Settings, All, Maximum,
        "Receives after which a message moves to the dead-letter queue; absent without one."),
    row!(Encrypted "encrypted", None, "sqs_queue_encrypted", "bool", Gauge, Settings, All, Maximum,
        "Whether messages are encrypted at rest: 1 or 0."),
    row!(Created "created", None, "sqs_queue_created_timestamp_seconds", "timestamp", Gauge, Settings, All, Maximum,
        "When the queue was created, in Unix time."),
    row!(Modified "modified", None, "sqs_queue_modified_timestamp_seconds", "timestamp", Gauge, Settings, All, Maximum,
        "When the queue's settings last changed, in Unix time."),
    row!(Messages "messages", None, "sqs_queue_depth", "messages", Gauge, Derived, All, Maximum,
        "Approximate number of messages in all states: visible, in flight and delayed."),
    row!(DrainTime "drain_seconds", None, "sqs_queue_drain_seconds", "seconds", Gauge, Derived, All, Minimum,
        "Time until the queue is empty at the present net rate; absent while it does not shrink."),
    row!(InFlightRatio "in_flight_ratio", None, "sqs_queue_in_flight_ratio", "ratio", Gauge, Derived, All, Maximum,
        "Messages in flight over the 120,000 that SQS allows a queue."),
    row!(OldestMessageRetentionRatio "oldest_message_retention_ratio", None, "sqs_queue_oldest_message_retention_ratio", "ratio", Gauge, Derived, All, Maximum,
        "Age of the oldest message over the queue's retention: at 1 messages are being lost."),
    row!(DeadLetters "dead_letters", None, "sqs_queue_dead_letters_total", "messages", Counter, Derived, DeadLetter, Sum,
        "Messages that arrived in a dead-letter queue, also those deleted before a reading could see them."),
    row!(ConsumersStalled "consumers_stalled", None, "sqs_queue_consumers_stalled", "bool", Gauge, Derived, All, Minimum,
        "1 when messages wait and none was deleted in the last settled minute, else 0."),
];

impl Metric {
    /// How many metrics there are; [`Metric::index`] is below it.
    pub const COUNT: usize = CATALOGUE.len();

    /// The metric's row of the catalogue.
    pub fn row(self) -> &'static Row {
        &CATALOGUE[self.index()]
    }

    /// The row's position, for tables with one place a metric.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// All metrics, in the catalogue's order.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.iter().map(|row| row.metric)
    }

    /// The metric's name in the configuration.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

/// The text names no metric of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMetric;

impl FromStr for Metric {
    type Err = UnknownMetric;

    /// Takes the configuration's name or CloudWatch's.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let row = CATALOGUE.iter().find(|row| row.name == text || row.cloudwatch == Some(text));
        row.map(|row| row.metric).ok_or(UnknownMetric)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum_and_families_together() {
        let mut families: Vec<&str> = Vec::new();
        for (position, row) in CATALOGUE.iter().enumerate() {
            assert_eq!(row.metric.index(), position, "{}", row.name);
            if families.last() != Some(&row.family) {
                assert!(!families.contains(&row.family), "family {} is torn apart", row.family);
                families.push(row.family);
            }
        }
    }

    #[test]
    fn names_are_unique_and_read_back() {
        let names: BTreeSet<_> =
            CATALOGUE.iter().flat_map(|row| [Some(row.name), row.cloudwatch]).flatten().collect();
        let wanted = CATALOGUE.iter().map(|row| 1 + usize::from(row.cloudwatch.is_some())).sum::<usize>();
        assert_eq!(names.len(), wanted);
        for row in CATALOGUE {
            assert_eq!(row.name.parse(), Ok(row.metric));
            assert!(row.cloudwatch.is_none_or(|name| name.parse() == Ok(row.metric)));
        }
        assert_eq!("depth".parse::<Metric>(), Err(UnknownMetric));
    }

    #[test]
    fn prometheus_naming_rules_hold() {
        for row in CATALOGUE {
            assert_eq!(row.family.ends_with("_total"), row.kind == Kind::Counter, "{}", row.family);
            assert!(row.family.starts_with("sqs_queue_"), "{}", row.family);
            assert!(row.help.ends_with('.'), "{}", row.help);
            if matches!(row.unit, "seconds" | "bytes" | "ratio") {
                assert!(row.family.contains(row.unit), "{} lacks its unit", row.family);
            }
        }
    }
}
