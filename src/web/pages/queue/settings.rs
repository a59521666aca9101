//! The settings of a queue as they were last read.

use std::time::Duration;

use maud::{Markup, html};

use super::facts::Facts;
use super::parts;
use crate::domain::queue::{QueueId, Settings};

/// The settings.
pub fn section(facts: &Facts) -> Markup {
    let settings = &facts.queue.settings;
    let yes_or_no =
        |value: Option<bool>, words: [&'static str; 2]| value.map(|yes| html! { (words[usize::from(yes)]) });
    let rows = [
        ("Retention", length(settings.retention_seconds)),
        ("Visibility timeout", length(settings.visibility_timeout_seconds)),
        ("Delay", length(settings.delay_seconds)),
        ("Receive wait", length(settings.receive_wait_seconds)),
        ("Largest message", settings.maximum_message_bytes.map(size)),
        ("Encryption at rest", yes_or_no(settings.encrypted, ["off", "on"])),
        ("Policy", yes_or_no(settings.public, ["not open to everybody", "open to everybody"])),
        (
            "Redrive",
            match &settings.redrive {
                Some(policy) => Some(html! { "after " (policy.max_receive_count) " receives" }),
                // No policy is told of a queue that has none, and of one whose settings were not read.
                None => (*settings != Settings::default()).then(|| html! { "none" }),
            },
        ),
        ("Created", settings.created_at.map(parts::clock)),
        ("Changed", settings.modified_at.map(parts::clock)),
    ];
    html! {
        section aria-labelledby="settings" {
            h2 #settings { "Settings" }
            dl.settings {
                @for (name, value) in rows { div {
                    dt { (name) }
                    dd { @match value { Some(value) => (value), None => (parts::unknown("not told")) } }
                } }
                div.wide { dt { "URL" } dd { code { (facts.queue.url) } } }
                div.wide { dt { "Identity" } dd { code { (place(&facts.queue.id)) } } }
            }
        }
    }
}

fn length(seconds: Option<u64>) -> Option<Markup> {
    seconds.map(|seconds| parts::lasted(Duration::from_secs(seconds)))
}

/// In powers of two, as AWS counts them.
fn size(bytes: u64) -> Markup {
    let text = match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    };
    html! { span title={ (bytes) " bytes" } { (text) } }
}

fn place(id: &QueueId) -> String {
    id.to_string()
}
