//! The dead man's switch hears that all is well, and only then.

use sqswatch::simulator::{Fault, FaultKind};

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::receiver::{Act, Receiver, answer};
use crate::shop::{self, DEAD_LETTERS, TOKEN};

/// Waits until the switch has heard more than it has now.
async fn until_beats(switch: &Receiver) {
    let before = switch.requests().len();
    switch.wait_for(before + 2).await;
}

/// Waits until the daemon has said for the `times`th time that it falls silent, and that it stays so for a while that is
/// many beats long.
async fn until_silent(daemon: &Daemon, switch: &Receiver, times: usize, why: &str) {
    eventually("the heartbeat stops", async || {
        let stops = daemon.logged(&[("message", "the heartbeat stops")]);
        match stops.last() {
            Some(stop)
                if stops.len() == times
                    && stop["reasons"].as_str().is_some_and(|text| text.contains(why)) =>
            {
                Ok(())
            }
            _ => Err(format!("{stops:?}")),
        }
    })
    .await;
    let before = switch.requests().len();
    // A whole discovery goes by, in which ten beats would have come.
    let listed = listed_at(daemon).await.unwrap();
    eventually("queues are listed again", async || {
        let now = listed_at(daemon).await?;
        if now > listed { Ok(()) } else { Err(now.to_string()) }
    })
    .await;
    assert_eq!(switch.requests().len(), before, "it beats though all is not well");
}

async fn listed_at(daemon: &Daemon) -> Result<f64, String> {
    daemon.metrics().await?.value("sqswatch_target_last_discovery_timestamp_seconds", &[])
}

#[tokio::test]
async fn it_beats_while_all_is_well_and_falls_silent_when_blind_or_stuck() {
    let simulator = shop::open(&["orders"]).await;
    let control = simulator.control();
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let switch = Receiver::start(vec![answer(200, "", "OK")]).await;
    let heartbeat =
        format!("heartbeat: {{ url: \"{}/ping/hunter3\", interval: 1s, stuck_after: 2s }}\n", switch.url);
    let config = shop::config(&simulator, &(shop::paging(DEAD_LETTERS, &receiver) + &heartbeat));
    let daemon = Daemon::start(&config, ANYBODY).await;
    until_beats(&switch).await;
    assert_eq!(switch.requests()[0].line, "GET /ping/hunter3");

    control.inject(Fault {
        operation: Some("GetQueueAttributes".to_owned()),
        ..Fault::new(FaultKind::ExpiredCredentials)
    });
    until_silent(&daemon, &switch, 1, "attributes were last read").await;
    control.clear_faults();
    until_beats(&switch).await;

    receiver.follow(vec![Act::Reset]);
    control.send("orders-dlq", "m");
    until_silent(&daemon, &switch, 2, "`bridge` takes no notifications").await;
    receiver.follow(vec![shop::taken()]);
    until_beats(&switch).await;

    switch.follow(vec![answer(500, "", "")]);
    eventually("a beat that is not taken is counted", async || {
        let failed = [("reason", "server_error")];
        let failed = daemon.metrics().await?.value("sqswatch_heartbeat_failures_total", &failed)?;
        if failed >= 2.0 { Ok(()) } else { Err(failed.to_string()) }
    })
    .await;
    assert_eq!(daemon.logged(&[("message", "the heartbeat is not acknowledged; it goes on")]).len(), 1);
    let metrics = daemon.metrics().await.unwrap();
    assert!(metrics.value("sqswatch_heartbeat_sent_total", &[]).unwrap() >= 6.0);
    assert!(metrics.value("sqswatch_heartbeat_last_success_timestamp_seconds", &[]).unwrap() > 1.7e9);
    let (_, reloaded) = daemon.post("/-/reload", Some(TOKEN)).await.unwrap();
    assert!(reloaded.contains("true"), "{reloaded}");
    assert!(!daemon.log().join("\n").contains("hunter3"), "the address is a secret");
    daemon.stop().await;
}
