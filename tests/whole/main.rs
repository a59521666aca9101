//! The tests of the whole: the real program against servers that nobody here wrote, and against the simulator where
//! it must fail on demand.
//!
//! One binary with a module a theme, so that it links once. `peer.rs` starts third-party servers, `daemon.rs` sqswatch itself,
//! `eventually.rs` waits for conditions instead of sleeping. Every port is free when it is taken, every process ends with
//! its test, and a peer that is not installed is a failure that says how to install it.

mod aws;
mod daemon;
mod eventually;
mod exposition;
mod peer;
mod process;
mod shop;

/// The scripted receiver of the unit tests.
#[allow(dead_code)] // not every act is needed here
#[path = "../../src/notify/fixture/receiver.rs"]
mod receiver;

/// What reads the dashboards.
#[path = "../names/grafana.rs"]
mod grafana;

mod alerting;
mod alertmanager;
mod backtest;
mod blindness;
mod boto3;
mod browser;
mod chat;
mod clock;
mod commands;
mod composites;
mod custom_metrics;
mod demo;
mod deploy;
mod disk;
mod durability;
mod ending;
mod formats;
mod heartbeat;
mod history;
mod kill;
mod localstack;
mod ministack;
mod moto;
mod prometheus;
mod receivers;
mod reload;
mod rules;
mod silences;
