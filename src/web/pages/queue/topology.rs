//! Where a queue's messages come from and go to when they fail, as a picture: sources, the queue, its dead-letter queue. Boxes are
//! links; what joins them is drawn. On a narrow screen it stands upright.

use maud::{Markup, html};

use super::facts::{Facts, Target};
use super::{address, lost, parts};
use crate::board::Board;
use crate::domain::metric::Metric;
use crate::domain::queue::{QueueId, RedrivePolicy};

/// More sources than this are folded.
const SHOWN: usize = 6;

/// The picture; nothing for a queue that stands alone.
pub fn section(board: &Board, facts: &Facts) -> Markup {
    let queue = &facts.queue;
    let redrive = queue.settings.redrive.as_ref();
    html! {
        @if !queue.sources.is_empty() || redrive.is_some() {
            section aria-labelledby="topology" {
                h2 #topology { "Where failing messages go" }
                div.topology {
                    @if !queue.sources.is_empty() { (sources(board, &queue.sources)) }
                    div.node.this { strong { bdi { (queue.id.name) } } span { (parts::figure(facts.visible)) " waiting" } }
                    @if let Some(policy) = redrive {
                        (arrow(&format!("after {} {}", policy.max_receive_count, receives(policy))))
                        (target(facts, policy))
                    }
                }
            }
        }
    }
}

fn receives(policy: &RedrivePolicy) -> &'static str {
    if policy.max_receive_count == 1 { "receive" } else { "receives" }
}

/// The sources one below the other, and the lines that run from each to the queue.
fn sources(board: &Board, sources: &[QueueId]) -> Markup {
    let more = sources.len().saturating_sub(SHOWN);
    let shown = sources.len().min(SHOWN);
    let rows = shown + usize::from(more > 0);
    let height = 100 * rows;
    let line = |row: usize| format!("M0 {}C60 {0} 40 {} 100 {1}", row * 100 + 50, height / 2);
    let lines: String = (0..rows).map(line).collect();
    html! {
        ul.sources {
            @for id in sources.iter().take(SHOWN) { li { (source(board, id)) } }
            @if more > 0 { li { span.node.more { "and " (more) " more" } } }
        }
        div.join {
            svg viewBox={ "0 0 100 " (height) } preserveAspectRatio="none" aria-hidden="true" { path d=(lines) {} }
            (tip())
            span.unseen { "send their dead letters to" }
        }
    }
}

fn source(board: &Board, id: &QueueId) -> Markup {
    let watched = board.queue(id);
    let readings = watched.as_ref().map(|watched| watched.lock());
    let waiting = readings.as_ref().and_then(|readings| readings.value(Metric::MessagesVisible));
    let receives = readings.as_ref().and_then(|readings| readings.queue.settings.redrive.clone());
    html! {
        a.node href=(address::queue(id)) {
            strong { bdi { (id.name) } }
            span {
                (parts::figure(waiting)) " waiting"
                @if let Some(policy) = receives { ", " (policy.max_receive_count) " " (self::receives(&policy)) }
            }
        }
    }
}

fn arrow(words: &str) -> Markup {
    html! {
        div.join {
            svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true" { path d="M0 50H100" {} }
            (tip())
            span.words { (words) }
        }
    }
}

/// The head of an arrow, which is not stretched.
fn tip() -> Markup {
    html! { svg.tip width="8" height="10" aria-hidden="true" { path d="M0 0L8 5L0 10Z" {} } }
}

fn target(facts: &Facts, policy: &RedrivePolicy) -> Markup {
    let id = &policy.dead_letter_queue;
    let absent = |words: &str, why: &str| html! { div.node.absent title=(why) { strong { bdi { (id.name) } } span { (words) } } };
    let bad = facts.dead_letters > Some(0.0);
    html! {
        @match &facts.target {
            Target::Watched(_) if *id == facts.queue.id => (absent("is this queue itself", "its redrive policy names itself")),
            Target::Watched(_) => a.node .holds[bad] href=(address::queue(id)) {
                strong { bdi { (id.name) } }
                span { (parts::figure(facts.dead_letters)) " dead letters" }
            },
            Target::Skipped(skip) => (absent("not watched", lost::why(*skip))),
            Target::Missing => (absent("does not exist", "no listing has it")),
            Target::Unknown | Target::None => (absent("not known", "not every region was listed yet")),
        }
    }
}
