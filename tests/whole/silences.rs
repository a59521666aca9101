//! A silence asked for from a shell: the alarm is judged and shown, nobody is told, a crash changes nothing, and at the end of the
//! silence the page goes out. A maintenance window does the same by the configuration.

use serde_json::Value;
use sqswatch::clock;
use sqswatch::domain::time::MINUTE;

use crate::daemon::{ANYBODY, Daemon, command};
use crate::eventually::eventually;
use crate::receiver::Receiver;
use crate::shop::{self, DEAD_LETTERS, TOKEN};

/// How `sqswatch silence` ended: exit code, standard output, standard error.
type Ran = (i32, String, String);

async fn silence(url: &str, token: &str, arguments: &[&str]) -> Ran {
    let mut command = command(ANYBODY);
    command
        .arg("silence")
        .args(arguments)
        .env("SQSWATCH_URL", url)
        .env("SQSWATCH_TOKEN", token)
        .env("USER", "ana");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The same on this daemon, where it must succeed; its standard output.
async fn silenced(daemon: &Daemon, arguments: &[&str]) -> String {
    let (code, out, err) = silence(&format!("http://{}", daemon.address), TOKEN, arguments).await;
    assert_eq!(code, 0, "{arguments:?}: {err}");
    out.trim_end().to_owned()
}

/// Waits until the alarm of `queue` is in `state` and held by `by`.
async fn until_held(daemon: &Daemon, queue: &str, state: &str, by: &str) {
    eventually(&format!("the alarm of {queue} is in {state} and held by {by}"), async || {
        let alarms = daemon.json("/api/v1/alarms").await?;
        let found = alarms["alarms"].as_array().into_iter().flatten().find(|alarm| alarm["queue"] == queue);
        let found = found.ok_or("no such alarm")?;
        let is = found["state"] == state && found["held"]["by"] == by;
        if is { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn a_silenced_alarm_is_shown_and_told_when_the_silence_ends() {
    let simulator = shop::open(&["orders", "carts", "brief"]).await;
    let control = simulator.control();
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let config = shop::config(&simulator, &shop::paging(DEAD_LETTERS, &receiver));
    let daemon = Daemon::start(&config, ANYBODY).await;
    shop::until_state(&daemon, "dead-letters", "orders-dlq", "OK").await;

    let add = [
        "add",
        "--alarm",
        "dead-*",
        "--queue",
        "orders-*",
        "--queue",
        "brief-*",
        "--for",
        "2h",
        "--reason",
        "redriving",
    ];
    let id = silenced(&daemon, &add).await;
    let list: Value = serde_json::from_str(&silenced(&daemon, &["list", "--json"]).await).unwrap();
    assert_eq!(
        (&list["silences"][0]["id"], &list["silences"][0]["author"]),
        (&id.as_str().into(), &"ana".into())
    );
    let table = silenced(&daemon, &["list"]).await;
    assert!(
        table.contains(&id) && table.contains("queue orders-* or brief-*") && table.contains("redriving"),
        "{table}"
    );
    assert_eq!(daemon.logged(&[("message", "a silence was made"), ("author", "ana")]).len(), 1);

    for queue in ["orders-dlq", "brief-dlq", "carts-dlq"] {
        control.send(queue, "m");
    }
    until_held(&daemon, "orders-dlq", "ALARM", &id).await;
    until_held(&daemon, "brief-dlq", "ALARM", &id).await;
    // Of the one that is not silenced somebody is told, so that the others would have been by now.
    shop::until_told(&receiver, &[("firing", "carts-dlq")]).await;
    let metrics = daemon.metrics().await.unwrap();
    metrics.expect("sqs_alarm_silenced", &[("queue", "orders-dlq")], 1.0).unwrap();
    metrics.expect("sqs_alarm_silenced", &[("queue", "carts-dlq")], 0.0).unwrap();
    metrics.expect("sqswatch_silences", &[("state", "active")], 1.0).unwrap();

    let home = daemon.kill().await;
    let daemon = Daemon::start_at(home, ANYBODY).await;
    until_held(&daemon, "orders-dlq", "ALARM", &id).await;
    control.purge("brief-dlq");
    shop::until_state(&daemon, "dead-letters", "brief-dlq", "OK").await;
    control.purge("carts-dlq");
    shop::until_told(&receiver, &[("firing", "carts-dlq"), ("resolved", "carts-dlq")]).await;

    silenced(&daemon, &["end", &id]).await;
    let told = [("firing", "carts-dlq"), ("resolved", "carts-dlq"), ("firing", "orders-dlq")];
    shop::until_told(&receiver, &told).await;
    control.purge("orders-dlq");
    shop::until_told(&receiver, &[&told[..], &[("resolved", "orders-dlq")]].concat()).await;
    let home = daemon.kill().await;
    let daemon = Daemon::start_at(home, ANYBODY).await;
    let list = daemon.json("/api/v1/silences").await.unwrap();
    assert_eq!((&list["silences"][0]["id"], &list["silences"][0]["state"]), (&id.into(), &"expired".into()));
    daemon.stop().await;
}

#[tokio::test]
async fn a_reload_that_takes_a_window_away_lets_the_page_out() {
    let simulator = shop::open(&["orders"]).await;
    simulator.control().send("orders-dlq", "m");
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let paging = shop::paging(DEAD_LETTERS, &receiver);
    let now = clock::now();
    let (from, until) = (now - MINUTE * 60, now + MINUTE * 60);
    let window =
        format!("maintenance: [{{ name: move, queues: '*-dlq', from: '{from}', until: '{until}' }}]\n");
    let daemon = Daemon::start(&shop::config(&simulator, &format!("{window}{paging}")), ANYBODY).await;
    until_held(&daemon, "orders-dlq", "ALARM", "move").await;
    daemon
        .metrics()
        .await
        .unwrap()
        .expect("sqswatch_maintenance_active", &[("window", "move")], 1.0)
        .unwrap();
    shop::until_owed(&daemon, 0).await;
    assert!(shop::told(&receiver).is_empty());

    daemon.home.write(&shop::config(&simulator, &paging));
    assert_eq!(daemon.post("/-/reload", Some(TOKEN)).await.unwrap().0, 200);
    shop::until_told(&receiver, &[("firing", "orders-dlq")]).await;
    daemon.stop().await;
}

#[tokio::test]
async fn what_goes_wrong_is_said_with_a_hint_and_a_code() {
    let simulator = shop::open(&[]).await;
    let daemon = Daemon::start(&shop::config(&simulator, "alarms: []"), ANYBODY).await;
    let url = format!("http://{}", daemon.address);
    let all = ["add", "--all", "--for", "1h", "--reason", "why"];
    for (url, token, arguments, code, words) in [
        ("http://127.0.0.1:1", TOKEN, &["list"][..], 1, "cannot reach sqswatch at `http://127.0.0.1:1/`"),
        ("localhost:9434", TOKEN, &["list"], 2, "is no http or https address"),
        (&simulator.endpoint_url(), TOKEN, &["list"], 1, "is not sqswatch"),
        (&url, "guessed", &all, 1, "the token is missing or wrong"),
        (&url, "", &all, 2, "the token is empty"),
        (
            &url,
            TOKEN,
            &["add", "--queue", "a/b", "--for", "1h", "--reason", "why"],
            2,
            "`a/b` fits no queue name",
        ),
        (
            &url,
            TOKEN,
            &["add", "--all", "--until", "2020-01-01T00:00:00Z", "--reason", "why"],
            2,
            "has passed",
        ),
        (&url, TOKEN, &["add", "--for", "1h", "--reason", "why"], 2, "--all"),
        (&url, TOKEN, &["add", "--all", "--for", "1h"], 2, "--reason"),
        (&url, TOKEN, &["end", "../../-/reload"], 1, "no silence `"),
        (&url, TOKEN, &["list", "--token-file", "/nowhere/token"], 2, "/nowhere/token"),
    ] {
        let (ended, out, err) = silence(url, token, arguments).await;
        assert_eq!((ended, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(words) && !err.contains(TOKEN), "{arguments:?}: {err}");
    }
    let (code, out, err) = silence(&url, TOKEN, &all).await;
    assert!(code == 0 && out.trim().len() == 8 && err.contains("warning: no alarm"), "{code} {out} {err}");
    assert_eq!(daemon.json("/api/v1/silences").await.unwrap()["silences"].as_array().unwrap().len(), 1);
    daemon.stop().await;
}
