//! `sqswatch rules`: the alarms of a configuration as Prometheus alerting rules.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::rules::{self, Resource, Rules};

use super::{ConfigArgs, FAILED, USAGE};

/// Kubernetes' bound for the name of an object (RFC 1123 subdomain).
const LONGEST_NAME: usize = 253;
/// Kubernetes' bound for a namespace, a label's value, and a label's name without its prefix.
const LONGEST_LABEL: usize = 63;

/// Arguments of `rules`.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Prometheus)]
    format: Format,
    /// The PrometheusRule's name [default: sqswatch-alarms]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// The PrometheusRule's namespace
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    namespace: Option<String>,
    /// A label of the PrometheusRule, by which the operator may select it, e.g. `release=prometheus`; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Write this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A file for `rule_files`
    Prometheus,
    /// A PrometheusRule for the Prometheus operator
    PrometheusRule,
}

/// Runs the command: 2 for faults of the configuration or the command line, 1 when the file cannot be written.
pub(super) fn run(args: &RulesArgs) -> u8 {
    let named = args.name.is_some() || args.namespace.is_some() || !args.label.is_empty();
    if args.format == Format::Prometheus && named {
        eprintln!(
            "error: --name, --namespace and --label are a PrometheusRule's\n  hint: add `--format prometheus-rule`"
        );
        return USAGE;
    }
    let config = match args.config.load() {
        Ok(config) => config,
        Err(code) => return code,
    };
    let rules = rules::translate(&config);
    for refused in &rules.refused {
        eprintln!("warning: the alarm `{}` is left out: {}", refused.alarm.escape_debug(), refused.why);
    }
    match write(args, &text(args, &rules)) {
        Ok(()) => 0,
        Err(error) => {
            let place = args.output.as_deref().unwrap_or(Path::new("standard output"));
            eprintln!("error: {}: cannot be written: {error}", place.display());
            FAILED
        }
    }
}

fn text(args: &RulesArgs, rules: &Rules) -> String {
    match args.format {
        Format::Prometheus => rules::file(rules),
        Format::PrometheusRule => {
            let name = args.name.clone().unwrap_or_else(|| "sqswatch-alarms".to_owned());
            let labels = args.label.iter().cloned().collect();
            rules::resource(rules, &Resource { name, namespace: args.namespace.clone(), labels })
        }
    }
}

fn write(args: &RulesArgs, text: &str) -> io::Result<()> {
    match &args.output {
        Some(path) => std::fs::write(path, text),
        None => io::stdout().lock().write_all(text.as_bytes()),
    }
}

fn name(text: &str) -> Result<String, String> {
    let fits = |part: &str| is_label(part, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if text.len() <= LONGEST_NAME && text.split('.').all(fits) {
        Ok(text.to_owned())
    } else {
        Err("lower-case letters, digits, `-` and `.`, as Kubernetes names objects".to_owned())
    }
}

fn namespace(text: &str) -> Result<String, String> {
    if text.contains('.') || text.len() > LONGEST_LABEL {
        return Err("lower-case letters, digits and `-`, up to 63".to_owned());
    }
    name(text)
}

/// `prefix/name=value`; Kubernetes lets a value be empty.
fn label(text: &str) -> Result<(String, String), String> {
    let fits = |part: &str| {
        part.len() <= LONGEST_LABEL
            && is_label(part, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let well_formed = text.split_once('=').filter(|(label, value)| {
        let (prefix, short) =
            label.split_once('/').map_or((None, *label), |(prefix, short)| (Some(prefix), short));
        prefix.is_none_or(|prefix| name(prefix).is_ok()) && fits(short) && (value.is_empty() || fits(value))
    });
    let (label, value) = well_formed.ok_or("write `NAME=VALUE`, as Kubernetes labels objects")?;
    Ok((label.to_owned(), value.to_owned()))
}

fn is_label(text: &str, fits: impl Fn(char) -> bool) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(text.chars().next()) && edge(text.chars().last()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_kubernetes_takes() {
        for fine in ["sqswatch-alarms", "a.b-1.c"] {
            assert!(name(fine).is_ok(), "{fine}");
        }
        for wrong in ["", "A", "-a", "a-", "a..b", "a b", "a\n", &"a".repeat(254)] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
        assert!(namespace("monitoring").is_ok() && namespace("a.b").is_err());
        for fine in ["release=prometheus", "app.kubernetes.io/name=sqswatch", "a=", "A_b=C.d"] {
            assert!(label(fine).is_ok(), "{fine}");
        }
        for wrong in ["release", "=x", "a b=c", "a=b c", "/a=b", "x/y/z=a", "a=\"", "a={{"] {
            assert!(label(wrong).is_err(), "{wrong}");
        }
    }
}
