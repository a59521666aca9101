//! Says once of every pattern of the configuration that fits no queue: a typing error there would otherwise stay silent.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::warn;

use crate::board::{Board, Target};
use crate::config::Config;
use crate::domain::rule::Glob;

/// The patterns that were told of.
#[derive(Debug, Default)]
pub struct Globs {
    told: BTreeSet<String>,
}

impl Globs {
    /// Looks at all targets together, since a pattern may be meant for one of them. Silent until each has been listed, and
    /// for all targets but the first, so that one of them speaks. Returns the patterns that are told of now.
    pub fn check(&mut self, config: &Config, board: &Board, target: &Arc<Target>) -> Vec<String> {
        let targets = board.targets();
        let listed = targets.values().all(|health| health.discovered_at.is_some());
        if !listed || targets.keys().next() != Some(target) {
            return Vec::new();
        }
        let queues = board.queues();
        let watched: BTreeSet<&str> = queues.keys().map(|id| &*id.name).collect();
        let skipped = targets.values().flat_map(|health| health.skipped.keys()).map(|name| &**name);
        let all: BTreeSet<&str> = skipped.chain(watched.iter().copied()).collect();
        let discovery = &config.discovery;
        let include = discovery.include.iter().map(|glob| ("discovery.include".to_owned(), glob, &all));
        let exclude = discovery.exclude.iter().map(|glob| ("discovery.exclude".to_owned(), glob, &all));
        let rules = config.rules.iter().flat_map(|rule| {
            let globs = rule.selector.names.iter();
            globs.map(|glob| (format!("alarm `{}`", rule.name), glob, &watched))
        });
        let mut told = Vec::new();
        for (place, glob, names) in include.chain(exclude).chain(rules) {
            if let Some(text) = self.tell(&place, glob, names) {
                told.push(text);
            }
        }
        told
    }

    fn tell(&mut self, place: &str, glob: &Glob, names: &BTreeSet<&str>) -> Option<String> {
        let text = format!("`{glob}` of {place}");
        if names.iter().any(|name| glob.matches(name)) || !self.told.insert(text.clone()) {
            return None;
        }
        warn!(hint = "check its spelling, and the region and account", "{text} matches no queue");
        Some(text)
    }
}
