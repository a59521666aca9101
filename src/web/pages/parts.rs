//! What several pages show, in one way: figures, measures, times, states, severities, notices.
//!
//! What people read is short; the exact value is in the title beside it. What is not known is a dash, never 0.

use std::time::Duration;

use maud::{Markup, html};

use super::humane::{grouped, measure, number};
use crate::board::Skip;
use crate::domain::alarm::State;
use crate::domain::rule::Severity;
use crate::domain::time::Timestamp;

/// A count at a glance with the exact one behind it.
pub fn figure(value: Option<f64>) -> Markup {
    html! {
        @match value {
            Some(value) => span title=(grouped(value)) { (number(value)) },
            None => (unknown("not known")),
        }
    }
}

/// A value in its unit of the catalogue, with the exact one behind it.
pub fn measured(value: f64, unit: &str) -> Markup {
    html! { span title=(format!("{value} {unit}").trim_end()) { (measure(value, unit)) } }
}

/// A dash for what is not known, and why.
pub fn unknown(why: &str) -> Markup {
    html! { span.unknown title=(why) { "–" } }
}

/// How the script writes an instant: the page itself has the exact one, in UTC.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// "3 min ago", "in 3 min".
    Ago,
    /// "3 min": how long it has lasted, or will.
    Lasting,
    /// "14:03:22", with the date on another day.
    Clock,
}

/// How long ago `at` was.
pub fn ago(at: Timestamp) -> Markup {
    time(at, Style::Ago)
}

/// How long it has been since `at`, or will be until it.
pub fn lasting(at: Timestamp) -> Markup {
    time(at, Style::Lasting)
}

/// When `at` is by the viewer's clock.
pub fn clock(at: Timestamp) -> Markup {
    time(at, Style::Clock)
}

fn time(at: Timestamp, style: Style) -> Markup {
    let style = match style {
        Style::Ago => "ago",
        Style::Lasting => "for",
        Style::Clock => "at",
    };
    html! { time datetime=(at) data-time=(style) title=(at) { (utc(at)) } }
}

/// `2026-11-22 06:31:05 UTC`: what is read without a script.
fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.get(..8).unwrap_or(time))
}

/// How long until a queue is empty that holds `visible` messages now.
pub fn drain(seconds: Option<f64>, visible: Option<f64>) -> Markup {
    html! {
        @match (seconds, visible) {
            (Some(0.0), _) | (None, Some(0.0)) => (unknown("it is empty")),
            (Some(seconds), _) => (measured(seconds, "seconds")),
            (None, Some(_)) => span.unknown title="it does not shrink" { "∞" },
            (None, None) => (unknown("not known")),
        }
    }
}

/// A length of time in words, with its seconds behind it.
pub fn lasted(length: Duration) -> Markup {
    measured(length.as_secs_f64(), "seconds")
}

/// The state of an alarm, by word and shape as well as by colour.
pub fn state(state: State) -> Markup {
    let (class, words) = match state {
        State::Alarm => ("alarm", "ALARM"),
        State::Ok => ("ok", "OK"),
        State::InsufficientData => ("no-data", "no data"),
    };
    html! { span class={ "state " (class) } title=(state.as_str()) { (words) } }
}

/// How bad an alarm is.
pub fn severity(severity: Severity) -> Markup {
    html! { span class={ "severity " (severity.as_str()) } { (severity.as_str()) } }
}

/// Why a queue is not watched, in a few words.
pub fn skipped(reason: Skip) -> &'static str {
    match reason {
        Skip::Excluded => "excluded by name",
        Skip::Tags => "left out by tags",
        Skip::Denied => "not permitted",
        Skip::Gone => "gone",
        Skip::Unreadable => "unreadable",
    }
}

/// Why the daemon does not see everything; nothing when it does.
pub fn blind(reasons: &[String]) -> Markup {
    html! {
        @if !reasons.is_empty() {
            section.notice aria-labelledby="blind" {
                h2 #blind { "sqswatch does not see everything" }
                ul { @for reason in reasons { li { (reason) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_readable_without_a_script_and_exact_for_it() {
        let html = ago(Timestamp::from_secs(1_767_323_045)).into_string();
        assert!(
            html.contains("datetime=\"2026-01-02T03:04:05Z\"") && html.contains(">2026-01-02 03:04:05 UTC<"),
            "{html}"
        );
    }
}
