//! The commands as people and scripts run them: what they print where, and with which code they end.

use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sqswatch::simulator::{Fault, FaultKind};

use crate::daemon::{ANYBODY, Daemon, Home, command, run};
use crate::eventually::eventually;
use crate::process::Process;
use crate::receiver::{Receiver, answer};
use crate::shop;

/// How a command ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs a command to its end, while the simulator of this process goes on answering.
pub async fn sqswatch(arguments: &[&str]) -> Ran {
    let mut command = command(ANYBODY);
    command.args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command with a configuration of its own.
async fn with_config(command: &[&str], config: &str) -> Ran {
    let home = Home::new(config);
    let file = home.config().display().to_string();
    sqswatch(&[command, &["--config", &file]].concat()).await
}

#[tokio::test]
async fn check_tells_every_fault_with_its_place_and_takes_standard_input() {
    let bad = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad_config/ten_faults.yaml");
    let ran = sqswatch(&["check", "--config", bad]).await;
    let faults = include_str!("../bad_config/ten_faults.expected");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for fault in faults.lines() {
        assert!(ran.err.contains(fault), "{fault:?} is missing in\n{}", ran.err);
    }
    assert!(ran.err.contains("ten_faults.yaml:3: poll.timeot"), "{}", ran.err);

    let good = with_config(&["check"], "alarms: []").await;
    assert_eq!((good.code, good.err.as_str()), (0, ""));
    let home = Home::new("{}");
    for (input, code) in [(home.config(), 0), (bad.into(), 2)] {
        assert_eq!(run(&["check", "--config", "-"], &input).status.code(), Some(code), "{}", input.display());
    }
    let missing = sqswatch(&["check", "--config", "/nowhere/sqswatch.yaml"]).await;
    assert!(missing.code == 2 && missing.err.contains("/nowhere/sqswatch.yaml"), "{}", missing.err);
}

#[tokio::test]
async fn check_names_the_permission_that_is_missing() {
    let simulator = shop::open(&["orders"]).await;
    let config = shop::config(&simulator, "");
    let allowed = with_config(&["check", "--aws"], &config).await;
    assert_eq!(allowed.code, 0, "{}{}", allowed.out, allowed.err);
    assert!(allowed.out.contains("ok          sqs:GetQueueAttributes"), "{}", allowed.out);
    let operation = Some("GetQueueAttributes".to_owned());
    simulator.control().inject(Fault { operation, ..Fault::new(FaultKind::Denied) });
    let denied = with_config(&["check", "--aws"], &config).await;
    assert_eq!(denied.code, 1, "{}{}", denied.out, denied.err);
    assert!(denied.out.contains("denied      sqs:GetQueueAttributes"), "{}", denied.out);
    assert!(denied.out.contains("hint: allow `sqs:GetQueueAttributes`"), "{}", denied.out);
}

#[tokio::test]
async fn status_does_not_wait_for_ages_that_may_not_be_read() {
    let simulator = shop::open(&["orders"]).await;
    simulator.control().send("orders", "m");
    let operation = Some("GetMetricData".to_owned());
    simulator.control().inject(Fault { operation, ..Fault::new(FaultKind::Denied) });
    let config = shop::config(&simulator, "").replace("metrics: []", "metrics: [oldest_message_age]");
    // Waiting would outlast the harness.
    let ran = with_config(&["status", "--timeout", "1h"], &config).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("orders") && ran.err.contains("cloudwatch:GetMetricData"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[tokio::test]
async fn status_lists_the_worst_first() {
    let simulator = shop::open(&["calm", "deep", "sick"]).await;
    for (queue, count) in [("deep", 7), ("sick-dlq", 1), ("calm", 2)] {
        (0..count).for_each(|_| drop(simulator.control().send(queue, "m")));
    }
    let config = shop::config(&simulator, "");
    let json = with_config(&["status", "--json"], &config).await;
    assert_eq!((json.code, json.err.as_str()), (0, ""));
    let lines: Vec<Value> = serde_json::from_str(&json.out).unwrap();
    let order: Vec<&str> = lines.iter().map(|line| line["queue"].as_str().unwrap()).collect();
    assert_eq!(order, ["sick-dlq", "deep", "calm", "calm-dlq", "deep-dlq", "sick"]);
    assert_eq!((&lines[0]["role"], &lines[0]["visible"]), (&"dead_letter".into(), &1.0.into()));
    assert_eq!(lines[1]["dead_letter_queue"], "deep-dlq");

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    for minutes in 1..=10 {
        let (minute, queue) = ((now / 60 - minutes) * 60, [("QueueName", "calm")]);
        let control = simulator.control();
        control.put_datapoint("AWS/SQS", "ApproximateAgeOfOldestMessage", &queue, minute, 3_725.0);
    }
    let config = config.replace("metrics: []", "metrics: [oldest_message_age]");
    let table = with_config(&["status"], &config).await;
    assert_eq!((table.code, table.err.as_str()), (0, ""));
    let rows: Vec<Vec<&str>> = table.out.lines().map(|line| line.split_whitespace().collect()).collect();
    let order: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(order, ["QUEUE", "sick-dlq", "calm", "deep", "calm-dlq", "deep-dlq", "sick"], "{}", table.out);
    assert_eq!(rows[2], ["calm", "us-east-1", "source", "2", "0", "0", "1h2m5s"]);
}

#[tokio::test]
async fn test_notify_reports_each_answer() {
    let simulator = shop::open(&[]).await;
    let (well, ill) =
        (Receiver::start(vec![shop::taken()]).await, Receiver::start(vec![answer(500, "", "")]).await);
    let more = format!(
        "destinations: {{ well: {{ webhook: {{ url: \"{}\" }} }}, ill: {{ webhook: {{ url: \"{}\" }} }} }}",
        well.url, ill.url
    );
    let config = shop::config(&simulator, &more);
    let both = with_config(&["test-notify"], &config).await;
    assert_eq!(both.code, 1, "{}{}", both.out, both.err);
    assert!(both.out.contains("ok      well: ") && both.out.contains("failed  ill: "), "{}", both.out);
    let one = with_config(&["test-notify", "--to", "well"], &config).await;
    assert!(one.code == 0 && one.out.lines().count() == 1, "{}{}", one.out, one.err);
    assert_eq!((well.requests().len(), ill.requests().len()), (2, 1));
    let body: Value = serde_json::from_str(&well.requests()[0].body).unwrap();
    assert_eq!(body["event"], "test");
    let nobody = with_config(&["test-notify", "--to", "nobody"], &config).await;
    assert!(nobody.code == 2 && nobody.err.contains("no destination `nobody`"), "{}", nobody.err);
}

#[tokio::test]
async fn what_needs_no_configuration_works_without_one() {
    let metrics = sqswatch(&["metrics", "--json"]).await;
    let parsed: Vec<Value> = serde_json::from_str(&metrics.out).unwrap();
    assert!(metrics.code == 0 && parsed.iter().any(|row| row["name"] == "messages_visible"));
    for shell in ["bash", "zsh", "fish"] {
        let script = sqswatch(&["completions", shell]).await;
        assert!(script.code == 0 && script.out.contains("test-notify"), "{shell}");
    }
    let version = sqswatch(&["--version"]).await;
    assert_eq!((version.code, version.out), (0, format!("sqswatch {}\n", env!("CARGO_PKG_VERSION"))));
    let help = sqswatch(&["--help"]).await;
    assert!(help.code == 0 && help.out.contains("sqswatch demo"), "{}", help.out);
    for wrong in [&["wtach"][..], &["--nothing"], &["demo", "--speed", "0"], &["completions", "cmd"]] {
        let ran = sqswatch(wrong).await;
        assert!(ran.code == 2 && !ran.err.is_empty() && ran.out.is_empty(), "{wrong:?}: {}", ran.code);
    }
}

#[tokio::test]
async fn without_a_command_it_runs_and_two_do_not_get_in_each_others_way() {
    let simulator = shop::open(&[]).await;
    let config = shop::config(&simulator, "alarms: []");
    let daemon = Daemon::start(&config, ANYBODY).await;

    let taken = with_config(&["run"], &config.replace("127.0.0.1:0", &daemon.address)).await;
    assert_eq!(taken.code, 1, "{}", taken.err);
    assert!(
        taken.err.contains("cannot listen on") && taken.err.contains("hint: is another sqswatch"),
        "{}",
        taken.err
    );

    let file = daemon.home.config().display().to_string();
    let locked = sqswatch(&["run", "--config", &file]).await;
    assert_eq!(locked.code, 1, "{}", locked.err);
    assert!(
        locked.err.contains("in use by another process") && locked.err.contains("store.path"),
        "{}",
        locked.err
    );
    let home = daemon.stop().await;

    let mut plain = command(ANYBODY);
    plain.arg("--config").arg(home.config());
    let mut plain = Process::start("sqswatch", &mut plain, "cargo builds it with the tests");
    eventually("it listens", async || {
        plain.check_alive()?;
        if plain.output().iter().any(|line| line.contains("\"listening\"")) {
            Ok(())
        } else {
            Err("not yet".to_owned())
        }
    })
    .await;
    plain.signal("TERM");
    assert_eq!(plain.ended().await.code(), Some(0));
}
