//! `sqswatch test-notify`: a marked test by the path a real page takes, but for the outbox: the answer is wanted now.

use std::sync::Arc;

use clap::Args;

use crate::app;
use crate::aws::clients::Identity;
use crate::clock;
use crate::domain::outbox::Outcome;
use crate::notify;

use super::{ConfigArgs, FAILED, USAGE, fail};

/// Arguments of `test-notify`.
#[derive(Debug, Args)]
pub(super) struct TestNotifyArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Only this destination; without it each one of the configuration
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
}

/// Runs the command: 1 when any receiver did not take it.
pub(super) async fn run(args: &TestNotifyArgs) -> u8 {
    let mut config = match args.config.load() {
        Ok(config) => config,
        Err(code) => return code,
    };
    if let Some(name) = &args.to {
        config.destinations.retain(|known, _| **known == **name);
    }
    if config.destinations.is_empty() {
        let what =
            args.to.as_ref().map_or("no destination".to_owned(), |name| format!("no destination `{name}`"));
        eprintln!("error: the configuration has {what}\n  hint: see `destinations` in docs/configuration.md");
        return USAGE;
    }
    let receivers = match app::receivers(&config, Identity::Chain).await {
        Ok(receivers) => receivers,
        Err(error) => return fail(&error),
    };
    let test = [Arc::new(notify::test_notification(clock::now()))];
    let mut failed = false;
    for (name, receiver) in &receivers {
        let answer = notify::send(receiver, &test).await;
        let taken = answer.outcome == Outcome::Acknowledged;
        failed |= !taken;
        println!("{:<7} {name}: {}", if taken { "ok" } else { "failed" }, answer.detail);
    }
    if failed { FAILED } else { 0 }
}
