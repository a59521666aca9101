//! What the address of the page of notifications asks for, and the form that asks otherwise.

use maud::{Markup, html};
use serde::Deserialize;

use super::outbox::Debts;
use crate::store::Receipt;
use crate::web::pages::address::with_query;

/// The parameters; empty is "any".
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Those of this destination.
    pub destination: String,
    /// Those of alarms of this rule.
    pub alarm: String,
    /// One of [`Progress`]'s words.
    pub state: String,
    /// Those that follow the page which ended here.
    pub after: String,
}

/// How far a notification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is owed.
    Pending,
    /// It was given up and is kept.
    Parked,
    /// It arrived.
    Delivered,
    /// It did not, and nothing more is tried.
    NotDelivered,
}

impl Progress {
    const WORDS: [(Self, &'static str, &'static str); 4] = [
        (Self::Parked, "parked", "given up, kept"),
        (Self::Pending, "pending", "waiting"),
        (Self::Delivered, "delivered", "delivered"),
        (Self::NotDelivered, "not_delivered", "not delivered"),
    ];

    /// Whether `receipt` is of one that came so far.
    pub fn fits(self, receipt: &Receipt) -> bool {
        receipt.reason.is_none() == (self == Self::Delivered)
    }
}

impl Asked {
    /// The only kind that is asked for.
    pub fn progress(&self) -> Option<Progress> {
        Progress::WORDS.iter().find(|(_, word, _)| *word == self.state).map(|(progress, ..)| *progress)
    }

    /// The number that the page before ended with.
    pub fn after(&self) -> Option<u64> {
        self.after.parse().ok()
    }

    /// The address that asks for this.
    pub fn address(&self) -> String {
        let Self { destination, alarm, state, after } = self;
        let parameters =
            [("destination", &**destination), ("alarm", alarm), ("state", state), ("after", after)];
        with_query("/notifications", parameters)
    }

    /// The same list after this number.
    pub fn following(&self, after: u64) -> Self {
        Self { after: after.to_string(), ..self.clone() }
    }

    /// The same list from its start.
    pub fn first_part(&self) -> Self {
        Self { after: String::new(), ..self.clone() }
    }

    /// All of one kind.
    pub fn only(&self, progress: Progress) -> Self {
        let word =
            Progress::WORDS.iter().find(|(known, ..)| *known == progress).map_or("", |(_, word, _)| word);
        Self { state: word.to_owned(), ..self.first_part() }
    }

    fn is_narrow(&self) -> bool {
        *self != Self::default()
    }

    /// The form.
    pub fn form(&self, debts: &[Debts]) -> Markup {
        let known = debts.iter().any(|debts| *debts.name == *self.destination);
        html! {
            form.filters action="/notifications" data-soft aria-label="Which notifications" {
                label { span.unseen { "Destination" }
                    select name="destination" {
                        option value="" { "Destination: any" }
                        @for debts in debts {
                            option value=(debts.name) selected[*debts.name == *self.destination] { (debts.name) }
                        }
                        @if !known && !self.destination.is_empty() {
                            option value=(self.destination) selected { (self.destination) }
                        }
                    } }
                label { span.unseen { "State" }
                    select name="state" {
                        option value="" { "State: any" }
                        @for (progress, word, words) in Progress::WORDS {
                            option value=(word) selected[self.progress() == Some(progress)] { (words) }
                        }
                    } }
                label { span.unseen { "Alarm" }
                    input type="search" name="alarm" value=(self.alarm) placeholder="Name of an alarm" autocomplete="off" spellcheck="false"; }
                noscript { button { "Show" } }
                @if self.is_narrow() { a href="/notifications" data-soft { "Show all" } }
            }
        }
    }
}
