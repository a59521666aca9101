//! Keeps roles and sources up to date as queues come, go and change their redrive policies.
//!
//! A change of one queue touches that queue and its dead-letter queues only: at a start with ten thousand queues each of them
//! is such a change.

use std::sync::Arc;

use super::{Board, unpoisoned};
use crate::domain::queue::{Queue, QueueId, Role};
use crate::domain::topology;

impl Board {
    /// Works out who is whose dead-letter queue, over all targets.
    pub(super) fn relink(&self) {
        let _one_at_a_time = unpoisoned(self.linking.lock());
        let queues = self.queues();
        let known: Vec<Arc<Queue>> = queues.values().map(|watched| watched.lock().queue.clone()).collect();
        let mut sources = topology::sources(known.iter().map(|queue| &**queue));
        for (watched, queue) in queues.values().zip(&known) {
            let sources = sources.remove(&watched.id).unwrap_or_default();
            let role = Role::of(queue.dead_letter_queue().is_some(), !sources.is_empty());
            watched.lock().place(role, sources);
        }
    }

    /// The same after only the dead-letter queue of `id` changed.
    pub(super) fn rewire(&self, id: &QueueId, before: Option<&QueueId>, after: Option<&QueueId>) {
        let _one_at_a_time = unpoisoned(self.linking.lock());
        for (target, linked) in [(before, false), (after, true)] {
            self.replace_sources(target, |sources| {
                sources.retain(|source| source != id);
                if linked {
                    sources.push(id.clone());
                    sources.sort();
                }
            });
        }
        self.replace_sources(Some(id), |_| {});
    }

    fn replace_sources(&self, id: Option<&QueueId>, change: impl FnOnce(&mut Vec<QueueId>)) {
        let Some(watched) = id.and_then(|id| self.queue(id)) else { return };
        let mut readings = watched.lock();
        let mut sources = readings.queue.sources.clone();
        change(&mut sources);
        let role = Role::of(readings.queue.dead_letter_queue().is_some(), !sources.is_empty());
        readings.place(role, sources);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Target;
    use crate::domain::queue::{Depth, RedrivePolicy, Settings};
    use crate::domain::time::Timestamp;

    fn id(name: &str) -> QueueId {
        QueueId::new("1", "eu-west-1", name)
    }

    fn linked(board: &Board) -> Vec<(String, Role, usize)> {
        let queues = board.queues();
        let shown = queues.values().map(|watched| {
            let queue = watched.lock().queue.clone();
            (queue.id.name.to_string(), queue.role, queue.sources.len())
        });
        shown.collect()
    }

    #[test]
    fn a_change_of_one_queue_leaves_what_working_out_all_would() {
        let board = Board::default();
        let target = Arc::new(Target { region: "eu-west-1".into(), role_arn: None });
        let names = ["a", "b", "c", "d"];
        board.discovered(&target, names.iter().map(|name| Queue::new(id(name), "http://q")).collect());
        for (name, dead_letter_queue) in [
            ("a", Some("c")),
            ("b", Some("c")),
            ("c", Some("d")),
            ("a", Some("a")),
            ("b", Some("elsewhere")),
            ("c", None),
            ("b", Some("d")),
            ("a", None),
        ] {
            let redrive = dead_letter_queue
                .map(|name| RedrivePolicy { dead_letter_queue: id(name), max_receive_count: 1 });
            let settings = Settings { redrive, ..Settings::default() };
            board.read_attributes(&id(name), Timestamp::from_secs(1), Depth::default(), Some(settings));
            let step_by_step = linked(&board);
            board.relink();
            assert_eq!(step_by_step, linked(&board), "after {name} -> {dead_letter_queue:?}");
        }
        board.forget(&id("b"));
        assert_eq!(linked(&board).last(), Some(&("d".to_owned(), Role::Plain, 0)));
    }
}
