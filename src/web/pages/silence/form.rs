//! The form that silences: what is in its fields, what is wrong with each, and how it is shown.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::{field, token_field, wanted};
use crate::config;
use crate::domain::alarm::State;
use crate::domain::rule::Glob;
use crate::domain::silence::Matchers;
use crate::web::Web;
use crate::web::answer::Fault;

/// The choice of an instant instead of a length.
pub const UNTIL: &str = "until";
/// The lengths that are offered, with their words; the second is chosen unless something else is.
const LENGTHS: [(&str, &str); 5] =
    [("30m", "30 minutes"), ("1h", "1 hour"), ("4h", "4 hours"), ("1d", "1 day"), (UNTIL, "until …")];

/// The fields. The token is never written back.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Form {
    /// A glob over the alarm's name.
    pub alarm: String,
    /// A glob over the queue's name.
    pub queue: String,
    /// The only region that is meant: a label, as a link says it.
    pub region: String,
    /// One `name=value` a line.
    pub labels: String,
    /// One of [`LENGTHS`].
    pub duration: String,
    /// As a browser writes it, in UTC.
    pub until: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub author: String,
    /// The secret.
    #[serde(skip)]
    pub token: String,
    /// Where to go when it is done.
    #[serde(skip)]
    pub back: String,
    /// What is wrong, by field; `form` is the form as a whole.
    #[serde(skip)]
    pub(super) faults: BTreeMap<&'static str, Vec<String>>,
}

impl Form {
    /// What was sent. Of a field that was sent twice the last counts.
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "alarm" => form.alarm = value,
                "queue" => form.queue = value,
                "labels" => form.labels = value,
                "duration" => form.duration = value,
                "until" => form.until = value,
                "reason" => form.reason = value,
                "author" => form.author = value,
                "token" => form.token = value,
                "back" => form.back = value,
                _ => {}
            }
        }
        form
    }

    /// An empty one that says why nothing could be read.
    pub fn faulty(fault: &Fault) -> Self {
        let mut form = Self::default();
        form.note(fault);
        form
    }

    /// What it asks for.
    pub fn wanted(&self) -> Value {
        wanted::body(self)
    }

    /// Notes what is wrong as a whole.
    pub fn note(&mut self, fault: &Fault) -> StatusCode {
        self.put("form", format!("{}. {}.", fault.error, fault.hint));
        fault.status
    }

    /// Notes that the token is not the one.
    pub fn note_token(&mut self, fault: &Fault) -> StatusCode {
        self.put("token", fault.error.clone());
        fault.status
    }

    /// Notes what is wrong where it is.
    pub fn note_field(&mut self, fault: &config::Fault) {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let place = |key: &str| {
            fault.path == key
                || fault.path.starts_with(&format!("{key}["))
                || fault.path.starts_with(&format!("{key}."))
        };
        let (field, words) = match () {
            () if place("alarms") => ("alarm", format!("{}{hint}", fault.message)),
            () if place("queues") => ("queue", format!("{}{hint}", fault.message)),
            () if place("labels") => ("labels", format!("`{}` {}{hint}", fault.path, fault.message)),
            () if place("duration") => ("duration", "choose for how long".to_owned()),
            () if place("ends") && self.until.trim().is_empty() => {
                ("until", "say until when, in UTC".to_owned())
            }
            () if place("ends") => ("until", format!("{}{hint}", fault.message)),
            () if place("reason") => ("reason", format!("{}{hint}", fault.message)),
            () if place("author") => ("author", format!("{}{hint}", fault.message)),
            () if self.means_nothing() => {
                ("alarm", "say which alarms are meant: here, by queue, or by label".to_owned())
            }
            () => ("form", format!("{}{hint}", fault.message)),
        };
        self.put(field, words);
    }

    fn put(&mut self, field: &'static str, words: String) {
        self.faults.entry(field).or_default().push(words);
    }

    fn means_nothing(&self) -> bool {
        [&self.alarm, &self.queue, &self.labels].iter().all(|text| text.trim().is_empty())
    }

    fn faults(&self, field: &str) -> &[String] {
        self.faults.get(field).map_or(&[], Vec::as_slice)
    }

    /// The form.
    pub fn show(&self, web: &Web) -> Markup {
        let mut form = self.clone();
        if !self.region.is_empty() && self.labels.is_empty() {
            form.labels = format!("region={}", self.region);
        }
        if !LENGTHS.iter().any(|(value, _)| *value == self.duration) {
            form.duration = LENGTHS[1].0.to_owned();
        }
        html! {
            h1 { "Silence alarms" }
            p.lead { "Silenced alarms are judged and shown as ever, but tell nobody. One that still fires at the end is told then." }
            @if !self.faults.is_empty() {
                section.notice role="alert" aria-labelledby="faults" {
                    h2 #faults { "Nothing was silenced" }
                    ul {
                        @for fault in self.faults("form") { li { (fault) } }
                        @if self.faults("form").is_empty() { li { "The fields below say what is wrong." } }
                    }
                }
            }
            form.sheet method="post" action="/silence" {
                (form.which(web))
                (form.how_long())
                (form.who())
                (token_field(web, self.faults("token")))
                input type="hidden" name="back" value=(self.back);
                p.actions { button.primary { "Silence" } a href=(super::local(&self.back)) { "Cancel" } }
            }
            details #command {
                summary { "The same from a shell" }
                pre { code { (wanted::command(&form)) } }
                p.note { "It takes the token from " code { "SQSWATCH_TOKEN" } "." }
            }
        }
    }

    fn which(&self, web: &Web) -> Markup {
        html! {
            fieldset {
                legend { "Which alarms" }
                (self.text("alarm", "Alarm", &self.alarm, html! { "its name; " code { "*" } " and " code { "?" } " stand for anything" }))
                (self.text("queue", "Queue", &self.queue, html! { "its name, or a custom metric's; empty is any" }))
                (field("labels", "Labels", self.faults("labels"), html! {
                    textarea #labels name="labels" rows="2" spellcheck="false" aria-describedby="labels-says" { (self.labels) }
                }, html! { "one " code { "name=value" } " a line; " code { "severity" } ", " code { "region" } " and " code { "account" } " are labels of every alarm" }))
                p.note { (self.meant(web)) }
            }
        }
    }

    /// How many alarms the form means as it was asked for.
    fn meant(&self, web: &Web) -> String {
        if self.means_nothing() {
            return "All that is filled in must match.".to_owned();
        }
        let globs =
            |text: &str| (!text.trim().is_empty()).then(|| Glob::new(text.trim())).into_iter().collect();
        let labels = self.labels.lines().filter_map(|line| line.split_once('='));
        let matchers = Matchers {
            alarms: globs(&self.alarm),
            queues: globs(&self.queue),
            labels: labels.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect(),
        };
        let rules = web.board.rules();
        let (count, firing) = web.board.with_alarms(|alarms| {
            let meant = alarms.iter().filter(|(key, _)| {
                let rule = rules.iter().find(|rule| rule.name == key.rule);
                rule.is_some_and(|rule| matchers.matches(rule, &key.subject))
            });
            meant.fold((0, 0), |(count, firing), (_, alarm)| {
                (count + 1, firing + usize::from(alarm.state == State::Alarm))
            })
        });
        let alarms = if count == 1 { "alarm" } else { "alarms" };
        format!("As filled in above it means {count} {alarms} at present, {firing} in ALARM.")
    }

    fn how_long(&self) -> Markup {
        html! {
            fieldset {
                legend { "For how long" }
                div.field .faulty[!self.faults("duration").is_empty()] {
                    div.radios { @for (value, words) in LENGTHS {
                        label { input type="radio" name="duration" value=(value) checked[value == self.duration]; " " (words) }
                    } }
                    @for fault in self.faults("duration") { p.fault { (fault) } }
                }
                (field("until", "Until", self.faults("until"), html! {
                    input #until type="datetime-local" name="until" value=(self.until) aria-describedby="until-says";
                }, html! { "in UTC; counts where “until …” is chosen" }))
            }
        }
    }

    fn who(&self) -> Markup {
        html! {
            fieldset {
                legend { "Why, and who asks" }
                (self.text("reason", "Reason", &self.reason, html! { "shown wherever the silence is" }))
                (self.text("author", "Your name", &self.author, html! {}))
            }
        }
    }

    fn text(&self, name: &str, label: &str, value: &str, hint: Markup) -> Markup {
        let faults = self.faults(name);
        let input = html! {
            input id=(name) type="text" name=(name) value=(value) spellcheck="false" aria-describedby={ (name) "-says" }
                aria-invalid=[(!faults.is_empty()).then_some("true")];
        };
        field(name, label, faults, input, hint)
    }
}
