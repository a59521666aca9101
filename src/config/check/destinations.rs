//! `destinations` and `notify`: who can be told, how, and who is told when an alarm names nobody.

mod alertmanager;
mod chat;
pub(super) mod http;
mod pagerduty;
mod template;
mod tls;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::shape;
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{Destination, Sns, keys, suggest};

/// Reads `destinations`: the good ones, and the names of all, so that a faulty one is not unknown as well.
pub fn read(top: &Section<'_>) -> (BTreeMap<Arc<str>, Destination>, Vec<Arc<str>>) {
    let mut destinations = BTreeMap::new();
    let mut names = Vec::new();
    for (name, cursor) in top.get("destinations").map(|cursor| cursor.entries()).unwrap_or_default() {
        let name: Arc<str> = name.into();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            cursor.refuse("is no name for a destination: up to 64 letters, digits, `-`, `_` and `.`");
        }
        if let Some(destination) = destination(&cursor) {
            destinations.insert(name.clone(), destination);
        }
        names.push(name);
    }
    (destinations, names)
}

/// Reads a `notify` list; `None` when there is none.
pub fn notify(section: &Section<'_>, known: &[Arc<str>]) -> Option<Vec<Arc<str>>> {
    section.get("notify")?;
    Some(section.distinct("notify", |item| {
        let name = item.text()?;
        let found = known.iter().find(|known| &***known == name).cloned();
        if found.is_none() {
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            let hint = suggest::hint(name, &known).unwrap_or_else(|| "`destinations` has none".to_owned());
            item.refuse_with(format!("{} is no destination", quoted(name)), hint);
        }
        found
    }))
}

fn destination(cursor: &Cursor<'_>) -> Option<Destination> {
    let section = cursor.section(&keys::DESTINATION);
    let kind = match section.names().as_slice() {
        [kind] => *kind,
        _ if cursor.is_mapping() => {
            cursor.refuse_with("is not of exactly one kind", "write e.g. `sns: ...` or `slack: ...`");
            return None;
        }
        _ => return None,
    };
    let of = |known| section.required(kind).map(|cursor| cursor.section(known));
    match kind {
        "sns" => sns(&of(&keys::SNS)?).map(Destination::Sns),
        "webhook" => webhook::read(&of(&keys::WEBHOOK)?).map(Destination::Webhook),
        "pagerduty" => pagerduty::read(&of(&keys::PAGERDUTY)?).map(Destination::PagerDuty),
        "slack" => chat::slack(&of(&keys::SLACK)?).map(Destination::Slack),
        "alertmanager" => alertmanager::read(&of(&keys::ALERTMANAGER)?).map(Destination::Alertmanager),
        "teams" => chat::teams(&of(&keys::TEAMS)?).map(Destination::Teams),
        _ => None,
    }
}

/// The bound of one attempt.
fn timeout(section: &Section<'_>) -> Duration {
    section.duration("timeout", Duration::from_secs(15), &(Duration::from_secs(1)..=Duration::from_secs(120)))
}

fn sns(section: &Section<'_>) -> Option<Sns> {
    let topic_arn = section.required("topic_arn").and_then(|cursor| shape::topic_arn(&cursor));
    let role_arn = section.get("role_arn").and_then(|cursor| shape::role_arn(&cursor));
    Some(Sns { topic_arn: topic_arn?, role_arn })
}
