//! Every built-in alarm and every alarm of README and docs/ has a backtest: `tests/backtests/NAME.csv` is the data, beginning with
//! what happens in it, and `NAME.json` the transitions it must lead to. `PAGE.NAME.csv` is for the alarm of that name on that page alone.
//! `BLESS=1` writes the transitions anew, to be read before they are committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sqswatch::backtest::{self, Collector, Data, Expected, Material, Range, Report, Roster, Run};
use sqswatch::config::{self, Config};
use sqswatch::domain::alarm::State;

/// A configuration, and where it stands.
pub struct Example {
    pub page: String,
    pub place: String,
    pub config: Config,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn parsed(text: &str, place: &str) -> Config {
    let secret = |_: &str| Some("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned());
    let mut text = text.to_owned();
    if text.contains("notify: [") && !text.contains("destinations:") {
        text.push_str("\ndestinations: { oncall: { webhook: { url: \"https://example.com\" } } }\n");
    }
    config::parse(&text, place, &secret).unwrap_or_else(|faults| panic!("{place}: {faults}\n{text}"))
}

/// The configurations with alarms in them of README and docs/, and the built-in one.
pub fn examples() -> Vec<Example> {
    let builtin =
        Example { page: "builtin".to_owned(), place: "built-in".to_owned(), config: parsed("poll: {}", "") };
    let mut found = vec![builtin];
    let docs = fs::read_dir(root().join("docs")).unwrap().flatten().map(|entry| entry.path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut pages: Vec<PathBuf> = pages.chain([root().join("README.md")]).collect();
    pages.sort();
    for path in pages {
        let text = fs::read_to_string(&path).unwrap();
        let page = path.file_stem().unwrap().to_string_lossy().into_owned();
        for (number, block) in text.split("```yaml\n").skip(1).enumerate() {
            let block = block.split("```").next().unwrap();
            if block.lines().any(|line| line == "alarms:") {
                let place = format!("{page}, configuration {}", number + 1);
                found.push(Example { config: parsed(block, &place), page: page.clone(), place });
            }
        }
    }
    found
}

/// The data for an alarm of a page.
pub fn data_of(page: &str, alarm: &str) -> PathBuf {
    let folder = root().join("tests/backtests");
    let own = folder.join(format!("{page}.{alarm}.csv"));
    if own.exists() { own } else { folder.join(format!("{alarm}.csv")) }
}

/// The rows for an alarm of `example`.
pub fn rows(example: &Example, alarm: &str) -> Data {
    let config = &example.config;
    let path = data_of(&example.page, alarm);
    let rows = fs::File::open(&path).unwrap_or_else(|error| {
        panic!("`{alarm}` of {} has no backtest: {}: {error}", example.place, path.display())
    });
    let collector = Collector::new(&config.custom_metrics);
    let data = backtest::read(std::io::BufReader::new(rows), &path.display().to_string(), collector);
    data.unwrap_or_else(|faults| panic!("{faults}"))
}

/// What all alarms make of data.
pub fn report(config: &Config, data: &Data) -> Report {
    let roster = Roster::assumed(data, &[]);
    let (from, to) = data.span().unwrap();
    let material = Material { data, roster: &roster, customs: &config.custom_metrics };
    let run = Run { range: Range { from, to }, initial: State::InsufficientData };
    backtest::run(&config.rules, material, &run)
}

/// What one alarm makes of its data; the other alarms are there for a composite one.
fn judged(example: &Example, alarm: &str) -> Report {
    let mut report = report(&example.config, &rows(example, alarm));
    report.transitions.retain(|change| &*change.alarm == alarm);
    report.states.retain(|end| &*end.alarm == alarm);
    report
}

#[test]
fn every_alarm_fires_when_it_should_and_is_silent_when_it_should_be() {
    let (mut used, mut wrong) = (BTreeSet::new(), Vec::new());
    let examples = examples();
    assert!(examples.len() >= 6, "only {} configurations found", examples.len());
    for example in &examples {
        for rule in &example.config.rules {
            let data = data_of(&example.page, &rule.name);
            let report = judged(example, &rule.name);
            let fired = report.transitions.iter().any(|change| change.transition.to == State::Alarm);
            let ended = report.transitions.iter().any(|change| change.transition.from == State::Alarm);
            assert!(
                fired && ended,
                "the data of `{}` must make it fire and end: {}",
                rule.name,
                report.table()
            );
            let expected = data.with_extension("json");
            if std::env::var_os("BLESS").is_some() {
                fs::write(&expected, report.json() + "\n").unwrap();
            }
            let text = fs::read_to_string(&expected).unwrap();
            let differences = Expected::read(&text).unwrap().differences(&report);
            if !differences.is_empty() {
                wrong.push(format!("`{}` of {}:\n{}", rule.name, example.place, differences.join("\n")));
            }
            used.extend([data, expected]);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let files = fs::read_dir(root().join("tests/backtests")).unwrap().flatten().map(|entry| entry.path());
    let unused: Vec<PathBuf> = files.filter(|path| !used.contains(path)).collect();
    assert!(unused.is_empty(), "no alarm has these backtests: {unused:?}");
}

/// The built-in set is written out for those who tune it.
#[test]
fn the_built_in_set_of_the_documentation_is_what_is_built_in() {
    let examples = examples();
    let (builtin, others) = examples.split_first().unwrap();
    let names =
        |example: &Example| example.config.rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>();
    let shown = others.iter().find(|example| example.page == "alarms" && names(example) == names(builtin));
    let shown = shown.expect("docs/alarms.md shows the built-in set");
    for (shown, builtin) in shown.config.rules.iter().zip(&builtin.config.rules) {
        assert_eq!(
            (&shown.trigger, &shown.selector, shown.severity),
            (&builtin.trigger, &builtin.selector, builtin.severity),
            "{}",
            shown.name
        );
    }
}
