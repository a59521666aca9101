//! Backtests: the command, and every alarm that is built in or shown in the documentation, over data that says when it should
//! fire and when not, and over the same data once more by Prometheus with the rules made of them.

mod command;
mod examples;
mod rules;
