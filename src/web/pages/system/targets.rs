//! The accounts and regions that are read: how many queues, how fresh, and what goes wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};

use crate::board::{Board, Skip, Target, TargetHealth};
use crate::domain::time::Timestamp;
use crate::web::health::watched_per_target;
use crate::web::pages::humane::{length, number};
use crate::web::pages::parts::{self, figure};

/// How many intervals old a reading may be before it counts as late.
const STALE: u32 = 3;
/// How many skipped queues are named.
const NAMED: usize = 200;

/// One row a target.
pub fn targets(board: &Board, now: Timestamp) -> Markup {
    let (targets, watched) = (board.targets(), watched_per_target(board));
    html! {
        section aria-labelledby="targets" {
            h2 #targets { "What is read" }
            @if targets.is_empty() {
                p.note { "No region is read yet. " code { "aws.targets" } " in the configuration says which are." }
            } @else {
                table.targets {
                    thead { tr {
                        th scope="col" { "Region" }
                        th.n scope="col" { "Watched" }
                        th.n scope="col" { "Skipped" }
                        th scope="col" { "Listed" }
                        th scope="col" { "Attributes" }
                        th scope="col" { "CloudWatch" }
                        th scope="col" { "Trouble" }
                    } }
                    tbody { @for (target, health) in &targets {
                        (row(target, health, watched.get(target).copied().unwrap_or_default(), now))
                    } }
                }
            }
        }
    }
}

fn row(target: &Target, health: &TargetHealth, watched: usize, now: Timestamp) -> Markup {
    let listed = health.discovered_at.is_some();
    let count = |count: usize| figure(listed.then_some(count as f64));
    html! {
        tr {
            th scope="row" {
                (target.region)
                @if let Some(account) = &health.account { small.place { "account " (account) } }
                @if let Some(role) = &target.role_arn { small.place { "as " (role) } }
            }
            td.n data-label="Watched" { (count(watched)) }
            td.n data-label="Skipped" { (count(health.skipped.len())) }
            td data-label="Listed" { (read(health.discovered_at, health.discovery_interval, now)) }
            td data-label="Attributes" { (read(health.attributes_at, health.attributes_interval, now)) }
            td data-label="CloudWatch" { (read(health.cloudwatch_at, Duration::ZERO, now)) }
            td.why.wide data-label="Trouble" {
                @if health.troubles.is_empty() { span.fine { "none" } }
                @else { ul { @for (api, why) in &health.troubles { li { b { (api) } ": " (why) } } } }
            }
        }
    }
}

/// When something was read last, and how often it should be; an interval of zero is not said.
fn read(at: Option<Timestamp>, interval: Duration, now: Timestamp) -> Markup {
    let late = !interval.is_zero() && at.is_none_or(|at| now.since(at) > interval * STALE);
    html! {
        span .late[late] { @match at { Some(at) => (parts::ago(at)), None => "not yet" } }
        @if !interval.is_zero() { small.place { "every " (length(interval)) } }
    }
}

/// The queues that are not watched, with the reason.
pub fn skipped(board: &Board) -> Markup {
    let targets = board.targets();
    let mut counts: BTreeMap<Skip, usize> = BTreeMap::new();
    for skip in targets.values().flat_map(|health| health.skipped.values()) {
        *counts.entry(*skip).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    // What needs somebody comes first.
    let named = |skip: Skip| {
        let all =
            targets.iter().flat_map(|(target, health)| health.skipped.iter().map(move |one| (target, one)));
        all.filter(move |(_, (_, reason))| **reason == skip)
            .map(|(target, (name, _))| (name.clone(), target.region.clone()))
    };
    html! {
        @if total > 0 {
            details #skipped {
                summary {
                    (number(total as f64)) " queues are not watched"
                    @for (reason, count) in &counts { span { (number(*count as f64)) " " (parts::skipped(*reason)) } }
                }
                @for reason in [Skip::Denied, Skip::Unreadable, Skip::Gone, Skip::Tags, Skip::Excluded] {
                    @if let Some(count) = counts.get(&reason) {
                        h3 { (parts::skipped(reason)) }
                        p.note { (remedy(reason)) }
                        ul { @for (name, region) in named(reason).take(NAMED) { li { (name) " " span.rule { (region) } } } }
                        @if *count > NAMED { p.note { "and " (number((count - NAMED) as f64)) " more" } }
                    }
                }
            }
        }
    }
}

fn remedy(reason: Skip) -> &'static str {
    match reason {
        Skip::Excluded => "`discovery.include` and `discovery.exclude` in the configuration say so.",
        Skip::Tags => "`discovery.tags` in the configuration says so.",
        Skip::Denied => {
            "Allow sqs:GetQueueAttributes (and sqs:ListQueueTags, where tags decide) on them; `sqswatch check --aws` tries each permission."
        }
        Skip::Gone => "They were listed and vanished before they could be read.",
        Skip::Unreadable => "They are tried again at each discovery; the log says why they cannot be read.",
    }
}
