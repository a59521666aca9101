//! The tables of queues. On a narrow screen each row becomes a card, and the cells say what they are.

use std::time::Duration;

use maud::{Markup, html};

use super::figure;
use crate::domain::queue::{QueueId, QueueKind};
use crate::web::pages::humane::{grouped, length, number};
use crate::web::pages::overview::{Overview, Row, Table};

/// The queues that hold work.
pub fn queues(overview: &Overview) -> Markup {
    let table = &overview.queues;
    let rates = table.rows.iter().any(|row| row.sent.is_some() || row.deleted.is_some());
    html! {
        @if shown(overview, table) {
            section aria-labelledby="queues" {
                h2 #queues { "Queues" (matched(overview, table)) }
                table {
                    thead { tr {
                        th scope="col" { "Queue" }
                        th.n scope="col" { "Waiting" }
                        th.n scope="col" { "In flight" }
                        th.n scope="col" { "Delayed" }
                        th.n scope="col" { "Oldest" }
                        @if rates { th.n scope="col" { "In / out" small { " per min" } } }
                        th.n scope="col" { "Dead letters" }
                        th scope="col" { "State" }
                    } }
                    tbody { @for row in &table.rows { tr .quiet[row.stale_since.is_some()] {
                        (name(row, table.places))
                        td.n data-label="Waiting" { (figure(row.visible)) }
                        td.n data-label="In flight" { (figure(row.in_flight)) }
                        td.n data-label="Delayed" { (figure(row.delayed)) }
                        td.n data-label="Oldest" { (age(row)) }
                        @if rates { td.n data-label="In / out per min" { (figure(row.sent)) " / " (figure(row.deleted)) } }
                        (dead_letters(row))
                        (state(row, overview))
                    } } }
                }
                (rest(table))
            }
        }
    }
}

/// The queues that hold dead letters.
pub fn dead_letter_queues(overview: &Overview) -> Markup {
    let table = &overview.dead_letter_queues;
    html! {
        @if shown(overview, table) {
            section aria-labelledby="dead" {
                h2 #dead { "Dead-letter queues" (matched(overview, table)) }
                table {
                    thead { tr {
                        th scope="col" { "Queue" }
                        th.n scope="col" { "Dead letters" }
                        th.n scope="col" { "Oldest" }
                        th scope="col" { "From" }
                        th scope="col" { "State" }
                    } }
                    tbody { @for row in &table.rows { tr .quiet[row.stale_since.is_some()] {
                        (name(row, table.places))
                        td.n data-label="Dead letters" { span .bad[row.visible > Some(0.0)] { (figure(row.visible)) } }
                        td.n data-label="Oldest" { (age(row)) }
                        td.wide data-label="From" { (sources(&row.queue.sources)) }
                        (state(row, overview))
                    } } }
                }
                (rest(table))
            }
        }
    }
}

/// A table that a search emptied says so; one that never had a row is left out.
fn shown(overview: &Overview, table: &Table) -> bool {
    table.matched > 0 || !overview.query.is_empty()
}

fn matched(overview: &Overview, table: &Table) -> Markup {
    html! {
        @if !overview.query.is_empty() {
            small { " " (grouped(table.matched as f64)) " with “" (overview.query) "” in the name" }
        }
    }
}

fn rest(table: &Table) -> Markup {
    html! {
        @if table.matched > table.rows.len() {
            p.note { "The worst " (table.rows.len()) " of " (grouped(table.matched as f64)) ". Search to see others." }
        }
    }
}

fn name(row: &Row, places: bool) -> Markup {
    let id = &row.queue.id;
    html! {
        th scope="row" title=(id) {
            span.name { (id.name) }
            @if id.kind() == QueueKind::Fifo && !id.name.ends_with(".fifo") { small { " FIFO" } }
            @if places { small.place { (id.region) " " (id.account) } }
        }
    }
}

/// The share of the retention at which an age is worth a look, and at which messages are nearly lost.
const OLD: f64 = 0.5;
const NEARLY_LOST: f64 = 0.8;

fn age(row: &Row) -> Markup {
    let ratio = row.age_ratio.unwrap_or_default();
    let text = row.age.and_then(|age| Duration::try_from_secs_f64(age).ok());
    let of_retention = row.age_ratio.map(|ratio| format!(", {} % of its retention", number(ratio * 100.0)));
    html! {
        @match text {
            None => span.unknown title="not known" { "–" },
            Some(age) if age.is_zero() => span.unknown title="no message, or the newest word on it is older" { "–" },
            Some(age) => {
                span .late[ratio >= OLD] .bad[ratio >= NEARLY_LOST]
                    title=(format!("{} s{}", grouped(age.as_secs_f64()), of_retention.unwrap_or_default())) {
                    (length(age))
                }
                (used(ratio))
            }
        }
    }
}

/// How much of the retention the oldest message has used up.
fn used(ratio: f64) -> Markup {
    let width = format!("{:.1}", ratio.clamp(0.0, 1.0) * 100.0);
    html! {
        svg.used .late[ratio >= OLD] .bad[ratio >= NEARLY_LOST]
            viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(width) height="3" {}
        }
    }
}

fn dead_letters(row: &Row) -> Markup {
    html! {
        td.n data-label="Dead letters" {
            @match row.queue.dead_letter_queue() {
                Some(id) => span .bad[row.dead_letters > Some(0.0)] title={ "in " (id.name) } { (figure(row.dead_letters)) },
                None => span.unknown title="it has no dead-letter queue" { "none" },
            }
        }
    }
}

fn sources(sources: &[QueueId]) -> Markup {
    let names: Vec<&str> = sources.iter().map(|id| &*id.name).collect();
    html! {
        @match names.as_slice() {
            [] => span.unknown { "–" },
            [one] => (one),
            [one, others @ ..] => span title=(names.join(", ")) { (one) " and " (others.len()) " more" },
        }
    }
}

fn state(row: &Row, overview: &Overview) -> Markup {
    let says_more = !row.firing.is_empty() || row.stale_since.is_some();
    html! {
        td.state .wide[says_more] data-label="State" {
            @if let Some(since) = row.stale_since {
                span.late title=(since) { "not read for " (length(overview.now.since(since))) } " "
            }
            @if !row.known { span.late { "not read yet" } " " }
            @for (rule, severity) in &row.firing { span class={ "chip " (severity.as_str()) } { (rule) } " " }
            @if row.firing.is_empty() {
                @match row.judged {
                    Some(true) => span.fine { "OK" },
                    Some(false) => span.unknown title="too little data to judge" { "no data" },
                    None => span.unknown title="no alarm looks at it" { "no alarm" },
                }
            }
        }
    }
}
