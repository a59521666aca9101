//! What the plots remember outlives a restart; the file of it harms nothing, whatever is wrong with it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sqswatch::simulator::Simulator;

use crate::daemon::{ANYBODY, Daemon, Home};
use crate::eventually::eventually;
use crate::peer::{self, Peer, form_escaped, http};
use crate::shop;

/// The largest depth of `orders` in the last three hours.
async fn peak(daemon: &Daemon) -> Result<f64, String> {
    let told = daemon.json("/api/v1/queues/orders/history?metric=messages_visible").await?;
    let points = told["metrics"]["messages_visible"].as_array().ok_or(told.to_string())?;
    let peak = points.iter().filter_map(|point| point[1].as_f64()).reduce(f64::max);
    peak.ok_or("nothing is known".to_owned())
}

async fn until_peak(daemon: &Daemon, expected: f64) {
    eventually(&format!("the plot has {expected}"), async || match peak(daemon).await? {
        peak if peak == expected => Ok(()),
        peak => Err(peak.to_string()),
    })
    .await;
}

/// Waits until `orders` was read as empty.
async fn until_empty(daemon: &Daemon) {
    eventually("the queue is read as empty", async || {
        let labels = [("queue", "orders"), ("state", "visible")];
        daemon.metrics().await?.expect("sqs_queue_messages", &labels, 0.0)
    })
    .await;
}

/// A home in which a daemon saw five messages, which are gone.
async fn with_a_past(simulator: &Simulator) -> Home {
    (0..5).for_each(|_| drop(simulator.control().send("orders", "m")));
    let daemon = Daemon::start(&shop::config(simulator, ""), ANYBODY).await;
    until_peak(&daemon, 5.0).await;
    simulator.control().purge("orders");
    daemon.stop().await
}

fn warnings(daemon: &Daemon, about: &str) -> Vec<Value> {
    let lines = daemon.logged(&[("level", "WARN")]).into_iter();
    lines.filter(|line| line["message"].as_str().is_some_and(|text| text.contains(about))).collect()
}

#[tokio::test]
async fn the_past_is_there_after_a_restart() {
    let simulator = shop::open(&["orders"]).await;
    let home = with_a_past(&simulator).await;
    let daemon = Daemon::start_at(home, ANYBODY).await;
    until_empty(&daemon).await;
    until_peak(&daemon, 5.0).await;
    assert!(warnings(&daemon, "history").is_empty());

    // What a crash loses are the minutes since the last save.
    let home = daemon.kill().await;
    let daemon = Daemon::start_at(home, ANYBODY).await;
    until_empty(&daemon).await;
    until_peak(&daemon, 5.0).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_said_and_replaced_and_a_missing_one_is_no_matter() {
    let simulator = shop::open(&["orders"]).await;
    let mut home = with_a_past(&simulator).await;
    let file = home.folder().join("state.redb.history");
    let sound = fs::read(&file).unwrap();
    let mut damaged = sound.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    for (bytes, why) in [
        (Some(b"#!/bin/sh".to_vec()), "it is not a file of sqswatch's"),
        (Some(sound[..sound.len() - 1].to_vec()), "it is damaged"),
        (Some(damaged), "it is damaged"),
        (None, ""),
    ] {
        match &bytes {
            Some(bytes) => fs::write(&file, bytes).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let daemon = Daemon::start_at(home, ANYBODY).await;
        until_empty(&daemon).await;
        until_peak(&daemon, 0.0).await;
        let said = warnings(&daemon, "history");
        assert_eq!(said.len(), usize::from(bytes.is_some()), "{said:?}");
        assert!(said.iter().all(|line| line["why"].as_str().unwrap().starts_with(why)), "{said:?}");
        home = daemon.stop().await;
    }
    fs::write(&file, sound).unwrap();
    let daemon = Daemon::start_at(home, ANYBODY).await;
    until_peak(&daemon, 5.0).await;

    // No save can be made; nothing else minds.
    let home = daemon.home.folder().to_owned();
    fs::create_dir(home.join("state.redb.history.new")).unwrap();
    daemon.signal("TERM");
    eventually("the log says so", async || {
        let said = warnings(&daemon, "cannot save the history");
        if said.len() == 1 { Ok(()) } else { Err(daemon.log().join("\n")) }
    })
    .await;
    let (status, _home) = daemon.ended().await;
    assert!(status.success(), "{status}");
}

/// Waits until Prometheus has scraped the five messages.
async fn until_scraped(prometheus: &Peer) {
    let expression = form_escaped(r#"sqs_queue_messages{queue="orders", state="visible"} == 5"#);
    let url = format!("{}/api/v1/query?query={expression}", prometheus.url);
    eventually("Prometheus has scraped the queue", async || {
        let answer = http().get(&url).send().await.map_err(|error| error.to_string())?;
        let answer = answer.text().await.map_err(|error| error.to_string())?;
        let told: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        let found = told["data"]["result"].as_array().is_some_and(|result| !result.is_empty());
        if found { Ok(()) } else { Err(answer) }
    })
    .await;
}

fn minute() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60
}

#[tokio::test]
async fn with_a_prometheus_that_scraped_it_a_daemon_that_has_forgotten_plots_its_past() {
    let simulator = shop::open(&["orders"]).await;
    (0..5).for_each(|_| drop(simulator.control().send("orders", "m")));
    let config = shop::config(&simulator, "");
    let daemon = Daemon::start(&config, ANYBODY).await;
    let folder = tempfile::tempdir().unwrap();
    let prometheus = peer::prometheus(&daemon.address, folder.path()).await;
    until_scraped(&prometheus).await;
    let scraped = minute();
    simulator.control().purge("orders");
    let home = daemon.stop().await;

    fs::remove_file(home.folder().join("state.redb.history")).unwrap();
    let further = format!("web: {{ prometheus: {{ url: \"{}\" }},", prometheus.url);
    home.write(&config.replace("web: {", &further));
    eventually("the minute is over", async || if minute() > scraped { Ok(()) } else { Err("not yet") }).await;
    let daemon = Daemon::start_at(home, ANYBODY).await;
    until_empty(&daemon).await;
    until_peak(&daemon, 5.0).await;
    let path = "/api/v1/queues/orders/history";
    let told = daemon.json(path).await.unwrap();
    assert_eq!((&told["source"], told.get("note")), (&Value::from("prometheus"), None), "{told}");
    assert_eq!(
        told["metrics"].as_object().unwrap().len(),
        9,
        "every question is one that Prometheus understands"
    );

    drop(prometheus);
    eventually("it says that Prometheus is gone", async || {
        let told = daemon.json(path).await?;
        let note = told["note"].as_str().unwrap_or_default();
        if told["source"] == "daemon" && note.contains("cannot be reached") {
            Ok(())
        } else {
            Err(told.to_string())
        }
    })
    .await;
    daemon.stop().await;
}
