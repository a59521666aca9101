//! What the user wrote: the YAML as a tree in which every key and value knows its line.
//!
//! Nothing is judged here but the text itself. Serde alone would stop at the first fault and forget the lines; a tree lets
//! `config/check.rs` report all faults at once. A hostile text is bounded in size, depth, nodes and alias expansion.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Options, Spanned};

use super::fault::Fault;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 10_000_000;

/// How deep lists and mappings may be nested; the deepest key of ours is five levels down.
const MAX_DEPTH: usize = 32;

/// How many keys, values and containers there may be, aliases expanded: some 2,000 long alarms.
const MAX_NODES: usize = 100_000;

/// One key or value with the line it stands in. No Debug: it may hold a secret.
pub struct Node {
    /// From 1; where an alias is used, the line of its definition.
    pub line: usize,
    /// What stands there.
    pub value: Value,
}

/// What YAML knows.
pub enum Value {
    /// Nothing after the colon, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction or exponent; may be infinite or NaN.
    Float(f64),
    /// A text, quoted or plain.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file; keys may be repeated and need not be texts.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What a person calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) => "a number",
            Self::Float(_) => "a decimal number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
/// One fault: the text is empty, too large, or no YAML; the parser cannot go on after the first.
pub fn read(text: &str) -> Result<Node, Fault> {
    if text.len() > MAX_BYTES {
        return Err(too_large());
    }
    let node: Node =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| fault(text, &error))?;
    match node.value {
        Value::Null => {
            Err(Fault::of_file("the file is empty")
                .hint("`{}` is the way to ask for the default of everything"))
        }
        _ => Ok(node),
    }
}

/// The fault of a text beyond [`MAX_BYTES`].
pub fn too_large() -> Fault {
    Fault::of_file("the file is larger than 10 MB").hint("is it the right file?")
}

fn options() -> Options {
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = MAX_NODES;
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_documents: 1 },
        alias_limits: aliases,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// The parser's error in our words. Neither its snippets nor the texts it quotes are shown: they may hold a secret.
fn fault(text: &str, error: &serde_saphyr::Error) -> Fault {
    use serde_saphyr::Error;
    use serde_saphyr::budget::BudgetBreach;
    let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
    let (message, hint) = match error.without_snippet() {
        Error::UnsupportedTag { .. } => {
            ("YAML tags are not understood here".to_owned(), Some("a text that begins with `!` needs quotes"))
        }
        Error::Budget { breach: BudgetBreach::Documents { .. }, .. } | Error::MultipleDocuments { .. } => {
            ("a second document begins here".to_owned(), Some("one file holds one configuration"))
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            (format!("is nested deeper than {MAX_DEPTH} levels"), None)
        }
        Error::Budget { .. } | Error::AliasError { .. } | Error::AliasReplayLimitExceeded { .. } => {
            (format!("has more than {MAX_NODES} values, aliases expanded"), None)
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => ("an alias stands for itself".to_owned(), None),
        other => {
            let message = other.to_string();
            let message = message.split_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            (format!("not YAML: {message}"), hint(text, line))
        }
    };
    Fault { path: String::new(), line, message, hint: hint.map(str::to_owned) }
}

/// The trap that waits for everybody who writes an alarm: `>` begins a block scalar.
fn hint(text: &str, line: Option<usize>) -> Option<&'static str> {
    let (key, value) = text.lines().nth(line?.checked_sub(1)?)?.split_once(':')?;
    let trapped = key.trim_start_matches(['-', '{', ' ']).starts_with("comparison");
    (trapped && value.trim_start().starts_with('>'))
        .then_some("`>` and `>=` need quotes: `comparison: \">=\"`")
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, defined, .. } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { line: usize::try_from(defined.line()).unwrap_or(usize::MAX), value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
            if map.len() > MAX_NODES {
                return Err(A::Error::custom("a mapping has too many keys"));
            }
        }
        Ok(Value::Map(map))
    }
}
