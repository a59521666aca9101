//! GET /queues/{name}: one queue. What it holds now and held before, what its alarms say, where its messages come from and go, and
//! what is unwise about its settings.

mod advice;
mod alarms;
mod facts;
mod lost;
mod now;
mod past;
mod plots;
mod settings;
mod span;
mod topology;
mod values;

use std::sync::Arc;

use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Block, Page, Tab};
use super::{address, blocking, failed, humane, parts};
use crate::board::Watched;
use crate::clock;
use crate::domain::queue::QueueKind;
use crate::domain::time::Timestamp;
use crate::web::Web;
use alarms::OwnAlarms;
use facts::Facts;
use lost::Found;
use past::Past;
use span::Span;

/// Which queue is asked for, and which time its plots show.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The queue's name, from the path.
    #[serde(skip)]
    pub name: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// How far the plots reach back, e.g. `3h`.
    pub range: String,
    /// The first instant of the plots instead, in Unix seconds.
    pub from: String,
    /// The last one.
    pub until: String,
}

/// The page; one that says so when there is no such queue, or several.
pub async fn page(web: &Web, asked: Asked) -> Page {
    let web = web.clone();
    let found = {
        let (web, asked) = (web.clone(), asked.clone());
        blocking(move || lost::find(&web, &asked)).await
    };
    let watched = match found {
        Some(Found::One(watched)) => watched,
        Some(Found::Another(page)) => return page,
        None => return failed(),
    };
    let now = clock::now();
    let since = watched.lock().history.since();
    let span = Span::of(&asked, since, now);
    let past = Past::read(&web, &watched, span.bounds(now)).await;
    blocking(move || render(&web, &watched, span, &past, now)).await.unwrap_or_else(failed)
}

fn render(web: &Web, watched: &Arc<Watched>, span: Span, past: &Past, now: Timestamp) -> Page {
    let facts = Facts::of(&web.board, watched, now);
    let alarms = OwnAlarms::of(web, &facts, now);
    let id = &facts.queue.id;
    let blocks = vec![
        Block::whole("head", head(&facts)),
        Block::whole("trouble", trouble(&facts)),
        Block::whole("now", now::figures(&facts)),
        alarms.block(),
        Block::whole("span", span.links(id, now)),
        plots::block(&facts, &alarms, past),
        Block::whole("topology", topology::section(&web.board, &facts)),
        Block::whole("advice", advice::section(&facts)),
        Block::whole("settings", settings::section(&facts)),
        Block::whole("values", values::section(past)),
    ];
    let firing = alarms.firing();
    let title = if firing == 0 { id.name.to_string() } else { format!("({firing}) {}", id.name) };
    Page::new(Tab::Queues, title, blocks)
}

fn head(facts: &Facts) -> Markup {
    let queue = &facts.queue;
    let kind = match queue.id.kind() {
        QueueKind::Fifo => "FIFO",
        QueueKind::Standard => "standard",
    };
    html! {
        p.trail { a href="/" { "Queues" } }
        h1 { bdi { (queue.id.name) } }
        p.about {
            (kind) @if queue.role.is_dead_letter() { " dead-letter queue" } @else { " queue" }
            " in " (queue.id.region) @if !queue.id.account.is_empty() { ", account " (queue.id.account) }
            @if let Some(at) = facts.read_at { span.read { "Read " (parts::ago(at)) } }
        }
        @if let Some(tags) = queue.tags.as_ref().filter(|tags| !tags.is_empty()) {
            ul.tags aria-label="Tags" { @for (key, value) in tags { li { bdi { (key) } "=" bdi { (value) } } } }
        }
    }
}

/// Why what is shown is not what is.
fn trouble(facts: &Facts) -> Markup {
    html! {
        @match facts.read_at {
            None => p.notice { "This queue was not read yet: nothing is known of it." },
            Some(at) if facts.stale => p.notice { "This queue was not read for " (parts::lasting(at)) ". What is shown is that old." },
            Some(_) => {}
        }
    }
}
