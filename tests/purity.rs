//! Holds the direction of the house: `src/domain/` is pure, workers do not import each other, only one file reads the clock.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(under: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())).flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(under);
    let mut found = Vec::new();
    if root.is_dir() {
        walk(&root, &mut found);
    }
    let file = root.with_extension("rs");
    if file.is_file() {
        found.push((file.clone(), fs::read_to_string(file).unwrap()));
    }
    assert!(!found.is_empty(), "nothing under {under}: has it moved?");
    found
}

/// Lines of code (not comments) that contain one of `banned`.
fn offences(under: &str, banned: &[&str]) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in sources(under) {
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            if banned.iter().any(|word| line.contains(word)) {
                offences.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    offences
}

#[test]
fn the_domain_is_pure() {
    let banned = [
        "tokio",
        "aws_sdk",
        "aws_smithy",
        "aws_config",
        "crate::aws",
        "crate::watch",
        "crate::judge",
        "crate::notify",
        "crate::web",
        "crate::telemetry",
        "serde",
        "std::fs",
        "std::net",
        "std::env",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "println!",
        "tracing",
        "crate::clock",
        "crate::board",
        "crate::config",
        "crate::store",
    ];
    let offences = offences("src/domain", &banned);
    assert!(offences.is_empty(), "src/domain must stay pure:\n{}", offences.join("\n"));
}

#[test]
fn data_flows_one_way() {
    let rules: [(&str, &[&str]); 9] = [
        (
            "src/board",
            &[
                "crate::watch",
                "crate::judge",
                "crate::notify",
                "crate::web",
                "crate::aws",
                "crate::app",
                "crate::store",
            ],
        ),
        (
            "src/store",
            &[
                "crate::watch",
                "crate::judge",
                "crate::notify",
                "crate::web",
                "crate::aws",
                "crate::app",
                "crate::board",
            ],
        ),
        (
            "src/config",
            &[
                "crate::watch",
                "crate::judge",
                "crate::notify",
                "crate::web",
                "crate::aws",
                "crate::app",
                "crate::board",
            ],
        ),
        (
            "src/backtest",
            &["crate::watch", "crate::judge", "crate::notify", "crate::web", "crate::app", "crate::store"],
        ),
        (
            "src/rules",
            &[
                "crate::watch",
                "crate::judge",
                "crate::notify",
                "crate::aws",
                "crate::app",
                "crate::store",
                "crate::board",
            ],
        ),
        ("src/watch", &["crate::judge", "crate::notify", "crate::web", "crate::app"]),
        ("src/judge", &["crate::watch", "crate::notify", "crate::web", "crate::app", "crate::aws"]),
        ("src/notify", &["crate::watch", "crate::judge", "crate::web", "crate::app"]),
        ("src/web", &["crate::watch", "crate::judge", "crate::notify", "crate::app", "crate::aws"]),
    ];
    let mut offences: Vec<String> = rules.iter().flat_map(|(room, banned)| offences(room, banned)).collect();
    // A room's tests may borrow another's fixtures.
    offences.retain(|line| !line.contains("/tests.rs:") && !line.contains("/tests/"));
    assert!(offences.is_empty(), "imports against the flow:\n{}", offences.join("\n"));
}

#[test]
fn only_the_clock_reads_the_clock() {
    let mut offences = offences("src", &["SystemTime::now", "jiff::Timestamp::now", "Utc::now"]);
    offences.retain(|line| !line.contains("src/clock.rs") && !line.contains("src/simulator"));
    assert!(offences.is_empty(), "use crate::clock::now():\n{}", offences.join("\n"));
}
