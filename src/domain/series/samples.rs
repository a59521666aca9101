//! Single readings, kept for percentiles of periods below a minute: no set of statistics gives one exactly.

use std::collections::VecDeque;

use crate::domain::time::Timestamp;

/// How many are kept at most: a day of readings once a second, which is the longest that such periods look back and the most
/// often that counts are read.
const MOST: usize = 86_400 + 60;

/// Readings, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(VecDeque<(Timestamp, f64)>);

impl Samples {
    /// Takes one, and forgets those before `memory`. One that comes late finds its place.
    pub(super) fn push(&mut self, at: Timestamp, value: f64, memory: Timestamp) {
        let place = self.0.iter().rposition(|(known, _)| *known <= at).map_or(0, |index| index + 1);
        self.0.insert(place, (at, value));
        while self.0.len() > MOST || self.0.front().is_some_and(|(at, _)| *at < memory) {
            self.0.pop_front();
        }
    }

    /// Moves every instant.
    pub(super) fn shift(&mut self, moved: impl Fn(Timestamp) -> Timestamp) {
        self.0.iter_mut().for_each(|(at, _)| *at = moved(*at));
    }

    /// Those of `[start, end)`.
    pub(super) fn between(&self, start: Timestamp, end: Timestamp) -> Vec<f64> {
        let first = self.0.partition_point(|(at, _)| *at < start);
        self.0.iter().skip(first).take_while(|(at, _)| *at < end).map(|(_, value)| *value).collect()
    }
}
