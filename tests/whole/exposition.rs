//! Reading an exposition as a scraper would, and letting promtool judge it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

/// One scrape.
pub struct Exposition(pub String);

impl Exposition {
    /// The value of the one series of `name` that has these labels (and perhaps more); an error when there is none.
    ///
    /// # Panics
    /// When several fit: the test must say which it means.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64, String> {
        let found: Vec<(BTreeMap<String, String>, f64)> = self.series(name, labels).collect();
        assert!(found.len() < 2, "several series of {name} fit {labels:?}: {found:?}");
        found.first().map(|(_, value)| *value).ok_or_else(|| format!("no {name} with {labels:?}"))
    }

    /// All series of `name` with these labels.
    pub fn series<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = (BTreeMap<String, String>, f64)> + 'a {
        self.0.lines().filter(|line| !line.starts_with('#')).filter_map(sample).filter_map(
            move |(known, has, value)| {
                let fits = labels.iter().all(|(key, value)| has.get(*key).is_some_and(|had| had == value));
                (known == name && fits).then_some((has, value))
            },
        )
    }

    /// An error unless the series has this value.
    pub fn expect(&self, name: &str, labels: &[(&str, &str)], expected: f64) -> Result<(), String> {
        let value = self.value(name, labels)?;
        if (value - expected).abs() < 1e-9 {
            Ok(())
        } else {
            Err(format!("{name} {labels:?} is {value}, not {expected}"))
        }
    }

    /// The names of all families that have a `# TYPE`.
    pub fn families(&self) -> BTreeSet<&str> {
        self.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
    }

    /// What `promtool check metrics` has to say; nothing, if all is well.
    pub fn lint(&self) -> String {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool runs; `scripts/peers.sh install prometheus` installs it");
        promtool.stdin.take().expect("piped").write_all(self.0.as_bytes()).expect("promtool reads it");
        let output = promtool.wait_with_output().expect("promtool ends");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success() || !said.is_empty(), "promtool failed without a word");
        said
    }
}

/// Name, labels and value of one line.
fn sample(line: &str) -> Option<(&str, BTreeMap<String, String>, f64)> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, rest)) = head.split_once('{') else { return Some((head, BTreeMap::new(), value)) };
    Some((name, labels(rest.strip_suffix('}')?), value))
}

/// `a="x",b="y"` with the three escapes of the format.
fn labels(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut characters = after.char_indices();
        let mut end = after.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped)) => value.push(escaped),
                    None => {}
                },
                other => value.push(other),
            }
        }
        labels.insert(key.trim_start_matches(',').to_owned(), value);
        rest = &after[end..];
    }
    labels
}

#[test]
fn a_hostile_label_is_read_back() {
    let line = r#"m{a="x\"y,b=\"z\\n\n",c="} 1"} 2.5"#;
    let exposition = Exposition(format!("# TYPE m gauge\n{line}\nm 3\nother{{a=\"1\"}} 4"));
    let (labels, value) = exposition.series("m", &[("c", "} 1")]).next().unwrap();
    assert_eq!((labels["a"].as_str(), value), ("x\"y,b=\"z\\n\n", 2.5));
    assert!(exposition.expect("other", &[], 4.0).is_ok());
    assert!(exposition.expect("other", &[], 5.0).is_err() && exposition.value("none", &[]).is_err());
}
