//! The alarms of one queue: what they say now, and when they were in ALARM.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::facts::Facts;
use super::{address, parts};
use crate::domain::alarm::{Alarm, AlarmKey, State, Subject};
use crate::domain::queue::QueueId;
use crate::domain::rule::{Rule, Trigger};
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::pages::condition;
use crate::web::pages::page::Block;
use crate::web::pages::plot::Span;

/// How many alarms of one queue are shown.
const SHOWN: usize = 50;
/// How many changes of one alarm are looked at.
const CHANGES: usize = 200;

/// One alarm of the queue, or of its dead-letter queue.
pub struct OwnAlarm {
    key: AlarmKey,
    alarm: Alarm,
    /// What it looks for.
    pub rule: Rule,
    /// Until when it is silenced, and by what.
    silenced: Option<(Timestamp, String)>,
    /// When it was in ALARM.
    pub spans: Vec<Span>,
}

/// All of them.
pub struct OwnAlarms {
    /// Of the queue, what fires first.
    pub own: Vec<OwnAlarm>,
    /// Of its dead-letter queue.
    pub dead: Vec<OwnAlarm>,
}

impl OwnAlarms {
    /// As board and store know them.
    pub fn of(web: &Web, facts: &Facts, now: Timestamp) -> Self {
        let dead = facts.queue.dead_letter_queue().filter(|id| **id != facts.queue.id);
        let mut own = of_queue(web, &facts.queue.id, now);
        own.sort_by_key(|one| (Reverse(one.is_firing()), Reverse(one.rule.severity)));
        Self { own, dead: dead.map(|id| of_queue(web, id, now)).unwrap_or_default() }
    }

    /// How many fire.
    pub fn firing(&self) -> usize {
        self.own.iter().filter(|one| one.is_firing()).count()
    }

    /// The list.
    pub fn block(&self) -> Block {
        let items = self.own.iter().take(SHOWN).map(|one| (one.key.rule.to_string(), one.row())).collect();
        let (none, more) = (self.own.is_empty(), self.own.len() > SHOWN);
        Block::list("alarms", items, |rows| {
            html! {
                section aria-labelledby="alarms" {
                    h2 #alarms { "Alarms" }
                    @if none {
                        p.note { "No alarm looks at this queue. " a href="/alarms" { "All alarms" } }
                    } @else {
                        table.own-alarms {
                            thead { tr {
                                th scope="col" { "State" } th scope="col" { "Alarm" } th scope="col" { "Value" }
                                th scope="col" { "For" } th scope="col" { span.unseen { "Silence" } }
                            } }
                            tbody data-items { (rows) }
                        }
                        @if more { p.note { "The first " (SHOWN) ". " a href="/alarms" { "All alarms" } } }
                    }
                }
            }
        })
    }
}

fn of_queue(web: &Web, id: &QueueId, now: Timestamp) -> Vec<OwnAlarm> {
    let (rules, silences) = (web.board.rules(), web.board.silences());
    let in_force = silences.at(now);
    let subject = Subject::Queue(id.clone());
    let known: Vec<(AlarmKey, Alarm, Rule)> = web.board.with_alarms(|alarms| {
        let keys =
            rules.iter().map(|rule| (AlarmKey { rule: rule.name.clone(), subject: subject.clone() }, rule));
        keys.filter_map(|(key, rule)| Some((key.clone(), alarms.get(&key)?.clone(), rule.clone()))).collect()
    });
    let own = known.into_iter().map(|(key, alarm, rule)| {
        let holder = in_force.holder(&rule, &subject);
        let silenced = holder.map(|holder| (holder.until, holder.hold.to_string()));
        let spans = spans(web, &key, &alarm);
        OwnAlarm { key, alarm, rule, silenced, spans }
    });
    own.collect()
}

/// When it was in ALARM as far as that is remembered. What the store cannot tell now is not drawn; the state itself is.
fn spans(web: &Web, key: &AlarmKey, alarm: &Alarm) -> Vec<Span> {
    let changes = web.store.changes_of(key, CHANGES).unwrap_or_default();
    let ended = changes.iter().map(|change| &change.transition).filter(|change| change.from == State::Alarm);
    let past = ended.map(|change| Span { from: change.since, until: Some(change.at) });
    let now = (alarm.state == State::Alarm).then_some(Span { from: alarm.since, until: None });
    past.chain(now).collect()
}

impl OwnAlarm {
    /// Whether it is in ALARM.
    pub fn is_firing(&self) -> bool {
        self.alarm.state == State::Alarm
    }

    fn row(&self) -> Markup {
        html! {
            tr data-key=(self.key.rule) {
                td data-label="State" { (parts::state(self.alarm.state)) }
                th scope="row" {
                    a href=(address::alarm(&self.key)) title=(self.alarm.reason) { bdi { (self.key.rule) } } " "
                    (parts::severity(self.rule.severity))
                    @if let Some((until, hold)) = &self.silenced {
                        " " span.chip title={ "by " (hold) " until " (until) } { "silenced" }
                    }
                    @if !self.rule.description.is_empty() && self.is_firing() { small.place { (self.rule.description) } }
                }
                td data-label="Value" { (self.value()) }
                td data-label="For" { (parts::lasting(self.alarm.since)) }
                td.n { @if self.silenced.is_none() { a href=(address::silence(&self.key)) { "Silence" } } }
            }
        }
    }

    fn value(&self) -> Markup {
        html! {
            @match &self.rule.trigger {
                Trigger::Metric(metric) => (condition::against(self.alarm.value, metric)),
                Trigger::Composite(composite) => span.rule { "fires at " (composite.text) },
            }
        }
    }
}
