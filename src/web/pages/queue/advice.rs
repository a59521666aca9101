//! What is unwise about a queue's settings, with the reason and the command that mends it.

use maud::{Markup, html};

use super::facts::Facts;
use super::parts;

/// The list; nothing when there is nothing to say.
pub fn section(facts: &Facts) -> Markup {
    html! {
        @if !facts.advice.is_empty() {
            section aria-labelledby="advice" {
                h2 #advice { "Worth a change" }
                ul.advice { @for advice in &facts.advice {
                    li .(advice.severity.as_str()) {
                        h3 { (advice.what) " " (parts::severity(advice.severity)) }
                        p { (advice.why) }
                        @if let Some(remedy) = advice.remedy { p { (remedy) } }
                        @if !advice.fix.is_empty() {
                            pre tabindex="0" role="group" aria-label={ "Commands: " (advice.what) } { code { (advice.fix.join("\n")) } }
                        }
                    }
                } }
            }
        }
    }
}
