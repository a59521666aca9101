//! The pure heart: what a queue, a metric, an alarm and a debt are, and every rule about them.
//!
//! Nothing in here waits, reads a clock, opens a file, or knows an SDK: `now` is an argument, so that
//! every rule can be tested as a table. `tests/purity.rs` holds this.

pub mod advice;
pub mod alarm;
pub mod backoff;
pub mod composite;
pub mod cost;
pub mod counter;
pub mod derived;
pub mod evaluate;
pub mod flapping;
pub mod growth;
pub mod history;
pub mod hold;
pub mod maintenance;
pub mod math;
pub mod metric;
pub mod notification;
pub mod outbox;
pub mod queue;
pub mod rule;
pub mod schedule;
pub mod series;
pub mod silence;
pub mod telling;
pub mod time;
pub mod topology;
