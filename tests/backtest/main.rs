//! Backtests: the command, and every alarm that is built in or shown in the documentation, over data that says when it should
//! fire and when not.

mod command;
mod examples;
