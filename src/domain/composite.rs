//! Composite alarms: an expression over the states of other alarms, as CloudWatch's PutCompositeAlarm defines it.
//!
//! CloudWatch's children are single alarms; here a child is a rule, which may stand for as many alarms as it selects queues.
//! What the expression asks is therefore answered in one of two [`Scope`]s: by each child as a whole, or queue by queue. An
//! answer may be *unknown* (just started, not everything listed): logic of three values then says whether the expression is
//! decided all the same, and if it is not, the composite alarm keeps its state. So nothing resolves a page for
//! the reason alone that the children are not known yet.

mod lexer;
mod order;
mod parser;
mod reason;
mod standing;
mod suppression;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::State;

pub use order::{Cycle, cycles, in_order};
pub use parser::{Fault, Parsed, Reference, parse};
pub use standing::{Member, Standing, View};
pub use suppression::Suppressing;

/// CloudWatch's limit for AlarmRule, in characters.
pub const MOST_CHARACTERS: usize = 10_240;
/// CloudWatch's limit for the alarms that one rule looks at.
pub const MOST_CHILDREN: usize = 100;
/// CloudWatch's limit for child alarms (each time they are named), `TRUE`s, `FALSE`s and pairs of grouping parentheses together.
pub const MOST_ELEMENTS: usize = 500;

/// The definition of a composite alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    /// The expression as the user wrote it.
    pub text: Arc<str>,
    /// The same, understood.
    pub expression: Expression,
    /// What one alarm of it looks at.
    pub scope: Scope,
    /// An alarm that holds the notifications back while it is in ALARM.
    pub suppressor: Option<Suppressor>,
}

impl Composite {
    /// The names of all rules that must be judged before it: children and suppressor. A name may come twice.
    pub fn looks_at(&self) -> Vec<&Arc<str>> {
        let mut names = Vec::new();
        self.expression.names(&mut names);
        names.extend(self.suppressor.iter().map(|suppressor| &suppressor.alarm));
        names
    }
}

/// What one alarm of a composite rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each child as a whole: in ALARM when any of its alarms is, else in INSUFFICIENT_DATA when any is or it has none, else in
    /// OK. The rule stands for one alarm.
    Whole,
    /// One queue: a child that judges queues counts with its alarm on that very queue (INSUFFICIENT_DATA when it has none there),
    /// any other as a whole. The rule stands for as many alarms as it selects queues.
    EachQueue,
}

/// A boolean expression over alarm states. NOT binds closest, then AND, then OR.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// `ALARM(name)`, `OK(name)` or `INSUFFICIENT_DATA(name)`.
    Is(State, Arc<str>),
    /// `AT_LEAST(2, ALARM, (a, b, c))`
    AtLeast(AtLeast),
    /// `NOT x`
    Not(Box<Expression>),
    /// `x AND y ...`; at least two.
    And(Vec<Expression>),
    /// `x OR y ...`; at least two.
    Or(Vec<Expression>),
}

/// That so many of these alarms are in a state, or are not.
#[derive(Clone, Debug, PartialEq)]
pub struct AtLeast {
    /// How many.
    pub quorum: Quorum,
    /// Whether they must not be in `state` (`NOT ALARM`).
    pub negated: bool,
    /// The state.
    pub state: State,
    /// Which alarms; at least one, none twice.
    pub names: Vec<Arc<str>>,
}

/// How many alarms are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// This many.
    Count(u32),
    /// This part of them in percent, 1 to 100.
    Percent(u32),
}

impl Quorum {
    /// How many of `all` are enough.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Percent(percent) => (all * percent as usize).div_ceil(100),
        }
    }
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

/// Whether the alarm of this name is in this state; `None` when it is not known.
pub type Answers<'a> = dyn Fn(State, &str) -> Option<bool> + 'a;

impl Expression {
    /// Whether it is true. `None` when that depends on answers that are not known.
    pub fn holds(&self, is: &Answers<'_>) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Is(state, name) => is(*state, name),
            Self::AtLeast(at_least) => at_least.holds(is),
            Self::Not(inner) => inner.holds(is).map(|value| !value),
            Self::And(terms) => all(terms.iter().map(|term| term.holds(is))),
            Self::Or(terms) => {
                all(terms.iter().map(|term| term.holds(is).map(|value| !value))).map(|none| !none)
            }
        }
    }

    /// Adds every name in it, in the order they stand.
    fn names<'a>(&'a self, names: &mut Vec<&'a Arc<str>>) {
        match self {
            Self::Constant(_) => {}
            Self::Is(_, name) => names.push(name),
            Self::AtLeast(at_least) => names.extend(&at_least.names),
            Self::Not(inner) => inner.names(names),
            Self::And(terms) | Self::Or(terms) => terms.iter().for_each(|term| term.names(names)),
        }
    }
}

impl AtLeast {
    fn holds(&self, is: &Answers<'_>) -> Option<bool> {
        let answers = self.names.iter().map(|name| is(self.state, name).map(|value| value != self.negated));
        let (mut yes, mut open) = (0, 0);
        for answer in answers {
            yes += usize::from(answer == Some(true));
            open += usize::from(answer.is_none());
        }
        let enough = self.quorum.of(self.names.len());
        if yes >= enough {
            Some(true)
        } else if yes + open < enough {
            Some(false)
        } else {
            None
        }
    }
}

/// Whether all are true: one that is false decides, whatever the unknown ones are.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

impl fmt::Display for Expression {
    /// In CloudWatch's grammar, with no more parentheses than it takes to read the same again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(true) => f.write_str("TRUE"),
            Self::Constant(false) => f.write_str("FALSE"),
            Self::Is(state, name) => write!(f, "{state}({})", Name(name)),
            Self::AtLeast(at_least) => write!(f, "{at_least}"),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                inner.within(f, matches!(**inner, Self::And(_) | Self::Or(_)))
            }
            Self::And(terms) => joined(f, terms, " AND ", |term| matches!(term, Self::And(_) | Self::Or(_))),
            Self::Or(terms) => joined(f, terms, " OR ", |term| matches!(term, Self::Or(_))),
        }
    }
}

impl Expression {
    fn within(&self, f: &mut fmt::Formatter<'_>, parentheses: bool) -> fmt::Result {
        if parentheses { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    terms: &[Expression],
    operator: &str,
    is_looser: impl Fn(&Expression) -> bool,
) -> fmt::Result {
    for (position, term) in terms.iter().enumerate() {
        if position > 0 {
            f.write_str(operator)?;
        }
        term.within(f, is_looser(term))?;
    }
    Ok(())
}

impl fmt::Display for AtLeast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quorum {
            Quorum::Count(count) => write!(f, "AT_LEAST({count}, ")?,
            Quorum::Percent(percent) => write!(f, "AT_LEAST({percent}%, ")?,
        }
        if self.negated {
            f.write_str("NOT ")?;
        }
        write!(f, "{}, (", self.state)?;
        for (position, name) in self.names.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{}", Name(name))?;
        }
        f.write_str("))")
    }
}

/// A name as it is written in a rule: in quotes unless it is plain.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return f.write_str(self.0);
        }
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
