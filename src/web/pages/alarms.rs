//! GET /alarms: every alarm, what fires first; by rule on demand; and what is silenced.

mod asked;
mod list;
mod row;
mod rules;
mod silences;

use std::collections::HashMap;

use maud::{Markup, html};

pub use asked::Asked;
pub use list::List;
use row::Counts;
pub use row::Held;

use super::humane::{grouped, number};
use super::page::{Block, Page, Tab};
use super::parts;
use crate::board::Board;
use crate::clock;
use crate::domain::rule::Rule;
use crate::web::Web;

/// The page.
pub fn page(web: &Web, asked: &Asked) -> Page {
    let (board, now) = (&*web.board, clock::now());
    let rules = board.rules();
    let by_name: HashMap<&str, &Rule> = rules.iter().map(|rule| (&*rule.name, rule)).collect();
    let list = List::of(board, &by_name, asked, now);
    let counts = &list.counts;
    let table = match asked.by() {
        asked::By::Alarm => list.block(),
        asked::By::Rule => rules::block(board, &rules, asked),
    };
    let title = if counts.alarm == 0 { "Alarms".to_owned() } else { format!("({}) Alarms", counts.alarm) };
    let blocks = vec![
        Block::whole("trouble", parts::blind(&web.unready())),
        Block::whole("totals", html! { h1.unseen { "Alarms" } (totals(counts)) }),
        Block::whole("filters", html! { @if counts.all() > 0 { (asked.form(&list.severities)) } }),
        table,
        Block::whole("empty", html! { @if counts.all() == 0 { (nothing(board, &rules)) } }),
        silences::block(&board.silences(), now),
    ];
    Page::new(Tab::Alarms, title, blocks)
}

fn totals(counts: &Counts) -> Markup {
    let one = |state: &'static str, name: &'static str, count: usize, bad: bool| {
        html! {
            div {
                dt { (name) }
                dd .bad[bad] { a.plain href={ "/alarms?state=" (state) } data-soft title=(grouped(count as f64)) { (number(count as f64)) } }
            }
        }
    };
    html! {
        dl.totals {
            (one("ALARM", "In ALARM", counts.alarm, counts.alarm > 0))
            (one("INSUFFICIENT_DATA", "No data", counts.no_data, false))
            (one("OK", "OK", counts.ok, false))
            div {
                dt { "In ALARM, silenced" }
                dd { span title=(grouped(counts.silenced as f64)) { (number(counts.silenced as f64)) } }
            }
        }
    }
}

fn nothing(board: &Board, rules: &[Rule]) -> Markup {
    html! {
        p.nothing {
            @if rules.is_empty() {
                "No alarm is configured: " code { "alarms" } " in the configuration is an empty list. Leave the key out, and the built-in set applies."
            } @else if !board.is_listed() {
                "Nothing is judged yet: the queues are not listed."
            } @else {
                (number(rules.len() as f64)) " rules are configured and none of them selects a queue that is watched. Compare "
                code { "queues" } " of the alarms with the names, roles and tags of " a href="/" { "the queues" } "."
            }
        }
    }
}
