//! Why a composite alarm changed: the change that made it so in CloudWatch's words, then the children that count.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::{Expression, View};
use crate::domain::alarm::{State, Subject};
use crate::domain::time::Timestamp;

/// How many children a reason names, and how many queues of each.
const LISTED: usize = 5;

/// What an expression asks of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// To be in this state.
    In(State),
    /// Not to be in OK. (That a child is not in one of the other states is no news.)
    NotOk,
}

impl Asked {
    /// What a leaf asks, if that can be news.
    fn of(state: State, positive: bool) -> Option<Self> {
        match (positive, state) {
            (true, state) => Some(Self::In(state)),
            (false, State::Ok) => Some(Self::NotOk),
            (false, _) => None,
        }
    }

    pub(super) fn fits(self, state: State) -> bool {
        match self {
            Self::In(asked) => state == asked,
            Self::NotOk => state != State::Ok,
        }
    }
}

/// The children that are as the expression asks, in the order they stand and once each; when it is true, only where that makes it so.
pub(super) fn witnesses<'e>(view: &View<'_>, expression: &'e Expression) -> Vec<(&'e Arc<str>, Asked)> {
    let mut found = Vec::new();
    gather(view, expression, true, &mut found);
    found
}

fn gather<'e>(
    view: &View<'_>,
    expression: &'e Expression,
    positive: bool,
    found: &mut Vec<(&'e Arc<str>, Asked)>,
) {
    let mut leaf = |name: &'e Arc<str>, state, positive| {
        let is = view.is(state, name) == Some(positive);
        if let Some(asked) = Asked::of(state, positive).filter(|_| is)
            && !found.contains(&(name, asked))
        {
            found.push((name, asked));
        }
    };
    match expression {
        Expression::Constant(_) => {}
        Expression::Is(state, name) => leaf(name, *state, positive),
        Expression::AtLeast(at_least) => {
            let positive = positive != at_least.negated;
            at_least.names.iter().for_each(|name| leaf(name, at_least.state, positive));
        }
        Expression::Not(inner) => gather(view, inner, !positive, found),
        Expression::And(terms) => terms.iter().for_each(|term| gather(view, term, positive, found)),
        Expression::Or(terms) => {
            let is_true = |term: &&Expression| term.holds(&|state, name| view.is(state, name)) == Some(true);
            let some_hold = positive && terms.iter().any(|term| is_true(&term));
            let counts = terms.iter().filter(|term| !some_hold || is_true(term));
            counts.for_each(|term| gather(view, term, positive, found));
        }
    }
}

/// The reason of an expression's having become true or false.
pub(super) fn explain(view: &View<'_>, expression: &Expression, holds: bool) -> String {
    let witnesses = witnesses(view, expression);
    let mut text = latest(view, expression, &witnesses).unwrap_or_default();
    let _ = write!(text, "The alarm rule is {holds}");
    let list: Vec<String> =
        witnesses.iter().take(LISTED).map(|(name, asked)| group(view, name, *asked)).collect();
    if !list.is_empty() {
        let _ = write!(text, ": {}", list.join(", "));
    }
    if witnesses.len() > LISTED {
        let _ = write!(text, " and {} more", witnesses.len() - LISTED);
    }
    text + "."
}

/// `dlq on orders-dlq transitioned to ALARM at Friday 04 August, 2023 12:54:46 UTC. ` of the child that changed last.
fn latest(view: &View<'_>, expression: &Expression, witnesses: &[(&Arc<str>, Asked)]) -> Option<String> {
    let mut names = Vec::new();
    expression.names(&mut names);
    let mut last: BTreeMap<(Timestamp, bool), (&Arc<str>, &Subject, State)> = BTreeMap::new();
    for name in names {
        for (subject, member) in view.members(name).filter(|(_, member)| !member.is_open) {
            let counts = witnesses.iter().any(|(one, asked)| *one == name && asked.fits(member.state));
            last.entry((member.since, counts)).or_insert((name, subject, member.state));
        }
    }
    let ((since, _), (name, subject, state)) = last.pop_last()?;
    let on = match subject {
        Subject::Queue(id) => format!(" on {}", id.name),
        Subject::Custom(_) | Subject::Composite(_) => String::new(),
    };
    Some(format!("{name}{on} transitioned to {state} at {}. ", date(since)))
}

/// `dlq on 2 queues (orders-dlq, mail-dlq) in ALARM`
fn group(view: &View<'_>, name: &str, asked: Asked) -> String {
    let queues: Vec<&str> = view.asked(name, asked).filter_map(|(subject, _)| queue_name(subject)).collect();
    let state = match asked {
        Asked::In(state) => format!("in {state}"),
        Asked::NotOk => "not in OK".to_owned(),
    };
    match queues.as_slice() {
        [] => format!("{name} {state}"),
        [queue] => format!("{name} on {queue} {state}"),
        queues => {
            let listed = queues.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
            let dots = if queues.len() > LISTED { ", ..." } else { "" };
            format!("{name} on {} queues ({listed}{dots}) {state}", queues.len())
        }
    }
}

fn queue_name(subject: &Subject) -> Option<&str> {
    match subject {
        Subject::Queue(id) => Some(&id.name),
        Subject::Custom(_) | Subject::Composite(_) => None,
    }
}

/// As CloudWatch writes it in the reasons of composite alarms.
fn date(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.strftime("%A %d %B, %Y %H:%M:%S UTC").to_string(),
        Err(_) => at.to_string(),
    }
}
