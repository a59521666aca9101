//! Which queues a rule judges, and which it may turn out to judge once more is known of them.

use std::collections::BTreeMap;
use std::fmt;

use wildmatch::WildMatch;

use crate::domain::queue::{Queue, QueueId, QueueKind};

/// A pattern over names: `*` is any run of characters, `?` is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Glob(WildMatch);

impl Glob {
    /// The pattern `text`; every text is one.
    pub fn new(text: &str) -> Self {
        Self(WildMatch::new(text))
    }

    /// Whether the whole of `name` fits.
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which queues a rule judges: all that is set must match; what is empty matches every queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// Globs over the name, any of which may match.
    pub names: Vec<Glob>,
    /// The part in the dead-letter topology; see [`RoleSelector`].
    pub role: Option<RoleSelector>,
    /// Standard or FIFO.
    pub kind: Option<QueueKind>,
    /// Tags with their exact values.
    pub tags: BTreeMap<String, String>,
    /// The region's code.
    pub region: Option<String>,
    /// The owning account.
    pub account: Option<String>,
}

/// The roles a selector can ask for. A queue that is both source and dead-letter queue fits either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleSelector {
    /// Some queue's dead-letter queue.
    DeadLetter,
    /// Has a dead-letter queue.
    Source,
    /// Both at once.
    Both,
    /// Neither.
    Plain,
    /// Anything but a dead-letter queue.
    NotDeadLetter,
}

impl RoleSelector {
    /// The configuration's words, in the order they are suggested.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("dead_letter", Self::DeadLetter),
        ("source", Self::Source),
        ("both", Self::Both),
        ("plain", Self::Plain),
        ("not_dead_letter", Self::NotDeadLetter),
    ];

    /// Whether it asks for what a queue is not, which half a topology cannot tell.
    pub fn is_negative(self) -> bool {
        matches!(self, Self::Plain | Self::NotDeadLetter)
    }

    /// Whether a queue of this role is meant.
    pub fn matches(self, role: crate::domain::queue::Role) -> bool {
        match self {
            Self::DeadLetter => role.is_dead_letter(),
            Self::Source => role.is_source(),
            Self::Both => role.is_source() && role.is_dead_letter(),
            Self::Plain => !role.is_source() && !role.is_dead_letter(),
            Self::NotDeadLetter => !role.is_dead_letter(),
        }
    }
}

impl Selector {
    /// Whether the rule judges `queue`. Tags that were not read do not match.
    pub fn matches(&self, queue: &Queue) -> bool {
        self.matches_id(&queue.id)
            && self.role.is_none_or(|role| role.matches(queue.role))
            && self.tags.iter().all(|(key, value)| queue.tag(key) == Some(value))
    }

    /// Whether the rule judges `queue` or may turn out to: its tags may be unknown, and, unless the topology is `whole`, so
    /// may be whose dead letters arrive in it or where its own go.
    pub fn may_match(&self, queue: &Queue, whole: bool) -> bool {
        let open = |role: RoleSelector| !whole && !role.is_negative();
        self.matches_id(&queue.id)
            && self.role.is_none_or(|role| role.matches(queue.role) || open(role))
            && (queue.tags.is_none() || self.tags.iter().all(|(key, value)| queue.tag(key) == Some(value)))
    }

    fn matches_id(&self, id: &QueueId) -> bool {
        (self.names.is_empty() || self.names.iter().any(|glob| glob.matches(&id.name)))
            && self.kind.is_none_or(|kind| kind == id.kind())
            && self.region.as_deref().is_none_or(|region| region == &*id.region)
            && self.account.as_deref().is_none_or(|account| account == &*id.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::Role;

    #[test]
    fn every_part_of_a_selector_must_match() {
        let mut queue = Queue::new(QueueId::new("1", "eu-west-1", "orders-dlq"), "http://q");
        queue.role = Role::DeadLetter;
        queue.tags = Some([("team".into(), "payments".into())].into());
        let fits = Selector {
            names: vec![Glob::new("x"), Glob::new("orders-*")],
            role: Some(RoleSelector::DeadLetter),
            kind: Some(QueueKind::Standard),
            tags: [("team".to_string(), "payments".to_string())].into(),
            region: Some("eu-west-1".into()),
            account: Some("1".into()),
        };
        assert!(fits.matches(&queue) && Selector::default().matches(&queue));
        let misfits = [
            Selector { names: vec![Glob::new("orders")], ..fits.clone() },
            Selector { role: Some(RoleSelector::Source), ..fits.clone() },
            Selector { kind: Some(QueueKind::Fifo), ..fits.clone() },
            Selector { tags: [("team".to_string(), "x".to_string())].into(), ..fits.clone() },
            Selector { region: Some("us-east-1".into()), ..fits.clone() },
            Selector { account: Some("2".into()), ..fits.clone() },
        ];
        for misfit in misfits {
            assert!(!misfit.matches(&queue), "{misfit:?}");
        }
    }

    #[test]
    fn what_is_not_known_of_a_queue_leaves_it_open_whether_it_matches() {
        let queue = Queue::new(QueueId::new("1", "eu-west-1", "orders-dlq"), "http://q");
        let by_tag = Selector { tags: [("team".to_string(), "x".to_string())].into(), ..Selector::default() };
        assert!(!by_tag.matches(&queue) && by_tag.may_match(&queue, true));
        let untagged = Queue { tags: Some(BTreeMap::new()), ..queue.clone() };
        assert!(!by_tag.may_match(&untagged, false), "its tags are known");
        for (role, open) in [(RoleSelector::DeadLetter, true), (RoleSelector::Source, true)] {
            let by_role = Selector { role: Some(role), ..Selector::default() };
            assert!(!by_role.matches(&queue) && !by_role.may_match(&queue, true));
            assert_eq!(by_role.may_match(&queue, false), open);
        }
        let dead = Queue { role: Role::DeadLetter, ..queue };
        let negative = Selector { role: Some(RoleSelector::NotDeadLetter), ..Selector::default() };
        assert!(!negative.may_match(&dead, false), "that it is one is certain");
    }

    #[test]
    fn a_queue_that_is_both_fits_either_role() {
        for (selector, fits) in [
            (RoleSelector::DeadLetter, true),
            (RoleSelector::Source, true),
            (RoleSelector::Both, true),
            (RoleSelector::Plain, false),
            (RoleSelector::NotDeadLetter, false),
        ] {
            assert_eq!(selector.matches(Role::Both), fits, "{selector:?}");
        }
    }
}
