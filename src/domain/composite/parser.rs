//! From an alarm rule to an [`Expression`], or to everything that is wrong with it.
//!
//! Reading goes on after each fault whose meaning is plain (a keyword in lower case, a forgotten AND, a missing bracket), and the
//! names are gathered even where the rest makes no sense, so that a person mends a rule in one go. What is nested deeper than a
//! bound is refused before it can use up the stack.

mod at_least;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::lexer::{Keyword, Kind, Token, tokens};
use super::{Expression, MOST_CHARACTERS, MOST_CHILDREN, MOST_ELEMENTS};
use crate::domain::alarm::State;

/// How deep parentheses and NOTs may be nested; CloudWatch names no limit.
const DEEPEST: usize = 100;

/// Something that is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong, or was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Fault {
    pub(super) fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The name of an alarm, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The name.
    pub name: Arc<str>,
    /// Where, in characters from 1.
    pub column: usize,
}

/// A rule that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What it says; there when there is no fault.
    pub expression: Option<Expression>,
    /// Every name in it, in the order they stand, also of a rule with faults.
    pub references: Vec<Reference>,
    /// What is wrong with it, in the order it stands.
    pub faults: Vec<Fault>,
}

/// Reads a rule.
pub fn parse(text: &str) -> Parsed {
    let mut faults = Vec::new();
    let length = text.chars().count();
    if length > MOST_CHARACTERS {
        let message = format!("the rule is {length} characters long; at most {MOST_CHARACTERS} are allowed");
        faults.push(Fault::new(MOST_CHARACTERS + 1, message));
        return Parsed { expression: None, references: Vec::new(), faults };
    }
    let tokens = tokens(text, &mut faults);
    let mut parser =
        Parser { tokens: &tokens, next: 0, end: length + 1, faults, references: Vec::new(), elements: 0 };
    let expression = parser.rule();
    if expression.is_none() {
        parser.gather_the_rest();
    }
    let Parser { references, mut faults, .. } = parser;
    faults.extend(too_many_children(&references));
    faults.sort_by_key(|fault| fault.column);
    Parsed { expression: expression.filter(|_| faults.is_empty()), references, faults }
}

fn too_many_children(references: &[Reference]) -> Option<Fault> {
    let mut distinct = BTreeSet::new();
    let first_beyond =
        references.iter().find(|one| distinct.insert(&one.name) && distinct.len() > MOST_CHILDREN)?;
    let message = format!("the rule names more than {MOST_CHILDREN} alarms");
    let hint = "give a part of it to a composite alarm of its own and name that one here";
    Some(Fault::new(first_beyond.column, message).hint(hint))
}

struct Parser<'a> {
    tokens: &'a [Token],
    /// The position of the next token.
    next: usize,
    /// The column after the last character.
    end: usize,
    faults: Vec<Fault>,
    references: Vec<Reference>,
    elements: usize,
}

/// The methods give `None` when there is no telling what is meant; the fault is noted then.
impl<'a> Parser<'a> {
    fn rule(&mut self) -> Option<Expression> {
        if self.tokens.is_empty() {
            return self.give_up(
                Fault::new(1, "the rule is empty").hint("write e.g. `ALARM(first) AND NOT ALARM(second)`"),
            );
        }
        let mut rule = self.or(0)?;
        while let Some(stray) = self.peek() {
            let column = stray.column;
            let fault =
                Fault::new(column, format!("{} stands where the rule should go on or end", shown(stray)));
            self.note(match stray.kind {
                Kind::Comma => fault.hint("write `AND` or `OR` in its place"),
                _ => fault.hint("it closes nothing: leave it out"),
            });
            self.next += 1;
            if self.peek().is_some_and(|token| token.kind != Kind::Close) {
                self.take_keyword(&[Keyword::And, Keyword::Or]);
                rule = self.or(0)?;
            }
        }
        Some(rule)
    }

    fn or(&mut self, depth: usize) -> Option<Expression> {
        let mut terms = vec![self.and(depth)?];
        while self.take_keyword(&[Keyword::Or]).is_some() {
            terms.push(self.and(depth)?);
        }
        Some(if terms.len() == 1 { terms.remove(0) } else { Expression::Or(terms) })
    }

    fn and(&mut self, depth: usize) -> Option<Expression> {
        let mut terms = vec![self.not(depth)?];
        loop {
            if self.take_keyword(&[Keyword::And]).is_none() {
                let is_noted = self.pass_stray_word();
                let Some(token) = self.peek().filter(|_| !self.at_end_of_terms()) else { break };
                if !is_noted {
                    let fault =
                        Fault::new(token.column, format!("an operator is missing before {}", shown(token)));
                    self.note(fault.hint("write `AND` or `OR` between them"));
                }
            }
            terms.push(self.not(depth)?);
        }
        Some(if terms.len() == 1 { terms.remove(0) } else { Expression::And(terms) })
    }

    /// A word without a meaning after an operand was meant to be an operator: notes and passes it, if there is one.
    fn pass_stray_word(&mut self) -> bool {
        let Some(token) = self.peek() else { return false };
        let Kind::Word(word) = &token.kind else { return false };
        let is_function = self.tokens.get(self.next + 1).is_some_and(|token| token.kind == Kind::Open);
        let is_stray = Keyword::of(word).is_none() && !is_function;
        if is_stray {
            let fault = Fault::new(token.column, format!("{} is no operator", shown(token)));
            self.note(fault.hint("write `AND` or `OR`"));
            self.next += 1;
        }
        is_stray
    }

    fn not(&mut self, depth: usize) -> Option<Expression> {
        if depth > DEEPEST {
            let message = format!("the rule is nested more than {DEEPEST} deep");
            return self.give_up(Fault::new(self.column(), message).hint("take superfluous parentheses out"));
        }
        match self.take_keyword(&[Keyword::Not]) {
            Some(_) => Some(Expression::Not(Box::new(self.not(depth + 1)?))),
            None => self.operand(depth),
        }
    }

    fn operand(&mut self, depth: usize) -> Option<Expression> {
        const EXPECTED: &str = "`ALARM(...)`, `OK(...)`, `INSUFFICIENT_DATA(...)`, `AT_LEAST(...)`, `TRUE`, `FALSE`, `NOT` or `(`";
        let Some(token) = self.peek() else {
            return self
                .give_up(Fault::new(self.end, format!("the rule ends where one of {EXPECTED} is expected")));
        };
        if token.kind == Kind::Open {
            return self.parentheses(depth);
        }
        if let Some(keyword) = self.take_keyword(&[]) {
            return match keyword {
                Keyword::Constant(value) => {
                    self.count_element(token.column);
                    Some(Expression::Constant(value))
                }
                Keyword::Is(state) => self.is(state),
                Keyword::AtLeast => self.at_least(),
                Keyword::And | Keyword::Or | Keyword::Not => {
                    let message = format!("{} stands where one of {EXPECTED} is expected", shown(token));
                    self.give_up(Fault::new(token.column, message))
                }
            };
        }
        self.next += 1;
        let fault =
            Fault::new(token.column, format!("{} stands where one of {EXPECTED} is expected", shown(token)));
        match &token.kind {
            Kind::Word(word) if word.len() > 1 && word.starts_with('!') => {
                self.give_up(fault.hint("write `NOT` in the place of `!`"))
            }
            Kind::Word(_) if self.at(&Kind::Open) => {
                self.note(fault);
                self.is(State::Alarm)
            }
            Kind::Word(name) | Kind::Quoted(name) => {
                self.note(fault.hint(format!("did you mean `ALARM({})`?", super::Name(name))));
                Some(Expression::Constant(true))
            }
            _ => self.give_up(fault),
        }
    }

    fn parentheses(&mut self, depth: usize) -> Option<Expression> {
        let column = self.column();
        self.count_element(column);
        self.next += 1;
        let inner = self.or(depth + 1)?;
        if !self.take(&Kind::Close) {
            let message = format!("the `(` at character {column} is never closed");
            self.note(Fault::new(self.column(), message).hint("add `)`"));
        }
        Some(inner)
    }

    /// The brackets and the name after `ALARM`.
    fn is(&mut self, state: State) -> Option<Expression> {
        if !self.take(&Kind::Open) {
            let fault = self.expected(&format!("`(` after `{state}`"));
            return self.give_up(fault.hint(format!("write `{state}(name)`")));
        }
        let reference = self.name()?;
        let name = reference.name.clone();
        match self.peek().map(|token| &token.kind) {
            Some(Kind::Close) => self.next += 1,
            Some(Kind::Word(word)) if !matches!(Keyword::of(word), Some((_, Keyword::And | Keyword::Or))) => {
                let fault =
                    self.expected("`)`").hint("a name with spaces is in double quotes: `\"my alarm\"`");
                return self.skip_to_close(fault);
            }
            Some(Kind::Comma) => {
                let hint =
                    format!("one alarm each: `{state}(a) OR {state}(b)`, or `AT_LEAST(1, {state}, (a, b))`");
                let fault = self.expected("`)`").hint(hint);
                return self.skip_to_close(fault);
            }
            _ => {
                let fault = self.expected("`)`").hint("add `)`");
                self.note(fault);
            }
        }
        self.references.push(reference);
        Some(Expression::Is(state, name))
    }

    fn name(&mut self) -> Option<Reference> {
        let Some(Token { kind: Kind::Word(name) | Kind::Quoted(name), column }) = self.peek() else {
            let fault = self.expected("the name of an alarm");
            return self.give_up(fault);
        };
        self.next += 1;
        self.count_element(*column);
        if name.is_empty() {
            self.note(Fault::new(*column, "the name of an alarm is empty"));
        }
        Some(Reference { name: name.as_str().into(), column: *column })
    }

    fn count_element(&mut self, column: usize) {
        self.elements += 1;
        if self.elements == MOST_ELEMENTS + 1 {
            let message = format!(
                "the rule has more than {MOST_ELEMENTS} elements (alarms, `TRUE`, `FALSE` and parentheses)"
            );
            self.note(Fault::new(column, message).hint("give a part of it to a composite alarm of its own"));
        }
    }

    /// Takes the next token if it is a keyword, one of `wanted` unless that is empty. A wrong spelling is noted.
    fn take_keyword(&mut self, wanted: &[Keyword]) -> Option<Keyword> {
        let Some(Token { kind: Kind::Word(word), column }) = self.peek() else { return None };
        let (spelling, keyword) = Keyword::of(word)?;
        if !wanted.is_empty() && !wanted.contains(&keyword) {
            return None;
        }
        if spelling != word {
            let fault = Fault::new(*column, format!("`{}` is not understood", cut(word)));
            self.note(fault.hint(format!("write `{spelling}`: keywords are in upper case")));
        }
        self.next += 1;
        Some(keyword)
    }

    /// Whether neither an operand nor AND can follow.
    fn at_end_of_terms(&self) -> bool {
        match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(word)) => matches!(Keyword::of(word), Some((_, Keyword::Or))),
            Some(Kind::Open | Kind::Quoted(_)) => false,
            Some(Kind::Comma | Kind::Close) | None => true,
        }
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn at(&self, kind: &Kind) -> bool {
        self.peek().is_some_and(|token| token.kind == *kind)
    }

    fn take(&mut self, kind: &Kind) -> bool {
        let found = self.at(kind);
        self.next += usize::from(found);
        found
    }

    fn column(&self) -> usize {
        self.peek().map_or(self.end, |token| token.column)
    }

    /// That something else stands where `what` is expected.
    fn expected(&self, what: &str) -> Fault {
        match self.peek() {
            Some(token) => Fault::new(token.column, format!("{what} is expected, not {}", shown(token))),
            None => Fault::new(self.end, format!("the rule ends where {what} is expected")),
        }
    }

    fn note(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    fn give_up<T>(&mut self, fault: Fault) -> Option<T> {
        self.note(fault);
        None
    }

    /// Notes the fault and goes on after the bracket that closes here.
    fn skip_to_close(&mut self, fault: Fault) -> Option<Expression> {
        self.note(fault);
        while self.peek().is_some_and(|token| token.kind != Kind::Open && token.kind != Kind::Close) {
            self.next += 1;
        }
        self.take(&Kind::Close).then_some(Expression::Constant(true))
    }

    /// After reading was given up: the names that still follow in the brackets of a function.
    fn gather_the_rest(&mut self) {
        let rest = self.tokens.get(self.next..).unwrap_or_default();
        for window in rest.windows(4) {
            let [function, Token { kind: Kind::Open, .. }, name, Token { kind: Kind::Close, .. }] = window
            else {
                continue;
            };
            let Kind::Word(function) = &function.kind else { continue };
            if let (Kind::Word(text) | Kind::Quoted(text), Some((_, Keyword::Is(_)))) =
                (&name.kind, Keyword::of(function))
            {
                self.references.push(Reference { name: text.as_str().into(), column: name.column });
            }
        }
    }
}

/// A token as the user wrote it, for a message.
fn shown(token: &Token) -> String {
    match &token.kind {
        Kind::Open => "`(`".to_owned(),
        Kind::Close => "`)`".to_owned(),
        Kind::Comma => "`,`".to_owned(),
        Kind::Word(text) => format!("`{}`", cut(text)),
        Kind::Quoted(text) => format!("`\"{}\"`", cut(text)),
    }
}

/// The beginning of a text of the user's, harmless to a terminal.
fn cut(text: &str) -> String {
    const LONGEST: usize = 40;
    let dots = if text.chars().nth(LONGEST).is_some() { "..." } else { "" };
    let shown: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    shown + dots
}
