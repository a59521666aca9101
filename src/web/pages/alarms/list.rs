//! The list of alarms: filtered, worst first, in pages. All alarms are ranked, but only those of the page are looked at closely.

use std::collections::{BTreeSet, HashMap};

use maud::{Markup, html};

use super::asked::Asked;
use super::row::{Counts, Held, Rank, Row, rank};
use crate::board::Board;
use crate::domain::alarm::{AlarmKey, State};
use crate::domain::rule::{Rule, Severity};
use crate::domain::silence::InForce;
use crate::domain::time::Timestamp;
use crate::web::pages::address;
use crate::web::pages::humane::{grouped, number};
use crate::web::pages::page::Block;

/// How many rows a page has.
const ROWS: usize = 50;

/// What is shown of all alarms.
pub struct List<'a> {
    asked: &'a Asked,
    rows: Vec<Row<'a>>,
    matched: usize,
    /// Of all alarms (of the rule), whatever is asked for.
    pub counts: Counts,
    /// Those that alarms have.
    pub severities: BTreeSet<Severity>,
    /// Whether their place must be named to tell them apart.
    places: bool,
}

impl<'a> List<'a> {
    /// What `asked` asks for. A page after the last one is the last one.
    pub fn of(board: &Board, rules: &HashMap<&str, &'a Rule>, asked: &'a Asked, now: Timestamp) -> Self {
        let in_force = board.silences().at(now);
        let mut list = Self {
            asked,
            rows: Vec::new(),
            matched: 0,
            counts: Counts::default(),
            severities: BTreeSet::new(),
            places: false,
        };
        let mut ranked = list.ranked(board, rules, &in_force);
        list.matched = ranked.len();
        let from = list.page() * ROWS;
        // Only what comes before the end of the page has to be in order.
        let until = (from + ROWS).min(ranked.len());
        if until < ranked.len() {
            ranked.select_nth_unstable(until);
        }
        ranked[..until].sort_unstable();
        list.rows = board.with_alarms(|alarms| {
            let shown = ranked[from.min(until)..until].iter().filter_map(|(_, key)| {
                let (alarm, rule) = (alarms.get(key)?.clone(), rules.get(&*key.rule).copied());
                let holder = rule.and_then(|rule| in_force.holder(rule, &key.subject));
                Some(Row { key: key.clone(), held: Held::of(holder, &alarm), alarm, rule })
            });
            shown.collect()
        });
        list
    }

    fn ranked(
        &mut self,
        board: &Board,
        rules: &HashMap<&str, &Rule>,
        in_force: &InForce,
    ) -> Vec<(Rank, AlarmKey)> {
        let (asked, mut places) = (self.asked, BTreeSet::new());
        let mut ranked = Vec::new();
        board.with_alarms(|alarms| {
            for (key, alarm) in alarms {
                if !asked.rule.is_empty() && *asked.rule != *key.rule {
                    continue;
                }
                let rule = rules.get(&*key.rule);
                let severity = rule.map(|rule| rule.severity).unwrap_or_default();
                // Of what does not fire nobody is told anyway.
                let silenced = alarm.state == State::Alarm
                    && (alarm.held.is_some()
                        || rule.is_some_and(|rule| in_force.holder(rule, &key.subject).is_some()));
                self.counts.count(alarm.state, silenced);
                self.severities.insert(severity);
                if places.len() < 2 && !key.subject.region().is_empty() {
                    places.insert((key.subject.account().to_owned(), key.subject.region().to_owned()));
                }
                if asked.fits(key, alarm.state, severity) {
                    ranked.push((rank(alarm, severity, silenced), key.clone()));
                }
            }
        });
        self.places = places.len() > 1;
        ranked
    }

    fn page(&self) -> usize {
        self.asked.page().min(self.matched.saturating_sub(1) / ROWS)
    }

    /// The list, to be kept live row by row.
    pub fn block(&self) -> Block {
        let names_rule = self.asked.rule.is_empty();
        let row = |row: &Row<'_>| (address::alarm(&row.key), row.show(names_rule, self.places));
        let rows = self.rows.iter().map(row).collect();
        Block::list("alarms", rows, |rows| {
            html! {
                @if self.counts.all() > 0 {
                    section aria-labelledby="alarms" {
                        h2 #alarms { "Alarms " small { (self.count()) } }
                        @if self.matched == 0 {
                            p.nothing { "No alarm is like that. " a href=(self.asked.everything()) data-soft { "Show all" } }
                        } @else { (table(rows)) (self.pager()) }
                    }
                }
            }
        })
    }

    fn count(&self) -> String {
        let all = grouped(self.counts.all() as f64);
        if self.matched == self.counts.all() {
            all
        } else {
            format!("{} of {all}", grouped(self.matched as f64))
        }
    }

    fn pager(&self) -> Markup {
        let (page, last) = (self.page(), self.matched.saturating_sub(1) / ROWS);
        html! {
            @if last > 0 {
                nav.pager aria-label="Pages of alarms" {
                    @if page > 0 { a rel="prev" href=(self.asked.at_page(page - 1).address()) data-soft { "Before" } }
                    span { "Page " (page + 1) " of " (number(last as f64 + 1.0)) }
                    @if page < last { a rel="next" href=(self.asked.at_page(page + 1).address()) data-soft { "After" } }
                }
            }
        }
    }
}

fn table(rows: Markup) -> Markup {
    html! {
        table.alarms {
            thead { tr {
                th scope="col" { "Alarm" }
                th scope="col" { "State" }
                th scope="col" { "Severity" }
                th.n scope="col" { "Value" }
                th.n scope="col" { "For" }
                th scope="col" { "Why" }
            } }
            tbody data-items { (rows) }
        }
    }
}
