//! The configuration as its user meets it: bad files with their exact faults, and docs/configuration.md held against
//! the code.
//!
//! `tests/bad_config/NAME.yaml` must give exactly `NAME.expected`. After a change of wording, run with `BLESS=1` and read
//! the difference.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqswatch::config::{self, Config, Faults};

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "HOOK_URL" | "SLACK_URL" | "TEAMS_URL" | "DEAD_MANS_SWITCH_URL" => "https://example.com/hook",
        "HOOK_SECRET" | "HOOK_SECRET_OLD" => "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "HOOK_AUTHORIZATION" => "Bearer hunter2",
        "PAGERDUTY_KEY" => "0123456789abcdef0123456789abcdef",
        "EMPTY" => " ",
        _ => return None,
    };
    Some(value.to_owned())
}

fn parse(text: &str) -> Result<Config, Faults> {
    config::parse(text, "test.yaml", &environment)
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Binary files cannot be handed to `parse`, so all are loaded; those that ask for variables get none.
fn faults_of(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let faults = match std::fs::read_to_string(path) {
        Ok(text) => config::parse(&text, name, &environment),
        Err(_) => config::load(path),
    };
    let faults = faults.expect_err(name).to_string();
    faults.replace(path.to_str().unwrap(), name)
}

#[test]
fn every_bad_file_gives_exactly_its_faults() {
    let mut seen = 0;
    for entry in std::fs::read_dir(repository("tests/bad_config")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        seen += 1;
        let faults = faults_of(&path) + "\n";
        let expected = path.with_extension("expected");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, &faults).unwrap();
        }
        assert_eq!(faults, std::fs::read_to_string(&expected).unwrap_or_default(), "{}", path.display());
        assert!(!faults.contains("hunter2"), "{} tells a secret:\n{faults}", path.display());
    }
    assert!(seen > 20, "only {seen} bad files");
}

#[test]
fn ten_faults_are_told_as_ten() {
    let text = std::fs::read_to_string(repository("tests/bad_config/ten_faults.yaml")).unwrap();
    assert_eq!(parse(&text).unwrap_err().count(), 10);
}

#[test]
fn files_that_cannot_be_read_or_are_too_large_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.yaml");
    let large = directory.path().join("large.yaml");
    std::fs::write(&large, vec![b'#'; 10_000_001]).unwrap();
    for (path, message) in [
        (missing.as_path(), "cannot be read: No such file"),
        (directory.path(), "cannot be read: Is a directory"),
        (large.as_path(), "the file is larger than 10 MB"),
    ] {
        let faults = config::load(path).unwrap_err().to_string();
        let place = format!("{}: {message}", path.display());
        assert!(faults.starts_with(&place), "{faults}");
    }
}

#[test]
fn a_good_file_is_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sqswatch.yaml");
    std::fs::write(&path, "\u{feff}log: { format: text }\n").unwrap();
    assert_eq!(config::load(&path).unwrap(), parse("log: { format: text }").unwrap());
}

/// One row of a table of docs/configuration.md.
struct Row {
    path: String,
    default: String,
    range: String,
}

fn documented() -> (String, Vec<Row>) {
    let text = std::fs::read_to_string(repository("docs/configuration.md")).unwrap();
    let mut rows = Vec::new();
    let mut in_keys = false;
    for line in text.lines() {
        if !line.starts_with('|') {
            in_keys = false;
        } else if line.starts_with("| key |") {
            in_keys = true;
        } else if in_keys && !line.starts_with("|---") {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [key, _value, default, range, _when] = cells.as_slice() else {
                panic!("five cells wanted: {line}")
            };
            rows.push(Row {
                path: key.trim_matches('`').to_owned(),
                default: (*default).to_owned(),
                range: (*range).to_owned(),
            });
        }
    }
    (text, rows)
}

/// The text between backticks, when that is the whole cell.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`'))
}

/// A valid file in which the key of this path has this value, or is left out.
fn file_with(path: &str, value: Option<&str>) -> String {
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let entry = |key: &str, default: &str| match value {
        Some(value) if path.rsplit('.').next() == Some(key) => format!("{key}: {value}, "),
        _ if default.is_empty() => String::new(),
        _ => format!("{key}: {default}, "),
    };
    let own = |known: &[&str]| if known.contains(&key) { String::new() } else { entry(key, "") };
    match section {
        "" => value.map_or("{}".to_owned(), |value| format!("{key}: {value}")),
        "aws.targets[]" => {
            format!(
                "aws: {{ targets: [{{ {}{} }}] }}",
                if key == "external_id" { "role_arn: 'arn:aws:iam::123456789012:role/x', " } else { "" },
                own(&[])
            )
        }
        "alarms[]" if key == "alarm_rule" || key.starts_with("actions_suppressor") => {
            let base = entry("name", "a") + &entry("alarm_rule", "ALARM(b)");
            let suppressor = entry("actions_suppressor", if key.ends_with("_period") { "b" } else { "" });
            let known = ["alarm_rule", "actions_suppressor"];
            let other = "{ name: b, metric: messages_visible, comparison: '>', threshold: 1 }";
            format!("alarms: [{{ {base}{suppressor}{} }}, {other}]", own(&known))
        }
        "alarms[]" => {
            let known = ["name", "metric", "comparison", "threshold"];
            let base = entry("name", "a") + &entry("metric", "messages_visible");
            let base = base + &entry("comparison", "'>'") + &entry("threshold", "1");
            format!("alarms: [{{ {base}{} }}]", own(&known))
        }
        "alarms[].queues" => format!(
            "alarms: [{{ name: a, metric: messages_visible, comparison: '>', threshold: 1, queues: {{ {} }} }}]",
            own(&[])
        ),
        "alarms[].metrics.ID" => {
            let base = entry("metric", "messages_visible");
            let input = format!("{base}{}", own(&["metric"]));
            format!(
                "alarms: [{{ name: a, expression: ID + 1, metrics: {{ ID: {{ {input} }} }}, comparison: '>', threshold: 1 }}]"
            )
        }
        "maintenance[]" => {
            let times = if matches!(key, "from" | "until") {
                entry("from", "2026-05-01T20:00:00Z") + &entry("until", "2026-05-01T21:00:00Z")
            } else {
                entry("start", "'22:00'") + &entry("duration", "1h")
            };
            let base = entry("name", "a") + if key == "alarms" { "" } else { "alarms: '*', " } + &times;
            format!("maintenance: [{{ {base}{} }}]", own(&["name", "start", "duration", "from", "until"]))
        }
        "alarms[].repeat_on" => format!(
            "alarms: [{{ name: a, metric: messages_visible, comparison: '>', threshold: 1, repeat_on: {{ {} }} }}]",
            own(&[])
        ),
        "routes[]" => {
            format!("routes: [{{ {}{} }}]", entry("notify", "[]"), own(&["notify"]))
        }
        "custom_metrics[]" => {
            let base = entry("name", "a") + &entry("namespace", "N") + &entry("metric", "M");
            let base = base + &entry("statistic", "Sum");
            format!("custom_metrics: [{{ {base}{} }}]", own(&["name", "namespace", "metric", "statistic"]))
        }
        "destinations.NAME" => format!("destinations: {{ NAME: {{ {} }} }}", own(&[])),
        "destinations.NAME.sns" => {
            let base = entry("topic_arn", "'arn:aws:sns:us-east-1:123456789012:alerts'");
            format!("destinations: {{ NAME: {{ sns: {{ {base}{} }} }} }}", own(&["topic_arn"]))
        }
        "heartbeat" => format!("heartbeat: {{ {}{} }}", entry("url", "'https://example.com'"), own(&["url"])),
        "destinations.NAME.webhook" => {
            let base = entry("url", "'https://example.com'");
            format!("destinations: {{ NAME: {{ webhook: {{ {base}{} }} }} }}", own(&["url"]))
        }
        "destinations.NAME.alertmanager" => {
            let base = entry("urls", "['http://am:9093']");
            format!("destinations: {{ NAME: {{ alertmanager: {{ {base}{} }} }} }}", own(&["urls"]))
        }
        "destinations.NAME.alertmanager.basic_auth" => {
            let base = entry("username", "me") + &entry("password", "x");
            format!(
                "destinations: {{ NAME: {{ alertmanager: {{ urls: ['http://am:9093'], basic_auth: {{ {base} }} }} }} }}"
            )
        }
        "destinations.NAME.webhook.tls" => {
            let tls = own(&[]);
            format!(
                "destinations: {{ NAME: {{ webhook: {{ url: 'https://example.com', tls: {{ {tls} }} }} }} }}"
            )
        }
        "destinations.NAME.alertmanager.tls" => {
            let tls = own(&[]);
            format!(
                "destinations: {{ NAME: {{ alertmanager: {{ urls: ['http://am'], tls: {{ {tls} }} }} }} }}"
            )
        }
        "destinations.NAME.pagerduty" => {
            let base = entry("routing_key", "'0123456789abcdef0123456789abcdef'");
            format!("destinations: {{ NAME: {{ pagerduty: {{ {base}{} }} }} }}", own(&["routing_key"]))
        }
        "destinations.NAME.slack" | "destinations.NAME.teams" => {
            let (kind, base) = (&section[18..], entry("url", "'https://example.com'"));
            format!("destinations: {{ NAME: {{ {kind}: {{ {base}{} }} }} }}", own(&["url"]))
        }
        "web.prometheus" => {
            let base = entry("url", "'http://prometheus:9090'");
            format!("web: {{ prometheus: {{ {base}{} }} }}", own(&["url"]))
        }
        section if section.starts_with("destinations.NAME.") => {
            let (kind, part) = section[18..].split_once('.').unwrap();
            let inner = format!("url: 'https://example.com', {part}: {{ {} }}", own(&[]));
            format!("destinations: {{ NAME: {{ {kind}: {{ {inner} }} }} }}")
        }
        section => format!("{section}: {{ {} }}", own(&[])),
    }
}

#[test]
fn the_documentation_and_the_code_know_the_same_keys() {
    let (text, rows) = documented();
    let headings = text
        .lines()
        .filter(|line| line.starts_with("## "))
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let documented: BTreeSet<String> =
        rows.into_iter().map(|row| row.path).chain(headings.map(str::to_owned)).collect();
    let known: BTreeSet<String> = config::keys().collect();
    assert_eq!(documented, known);
}

#[test]
fn every_key_is_read_and_a_wrong_value_is_told_at_its_path() {
    for path in config::keys() {
        let at = path.replace("[]", "[0]");
        let faults = parse(&file_with(&path, Some("[[0]]"))).expect_err(&path);
        assert!(faults.iter().any(|fault| fault.path.starts_with(&at)), "{path}: {faults}");
    }
}

#[test]
fn the_documented_defaults_are_the_code_s() {
    let mut tried = 0;
    for row in documented().1 {
        let Some(default) = code(&row.default) else { continue };
        let written = parse(&file_with(&row.path, Some(&format!("'{default}'"))))
            .or_else(|_| parse(&file_with(&row.path, Some(default))));
        let left_out = parse(&file_with(&row.path, None));
        assert_eq!(written.expect(&row.path), left_out.expect(&row.path), "{}", row.path);
        tried += 1;
    }
    assert!(tried >= 15, "only {tried} defaults in backticks");
}

#[test]
fn required_is_written_where_the_code_requires() {
    for row in documented().1 {
        let without = parse(&file_with(&row.path, Some("null")));
        let key = row.path.rsplit('.').next().unwrap();
        let missing =
            without.is_err_and(|faults| faults.to_string().contains(&format!("`{key}` is missing")));
        // A destination without a kind has no path of its own: its kinds are told as missing, too.
        let kind = row.path.starts_with("destinations.NAME.") && row.path.matches('.').count() == 2;
        assert_eq!(missing, row.default == "required" || kind, "{}", row.path);
    }
}

#[test]
fn the_documented_ranges_end_where_the_code_s_do() {
    let mut tried = 0;
    for row in documented().1 {
        let Some((from, to)) = row.range.split_once(" to ") else { continue };
        let (Some(from), Some(to)) = (code(from), code(to)) else { continue };
        for bound in [from, to] {
            parse(&file_with(&row.path, Some(bound))).expect(&row.path);
        }
        for outside in outside(from, to) {
            let faults =
                parse(&file_with(&row.path, Some(&outside))).expect_err(&format!("{} {outside}", row.path));
            assert_eq!(faults.count(), 1, "{faults}");
        }
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} ranges in backticks");
}

/// A value just below and one just above.
fn outside(from: &str, to: &str) -> Vec<String> {
    if let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) {
        return vec![(from - 1).to_string(), (to + 1).to_string()];
    }
    let [from, to] = [from, to].map(|bound| humantime::parse_duration(bound).unwrap());
    let second = Duration::from_secs(1);
    let below = from.checked_sub(second).filter(|below| *below < from);
    let both = [below, Some(to + second)].into_iter().flatten();
    both.map(|duration| humantime::format_duration(duration).to_string()).collect()
}

#[test]
fn every_example_of_the_documentation_is_valid() {
    let (text, _) = documented();
    let examples: Vec<&str> =
        text.split("```yaml\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 4);
    for example in examples {
        parse(example).unwrap_or_else(|faults| panic!("{faults}\n{example}"));
    }
}

#[test]
fn the_documented_built_in_alarms_are_the_code_s() {
    let (text, _) = documented();
    for rule in parse("{}").unwrap().rules {
        let condition = rule.condition().unwrap();
        let sqswatch::domain::rule::MetricRef::Queue(metric) = &condition.metric else { panic!() };
        let times = match condition.evaluation_periods {
            1 => String::new(),
            n => format!(", {n} times"),
        };
        let row = format!(
            "`{}` {} over {} {} {}{times} | {} |",
            metric.name(),
            condition.statistic,
            humantime::format_duration(condition.period),
            condition.comparison.as_symbol(),
            condition.threshold,
            rule.severity.as_str(),
        );
        assert!(
            text.lines()
                .any(|line| line.starts_with(&format!("| `{}` |", rule.name)) && line.ends_with(&row)),
            "{}: {row}",
            rule.name
        );
        let growth = format!("`{}` has `repeat_on: increase`", rule.name);
        assert_eq!(rule.repeat_on.is_some(), text.contains(&growth), "{growth}");
    }
}
