//! What a queue is now, in large figures.

use std::time::Duration;

use maud::{Markup, html};

use super::facts::Facts;
use super::{address, humane, parts};
use crate::domain::derived::IN_FLIGHT_LIMIT;

/// The share of the retention at which an age is worth a look, and at which messages are nearly lost.
const OLD: f64 = 0.5;
const NEARLY_LOST: f64 = 0.8;
/// The share of the limit at which messages in flight are worth a look.
const CROWDED: f64 = 0.5;

/// The figures.
pub fn figures(facts: &Facts) -> Markup {
    html! {
        dl.totals.figures {
            div {
                dt { "Waiting" }
                dd { (parts::figure(facts.visible)) @if facts.delayed > Some(0.0) { small { "+ " (parts::figure(facts.delayed)) " delayed" } } }
            }
            div { dt { "In flight" } dd { (parts::figure(facts.in_flight)) (of_limit(facts)) } }
            div { dt { "Oldest" } dd { (age(facts)) } }
            div { dt { "In a minute" } dd { (parts::figure(facts.sent)) } }
            div { dt { "Out a minute" } dd { (parts::figure(facts.deleted)) } }
            div { dt { "Empty in" } dd { (parts::drain(facts.drain, facts.visible)) } }
            (dead_letters(facts))
        }
    }
}

fn of_limit(facts: &Facts) -> Markup {
    let share = facts.in_flight.unwrap_or_default() / IN_FLIGHT_LIMIT as f64;
    html! { @if share >= CROWDED { small.late { (humane::number((share * 100.0).round())) " % of the limit" } } }
}

fn age(facts: &Facts) -> Markup {
    let ratio = facts.age_ratio.unwrap_or_default();
    html! {
        @match facts.age.and_then(|age| Duration::try_from_secs_f64(age).ok()) {
            None => (parts::unknown("not known")),
            Some(age) if age.is_zero() && facts.visible == Some(0.0) => (parts::unknown("there is none")),
            Some(age) => {
                span .late[ratio >= OLD] .bad[ratio >= NEARLY_LOST] title={ (humane::grouped(age.as_secs_f64())) " s" } { (humane::length(age)) }
                @if facts.age_ratio.is_some() { small { (share(ratio)) " of retention" } }
            }
        }
    }
}

/// Whole per cent, so that the page does not change with every second of age.
fn share(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.01 {
        "< 1 %".to_owned()
    } else {
        humane::number((ratio * 100.0).round()) + " %"
    }
}

/// What it lost to its dead-letter queue; a dead-letter queue holds them itself, and says so under "Waiting".
fn dead_letters(facts: &Facts) -> Markup {
    let bad = facts.dead_letters > Some(0.0);
    html! {
        @if let Some(id) = facts.queue.dead_letter_queue() {
            div {
                dt { "Dead letters" }
                dd { a .plain .bad[bad] href=(address::queue(id)) title={ "in " (id.name) } { (parts::figure(facts.dead_letters)) } }
            }
        }
    }
}
