//! The grammar, and what each part of an expression is: a number, a series, or several series.
//!
//! From loose to tight: `OR`, `AND`, `== !=`, `< <= > >=`, `+ -`, `* /`, the sign, `^` (from the right). A fault of kind (a series
//! where several are wanted) is noted and reading goes on; a fault of the grammar ends it.

use super::lexer::{self, Token, Word};
use super::{Aggregate, Filling, Input, Kind, MAX_DEPTH, MAX_LENGTH, MathError, Node, Operator, Rounding};

const FUNCTIONS: &str = "ABS, AVG, CEIL, DIFF, FILL, FLOOR, IF, MAX, METRICS, MIN, RATE, SUM";

/// Understands `text`, whose value must be one series; every input must be used.
pub(super) fn parse(text: &str, inputs: &[Input]) -> Result<Node, Vec<MathError>> {
    let length = text.chars().count();
    if length > MAX_LENGTH {
        let message = format!("the expression has {length} characters; at most {MAX_LENGTH} are allowed");
        return Err(vec![MathError::new(MAX_LENGTH + 1, message, "split it into several alarms")]);
    }
    let words = lexer::words(text).map_err(|error| vec![error])?;
    let mut parser = Parser { words: &words, inputs, used: vec![false; inputs.len()], faults: Vec::new() };
    match parser.whole() {
        Ok(node) if parser.faults.is_empty() => Ok(node),
        Ok(_) => Err(parser.faults),
        Err(error) => {
            parser.faults.push(error);
            Err(parser.faults)
        }
    }
}

struct Parser<'a> {
    /// What is left; the last is always [`Word::End`].
    words: &'a [Token<'a>],
    inputs: &'a [Input],
    used: Vec<bool>,
    faults: Vec<MathError>,
}

/// A part with its kind and the character it starts at.
struct Part {
    node: Vec<Node>,
    kind: Kind,
    position: usize,
}

impl Part {
    fn new(node: Node, kind: Kind, position: usize) -> Self {
        Self { node: vec![node], kind, position }
    }

    /// The part as one node. A list in its place was refused before, so that any node will do.
    fn one(self) -> Box<Node> {
        Box::new(self.node.into_iter().next().unwrap_or(Node::Number(0.0)))
    }
}

impl<'a> Parser<'a> {
    fn whole(&mut self) -> Result<Node, MathError> {
        let part = self.binary(0, 0)?;
        let end = &self.words[0];
        if end.word != Word::End {
            return Err(self.unexpected("an operator or the end"));
        }
        match part.kind {
            Kind::Series => {}
            Kind::Scalar => {
                self.note(part.position, "the result is a number", "an alarm needs a series: use a metric")
            }
            Kind::Array => {
                self.note(
                    part.position,
                    "the result is several series",
                    "an alarm needs one: `SUM(METRICS())`",
                );
            }
        }
        for (input, _) in self.inputs.iter().zip(&self.used).filter(|(_, used)| !**used) {
            let message = format!("`{}` is not used", input.id);
            self.faults.push(MathError::new(1, message, "leave it out of `metrics`, or use it"));
        }
        Ok(*part.one())
    }

    /// Operators at least as tight as `level`.
    fn binary(&mut self, level: usize, depth: usize) -> Result<Part, MathError> {
        const LEVELS: [&[Operator]; 6] = [
            &[Operator::Or],
            &[Operator::And],
            &[Operator::Equal, Operator::NotEqual],
            &[Operator::Less, Operator::LessOrEqual, Operator::Greater, Operator::GreaterOrEqual],
            &[Operator::Add, Operator::Subtract],
            &[Operator::Multiply, Operator::Divide],
        ];
        let Some(operators) = LEVELS.get(level) else { return self.signed(depth) };
        let mut left = self.binary(level + 1, depth)?;
        while let Word::Operator(operator) = self.words[0].word
            && operators.contains(&operator)
        {
            self.next();
            let right = self.binary(level + 1, depth)?;
            left = self.joined(operator, left, right);
        }
        Ok(left)
    }

    fn signed(&mut self, depth: usize) -> Result<Part, MathError> {
        let position = self.words[0].position;
        match self.words[0].word {
            Word::Operator(Operator::Subtract) => {
                self.next();
                let of = self.deeper(depth)?;
                let of = self.signed(of)?;
                let kind = self.no_list(&of);
                Ok(Part::new(Node::Negate(of.one()), kind, position))
            }
            _ => self.power(depth),
        }
    }

    fn power(&mut self, depth: usize) -> Result<Part, MathError> {
        let base = self.primary(depth)?;
        if self.words[0].word != Word::Operator(Operator::Power) {
            return Ok(base);
        }
        self.next();
        let depth = self.deeper(depth)?;
        let exponent = self.signed(depth)?;
        Ok(self.joined(Operator::Power, base, exponent))
    }

    fn joined(&mut self, operator: Operator, left: Part, right: Part) -> Part {
        let kinds = [self.no_list(&left), self.no_list(&right)];
        let kind = if kinds.contains(&Kind::Series) { Kind::Series } else { Kind::Scalar };
        let position = left.position;
        Part::new(Node::Binary(operator, left.one(), right.one()), kind, position)
    }

    fn primary(&mut self, depth: usize) -> Result<Part, MathError> {
        let Token { position, word } = self.words[0].clone();
        match word {
            Word::Number(number) => {
                self.next();
                Ok(Part::new(Node::Number(number), Kind::Scalar, position))
            }
            Word::Open => {
                self.next();
                let depth = self.deeper(depth)?;
                let inner = self.binary(0, depth)?;
                self.expect(Word::Close)?;
                Ok(inner)
            }
            Word::OpenList => self.list(depth),
            Word::Name(name) => {
                self.next();
                if self.words[0].word == Word::Open {
                    self.call(name, position, depth)
                } else {
                    self.input(name, position)
                }
            }
            _ => Err(self.unexpected("a number, a metric, a function or `(`")),
        }
    }

    fn input(&mut self, name: &str, position: usize) -> Result<Part, MathError> {
        let Some(index) = self.inputs.iter().position(|input| &*input.id == name) else {
            let is_function = FUNCTIONS.split(", ").any(|function| function == name);
            let hint = if is_function {
                format!("call it: `{name}(...)`")
            } else {
                format!("`metrics` has {}", self.ids())
            };
            self.note(position, format!("`{name}` is no metric of this alarm"), hint);
            return Ok(Part::new(Node::Number(0.0), Kind::Series, position));
        };
        self.used[index] = true;
        Ok(Part::new(Node::Input(index), Kind::Series, position))
    }

    fn ids(&self) -> String {
        let ids: Vec<String> = self.inputs.iter().map(|input| format!("`{}`", input.id)).collect();
        if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
    }

    fn list(&mut self, depth: usize) -> Result<Part, MathError> {
        let position = self.words[0].position;
        self.next();
        let depth = self.deeper(depth)?;
        let mut node = Vec::new();
        loop {
            let part = self.binary(0, depth)?;
            self.wants(&part, Kind::Series, "a list holds series");
            node.extend(part.node);
            if self.words[0].word != Word::Comma {
                break;
            }
            self.next();
        }
        self.expect(Word::CloseList)?;
        Ok(Part { node, kind: Kind::Array, position })
    }

    fn call(&mut self, name: &str, position: usize, depth: usize) -> Result<Part, MathError> {
        self.expect(Word::Open)?;
        let depth = self.deeper(depth)?;
        let part = match name {
            "METRICS" => self.metrics(position),
            "ABS" => self.rounding(Rounding::Absolute, depth),
            "CEIL" => self.rounding(Rounding::Ceiling, depth),
            "FLOOR" => self.rounding(Rounding::Floor, depth),
            "RATE" | "DIFF" => self.change(name == "RATE", depth),
            "FILL" => self.fill(depth),
            "IF" => self.choice(depth),
            "MIN" => self.aggregate(Aggregate::Minimum, name, depth),
            "MAX" => self.aggregate(Aggregate::Maximum, name, depth),
            "SUM" => self.aggregate(Aggregate::Sum, name, depth),
            "AVG" => self.aggregate(Aggregate::Average, name, depth),
            _ => return Err(unknown_function(name, position)),
        };
        let part = part?;
        self.expect(Word::Close)?;
        Ok(Part { position, ..part })
    }

    /// `METRICS()` is every metric, `METRICS("x")` those with `x` in their names.
    fn metrics(&mut self, position: usize) -> Result<Part, MathError> {
        let wanted = match self.words[0].word {
            Word::Text(text) => {
                self.next();
                text
            }
            Word::Close => "",
            _ => return Err(self.unexpected("`)` or a text in double quotes")),
        };
        let found: Vec<usize> =
            (0..self.inputs.len()).filter(|index| self.inputs[*index].id.contains(wanted)).collect();
        if found.is_empty() {
            self.note(
                position,
                format!("no metric has `{wanted}` in its name"),
                format!("`metrics` has {}", self.ids()),
            );
        }
        found.iter().for_each(|index| self.used[*index] = true);
        Ok(Part { node: found.into_iter().map(Node::Input).collect(), kind: Kind::Array, position })
    }

    fn rounding(&mut self, rounding: Rounding, depth: usize) -> Result<Part, MathError> {
        let of = self.binary(0, depth)?;
        let kind = self.no_list(&of);
        Ok(Part::new(Node::Round(rounding, of.one()), kind, 0))
    }

    fn change(&mut self, per_second: bool, depth: usize) -> Result<Part, MathError> {
        let of = self.binary(0, depth)?;
        self.wants(&of, Kind::Series, "a number does not change");
        Ok(Part::new(Node::Change { of: of.one(), per_second }, Kind::Series, 0))
    }

    fn fill(&mut self, depth: usize) -> Result<Part, MathError> {
        let of = self.binary(0, depth)?;
        self.wants(&of, Kind::Series, "only a series has gaps");
        self.expect(Word::Comma)?;
        let filling = if self.words[0].word == Word::Name("REPEAT") {
            self.next();
            Filling::Repeat
        } else {
            let with = self.binary(0, depth)?;
            self.no_list(&with);
            Filling::With(with.one())
        };
        Ok(Part::new(Node::Fill(of.one(), filling), Kind::Series, 0))
    }

    fn choice(&mut self, depth: usize) -> Result<Part, MathError> {
        let condition = self.binary(0, depth)?;
        self.expect(Word::Comma)?;
        let then = self.binary(0, depth)?;
        let mut kinds = vec![self.no_list(&condition), self.no_list(&then)];
        let or = if self.words[0].word == Word::Comma {
            self.next();
            let or = self.binary(0, depth)?;
            kinds.push(self.no_list(&or));
            Some(or.one())
        } else {
            None
        };
        let kind = if kinds.contains(&Kind::Series) { Kind::Series } else { Kind::Scalar };
        Ok(Part::new(Node::If(condition.one(), then.one(), or), kind, 0))
    }

    fn aggregate(&mut self, aggregate: Aggregate, name: &str, depth: usize) -> Result<Part, MathError> {
        let of = self.binary(0, depth)?;
        self.wants(&of, Kind::Array, &format!("write `{name}(METRICS())` or `{name}([a, b])`"));
        Ok(Part::new(Node::Aggregate(aggregate, of.node), Kind::Series, 0))
    }

    /// The part's kind; several series where one value is wanted are noted.
    fn no_list(&mut self, part: &Part) -> Kind {
        if part.kind == Kind::Array {
            self.note(
                part.position,
                "several series stand where one is wanted",
                "aggregate them: `SUM(METRICS())`",
            );
        }
        part.kind
    }

    fn wants(&mut self, part: &Part, kind: Kind, hint: &str) {
        if part.kind != kind {
            let message = format!("{} is expected, not {}", kind.shown(), part.kind.shown());
            self.note(part.position, message, hint);
        }
    }

    fn note(&mut self, position: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.faults.push(MathError::new(position, message, hint));
    }

    /// One level further in.
    fn deeper(&self, depth: usize) -> Result<usize, MathError> {
        if depth < MAX_DEPTH {
            return Ok(depth + 1);
        }
        let message = format!("is nested deeper than {MAX_DEPTH} levels");
        Err(MathError::new(self.words[0].position, message, "simplify it"))
    }

    fn expect(&mut self, word: Word<'_>) -> Result<(), MathError> {
        if self.words[0].word != word {
            return Err(self.unexpected(&word.shown()));
        }
        self.next();
        Ok(())
    }

    fn unexpected(&self, expected: &str) -> MathError {
        let Token { position, word } = &self.words[0];
        let hint = match word {
            Word::Name(_) | Word::Number(_) | Word::Open if expected.starts_with("an operator") => {
                "multiplication is written out: `2 * m1`"
            }
            _ => "",
        };
        MathError::new(*position, format!("{expected} is expected, not {}", word.shown()), hint)
    }

    /// Moves on; the end stays.
    fn next(&mut self) {
        if self.words.len() > 1 {
            self.words = &self.words[1..];
        }
    }
}

impl Kind {
    fn shown(self) -> &'static str {
        match self {
            Self::Scalar => "a number",
            Self::Series => "a series",
            Self::Array => "a list of series",
        }
    }
}

fn unknown_function(name: &str, position: usize) -> MathError {
    let upper = name.to_ascii_uppercase();
    let hint = if upper != name && FUNCTIONS.split(", ").any(|function| function == upper) {
        format!("functions are written in upper case: `{upper}`")
    } else {
        format!("known here: {FUNCTIONS}")
    };
    MathError::new(position, format!("`{name}` is no function"), hint)
}
