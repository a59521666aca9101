//! The alarms by rule: one row for each rule of the configuration, those that fire first.

use std::cmp::Reverse;
use std::collections::HashMap;

use maud::{Markup, html};

use super::asked::Asked;
use super::row::Counts;
use crate::board::Board;
use crate::domain::rule::Rule;
use crate::web::pages::humane::grouped;
use crate::web::pages::page::Block;
use crate::web::pages::parts::figure;
use crate::web::pages::{address, condition, parts};

/// The rules that are asked for.
pub fn block(board: &Board, rules: &[Rule], asked: &Asked) -> Block {
    let counts = counts(board);
    let of = |rule: &Rule| counts.get(&*rule.name).copied().unwrap_or_default();
    let mut shown: Vec<&Rule> = rules.iter().filter(|rule| fits(rule, asked)).collect();
    shown.sort_by_key(|rule| {
        (Reverse((of(rule).alarm > 0, rule.severity, of(rule).alarm)), rule.name.clone())
    });
    let rows = shown.iter().map(|rule| (rule.name.to_string(), row(rule, of(rule)))).collect();
    let count = shown.len();
    Block::list("alarms", rows, |rows| {
        html! {
            section aria-labelledby="alarms" {
                h2 #alarms { "Rules " small { (grouped(count as f64)) } }
                @if count == 0 {
                    p.nothing { "No rule is like that. " a href="/alarms?by=rule" data-soft { "Show all" } }
                } @else { (table(rows)) }
            }
        }
    })
}

fn counts(board: &Board) -> HashMap<String, Counts> {
    let mut counts: HashMap<String, Counts> = HashMap::new();
    board.with_alarms(|alarms| {
        for (key, alarm) in alarms {
            if let Some(known) = counts.get_mut(&*key.rule) {
                known.count(alarm.state, false);
            } else {
                counts.entry(key.rule.to_string()).or_default().count(alarm.state, false);
            }
        }
    });
    counts
}

fn fits(rule: &Rule, asked: &Asked) -> bool {
    asked.fits_text(&rule.name) && (asked.severity.is_empty() || asked.severity == rule.severity.as_str())
}

fn table(rows: Markup) -> Markup {
    html! {
        table.alarms.rules {
            thead { tr {
                th scope="col" { "Rule" }
                th scope="col" { "Severity" }
                th.n scope="col" { "ALARM" }
                th.n scope="col" { "No data" }
                th.n scope="col" { "OK" }
                th scope="col" { "When" }
            } }
            tbody data-items { (rows) }
        }
    }
}

fn row(rule: &Rule, counts: Counts) -> Markup {
    let count = |count: usize| figure(Some(count as f64));
    html! {
        tr data-key=(rule.name) {
            th scope="row" { a href=(address::rule(&rule.name)) { (rule.name) } }
            td .calm[counts.alarm == 0] data-label="Severity" { (parts::severity(rule.severity)) }
            td.n data-label="ALARM" { span .bad[counts.alarm > 0] { (count(counts.alarm)) } }
            td.n data-label="No data" { (count(counts.no_data)) }
            td.n data-label="OK" { (count(counts.ok)) }
            td.why.wide data-label="When" {
                (condition::sentence(rule))
                @if counts.all() == 0 { " " span.late { "It judges nothing at present." } }
            }
        }
    }
}
