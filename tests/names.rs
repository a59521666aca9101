//! Holds dashboards/ and alerts/ to the code: every metric they name exists, every metric that exists can be seen, every
//! expression parses, the rules do what alerts/sqswatch_test.yaml says, and every page names a section of the runbook.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sqswatch::aws::failure;
use sqswatch::board::Skip;
use sqswatch::domain::metric::CATALOGUE;
use sqswatch::domain::outbox;

/// What is exported beside the catalogue; tests/whole holds this list against a real exposition.
const OTHERS: &str = include_str!("exported.txt");

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn exported() -> BTreeSet<&'static str> {
    CATALOGUE.iter().map(|row| row.family).chain(OTHERS.lines()).collect()
}

/// The words of a text that look like metrics of ours.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("sqs_") || word.starts_with("sqswatch_"))
        .collect()
}

/// Every text under a key of this name, however deep.
fn collect<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if name == key => found.push(text),
                    _ => collect(inner, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, found)),
        _ => {}
    }
}

fn dashboard() -> Value {
    serde_json::from_str(&read("dashboards/sqswatch.json")).expect("the dashboard is JSON")
}

fn expressions(dashboard: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    collect(dashboard, "expr", &mut found);
    found
}

/// Grafana's variables as Grafana would fill them in.
fn filled(expression: &str) -> String {
    [
        ("$__rate_interval", "1m"),
        ("$__range", "3h"),
        ("$rate", "10m"),
        ("${tag}", "team"),
        ("$tag_value", ".*"),
    ]
    .into_iter()
    .fold(expression.to_owned(), |text, (variable, value)| text.replace(variable, value))
    .replace("$account", ".*")
    .replace("$region", ".*")
    .replace("$queue", ".*")
}

/// Runs promtool over files of ours; its absence is a failure that says what to install.
fn promtool(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("promtool").args(arguments).current_dir(root(".")).output();
    let output = output.expect("promtool runs; `scripts/peers.sh install prometheus` installs it");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn what_dashboards_and_alerts_name_exists() {
    let exported = exported();
    for file in ["dashboards/sqswatch.json", "alerts/sqswatch.yaml", "alerts/sqswatch_test.yaml"] {
        let text = read(file);
        let unknown: Vec<_> = named(&text).difference(&exported).copied().collect();
        assert!(unknown.is_empty(), "{file} names what is not exported: {unknown:?}");
    }
}

#[test]
fn what_exists_can_be_seen_on_the_dashboard() {
    let dashboard = dashboard();
    let shown = expressions(&dashboard).join("\n");
    let hidden: Vec<_> = exported().difference(&named(&shown)).copied().collect();
    assert!(hidden.is_empty(), "no panel shows {hidden:?}");
}

#[test]
fn every_expression_of_the_dashboard_parses() {
    let dashboard = dashboard();
    let expressions = expressions(&dashboard);
    assert!(expressions.len() > 50, "only {} expressions were found", expressions.len());
    let rules = expressions.iter().enumerate().map(|(number, expression)| {
        let expression = filled(expression);
        assert!(!expression.contains('$'), "a variable is unknown here: {expression}");
        serde_json::json!({ "record": format!("dashboard:{number}"), "expr": expression })
    });
    let group =
        serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules.collect::<Vec<_>>() }] });
    let folder = tempfile::tempdir().unwrap();
    // JSON is YAML too.
    let file = folder.path().join("dashboard.yaml");
    std::fs::write(&file, group.to_string()).unwrap();
    let (fine, said) = promtool(&["check", "rules", file.to_str().unwrap()]);
    assert!(fine, "{said}");
}

#[test]
fn panels_are_distinct_and_explained() {
    let dashboard = dashboard();
    let top = dashboard["panels"].as_array().unwrap();
    let inner = top.iter().filter_map(|panel| panel["panels"].as_array()).flatten();
    let mut ids = BTreeSet::new();
    for panel in top.iter().chain(inner) {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "`{title}` has the id of another panel");
        let explained =
            panel["type"] == "row" || panel["description"].as_str().is_some_and(|text| text.len() > 10);
        assert!(explained, "`{title}` has no description");
    }
}

#[test]
fn the_rules_are_valid_and_do_what_their_tests_say() {
    for arguments in
        [["check", "rules", "alerts/sqswatch.yaml"], ["test", "rules", "alerts/sqswatch_test.yaml"]]
    {
        let (fine, said) = promtool(&arguments);
        assert!(fine, "{said}");
    }
}

#[test]
fn every_rule_has_a_test_and_a_section_of_the_runbook() {
    let (rules, tests, runbook) =
        (read("alerts/sqswatch.yaml"), read("alerts/sqswatch_test.yaml"), read("docs/operations.md"));
    let sections: BTreeSet<String> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("##").map(|title| title.trim_start_matches('#').trim()))
        .map(|title| title.to_lowercase().replace(' ', "-"))
        .collect();
    let values = |key: &'static str| {
        rules.lines().filter_map(move |line| line.trim().trim_start_matches("- ").strip_prefix(key))
    };
    let mut count = 0;
    for alert in values("alert: ") {
        count += 1;
        assert!(tests.contains(alert), "no test raises {alert}");
    }
    let mut pages = 0;
    for link in values("runbook: ") {
        pages += 1;
        let section = link.strip_prefix("docs/operations.md#").expect("a section of docs/operations.md");
        assert!(sections.contains(section), "docs/operations.md has no section `{section}`");
    }
    assert!(count > 15 && pages == count, "{count} alerts, {pages} runbook sections");
}

#[test]
fn the_runbook_knows_every_reason() {
    let runbook = read("docs/operations.md");
    let section = |title: &str| {
        let (_, rest) = runbook.split_once(&format!("\n### {title}\n")).expect("a section of the runbook");
        rest.split("\n#").next().unwrap_or_default().to_owned()
    };
    let tables = [
        ("Skipped queues", Skip::ALL.map(Skip::as_str).to_vec()),
        ("Failure reasons", failure::Reason::ALL.map(failure::Reason::as_str).to_vec()),
        ("Pages do not arrive", outbox::Reason::ALL.map(outbox::Reason::as_str).to_vec()),
    ];
    for (title, reasons) in tables {
        let rows = section(title).lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, reasons.len(), "`{title}` has a row too many or too few");
        for reason in reasons {
            assert!(
                section(title).contains(&format!("\n| `{reason}` |")),
                "`{title}` does not explain `{reason}`"
            );
        }
    }
}
