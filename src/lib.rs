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
//! | [`clock`] | the only reader of the wall clock |
//! | [`store`] | what outlives the process: alarm states, debts, counters; one transaction for what belongs together |
//! | [`notify`] | the worker that pays the debts; SNS and webhooks |
//! | [`simulator`] | an in-process AWS on loopback, for `demo`, tests and benches |

pub mod clock;
pub mod config;
pub mod domain;
pub mod notify;
pub mod simulator;
pub mod store;
