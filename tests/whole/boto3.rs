//! The simulator as boto3 sees it: a client that nobody here wrote agrees with what it answers.

use std::process::Command;

use sqswatch::simulator::{Options, Simulator};

use crate::peer::peers;

#[tokio::test]
async fn boto3_gets_from_the_simulator_what_it_would_get_from_aws() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let mut command = Command::new(peers().join("boto3/bin/python"));
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/boto3_simulator.py"))
        .arg(simulator.endpoint_url())
        .env_remove("AWS_CA_BUNDLE")
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.expect("boto3's Python runs; `scripts/peers.sh install boto3` installs it");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("all as expected"), "{said}");
}
