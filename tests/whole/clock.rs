//! The real program while somebody sets the clock of its machine, an hour back and a day forward. Only the wall clock is set:
//! time itself passes as it does.

use std::path::PathBuf;

use crate::daemon::{ANYBODY, Daemon, Home, command};
use crate::eventually::eventually;
use crate::peer;
use crate::receiver::Receiver;
use crate::shop::{self, DEAD_LETTERS};

/// A wall clock that can be set.
struct Wall(PathBuf);

impl Wall {
    /// How far it is from the true one, as libfaketime reads it: `-1h`, `+1d`.
    fn set(&self, ahead: &str) {
        // Put in place whole: the daemon reads it at every look at its clock.
        let new = self.0.with_extension("new");
        std::fs::write(&new, ahead).unwrap();
        std::fs::rename(new, &self.0).unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_set_neither_pages_nor_hides() {
    let simulator = shop::open(&["firing", "quiet"]).await;
    let control = simulator.control();
    control.send("firing-dlq", "m");
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let alarm = DEAD_LETTERS.replace("threshold: 1", "threshold: 1, repeat: 1h");
    let home = Home::new(&shop::config(&simulator, &shop::paging(&alarm, &receiver)));
    let folder = tempfile::tempdir().unwrap();
    let wall = Wall(folder.path().join("ahead"));
    wall.set("+0");
    let mut faked = command(ANYBODY);
    faked
        .env("LD_PRELOAD", peer::libfaketime())
        .env("FAKETIME_TIMESTAMP_FILE", &wall.0)
        .envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
    let daemon = Daemon::start_by(faked, home).await;
    shop::until_told(&receiver, &[("firing", "firing-dlq")]).await;
    shop::until_state(&daemon, "dead-letters", "quiet-dlq", "OK").await;

    let mut told = vec![("firing", "firing-dlq")];
    for (jumps, ahead) in ["-1h", "+1d", "+0"].into_iter().enumerate() {
        wall.set(ahead);
        eventually("the jump is seen", async || {
            let lines =
                daemon.log().into_iter().filter(|line| line.contains("the wall clock jumped")).count();
            if lines == jumps + 1 { Ok(()) } else { Err(format!("{lines} lines")) }
        })
        .await;
        // What it says of its readings after the jump: they are as fresh as before, and no state has changed.
        daemon.until_status("/readyz", reqwest::StatusCode::OK).await;
        shop::until_state(&daemon, "dead-letters", "firing-dlq", "ALARM").await;
        shop::until_state(&daemon, "dead-letters", "quiet-dlq", "OK").await;
        shop::until_told(&receiver, &told).await;

        control.send("quiet-dlq", "m");
        told.push(("firing", "quiet-dlq"));
        shop::until_told(&receiver, &told).await;
        control.purge("quiet-dlq");
        told.push(("resolved", "quiet-dlq"));
        shop::until_told(&receiver, &told).await;
    }
    let changes = daemon.logged(&[("message", "alarm changed"), ("to", "ALARM")]);
    let of_firing = |line: &&serde_json::Value| line["subject"].as_str().unwrap().ends_with("/firing-dlq");
    assert_eq!(changes.iter().filter(of_firing).count(), 1, "it fired once and stayed: {changes:?}");
    daemon.stop().await;
}
