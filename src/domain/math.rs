//! Metric math: one expression over several metrics, as the alarm looks at it: one value a period.
//!
//! The subset of CloudWatch's that the specification lists (user guide, using-metric-math). Missing is 0 in arithmetic between
//! series, a division by zero drops the point, and one thing is added that CloudWatch need not know: a point that was
//! not read is unknown, and so is everything that is computed from it.

mod error;
mod evaluate;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::MathError;

use super::rule::{MetricRef, Statistic};

/// How many metrics an expression can look at (PutMetricAlarm: at most 10 metrics).
pub const MAX_INPUTS: usize = 10;

/// How long an expression can be, in characters (PutMetricAlarm, MetricDataQuery: Expression).
pub const MAX_LENGTH: usize = 2048;

/// How deep calls and parentheses can be nested.
const MAX_DEPTH: usize = 64;

/// A checked expression with the metrics it looks at. Its value is one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Math {
    /// As the user wrote it.
    pub text: Arc<str>,
    /// What the names in it stand for; each is used.
    pub inputs: Vec<Input>,
    /// The same, understood.
    pub expression: Node,
}

/// A metric under the name that the expression has for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// A lower-case letter, then letters, digits and `_` (MetricDataQuery: Id).
    pub id: Arc<str>,
    /// A metric of the queue, or a custom one; never an expression.
    pub metric: MetricRef,
    /// How the values of a period become one.
    pub statistic: Statistic,
}

/// One period of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Not read: it may be missing or have any value.
    Unknown,
    /// Read, and there is none.
    Missing,
    /// Its value; finite.
    Value(f64),
}

impl Cell {
    /// A number as a cell: what is not finite is no point.
    fn of(value: f64) -> Self {
        if value.is_finite() { Self::Value(value) } else { Self::Missing }
    }
}

/// What an expression or a part of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The same number at every instant.
    Scalar,
    /// One number a period.
    Series,
    /// Several series.
    Array,
}

/// A part of an expression. Series are by their position in [`Math::inputs`].
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// The same number at every instant.
    Number(f64),
    /// A metric.
    Input(usize),
    /// The sign.
    Negate(Box<Node>),
    /// Two parts with an operator between them.
    Binary(Operator, Box<Node>, Box<Node>),
    /// `ABS`, `CEIL`, `FLOOR`
    Round(Rounding, Box<Node>),
    /// `DIFF` and, over the seconds in between, `RATE`.
    Change {
        /// What changes.
        of: Box<Node>,
        /// Whether it is `RATE`.
        per_second: bool,
    },
    /// `FILL`
    Fill(Box<Node>, Filling),
    /// `IF(condition, then, or)`
    If(Box<Node>, Box<Node>, Option<Box<Node>>),
    /// `MIN`, `MAX`, `SUM`, `AVG` over series; at least one.
    Aggregate(Aggregate, Vec<Node>),
}

/// What stands between two parts. Comparisons give 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// What is done to each point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Rounding {
    Absolute,
    Ceiling,
    Floor,
}

/// What stands in for a gap.
#[derive(Clone, Debug, PartialEq)]
pub enum Filling {
    /// A number, or another series' point.
    With(Box<Node>),
    /// The point before it.
    Repeat,
}

/// How several series become one, of what is there at each instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Aggregate {
    Minimum,
    Maximum,
    Sum,
    Average,
}

impl Math {
    /// Understands `text` over `inputs`.
    ///
    /// # Errors
    /// Every fault with its position, in the order of the text; after a fault of the grammar nothing more is looked for.
    pub fn parse(text: &str, inputs: Vec<Input>) -> Result<Self, Vec<MathError>> {
        let expression = parser::parse(text, &inputs)?;
        Ok(Self { text: text.into(), inputs, expression })
    }

    /// Whether it looks at a period before the one it is computed for.
    pub fn looks_back(&self) -> bool {
        self.expression.looks_back()
    }
}

impl Node {
    fn looks_back(&self) -> bool {
        match self {
            Self::Number(_) | Self::Input(_) => false,
            Self::Negate(of) | Self::Round(_, of) => of.looks_back(),
            Self::Binary(_, left, right) => left.looks_back() || right.looks_back(),
            Self::Change { .. } | Self::Fill(_, Filling::Repeat) => true,
            Self::Fill(of, Filling::With(with)) => of.looks_back() || with.looks_back(),
            Self::If(condition, then, or) => {
                condition.looks_back() || then.looks_back() || or.as_ref().is_some_and(|or| or.looks_back())
            }
            Self::Aggregate(_, parts) => parts.iter().any(Self::looks_back),
        }
    }
}
