//! `sqswatch demo`: the daemon against a simulated AWS in the same process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use tokio::sync::{broadcast, oneshot};

use crate::app::{self, Start};
use crate::aws::clients::Identity;
use crate::clock;
use crate::config::{self, Config, Log, LogFormat};
use crate::logging;
use crate::simulator::{Options, Published, Simulator, World};

use super::{FAILED, Signals, fail};

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where the page listens; without it port 9434, or any free one when that is taken
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Tempo of the simulated shop: 2 is twice as busy and twice as troubled
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Show the daemon's log as well
    #[arg(short, long)]
    verbose: bool,
}

/// What the page asks for before it changes anything; no secret: there is nothing to protect.
const TOKEN: &str = "demo";
/// The region and topic of the demo's world.
const REGION: &str = "eu-west-1";

/// Runs until ctrl-c.
pub(super) async fn run(args: &DemoArgs, signals: Signals) -> u8 {
    if !(args.speed > 0.0 && args.speed <= 100.0) {
        eprintln!("error: `--speed {}` is not between 0 and 100", args.speed);
        return super::USAGE;
    }
    let level = if args.verbose { "info" } else { "error" };
    if let Err(error) = logging::init(&Log { format: LogFormat::Text, level: level.to_owned() }) {
        eprintln!("error: cannot set up the log: {error}");
        return FAILED;
    }
    let options = Options {
        region: REGION.to_owned(),
        world: World::Demo,
        speed: args.speed,
        cloudwatch_delay: Duration::from_secs(60),
        ..Options::default()
    };
    let simulator = match Simulator::start(options).await {
        Ok(simulator) => simulator,
        Err(error) => return fail(&error),
    };
    let topic = simulator.control().create_topic("sqswatch-demo");
    let listen = free_address(args.listen).await;
    let config = match demo_config(&simulator.endpoint_url(), &topic, listen) {
        Ok(config) => config,
        Err(faults) => {
            eprint!("{faults}");
            return FAILED;
        }
    };
    tokio::spawn(print_notifications(simulator.control().watch_published()));
    let (listening, address) = oneshot::channel();
    tokio::spawn(greet(address));
    let start = Start {
        config,
        source: None,
        stop: signals.stop,
        identity: Identity::made_up(),
        hangups: signals.hangups,
        listening: Some(listening),
    };
    let outcome = app::run(start).await;
    simulator.stop().await;
    outcome.map_or_else(|error| fail(&error), |()| 0)
}

/// The wished address, or the usual port on loopback if it is free, or any.
async fn free_address(wished: Option<SocketAddr>) -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 9434));
    match wished {
        Some(address) => address,
        None if tokio::net::TcpListener::bind(usual).await.is_ok() => usual,
        None => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

fn demo_config(endpoint: &str, topic: &str, listen: SocketAddr) -> Result<Config, config::Faults> {
    let text = include_str!("demo.yaml")
        .replace("{endpoint}", endpoint)
        .replace("{topic}", topic)
        .replace("{region}", REGION)
        .replace("{token}", TOKEN)
        .replace("{listen}", &listen.to_string());
    let mut config = config::parse(&text, "demo.yaml", &|_| None)?;
    config.store.path = None; // nothing of a demo is kept
    Ok(config)
}

async fn greet(address: oneshot::Receiver<SocketAddr>) {
    if let Ok(address) = address.await {
        println!("sqswatch watches a simulated shop of queues. Open\n\n    http://{address}/\n");
        println!("or look at http://{address}/metrics. To silence an alarm there, the token is `{TOKEN}`.");
        println!("Notifications appear here; ctrl-c ends the demo.\n");
    }
}

async fn print_notifications(mut published: broadcast::Receiver<Published>) {
    loop {
        match published.recv().await {
            Ok(message) => println!("{}", describe(&message)),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                println!("... {missed} notifications not shown")
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// One line for people: when, what, and the first line of the reason.
fn describe(message: &Published) -> String {
    let time = clock::now().to_string();
    let time = time.get(11..19).unwrap_or(&time);
    let parts: serde_json::Value = serde_json::from_str(&message.message).unwrap_or_default();
    let told = parts.get("default").and_then(serde_json::Value::as_str).unwrap_or_default();
    let told: serde_json::Value = serde_json::from_str(told).unwrap_or_default();
    let text = |path: &str| told.pointer(path).and_then(serde_json::Value::as_str).unwrap_or("?").to_owned();
    format!(
        "{time}  {:<6} {}\n          {}",
        text("/NewStateValue"),
        text("/AlarmName"),
        text("/NewStateReason")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_a_valid_configuration() {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = demo_config("http://127.0.0.1:1", "arn:aws:sns:eu-west-1:123456789012:demo", listen);
        let config = config.unwrap_or_else(|faults| panic!("{faults}"));
        assert!(config.rules.len() >= 5 && config.store.path.is_none());
    }
}
