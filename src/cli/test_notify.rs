//! `sqswatch test-notify`: a marked test through the path a real page takes.

use clap::Args;

use crate::clock;
use crate::config::Config;
use crate::domain::outbox::Outcome;
use crate::notify;

use super::{ConfigArgs, FAILED, USAGE};

/// Arguments of `test-notify`.
#[derive(Debug, Args)]
pub(super) struct TestNotifyArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Only this destination; without it each one of the configuration
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
}
