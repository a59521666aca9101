//! What the address of a list of alarms asks for, and the form that asks otherwise.

use std::collections::BTreeSet;

use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::alarm::{AlarmKey, State};
use crate::domain::rule::Severity;
use crate::web::pages::address::{self, with_query};

/// The parameters; empty is "any" and "as usual".
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The only rule that is meant, from the path; empty for all.
    #[serde(skip)]
    pub rule: String,
    /// A part of the rule's or the subject's name.
    pub q: String,
    /// `ALARM`, `INSUFFICIENT_DATA`, `OK`.
    pub state: String,
    /// `info`, `warning`, `error`, `critical`.
    pub severity: String,
    /// `rule` for one row a rule.
    pub by: String,
    /// From 1.
    pub page: String,
}

/// What has a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Every alarm.
    Alarm,
    /// Every rule.
    Rule,
}

impl Asked {
    /// What has a row.
    pub fn by(&self) -> By {
        if self.by == "rule" { By::Rule } else { By::Alarm }
    }

    /// The page, from 0.
    pub fn page(&self) -> usize {
        self.page.parse::<usize>().map_or(0, |page| page.saturating_sub(1))
    }

    /// Whether such an alarm is asked for.
    pub fn fits(&self, key: &AlarmKey, state: State, severity: Severity) -> bool {
        (self.state.is_empty() || self.state == state.as_str())
            && (self.severity.is_empty() || self.severity == severity.as_str())
            && (self.fits_text(&key.rule) || self.fits_text(key.subject.name()))
    }

    /// Whether `name` contains what was typed.
    pub fn fits_text(&self, name: &str) -> bool {
        let typed = self.q.trim();
        typed.is_empty() || name.to_lowercase().contains(&typed.to_lowercase())
    }

    /// Where all of it is: every alarm, or every alarm of the rule.
    pub fn everything(&self) -> String {
        if self.rule.is_empty() { "/alarms".to_owned() } else { address::rule(&self.rule) }
    }

    /// The address that asks for this.
    pub fn address(&self) -> String {
        let page = if self.page() == 0 { "" } else { &self.page };
        let parameters = [
            ("q", &*self.q),
            ("state", &*self.state),
            ("severity", &*self.severity),
            ("by", &*self.by),
            ("page", page),
        ];
        with_query(&self.everything(), parameters)
    }

    /// Another page of the same, from 0.
    pub fn at_page(&self, page: usize) -> Self {
        Self { page: (page + 1).to_string(), ..self.clone() }
    }

    /// The same with another row.
    fn one_row_for(&self, by: By) -> Self {
        let by = if by == By::Rule { "rule" } else { "" };
        Self { by: by.to_owned(), page: String::new(), ..self.clone() }
    }

    fn is_narrow(&self) -> bool {
        !self.q.is_empty() || !self.state.is_empty() || !self.severity.is_empty()
    }

    /// The form; severities are offered where there are several.
    pub fn form(&self, severities: &BTreeSet<Severity>) -> Markup {
        let states = [(State::Alarm, "ALARM"), (State::InsufficientData, "no data"), (State::Ok, "OK")];
        html! {
            form.filters action=(self.everything()) data-soft aria-label="Which alarms" {
                label { span.unseen { "Name" }
                    input type="search" name="q" value=(self.q) placeholder="Alarm or queue contains" autocomplete="off" spellcheck="false"; }
                @if self.by() == By::Alarm {
                    label { span.unseen { "State" }
                        select name="state" {
                            option value="" { "State: any" }
                            @for (state, words) in states {
                                option value=(state.as_str()) selected[self.state == state.as_str()] { (words) }
                            }
                        } }
                }
                @if severities.len() > 1 || !self.severity.is_empty() {
                    label { span.unseen { "Severity" }
                        select name="severity" {
                            option value="" { "Severity: any" }
                            @for severity in Severity::ALL.iter().rev() {
                                option value=(severity.as_str()) selected[self.severity == severity.as_str()] { (severity.as_str()) }
                            }
                        } }
                }
                @if !self.by.is_empty() { input type="hidden" name="by" value=(self.by); }
                noscript { button { "Show" } }
                @if self.is_narrow() { a href=(self.everything()) data-soft { "Show all" } }
                @if self.rule.is_empty() {
                    span.ways {
                        @for (by, words) in [(By::Alarm, "One by one"), (By::Rule, "By rule")] {
                            a href=(self.one_row_for(by).address()) data-soft aria-current=[(self.by() == by).then_some("true")] { (words) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_say_what_differs_from_the_usual() {
        let asked = Asked { q: "a b".into(), state: "ALARM".into(), page: "2".into(), ..Asked::default() };
        assert_eq!(asked.address(), "/alarms?q=a+b&state=ALARM&page=2");
        assert_eq!(asked.at_page(0).address(), "/alarms?q=a+b&state=ALARM");
        assert_eq!(asked.one_row_for(By::Rule).address(), "/alarms?q=a+b&state=ALARM&by=rule");
        let of_rule = Asked { rule: "a/b".into(), ..asked };
        assert_eq!(of_rule.address(), "/alarms/a%2Fb?q=a+b&state=ALARM&page=2");
        assert_eq!(Asked { page: "-3".into(), by: "colour".into(), ..Asked::default() }.page(), 0);
    }
}
