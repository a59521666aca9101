//! Composite alarms: an expression over the states of other alarms, as CloudWatch's Create_Composite_Alarm defines it.

use std::sync::Arc;
use std::time::Duration;

use super::alarm::State;

/// The definition of a composite alarm.
///
/// Without `queues` it is one alarm over the whole of each child rule: a child is in ALARM when any of its alarms is, else in
/// INSUFFICIENT_DATA when any of its alarms is or it has none, else in OK. With `queues` there is one for each selected queue, and a
/// child that judges queues counts with its alarm on that queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    /// The expression as the user wrote it.
    pub text: Arc<str>,
    /// The same, understood.
    pub expression: Expression,
    /// An alarm that holds the notifications back while it is in ALARM.
    pub suppressor: Option<Suppressor>,
}

/// A boolean expression over alarm states.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// `ALARM(name)`, `OK(name)` or `INSUFFICIENT_DATA(name)`.
    Is(State, Arc<str>),
    /// `NOT x`
    Not(Box<Expression>),
    /// `x AND y ...`
    And(Vec<Expression>),
    /// `x OR y ...`
    Or(Vec<Expression>),
}

/// CloudWatch's ActionsSuppressor.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressor {
    /// The rule whose ALARM suppresses.
    pub alarm: Arc<str>,
    /// How long a composite that goes to ALARM waits for the suppressor (ActionsSuppressorWaitPeriod).
    pub wait: Duration,
    /// How long the suppression goes on after the suppressor has ended (ActionsSuppressorExtensionPeriod).
    pub extension: Duration,
}
