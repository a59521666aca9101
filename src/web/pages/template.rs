//! The first page as HTML. All text is escaped by the template engine; classes and widths are all that varies.

mod parts;
mod table;

use maud::{DOCTYPE, Markup, html};

use super::humane::{grouped, length, number};
use super::overview::{Overview, Totals};

/// The whole page.
pub fn page(overview: &Overview) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(overview)) }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
                noscript { meta http-equiv="refresh" content="15"; }
                script src="/assets/page.js" defer {}
            }
            body {
                header.top {
                    h1 { "sqswatch" }
                    form role="search" {
                        label for="q" { "Find a queue" }
                        input #q type="search" name="q" value=(overview.query) placeholder="Find a queue"
                            autocomplete="off" spellcheck="false";
                    }
                    p #offline role="alert" hidden {}
                }
                main #live { (live(overview)) }
                footer {
                    a href="/metrics" { "Metrics" }
                    a href="/api/v1/queues" { "Queues as JSON" }
                    a href="/api/v1/alarms" { "Alarms as JSON" }
                    a href="/api/v1/notifications" { "Notifications as JSON" }
                    a href="/api/v1/silences" { "Silences as JSON" }
                    a href="/readyz" { "Readiness" }
                    span { "sqswatch " (env!("CARGO_PKG_VERSION")) }
                }
            }
        }
    }
}

/// What changes: all between header and footer.
pub fn live(overview: &Overview) -> Markup {
    html! {
        div #title data-title=(title(overview)) {}
        @if !overview.unready.is_empty() { (blind(overview)) }
        (totals(&overview.totals))
        (fresh(overview))
        @if !overview.firing.is_empty() { (parts::firing(overview)) }
        @if !overview.silencing.is_empty() { (parts::silencing(overview)) }
        @if overview.totals.queues == Some(0) && overview.unready.is_empty() {
            p.nothing { "No queue is watched. The configuration's " code { "discovery" } " says which are." }
        }
        (table::queues(overview))
        (table::dead_letter_queues(overview))
        (parts::parked(overview))
        (parts::skipped(overview))
    }
}

fn title(overview: &Overview) -> String {
    match overview.totals.firing {
        0 => "sqswatch".to_owned(),
        firing => format!("({firing}) sqswatch"),
    }
}

fn blind(overview: &Overview) -> Markup {
    html! {
        section.notice aria-labelledby="blind" {
            h2 #blind { "sqswatch does not see everything" }
            ul { @for reason in &overview.unready { li { (reason) } } }
        }
    }
}

fn totals(totals: &Totals) -> Markup {
    let dead = totals.dead_letters.is_some_and(|count| count > 0.0);
    html! {
        dl.totals {
            div {
                dt { "Alarms firing" }
                dd .bad[totals.firing > 0] {
                    (grouped(totals.firing as f64)) small { " of " (number(totals.alarms as f64)) }
                }
            }
            div { dt { "Dead letters" } dd .bad[dead] { (figure(totals.dead_letters)) } }
            div { dt { "Messages waiting" } dd { (figure(totals.waiting)) } }
            div { dt { "Queues" } dd { (figure(totals.queues.map(|count| count as f64))) } }
        }
    }
}

fn fresh(overview: &Overview) -> Markup {
    let old = overview.read_at.is_none_or(|at| overview.now.since(at) > overview.interval * 3);
    html! {
        p.fresh .late[old] {
            @match overview.read_at {
                Some(at) => {
                    "Read " time datetime=(at) title=(at) { (length(overview.now.since(at))) " ago" }
                    ", every " (length(overview.interval))
                }
                None => "Nothing was read yet",
            }
        }
    }
}

/// A count at a glance with the exact one behind it; a dash for what is not known.
fn figure(value: Option<f64>) -> Markup {
    html! {
        @match value {
            Some(value) => span title=(grouped(value)) { (number(value)) },
            None => span.unknown title="not known" { "–" },
        }
    }
}
