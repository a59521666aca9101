//! What was sent of one alarm, to whom, and what came back; and what is still to be sent.

use maud::{Markup, html};

use crate::domain::notification::Event;
use crate::domain::outbox::Entry;
use crate::domain::time::Timestamp;
use crate::store::Receipt;
use crate::web::pages::{address, parts};

/// What still waits, then what became of the rest, newest first; one row each.
pub fn table(owed: &[Entry], receipts: &[Receipt]) -> Markup {
    html! {
        table.told {
            thead { tr {
                th scope="col" { "Told" }
                th scope="col" { "To" }
                th scope="col" { "When" }
                th scope="col" { "Outcome" }
                th scope="col" { "Answer" }
            } }
            tbody {
                @for entry in owed { (waiting(entry)) }
                @for receipt in receipts { (settled(receipt)) }
            }
        }
    }
}

fn waiting(entry: &Entry) -> Markup {
    html! {
        tr {
            th scope="row" { (word(entry.notification.event)) }
            td data-label="To" { (destination(&entry.destination)) }
            td data-label="When" { (parts::clock(entry.created)) }
            td.half data-label="Outcome" { (next_attempt(entry.attempts, entry.not_before)) }
            td.why.wide data-label="Answer" { (answer(entry.answer.as_deref())) }
        }
    }
}

fn settled(receipt: &Receipt) -> Markup {
    html! {
        tr {
            th scope="row" { (word(receipt.event)) }
            td data-label="To" { (destination(&receipt.destination)) }
            td data-label="When" { (parts::clock(receipt.at)) }
            td.half data-label="Outcome" { (outcome(receipt.reason.as_deref(), receipt.attempts)) }
            td.why.wide data-label="Answer" { (answer(receipt.answer.as_deref())) }
        }
    }
}

/// What is told, in one word.
pub fn word(event: Event) -> Markup {
    html! { span title=(event.word()) { (event.as_str()) } }
}

/// A destination, with a link to all that was sent there.
pub fn destination(name: &str) -> Markup {
    html! { a.plain href=(address::with_query("/notifications", [("destination", name)])) { (name) } }
}

/// How something that waits is doing.
pub fn next_attempt(attempts: u32, next: Timestamp) -> Markup {
    html! {
        @if attempts == 0 { "waits" } @else {
            span.late { "failed " (times(attempts)) } ", due " (parts::ago(next))
        }
    }
}

/// How something ended.
pub fn outcome(reason: Option<&str>, attempts: u32) -> Markup {
    html! {
        @match reason {
            None => { span.state.ok { "delivered" } @if attempts > 1 { small { " at attempt " (attempts) } } }
            Some("dropped") => { "dropped by hand" }
            Some("firing_refused") => span title="nobody is told of the end of what they were never told of" { "not told" },
            Some(reason) => { span.bad { "given up" } ": " (reason.replace('_', " ")) }
        }
    }
}

/// What came back.
pub fn answer(text: Option<&str>) -> Markup {
    html! {
        @match text {
            Some(text) => span.reason title=(text) { (text) },
            None => (parts::unknown("nothing came back yet")),
        }
    }
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
