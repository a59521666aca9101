//! The rules as files: Prometheus's own, and the PrometheusRule of its operator. The same rules give the same bytes.
//!
//! Every text that somebody chose is in double quotes, with all escaped that YAML would not take or a reader would not see: YAML's
//! escapes (1.2, 5.7) are those of PromQL. An expression is a block, since it holds printable characters only.

use std::collections::BTreeMap;

use super::promql::{is_hidden, quoted, span};
use super::{Alert, Refused, Rules};

/// How wide a comment becomes.
const WIDTH: usize = 110;

/// The group that holds all rules: within one group Prometheus evaluates in order, which composite alarms need.
const GROUP: &str = "sqswatch-alarms";

/// What the operator's object is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`; without one it is chosen when the object is applied.
    pub namespace: Option<String>,
    /// `metadata.labels`, by which the operator may select.
    pub labels: BTreeMap<String, String>,
}

/// A file for Prometheus's `rule_files`.
pub fn file(rules: &Rules) -> String {
    heading(rules) + &groups(rules, 0)
}

/// A PrometheusRule.
pub fn resource(rules: &Rules, resource: &Resource) -> String {
    let mut text = heading(rules);
    text.push_str("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n");
    text.push_str(&format!("  name: {}\n", quoted(&resource.name)));
    if let Some(namespace) = &resource.namespace {
        text.push_str(&format!("  namespace: {}\n", quoted(namespace)));
    }
    if !resource.labels.is_empty() {
        text.push_str("  labels:\n");
    }
    for (name, value) in &resource.labels {
        text.push_str(&format!("    {}: {}\n", quoted(name), quoted(value)));
    }
    text + "spec:\n" + &groups(rules, 2)
}

fn heading(rules: &Rules) -> String {
    let mut text = String::new();
    comment(
        &mut text,
        0,
        "The configured alarms as Prometheus alerting rules, written by `sqswatch rules`. Do not edit: write it anew.",
    );
    comment(
        &mut text,
        0,
        "They say what CloudWatch would, as near as PromQL can. Where all of them differ (docs/rules.md has more):",
    );
    for note in &rules.notes {
        comment(&mut text, 0, &format!("- {note}"));
    }
    for Refused { alarm, why } in &rules.refused {
        let why = why.to_string();
        comment(
            &mut text,
            0,
            &format!(
                "CANNOT: the alarm {} is not in here: {}",
                quoted(alarm),
                why.replace("\n  hint:", ". Hint:")
            ),
        );
    }
    text
}

fn groups(rules: &Rules, indent: usize) -> String {
    let pad = " ".repeat(indent);
    if rules.alerts.is_empty() {
        return format!("{pad}groups: []\n");
    }
    let mut text = format!("{pad}groups:\n{pad}  - name: {GROUP}\n");
    if let Some(interval) = rules.interval {
        text.push_str(&format!("{pad}    interval: {}\n", span(interval)));
    }
    text.push_str(&format!("{pad}    rules:\n"));
    for alert in &rules.alerts {
        rule(&mut text, indent + 6, alert);
    }
    text
}

fn rule(text: &mut String, indent: usize, alert: &Alert) {
    let pad = " ".repeat(indent);
    for note in &alert.notes {
        comment(text, indent, note);
    }
    text.push_str(&format!("{pad}- alert: {}\n{pad}  expr: |-\n", quoted(&alert.alarm)));
    for line in alert.expr.lines() {
        text.push_str(&format!("{pad}    {line}\n"));
    }
    text.push_str(&format!("{pad}  labels:\n"));
    for (name, value) in &alert.labels {
        text.push_str(&format!("{pad}    {}: {}\n", quoted(name), quoted(value)));
    }
    text.push_str(&format!("{pad}  annotations:\n"));
    for (name, value) in &alert.annotations {
        text.push_str(&format!("{pad}    {name}: {}\n", quoted(value)));
    }
}

/// `# words`, in lines of at most [`WIDTH`] where words allow it.
fn comment(text: &mut String, indent: usize, words: &str) {
    let pad = " ".repeat(indent);
    let mut line = format!("{pad}#");
    let visible: String = words.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    for word in visible.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH {
            text.push_str(&line);
            line = format!("\n{pad}#  ");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
