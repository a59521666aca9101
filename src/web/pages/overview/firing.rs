//! What is on fire, and what is silenced: the first things on the overview.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::asked::fits_name;
use crate::address;
use crate::board::Board;
use crate::domain::alarm::{Alarm, AlarmKey, State, Subject};
use crate::domain::hold::Hold;
use crate::domain::rule::{Rule, Severity, Trigger};
use crate::domain::silence::Silences;
use crate::domain::time::Timestamp;
use crate::web::pages::humane::number;
use crate::web::pages::page::Block;
use crate::web::pages::{condition, parts};

/// How many are shown; all are on the page of alarms.
const SHOWN: usize = 25;

/// One alarm in ALARM.
pub struct Firing {
    key: AlarmKey,
    alarm: Alarm,
    /// Gone for a moment after a reload.
    rule: Option<Rule>,
    /// Until when it is silenced, and by what.
    silenced: Option<(Timestamp, Hold)>,
}

/// The alarms in ALARM, the most severe first, silenced ones last.
pub fn firing(board: &Board, now: Timestamp) -> Vec<Firing> {
    let (rules, silences) = (board.rules(), board.silences());
    let in_force = silences.at(now);
    let mut firing: Vec<Firing> = board.with_alarms(|alarms| {
        let firing = alarms.iter().filter(|(_, alarm)| alarm.state == State::Alarm);
        let with_rule = firing.map(|(key, alarm)| {
            let rule = rules.iter().find(|rule| rule.name == key.rule).cloned();
            let holder = rule.as_ref().and_then(|rule| in_force.holder(rule, &key.subject));
            let silenced = holder.map(|holder| (holder.until, holder.hold.clone()));
            Firing { key: key.clone(), alarm: alarm.clone(), rule, silenced }
        });
        with_rule.collect()
    });
    firing.sort_by_key(|one| Reverse((one.silenced.is_none(), one.severity(), one.alarm.since)));
    firing
}

/// Those of them whose subject has `typed` in its name.
pub fn block(firing: &[Firing], typed: &str) -> Block {
    let asked: Vec<&Firing> = firing.iter().filter(|one| fits_name(one.key.subject.name(), typed)).collect();
    let items = asked.iter().take(SHOWN).map(|one| (one.item_key(), one.item())).collect();
    let count = asked.len();
    Block::list("firing", items, |items| {
        html! {
            @if count > 0 {
                section aria-labelledby="firing" {
                    h2 #firing { "Firing" }
                    ul.firing data-items { (items) }
                    @if count > SHOWN {
                        p.note { "The first " (SHOWN) " of " (count) ". " a href="/alarms?state=ALARM" { "All of them" } }
                    }
                }
            }
        }
    })
}

impl Firing {
    /// How bad it is.
    fn severity(&self) -> Severity {
        self.rule.as_ref().map(|rule| rule.severity).unwrap_or_default()
    }

    fn item_key(&self) -> String {
        address::alarm(&self.key)
    }

    fn item(&self) -> Markup {
        let (severity, subject) = (self.severity(), &self.key.subject);
        let kind = match subject {
            Subject::Queue(_) => "",
            Subject::Custom(_) => "custom metric, ",
            Subject::Composite(_) => "composite alarm",
        };
        html! {
            li .(severity.as_str()) .held[self.silenced.is_some()] data-key=(self.item_key()) {
                p.what {
                    a href=(address::alarm(&self.key)) title=(self.alarm.reason) { (subject.name()) }
                    @if !matches!(subject, Subject::Composite(_)) { span.rule { (self.key.rule) } }
                    (parts::severity(severity))
                    @if let Some((until, hold)) = &self.silenced {
                        span.chip title={ "by " (hold) " until " (until) } { "silenced" }
                    }
                }
                p.value { (self.against()) }
                p.why {
                    @if let Some(rule) = &self.rule { @if !rule.description.is_empty() { (rule.description) " · " } }
                    (kind) (subject.region())
                }
                p.since { "for " (parts::lasting(self.alarm.since)) }
            }
        }
    }

    fn against(&self) -> Markup {
        html! {
            @match self.rule.as_ref().map(|rule| &rule.trigger) {
                Some(Trigger::Metric(condition)) => { (condition::against(self.alarm.value, condition)) }
                Some(Trigger::Composite(composite)) => { span title=(self.alarm.reason) { "fires at " (composite.text) } }
                None => {}
            }
        }
    }
}

/// A silence or maintenance window that is in force.
struct Silencing {
    hold: Hold,
    /// Which alarms, as people say it.
    what: String,
    /// Who asked and why; of a window its schedule.
    why: String,
    until: Timestamp,
}

/// What keeps alarms from telling anybody at present; the one that ends first is first.
pub fn silenced(silences: &Silences, now: Timestamp) -> Block {
    let silencing = silencing(silences, now);
    let more = silencing.len().saturating_sub(SHOWN);
    Block::whole(
        "silenced",
        html! {
            @if !silencing.is_empty() {
                section aria-labelledby="silenced" {
                    h2 #silenced { "Silenced" }
                    ul.silences { @for one in silencing.iter().take(SHOWN) { li {
                        p.what { strong { (one.what) } span.rule { (one.hold.kind()) " " (one.hold.by()) } }
                        p.since { "for " (parts::lasting(one.until)) " more" }
                        p.why { (one.why) }
                    } } }
                    @if more > 0 { p.note { (number(more as f64)) " more. " a href="/alarms" { "All of them" } } }
                }
            }
        },
    )
}

fn silencing(silences: &Silences, now: Timestamp) -> Vec<Silencing> {
    let active = silences.silences.iter().filter(|silence| silence.is_active(now));
    let silences_now = active.map(|silence| Silencing {
        hold: Hold::Silence(silence.id.clone()),
        what: silence.matchers.to_string(),
        why: format!("{}: {}", silence.author, silence.reason),
        until: silence.ends,
    });
    let windows = silences.windows.iter().filter_map(|window| {
        Some(Silencing {
            hold: Hold::Maintenance(window.name.clone()),
            what: window.matchers.to_string(),
            why: window.schedule.to_string(),
            until: window.active(now)?.until,
        })
    });
    let mut silencing: Vec<Silencing> = silences_now.chain(windows).collect();
    silencing.sort_by_key(|one| one.until);
    silencing
}
