//! Metric math as PromQL: each node becomes a vector of the alarm's subjects, or a number.
//!
//! Between two series CloudWatch counts a missing point as 0. That is written out where the expression itself makes gaps (an `IF`
//! without an else, a division); a metric that is not there at all leaves the whole without a value, which is noted.

use std::time::Duration;

use super::Cannot;
use super::datapoint::{Datapoints, step};
use super::promql::{Expr, Grid, number};
use crate::domain::math::{Aggregate, Filling, Math, Node, Operator, Rounding};
use crate::domain::rule::MetricRef;

/// Longer expressions are refused, in bytes: nobody could read them, nor would a server like to run them.
const LONGEST: usize = 16 << 10;

/// Up to how many periods are written out to find the newest that has a value.
const MOST_REPEATED: u32 = 6;

/// An expression over the metrics of one alarm.
pub struct Formula<'a> {
    /// The expression.
    pub math: &'a Math,
    /// Its metrics' datapoints.
    pub datapoints: Datapoints<'a>,
    /// How far back a point is sought that repeats.
    pub reach: Duration,
}

/// A vector, and whether the expression makes gaps in it.
struct Part {
    expr: Expr,
    gaps: bool,
}

/// What a node becomes.
enum Value {
    Number(f64),
    Series(Part),
}

impl Value {
    fn expr(&self) -> Expr {
        match self {
            Self::Number(value) => number(*value),
            Self::Series(part) => part.expr.clone(),
        }
    }

    fn gaps(&self) -> bool {
        matches!(self, Self::Series(part) if part.gaps)
    }
}

/// What has a value while a condition holds, and what while it does not; neither where it is a gap.
struct Both {
    holds: Expr,
    fails: Expr,
    gaps: bool,
}

fn series(expr: Expr, gaps: bool) -> Value {
    Value::Series(Part { expr, gaps })
}

impl Formula<'_> {
    /// The value of the period that ended `offset` ago.
    ///
    /// # Errors
    /// Why a part cannot be said.
    pub fn value(&self, offset: Duration, notes: &mut Vec<String>) -> Result<Expr, Cannot> {
        let found = Translation { formula: self, notes }.value(&self.math.expression, offset)?;
        Ok(found.expr())
    }
}

struct Translation<'a> {
    formula: &'a Formula<'a>,
    notes: &'a mut Vec<String>,
}

impl Translation<'_> {
    /// Parts are repeated where they have gaps, so that nesting makes an expression long very fast.
    fn value(&mut self, node: &Node, offset: Duration) -> Result<Value, Cannot> {
        if let Some(constant) = node.constant() {
            return Ok(Value::Number(constant));
        }
        let value = self.series(node, offset)?;
        if value.expr().text().len() > LONGEST {
            return Err(Cannot::TooLong);
        }
        Ok(value)
    }

    fn series(&mut self, node: &Node, offset: Duration) -> Result<Value, Cannot> {
        let formula = self.formula;
        Ok(match node {
            Node::Number(value) => Value::Number(*value),
            Node::Input(index) => {
                let input = formula.math.inputs.get(*index).ok_or(Cannot::NoValue)?;
                series(formula.datapoints.value(&input.metric, input.statistic, offset)?, false)
            }
            Node::Negate(of) => {
                let of = self.value(of, offset)?;
                series(Expr::tight(format!("-{}", of.expr().operand())), of.gaps())
            }
            Node::Round(rounding, of) => {
                let of = self.value(of, offset)?;
                series(of.expr().call(function(*rounding)), of.gaps())
            }
            Node::Binary(operator, left, right) => {
                let (left, right) = (self.value(left, offset)?, self.value(right, offset)?);
                self.binary(*operator, &left, &right)?
            }
            Node::Change { of, per_second } => self.change(of, *per_second, offset)?,
            Node::Fill(of, filling) => self.fill(of, filling, offset)?,
            Node::If(condition, then, or) => self.choice((condition, then, or.as_deref()), offset)?,
            Node::Aggregate(aggregate, parts) => self.gathered(*aggregate, parts, offset)?,
        })
    }

    fn binary(&mut self, operator: Operator, left: &Value, right: &Value) -> Result<Value, Cannot> {
        let (l, r) = self.beside(left, right);
        let gaps = match (left, right) {
            (Value::Series(left), Value::Series(right)) => left.gaps && right.gaps,
            (left, right) => left.gaps() || right.gaps(),
        };
        let truth = |of: &Expr| of.with("!= bool", &number(0.0));
        Ok(match operator {
            Operator::Divide => match right {
                Value::Number(0.0) => return Err(Cannot::NoValue),
                Value::Number(_) => series(l.with("/", &r), gaps),
                Value::Series(part) => series(l.with("/", &part.expr.with("!=", &number(0.0))), true),
            },
            // Only a negative or broken exponent makes what is no finite number.
            Operator::Power => match right {
                Value::Number(exponent) if *exponent >= 0.0 && exponent.fract() == 0.0 => {
                    series(l.with("^", &r), gaps)
                }
                _ => series(finite(&l.with("^", &r)), true),
            },
            Operator::And => series(truth(&l).with("*", &truth(&r)), gaps),
            Operator::Or => series(truth(&l).with("+", &truth(&r)).with("> bool", &number(0.0)), gaps),
            plain => series(l.with(symbol(plain), &r), gaps),
        })
    }

    /// Both operands, with 0 for the gaps that the expression makes in one of two series.
    fn beside(&mut self, left: &Value, right: &Value) -> (Expr, Expr) {
        let (Value::Series(l), Value::Series(r)) = (left, right) else { return (left.expr(), right.expr()) };
        self.note(
            "Where one of its metrics has no value the expression has none; CloudWatch counts it as 0.",
        );
        let filled = |part: &Part, other: &Part| match part.gaps {
            true => part.expr.also("or", &constant(&other.expr, 0.0)),
            false => part.expr.clone(),
        };
        (filled(l, r), filled(r, l))
    }

    fn change(&mut self, of: &Node, per_second: bool, offset: Duration) -> Result<Value, Cannot> {
        let period = self.formula.datapoints.period;
        let (now, before) = (self.value(of, offset)?, self.value(of, offset + period)?);
        self.note("`DIFF` and `RATE` look one period back, not to the newest point before.");
        let difference = now.expr().with("-", &before.expr());
        let change = match per_second {
            true => difference.with("/", &number(period.as_secs_f64())),
            false => difference,
        };
        Ok(series(change, true))
    }

    fn fill(&mut self, of: &Node, filling: &Filling, offset: Duration) -> Result<Value, Cannot> {
        match filling {
            Filling::With(with) => {
                let (of, with) = (self.value(of, offset)?, self.value(with, offset)?);
                let filling = match &with {
                    Value::Series(part) => part.expr.clone(),
                    Value::Number(value) => constant(&self.present()?, *value),
                };
                Ok(series(of.expr().also("or", &filling), of.gaps() && with.gaps()))
            }
            Filling::Repeat => self.repeat(of, offset),
        }
    }

    /// The newest value there is. Periods of several minutes are written out, so that none in between is found.
    fn repeat(&mut self, of: &Node, offset: Duration) -> Result<Value, Cannot> {
        let Formula { datapoints, reach, .. } = *self.formula;
        let (step, period) = (step(datapoints.period), datapoints.period);
        let points = (reach.as_secs() / period.as_secs().max(1)) as u32;
        let newest = self.value(of, offset)?;
        if period > step && points <= MOST_REPEATED {
            let mut all = newest.expr();
            for back in 1..points {
                all = all.also("or", &self.value(of, offset + period * back)?.expr());
            }
            return Ok(series(all, newest.gaps()));
        }
        if period > step {
            self.note("`FILL(m, REPEAT)` also finds periods that end between two of the alarm's.");
        }
        let window = Grid { reach, step, offset }.of(&self.value(of, Duration::ZERO)?.expr());
        Ok(series(Expr::closed(format!("last_over_time({window})")), newest.gaps()))
    }

    /// The subjects of the alarm, with any value.
    fn present(&self) -> Result<Expr, Cannot> {
        let metrics: Vec<&MetricRef> = self.formula.math.inputs.iter().map(|input| &input.metric).collect();
        self.formula.datapoints.presence(&metrics).ok_or(Cannot::NoValue)
    }

    fn choice(
        &mut self,
        (condition, then, or): (&Node, &Node, Option<&Node>),
        offset: Duration,
    ) -> Result<Value, Cannot> {
        if let Some(constant) = condition.constant() {
            let chosen = if constant != 0.0 { Some(then) } else { or };
            return self.value(chosen.ok_or(Cannot::NoValue)?, offset);
        }
        let both = self.both_ways(condition, offset)?;
        // `IF(a > 0, a)` is what the comparison leaves of `a`.
        let itself = matches!(condition, Node::Binary(operator, left, _) if comparison(*operator).is_some() && **left == *then);
        let value = self.value(then, offset)?;
        let then = if itself { both.holds } else { chosen(&value, &both.holds) };
        let Some(or) = or else { return Ok(series(then, true)) };
        let or = self.value(or, offset)?;
        let gaps = both.gaps || value.gaps() || or.gaps();
        Ok(series(then.also("or", &chosen(&or, &both.fails)), gaps))
    }

    fn both_ways(&mut self, condition: &Node, offset: Duration) -> Result<Both, Cannot> {
        if let Node::Binary(operator, left, right) = condition
            && let Some((holds, fails)) = comparison(*operator)
        {
            let (left, right) = (self.value(left, offset)?, self.value(right, offset)?);
            let gaps = left.gaps() || right.gaps();
            let (left, right) = self.beside(&left, &right);
            return Ok(Both { holds: left.with(holds, &right), fails: left.with(fails, &right), gaps });
        }
        let condition = self.value(condition, offset)?;
        let (gaps, condition, zero) = (condition.gaps(), condition.expr(), number(0.0));
        Ok(Both { holds: condition.with("!=", &zero), fails: condition.with("==", &zero), gaps })
    }

    fn gathered(&mut self, aggregate: Aggregate, parts: &[Node], offset: Duration) -> Result<Value, Cannot> {
        let parts: Vec<Value> =
            parts.iter().map(|part| self.value(part, offset)).collect::<Result<_, Cannot>>()?;
        let gaps = parts.iter().all(Value::gaps);
        let numbered = parts.iter().enumerate().map(|(index, part)| {
            format!("label_replace({}, \"metric\", \"{}\", \"\", \"\")", part.expr().text(), index + 1)
        });
        let all = numbered.collect::<Vec<_>>().join(" or ");
        let name = match aggregate {
            Aggregate::Minimum => "min",
            Aggregate::Maximum => "max",
            Aggregate::Sum => "sum",
            Aggregate::Average => "avg",
        };
        let labels = self.formula.datapoints.subject.labels();
        Ok(series(Expr::closed(format!("{name} by ({labels}) ({all})")), gaps))
    }

    fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|note| note == text) {
            self.notes.push(text.to_owned());
        }
    }
}

/// `of` where it is a finite number.
fn finite(of: &Expr) -> Expr {
    of.also("and", &of.call("abs").with("<", &Expr::closed("+Inf")))
}

/// `value` wherever `of` has one.
fn constant(of: &Expr, value: f64) -> Expr {
    let zero = Expr::tight(format!("0 * {}", of.operand()));
    if value == 0.0 { zero } else { Expr::tight(format!("{} + {}", zero.text(), number(value).operand())) }
}

/// `value` where `when` has any.
fn chosen(value: &Value, when: &Expr) -> Expr {
    match value {
        Value::Number(number) => constant(when, *number),
        Value::Series(part) => part.expr.also("and", when),
    }
}

fn function(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::Absolute => "abs",
        Rounding::Ceiling => "ceil",
        Rounding::Floor => "floor",
    }
}

/// A comparison and its opposite.
fn comparison(operator: Operator) -> Option<(&'static str, &'static str)> {
    Some(match operator {
        Operator::Equal => ("==", "!="),
        Operator::NotEqual => ("!=", "=="),
        Operator::Less => ("<", ">="),
        Operator::LessOrEqual => ("<=", ">"),
        Operator::Greater => (">", "<="),
        Operator::GreaterOrEqual => (">=", "<"),
        _ => return None,
    })
}

fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Power => "^",
        Operator::Equal => "== bool",
        Operator::NotEqual => "!= bool",
        Operator::Less => "< bool",
        Operator::LessOrEqual => "<= bool",
        Operator::Greater => "> bool",
        Operator::GreaterOrEqual => ">= bool",
        Operator::And => "and",
        Operator::Or => "or",
    }
}
