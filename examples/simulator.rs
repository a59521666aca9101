//! Runs the simulator until Ctrl-C: `cargo run --example simulator -- [address] [empty|demo|synthetic=N] [speed]`.
//!
//! Benches use it as the other process; `curl -X POST ADDRESS/_simulator/faults -d '{"kind":"throttle"}'` injects a
//! fault, DELETE clears them, GET ADDRESS/_simulator/requests counts what was asked.

use std::env;
use std::error::Error;

use sqswatch::simulator::{Options, Simulator, World};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:4566".to_owned()).parse()?;
    let world = world(&arguments.next().unwrap_or_else(|| "demo".to_owned()))?;
    let speed = arguments.next().map_or(Ok(1.0), |speed| speed.parse())?;
    let simulator = Simulator::start(Options { listen, world, speed, ..Options::default() }).await?;
    println!("{}", simulator.endpoint_url());
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}

fn world(text: &str) -> Result<World, Box<dyn Error>> {
    match text.split_once('=') {
        None if text == "empty" => Ok(World::Empty),
        None if text == "demo" => Ok(World::Demo),
        Some(("synthetic", queues)) => Ok(World::Synthetic { queues: queues.parse()? }),
        _ => Err(format!("no world `{text}`; hint: `empty`, `demo` or `synthetic=1000`").into()),
    }
}
