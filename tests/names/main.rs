//! Holds dashboards/, alerts/ and docs/runbooks/ to the code and to each other: every metric they name exists, every metric that
//! exists can be seen, every expression parses, every link leads somewhere, and the rules do what their tests say.
//!
//! `dashboards.rs`, `rules.rs` and `runbooks.rs` hold one folder each; `grafana.rs` reads a dashboard, for tests/whole as well,
//! where a real Prometheus answers the queries.

mod dashboards;
mod grafana;
mod rules;
mod runbooks;

use std::collections::BTreeSet;
use std::process::Command;

use sqswatch::domain::metric::CATALOGUE;

/// What is exported beside the catalogue; tests/whole holds this list against a real exposition.
const OTHERS: &str = include_str!("../exported.txt");

fn read(path: &str) -> String {
    std::fs::read_to_string(grafana::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn exported() -> BTreeSet<&'static str> {
    CATALOGUE.iter().map(|row| row.family).chain(OTHERS.lines()).collect()
}

/// The words of a text that look like metrics of ours.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("sqs_") || word.starts_with("sqswatch_"))
        .filter(|word| *word != "sqswatch_test" && *word != "sqswatch_url") // a file, and a variable
        .collect()
}

/// Runs promtool over files of ours; its absence is a failure that says what to install.
fn promtool(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("promtool").args(arguments).current_dir(grafana::root()).output();
    let output = output.expect("promtool runs; `scripts/peers.sh install prometheus` installs it");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
