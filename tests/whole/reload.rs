//! A reload replaces the configuration and nothing else; a faulty one replaces nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use sqswatch::simulator::{Fault, FaultKind, Simulator};

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::receiver::Receiver;
use crate::shop::{self, DEAD_LETTERS, TOKEN};

const BACKLOG: &str = r#"{ name: backlog, queues: { name: orders }, metric: messages_visible, period: 10s, comparison: ">", threshold: 1 }"#;

/// Waits until the metric says how the last reload ended.
async fn until_reloaded(daemon: &Daemon, successful: f64) {
    eventually("the reload is over", async || {
        daemon.metrics().await?.expect("sqswatch_config_last_reload_successful", &[], successful)
    })
    .await;
}

/// When `orders` was last read; every scrape must have its readings.
async fn last_reading(daemon: &Daemon) -> f64 {
    let metrics = daemon.metrics().await.unwrap();
    metrics.expect("sqs_queue_messages", &[("queue", "orders"), ("state", "visible")], 2.0).unwrap();
    let labels = [("queue", "orders"), ("source", "attributes")];
    metrics.value("sqs_queue_last_reading_timestamp_seconds", &labels).unwrap()
}

/// Reloads over HTTP while AWS is slow, and scrapes until there are new readings.
async fn reload_while_scraping(simulator: &Simulator, daemon: &Daemon) {
    simulator.control().inject(Fault::new(FaultKind::Latency(Duration::from_millis(1_500))));
    let (status, body) = daemon.post("/-/reload", Some(TOKEN)).await.unwrap();
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"reloaded":true}"#));
    let reloaded = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    eventually("the queue is read anew", async || {
        if last_reading(daemon).await > reloaded { Ok(()) } else { Err("not yet") }
    })
    .await;
    simulator.control().clear_faults();
}

#[tokio::test]
async fn a_faulty_file_is_refused_and_a_good_one_replaces_the_alarms_but_not_the_readings() {
    let simulator = shop::open(&["orders"]).await;
    for queue in ["orders", "orders", "orders-dlq"] {
        simulator.control().send(queue, "m");
    }
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let config = |alarms: &str| shop::config(&simulator, &shop::paging(alarms, &receiver));
    let daemon = Daemon::start(&config(DEAD_LETTERS), ANYBODY).await;
    shop::until_told(&receiver, &[("firing", "orders-dlq")]).await;

    daemon.home.write(&config(&BACKLOG.replace("messages_visible", "messages_visibel")));
    daemon.signal("HUP");
    until_reloaded(&daemon, 0.0).await;
    let refused = daemon.logged(&[("message", "configuration refused, the old one goes on")]);
    let faults = refused[0]["faults"].as_str().unwrap();
    assert!(faults.contains("alarms[0].metric: `messages_visibel` is no metric"), "{faults}");
    let (status, body) = daemon.post("/-/reload", Some(TOKEN)).await.unwrap();
    assert!(
        status == StatusCode::UNPROCESSABLE_ENTITY && body.contains("messages_visibel"),
        "{status}: {body}"
    );
    for token in [None, Some("guessed")] {
        assert_eq!(daemon.post("/-/reload", token).await.unwrap().0, StatusCode::FORBIDDEN);
    }
    eventually("both refusals are counted", async || {
        daemon.metrics().await?.expect("sqswatch_config_reloads_refused_total", &[], 2.0)
    })
    .await;
    shop::until_state(&daemon, "dead-letters", "orders-dlq", "ALARM").await;

    daemon.home.write(&config(BACKLOG));
    reload_while_scraping(&simulator, &daemon).await;
    until_reloaded(&daemon, 1.0).await;
    shop::until_state(&daemon, "backlog", "orders", "ALARM").await;
    eventually("the old alarm is closed and the new one fires", async || {
        let mut told = shop::told(&receiver);
        told.sort();
        let expected = [("closed", "orders-dlq"), ("firing", "orders"), ("firing", "orders-dlq")];
        let as_expected = told.iter().map(|(event, queue)| (event.as_str(), queue.as_str())).eq(expected);
        if as_expected { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;

    // The same by SIGHUP: back to the first rule, whose alarm fires anew.
    daemon.home.write(&config(DEAD_LETTERS));
    daemon.signal("HUP");
    eventually("the first alarm fires again", async || {
        let told = shop::told(&receiver);
        let firings = told.iter().filter(|(event, queue)| event == "firing" && queue == "orders-dlq");
        if firings.count() == 2 { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;
    daemon.stop().await;
}

/// A configuration with one alarm, told to `notify`, and these destinations.
fn telling(simulator: &Simulator, alarm: &str, notify: &str, receivers: &[(&str, &Receiver)]) -> String {
    let destination = |(name, receiver): &(&str, &Receiver)| {
        format!("  {name}: {{ webhook: {{ url: \"{}\" }} }}\n", receiver.url)
    };
    let destinations: String = receivers.iter().map(destination).collect();
    let more = format!("alarms:\n  - {alarm}\nnotify: [{notify}]\ndestinations:\n{destinations}");
    shop::config(simulator, &more)
}

async fn reload(daemon: &Daemon, config: &str) {
    daemon.home.write(config);
    assert_eq!(daemon.post("/-/reload", Some(TOKEN)).await.unwrap().0, StatusCode::OK);
}

#[tokio::test]
async fn who_was_told_that_it_fires_hears_the_rest_whatever_the_file_says_by_then() {
    let simulator = shop::open(&["orders"]).await;
    simulator.control().send("orders-dlq", "m");
    let stays = Receiver::start(vec![shop::taken()]).await;
    let leaves = Receiver::start(vec![shop::taken()]).await;
    let removed = Receiver::start(vec![shop::taken()]).await;
    let joins = Receiver::start(vec![shop::taken()]).await;
    let before = [("stays", &stays), ("leaves", &leaves), ("removed", &removed)];
    let daemon =
        Daemon::start(&telling(&simulator, DEAD_LETTERS, "stays, leaves, removed", &before), ANYBODY).await;
    let firing = ("firing", "orders-dlq");
    for receiver in [&stays, &leaves, &removed] {
        shop::until_told(receiver, &[firing]).await;
    }

    let after = [("stays", &stays), ("leaves", &leaves), ("joins", &joins)];
    let growing =
        DEAD_LETTERS.replace("threshold: 1", "threshold: 1, severity: critical, repeat_on: { gap: 1s }");
    reload(&daemon, &telling(&simulator, &growing, "stays, joins", &after)).await;
    simulator.control().send("orders-dlq", "m");
    let increased = ("increased", "orders-dlq");
    for receiver in [&stays, &leaves] {
        shop::until_told(receiver, &[firing, increased]).await;
    }

    simulator.control().purge("orders-dlq");
    let resolved = ("resolved", "orders-dlq");
    for receiver in [&stays, &leaves] {
        shop::until_told(receiver, &[firing, increased, resolved]).await;
    }
    simulator.control().send("orders-dlq", "m");
    shop::until_told(&joins, &[firing]).await;
    shop::until_told(&stays, &[firing, increased, resolved, firing]).await;
    assert_eq!(shop::told(&leaves).len(), 3, "it heard the end, and nothing of what came then");
    assert_eq!(shop::told(&removed).len(), 1);
    let notifications = daemon.json("/api/v1/notifications").await.unwrap();
    let parked =
        notifications["outbox"].as_array().unwrap().iter().find(|row| row["destination"] == "removed");
    assert_eq!(parked.map(|row| row["parked"].as_u64()), Some(Some(2)), "{notifications}");
    daemon.stop().await;
}
