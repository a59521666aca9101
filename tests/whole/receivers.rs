//! What receivers may answer, seen from outside: they slow down, fail, and say never again.

use std::time::Duration;

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::receiver::{Receiver, answer};
use crate::shop::{self, DEAD_LETTERS};

#[tokio::test]
async fn each_receiver_is_told_by_its_own_answers() {
    let simulator = shop::open(&["orders"]).await;
    simulator.control().send("orders-dlq", "m");
    let busy = Receiver::start(vec![answer(429, "retry-after: 2\r\n", ""), shop::taken()]).await;
    let broken = Receiver::start(vec![answer(500, "", ""), answer(503, "", ""), shop::taken()]).await;
    let leaving = Receiver::start(vec![answer(410, "", "")]).await;
    let more = format!(
        "alarms: [{DEAD_LETTERS}]\ndestinations:\n  busy: {{ webhook: {{ url: \"{}\" }} }}\n  \
         broken: {{ webhook: {{ url: \"{}\" }} }}\n  leaving: {{ webhook: {{ url: \"{}\" }} }}\n",
        busy.url, broken.url, leaving.url
    );
    let daemon = Daemon::start(&shop::config(&simulator, &more), ANYBODY).await;

    let first = busy.wait_for(1).await.len();
    let asked = std::time::Instant::now();
    assert_eq!(first, 1);
    busy.wait_for(2).await;
    // A lower bound holds on any machine, however slow.
    assert!(asked.elapsed() > Duration::from_millis(1_500), "Retry-After was not waited for");
    broken.wait_for(3).await;
    eventually("failures are counted by reason, and the refused page is parked", async || {
        let metrics = daemon.metrics().await?;
        for (destination, reason, failed) in
            [("busy", "throttled", 1.0), ("broken", "server_error", 2.0), ("leaving", "gone", 1.0)]
        {
            let labels = [("destination", destination), ("reason", reason)];
            metrics.expect("sqswatch_notification_failures_total", &labels, failed)?;
        }
        for (destination, parked) in [("busy", 0.0), ("broken", 0.0), ("leaving", 1.0)] {
            metrics.expect("sqswatch_outbox_parked", &[("destination", destination)], parked)?;
            metrics.expect("sqswatch_outbox_entries", &[("destination", destination)], 0.0)?;
        }
        Ok::<_, String>(())
    })
    .await;
    let notifications = daemon.json("/api/v1/notifications").await.unwrap();
    let receipts = notifications["recent"].as_array().unwrap();
    let receipt = |destination: &str| {
        let receipt = receipts.iter().find(|receipt| receipt["destination"] == destination).unwrap();
        (receipt["delivered"].as_bool().unwrap(), receipt["attempts"].as_u64(), receipt["reason"].as_str())
    };
    assert!(receipt("busy").0 && receipt("broken").0, "{notifications:#}");
    let (delivered, _, reason) = receipt("leaving");
    assert_eq!((delivered, reason), (false, Some("gone")), "{notifications:#}");

    simulator.control().purge("orders-dlq");
    eventually("the others are told that it is over", async || {
        let told = (shop::told(&busy).len(), shop::told(&broken).len());
        if told == (3, 4) { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;
    for receiver in [&busy, &broken] {
        let pages = shop::pages(receiver);
        let (last, attempts) = pages.split_last().unwrap();
        assert_eq!(last.event, "resolved");
        assert!(attempts.iter().all(|page| *page == attempts[0] && page.event == "firing"), "{attempts:?}");
    }
    daemon.stop().await;
    assert_eq!(shop::told(&leaving).len(), 1, "who was never told that it fires is not told that it ended");
}
