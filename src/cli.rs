//! The commands. Each returns an exit code: 0 clean, 1 failed at run time, 2 usage or configuration.

mod backtest;
mod check;
mod client;
mod demo;
mod metrics;
mod outbox;
mod rules;
mod run;
mod signals;
mod silence;
mod status;
mod test_notify;

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{self, Config};
pub use signals::Signals;

/// Exit code: something failed while running.
const FAILED: u8 = 1;
/// Exit code: the command line or the configuration is wrong.
const USAGE: u8 = 2;

/// Watches Amazon SQS: depth, age and dead letters for Prometheus, alarms with CloudWatch's verdicts, pages that are not lost.
///
/// Try it without an account: `sqswatch demo`. Then write a file, see `sqswatch check --config F`, and run
/// `sqswatch run --config F`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: ConfigArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon (also the default without a command)
    ///
    /// SIGHUP or POST /-/reload reads the configuration again; a faulty one is refused and the old one goes on.
    /// SIGTERM or ctrl-c finishes what is in hand and exits; a second one exits at once.
    Run(ConfigArgs),
    /// Run the daemon against a simulated AWS, with nothing to set up
    ///
    /// A small shop of queues lives in this process: bursts, stalling consumers, poison messages. Prints the address to
    /// open and every notification. Nothing is kept.
    Demo(demo::DemoArgs),
    /// Report every fault of a configuration, each with its line and a hint
    Check(check::CheckArgs),
    /// Read every queue once and print a table, worst first
    Status(status::StatusArgs),
    /// Run the alarms over recorded datapoints and print every change of state with its reason
    ///
    /// Judges at each whole minute from --from to --to (each 10 s for alarms of short periods) what was closed by then; a gap in the
    /// data is a missing datapoint. With --expect it tests alarms: exit code 1 and the differences when they are not as expected.
    ///
    /// For example: sqswatch backtest --config sqswatch.yaml --data incident.csv
    Backtest(backtest::BacktestArgs),
    /// Write the alarms as Prometheus alerting rules, as near as PromQL can say them
    ///
    /// Comments in the file tell where a rule differs from its alarm. An alarm that cannot be said is named there and on standard error.
    ///
    /// For example: sqswatch rules --config sqswatch.yaml --output /etc/prometheus/rules/sqswatch.yaml
    Rules(rules::RulesArgs),
    /// Send a marked test to the destinations, by the path a real page takes, and report each receiver's answer
    TestNotify(test_notify::TestNotifyArgs),
    /// List what a running daemon owes or gave up, and send the latter again
    Outbox(outbox::OutboxArgs),
    /// Keep alarms of a running daemon from telling anybody for a while
    Silence(silence::SilenceArgs),
    /// List every metric: configuration, CloudWatch and Prometheus names, unit and meaning
    Metrics(metrics::MetricsArgs),
    /// Print a completion script for a shell
    ///
    /// For example: sqswatch completions bash > /etc/bash_completion.d/sqswatch
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file; `-` is standard input
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "SQSWATCH_CONFIG",
        default_value = "/etc/sqswatch/sqswatch.yaml"
    )]
    config: PathBuf,
}

impl ConfigArgs {
    /// The checked configuration, or the exit code after all its faults were printed.
    fn load(&self) -> Result<Config, u8> {
        config::load(&self.config).map_err(|faults| {
            eprint!("{faults}");
            USAGE
        })
    }

    fn path(&self) -> &Path {
        &self.config
    }
}

/// Runs the command; returns the exit code.
pub async fn dispatch(cli: Cli, signals: Signals) -> u8 {
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => run::run(&args, signals).await,
        Command::Demo(args) => demo::run(&args, signals).await,
        Command::Check(args) => check::run(&args).await,
        Command::Status(args) => status::run(&args).await,
        Command::Backtest(args) => backtest::run(&args).await,
        Command::Rules(args) => rules::run(&args),
        Command::TestNotify(args) => test_notify::run(&args).await,
        Command::Outbox(args) => outbox::run(&args).await,
        Command::Silence(args) => silence::run(&args).await,
        Command::Metrics(args) => metrics::run(&args),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "sqswatch", &mut std::io::stdout());
            0
        }
    }
}

/// Prints what ended a command to standard error, with all its causes, and gives the exit code.
fn fail(error: &dyn std::error::Error) -> u8 {
    eprintln!("error: {}", chain(error));
    FAILED
}

/// An error with its causes, each once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_means_run() {
        let cli = Cli::parse_from(["sqswatch", "--config", "x.yaml"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.run.path(), Path::new("x.yaml"));
        assert!(Cli::try_parse_from(["sqswatch", "runn"]).is_err());
    }
}
