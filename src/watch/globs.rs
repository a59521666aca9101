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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Skip;
    use crate::clock;
    use crate::domain::queue::{Queue, QueueId};

    fn target(region: &str) -> Arc<Target> {
        Arc::new(Target { region: region.into(), role_arn: None })
    }

    #[test]
    fn a_pattern_is_told_of_once_when_all_targets_are_listed_and_none_has_such_a_queue() {
        let mut config = crate::watch::tests::config();
        config.discovery.include = ["orders*", "pay*", "typo*"].map(Glob::new).to_vec();
        config.discovery.exclude = vec![Glob::new("*-scratch")];
        let board = Board::default();
        let (one, two) = (target("eu-west-1"), target("us-east-1"));
        let queue = Queue::new(QueueId::new("1", "eu-west-1", "orders"), "http://q");
        board.discovered(&one, vec![queue]);
        board.update_target(&one, |health| health.discovered_at = Some(clock::now()));
        board.update_target(&two, |health| {
            health.skipped.insert("pay-scratch".into(), Skip::Excluded);
        });
        let mut globs = Globs::default();
        assert!(globs.check(&config, &board, &one).is_empty(), "the other is not listed yet");
        board.update_target(&two, |health| health.discovered_at = Some(clock::now()));
        assert!(globs.check(&config, &board, &two).is_empty(), "the first target speaks");
        assert_eq!(globs.check(&config, &board, &one), ["`typo*` of discovery.include"]);
        assert!(globs.check(&config, &board, &one).is_empty(), "once is enough");
    }
}
