//! The form that narrows the table of queues. Without a script it has a button; with one it acts as it is changed.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::asked::Asked;
use super::row::Row;
use crate::web::pages::page::Block;

/// How many tags are offered; any can be typed into the address.
const TAGS: usize = 200;

/// One choice: the parameter, its label, and its values with their words.
struct Choice<'a> {
    parameter: &'static str,
    label: &'static str,
    chosen: &'a str,
    values: Vec<(String, String)>,
}

/// The form, with what there is to choose from among `rows`.
pub fn block(rows: &[Row], asked: &Asked) -> Block {
    let distinct = |value: fn(&Row) -> &str| rows.iter().map(value).collect::<BTreeSet<_>>();
    let choices = [
        fixed(
            "role",
            "Role",
            &asked.role,
            &[
                ("source", "has dead-letter queue"),
                ("dead_letter", "dead-letter queue"),
                ("plain", "neither"),
            ],
        ),
        fixed("kind", "Kind", &asked.kind, &[("standard", "standard"), ("fifo", "FIFO")]),
        fixed(
            "state",
            "State",
            &asked.state,
            &[("firing", "firing"), ("ok", "OK"), ("no_data", "no data"), ("old", "old readings")],
        ),
        found("region", "Region", &asked.region, distinct(|row| &row.queue.id.region)),
        found("account", "Account", &asked.account, distinct(|row| &row.queue.id.account)),
        tags(rows, asked),
    ];
    Block::whole(
        "filters",
        html! {
            @if !rows.is_empty() {
                form.filters action="/" data-soft aria-label="Which queues" {
                    label { span.unseen { "Name" }
                        input type="search" name="q" value=(asked.q) placeholder="Name contains" autocomplete="off" spellcheck="false"; }
                    @for choice in &choices { @if choice.is_one() { (select(choice)) } }
                    input type="hidden" name="sort" value=(asked.sort);
                    input type="hidden" name="order" value=(asked.order);
                    noscript { button { "Show" } }
                    @if asked.is_narrow() { a href="/" data-soft { "Show all" } }
                }
            }
        },
    )
}

impl Choice<'_> {
    /// Whether there is anything to choose.
    fn is_one(&self) -> bool {
        self.values.len() > 1 || !self.chosen.is_empty()
    }
}

fn fixed<'a>(
    parameter: &'static str,
    label: &'static str,
    chosen: &'a str,
    values: &[(&str, &str)],
) -> Choice<'a> {
    let values = values.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
    Choice { parameter, label, chosen, values }
}

fn found<'a>(
    parameter: &'static str,
    label: &'static str,
    chosen: &'a str,
    values: BTreeSet<&str>,
) -> Choice<'a> {
    let values = values.into_iter().map(|value| (value.to_owned(), value.to_owned())).collect();
    Choice { parameter, label, chosen, values }
}

fn tags<'a>(rows: &[Row], asked: &'a Asked) -> Choice<'a> {
    let tags = rows.iter().filter_map(|row| row.queue.tags.as_ref()).flatten();
    let tags: BTreeSet<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
    let values = tags.into_iter().take(TAGS).map(|tag| (tag.clone(), tag)).collect();
    Choice { parameter: "tag", label: "Tag", chosen: &asked.tag, values }
}

fn select(choice: &Choice<'_>) -> Markup {
    let offered = choice.chosen.is_empty() || choice.values.iter().any(|(value, _)| value == choice.chosen);
    html! {
        label { span.unseen { (choice.label) }
            select name=(choice.parameter) {
                option value="" { (choice.label) ": any" }
                @for (value, words) in &choice.values {
                    option value=(value) selected[value == choice.chosen] { (words) }
                }
                @if !offered { option value=(choice.chosen) selected { (choice.chosen) } }
            }
        }
    }
}
