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
    let scale = scale(table);
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
                        td.n data-label="Waiting" { (figure(row.visible)) (bar(row, scale)) }
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

/// The most messages in one row, which makes a full bar.
fn scale(table: &Table) -> f64 {
    table.rows.iter().map(total).fold(0.0, f64::max)
}

fn total(row: &Row) -> f64 {
    [row.visible, row.in_flight, row.delayed].into_iter().flatten().sum()
}

/// How full the queue is beside the fullest, and with what; the numbers beside it say the same.
fn bar(row: &Row, scale: f64) -> Markup {
    let share = |value: Option<f64>| value.unwrap_or_default() / scale.max(1.0) * 100.0;
    let (visible, in_flight, delayed) = (share(row.visible), share(row.in_flight), share(row.delayed));
    html! {
        svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            rect.waiting width=(format!("{visible:.2}")) height="4" {}
            rect.flying x=(format!("{visible:.2}")) width=(format!("{in_flight:.2}")) height="4" {}
            rect.delayed x=(format!("{:.2}", visible + in_flight)) width=(format!("{delayed:.2}")) height="4" {}
        }
    }
}

fn age(row: &Row) -> Markup {
    let nearly_lost = row.age_ratio.is_some_and(|ratio| ratio >= 0.5);
    let text = row.age.and_then(|age| Duration::try_from_secs_f64(age).ok());
    let ratio = row.age_ratio.map(|ratio| format!(", {} % of its retention", number(ratio * 100.0)));
    html! {
        @match text {
            None => span.unknown title="not known" { "–" },
            Some(age) if age.is_zero() => span.unknown title="nothing waits" { "–" },
            Some(age) => {
                span .bad[nearly_lost] title=(format!("{} s{}", age.as_secs(), ratio.unwrap_or_default())) {
                    (length(age))
                }
            }
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
    html! {
        td.state data-label="State" {
            @if let Some(since) = row.stale_since {
                span.late title=(since) { "not read for " (length(overview.now.since(since))) } " "
            }
            @if !row.known { span.late { "not read yet" } " " }
            @for (rule, severity) in &row.firing { span.chip class=(severity.as_str()) { (rule) } " " }
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
