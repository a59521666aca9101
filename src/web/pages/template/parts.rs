//! The firing alarms and what is silenced above the tables, and the skipped queues below them.

use maud::{Markup, html};

use crate::board::Skip;
use crate::domain::alarm::Subject;
use crate::domain::rule::{Comparison, Condition, MetricRef, Trigger};
use crate::store::Kept;
use crate::web::pages::humane::{length, measure, number};
use crate::web::pages::overview::{Firing, Overview};

/// How many firing alarms are shown; the rest is in the API.
const SHOWN: usize = 25;

/// The alarms in ALARM.
pub fn firing(overview: &Overview) -> Markup {
    html! {
        section aria-labelledby="firing" {
            h2 #firing { "Firing" }
            ul.firing {
                @for one in overview.firing.iter().take(SHOWN) { (alarm(one, overview)) }
            }
            @if overview.firing.len() > SHOWN {
                p.note { "The first " (SHOWN) " of " (overview.firing.len()) ". "
                    a href="/api/v1/alarms?state=ALARM" { "All as JSON" } }
            }
        }
    }
}

fn alarm(one: &Firing, overview: &Overview) -> Markup {
    let severity = one.severity().as_str();
    let subject = &one.key.subject;
    let kind = match subject {
        Subject::Queue(_) => "",
        Subject::Custom(_) => "custom metric, ",
        Subject::Composite(_) => "composite alarm",
    };
    html! {
        li class=(severity) .held[one.silenced.is_some()] {
            p.what {
                strong { (subject.name()) }
                @if !matches!(subject, Subject::Composite(_)) {
                    span.rule title=(one.alarm.reason) { (one.key.rule) }
                }
                span.severity { (severity) }
                @if let Some((until, hold)) = &one.silenced {
                    span.chip title={ "by " (hold) " until " (until) } { "silenced" }
                }
            }
            p.value {
                @match one.rule.as_ref().map(|rule| &rule.trigger) {
                    Some(Trigger::Metric(condition)) => { (against(one.alarm.value, condition)) }
                    Some(Trigger::Composite(composite)) => { span title=(one.alarm.reason) { "fires at " (composite.text) } }
                    None => {}
                }
            }
            p.why {
                @if let Some(rule) = &one.rule { @if !rule.description.is_empty() { (rule.description) " · " } }
                (kind) (subject.region())
            }
            p.since {
                "for " time datetime=(one.alarm.since) title=(one.alarm.since) {
                    (length(overview.now.since(one.alarm.since)))
                }
            }
        }
    }
}

fn against(value: Option<f64>, condition: &Condition) -> Markup {
    let (name, unit) = match &condition.metric {
        MetricRef::Queue(metric) => (metric.name(), metric.row().unit),
        MetricRef::Custom(name) => (&**name, ""),
        MetricRef::Math(math) => (&*math.text, ""),
    };
    let threshold = measure(condition.threshold, unit);
    html! {
        @if let Some(value) = value { b title=(value) { (measure(value, unit)) } " " }
        span title=(name) { "fires at " (sign(condition.comparison)) " " (threshold) }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::GreaterThan => ">",
        Comparison::GreaterThanOrEqual => "≥",
        Comparison::LessThan => "<",
        Comparison::LessThanOrEqual => "≤",
    }
}

/// The notifications that were given up, with the reason.
pub fn parked(overview: &Overview) -> Markup {
    let parked = &overview.parked;
    html! {
        @if parked.total > 0 {
            section aria-labelledby="parked" {
                h2 #parked { (number(parked.total as f64)) " notifications given up" }
                ul.parked { @for kept in &parked.latest { (given_up(kept)) } }
                p.note {
                    "Send them again or drop them with " code { "sqswatch outbox" } ". "
                    a href="/api/v1/notifications?state=parked" { "All as JSON" }
                }
            }
        }
    }
}

fn given_up(kept: &Kept) -> Markup {
    let (entry, notification) = (&kept.entry, &kept.entry.notification);
    html! {
        li {
            (notification.event.line(&notification.alarm)) " for " b { (entry.destination) }
            @if let Some((reason, at)) = &kept.parked {
                ": " span.rule title=(at) { (reason) }
            }
            @if let Some(answer) = &entry.answer { " · " (answer) }
        }
    }
}

/// What keeps alarms from telling anybody at present.
pub fn silencing(overview: &Overview) -> Markup {
    html! {
        section aria-labelledby="silenced" {
            h2 #silenced { "Silenced" }
            ul.silences {
                @for one in overview.silencing.iter().take(SHOWN) {
                    li {
                        p.what { strong { (one.what) } span.rule { (one.hold.kind()) " " (one.hold.by()) } }
                        p.since {
                            "for " time datetime=(one.until) title={ "until " (one.until) } {
                                (length(one.until.since(overview.now)))
                            } " more"
                        }
                        p.why { (one.why) }
                    }
                }
            }
            @if overview.silencing.len() > SHOWN {
                p.note { "The first " (SHOWN) " of " (overview.silencing.len()) ". "
                    a href="/api/v1/silences" { "All as JSON" } }
            }
        }
    }
}

/// The queues that are not watched.
pub fn skipped(overview: &Overview) -> Markup {
    let total: usize = overview.skipped.values().sum();
    html! {
        @if total > 0 {
            details #skipped {
                summary {
                    (number(total as f64)) " not watched"
                    @for (reason, count) in &overview.skipped { span { (number(*count as f64)) " " (words(*reason)) } }
                }
                @if overview.lost.is_empty() {
                    p.note { "All of them because the configuration says so." }
                } @else {
                    ul { @for (name, reason) in &overview.lost { li { (name) " " span.rule { (words(*reason)) } } } }
                }
                p.note { a href="/api/v1/queues" { "All with their reasons as JSON" } }
            }
        }
    }
}

fn words(reason: Skip) -> &'static str {
    match reason {
        Skip::Excluded => "excluded by name",
        Skip::Tags => "left out by tags",
        Skip::Denied => "not permitted",
        Skip::Gone => "gone",
        Skip::Unreadable => "unreadable",
    }
}
