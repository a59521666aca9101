//! sqswatch watches Amazon SQS, exports to Prometheus, judges alarms with CloudWatch's verdicts, and pages people.
//!
//! This is the map of the house. Data flows one way:
//!
//! ```text
//! watch -> board -> judge -> store -> notify        web only reads
//! ```
//!
//! | room | owns |
//! |---|---|
//! | [`domain`] | what a queue, a metric, an alarm and a debt are; pure |
//! | [`config`] | the file the user wrote, checked |
//! | [`aws`] | the only rooms that know the SDK: clients, SQS, CloudWatch, failures |
//! | [`board`] | the shared picture of now |
//! | [`clock`] | the only reader of the wall clock |
//! | [`watch`] | the workers that read AWS and write the board |
//! | [`simulator`] | an in-process AWS on loopback, for `demo`, tests and benches |

pub mod aws;
pub mod board;
pub mod clock;
pub mod config;
pub mod domain;
pub mod simulator;
pub mod telemetry;
pub mod watch;
