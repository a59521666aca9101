//! The value of an expression over columns of equal length, oldest first.

use std::time::Duration;

use super::{Aggregate, Cell, Filling, Math, Node, Operator, Rounding};

/// A part's value.
enum Value {
    Scalar(f64),
    Series(Vec<Cell>),
}

impl Value {
    fn at(&self, index: usize) -> Cell {
        match self {
            Self::Scalar(number) => Cell::of(*number),
            Self::Series(cells) => cells.get(index).copied().unwrap_or(Cell::Unknown),
        }
    }

    fn is_series(&self) -> bool {
        matches!(self, Self::Series(_))
    }
}

impl Math {
    /// The series of the expression. `columns` are those of [`Math::inputs`], oldest first, of `length` periods each; what a column
    /// lacks is unknown. What the expression would look at before the first period counts as missing.
    pub fn evaluate(&self, columns: &[Vec<Cell>], length: usize, period: Duration) -> Vec<Cell> {
        let scope = Scope { columns, length, period };
        let value = scope.value(&self.expression);
        (0..length).map(|index| value.at(index)).collect()
    }
}

impl Node {
    /// Its value when no series is in it.
    pub fn constant(&self) -> Option<f64> {
        match (Scope { columns: &[], length: 0, period: Duration::ZERO }).value(self) {
            Value::Scalar(number) => Some(number),
            Value::Series(_) => None,
        }
    }
}

struct Scope<'a> {
    columns: &'a [Vec<Cell>],
    length: usize,
    period: Duration,
}

impl Scope<'_> {
    fn value(&self, node: &Node) -> Value {
        match node {
            Node::Number(number) => Value::Scalar(*number),
            Node::Input(input) => Value::Series(self.columns.get(*input).cloned().unwrap_or_default()),
            Node::Negate(of) => self.map(of, |x| -x),
            Node::Round(Rounding::Absolute, of) => self.map(of, f64::abs),
            Node::Round(Rounding::Ceiling, of) => self.map(of, f64::ceil),
            Node::Round(Rounding::Floor, of) => self.map(of, f64::floor),
            Node::Binary(operator, left, right) => {
                self.binary(*operator, &self.value(left), &self.value(right))
            }
            Node::Change { of, per_second } => self.change(&self.value(of), *per_second),
            Node::Fill(of, filling) => self.fill(&self.value(of), filling),
            Node::If(condition, then, or) => self.choice(condition, then, or.as_deref()),
            Node::Aggregate(aggregate, parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.value(part)).collect();
                self.series(|index| gathered(*aggregate, parts.iter().map(|part| part.at(index))))
            }
        }
    }

    fn series(&self, cell: impl Fn(usize) -> Cell) -> Value {
        Value::Series((0..self.length).map(cell).collect())
    }

    fn map(&self, of: &Node, change: fn(f64) -> f64) -> Value {
        match self.value(of) {
            Value::Scalar(number) => Value::Scalar(change(number)),
            of => self.series(|index| match of.at(index) {
                Cell::Value(number) => Cell::of(change(number)),
                gap => gap,
            }),
        }
    }

    fn binary(&self, operator: Operator, left: &Value, right: &Value) -> Value {
        if let (Value::Scalar(left), Value::Scalar(right)) = (left, right) {
            return Value::Scalar(operator.apply(*left, *right));
        }
        let both_series = left.is_series() && right.is_series();
        self.series(|index| match (left.at(index), right.at(index)) {
            (Cell::Unknown, _) | (_, Cell::Unknown) => Cell::Unknown,
            (Cell::Value(left), Cell::Value(right)) => Cell::of(operator.apply(left, right)),
            (Cell::Value(left), Cell::Missing) if both_series => Cell::of(operator.apply(left, 0.0)),
            (Cell::Missing, Cell::Value(right)) if both_series => Cell::of(operator.apply(0.0, right)),
            _ => Cell::Missing,
        })
    }

    /// The difference to the newest earlier point that is there, over the seconds between the two for `RATE`.
    fn change(&self, of: &Value, per_second: bool) -> Value {
        self.series(|index| {
            let Cell::Value(now) = of.at(index) else { return of.at(index) };
            let earlier = (0..index).rev().map(|earlier| (earlier, of.at(earlier)));
            match earlier.into_iter().find(|(_, cell)| *cell != Cell::Missing) {
                Some((earlier, Cell::Value(before))) if per_second => {
                    let seconds = self.period.as_secs_f64() * (index - earlier) as f64;
                    Cell::of((now - before) / seconds)
                }
                Some((_, Cell::Value(before))) => Cell::of(now - before),
                Some(_) => Cell::Unknown,
                None => Cell::Missing,
            }
        })
    }

    fn fill(&self, of: &Value, filling: &Filling) -> Value {
        match filling {
            Filling::With(with) => {
                let with = self.value(with);
                self.series(|index| match of.at(index) {
                    Cell::Missing => with.at(index),
                    there => there,
                })
            }
            Filling::Repeat => self.series(|index| {
                let back = (0..=index).rev().map(|earlier| of.at(earlier));
                back.into_iter().find(|cell| *cell != Cell::Missing).unwrap_or(Cell::Missing)
            }),
        }
    }

    /// Anything but 0 is true. Where the condition is a gap, so is the result.
    fn choice(&self, condition: &Node, then: &Node, or: Option<&Node>) -> Value {
        let (condition, then) = (self.value(condition), self.value(then));
        let or = or.map_or_else(|| self.series(|_| Cell::Missing), |or| self.value(or));
        if let (Value::Scalar(condition), Value::Scalar(then), Value::Scalar(or)) = (&condition, &then, &or) {
            return Value::Scalar(if *condition != 0.0 { *then } else { *or });
        }
        self.series(|index| match condition.at(index) {
            Cell::Value(0.0) => or.at(index),
            Cell::Value(_) => then.at(index),
            gap => gap,
        })
    }
}

/// What is there of several series at one instant; missing only where all are.
fn gathered(aggregate: Aggregate, cells: impl Iterator<Item = Cell>) -> Cell {
    let mut numbers = Vec::new();
    for cell in cells {
        match cell {
            Cell::Unknown => return Cell::Unknown,
            Cell::Missing => {}
            Cell::Value(number) => numbers.push(number),
        }
    }
    if numbers.is_empty() {
        return Cell::Missing;
    }
    let (count, numbers) = (numbers.len() as f64, numbers.into_iter());
    Cell::of(match aggregate {
        Aggregate::Minimum => numbers.fold(f64::INFINITY, f64::min),
        Aggregate::Maximum => numbers.fold(f64::NEG_INFINITY, f64::max),
        Aggregate::Sum => numbers.sum(),
        Aggregate::Average => numbers.sum::<f64>() / count,
    })
}

impl Operator {
    /// A division by zero gives what is not finite, and so no point. Comparisons give 1 or 0.
    fn apply(self, left: f64, right: f64) -> f64 {
        let truth = |is: bool| f64::from(u8::from(is));
        match self {
            Self::Or => truth(left != 0.0 || right != 0.0),
            Self::And => truth(left != 0.0 && right != 0.0),
            Self::Equal => truth(left == right),
            Self::NotEqual => truth(left != right),
            Self::Less => truth(left < right),
            Self::LessOrEqual => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::GreaterOrEqual => truth(left >= right),
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Power => left.powf(right),
        }
    }
}
