//! A body in words of the user's own: a template in Jinja's language, bounded in work and in size.
//!
//! What a template can see is in docs/notifications.md. `samples.json` holds one context of every kind, as notifications
//! really give them (a test of `notify/template.rs` holds it to that), so that a template that would fail in the night
//! already fails when the configuration is read. Nothing is escaped: JSON asks for the filter `tojson`, and texts of the
//! samples hold quotes, backslashes and line breaks, so that one that is missing is found.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use minijinja::value::{Kwargs, Serde};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, filters};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The largest body a template may make, in bytes.
pub const OUTPUT_BYTES: usize = 1_000_000;
/// How many steps it may take: far more than a hundred thousand lines of output need.
const STEPS: u64 = 1_000_000;
/// The name of the one template of an environment.
const NAME: &str = "template";

/// One context of every kind: each event, with and without a queue, a composite alarm, a value that is not known.
const SAMPLES: &str = include_str!("template/samples.json");

/// A compiled template and what its output is. Cheap to clone.
#[derive(Clone)]
pub struct Template {
    environment: Arc<Environment<'static>>,
    source: Arc<str>,
    content_type: Arc<str>,
}

/// Why a template gives no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// The line of the template, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line} of the template: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Template {
    /// Compiles `source`; its output is sent as `content_type`.
    ///
    /// # Errors
    /// When it is no template.
    pub fn new(source: String, content_type: &str) -> Result<Self, TemplateFault> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_debug(true); // so that an undefined value is named
        environment.add_filter("tojson", tojson);
        environment.set_fuel(Some(STEPS));
        environment.add_template_owned(NAME, source.clone()).map_err(|error| fault(&error))?;
        Ok(Self {
            environment: Arc::new(environment),
            source: source.into(),
            content_type: content_type.into(),
        })
    }

    /// The media type of the output.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Tries it on every sample.
    ///
    /// # Errors
    /// The first sample for which it gives no body.
    pub fn check(&self) -> Result<(), TemplateFault> {
        for sample in samples() {
            self.render(&sample).map_err(|fault| {
                let message = format!("{} (for {})", fault.message, describe(&sample));
                TemplateFault { message, ..fault }
            })?;
        }
        Ok(())
    }

    /// The body for `context`.
    ///
    /// # Errors
    /// When a value is not there, the work or the output has no end, or JSON is promised and not given.
    pub fn render(&self, context: &impl Serialize) -> Result<String, TemplateFault> {
        let mut output = Bounded::default();
        let template = self.environment.get_template(NAME).map_err(|error| fault(&error))?;
        match template.render_captured_to(Serde(context), &mut output) {
            Ok(_) => {}
            Err(_) if output.is_full => return Err(too_large()),
            Err(error) => return Err(fault(&error)),
        }
        let body = String::from_utf8(output.bytes).map_err(|_| too_large())?;
        if self.is_json() && serde_json::from_str::<IgnoredAny>(&body).is_err() {
            return Err(no_json(&body));
        }
        Ok(body)
    }

    fn is_json(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.content_type) == (&other.source, &other.content_type)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({} bytes, {})", self.source.len(), self.content_type)
    }
}

/// Every sample context.
pub fn samples() -> Vec<Value> {
    serde_json::from_str(SAMPLES).expect("the samples are part of the program, and a test reads them")
}

/// The filter of that name, which by itself would make `null` of a misspelt name.
fn tojson(
    value: &minijinja::Value,
    indent: Option<minijinja::Value>,
    options: Kwargs,
) -> Result<minijinja::Value, minijinja::Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    filters::tojson(value, indent, options)
}

fn describe(sample: &Value) -> String {
    let event = sample["event"].as_str().unwrap_or_default();
    let about = match sample {
        sample if sample["composite"].is_object() => "of a composite alarm, whose `queue` is null",
        sample if sample["custom_metric"].is_object() => "on a custom metric, whose `queue` is null",
        sample if sample["value"].is_null() => "whose `value` is null",
        _ => "on a queue",
    };
    format!("a `{event}` {about}")
}

fn fault(error: &minijinja::Error) -> TemplateFault {
    let hint = match error.kind() {
        ErrorKind::UndefinedError => Some(
            "docs/notifications.md lists what is known; `queue.url if queue else \"-\"` takes what can be null",
        ),
        ErrorKind::UnknownFilter => {
            Some("`tojson`, `default`, `join`, `upper` and most of Jinja's filters are known")
        }
        ErrorKind::OutOfFuel => Some("does a loop run over a long range?"),
        _ => None,
    };
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateFault { line: error.line(), message, hint: hint.map(str::to_owned) }
}

fn too_large() -> TemplateFault {
    let message = format!("makes more than {OUTPUT_BYTES} bytes");
    TemplateFault { line: None, message, hint: None }
}

fn no_json(body: &str) -> TemplateFault {
    let error =
        serde_json::from_str::<IgnoredAny>(body).map_or_else(|error| error.to_string(), |_| String::new());
    TemplateFault {
        line: None,
        message: format!("what it makes is no JSON: {error}"),
        hint: Some(
            "write texts as `{{ reason | tojson }}`, without quotes around it; or set `content_type`"
                .to_owned(),
        ),
    }
}

/// What is written, up to [`OUTPUT_BYTES`].
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > OUTPUT_BYTES {
            self.is_full = true;
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
