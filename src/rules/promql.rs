//! PromQL as text: expressions with their parentheses, strings, numbers and spans of time.
//!
//! Whatever stands in a name, the text is printable: it holds no control characters and none that turn the direction of writing.

use std::fmt::Write;
use std::time::Duration;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    text: String,
    form: Form,
}

/// How tight the parts of an expression hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A selector, a call, an aggregation or a number.
    Closed,
    /// Parts with an operator of arithmetic or a comparison between them.
    Tight,
    /// Parts with `and`, `or` or `unless` between them, which bind loosest.
    Loose,
}

impl Expr {
    /// A selector, a call, an aggregation or a number.
    pub fn closed(text: impl Into<String>) -> Self {
        Self { text: text.into(), form: Form::Closed }
    }

    /// Parts with an operator of arithmetic or a comparison between them.
    pub fn tight(text: impl Into<String>) -> Self {
        Self { text: text.into(), form: Form::Tight }
    }

    /// These with `word` (`and`, `or`, `unless`) between them, each on a line of its own.
    pub fn lines(word: &str, parts: &[Self]) -> Self {
        let parts: Vec<String> = parts.iter().map(Self::side).collect();
        Self { text: parts.join(&format!("\n  {word} ")), form: Form::Loose }
    }

    /// As an operand of arithmetic.
    pub fn operand(&self) -> String {
        if self.form == Form::Closed { self.text.clone() } else { format!("({})", self.text) }
    }

    /// Beside `and`, `or` or `unless`.
    fn side(&self) -> String {
        if self.form == Form::Loose { format!("({})", self.text) } else { self.text.clone() }
    }

    /// By itself, or within the parentheses of a call.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `self operator other`, of arithmetic or a comparison.
    pub fn with(&self, operator: &str, other: &Self) -> Self {
        Self::tight(format!("{} {operator} {}", self.operand(), other.operand()))
    }

    /// `self and other` and the like.
    pub fn also(&self, word: &str, other: &Self) -> Self {
        Self { text: format!("{} {word} {}", self.side(), other.side()), form: Form::Loose }
    }

    /// `function(self)`
    pub fn call(&self, function: &str) -> Self {
        Self::closed(format!("{function}({})", self.text))
    }
}

/// A number as a literal; a negative one is in parentheses where it needs them.
pub fn number(value: f64) -> Expr {
    let text = if value == value.trunc() && value.abs() < 1e15 {
        format!("{}", value as i64)
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        format!("{value:?}")
    };
    if text.starts_with(['-', '+']) { Expr::tight(text) } else { Expr::closed(text) }
}

/// Points of time in a grid: `[4m59s999ms:1m]` is the last five whole minutes. A millisecond is left out, since Prometheus 2 takes both
/// ends of a range and would find a sixth when it looks exactly at a whole minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// How far it goes back.
    pub reach: Duration,
    /// Between two points.
    pub step: Duration,
    /// How long ago it ends.
    pub offset: Duration,
}

impl Grid {
    /// `inner[reach:step] offset o`
    pub fn of(self, inner: &Expr) -> String {
        let reach = span(self.reach.saturating_sub(Duration::from_millis(1)));
        format!("({})[{reach}:{}]{}", inner.text(), span(self.step), ago(self.offset))
    }
}

/// ` offset 5m`, or nothing.
pub fn ago(offset: Duration) -> String {
    if offset.is_zero() { String::new() } else { format!(" offset {}", span(offset)) }
}

/// A span of time, e.g. `1h30m`.
pub fn span(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= length {
            text.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A string literal.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if is_hidden(c) && (c as u32) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", c as u32); // a String takes everything
            }
            c if is_hidden(c) => {
                let _ = write!(out, "\\U{:08x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out + "\""
}

/// Whether a reader does not see the character for what it is: controls, separators of lines, what turns the direction of writing,
/// what has no width. YAML forbids some of them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
        || (c as u32) & 0xFFFE == 0xFFFE
}

/// A regular expression (RE2, anchored as Prometheus does it) that is true of this text and no other.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_numbers_are_written_as_prometheus_does() {
        for (milliseconds, text) in [
            (0, "0s"),
            (60_000, "1m"),
            (299_999, "4m59s999ms"),
            (5_400_000, "1h30m"),
            (86_400_000, "1d"),
            (10_000, "10s"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), text);
        }
        for (value, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.5, "0.5"),
            (-3.0, "(-3)"),
            (1e300, "1e300"),
            (1e-7, "1e-7"),
            (f64::INFINITY, "(+Inf)"),
        ] {
            assert_eq!(number(value).operand(), text);
        }
    }

    #[test]
    fn strings_hide_nothing() {
        for (text, literal) in [
            ("plain é 😀", "\"plain é 😀\""),
            ("a\"b\\c\n", "\"a\\\"b\\\\c\\n\""),
            ("\u{202e}\u{7f}\0", "\"\\u202e\\u007f\\u0000\""),
            ("\u{e0041}", "\"\\U000e0041\""),
        ] {
            assert_eq!(quoted(text), literal);
        }
        assert_eq!(escaped("a.b|c-d_e*"), r"a\.b\|c-d_e\*");
    }
}
