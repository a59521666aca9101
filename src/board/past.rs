//! The histories of queues that are not watched: of an earlier life until their queue is found, and of those that are gone until
//! all of it is too old.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use super::{Board, unpoisoned};
use crate::domain::history::History;
use crate::domain::queue::QueueId;
use crate::domain::time::{Jump, Timestamp};

/// So that queues which come and go cannot take more memory than those that stay.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Past(Mutex<BTreeMap<QueueId, History>>);

impl Past {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<QueueId, History>> {
        unpoisoned(self.0.lock())
    }

    /// The history that a queue goes on with when it is found.
    pub(super) fn give_back(&self, id: &QueueId) -> History {
        self.lock().remove(id).unwrap_or_default()
    }

    /// Keeps the history of a queue that is not watched any more.
    pub(super) fn keep(&self, id: QueueId, history: History) {
        if !history.is_empty() {
            self.lock().insert(id, history);
        }
    }

    pub(super) fn shift(&self, jump: Jump) {
        self.lock().values_mut().for_each(|history| history.shift(jump));
    }

    /// Forgets what is too old, and what is too much, oldest first.
    fn tidy(&self, now: Timestamp) {
        let mut past = self.lock();
        past.retain(|_, history| !history.is_over(now));
        let excess = past.len().saturating_sub(MOST);
        if excess > 0 {
            let mut ends: Vec<(Timestamp, QueueId)> =
                past.iter().map(|(id, history)| (history.end(), id.clone())).collect();
            ends.sort();
            for (_, id) in ends.into_iter().take(excess) {
                past.remove(&id);
            }
        }
    }
}

impl Board {
    /// Takes the histories of an earlier life; each goes on where it was when its queue is found. What a wrong clock noted after
    /// `now` is dropped.
    pub fn remember_histories(&self, histories: BTreeMap<QueueId, History>, now: Timestamp) {
        let mut past = self.past.lock();
        for (id, mut history) in histories {
            history.forget_after(now);
            past.insert(id, history);
        }
    }

    /// Every history as it is now, to be kept; each is copied when it is its turn, and no lock is held longer than that. Those
    /// of queues that are not watched any more are forgotten when they are too old.
    pub fn histories(&self, now: Timestamp) -> impl Iterator<Item = (QueueId, History)> {
        self.past.tidy(now);
        // In this order: a queue that is found meanwhile is told at least once.
        let past: Vec<QueueId> = self.past.lock().keys().cloned().collect();
        let past = past.into_iter().filter_map(|id| {
            let history = self.past.lock().get(&id).cloned()?;
            Some((id, history))
        });
        let queues = self.queues();
        let watched: Vec<_> = queues.values().cloned().collect();
        let watched = watched.into_iter().map(|watched| (watched.id.clone(), watched.lock().history.clone()));
        past.chain(watched).filter(move |(_, history)| !history.is_over(now))
    }
}
