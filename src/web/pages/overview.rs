//! GET /: what is on fire first, then every queue, worst first.

mod asked;
mod filters;
mod firing;
mod row;
mod spark;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use maud::{Markup, html};

pub use asked::Asked;
pub use row::Rows;
use row::{Look, Row};
use table::Table;

use super::humane::{grouped, length, number};
use super::page::{Block, Page, Tab};
use super::parts::{self, figure};
use crate::board::{Board, Skip, Target, TargetHealth};
use crate::clock;
use crate::domain::time::Timestamp;
use crate::web::Web;

/// How many intervals old a reading may be before its row says so.
const STALE: u32 = 3;
/// How many lost queues are named.
const NAMED: usize = 500;

type Targets = BTreeMap<Arc<Target>, TargetHealth>;

/// The page.
pub fn page(web: &Web, asked: &Asked) -> Page {
    let (board, now) = (&*web.board, clock::now());
    let targets = board.targets();
    let interval = targets.values().map(|health| health.attributes_interval).max().unwrap_or_default();
    let rows = web.rows.of(board, Look { now, stale_before: now - interval * STALE });
    let listed = targets.values().any(|health| health.discovered_at.is_some());
    let firing = firing::firing(board, now);
    let unready = web.unready();
    let totals = totals(&rows, listed, firing.len(), board.with_alarms(BTreeMap::len));
    let nothing = rows.is_empty() && listed && unready.is_empty();
    let blocks = vec![
        Block::whole("trouble", html! { (parts::blind(&unready)) (given_up(web)) }),
        Block::whole("totals", html! { h1.unseen { "Queues" } (totals) }),
        Block::whole("fresh", fresh(&targets, interval, now)),
        firing::block(&firing, &asked.q),
        firing::silenced(&board.silences(), now),
        filters::block(&rows, asked),
        Table::of(&rows, asked).block(board, now),
        Block::whole("empty", html! { @if nothing { (no_queue(board)) } }),
        Block::whole("skipped", skipped(&targets)),
    ];
    let title =
        if firing.is_empty() { "sqswatch".to_owned() } else { format!("({}) sqswatch", firing.len()) };
    Page::new(Tab::Queues, title, blocks)
}

fn totals(rows: &[Row], listed: bool, firing: usize, alarms: usize) -> Markup {
    let (dead, work): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.queue.role.is_dead_letter());
    let dead_letters = sum(&dead, listed);
    html! {
        dl.totals {
            div {
                dt { "Alarms firing" }
                dd .bad[firing > 0] { (grouped(firing as f64)) small { " of " (number(alarms as f64)) } }
            }
            div { dt { "Dead letters" } dd .bad[dead_letters > Some(0.0)] { (figure(dead_letters)) } }
            div { dt { "Messages waiting" } dd { (figure(sum(&work, listed))) } }
            div { dt { "Queues" } dd { (figure(listed.then_some(rows.len() as f64))) } }
        }
    }
}

/// The sum of what is known. No queue at all holds nothing, but only once queues were listed.
fn sum(rows: &[&Row], listed: bool) -> Option<f64> {
    let nothing = (rows.is_empty() && listed).then_some(0.0);
    rows.iter().filter_map(|row| row.visible).reduce(|sum, visible| sum + visible).or(nothing)
}

fn fresh(targets: &Targets, interval: Duration, now: Timestamp) -> Markup {
    let read_at = targets.values().filter_map(|health| health.attributes_at).min();
    let old = read_at.is_none_or(|at| now.since(at) > interval * STALE);
    html! {
        p.fresh .late[old] {
            @match read_at {
                Some(at) => { "Read " (parts::ago(at)) ", every " (length(interval)) }
                None => "Nothing was read yet",
            }
        }
    }
}

fn no_queue(board: &Board) -> Markup {
    let regions: BTreeSet<String> = board.targets().keys().map(|target| target.region.to_string()).collect();
    let regions: Vec<String> = regions.into_iter().collect();
    html! {
        p.nothing {
            "There is no queue to watch in " (regions.join(", ")) ". A new queue shows here after the next discovery; "
            code { "aws.targets" } " in the configuration says where to look, " code { "discovery" } " which queues are watched."
        }
    }
}

fn given_up(web: &Web) -> Markup {
    let parked: u64 = web.store.outbox_summary().unwrap_or_default().values().map(|owed| owed.parked).sum();
    html! {
        @if parked > 0 {
            p.notice { a href="/notifications?state=parked" { (number(parked as f64)) " notifications were given up" } }
        }
    }
}

/// The queues that are not watched.
fn skipped(targets: &Targets) -> Markup {
    let mut counts: BTreeMap<Skip, usize> = BTreeMap::new();
    for skip in targets.values().flat_map(|health| health.skipped.values()) {
        *counts.entry(*skip).or_default() += 1;
    }
    // What is skipped because the configuration says so needs nobody.
    let all = targets.values().flat_map(|health| &health.skipped);
    let lost: Vec<_> =
        all.filter(|(_, skip)| matches!(skip, Skip::Denied | Skip::Unreadable)).take(NAMED).collect();
    let total: usize = counts.values().sum();
    html! {
        @if total > 0 {
            details #skipped {
                summary {
                    (number(total as f64)) " not watched"
                    @for (reason, count) in &counts { span { (number(*count as f64)) " " (parts::skipped(*reason)) } }
                }
                @if lost.is_empty() {
                    p.note { "All of them because the configuration says so." }
                } @else {
                    ul { @for (name, reason) in &lost { li { (name) " " span.rule { (parts::skipped(**reason)) } } } }
                }
                p.note { a href="/api/v1/queues" { "All with their reasons as JSON" } }
            }
        }
    }
}
