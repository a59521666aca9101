//! The table of queues, with what narrows and orders it. On a narrow screen each row becomes a card, and the cells say what they are.

use std::collections::BTreeSet;
use std::time::Duration;

use maud::{Markup, html};

use super::asked::{Asked, Sort};
use super::row::Row;
use super::spark::{self, Reach};
use crate::address;
use crate::board::Board;
use crate::domain::queue::{QueueId, QueueKind};
use crate::domain::time::Timestamp;
use crate::web::pages::humane::{grouped, length, number};
use crate::web::pages::page::Block;
use crate::web::pages::parts::{self, figure, unknown};

/// How many rows a page has.
pub const ROWS: usize = 50;
/// The share of the retention at which an age is worth a look, and at which messages are nearly lost.
const OLD: f64 = 0.5;
const NEARLY_LOST: f64 = 0.8;

/// The rows that are shown, and how many there would be.
pub struct Table<'a> {
    asked: &'a Asked,
    rows: Vec<&'a Row>,
    matched: usize,
    all: usize,
    /// Whether their place must be named to tell them apart.
    places: bool,
}

impl<'a> Table<'a> {
    /// What `asked` asks for of `rows`. A page after the last one is the last one.
    pub fn of(rows: &'a [Row], asked: &'a Asked) -> Self {
        let place = |row: &'a Row| (&row.queue.id.account, &row.queue.id.region);
        let places = rows.iter().map(place).collect::<BTreeSet<_>>().len() > 1;
        let mut asked_for: Vec<&Row> = rows.iter().filter(|row| asked.fits(row)).collect();
        asked_for.sort_by(|a, b| a.compare(b, asked.sort()));
        let matched = asked_for.len();
        let page = asked.page().min(matched.saturating_sub(1) / ROWS);
        let rows_shown = asked_for.into_iter().skip(page * ROWS).take(ROWS).collect();
        Self { asked, rows: rows_shown, matched, all: rows.len(), places }
    }

    /// The table, to be kept live row by row.
    pub fn block(&self, board: &Board, now: Timestamp) -> Block {
        let reach = Reach::of(board, self.rows.iter().map(|row| &row.queue.id), now);
        let line = |row: &Row| spark::line(board, &row.queue.id, reach, now);
        let rows = self.rows.iter().map(|row| (row.queue.id.to_string(), self.row(row, line(row)))).collect();
        Block::list("queues", rows, |rows| {
            html! {
                @if self.all > 0 {
                    section aria-labelledby="queues" {
                        h2 #queues { "Queues " small { (self.count()) } }
                        @if self.matched == 0 { (self.nothing()) } @else { (self.table(rows, reach)) (self.pager()) }
                    }
                }
            }
        })
    }

    fn count(&self) -> String {
        let all = grouped(self.all as f64);
        if self.matched == self.all { all } else { format!("{} of {all}", grouped(self.matched as f64)) }
    }

    fn nothing(&self) -> Markup {
        html! { p.nothing { "No queue is like that. " a href="/" data-soft { "Show all" } } }
    }

    fn table(&self, rows: Markup, reach: Reach) -> Markup {
        html! {
            table.queues {
                thead { tr {
                    (self.head(Sort::Name, "Queue", ""))
                    (self.head(Sort::Waiting, "Waiting", "n"))
                    th scope="col" { span title="visible messages" { (reach.words()) } }
                    (self.head(Sort::InFlight, "In flight", "n"))
                    (self.head(Sort::Oldest, "Oldest", "n"))
                    (self.head(Sort::In, "In/min", "n"))
                    (self.head(Sort::Out, "Out/min", "n"))
                    (self.head(Sort::Drain, "Empty in", "n"))
                    (self.head(Sort::DeadLetters, "Dead letters", "n"))
                    (self.head(Sort::Worst, "State", ""))
                } }
                tbody data-items { (rows) }
            }
        }
    }

    fn head(&self, sort: Sort, name: &str, class: &str) -> Markup {
        let (now, ascending) = self.asked.sort();
        let order = (now == sort).then_some(if ascending { "ascending" } else { "descending" });
        html! {
            th scope="col" class=(class) aria-sort=[order] {
                a href=(self.asked.sorted_by(sort).address()) data-soft { (name) }
            }
        }
    }

    fn row(&self, row: &Row, spark: Markup) -> Markup {
        html! {
            tr .quiet[row.stale_since.is_some()] data-key=(row.queue.id) {
                (self.name(row))
                td.n data-label="Waiting" { (figure(row.visible)) (delayed(row)) }
                td.spark { (spark) }
                td.n data-label="In flight" { (figure(row.in_flight)) }
                td.n data-label="Oldest" { (age(row)) }
                td.n data-label="In/min" { (figure(row.sent)) }
                td.n data-label="Out/min" { (figure(row.deleted)) }
                td.n data-label="Empty in" { (parts::drain(row.drain, row.visible)) }
                (dead_letters(row))
                (state(row))
            }
        }
    }

    fn name(&self, row: &Row) -> Markup {
        let id = &row.queue.id;
        html! {
            th scope="row" {
                a href=(address::queue(id)) title=(id) { (id.name) }
                @if id.kind() == QueueKind::Fifo && !id.name.ends_with(".fifo") { small { " FIFO" } }
                @if self.places { small.place { (id.region) " " (id.account) } }
                @if row.queue.role.is_dead_letter() { small.place { "dead letters" (from(&row.queue.sources)) } }
            }
        }
    }

    fn pager(&self) -> Markup {
        let last = self.matched.saturating_sub(1) / ROWS;
        let page = self.asked.page().min(last);
        html! {
            @if last > 0 {
                nav.pager aria-label="Pages of queues" {
                    @if page > 0 { a rel="prev" href=(self.asked.at_page(page - 1).address()) data-soft { "Before" } }
                    span { "Page " (page + 1) " of " (number(last as f64 + 1.0)) }
                    @if page < last { a rel="next" href=(self.asked.at_page(page + 1).address()) data-soft { "After" } }
                }
            }
        }
    }
}

fn from(sources: &[QueueId]) -> Markup {
    html! {
        @match sources {
            [] => {},
            [one] => { " from " (one.name) }
            [one, others @ ..] => { " from " (one.name) " and " (others.len()) " more" }
        }
    }
}

fn delayed(row: &Row) -> Markup {
    html! { @if row.delayed > Some(0.0) { small.place { "+ " (figure(row.delayed)) " delayed" } } }
}

fn age(row: &Row) -> Markup {
    let ratio = row.age_ratio.unwrap_or_default();
    let text = row.age.and_then(|age| Duration::try_from_secs_f64(age).ok());
    let of_retention = row.age_ratio.map(|ratio| format!(", {} % of its retention", number(ratio * 100.0)));
    html! {
        @match text {
            None => (unknown("not known")),
            Some(age) if age.is_zero() => (unknown("no message, or the newest word on it is older")),
            Some(age) => {
                span .late[ratio >= OLD] .bad[ratio >= NEARLY_LOST]
                    title=(format!("{} s{}", grouped(age.as_secs_f64()), of_retention.unwrap_or_default())) {
                    (length(age))
                }
                (used(ratio))
            }
        }
    }
}

/// How much of the retention the oldest message has used up, when that is worth a look.
fn used(ratio: f64) -> Markup {
    let width = format!("{:.1}", ratio.clamp(0.0, 1.0) * 100.0);
    html! {
        @if ratio >= OLD / 2.0 {
            svg.used .late[ratio >= OLD] .bad[ratio >= NEARLY_LOST]
                viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true" {
                rect width=(width) height="3" {}
            }
        }
    }
}

fn dead_letters(row: &Row) -> Markup {
    let bad = row.dead_letters > Some(0.0);
    html! {
        td.n data-label="Dead letters" {
            @match row.queue.dead_letter_queue() {
                Some(id) => a .plain .bad[bad] href=(address::queue(id)) title={ "in " (id.name) } { (figure(row.dead_letters)) },
                None if row.queue.role.is_dead_letter() => span .bad[bad] { (figure(row.dead_letters)) },
                None => span.unknown title="it has no dead-letter queue" { "none" },
            }
        }
    }
}

fn state(row: &Row) -> Markup {
    let says_more = !row.firing.is_empty() || row.stale_since.is_some();
    html! {
        td.state .wide[says_more] data-label="State" {
            @if let Some(since) = row.stale_since { span.late { "not read for " (lasting(since)) } " " }
            @if !row.known { span.late { "not read yet" } " " }
            @for (rule, severity) in &row.firing { span class={ "chip " (severity.as_str()) } { (rule) } " " }
            @if row.firing.is_empty() {
                @match row.judged {
                    Some(true) => span.fine { "OK" },
                    Some(false) => span.unknown title="too little data to judge" { "no data" },
                    None => span.unknown title="no alarm looks at it" { "no alarm" },
                }
            }
        }
    }
}

fn lasting(since: Timestamp) -> Markup {
    parts::lasting(since)
}
