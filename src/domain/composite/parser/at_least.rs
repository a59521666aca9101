//! `AT_LEAST(number or percentage, state, (names))`.

use std::sync::Arc;

use super::super::lexer::{Keyword, Kind, Token};
use super::super::{AtLeast, Expression, Quorum};
use super::{Fault, Parser, cut};
use crate::domain::alarm::State;

const HINT: &str = "write e.g. `AT_LEAST(2, ALARM, (a, b, c))` or `AT_LEAST(50%, NOT OK, (a, b, c))`";

impl Parser<'_> {
    /// `(2, NOT ALARM, (a, b))`
    pub(super) fn at_least(&mut self) -> Option<Expression> {
        self.demand(&Kind::Open, "`(` after `AT_LEAST`")?;
        let column = self.column();
        let quorum = self.quorum()?;
        self.demand(&Kind::Comma, "`,` after the number")?;
        let negated = self.take_keyword(&[Keyword::Not]).is_some();
        let states = State::ALL.map(Keyword::Is);
        let Some(Keyword::Is(state)) = self.take_keyword(&states) else {
            let fault = self.expected("`ALARM`, `OK` or `INSUFFICIENT_DATA`");
            return self.give_up(fault.hint(HINT));
        };
        self.demand(&Kind::Comma, "`,` after the state")?;
        self.demand(&Kind::Open, "`(` before the names")?;
        let names = self.names()?;
        self.demand(&Kind::Close, "`)` after the names")?;
        self.demand(&Kind::Close, "`)`")?;
        if let Quorum::Count(count) = quorum
            && count as usize > names.len()
        {
            let message = format!("`{count}` can never be reached: the list has {}", names.len());
            self.note(Fault::new(column, message));
        }
        Some(Expression::AtLeast(AtLeast { quorum, negated, state, names }))
    }

    fn quorum(&mut self) -> Option<Quorum> {
        const NUMBER_HINT: &str = "write a whole number, e.g. `2`, or a percentage, e.g. `50%`";
        let Some(Token { kind: Kind::Word(text) | Kind::Quoted(text), column }) = self.peek() else {
            let fault = self.expected("a number");
            return self.give_up(fault.hint(NUMBER_HINT));
        };
        self.next += 1;
        let (digits, is_percent) = match text.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text.as_str(), self.take(&Kind::Word("%".to_owned()))),
        };
        let most = if is_percent { 100 } else { u32::MAX };
        let number = digits.parse().ok().filter(|number| (1..=most).contains(number));
        if number.is_none() {
            let what = if is_percent { "percentage from 1 to 100" } else { "number from 1" };
            self.note(Fault::new(*column, format!("`{}` is no whole {what}", cut(text))).hint(NUMBER_HINT));
        }
        let number = number.unwrap_or(1);
        Some(if is_percent { Quorum::Percent(number) } else { Quorum::Count(number) })
    }

    /// The names of a list up to its closing bracket.
    fn names(&mut self) -> Option<Vec<Arc<str>>> {
        let mut names = Vec::new();
        loop {
            let reference = self.name()?;
            if names.contains(&reference.name) {
                let message = format!("`{}` is in the list twice", cut(&reference.name));
                self.note(Fault::new(reference.column, message));
            } else {
                names.push(reference.name.clone());
            }
            self.references.push(reference);
            if !self.take(&Kind::Comma) {
                return Some(names);
            }
        }
    }

    /// Takes a token of AT_LEAST that must be there.
    fn demand(&mut self, kind: &Kind, what: &str) -> Option<()> {
        if self.take(kind) {
            return Some(());
        }
        let fault = self.expected(what);
        self.give_up(fault.hint(HINT))
    }
}
