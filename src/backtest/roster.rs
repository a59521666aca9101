//! Which queues a rule selects. Recorded rows tell the names of queues and little else, so that the rest is assumed, and said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::data::Data;
use crate::domain::metric::Metric;
use crate::domain::queue::{Queue, QueueId, QueueKind, Role};
use crate::domain::rule::{Glob, Rule, Selector};

/// What dead-letter queues are called, at the end of their names and without `-`, `_` and `.fifo`.
const DEAD_LETTER_ENDINGS: [&str; 5] =
    ["dlq", "deadletter", "deadletters", "deadletterqueue", "deadlettersqueue"];

/// The queues of the data with what is known of them.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    queues: BTreeMap<Arc<str>, Member>,
    /// Whether anything but their names is known.
    assumed: bool,
}

/// A queue, in every role it may have.
#[derive(Clone, Debug)]
struct Member {
    queue: Queue,
    roles: Vec<Role>,
}

impl Roster {
    /// The queues of `data` as their names tell: a dead-letter queue ends in `dlq`, `dead-letter` or the like, has rows of
    /// `dead_letters`, or is one of `dead_letter_queues`. The source of a dead-letter queue `NAME-dlq` is `NAME`; any other queue may
    /// have one or not.
    pub fn assumed(data: &Data, dead_letter_queues: &[Glob]) -> Self {
        let dead: BTreeSet<&str> = data
            .queues
            .iter()
            .filter(|(name, rows)| {
                stem(name).is_some()
                    || rows.contains_key(&Metric::DeadLetters)
                    || dead_letter_queues.iter().any(|glob| glob.matches(name))
            })
            .map(|(name, _)| &**name)
            .collect();
        let sources: BTreeSet<(String, QueueKind)> =
            dead.iter().filter_map(|name| Some((stem(name)?, id(name).kind()))).collect();
        let member = |name: &Arc<str>| {
            let is_source = sources.contains(&(plain(name), id(name).kind()));
            let roles = match (dead.contains(&**name), is_source) {
                (true, is_source) => vec![Role::of(is_source, true)],
                (false, true) => vec![Role::Source],
                (false, false) => vec![Role::Source, Role::Plain],
            };
            (name.clone(), Member { queue: Queue::new(id(name), ""), roles })
        };
        Self { queues: data.queues.keys().map(member).collect(), assumed: true }
    }

    /// Queues as they were found, by the name the data has them under.
    pub fn found(queues: impl IntoIterator<Item = (Arc<str>, Queue)>) -> Self {
        let member = |(name, queue): (Arc<str>, Queue)| (name, Member { roles: vec![queue.role], queue });
        Self { queues: queues.into_iter().map(member).collect(), assumed: false }
    }

    /// The queues that the rule judges, by name.
    pub fn selected(&self, rule: &Rule) -> Vec<&Arc<str>> {
        let selector = if self.assumed { of_the_name(&rule.selector) } else { rule.selector.clone() };
        let fits = |member: &Member| {
            member.roles.iter().any(|role| selector.matches(&Queue { role: *role, ..member.queue.clone() }))
        };
        self.queues.iter().filter(|(_, member)| fits(member)).map(|(name, _)| name).collect()
    }

    /// The queue of that name.
    pub(super) fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name).map(|member| &member.queue)
    }

    /// What `rules` ask that is not in the data, in words; `None` when nothing had to be assumed.
    pub fn assumption(&self, rules: &[Rule]) -> Option<String> {
        if !self.assumed {
            return None;
        }
        let asks = |has: fn(&Selector) -> bool| rules.iter().any(|rule| has(&rule.selector));
        let mut parts = Vec::new();
        if asks(|selector| selector.role.is_some()) {
            let dead: Vec<&str> = self
                .queues
                .iter()
                .filter(|(_, member)| member.roles.iter().all(|role| role.is_dead_letter()))
                .map(|(name, _)| &**name)
                .collect();
            let dead = if dead.is_empty() { "none".to_owned() } else { listed(&dead) };
            parts.push(format!("dead-letter queues by their names: {dead}"));
        }
        let unknown = [
            (asks(|selector| !selector.tags.is_empty()), "tags"),
            (asks(|selector| selector.region.is_some()), "region"),
            (asks(|selector| selector.account.is_some()), "account"),
        ];
        let unknown: Vec<&str> = unknown.iter().filter(|(asked, _)| *asked).map(|(_, what)| *what).collect();
        if !unknown.is_empty() {
            parts.push(format!("every queue has the {} that alarms ask for", unknown.join(", ")));
        }
        (!parts.is_empty()).then(|| format!("assumed, as the data does not say: {}", parts.join("; ")))
    }
}

/// The first of `names`, and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let shown = names.iter().take(MOST).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What of a selector the name of a queue can answer, and its role.
fn of_the_name(selector: &Selector) -> Selector {
    Selector {
        names: selector.names.clone(),
        role: selector.role,
        kind: selector.kind,
        ..Selector::default()
    }
}

fn id(name: &str) -> QueueId {
    QueueId::new("", "", name)
}

/// The name as names are compared: in lower case, without `-`, `_` and `.fifo`.
fn plain(name: &str) -> String {
    let name = name.strip_suffix(".fifo").unwrap_or(name);
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// The plain name of the source of a dead-letter queue; `None` when the name is no dead-letter queue's.
fn stem(name: &str) -> Option<String> {
    let name = plain(name);
    DEAD_LETTER_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::data::Collector;
    use super::*;
    use crate::domain::rule::{Comparison, Condition, MetricRef, RoleSelector, Statistic};
    use crate::domain::time::Timestamp;

    fn roster(names: &[&str], dead: &[Glob]) -> Roster {
        let mut collector = Collector::default();
        for name in names {
            let visible = MetricRef::Queue(Metric::MessagesVisible);
            collector.row(name, &visible, (Timestamp::from_secs(60), 1.0)).unwrap();
        }
        Roster::assumed(&collector.finish("rows").unwrap(), dead)
    }

    fn rule(selector: Selector) -> Rule {
        let metric = MetricRef::Queue(Metric::MessagesVisible);
        let condition = Condition::new(metric, Statistic::Maximum, Comparison::GreaterThan, 0.0);
        Rule { selector, ..Rule::on("rule", condition) }
    }

    #[test]
    fn roles_follow_from_names() {
        use RoleSelector::*;
        let roster = roster(
            &[
                "orders",
                "orders-dlq",
                "Bills.fifo",
                "bills_DeadLetters.fifo",
                "mail",
                "dlq-tools",
                "odd",
                "x-dead-letter-queue",
            ],
            &[Glob::new("od?")],
        );
        for (role, expected) in [
            (DeadLetter, vec!["bills_DeadLetters.fifo", "odd", "orders-dlq", "x-dead-letter-queue"]),
            (NotDeadLetter, vec!["Bills.fifo", "dlq-tools", "mail", "orders"]),
            (Source, vec!["Bills.fifo", "dlq-tools", "mail", "orders"]),
            (Plain, vec!["dlq-tools", "mail"]),
            (Both, vec![]),
        ] {
            let found = rule(Selector { role: Some(role), ..Selector::default() });
            let found: Vec<&str> = roster.selected(&found).into_iter().map(|name| &**name).collect();
            assert_eq!(found, expected, "{role:?}");
        }
    }

    #[test]
    fn what_the_data_does_not_say_is_taken_as_matching_and_told() {
        let roster = roster(&["orders", "orders.fifo"], &[]);
        let rule = rule(Selector {
            kind: Some(QueueKind::Fifo),
            tags: [("team".to_owned(), "payments".to_owned())].into(),
            region: Some("eu-west-1".to_owned()),
            ..Selector::default()
        });
        assert_eq!(roster.selected(&rule).len(), 1);
        let said = roster.assumption(&[rule]).unwrap();
        assert!(said.contains("tags, region") && !said.contains("dead-letter"), "{said}");
        assert_eq!(roster.assumption(&[]), None);
    }

    #[test]
    fn queues_that_were_found_are_what_they_are() {
        let mut queue = Queue::new(QueueId::new("1", "eu-west-1", "bin"), "");
        queue.role = Role::DeadLetter;
        let roster = Roster::found([("bin".into(), queue)]);
        let dead = |role| rule(Selector { role: Some(role), ..Selector::default() });
        assert_eq!(roster.selected(&dead(RoleSelector::DeadLetter)).len(), 1);
        assert_eq!(roster.selected(&dead(RoleSelector::Source)).len(), 0);
        assert_eq!(roster.assumption(&[dead(RoleSelector::Source)]), None);
    }
}
