//! The lists of notifications: given up, waiting, and what became of the rest.

use maud::{Markup, html};

use super::asked::{Asked, Progress};
use super::{Found, LISTED, SOME};
use crate::domain::alarm::AlarmKey;
use crate::store::{Kept, Receipt};
use crate::web::pages::alarm::told;
use crate::web::pages::humane::number;
use crate::web::pages::{address, parts};

/// What was given up and is kept for a person, with the way to send it again.
pub fn parked(found: &Found, asked: &Asked, total: u64) -> Markup {
    let wanted = asked.progress() == Some(Progress::Parked);
    let limit = if wanted { LISTED } else { SOME };
    html! {
        @if wanted || !found.parked.is_empty() {
            section aria-labelledby="parked" {
                h2 #parked { "Given up" @if asked.destination.is_empty() && asked.alarm.is_empty() { " " small { (number(total as f64)) } } }
                @if found.parked.is_empty() {
                    p.note { "Nothing that was given up is kept." }
                } @else {
                    p.note {
                        "Mend what is wrong, then send them again or drop them: each by its button, all of a destination with "
                        code { "sqswatch outbox resend DESTINATION --all" } " and " code { "sqswatch outbox drop DESTINATION --all" } "."
                    }
                    table.given-up {
                        thead { tr {
                            th scope="col" { "Alarm" }
                            th scope="col" { "Told" }
                            th scope="col" { "To" }
                            th scope="col" { "Since" }
                            th scope="col" { "Why" }
                            th scope="col" { span.unseen { "Do" } }
                        } }
                        tbody { @for kept in found.parked.iter().take(limit) { (given_up(kept)) } }
                    }
                    @if !wanted && found.parked.len() > limit {
                        p.note { a href=(asked.only(Progress::Parked).address()) data-soft { "All of them" } }
                    }
                }
            }
        }
    }
}

fn given_up(kept: &Kept) -> Markup {
    let entry = &kept.entry;
    let (reason, at) = kept.parked.clone().unzip();
    html! {
        tr {
            th scope="row" { (of(&entry.notification.alarm)) }
            td data-label="Told" { (told::word(entry.notification.event)) }
            td data-label="To" { (told::destination(&entry.destination)) }
            td data-label="Since" { (parts::clock(at.unwrap_or(entry.created))) }
            td.why.wide data-label="Why" {
                span.bad { (reason.unwrap_or_else(|| "not known".to_owned()).replace('_', " ")) }
                @if let Some(answer) = &entry.answer { ": " span.reason title=(answer) { (answer) } }
            }
            td.wide { a.button href=(address::parked(&entry.destination, Some(entry.sequence))) { "Send again or drop" } }
        }
    }
}

/// What waits for its next attempt, in the order in which it goes out.
pub fn waiting(found: &Found, asked: &Asked) -> Markup {
    let wanted = asked.progress() == Some(Progress::Pending);
    let limit = if wanted { LISTED } else { SOME };
    html! {
        @if wanted || !found.waiting.is_empty() {
            section aria-labelledby="waiting" {
                h2 #waiting { "Waiting" }
                @if found.waiting.is_empty() { p.note { "Nothing waits." } } @else {
                    table.told {
                        thead { tr {
                            th scope="col" { "Alarm" }
                            th scope="col" { "Told" }
                            th scope="col" { "To" }
                            th scope="col" { "Since" }
                            th scope="col" { "Next attempt" }
                            th scope="col" { "Answer" }
                        } }
                        tbody { @for kept in found.waiting.iter().take(limit) { (waits(kept)) } }
                    }
                    @if !wanted && found.waiting.len() > limit {
                        p.note { a href=(asked.only(Progress::Pending).address()) data-soft { "All of them" } }
                    }
                }
            }
        }
    }
}

fn waits(kept: &Kept) -> Markup {
    let entry = &kept.entry;
    html! {
        tr {
            th scope="row" { (of(&entry.notification.alarm)) }
            td data-label="Told" { (told::word(entry.notification.event)) }
            td data-label="To" { (told::destination(&entry.destination)) }
            td data-label="Since" { (parts::clock(entry.created)) }
            td.half data-label="Next attempt" { (told::next_attempt(entry.attempts, entry.not_before)) }
            td.why.wide data-label="Answer" { (told::answer(entry.answer.as_deref())) }
        }
    }
}

/// What became of the latest, newest first.
pub fn receipts(found: &Found, asked: &Asked) -> Markup {
    let wanted = !matches!(asked.progress(), Some(Progress::Pending | Progress::Parked));
    html! {
        @if wanted && !found.debts.is_empty() {
            section aria-labelledby="receipts" {
                h2 #receipts { "Receipts" }
                @if found.receipts.is_empty() {
                    p.note {
                        @if *asked == Asked::default() { "Nothing was sent yet. " code { "sqswatch test-notify" } " sends a marked test to every destination." }
                        @else { "None is like that, for as long as " code { "outbox.history" } " in the configuration says." }
                    }
                } @else {
                    table.told {
                        thead { tr {
                            th scope="col" { "Alarm" }
                            th scope="col" { "Told" }
                            th scope="col" { "To" }
                            th scope="col" { "When" }
                            th scope="col" { "Outcome" }
                            th scope="col" { "Answer" }
                        } }
                        tbody { @for receipt in found.receipts.iter().take(LISTED) { (settled(receipt)) } }
                    }
                }
            }
        }
    }
}

fn settled(receipt: &Receipt) -> Markup {
    html! {
        tr {
            th scope="row" { (of(&receipt.alarm)) }
            td data-label="Told" { (told::word(receipt.event)) }
            td data-label="To" { (told::destination(&receipt.destination)) }
            td data-label="When" { (parts::clock(receipt.at)) }
            td.half data-label="Outcome" { (told::outcome(receipt.reason.as_deref(), receipt.attempts)) }
            td.why.wide data-label="Answer" { (told::answer(receipt.answer.as_deref())) }
        }
    }
}

/// The alarm that is told of, with its page behind it.
fn of(alarm: &AlarmKey) -> Markup {
    html! {
        a href=(address::alarm(alarm)) title=(alarm) { (alarm.subject.name()) }
        small.place { (alarm.rule) }
    }
}
