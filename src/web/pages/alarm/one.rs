//! One alarm: its state and why, its past, what was told of it, and what holds it back.

use std::time::Duration;

use maud::{Markup, html};

use super::{Asked, crumbs, in_words, terms, timeline, told};
use crate::clock;
use crate::domain::alarm::{self, Alarm, AlarmKey, Transition};
use crate::domain::hold::Hold;
use crate::domain::outbox::Entry;
use crate::domain::rule::{Rule, Trigger};
use crate::domain::silence::Silences;
use crate::domain::time::{MINUTE, Timestamp};
use crate::store::{Change, Receipt, Store, StoreError};
use crate::web::Web;
use crate::web::pages::alarms::Held;
use crate::web::pages::page::{Block, Page, Tab};
use crate::web::pages::{address, condition, parts};

/// How many changes and receipts are listed; the API has the others.
const LISTED: usize = 50;
/// How far the timeline can reach back, with the words for it.
const RANGES: [(&str, Duration); 3] = [
    ("1h", Duration::from_secs(3600)),
    ("24h", Duration::from_secs(86_400)),
    ("7d", Duration::from_secs(7 * 86_400)),
];

/// The alarm that is shown.
pub struct Subject<'a> {
    /// Which.
    pub key: AlarmKey,
    /// Its state.
    pub alarm: Alarm,
    /// Gone for a moment after a reload.
    pub rule: Option<&'a Rule>,
}

/// What the store knows of it, newest first.
#[derive(Default)]
struct Past {
    changes: Vec<Transition>,
    owed: Vec<Entry>,
    receipts: Vec<Receipt>,
}

/// The page.
pub fn page(web: &Web, subject: &Subject<'_>, asked: &Asked) -> Page {
    let now = clock::now();
    let silences = web.board.silences();
    let past = past(&web.store, &subject.key);
    let known = past.is_ok();
    let past = past.unwrap_or_else(|error| {
        tracing::warn!(%error, "the past of an alarm cannot be read for the page");
        Past::default()
    });
    let blocks = vec![
        Block::whole("head", head(subject, asked)),
        Block::whole("now", html! { (present(subject)) (held(subject, &silences, now)) }),
        Block::whole(
            "unread",
            html! { @if !known { p.notice { "The store cannot be read, so the past of this alarm is not shown. The log says why." } } },
        ),
        Block::whole("past", timeline_of(subject, &past.changes, asked, now)),
        Block::whole("changes", changes(&past.changes, subject.rule)),
        Block::whole("told", told_of(&past, subject.rule)),
        Block::whole("terms", html! { @if let Some(rule) = subject.rule { (terms(rule)) } }),
    ];
    Page::new(Tab::Alarms, format!("{} · {}", subject.key.subject.name(), subject.key.rule), blocks)
}

fn past(store: &Store, key: &AlarmKey) -> Result<Past, StoreError> {
    let changes = store.changes_of(key, usize::MAX)?;
    Ok(Past {
        changes: changes.into_iter().map(|Change { transition, .. }| transition).collect(),
        owed: store.owed_of(key)?,
        receipts: store.receipts_of(key, LISTED)?,
    })
}

fn head(subject: &Subject<'_>, asked: &Asked) -> Markup {
    let key = &subject.key;
    html! {
        (crumbs())
        h1 {
            (key.rule)
            @if !matches!(key.subject, alarm::Subject::Composite(_)) { " on " (link(key)) }
        }
        @if !key.subject.region().is_empty() {
            p.note { (key.subject.region()) " · " (key.subject.account()) }
        }
        @if let Some(rule) = subject.rule { (in_words(rule)) }
        p.actions {
            a.button href=(address::silence(key)) { "Silence it" }
            @if !matches!(key.subject, alarm::Subject::Composite(_)) {
                a href=(address::rule(&asked.rule)) { "All that this rule judges" }
            }
        }
    }
}

/// What it judges, with the queue's page behind it.
fn link(key: &AlarmKey) -> Markup {
    html! {
        @match &key.subject {
            alarm::Subject::Queue(id) => a href=(address::queue(id)) { (id.name) },
            other => (other.name()),
        }
    }
}

fn present(subject: &Subject<'_>) -> Markup {
    let alarm = &subject.alarm;
    html! {
        section.now aria-labelledby="now" {
            h2.unseen #now { "Now" }
            p.verdict { (parts::state(alarm.state)) " for " (parts::lasting(alarm.since)) }
            @if let Some(Trigger::Metric(condition)) = subject.rule.map(|rule| &rule.trigger) {
                p.value { (condition::against(alarm.value, condition)) }
            }
            p.why {
                @if alarm.reason.is_empty() { "It has not changed since it was first judged." } @else { (alarm.reason) }
            }
        }
    }
}

/// What keeps it from telling anybody, and what is to be told once nothing does.
fn held(subject: &Subject<'_>, silences: &Silences, now: Timestamp) -> Markup {
    let alarm = &subject.alarm;
    let in_force = silences.at(now);
    let holder = subject.rule.and_then(|rule| in_force.holder(rule, &subject.key.subject));
    let held = Held::of(holder, alarm);
    html! {
        @if held.is_some() || alarm.untold.is_some() || alarm.flaps.flapping {
            section.notice aria-labelledby="silenced" {
                h2 #silenced { "Nobody is told at present" }
                ul {
                    @if let Some(held) = &held { li { (why_held(held, silences)) } }
                    @if let Some(untold) = &alarm.untold {
                        li { "That it is " (untold.event.as_str()) " is told when nothing holds it back any more, if it still is then." }
                    }
                    @if alarm.flaps.flapping {
                        li { "It flaps: " (alarm.flaps.changes.len()) " changes lately. Its changes are not told one by one until it is quiet." }
                    }
                }
            }
        }
    }
}

fn why_held(held: &Held, silences: &Silences) -> Markup {
    let until = html! { @if let Some(until) = held.until { " until " (parts::clock(until)) } };
    html! {
        @match &held.hold {
            Hold::Silence(id) => {
                "Silenced" (until)
                @if let Some(silence) = silences.silences.iter().find(|silence| silence.id == *id) {
                    " by " b { (silence.author) } ": " (silence.reason)
                }
                " · " a href=(address::silence_end(id)) { "End the silence" }
            }
            Hold::Maintenance(name) => { "The maintenance window " b { (name) } " is open" (until) "." }
            Hold::Suppressor(rule) => { "Suppressed by " a href=(address::rule(rule)) { (rule) } "." }
        }
    }
}

fn timeline_of(subject: &Subject<'_>, changes: &[Transition], asked: &Asked, now: Timestamp) -> Markup {
    // Without a wish a day, or an hour while no more is known.
    let known_since = changes.last().map_or(subject.alarm.since, |first| first.since);
    let usual = usize::from(now.since(known_since) > RANGES[0].1);
    let (word, over) = *RANGES.iter().find(|(word, _)| *word == asked.range).unwrap_or(&RANGES[usual]);
    // It moves on by minutes, or the page would change at every look.
    let until = now.floor(MINUTE) + MINUTE;
    let spans = timeline::spans(changes, &subject.alarm, until - over, until);
    let at = |range: &str| {
        let address = address::alarm(&subject.key);
        let sign = if address.contains('?') { '&' } else { '?' };
        format!("{address}{sign}range={range}")
    };
    html! {
        section aria-labelledby="past" {
            h2 #past { "Its states"
                small.ways { @for (range, _) in RANGES {
                    a href=(at(range)) data-soft aria-current=[(range == word).then_some("true")] { "last " (range) }
                } }
            }
            (timeline::strip(&spans, until, over))
        }
    }
}

fn changes(changes: &[Transition], rule: Option<&Rule>) -> Markup {
    html! {
        section aria-labelledby="changes" {
            h2 #changes { "Changes" }
            @if changes.is_empty() {
                p.note { "It has not changed for as long as is remembered." }
            } @else {
                table.changes {
                    thead { tr {
                        th scope="col" { "When" }
                        th scope="col" { "To" }
                        th scope="col" { "From" }
                        th.n scope="col" { "Value" }
                        th scope="col" { "Why" }
                    } }
                    tbody { @for change in changes.iter().take(LISTED) { tr {
                        th scope="row" { (parts::clock(change.at)) }
                        td data-label="To" { (parts::state(change.to)) }
                        td data-label="From" { (parts::state(change.from)) }
                        td.n data-label="Value" {
                            @match change.value { Some(value) => (condition::value(value, rule)), None => (parts::unknown("none was judged")) }
                        }
                        td.why.wide data-label="Why" { span.reason title=(change.reason) { (change.reason) } }
                    } } }
                }
                @if changes.len() > LISTED { p.note { "The latest " (LISTED) " of " (changes.len()) "." } }
            }
        }
    }
}

fn told_of(past: &Past, rule: Option<&Rule>) -> Markup {
    let nobody = rule.is_some_and(|rule| rule.notify.is_empty());
    html! {
        section aria-labelledby="told" {
            h2 #told { "What was told" }
            @if past.owed.is_empty() && past.receipts.is_empty() {
                p.note {
                    @if nobody { "This rule tells nobody: " code { "notify" } " or " code { "routes" } " in the configuration say who is told." }
                    @else { "Nothing was told of it for as long as is remembered." }
                }
            } @else { (told::table(&past.owed, &past.receipts)) }
        }
    }
}
