//! What keeps alarms from telling anybody: silences that hold or will, and the maintenance windows of the configuration.

use maud::{Markup, html};

use crate::domain::maintenance::Window;
use crate::domain::silence::{Phase, Silence, Silences};
use crate::domain::time::Timestamp;
use crate::web::pages::page::Block;
use crate::web::pages::{address, parts};

/// All that are not over, the one that ends first before the others, then the windows.
pub fn block(silences: &Silences, now: Timestamp) -> Block {
    let living = silences.silences.iter().filter(|silence| silence.phase(now) != Phase::Expired);
    let mut living: Vec<&Silence> = living.collect();
    living.sort_by_key(|silence| silence.ends);
    Block::whole(
        "silences",
        html! {
            section aria-labelledby="silenced" {
                h2 #silenced { "Silenced" }
                @if living.is_empty() && silences.windows.is_empty() {
                    p.note { "Nothing is silenced. " a href=(address::silence_anything()) { "Silence something" }
                        ", or plan a maintenance window with " code { "maintenance" } " in the configuration." }
                } @else {
                    ul.silences {
                        @for silence in &living { (of_silence(silence, now)) }
                        @for window in &silences.windows { (of_window(window, now)) }
                    }
                    p.note { a href=(address::silence_anything()) { "Silence something" } }
                }
            }
        },
    )
}

fn of_silence(silence: &Silence, now: Timestamp) -> Markup {
    html! {
        li #{ "silence-" (silence.id) } {
            p.what { strong { (silence.matchers) } span.rule { "silence " (silence.id) } }
            p.since {
                @if silence.is_active(now) { "for " (parts::lasting(silence.ends)) " more" }
                @else { "from " (parts::clock(silence.starts)) " until " (parts::clock(silence.ends)) }
                " · " a href=(address::silence_end(&silence.id)) { "End it" }
            }
            p.why { (silence.author) ": " (silence.reason) }
        }
    }
}

fn of_window(window: &Window, now: Timestamp) -> Markup {
    html! {
        li .later[window.active(now).is_none()] {
            p.what { strong { (window.matchers) } span.rule { "maintenance " (window.name) } }
            p.since {
                @match (window.active(now), window.next(now)) {
                    (Some(span), _) => { "for " (parts::lasting(span.until)) " more" }
                    (None, Some(span)) => { "opens " (parts::ago(span.from)) }
                    (None, None) => { "does not open again" }
                }
            }
            p.why { (window.schedule) }
        }
    }
}
