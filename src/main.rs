//! The process edge: arguments, signals, exit code.

use std::process::ExitCode;

use clap::Parser;
use sqswatch::cli::{self, Cli, Signals};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            return ExitCode::from(1);
        }
    };
    let code = runtime.block_on(async {
        match Signals::listen() {
            Ok(signals) => cli::dispatch(cli, signals).await,
            Err(error) => {
                eprintln!("error: cannot listen for signals: {error}");
                1
            }
        }
    });
    // What still runs now had its grace; it must not hold the exit up.
    runtime.shutdown_background();
    ExitCode::from(code)
}
