//! Fair queues: what is left of a standard queue when its noisy tenants are looked away from.
//!
//! A tenant is a message group. AWS does not publish when it calls one noisy; here it is noisy with more than half of the
//! messages in flight, once that is ten or more. Messages are left in their order: only the metrics know tenants.

use super::{Counts, Place, Queue};
use crate::simulator::clock::Millis;

const LEAST_NOISE: u32 = 10;

/// The quiet tenants' share of a fair queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuietGroups {
    /// Tenants that are noisy.
    pub noisy_groups: usize,
    /// Messages of all the others.
    pub counts: Counts,
    /// Age of the oldest of these, in seconds.
    pub oldest_age: f64,
}

impl Queue {
    /// The quiet tenants' share; none for a queue that never saw a tenant. Walks over all messages.
    pub fn quiet_groups(&self, now: Millis) -> Option<QuietGroups> {
        if !self.fair {
            return None;
        }
        let in_flight = self.in_flight.len() as u32;
        let noisy = |group: &String| {
            let busy = self.busy_groups.get(group).copied().unwrap_or_default();
            busy >= LEAST_NOISE && busy * 2 > in_flight
        };
        let mut counts = Counts::default();
        let mut oldest = now;
        for held in self.messages.values() {
            if held.message.group.as_ref().is_some_and(noisy) {
                continue;
            }
            match held.place {
                Place::Visible => counts.visible += 1,
                Place::InFlight { .. } => counts.in_flight += 1,
                Place::Delayed { .. } => counts.delayed += 1,
            }
            oldest = oldest.min(held.aged_from);
        }
        let noisy_groups = self.busy_groups.keys().filter(|group| noisy(group)).count();
        Some(QuietGroups { noisy_groups, counts, oldest_age: ((now - oldest) / 1_000) as f64 })
    }
}
