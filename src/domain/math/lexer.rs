//! From characters to words. Names in lower case are metrics, names in upper case functions, as CloudWatch has it.

use super::{MathError, Operator};

/// A word and the character it starts at, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub position: usize,
    pub word: Word<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Word<'a> {
    Number(f64),
    /// A metric or a function.
    Name(&'a str),
    Text(&'a str),
    Operator(Operator),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    End,
}

impl Word<'_> {
    /// As an error calls it.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) => format!("`{number}`"),
            Self::Name(name) => format!("`{name}`"),
            Self::Text(text) => format!("`\"{text}\"`"),
            Self::Operator(operator) => format!("`{}`", operator.as_str()),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::OpenList => "`[`".to_owned(),
            Self::CloseList => "`]`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

impl Operator {
    /// The longer signs first: `<=` must not be read as `<`.
    const SIGNS: [(&'static str, Self); 16] = [
        ("||", Self::Or),
        ("&&", Self::And),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<>", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
        ("+", Self::Add),
        ("-", Self::Subtract),
        ("*", Self::Multiply),
        ("/", Self::Divide),
        ("^", Self::Power),
        ("OR", Self::Or),
        ("AND", Self::And),
    ];

    pub(super) fn as_str(self) -> &'static str {
        Self::SIGNS.iter().find(|(_, operator)| *operator == self).map_or("", |(sign, _)| sign)
    }
}

/// All words of `text` and the end; or the first character that begins none.
pub(super) fn words(text: &str) -> Result<Vec<Token<'_>>, MathError> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let position = text[..text.len() - rest.len()].chars().count() + 1;
        let (word, length) = word(rest).map_err(|(message, hint)| MathError::new(position, message, hint))?;
        words.push(Token { position, word });
        if word == Word::End {
            return Ok(words);
        }
        rest = &rest[length..];
    }
}

type Refusal = (String, &'static str);

/// The word at the start of `rest`, and how many bytes it takes.
fn word(rest: &str) -> Result<(Word<'_>, usize), Refusal> {
    let Some(first) = rest.chars().next() else { return Ok((Word::End, 0)) };
    let word = match first {
        '(' => Word::Open,
        ')' => Word::Close,
        '[' => Word::OpenList,
        ']' => Word::CloseList,
        ',' => Word::Comma,
        '"' => return quoted(rest),
        '0'..='9' | '.' => return number(rest),
        _ if first.is_ascii_alphabetic() || first == '_' => return Ok(name(rest)),
        _ => return sign(rest, first),
    };
    Ok((word, 1))
}

fn name(rest: &str) -> (Word<'_>, usize) {
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let name = &rest[..length];
    match name {
        "OR" => (Word::Operator(Operator::Or), length),
        "AND" => (Word::Operator(Operator::And), length),
        _ => (Word::Name(name), length),
    }
}

fn number(rest: &str) -> Result<(Word<'_>, usize), Refusal> {
    let digits = |text: &str| text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let mut length = digits(rest);
    if rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let exponent = digits(&rest[length + 1 + sign..]);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let text = &rest[..length];
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Word::Number(number), length)),
        _ => Err((format!("`{}` is no number", shortened(text)), "write e.g. `0.5` or `1e6`")),
    }
}

fn quoted(rest: &str) -> Result<(Word<'_>, usize), Refusal> {
    let Some(length) = rest[1..].find('"') else {
        return Err(("a text begins here and never ends".to_owned(), "close it with `\"`"));
    };
    Ok((Word::Text(&rest[1..=length]), length + 2))
}

fn sign(rest: &str, first: char) -> Result<(Word<'_>, usize), Refusal> {
    if let Some((sign, operator)) = Operator::SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((Word::Operator(*operator), sign.len()));
    }
    let hint = match first {
        '=' => "equality is `==`",
        '&' => "write `&&` or `AND`",
        '|' => "write `||` or `OR`",
        '!' => "inequality is `!=`; write `x == 0` for not x",
        '%' => "CloudWatch has no remainder; a percentage is `100 * part / whole`",
        '\'' | '\u{201c}' | '\u{201d}' => "texts stand in plain double quotes",
        '\u{d7}' => "multiply with `*`",
        '\u{2212}' | '\u{2013}' => "subtract with a plain `-`",
        _ => {
            "an expression has numbers, names of metrics, `+ - * / ^`, comparisons, `AND`, `OR` and functions"
        }
    };
    Err((format!("`{}` has no meaning here", first.escape_debug()), hint))
}

fn shortened(text: &str) -> &str {
    &text[..text.len().min(40)]
}
