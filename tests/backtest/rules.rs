//! The rules that `sqswatch rules` writes, judged by Prometheus (`promtool test rules`) over the data of the backtests: an alert must fire
//! at exactly the minutes at which the backtest has the alarm in ALARM.
//!
//! What a backtest has of the minute 03:00 is scraped at its end, 03:01, which is also when the backtest judges it. Every series is
//! there twice, as two replicas would export it, and there must be one alert all the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sqswatch::backtest::{Collector, Data, Report, read};
use sqswatch::config::Config;
use sqswatch::domain::alarm::State;
use sqswatch::domain::metric::{CATALOGUE, Kind};
use sqswatch::domain::rule::{MetricRef, Statistic, Trigger};
use sqswatch::domain::time::{MINUTE, Timestamp};
use sqswatch::rules;

use crate::examples::{Example, examples, parsed, report, root, rows};

/// Minutes before the data in which queues and counters are there already.
const BEFORE: usize = 30;

/// Runs promtool in `folder`; its absence is a failure that says what to install.
fn promtool(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("promtool").args(arguments).current_dir(folder).output();
    let output = output.expect("promtool runs; `scripts/peers.sh install prometheus` installs it");
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
}

/// One series as promtool takes it: a word a minute.
fn series(name: &str, labels: &[(&str, &str)], words: &[String]) -> Vec<Value> {
    let replica = |instance: &str| {
        let labels = labels.iter().copied().chain([("instance", instance)]);
        let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value:?}")).collect();
        json!({ "series": format!("{name}{{{}}}", labels.join(",")), "values": words.join(" ") })
    };
    vec![replica("a"), replica("b")]
}

/// The minutes of some data.
struct Minutes {
    start: Timestamp,
    count: usize,
}

impl Minutes {
    fn of(data: &Data) -> Self {
        let (first, last) = data.span().unwrap();
        Self { start: first - MINUTE, count: (last.since(first).as_secs() / 60) as usize + 1 }
    }

    /// What is exported at the end of each minute: the last value of a gauge and nothing without one, the running sum of a counter.
    fn words(&self, rows: &[(Timestamp, f64)], kind: Kind) -> Vec<String> {
        let mut minutes: BTreeMap<usize, f64> = BTreeMap::new();
        for (at, value) in rows {
            let minute = minutes.entry((at.since(self.start).as_secs() / 60) as usize).or_default();
            *minute = if kind == Kind::Counter { *minute + value } else { *value };
        }
        let mut total = 0.0;
        let mut word = |minute| match (minutes.get(&minute), kind) {
            (value, Kind::Counter) => {
                total += value.copied().unwrap_or_default();
                total.to_string()
            }
            (Some(value), Kind::Gauge) => value.to_string(),
            (None, Kind::Gauge) => "stale".to_owned(),
        };
        let before = if kind == Kind::Counter { "0" } else { "_" };
        let mut words = vec![before.to_owned(); BEFORE + 1];
        words.extend((0..self.count).map(&mut word));
        words
    }

    /// The instants at which is judged, each with promtool's word for it.
    fn instants(&self) -> impl Iterator<Item = (Timestamp, String)> {
        (1..=self.count).map(|n| (self.start + MINUTE * n as u32, format!("{}m", BEFORE + n)))
    }
}

/// Everything that sqswatch would have exported.
fn exported(config: &Config, data: &Data) -> Vec<Value> {
    let minutes = Minutes::of(data);
    let always = vec!["1".to_owned(); BEFORE + minutes.count + 1];
    let mut all = Vec::new();
    for queue in data.queues.keys() {
        let labels = [("account", "1"), ("region", "r"), ("queue", queue)];
        let role = if queue.ends_with("-dlq") { "dead_letter" } else { "source" };
        let mut info: Vec<(&str, &str)> = [&labels[..], &[("role", role), ("kind", "standard")]].concat();
        // Names are all that is known of the queues of a backtest, so that every tag fits.
        let tags: BTreeMap<&String, &String> =
            config.rules.iter().flat_map(|rule| &rule.selector.tags).collect();
        let tags: Vec<(String, &String)> =
            tags.iter().map(|(name, value)| (format!("tag_{name}"), *value)).collect();
        info.extend(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        all.extend(series("sqs_queue_info", &info, &always));
        for row in CATALOGUE {
            let rows = data.rows(queue, row.metric);
            if !rows.is_empty() {
                let state = row.state.map(|state| ("state", state));
                let labels: Vec<(&str, &str)> = labels.into_iter().chain(state).collect();
                all.extend(series(row.family, &labels, &minutes.words(&rows, row.kind)));
            }
        }
    }
    for (name, rows) in &data.customs {
        let metric = config.custom_metrics.iter().find(|metric| metric.name == *name).unwrap();
        let (kind, ending) =
            if metric.statistic == Statistic::Sum { (Kind::Counter, "_total") } else { (Kind::Gauge, "") };
        let labels = [("account", "1"), ("region", "r")];
        all.extend(series(&format!("sqs_custom_{name}{ending}"), &labels, &minutes.words(rows, kind)));
        let read = "sqswatch_custom_metric_last_reading_timestamp_seconds";
        all.extend(series(read, &[&labels[..], &[("metric", name)]].concat(), &always));
    }
    all
}

/// The alarms that the backtest has in ALARM at `at`, by name and queue.
fn in_alarm(config: &Config, report: &Report, at: Timestamp) -> Vec<(String, String)> {
    let mut states: BTreeMap<(String, String), State> = BTreeMap::new();
    for change in report.transitions.iter().filter(|change| change.transition.at <= at) {
        let rule = config.rules.iter().find(|rule| rule.name == change.alarm).unwrap();
        let queue = change.queue.as_deref().filter(|_| rule.judges_queues()).unwrap_or_default();
        states.insert((change.alarm.to_string(), queue.to_owned()), change.transition.to);
    }
    states.into_iter().filter(|(_, state)| *state == State::Alarm).map(|(key, _)| key).collect()
}

/// What Prometheus must find: at each minute one alert for each alarm that the backtest has in ALARM then. `alarm` is the one that is
/// looked at; all are without it.
fn tests(config: &Config, data: &Data, alarm: Option<&str>) -> Value {
    let report = report(config, data);
    let matcher = alarm.map(|alarm| format!("alertname={alarm:?}, ")).unwrap_or_default();
    let expression = format!("count by (alertname, queue) (ALERTS{{{matcher}alertstate=\"firing\"}})");
    let minutes = Minutes::of(data);
    // A counter that was 0 before the data is more than a backtest knows: of the first minutes it is silent where a change is judged.
    let unknown = if looks_back(config) { 6 } else { 0 };
    let checks = minutes.instants().skip(unknown).map(|(at, time)| {
        let firing = in_alarm(config, &report, at);
        let firing = firing.iter().filter(|(name, _)| alarm.is_none_or(|alarm| alarm == name));
        let samples = firing.map(|(name, queue)| {
            let queue = if queue.is_empty() { String::new() } else { format!(", queue={queue:?}") };
            json!({ "labels": format!("{{alertname={name:?}{queue}}}"), "value": 1 })
        });
        json!({ "expr": expression, "eval_time": time, "exp_samples": samples.collect::<Vec<_>>() })
    });
    let checks: Vec<Value> = checks.collect();
    json!({ "interval": "1m", "input_series": exported(config, data), "promql_expr_test": checks })
}

fn looks_back(config: &Config) -> bool {
    let metrics = config.rules.iter().filter_map(|rule| rule.condition()).map(|condition| &condition.metric);
    metrics.into_iter().any(|metric| matches!(metric, MetricRef::Math(math) if math.looks_back()))
}

/// Lets Prometheus judge `tests` by the rules of `config`.
fn judge(config: &Config, tests: &[Value]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules::translate(config);
    assert_eq!(rules.refused, [], "all can be said");
    fs::write(folder.path().join("rules.yaml"), rules::file(&rules)).unwrap();
    // JSON is YAML too.
    let text = json!({ "rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests });
    fs::write(folder.path().join("test.yaml"), text.to_string()).unwrap();
    promtool(folder.path(), &["test", "rules", "test.yaml"])
}

/// In their data datapoints are missing, and CloudWatch looks for older ones up to `evaluation_range` periods back, two more than a rule
/// does (docs/rules.md): these alerts end two minutes earlier. Without that they agree as well.
const END_EARLIER: [&str; 1] = ["deploying"];

fn look_no_further_back(config: &mut Config, alarm: &str) {
    for rule in config.rules.iter_mut().filter(|rule| &*rule.name == alarm) {
        if let Trigger::Metric(condition) = &mut rule.trigger {
            condition.evaluation_range = condition.evaluation_periods;
        }
    }
}

#[test]
fn prometheus_judges_every_documented_alarm_as_its_backtest_does() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for mut example in examples() {
        for name in example.config.rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>() {
            if END_EARLIER.contains(&&*name) {
                look_no_further_back(&mut example.config, &name);
            }
            let data = rows(&example, &name);
            let tests = tests(&example.config, &data, Some(&name));
            if let Err(said) = judge(&example.config, &[tests]) {
                wrong.push(format!("`{name}` of {}:\n{said}", example.place));
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty() && seen > 15, "{seen} alarms; {}", wrong.join("\n"));
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Alarms of every shape on one queue's depth and sends.
fn shapes(gaps: bool) -> String {
    let mut alarms =
        "custom_metrics: [{ name: failed, namespace: Shop, metric: Failed, statistic: Sum }]\nalarms:\n"
            .to_owned();
    let modes: &[&str] = if gaps {
        &["breaching", "notBreaching"]
    } else {
        &["missing", "ignore", "breaching", "notBreaching"]
    };
    let mut number = 0;
    for period in [1, 2, 5] {
        for (n, m) in [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (6, 4)] {
            for mode in modes {
                number += 1;
                let (metric, statistic, threshold) = [
                    ("messages_visible", "Maximum", 14),
                    ("messages_visible", "Average", 10),
                    ("messages_visible", "Minimum", 5),
                    ("messages_visible", "Sum", 10 * period),
                    ("messages_visible", "p50", 10),
                    ("messages_sent", "Sum", 10 * period),
                ][number % if gaps { 5 } else { 6 }];
                let comparison = [">", ">=", "<", "<="][number % 4];
                // A period of several minutes and six datapoints is judged once a period.
                if period > 1 && n > 5 {
                    continue;
                }
                alarms.push_str(&format!(
                    "  - {{ name: a{number}, metric: {metric}, statistic: {statistic}, period: {period}m, evaluation_periods: {n}, \
                     datapoints_to_alarm: {m}, evaluation_range: {n}, comparison: '{comparison}', threshold: {threshold}, \
                     treat_missing_data: {mode} }}\n"
                ));
            }
        }
    }
    alarms
}

fn dice_rows(gaps: bool) -> String {
    let (mut dice, mut rows) = (Dice(7), String::new());
    let start: Timestamp = "2026-01-02T03:00:00Z".parse().unwrap();
    // Runs of a level with some noise, so that conditions of several datapoints hold now and then.
    let mut level = 10;
    for minute in 0..180 {
        if dice.below(5) == 0 {
            level = dice.below(20);
        }
        let edge = minute == 0 || minute == 179;
        let gap = gaps && !edge && dice.below(3) == 0;
        let (at, value) = (start + MINUTE * minute, level + dice.below(3));
        if !gap {
            rows.push_str(&format!("{at},q,messages_visible,{value}\n"));
        }
        rows.push_str(&format!("{at},q,messages_sent,{value}\n"));
        // Often 0, so that a division by it leaves gaps.
        let (flying, deleted, failed) =
            (dice.below(4) * dice.below(6), dice.below(3) * dice.below(9), dice.below(6));
        rows.push_str(&format!(
            "{at},q,messages_in_flight,{flying}\n{at},q,messages_deleted,{deleted}\n{at},,failed,{failed}\n"
        ));
    }
    rows
}

/// Without gaps in every mode; with gaps in the two that say what a missing datapoint is, looking no further back than N periods.
#[test]
fn prometheus_judges_every_shape_of_alarm_at_the_same_minutes() {
    for gaps in [false, true] {
        let config = parsed(&shapes(gaps), "shapes");
        let data = read(dice_rows(gaps).as_bytes(), "dice", Collector::new(&config.custom_metrics)).unwrap();
        let tests = tests(&config, &data, None);
        let firing = tests["promql_expr_test"].as_array().unwrap().iter();
        let minutes = firing.map(|test| test["exp_samples"].as_array().unwrap().len()).sum::<usize>();
        assert!(minutes > 500, "only {minutes} minutes of alarm");
        if let Err(said) = judge(&config, &[tests]) {
            panic!("gaps: {gaps}\n{said}");
        }
    }
}

/// Each with a threshold that it crosses now and then.
const EXPRESSIONS: [(&str, f64); 18] = [
    ("v / IF(d > 0, d)", 3.0),
    ("FILL(v / IF(d > 0, d), 0)", 3.0),
    ("FILL(v / w, REPEAT)", 3.0),
    ("v / w - d", 1.0),
    ("d - v / w", 1.0),
    ("v * (d / w)", 9.0),
    ("v / w + d / w", 3.0),
    ("100 * f / (f + d)", 49.0),
    ("(v - 10) ^ 3 + 0 * w", 5.0),
    ("IF(v > 10 AND w > 2, v, 0)", 12.0),
    ("IF(v > 10 OR w, d, -w)", 2.0),
    ("IF(w, v) + IF(d, 1, 5)", 12.0),
    ("DIFF(v) + w", 1.0),
    ("60 * RATE(d)", 1.0),
    ("MAX([v, d]) - MIN(METRICS())", 8.0),
    ("AVG([v, w, f]) + SUM([v / w, d])", 12.0),
    ("ABS(CEIL(v / 3) - FLOOR(d / 3)) * (v != d)", 2.0),
    ("(v >= 10) + (w == 0) + (d <= 3)", 1.0),
];

#[test]
fn prometheus_computes_every_expression_alike() {
    let mut alarms =
        "custom_metrics: [{ name: failed, namespace: Shop, metric: Failed, statistic: Sum }]\nalarms:\n"
            .to_owned();
    let inputs =
        [("v", "messages_visible"), ("w", "messages_in_flight"), ("d", "messages_deleted"), ("f", "failed")];
    for (number, (expression, threshold)) in EXPRESSIONS.into_iter().enumerate() {
        let words: Vec<&str> = expression.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let used = inputs.iter().filter(|(id, _)| words.contains(id) || expression.contains("METRICS"));
        let used: Vec<String> = used.map(|(id, metric)| format!("{id}: {metric}")).collect();
        for (period, n, m) in [(1, 1, 1), (1, 3, 2), (2, 2, 1)] {
            // Of older datapoints a rule looks further back for what repeats, docs/rules.md says.
            if expression.contains("REPEAT") && n == 3 {
                continue;
            }
            alarms.push_str(&format!(
                "  - {{ name: e{number}-{period}-{n}, expression: '{expression}', metrics: {{ {} }}, period: {period}m, evaluation_periods: {n}, \
                 datapoints_to_alarm: {m}, evaluation_range: {n}, comparison: '>', threshold: {threshold}, treat_missing_data: notBreaching }}\n",
                used.join(", ")
            ));
        }
    }
    let config = parsed(&alarms, "expressions");
    let data = read(dice_rows(false).as_bytes(), "dice", Collector::new(&config.custom_metrics)).unwrap();
    let tests = tests(&config, &data, None);
    for rule in &config.rules {
        let fires = |sample: &Value| sample["labels"].as_str().unwrap().contains(&format!("{:?}", rule.name));
        let checks = tests["promql_expr_test"].as_array().unwrap();
        let minutes =
            checks.iter().filter(|check| check["exp_samples"].as_array().unwrap().iter().any(fires));
        let minutes = minutes.count();
        assert!(minutes > 5 && minutes < 175, "{} is in ALARM for {minutes} minutes of 180", rule.name);
    }
    if let Err(said) = judge(&config, &[tests]) {
        panic!("{said}");
    }
}

/// What is in a configuration that Kubernetes holds.
fn mounted(path: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let documents: Vec<Value> =
        text.split("\n---\n").map(|part| serde_saphyr::from_str(part).unwrap()).collect();
    documents.iter().filter_map(|part| part["data"]["sqswatch.yaml"].as_str()).map(str::to_owned).collect()
}

/// Every configuration that comes with sqswatch, and one whose words are hostile.
fn configurations() -> Vec<Example> {
    let mut all = examples();
    let mut add = |place: &str, text: &str| {
        let (page, place) = (String::new(), place.to_owned());
        all.push(Example { config: parsed(text, &place), page, place });
    };
    for path in ["deploy/kubernetes/configmap.yaml", "deploy/kubernetes/sidecar.yaml"] {
        mounted(path).iter().for_each(|text| add(path, text));
    }
    let demo = include_str!("../../src/cli/demo.yaml").replace("{endpoint}", "http://127.0.0.1:1");
    let demo = demo.replace("{region}", "us-east-1").replace("{listen}", "127.0.0.1:0");
    add("demo", &demo.replace("{topic}", "arn:aws:sns:us-east-1:123456789012:pager"));
    add("hostile", include_str!("hostile.yaml"));
    all
}

#[test]
fn promtool_takes_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for example in configurations() {
        let rules = rules::translate(&example.config);
        let resource = rules::Resource { name: "r".to_owned(), namespace: None, labels: BTreeMap::new() };
        let object: Value = serde_saphyr::from_str(&rules::resource(&rules, &resource)).unwrap();
        for text in [rules::file(&rules), object["spec"].to_string()] {
            fs::write(folder.path().join("rules.yaml"), &text).unwrap();
            if let Err(said) = promtool(folder.path(), &["check", "rules", "rules.yaml"]) {
                panic!("{}: {said}\n{text}", example.place);
            }
        }
        assert_eq!(rules.alerts.len() + rules.refused.len(), example.config.rules.len(), "none is left out");
        seen += rules.alerts.len();
    }
    assert!(seen > 30, "only {seen} rules");
}
