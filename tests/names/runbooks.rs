//! docs/runbooks/: a page an alert and an alert a page, each with what people need at night, and every reason explained.

use std::collections::BTreeSet;

use sqswatch::aws::failure;
use sqswatch::board::Skip;
use sqswatch::config;
use sqswatch::domain::outbox;

use crate::{exported, grafana, named, read, rules};

/// The names of the pages.
fn pages() -> BTreeSet<String> {
    let folder = std::fs::read_dir(grafana::root().join("docs/runbooks")).unwrap();
    let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.map(|file| file.strip_suffix(".md").expect("a page").to_owned()).collect()
}

fn page(name: &str) -> String {
    read(&format!("docs/runbooks/{name}.md"))
}

#[test]
fn each_alert_has_a_page_and_each_page_an_alert() {
    let alerts = rules::alerts();
    for alert in &alerts {
        let url = alert["annotations"]["runbook_url"].as_str().unwrap_or_default();
        assert_eq!(url, format!("docs/runbooks/{}.md", rules::name(alert)));
    }
    let alerts: BTreeSet<String> = alerts.iter().map(|alert| rules::name(alert).to_owned()).collect();
    assert_eq!(pages(), alerts);
    let index = read("docs/operations.md");
    for name in &alerts {
        let row = format!("| [{name}](runbooks/{name}.md) |");
        assert!(index.contains(&row), "docs/operations.md does not list {name}");
    }
}

#[test]
fn each_page_says_what_it_means_where_to_look_and_what_to_do() {
    let exported = exported();
    for name in pages() {
        let text = page(&name);
        assert!(text.starts_with(&format!("# {name}\n\n")), "{name}: its title");
        let meaning = text.split("\n## ").next().unwrap_or_default();
        assert!(meaning.len() > name.len() + 60, "{name} does not say what it means");
        let headings: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect();
        let headings = headings.join(", ");
        for part in ["first look", "usual causes", "fix"] {
            assert!(headings.contains(part), "{name} has no part `{part}`: {headings}");
        }
        assert!(text.lines().count() < 60, "{name} is too long for the night");
        let unknown: Vec<_> = named(&text).difference(&exported).copied().collect();
        assert!(unknown.is_empty(), "{name} names what is not exported: {unknown:?}");
    }
}

#[test]
fn each_built_in_alarm_has_a_page() {
    let config = config::parse("{}", "none", &|_| None).unwrap();
    let index = read("docs/operations.md");
    assert_eq!(config.rules.len(), 5);
    for rule in config.rules.iter() {
        assert!(index.contains(&format!("\n| `{}` | [", rule.name)), "no page for `{}`", rule.name);
    }
}

#[test]
fn every_reason_is_explained() {
    let tables = [
        ("SqswatchQueuesSkipped", Skip::ALL.map(Skip::as_str).to_vec()),
        ("SqswatchAwsFailures", failure::Reason::ALL.map(failure::Reason::as_str).to_vec()),
        ("SqswatchNotificationFailures", outbox::Reason::ALL.map(outbox::Reason::as_str).to_vec()),
    ];
    for (name, reasons) in tables {
        let text = page(name);
        let rows = text.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, reasons.len(), "{name} has a row too many or too few");
        for reason in reasons {
            assert!(text.contains(&format!("\n| `{reason}` |")), "{name} does not explain `{reason}`");
        }
    }
}
