//! The Adaptive Card (1.2) that Teams shows, within the 28 KB that it takes.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::notification::{Event, Notification};
use crate::domain::rule::Severity;
use crate::notify::post::fit;
use crate::notify::text::{self, Group, cut};

/// The most that is taken of a message, in bytes: 28 KB, read as the smaller of its two meanings.
pub const BYTES: usize = 28_000;

/// The request's body for a group of one event, which is not empty.
pub fn message(group: &[Arc<Notification>]) -> String {
    let Some(group) = Group::of(group) else { return "{}".to_owned() };
    fit(BYTES, |bound| {
        let headline = cut(&group.headline(), bound);
        let (more, actions) = match group.only() {
            Some(one) => alone(one, bound),
            None => (together(&group, bound), Vec::new()),
        };
        let body: Vec<Value> = std::iter::once(banner(&headline, &group)).chain(more).collect();
        let card = json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.2",
            "fallbackText": headline,
            "msteams": { "width": "Full" },
            "body": body,
            "actions": actions,
        });
        json!({
            "type": "message",
            "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "content": card }],
        })
    })
}

/// The headline on the colour of the worst severity.
fn banner(headline: &str, group: &Group<'_>) -> Value {
    let headline = json!({
        "type": "TextBlock", "text": escaped(headline), "weight": "Bolder", "size": "Medium", "wrap": true,
    });
    json!({
        "type": "Container", "style": style(group.event(), group.severity()), "bleed": true, "items": [headline],
    })
}

fn alone(one: &Notification, bound: usize) -> (Vec<Value>, Vec<Value>) {
    let paragraphs = [&one.description, &one.reason].into_iter().filter(|paragraph| !paragraph.is_empty());
    let mut body: Vec<Value> = paragraphs.map(|text| paragraph(text, bound)).collect();
    let facts = text::facts(one).into_iter().take(10);
    body.push(fact_set(facts.map(|(name, value)| fact(name, &value, bound)).collect()));
    let open =
        |url| json!({ "type": "Action.OpenUrl", "title": "Open the queue in the SQS console", "url": url });
    (body, text::console(one).map(open).into_iter().collect())
}

fn together(group: &Group<'_>, bound: usize) -> Vec<Value> {
    let worst = group.worst[0];
    let description = Some(&worst.description).filter(|text| group.one_rule && !text.is_empty());
    let mut body: Vec<Value> = description.map(|text| paragraph(text, bound)).into_iter().collect();
    body.push(fact_set(group.lines().map(|(name, value)| fact(&name, &value, bound)).collect()));
    body.extend(group.rest().map(|rest| paragraph(&rest, bound)));
    body.push(paragraph(&format!("Severity {}, at {}", worst.severity.as_str(), worst.at), bound));
    body
}

fn paragraph(text: &str, bound: usize) -> Value {
    json!({ "type": "TextBlock", "text": escaped(&cut(text, bound)), "wrap": true })
}

fn fact_set(facts: Vec<Value>) -> Value {
    json!({ "type": "FactSet", "facts": facts })
}

fn fact(name: &str, value: &str, bound: usize) -> Value {
    json!({ "title": escaped(&cut(name, bound)), "value": escaped(&cut(value, bound)) })
}

/// The colour of a container.
fn style(event: Event, severity: Severity) -> &'static str {
    match (event, severity) {
        (Event::Resolved | Event::Closed, _) => "good",
        (Event::Test, _) => "accent",
        (_, Severity::Critical | Severity::Error) => "attention",
        (_, Severity::Warning) => "warning",
        (_, Severity::Info) => "accent",
    }
}

/// `text` with the characters escaped that Teams takes for Markdown; control characters but the line feed are dropped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c == '\n' || !c.is_control()) {
        if matches!(c, '\\' | '*' | '_' | '[' | ']' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
