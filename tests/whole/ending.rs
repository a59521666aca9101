//! How the daemon ends: with what is in hand recorded, and at once when it is told twice.

use reqwest::StatusCode;

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::receiver::{Act, Receiver};
use crate::shop::{self, DEAD_LETTERS, TOKEN};

/// Sends SIGTERM and waits until the daemon says that it is on its way out.
async fn tell_to_end(daemon: &Daemon) {
    daemon.signal("TERM");
    eventually("readiness fails because of the end", async || {
        let (status, body) = daemon.get("/readyz").await?;
        let draining = status == StatusCode::SERVICE_UNAVAILABLE && body.contains("shutting down");
        if draining { Ok(()) } else { Err(format!("{status}: {body}")) }
    })
    .await;
}

#[tokio::test]
async fn an_attempt_in_hand_is_finished_and_recorded_unless_told_twice() {
    let simulator = shop::open(&["orders"]).await;
    simulator.control().send("orders-dlq", "m");
    let receiver = Receiver::start(vec![Act::Hang]).await;
    let config = shop::config(&simulator, &shop::paging(DEAD_LETTERS, &receiver));

    let daemon = Daemon::start(&config, ANYBODY).await;
    receiver.wait_for(1).await;
    tell_to_end(&daemon).await;
    daemon.signal("TERM");
    let (status, home) = daemon.ended().await;
    assert_eq!(status.code(), Some(1), "the second signal leaves at once");

    receiver.follow(vec![Act::Wait]);
    let daemon = Daemon::start_at(home, ANYBODY).await;
    receiver.wait_for(2).await;
    // A reload waits for the attempt too, and the end must not wait for the reload.
    let reload = daemon.post("/-/reload", Some(TOKEN));
    let end = async {
        daemon.until_status("/healthz", StatusCode::OK).await;
        tell_to_end(&daemon).await;
        receiver.release();
    };
    let (reloaded, ()) = tokio::join!(reload, end);
    let (status, body) = reloaded.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    let (status, home) = daemon.ended().await;
    assert_eq!(status.code(), Some(0));

    receiver.follow(vec![shop::taken()]);
    let daemon = Daemon::start_at(home, ANYBODY).await;
    simulator.control().purge("orders-dlq");
    // A firing that was sent a third time would come before the resolve.
    shop::until_told(
        &receiver,
        &[("firing", "orders-dlq"), ("firing", "orders-dlq"), ("resolved", "orders-dlq")],
    )
    .await;
    let pages = shop::pages(&receiver);
    assert_eq!(pages[0].id, pages[1].id, "the receiver can tell that it is the same");
    daemon.stop().await;
}
