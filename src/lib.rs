//! sqswatch watches Amazon SQS, exports to Prometheus, judges alarms with CloudWatch's verdicts, and pages people.
//!
//! This is the map of the house. Data flows one way:
//!
//! ```text
//! watch -> board -> judge -> store -> notify        web reads
//! ```
//!
//! | room | owns |
//! |---|---|
//! | [`domain`] | what a queue, a metric, an alarm and a debt are, and every rule about them; pure |
//! | [`config`] | the file the user wrote, checked, every fault with its path |
//! | [`clock`] | the only reader of the wall clock |
//! | [`aws`] | the only room that knows the SDK: clients, SQS, CloudWatch, failures |
//! | [`board`] | the shared picture of now: queues, readings, alarm states, silences |
//! | [`watch`] | workers that read: discovery, attributes, CloudWatch |
//! | [`judge`] | the worker that evaluates alarms and makes changes durable |
//! | [`store`] | the durable state: alarm states, outbox, receipts, counters, silences |
//! | [`notify`] | the worker that delivers what is owed, and one file a destination |
//! | [`web`] | `/metrics`, health, the API (silences are made here), the page |
//! | [`address`] | the addresses of pages, for pages and notifications |
//! | [`telemetry`] | the daemon's own metrics |
//! | [`logging`] | the log |
//! | [`app`] | wires all of these, supervises, reloads, drains |
//! | [`backtest`] | the alarms over recorded datapoints |
//! | [`rules`] | the alarms as Prometheus alerting rules |
//! | [`cli`] | the commands |
//! | [`simulator`] | an in-process AWS on loopback, for `demo`, tests and benches; knows no other room |

pub mod address;
pub mod app;
pub mod aws;
pub mod backtest;
pub mod board;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod judge;
pub mod logging;
pub mod notify;
pub mod rules;
pub mod simulator;
pub mod store;
pub mod telemetry;
pub mod watch;
pub mod web;
