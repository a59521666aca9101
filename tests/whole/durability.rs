//! No page is lost and none comes twice, though the receiver is down and the process is killed.

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::receiver::{Act, Receiver};
use crate::shop::{self, DEAD_LETTERS};

#[tokio::test]
async fn what_is_owed_outlives_the_process_and_comes_once_and_in_order() {
    let simulator = shop::open(&["early", "late", "brief"]).await;
    let control = simulator.control();
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let config = shop::config(&simulator, &shop::paging(DEAD_LETTERS, &receiver));

    control.send("early-dlq", "m");
    let daemon = Daemon::start(&config, ANYBODY).await;
    shop::until_told(&receiver, &[("firing", "early-dlq")]).await;
    shop::until_owed(&daemon, 0).await;

    receiver.follow(vec![Act::Reset]);
    control.send("late-dlq", "m");
    control.send("brief-dlq", "m");
    shop::until_state(&daemon, "dead-letters", "brief-dlq", "ALARM").await;
    shop::until_state(&daemon, "dead-letters", "late-dlq", "ALARM").await;
    control.purge("brief-dlq");
    shop::until_state(&daemon, "dead-letters", "brief-dlq", "OK").await;
    shop::until_owed(&daemon, 3).await; // two firings and a resolve
    eventually("an attempt has failed", async || {
        let failed = [("destination", "bridge"), ("reason", "connection")];
        let failed = daemon.metrics().await?.value("sqswatch_notification_failures_total", &failed)?;
        if failed > 0.0 { Ok(()) } else { Err("none has".to_owned()) }
    })
    .await;
    let home = daemon.kill().await;

    receiver.follow(vec![shop::taken()]);
    let daemon = Daemon::start_at(home, ANYBODY).await;
    shop::until_owed(&daemon, 0).await;
    assert_eq!(shop::told(&receiver).len(), 4, "{:?}", shop::told(&receiver));
    control.purge("early-dlq");
    control.purge("late-dlq");
    eventually("every alarm is resolved", async || {
        let told = shop::told(&receiver);
        if told.len() >= 6 { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;

    for queue in ["early-dlq", "late-dlq", "brief-dlq"] {
        let of_queue: Vec<_> =
            shop::pages(&receiver).into_iter().filter(|page| page.queue == queue).collect();
        let events: Vec<&str> = of_queue.iter().map(|page| page.event.as_str()).collect();
        assert_eq!(events, ["firing", "resolved"], "{queue}");
    }
    daemon.stop().await;
}
