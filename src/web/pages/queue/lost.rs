//! Which queue is meant by an address, and the pages for none and for several.

use std::sync::Arc;

use axum::http::StatusCode;
use maud::html;

use super::{Asked, address};
use crate::board::{Board, Skip, Watched};
use crate::domain::queue::QueueId;
use crate::web::Web;
use crate::web::near::near;
use crate::web::pages::page::{Block, Page, Tab};

/// How many places of one name are listed.
const LISTED: usize = 100;

/// What an address leads to.
pub enum Found {
    /// A watched queue.
    One(Arc<Watched>),
    /// A page that says why not.
    Another(Page),
}

/// Looks for the queue that is asked for; a region or account that is not said may be any.
pub fn find(web: &Web, asked: &Asked) -> Found {
    let queues = web.board.queues();
    let fits = |said: &str, real: &str| said.is_empty() || said == real;
    let fitting = queues.values().filter(|watched| {
        *watched.id.name == *asked.name
            && fits(&asked.region, &watched.id.region)
            && fits(&asked.account, &watched.id.account)
    });
    let found: Vec<&Arc<Watched>> = fitting.collect();
    match found[..] {
        [one] => Found::One(one.clone()),
        [] => Found::Another(none(&web.board, asked)),
        _ => Found::Another(several(asked, found.iter().map(|watched| &watched.id))),
    }
}

/// Why a queue is not watched, as far as a listing tells.
pub fn skipped(board: &Board, region: &str, name: &str) -> Option<Skip> {
    let targets = board.targets();
    let here = targets.iter().filter(|(target, _)| region.is_empty() || *target.region == *region);
    here.filter_map(|(_, health)| health.skipped.get(name).copied()).next()
}

fn none(board: &Board, asked: &Asked) -> Page {
    let queues = board.queues();
    // A queue of that name elsewhere is nearer than any other name.
    let elsewhere: Vec<&QueueId> = queues.keys().filter(|id| *id.name == *asked.name).take(LISTED).collect();
    let similar = near(&asked.name, queues.keys().map(|id| &*id.name).filter(|name| *name != asked.name));
    let similar: Vec<&QueueId> =
        similar.into_iter().filter_map(|name| queues.keys().find(|id| *id.name == *name)).collect();
    let place = [("in ", &asked.region), ("of account ", &asked.account)];
    let content = html! {
        p.trail { a href="/" { "Queues" } }
        h1 { bdi { (asked.name) } }
        section.lost {
            @match skipped(board, &asked.region, &asked.name) {
                Some(skip) => { p { strong { "This queue exists and is not watched: " (why(skip)) "." } } }
                None => {
                    p { strong {
                        "No watched queue has this name"
                        @for (word, said) in place { @if !said.is_empty() { " " (word) (said) } }
                        "."
                    } }
                    @if !board.is_listed() { p { "Not every region was listed yet, so it may still appear." } }
                }
            }
            @if !elsewhere.is_empty() { h2 { "Elsewhere" } (links(&elsewhere)) }
            @if !similar.is_empty() { h2 { "Similar names" } (links(&similar)) }
            p.note { a href=(address::with_query("/", [("q", &*asked.name)])) { "Search all queues" } }
        }
    };
    Page {
        status: StatusCode::NOT_FOUND,
        ..Page::new(Tab::Queues, &*asked.name, vec![Block::whole("lost", content)])
    }
}

fn several<'a>(asked: &Asked, ids: impl Iterator<Item = &'a QueueId>) -> Page {
    let ids: Vec<&QueueId> = ids.collect();
    let (count, shown) = (ids.len(), &ids[..ids.len().min(LISTED)]);
    let content = html! {
        p.trail { a href="/" { "Queues" } }
        h1 { bdi { (asked.name) } }
        section.lost {
            p { strong { (count) " watched queues have this name. Which one?" } }
            (links(shown))
            @if count > shown.len() { p.note { "The first " (shown.len()) " of them." } }
        }
    };
    Page::new(Tab::Queues, &*asked.name, vec![Block::whole("several", content)])
}

fn links(ids: &[&QueueId]) -> maud::Markup {
    html! {
        ul.places { @for id in ids { li {
            a href=(address::queue(id)) { bdi { (id.name) } } " " span.rule { (id.region) " " (id.account) }
        } } }
    }
}

/// Why a queue is not watched, in words.
pub fn why(skip: Skip) -> &'static str {
    match skip {
        Skip::Excluded => "the configuration leaves it out by name (discovery.include, discovery.exclude)",
        Skip::Tags => "the configuration leaves it out by its tags (discovery.tags)",
        Skip::Denied => {
            "sqswatch may not read it (sqs:GetQueueAttributes, or sqs:ListQueueTags where tags decide)"
        }
        Skip::Gone => "it vanished while it was read",
        Skip::Unreadable => "it could not be read; it is tried again at each discovery",
    }
}
