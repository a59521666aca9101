//! What Slack shows: `text` says it all, for notifications and screen readers; `blocks` say it better.
//!
//! Everything that comes from outside is escaped, so that no queue's name calls a channel, and cut within Slack's limits after
//! escaping, never inside an escape.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::Slack;
use crate::domain::notification::{Event, Notification};
use crate::domain::rule::Severity;
use crate::notify::text::{self, Group, characters};

/// The most characters of a section.
pub const SECTION: usize = 3000;
/// The most characters of a section's field.
pub const FIELD: usize = 2000;
/// The most characters of `text` that we send; Slack takes more, and cuts at 40,000.
pub const TEXT: usize = 4000;
/// The most characters of a line about one of several alarms, without its link: ten of them and the rest fit a section.
const LINE: usize = 280;

/// The most characters around a name in such a line, and of how many more there are.
const AROUND: usize = 100;

/// The request's body for a group of one event, which is not empty.
pub fn message(config: &Slack, group: &[Arc<Notification>]) -> String {
    let Some(group) = Group::of(group) else { return "{}".to_owned() };
    let mention = mention(config, &group).map(|mention| format!("{mention} ")).unwrap_or_default();
    let mark = emoji(group.event(), group.severity());
    let headline = group.headline();
    let (body, blocks) = match group.only() {
        Some(one) => (text::paragraphs(one), alone(one)),
        None => together(&group),
    };
    let first = section(format!("{mention}{mark} *{}*", escaped(&headline, 1000)));
    let blocks: Vec<Value> = first.into_iter().chain(blocks).collect();
    let text = escaped(&format!("{headline}\n{body}"), TEXT - characters(&mention));
    json!({ "text": format!("{mention}{text}"), "blocks": blocks }).to_string()
}

fn alone(one: &Notification) -> Vec<Value> {
    let paragraphs = [&one.description, &one.reason].into_iter();
    let mut blocks: Vec<Value> = paragraphs.filter_map(|text| section(escaped(text, SECTION))).collect();
    let field = |(name, value): (&str, String)| mrkdwn(format!("*{name}*\n{}", escaped(&value, FIELD - 100)));
    let fields: Vec<Value> = text::facts(one).into_iter().take(10).map(field).collect();
    blocks.push(json!({ "type": "section", "fields": fields }));
    blocks.extend(
        text::console(one).and_then(|url| section(format!("<{url}|Open the queue in the SQS console>"))),
    );
    blocks.push(when(one));
    blocks
}

/// The plain text and the blocks that follow the headline over several.
fn together(group: &Group<'_>) -> (String, Vec<Value>) {
    let (mut text, mut lines) = (String::new(), String::new());
    for (position, (one, (name, value))) in std::iter::zip(&group.worst, group.lines()).enumerate() {
        text.push_str(&format!("{name}: {value}\n"));
        let (name, value) = (escaped(&name, 200), escaped(&value, 40));
        let mark = emoji(one.event, one.severity);
        // A link is an extra: the names of all that follow must still fit.
        let after = LINE * (group.worst.len() - position - 1);
        let room = (SECTION - AROUND - after).saturating_sub(characters(&lines));
        let linked = text::console(one).map(|url| format!("<{url}|{name}>"));
        let name = linked.filter(|linked| characters(linked) < room).unwrap_or(name);
        lines.push_str(&format!("{mark} {name}: *{value}*\n"));
    }
    let rest = group.rest().unwrap_or_default();
    let description = group.one_rule.then(|| escaped(&group.worst[0].description, SECTION));
    let mut blocks: Vec<Value> = description.and_then(section).into_iter().collect();
    blocks.extend(section(format!("{lines}{rest}")));
    blocks.push(when(group.worst[0]));
    (text + &rest, blocks)
}

/// A section, unless it would be empty, which Slack refuses.
fn section(text: String) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({ "type": "section", "text": mrkdwn(text) }))
}

fn mrkdwn(text: String) -> Value {
    json!({ "type": "mrkdwn", "text": text })
}

/// The instant, which Slack shows in the reader's own time zone, and who speaks.
fn when(notification: &Notification) -> Value {
    let (seconds, at) = (notification.at.as_secs(), notification.at);
    let severity = notification.severity.as_str();
    let text = format!("<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|{at}> · {severity} · sqswatch");
    json!({ "type": "context", "elements": [mrkdwn(text)] })
}

/// Who is called: only when there is something to do.
fn mention<'a>(config: &'a Slack, group: &Group<'_>) -> Option<&'a str> {
    match group.event() {
        Event::Firing | Event::Repeated | Event::Increased | Event::Flapping => {
            config.mention.get(&group.severity()).map(String::as_str)
        }
        Event::Resolved | Event::Closed | Event::Test => None,
    }
}

/// The colour of the message.
fn emoji(event: Event, severity: Severity) -> &'static str {
    match (event, severity) {
        (Event::Resolved | Event::Closed, _) => ":white_check_mark:",
        (Event::Test, _) => ":test_tube:",
        (_, Severity::Critical) => ":rotating_light:",
        (_, Severity::Error) => ":red_circle:",
        (_, Severity::Warning) => ":warning:",
        (_, Severity::Info) => ":information_source:",
    }
}

/// `text` with Slack's three control characters escaped, within so many characters after that, `...` at the end when it is
/// cut. Control characters but the line feed are dropped.
pub fn escaped(text: &str, max: usize) -> String {
    let dots = &"..."[..max.min(3)];
    let (mut out, mut used, mut fits) = (String::new(), 0, 0);
    for c in text.chars().filter(|c| *c == '\n' || !c.is_control()) {
        let mut buffer = [0; 4];
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => &*c.encode_utf8(&mut buffer),
        };
        used += characters(piece);
        if used > max {
            out.truncate(fits);
            return out + dots;
        }
        out.push_str(piece);
        if used + dots.len() <= max {
            fits = out.len();
        }
    }
    out
}
