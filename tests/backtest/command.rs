//! The real program: what it prints where, and with which code it ends.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const CONFIG: &str = r#"
alarms:
  - { name: deep, queues: { role: source, tags: { team: payments } }, metric: messages_visible, period: 1m, comparison: ">", threshold: 10 }
  - { name: dead, queues: { role: dead_letter }, metric: ApproximateNumberOfMessagesVisible, comparison: ">=", threshold: 1 }
  - { name: slow, metric: latency, comparison: ">", threshold: 2.5 }
custom_metrics:
  - { name: latency, namespace: Shop, metric: Latency, statistic: Maximum }
"#;

const ROWS: &str = "time,queue,metric,value
2026-01-02T03:00:00Z,orders,messages_visible,5
2026-01-02T03:01:00Z,orders,messages_visible,50
2026-01-02T03:01:30Z,orders-dlq,messages_visible,0
2026-01-02T03:02:10Z,orders-dlq,messages_visible,1
2026-01-02T03:00:00Z,,latency,3
";

/// A folder with a configuration and data.
struct Desk(TempDir);

/// How the command ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

impl Desk {
    fn new(config: &str, rows: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("sqswatch.yaml", config);
        desk.write("data", rows);
        desk
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sqswatch"));
        command.env_remove("SQSWATCH_CONFIG").current_dir(self.0.path());
        command.args(["backtest", "--config", "sqswatch.yaml"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

#[test]
fn transitions_and_states_come_out_as_json_and_what_was_assumed_apart_from_it() {
    let ran = Desk::new(CONFIG, ROWS).run(&["--data", "data", "--json"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let reason =
        |text: &str| format!("Threshold Crossed: 1 out of the last 1 datapoints {text} transition).");
    let below = "(minimum 1 datapoint for ALARM -> OK";
    let above = "(minimum 1 datapoint for OK -> ALARM";
    assert_eq!(
        ran.json(),
        json!({
            "transitions": [
                {"alarm": "deep", "queue": "orders", "at": "2026-01-02T03:01:00Z", "from": "INSUFFICIENT_DATA", "to": "OK",
                 "reason": reason(&format!("[5.0 (02/01/26 03:00:00)] was not greater than the threshold (10.0) {below}"))},
                {"alarm": "slow", "queue": "latency", "at": "2026-01-02T03:01:00Z", "from": "INSUFFICIENT_DATA", "to": "ALARM",
                 "reason": reason(&format!("[3.0 (02/01/26 03:00:00)] was greater than the threshold (2.5) {above}"))},
                {"alarm": "dead", "queue": "orders-dlq", "at": "2026-01-02T03:02:00Z", "from": "INSUFFICIENT_DATA", "to": "OK",
                 "reason": reason(&format!("[0.0 (02/01/26 03:01:00)] was not greater than or equal to the threshold (1.0) {below}"))},
                {"alarm": "deep", "queue": "orders", "at": "2026-01-02T03:02:00Z", "from": "OK", "to": "ALARM",
                 "reason": reason(&format!("[50.0 (02/01/26 03:01:00)] was greater than the threshold (10.0) {above}"))},
                {"alarm": "dead", "queue": "orders-dlq", "at": "2026-01-02T03:03:00Z", "from": "OK", "to": "ALARM",
                 "reason": reason(&format!("[1.0 (02/01/26 03:02:00)] was greater than or equal to the threshold (1.0) {above}"))},
            ],
            "states": [
                {"alarm": "dead", "queue": "orders-dlq", "state": "ALARM"},
                {"alarm": "deep", "queue": "orders", "state": "ALARM"},
                {"alarm": "slow", "queue": "latency", "state": "ALARM"},
            ],
        })
    );
    assert!(ran.err.contains("orders-dlq") && ran.err.contains("tags"), "{}", ran.err);
}

#[test]
fn one_instant_is_judged_once_and_data_may_come_by_standard_input() {
    let desk = Desk::new(CONFIG, "");
    let at = "2026-01-02T03:02:00Z";
    let ran = desk.run(&["--data", "-", "--json", "--from", at, "--to", at, "--initial-state", "OK"], ROWS);
    let json = ran.json();
    let found = json["transitions"].as_array().unwrap();
    let found: Vec<_> =
        found.iter().map(|change| (&change["alarm"], &change["at"], &change["from"])).collect();
    assert_eq!(
        found,
        [(&json!("deep"), &json!(at), &json!("OK")), (&json!("slow"), &json!(at), &json!("OK"))]
    );

    let answer = r#"{"MetricDataResults": [{"Id": "m1", "Label": "orders", "StatusCode": "Complete",
        "Timestamps": ["2026-01-02T04:01:00+01:00"], "Values": [50.0]}], "Messages": []}"#;
    let ran = desk.run(&["--data", "-", "--json", "--metric", "messages_visible"], answer);
    assert_eq!(
        ran.json()["states"][0],
        json!({"alarm": "deep", "queue": "orders", "state": "ALARM"}),
        "{}",
        ran.err
    );
}

#[test]
fn people_get_a_table() {
    let ran = Desk::new(CONFIG, ROWS).run(&["--data", "data"], "");
    let first = ran.out.lines().next().unwrap();
    assert!(first.starts_with("TIME") && first.ends_with("REASON"), "{}", ran.out);
    assert!(
        ran.out.ends_with("5 transitions; 3 alarms, at the end: 3 ALARM, 0 INSUFFICIENT_DATA, 0 OK\n"),
        "{}",
        ran.out
    );
}

#[test]
fn what_is_expected_and_does_not_come_is_told_with_code_1() {
    let desk = Desk::new(CONFIG, ROWS);
    let found = desk.run(&["--data", "data", "--json"], "").out;
    desk.write("same.json", &found);
    assert_eq!(desk.run(&["--data", "data", "--expect", "same.json"], "").code, 0);
    desk.write("other.json", &found.replacen("03:02:00Z", "03:04:00Z", 1));
    let ran = desk.run(&["--data", "data", "--expect", "other.json"], "");
    assert_eq!(ran.code, 1);
    for line in ["- 2026-01-02T03:04:00Z dead of orders-dlq", "+ 2026-01-02T03:02:00Z dead of orders-dlq"] {
        assert!(ran.err.contains(line), "{line:?} is missing in {}", ran.err);
    }
    desk.write("bad.json", "{");
    assert_eq!(desk.run(&["--data", "data", "--expect", "bad.json"], "").code, 2);
}

#[test]
fn faults_of_any_input_are_all_told_with_code_2() {
    let desk = Desk::new(
        CONFIG,
        "time,queue,metric,value\nnoon,q,messages_visible,1\n2026-01-02T03:00:00Z,q,depth,1\n",
    );
    let ran = desk.run(&["--data", "data"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("data:2: `noon`") && ran.err.contains("data:3: `depth`"), "{}", ran.err);

    desk.write("data", ROWS);
    for (arguments, said) in [
        (&["--data", "nowhere"][..], "nowhere: cannot be read"),
        (&["--data", "."], "cannot be read"),
        (&["--data", "data", "--from", "2026-01-03T00:00:00Z"], "is after"),
        (&["--data", "data", "--from", "noon"], "RFC 3339"),
        (&["--data", "data", "--initial-state", "alarm"], "INSUFFICIENT_DATA"),
        (&["--data", "data", "--metric", "mesages_visible"], "did you mean `messages_visible`"),
        (&["--data", "data", "--expect", "nowhere.json"], "nowhere.json: cannot be read"),
        (&[], "--data"),
    ] {
        let ran = desk.run(arguments, "");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
    desk.write("sqswatch.yaml", "alarms: [{}]");
    let ran = desk.run(&["--data", "data"], "");
    assert!(ran.code == 2 && ran.err.contains("alarms[0]"), "{}", ran.err);
}
