//! Which queue is whose dead-letter queue, both ways, from the redrive policies of all queues together.
//!
//! A dead-letter queue need not be known or watched, and what is configured may be a circle or a queue that is its own
//! dead-letter queue: nothing here follows a chain, so none of that can hang.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::queue::{Queue, QueueId, Role};

/// Every dead-letter queue that a redrive policy names, known or not, with the queues whose dead letters it gets, sorted.
fn sources<'a>(queues: impl IntoIterator<Item = &'a Queue>) -> BTreeMap<QueueId, Vec<QueueId>> {
    let mut sources: BTreeMap<QueueId, Vec<QueueId>> = BTreeMap::new();
    for queue in queues {
        if let Some(target) = queue.dead_letter_queue() {
            sources.entry(target.clone()).or_default().push(queue.id.clone());
        }
    }
    sources.values_mut().for_each(|queues| queues.sort());
    sources
}

/// The role and the sources of each queue, in the order given. To be asked with all queues of all targets whenever one
/// has come, gone, or changed its redrive policy.
pub fn places(queues: &[Arc<Queue>]) -> Vec<(Role, Vec<QueueId>)> {
    let mut sources = sources(queues.iter().map(|queue| &**queue));
    let place = |queue: &Arc<Queue>| {
        let sources = sources.remove(&queue.id).unwrap_or_default();
        (Role::of(queue.dead_letter_queue().is_some(), !sources.is_empty()), sources)
    };
    queues.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brings the role and the sources of every queue up to date, as the board does.
    fn link(queues: &mut BTreeMap<QueueId, Queue>) {
        let known: Vec<Arc<Queue>> = queues.values().cloned().map(Arc::new).collect();
        for (queue, (role, sources)) in queues.values_mut().zip(places(&known)) {
            (queue.role, queue.sources) = (role, sources);
        }
    }
    use crate::domain::queue::RedrivePolicy;

    fn id(name: &str) -> QueueId {
        QueueId::new("1", "eu-west-1", name)
    }

    /// Queues by name, each with the name of its dead-letter queue or an empty text.
    fn queues(links: &[(&str, &str)]) -> BTreeMap<QueueId, Queue> {
        let queue = |(name, target): &(&str, &str)| {
            let mut queue = Queue::new(id(name), "http://q");
            queue.settings.redrive = (!target.is_empty())
                .then(|| RedrivePolicy { dead_letter_queue: id(target), max_receive_count: 3 });
            (id(name), queue)
        };
        links.iter().map(queue).collect()
    }

    #[test]
    fn roles_and_sources_are_found_both_ways() {
        use Role::{Both, DeadLetter, Plain, Source};
        type Links = &'static [(&'static str, &'static str)];
        type Expected = &'static [(&'static str, Role, &'static [&'static str])];
        let cases: [(&str, Links, Expected); 6] = [
            ("no links", &[("a", "")], &[("a", Plain, &[])]),
            ("one", &[("a", "dlq"), ("dlq", "")], &[("a", Source, &[]), ("dlq", DeadLetter, &["a"])]),
            (
                "shared",
                &[("b", "dlq"), ("a", "dlq"), ("dlq", "")],
                &[("a", Source, &[]), ("b", Source, &[]), ("dlq", DeadLetter, &["a", "b"])],
            ),
            ("not known", &[("a", "elsewhere")], &[("a", Source, &[])]),
            ("itself", &[("a", "a")], &[("a", Both, &["a"])]),
            (
                "a circle with a tail",
                &[("a", "b"), ("b", "c"), ("c", "b")],
                &[("a", Source, &[]), ("b", Both, &["a", "c"]), ("c", Both, &["b"])],
            ),
        ];
        for (what, links, expected) in cases {
            let mut queues = queues(links);
            link(&mut queues);
            let found: Vec<_> = queues.values().map(|q| (q.id.clone(), q.role, q.sources.clone())).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, role, sources)| (id(name), *role, sources.iter().map(|name| id(name)).collect()))
                .collect::<Vec<(_, _, Vec<_>)>>();
            assert_eq!(found, expected, "{what}");
        }
    }

    #[test]
    fn a_link_that_is_gone_leaves_no_trace() {
        let mut queues = queues(&[("a", "dlq"), ("dlq", "")]);
        link(&mut queues);
        queues.get_mut(&id("a")).unwrap().settings.redrive = None;
        link(&mut queues);
        assert!(queues.values().all(|queue| queue.role == Role::Plain && queue.sources.is_empty()));
    }

    #[test]
    fn queues_of_one_name_elsewhere_are_others() {
        let mut queues = queues(&[("a", "dlq")]);
        let elsewhere = QueueId::new("1", "us-east-1", "dlq");
        queues.insert(elsewhere.clone(), Queue::new(elsewhere.clone(), "http://q"));
        link(&mut queues);
        assert_eq!(queues[&elsewhere].role, Role::Plain);
        assert_eq!(sources(queues.values()), [(id("dlq"), vec![id("a")])].into());
    }

    #[test]
    fn sources_are_sorted_whatever_the_order_of_the_queues() {
        let queues = queues(&[("a", "dlq"), ("b", "dlq")]);
        assert_eq!(sources(queues.values().rev())[&id("dlq")], [id("a"), id("b")]);
    }
}
