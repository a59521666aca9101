//! What a template sees of a notification: the fields of our body, and the texts that people read.

use serde::Serialize;

use super::body::Body;
use super::text;
use crate::config::template::{Template, TemplateFault};
use crate::domain::notification::Notification;

/// The body's fields with `headline` (one line) and `text` (all of it, as an e-mail has it) beside them. A public
/// interface, described in docs/notifications.md.
#[derive(Debug, Serialize)]
struct Context<'a> {
    #[serde(flatten)]
    body: Body<'a>,
    headline: String,
    text: String,
}

/// The body that `template` makes of `notification`.
///
/// # Errors
/// As [`Template::render`].
pub fn render(template: &Template, notification: &Notification) -> Result<String, TemplateFault> {
    template.render(&context(notification))
}

fn context(notification: &Notification) -> Context<'_> {
    Context {
        body: Body::full(notification),
        headline: text::headline(notification),
        text: text::long(notification),
    }
}

#[cfg(test)]
mod tests;
