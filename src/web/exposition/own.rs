//! The daemon's own families that are told from the board and the store at a scrape: targets, the outbox, the build.
//! Counters that something counts are in [`crate::telemetry`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Sources;
use super::labels::Labels;
use super::text::{Family, Text};
use crate::board::{Skip, Target, TargetHealth};
use crate::domain::metric::Kind;
use crate::domain::time::Timestamp;
use crate::store::{Owed, Peril};
use crate::web::health::watched_per_target;

/// Writes them all.
pub fn write(text: &mut Text, sources: Sources<'_>, now: Timestamp) {
    let targets = sources.board.targets();
    write_counts(text, &targets, &watched_per_target(sources.board));
    write_freshness(text, &targets);
    write_outbox(text, sources.outbox, now);
    write_store(text, sources.peril);
    let ready = f64::from(u8::from(sources.ready));
    let help = "Whether /readyz says that the daemon sees all it should: 1 or 0.";
    text.family(Family::gauge("sqswatch_ready", help)).add(&Labels::default(), ready);
    let build = Labels::of([("version", env!("CARGO_PKG_VERSION"))]);
    text.family(Family::gauge("sqswatch_build_info", "The version that runs.")).add(&build, 1.0);
}

type Targets = BTreeMap<Arc<Target>, TargetHealth>;

fn labels_of(target: &Target) -> Labels {
    let role = target.role_arn.as_deref().map(|role| ("role_arn", role));
    Labels::of([("region", &*target.region)].into_iter().chain(role))
}

/// Nothing is said of a target before its first complete listing: its counts are unknown, not 0.
fn write_counts(text: &mut Text, targets: &Targets, watched: &BTreeMap<Arc<Target>, usize>) {
    let listed = || targets.iter().filter(|(_, health)| health.discovered_at.is_some());
    let count = |target| watched.get(target).copied().unwrap_or_default();
    let help = "Queues that discovery listed: those watched and those skipped.";
    let mut series = text.family(Family::gauge("sqswatch_queues_discovered", help));
    for (target, health) in listed() {
        series.add(&labels_of(target), (count(target) + health.skipped.len()) as f64);
    }
    let mut series = text.family(Family::gauge("sqswatch_queues_watched", "Queues that are watched."));
    for (target, _) in listed() {
        series.add(&labels_of(target), count(target) as f64);
    }
    let help = "Queues that were discovered and are not watched, by reason.";
    let mut series = text.family(Family::gauge("sqswatch_queues_skipped", help));
    for (target, health) in listed() {
        for reason in Skip::ALL {
            let skipped = health.skipped.values().filter(|skip| **skip == reason).count();
            series.add_with(&labels_of(target), "reason", reason.as_str(), skipped as f64);
        }
    }
}

/// A family's name, its help, and how its value is told.
type Instant = (&'static str, &'static str, fn(&TargetHealth) -> Option<Timestamp>);

fn write_freshness(text: &mut Text, targets: &Targets) {
    let families: [Instant; 3] = [
        (
            "sqswatch_target_last_discovery_timestamp_seconds",
            "When all queues of a target were last listed, in Unix time.",
            |health| health.discovered_at,
        ),
        (
            "sqswatch_target_last_attributes_timestamp_seconds",
            "When attributes of any queue of a target were last read, in Unix time.",
            |health| health.attributes_at,
        ),
        (
            "sqswatch_target_last_cloudwatch_timestamp_seconds",
            "When CloudWatch last answered for a target, in Unix time.",
            |health| health.cloudwatch_at,
        ),
    ];
    for (name, help, at) in families {
        let mut series = text.family(Family::gauge(name, help));
        for (target, health) in targets {
            if let Some(at) = at(health) {
                series.add(&labels_of(target), at.as_secs_f64());
            }
        }
    }
}

/// A family's name, its help, and how its value is told.
type OfOwed = (&'static str, &'static str, fn(&Owed, Timestamp) -> f64);

fn write_outbox(text: &mut Text, outbox: &BTreeMap<Arc<str>, Owed>, now: Timestamp) {
    let families: [OfOwed; 3] = [
        ("sqswatch_outbox_entries", "Notifications that are owed and not yet acknowledged.", |owed, _| {
            owed.pending as f64
        }),
        (
            "sqswatch_outbox_oldest_age_seconds",
            "Age of the oldest notification that is owed; 0 when none is.",
            |owed, now| owed.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64()),
        ),
        (
            "sqswatch_outbox_parked",
            "Notifications that were refused for good and wait for a person.",
            |owed, _| owed.parked as f64,
        ),
    ];
    for (name, help, value) in families {
        let mut series = text.family(Family::gauge(name, help));
        for (destination, owed) in outbox {
            series.add(&Labels::of([("destination", &**destination)]), value(owed, now));
        }
    }
    let help = "Notifications that did not fit into the outbox: repeats that were dropped, and others that were parked.";
    let mut series =
        text.family(Family { name: "sqswatch_outbox_overflow_total", kind: Kind::Counter, help });
    for (destination, owed) in outbox {
        let labels = Labels::of([("destination", &**destination)]);
        series.add_with(&labels, "action", "dropped", owed.overflow.dropped as f64);
        series.add_with(&labels, "action", "parked", owed.overflow.parked as f64);
    }
}

fn write_store(text: &mut Text, peril: Option<&Peril>) {
    let in_memory = f64::from(u8::from(peril.is_some()));
    let help = "Whether the state file cannot be written and the daemon goes on in memory: 1 or 0.";
    text.family(Family::gauge("sqswatch_store_in_memory", help)).add(&Labels::default(), in_memory);
    let Peril { undelivered, settled, changes, .. } = peril.cloned().unwrap_or_default();
    let help = "What is in memory only: owed notifications, those settled, changes of alarms and silences.";
    let mut series = text.family(Family::gauge("sqswatch_store_at_risk", help));
    for (what, count) in [("undelivered", undelivered), ("settled", settled), ("changes", changes)] {
        series.add_with(&Labels::default(), "what", what, count as f64);
    }
}
