//! What a queue is: its identity, its settings, and its part in a dead-letter topology.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::time::Timestamp;

/// The identity of a queue: unique over all accounts and regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId {
    /// The twelve digits of the owning account.
    pub account: Arc<str>,
    /// The region's code, e.g. `eu-west-1`.
    pub region: Arc<str>,
    /// The queue's name, with `.fifo` at its end when it is a FIFO queue.
    pub name: Arc<str>,
}

impl QueueId {
    /// The identity made of these three parts.
    pub fn new(account: impl Into<Arc<str>>, region: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { account: account.into(), region: region.into(), name: name.into() }
    }

    /// Reads `arn:aws:sqs:REGION:ACCOUNT:NAME` (any partition); `None` for anything else.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let well_formed = arn == "arn" && service == "sqs" && !name.is_empty() && !name.contains(':');
        well_formed.then(|| Self::new(account, region, name))
    }

    /// Standard or FIFO, which AWS ties to the name's ending.
    pub fn kind(&self) -> QueueKind {
        if self.name.ends_with(".fifo") { QueueKind::Fifo } else { QueueKind::Standard }
    }
}

impl fmt::Display for QueueId {
    /// `account/region/name`, as logs and API paths show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.region, self.name)
    }
}

/// Standard or FIFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueKind {
    /// At-least-once delivery, best-effort order.
    Standard,
    /// Ordered per message group, with deduplication.
    Fifo,
}

impl QueueKind {
    /// The label value: `standard` or `fifo`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Fifo => "fifo",
        }
    }
}

/// A queue's part in a dead-letter topology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Neither has a dead-letter queue nor is one.
    #[default]
    Plain,
    /// Has a dead-letter queue.
    Source,
    /// Is some queue's dead-letter queue.
    DeadLetter,
    /// Is a dead-letter queue that has one of its own.
    Both,
}

impl Role {
    /// The role that follows from these two facts.
    pub fn of(has_dead_letter_queue: bool, is_dead_letter_queue: bool) -> Self {
        match (has_dead_letter_queue, is_dead_letter_queue) {
            (false, false) => Self::Plain,
            (true, false) => Self::Source,
            (false, true) => Self::DeadLetter,
            (true, true) => Self::Both,
        }
    }

    /// The label value: `plain`, `source`, `dead_letter` or `both`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Source => "source",
            Self::DeadLetter => "dead_letter",
            Self::Both => "both",
        }
    }

    /// Whether dead letters arrive here.
    pub fn is_dead_letter(self) -> bool {
        matches!(self, Self::DeadLetter | Self::Both)
    }

    /// Whether messages can leave from here to a dead-letter queue.
    pub fn is_source(self) -> bool {
        matches!(self, Self::Source | Self::Both)
    }
}

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedrivePolicy {
    /// The dead-letter queue; of the same account, region and kind.
    pub dead_letter_queue: QueueId,
    /// Receives after which a message moves there: 1 to 1,000.
    pub max_receive_count: u32,
}

/// What a queue is set to, from GetQueueAttributes. `None` is "not told", never a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// How long a message is kept: 60 s to 14 days.
    pub retention_seconds: Option<u64>,
    /// How long a received message stays hidden: 0 s to 12 h.
    pub visibility_timeout_seconds: Option<u64>,
    /// How long a new message stays hidden: 0 to 900 s.
    pub delay_seconds: Option<u64>,
    /// How long a receive waits by default: 0 (short polling) to 20 s.
    pub receive_wait_seconds: Option<u64>,
    /// The largest message accepted: 1 KiB to 1 MiB.
    pub maximum_message_bytes: Option<u64>,
    /// Whether messages are encrypted at rest, by SQS's own key or by KMS.
    pub encrypted: Option<bool>,
    /// Whether its policy allows everybody something without a condition.
    pub public: Option<bool>,
    /// The dead-letter queue and its threshold, when there is one.
    pub redrive: Option<RedrivePolicy>,
    /// When the queue was made.
    pub created_at: Option<Timestamp>,
    /// When its settings last changed.
    pub modified_at: Option<Timestamp>,
}

/// The three approximate counts of GetQueueAttributes. `None` is "not told or not a count", never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages a consumer could receive now.
    pub visible: Option<u64>,
    /// Messages received and neither deleted nor visible again.
    pub in_flight: Option<u64>,
    /// Messages not yet visible because of a delay.
    pub delayed: Option<u64>,
}

impl Depth {
    /// All messages of the queue, when all three counts are known.
    pub fn total(self) -> Option<u64> {
        Some(self.visible?.saturating_add(self.in_flight?).saturating_add(self.delayed?))
    }

    /// Whether the queue is known to hold nothing at all (then it has no oldest message either).
    pub fn is_known_empty(self) -> bool {
        self.total() == Some(0)
    }
}

/// A queue with what is known of it beside its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// Which queue.
    pub id: QueueId,
    /// The URL the SQS API takes.
    pub url: Arc<str>,
    /// Its settings as last read.
    pub settings: Settings,
    /// Its tags; `None` when they were not read: not asked for, not yet, or not allowed.
    pub tags: Option<BTreeMap<String, String>>,
    /// Its part in the dead-letter topology.
    pub role: Role,
    /// The queues whose dead letters arrive here, by name.
    pub sources: Vec<QueueId>,
}

impl Queue {
    /// A queue of which only name and URL are known yet.
    pub fn new(id: QueueId, url: impl Into<Arc<str>>) -> Self {
        Self {
            id,
            url: url.into(),
            settings: Settings::default(),
            tags: None,
            role: Role::Plain,
            sources: Vec::new(),
        }
    }

    /// The value of one tag, as far as tags are known.
    pub fn tag(&self, key: &str) -> Option<&String> {
        self.tags.as_ref()?.get(key)
    }

    /// The queue its dead letters go to.
    pub fn dead_letter_queue(&self) -> Option<&QueueId> {
        self.settings.redrive.as_ref().map(|policy| &policy.dead_letter_queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_read_in_every_partition_and_nonsense_is_not() {
        let id = QueueId::from_arn("arn:aws-cn:sqs:cn-north-1:123456789012:orders.fifo").unwrap();
        assert_eq!(id.to_string(), "123456789012/cn-north-1/orders.fifo");
        assert_eq!(id.kind(), QueueKind::Fifo);
        for wrong in [
            "",
            "arn:aws:sqs:us-east-1:1",
            "arn:aws:sns:us-east-1:1:topic",
            "arn:aws:sqs:us-east-1:1:a:b",
            "orders",
        ] {
            assert_eq!(QueueId::from_arn(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_count_that_is_unknown_makes_the_total_unknown() {
        let depth = Depth { visible: Some(0), in_flight: Some(0), delayed: None };
        assert_eq!(depth.total(), None);
        assert!(!depth.is_known_empty());
        assert!(Depth { delayed: Some(0), ..depth }.is_known_empty());
        assert_eq!(
            Depth { visible: Some(u64::MAX), in_flight: Some(1), delayed: Some(0) }.total(),
            Some(u64::MAX)
        );
    }

    #[test]
    fn roles_follow_from_both_directions() {
        assert_eq!(Role::of(true, true), Role::Both);
        assert!(Role::Both.is_dead_letter() && Role::Both.is_source());
        assert!(!Role::Source.is_dead_letter() && !Role::DeadLetter.is_source());
    }
}
