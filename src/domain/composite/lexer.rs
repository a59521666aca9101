//! The words of an alarm rule: brackets, commas, names in quotes, and everything else that is not white space.
//!
//! Never fails: what it cannot make sense of it notes, with what was probably meant standing in for it.

use super::parser::Fault;
use crate::domain::alarm::State;

/// What stands in a rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// A keyword, a bare name or a number: CloudWatch lets a bare name hold anything but white space, round brackets and commas.
    Word(String),
    /// A name in quotes, without them.
    Quoted(String),
}

/// One of these and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    /// The position of its first character, from 1.
    pub column: usize,
}

/// A word with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    Constant(bool),
    Is(State),
    AtLeast,
}

impl Keyword {
    const ALL: [(&'static str, Self); 9] = [
        ("AND", Self::And),
        ("OR", Self::Or),
        ("NOT", Self::Not),
        ("TRUE", Self::Constant(true)),
        ("FALSE", Self::Constant(false)),
        ("ALARM", Self::Is(State::Alarm)),
        ("OK", Self::Is(State::Ok)),
        ("INSUFFICIENT_DATA", Self::Is(State::InsufficientData)),
        ("AT_LEAST", Self::AtLeast),
    ];

    /// The keyword that `word` is or was meant to be, with its right spelling.
    pub(super) fn of(word: &str) -> Option<(&'static str, Self)> {
        let upper = word.to_ascii_uppercase();
        let meant = match upper.as_str() {
            "&&" | "&" => "AND",
            "||" | "|" => "OR",
            "!" => "NOT",
            upper => upper,
        };
        Self::ALL.into_iter().find(|(spelling, _)| *spelling == meant)
    }
}

/// Quotes that people or their editors write in the place of `"`, with what ends them.
const OTHER_QUOTES: [(char, char); 5] =
    [('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}'), ('\u{201d}', '\u{201d}')];

/// Cuts `text` into tokens and notes what is wrong with them.
pub(super) fn tokens(text: &str, faults: &mut Vec<Fault>) -> Vec<Token> {
    let mut lexer = Lexer { rest: text.chars().peekable(), column: 1, faults };
    std::iter::from_fn(|| lexer.next()).collect()
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    /// Of the next character.
    column: usize,
    faults: &'a mut Vec<Fault>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<Token> {
        while self.rest.peek().is_some_and(|c| c.is_whitespace()) {
            self.take();
        }
        let (column, first) = (self.column, self.take()?);
        let kind = match first {
            '(' => Kind::Open,
            ')' => Kind::Close,
            ',' => Kind::Comma,
            '"' => Kind::Quoted(self.quoted(column)),
            _ => match OTHER_QUOTES.iter().find(|(opening, _)| *opening == first) {
                Some((_, closing)) => Kind::Quoted(self.wrongly_quoted(column, first, *closing)),
                None => Kind::Word(self.word(first)),
            },
        };
        Some(Token { kind, column })
    }

    fn take(&mut self) -> Option<char> {
        let taken = self.rest.next();
        self.column += usize::from(taken.is_some());
        taken
    }

    /// The rest of a name whose opening quote was taken. A backslash makes whatever follows it a part of the name.
    fn quoted(&mut self, column: usize) -> String {
        let mut name = String::new();
        while let Some(c) = self.take() {
            match c {
                '"' => return name,
                '\\' => name.extend(self.take()),
                _ => name.push(c),
            }
        }
        let hint = "close it with `\"`; a quote within a name is written `\\\"`";
        self.faults.push(Fault::new(column, "the name that begins here is never closed").hint(hint));
        name
    }

    fn wrongly_quoted(&mut self, column: usize, opening: char, closing: char) -> String {
        let message = format!("`{opening}` does not quote a name");
        self.faults.push(Fault::new(column, message).hint("names are in double quotes: `\"...\"`"));
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(|c| *c != closing && !matches!(c, '(' | ')')) {
            self.column += 1;
            name.push(c);
        }
        if self.rest.peek() == Some(&closing) {
            self.take();
        }
        name
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(c) = self.rest.next_if(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | ',' | '"')) {
            self.column += 1;
            word.push(c);
        }
        word
    }
}
