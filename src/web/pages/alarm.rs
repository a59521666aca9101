//! GET /alarms/{rule}: the alarms of one rule, or one of them with its past.

mod one;
mod timeline;
pub(super) mod told;

use std::collections::HashMap;

use axum::http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::alarms::{self, List};
use super::page::{Block, Page, Tab};
use super::{address, condition, parts};
use crate::clock;
use crate::domain::alarm::AlarmKey;
use crate::domain::rule::Rule;
use crate::web::Web;
use crate::web::api::alarms::find::{Found, Place, find};

/// Which alarm is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The rule's name, from the path.
    #[serde(skip)]
    pub rule: String,
    /// The queue's name.
    pub queue: String,
    /// The custom metric's name.
    pub metric: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// How far the timeline reaches back: `24h` or `7d`.
    pub range: String,
    /// Of the list of the rule's alarms: a part of the name.
    pub q: String,
    /// Of the list: the state.
    pub state: String,
    /// Of the list: from 1.
    pub page: String,
}

impl Asked {
    fn place(&self) -> Place {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Place {
            queue: some(&self.queue),
            metric: some(&self.metric),
            region: some(&self.region),
            account: some(&self.account),
        }
    }

    fn list(&self) -> alarms::Asked {
        let Self { rule, q, state, page, .. } = self.clone();
        alarms::Asked { rule, q, state, page, ..alarms::Asked::default() }
    }
}

/// The page.
pub fn page(web: &Web, asked: &Asked) -> Page {
    let rules = web.board.rules();
    let rule = rules.iter().find(|rule| *rule.name == *asked.rule);
    match find(&web.board, &asked.rule, &asked.place()) {
        Found::One(key, alarm) => one::page(web, &one::Subject { key, alarm: *alarm, rule }, asked),
        Found::Several(meant) if is_whole_rule(asked, &meant) => of_rule(web, asked, rule),
        Found::Several(meant) => several(asked, &meant),
        Found::NoSubject(_) if asked.place() == Place::default() => of_rule(web, asked, rule),
        Found::NoSubject(near) => no_subject(asked, &near),
        Found::NoRule(near) => no_rule(asked, &near),
    }
}

/// Whether nothing but the rule was asked for.
fn is_whole_rule(asked: &Asked, meant: &[(AlarmKey, crate::domain::alarm::Alarm)]) -> bool {
    asked.place() == Place::default() && !meant.is_empty()
}

/// All that one rule judges.
fn of_rule(web: &Web, asked: &Asked, rule: Option<&Rule>) -> Page {
    let list_asked = asked.list();
    let by_name: HashMap<&str, &Rule> = rule.iter().map(|rule| (&*rule.name, *rule)).collect();
    let list = List::of(&web.board, &by_name, &list_asked, clock::now());
    let count = list.counts.all();
    let blocks = vec![
        Block::whole("head", html! { (crumbs()) h1 { (asked.rule) } }),
        Block::whole("rule", html! { @if let Some(rule) = rule { (in_words(rule)) } }),
        Block::whole("filters", html! { @if count > 0 { (list_asked.form(&[].into())) } }),
        list.block(),
        Block::whole(
            "empty",
            html! { @if count == 0 {
                p.nothing { "This rule judges nothing at present: no queue that is watched fits it, or it was not judged yet." }
            } },
        ),
        Block::whole("terms", html! { @if let Some(rule) = rule { (terms(rule)) } }),
    ];
    Page::new(Tab::Alarms, &*asked.rule, blocks)
}

/// The way back.
fn crumbs() -> Markup {
    html! { p.crumbs { a href="/alarms" { "Alarms" } " /" } }
}

/// What the rule means and when it fires.
fn in_words(rule: &Rule) -> Markup {
    html! {
        @if !rule.description.is_empty() { p.lead { (rule.description) } }
        p.when { (condition::sentence(rule)) " " (parts::severity(rule.severity)) }
        @if let Some(which) = condition::which(rule) { p.note { "Judges " (which) "." } }
        (condition::looks_at(rule))
    }
}

/// The rule in CloudWatch's terms, folded.
fn terms(rule: &Rule) -> Markup {
    let labels: Vec<String> = rule.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    html! {
        details #terms {
            summary { "In CloudWatch's terms" }
            (condition::in_cloudwatch(rule))
            @if !labels.is_empty() { p.note { "Labels: " (labels.join(", ")) } }
        }
    }
}

fn several(asked: &Asked, meant: &[(AlarmKey, crate::domain::alarm::Alarm)]) -> Page {
    let words = html! {
        (crumbs()) h1 { (asked.rule) }
        p.note { "Several alarms are meant; which of them?" }
        ul.choices { @for (key, alarm) in meant {
            li { (parts::state(alarm.state)) " " a href=(address::alarm(key)) { (key.subject) } }
        } }
    };
    Page::new(Tab::Alarms, &*asked.rule, vec![Block::whole("head", words)])
}

fn no_subject(asked: &Asked, near: &[String]) -> Page {
    let wanted = if asked.queue.is_empty() { &asked.metric } else { &asked.queue };
    let parameter = if asked.metric.is_empty() { "queue" } else { "metric" };
    let links = near
        .iter()
        .map(|name| (name, address::with_query(&address::rule(&asked.rule), [(parameter, &**name)])));
    let words = html! {
        (crumbs()) h1 { (asked.rule) }
        p.nothing { "This alarm judges nothing named " b { (wanted) } " there. A queue that is gone has no alarm any more." }
        (did_you_mean(links))
        p.note { a href=(address::rule(&asked.rule)) { "All that it judges" } }
    };
    not_found(asked, words)
}

fn no_rule(asked: &Asked, near: &[String]) -> Page {
    let words = html! {
        (crumbs()) h1 { (asked.rule) }
        p.nothing { "There is no alarm of this name: it is not in the configuration, or not any more." }
        (did_you_mean(near.iter().map(|name| (name, address::rule(name)))))
        p.note { a href="/alarms?by=rule" { "All alarms of the configuration" } }
    };
    not_found(asked, words)
}

fn not_found(asked: &Asked, words: Markup) -> Page {
    let blocks = vec![Block::whole("head", words)];
    Page { status: StatusCode::NOT_FOUND, ..Page::new(Tab::Alarms, &*asked.rule, blocks) }
}

fn did_you_mean<'a>(links: impl ExactSizeIterator<Item = (&'a String, String)>) -> Markup {
    html! {
        @if links.len() > 0 {
            p { "Did you mean" }
            ul.choices { @for (name, link) in links { li { a href=(link) { (name) } } } }
        }
    }
}
