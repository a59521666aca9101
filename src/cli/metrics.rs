//! `sqswatch metrics`: the catalogue, as people or programs read it.

use clap::Args;
use serde::Serialize;

use crate::domain::metric::{CATALOGUE, Row};

/// Arguments of `metrics`.
#[derive(Debug, Args)]
pub struct MetricsArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// As the Markdown of docs/metrics.md
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// One row for programs: a public interface.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    cloudwatch: Option<&'static str>,
    prometheus: String,
    r#type: &'static str,
    unit: &'static str,
    source: &'static str,
    statistic: String,
    help: &'static str,
}

impl From<&'static Row> for Entry {
    fn from(row: &'static Row) -> Self {
        Self {
            name: row.name,
            cloudwatch: row.cloudwatch,
            prometheus: prometheus(row),
            r#type: row.kind.as_str(),
            unit: row.unit,
            source: row.source.as_str(),
            statistic: row.statistic.to_string(),
            help: row.help,
        }
    }
}

fn prometheus(row: &Row) -> String {
    match row.state {
        Some(state) => format!("{}{{state=\"{state}\"}}", row.family),
        None => row.family.to_owned(),
    }
}

/// Runs the command.
pub(super) fn run(args: &MetricsArgs) -> u8 {
    let text = if args.json {
        json()
    } else if args.markdown {
        markdown()
    } else {
        table()
    };
    print!("{text}");
    0
}

fn json() -> String {
    let entries: Vec<Entry> = CATALOGUE.iter().map(Entry::from).collect();
    // Plain structs of text always serialise.
    serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n"
}

fn table() -> String {
    let mut text = format!("{:<36} {:<9} {:<11} {}\n", "NAME", "UNIT", "SOURCE", "PROMETHEUS");
    for row in CATALOGUE {
        let line =
            format!("{:<36} {:<9} {:<11} {}\n", row.name, row.unit, row.source.as_str(), prometheus(row));
        text.push_str(&line);
        text.push_str(&format!("    {}\n", row.help));
        if let Some(name) = row.cloudwatch {
            text.push_str(&format!("    In CloudWatch: {name}\n"));
        }
    }
    text
}

/// The table of docs/metrics.md; a test holds the page to it.
pub fn markdown() -> String {
    let mut text = String::from(
        "| name in alarms | Prometheus | unit | source | CloudWatch | meaning |\n|---|---|---|---|---|---|\n",
    );
    for row in CATALOGUE {
        text.push_str(&format!(
            "| `{}` | `{}` | {} | {} | {} | {} |\n",
            row.name,
            prometheus(row),
            row.unit,
            row.source.as_str(),
            row.cloudwatch.map_or("-".to_owned(), |name| format!("`{name}`")),
            row.help,
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_show_the_catalogue_as_it_is() {
        let page = std::fs::read_to_string("docs/metrics.md").expect("docs/metrics.md");
        assert!(
            page.contains(&markdown()),
            "docs/metrics.md is out of date: replace its table with the output of `sqswatch metrics --markdown`"
        );
    }

    #[test]
    fn every_metric_is_in_every_form() {
        let parsed: Vec<serde_json::Value> = serde_json::from_str(&json()).unwrap();
        assert_eq!(parsed.len(), CATALOGUE.len());
        for row in CATALOGUE {
            assert!(table().contains(row.name) && markdown().contains(row.help));
        }
    }
}
