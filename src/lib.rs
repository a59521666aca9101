//! sqswatch: watches Amazon SQS, exports to Prometheus, judges alarms, pages people.
#![warn(missing_docs)]
pub mod simulator;
