//! A daemon that cannot see says so, invents nothing, and sees again by itself.

use reqwest::StatusCode;
use sqswatch::simulator::{Fault, FaultKind};

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::shop::{self, DEAD_LETTERS};

/// What `/readyz` has to complain about, once it does.
async fn until_blind(daemon: &Daemon, reason: &str) {
    eventually(&format!("readiness fails because of {reason}"), async || {
        let (status, body) = daemon.get("/readyz").await?;
        let blind = status == StatusCode::SERVICE_UNAVAILABLE && body.contains(reason);
        if blind { Ok(()) } else { Err(format!("{status}: {body}")) }
    })
    .await;
}

#[tokio::test]
async fn faults_of_aws_are_named_told_once_and_change_no_alarm() {
    let queues = ["a", "b", "c", "d", "e", "f"];
    let simulator = shop::open(&queues).await;
    simulator.control().send("a-dlq", "m");
    let config = shop::config(&simulator, &format!("alarms: [{DEAD_LETTERS}]"));
    let daemon = Daemon::start(&config, ANYBODY).await;
    shop::until_state(&daemon, "dead-letters", "a-dlq", "ALARM").await;
    shop::until_state(&daemon, "dead-letters", "b-dlq", "OK").await;
    daemon.until_status("/readyz", StatusCode::OK).await;
    let transitions =
        |to: &str| (daemon.logged(&[("message", "alarm changed"), ("to", to)]).len(), to.to_owned());
    let before = ["OK", "ALARM", "INSUFFICIENT_DATA"].map(transitions);

    for (kind, reason) in [
        (FaultKind::ExpiredCredentials, "credentials_expired"),
        (FaultKind::ServerError, "server_error"),
        (FaultKind::Throttle, "throttled"),
    ] {
        simulator.control().inject(Fault { service: Some("sqs".to_owned()), ..Fault::new(kind) });
        until_blind(&daemon, reason).await;
        eventually("metrics say so too", async || {
            let metrics = daemon.metrics().await?;
            metrics.expect("sqswatch_ready", &[], 0.0)?;
            let failed = [("operation", "GetQueueAttributes"), ("reason", reason)];
            let failed = metrics.value("sqswatch_aws_failures_total", &failed)?;
            if failed > 0.0 { Ok(()) } else { Err("no failure is counted".to_owned()) }
        })
        .await;
        let told = daemon.logged(&[("level", "WARN"), ("reason", reason)]);
        let of_reading =
            told.iter().filter(|line| line["message"].as_str().unwrap().starts_with("GetQueueAttributes"));
        assert_eq!(of_reading.count(), 1, "one line for {} queues: {told:#?}", 2 * queues.len());
        shop::until_state(&daemon, "dead-letters", "a-dlq", "ALARM").await;
        shop::until_state(&daemon, "dead-letters", "b-dlq", "OK").await;

        simulator.control().clear_faults();
        daemon.until_status("/readyz", StatusCode::OK).await;
        eventually("its end is told", async || {
            let ended = daemon.logged(&[("level", "INFO"), ("reason", reason)]);
            if ended.is_empty() { Err("not yet") } else { Ok(()) }
        })
        .await;
    }
    let transitions =
        |to: &str| (daemon.logged(&[("message", "alarm changed"), ("to", to)]).len(), to.to_owned());
    assert_eq!(["OK", "ALARM", "INSUFFICIENT_DATA"].map(transitions), before);
    daemon.stop().await;
}
