//! Holds README and docs/ to the code: every configuration in them is valid, every command exists, every link leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use sqswatch::cli::Cli;
use sqswatch::config;

/// Commands of other programs that the pages may show.
const OTHERS: [&str; 16] = [
    "aws",
    "cargo",
    "cp",
    "curl",
    "docker",
    "git",
    "helm",
    "kill",
    "kubectl",
    "make",
    "openssl",
    "promtool",
    "python3",
    "sh",
    "systemctl",
    "apt-get",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let folders = ["docs", "docs/runbooks"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let docs = folders.into_iter().flatten().flatten().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> =
        docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.push(root().join("README.md"));
    pages
}

/// The fenced blocks of one language, with their page and first line.
fn blocks(language: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut open: Option<(String, String)> = None;
        for (number, line) in text.lines().enumerate() {
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(tag)) => {
                    open = Some((tag.to_owned(), format!("{}:{}", page.display(), number + 1)))
                }
                (Some((tag, place)), Some(_)) => {
                    if tag == language {
                        let start = place.rsplit(':').next().unwrap().parse::<usize>().unwrap();
                        let body =
                            text.lines().skip(start).take(number - start).collect::<Vec<_>>().join("\n");
                        found.push((place.clone(), body));
                    }
                    open = None;
                }
                _ => {}
            }
        }
    }
    found
}

/// Every secret the pages name is there.
fn environment(name: &str) -> Option<String> {
    let value = if name.ends_with("URL") {
        "https://example.com/hook"
    } else if name == "PAGERDUTY_KEY" {
        "0123456789abcdef0123456789abcdef"
    } else {
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    };
    Some(value.to_owned())
}

#[test]
fn every_configuration_is_valid() {
    let configurations: Vec<_> =
        blocks("yaml").into_iter().filter(|(_, text)| !text.contains("apiVersion:")).collect();
    assert!(configurations.len() >= 4, "only {} configurations found", configurations.len());
    for (place, mut text) in configurations {
        // A part of a file may name destinations that another part defines.
        if text.contains("notify: [") && !text.contains("destinations:") {
            text.push_str("\ndestinations: { oncall: { webhook: { url: \"https://example.com\" } } }\n");
        }
        if let Err(faults) = config::parse(&text, &place, &environment) {
            panic!("{faults}\n{text}");
        }
    }
}

#[test]
fn every_command_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let mut seen = 0;
    for (place, text) in blocks("sh") {
        let joined = text.replace("\\\n", " ");
        for line in joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let command = line.split(" #").next().unwrap_or(line);
            for part in command.split(" | ").flat_map(|part| part.split(" && ")) {
                let words: Vec<&str> =
                    part.split_whitespace().take_while(|word| !word.starts_with('>')).collect();
                let words: Vec<&str> = words.into_iter().skip_while(|word| word.contains('=')).collect();
                match words.as_slice() {
                    ["sqswatch", ..] => {
                        let parsed = Cli::try_parse_from(&words);
                        let shown = matches!(&parsed, Err(e) if e.exit_code() == 0);
                        assert!(parsed.is_ok() || shown, "{place}: {part}: {}", parsed.unwrap_err());
                    }
                    ["make", target, ..] => {
                        assert!(
                            makefile.contains(&format!("\n{target}:")),
                            "{place}: no make target `{target}`"
                        );
                    }
                    [program, ..] => {
                        let script = root().join(program).is_file();
                        assert!(
                            script || OTHERS.contains(program),
                            "{place}: `{program}` is not a known command"
                        );
                    }
                    [] => {}
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "only {seen} commands found");
}

#[test]
fn every_local_link_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(page.parent().unwrap().join(target).exists(), "{}: dead link `{link}`", page.display());
        }
    }
}

#[test]
fn every_command_has_a_help_text_that_says_what_it_does() {
    for command in Cli::command().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.len() > 20, "`{}` has no help text", command.get_name());
    }
}
