//! `sqswatch run`: the daemon.

use std::path::Path;

use crate::app::{self, Start};
use crate::aws::clients::Identity;
use crate::logging;

use super::{ConfigArgs, FAILED, Signals, chain};

/// Runs until a signal ends it.
pub(super) async fn run(args: &ConfigArgs, signals: Signals) -> u8 {
    let config = match args.load() {
        Ok(config) => config,
        Err(code) => return code,
    };
    if let Err(error) = logging::init(&config.log) {
        eprintln!("error: cannot set up the log: {error}");
        return FAILED;
    }
    let source = (args.path() != Path::new("-")).then(|| args.path().to_owned());
    let start = Start {
        config,
        source,
        stop: signals.stop,
        identity: Identity::Chain,
        hangups: signals.hangups,
        listening: None,
    };
    match app::run(start).await {
        Ok(()) => 0,
        Err(error) => {
            tracing::error!(error = chain(&error), "exiting");
            FAILED
        }
    }
}
