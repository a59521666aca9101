//! What is wrong with an expression, and where.

use std::fmt;

/// One fault of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MathError {
    /// The character where it is seen, from 1.
    pub position: usize,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to do; empty when the message says it all.
    pub hint: String,
}

impl MathError {
    pub(super) fn new(position: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { position, message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for MathError {
    /// ``at character 4: `)` is expected, not `,` ``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.position, self.message)
    }
}

impl std::error::Error for MathError {}
