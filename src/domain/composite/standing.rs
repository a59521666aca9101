//! How the children of composite alarms stand in one round, and what an expression makes of that.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::reason::{Asked, explain, witnesses};
use super::{Expression, Suppressing};
use crate::domain::alarm::{AlarmKey, State, Subject, Verdict};
use crate::domain::notification::Child;
use crate::domain::queue::Queue;
use crate::domain::rule::{Rule, Selector, Severity};
use crate::domain::time::Timestamp;

/// How many children a notification names.
const LISTED: usize = 50;

/// One alarm of a child rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its state.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// When it last left ALARM.
    pub ended: Option<Timestamp>,
    /// Whether it is new and could not be judged yet, so that its state says nothing.
    pub is_open: bool,
}

/// One child rule with all of its alarms.
#[derive(Clone, Debug)]
struct Family {
    /// Which queues it judges, unless it judges something else.
    queues: Option<Selector>,
    severity: Severity,
    may_grow: bool,
    members: BTreeMap<Subject, Member>,
}

/// Every rule that composite alarms look at, with its alarms.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    families: HashMap<Arc<str>, Family>,
}

impl Standing {
    /// Enters a rule, without alarms so far. `may_grow` says that it may have some that are not known yet.
    pub fn enter(&mut self, rule: &Rule, may_grow: bool) {
        let family = Family {
            queues: rule.judges_queues().then(|| rule.selector.clone()),
            severity: rule.severity,
            may_grow,
            members: BTreeMap::new(),
        };
        self.families.insert(rule.name.clone(), family);
    }

    /// Enters an alarm, or what has become of it; of no effect when nothing looks at its rule.
    pub fn put(&mut self, key: &AlarmKey, member: Member) {
        if let Some(family) = self.families.get_mut(&key.rule) {
            family.members.insert(key.subject.clone(), member);
        }
    }

    /// Takes an alarm out that has been closed.
    pub fn remove(&mut self, key: &AlarmKey) {
        if let Some(family) = self.families.get_mut(&key.rule) {
            family.members.remove(&key.subject);
        }
    }

    /// What an alarm on `queue` sees of it; with `None`, what an alarm over the whole sees.
    pub fn view<'a>(&'a self, queue: Option<&'a Queue>) -> View<'a> {
        View { standing: self, queue, subject: queue.map(|queue| Subject::Queue(queue.id.clone())) }
    }
}

/// The standing as one composite alarm sees it.
#[derive(Clone, Debug)]
pub struct View<'a> {
    standing: &'a Standing,
    queue: Option<&'a Queue>,
    subject: Option<Subject>,
}

/// Which states there are among the alarms of one child.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    any: bool,
    alarm: bool,
    insufficient: bool,
    /// One is there whose state is not known, or may be.
    open: bool,
}

impl<'a> View<'a> {
    /// The verdict on a composite alarm that is in `state`; `None` when too little is known, so that it stays. The reason is empty
    /// when nothing changes.
    pub fn verdict(&self, expression: &Expression, state: State) -> Option<Verdict> {
        let holds = expression.holds(&|state, name| self.is(state, name))?;
        let found = if holds { State::Alarm } else { State::Ok };
        let reason = if found == state { String::new() } else { explain(self, expression, holds) };
        Some(Verdict { state: found, reason, value: None })
    }

    /// The alarms that are in the state they are asked for, the worst first, as many as a notification names.
    pub fn children(&self, expression: &Expression) -> Vec<Child> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (name, asked) in witnesses(self, expression) {
            let severity = self.standing.families.get(name).map(|family| family.severity);
            for (subject, member) in self.asked(name, asked) {
                let alarm = AlarmKey { rule: name.clone(), subject: subject.clone() };
                if seen.insert(alarm.clone()) {
                    found.push((severity, Child { alarm, state: member.state, since: member.since }));
                }
            }
        }
        let rank = |state| State::ALL.iter().position(|known| *known == state);
        found.sort_by_key(|(severity, child)| (rank(child.state), Reverse(*severity), child.since));
        found.into_iter().map(|(_, child)| child).take(LISTED).collect()
    }

    /// How a suppressor of this name stands.
    pub fn suppressing(&self, name: &str) -> Suppressing {
        let (mut active, mut ended) = (false, None);
        for (_, member) in self.members(name) {
            active |= member.state == State::Alarm;
            ended = ended.max(member.ended);
        }
        Suppressing { active, ended }
    }

    /// Whether the child of this name is in `state`; `None` when it is not known.
    ///
    /// That one is in ALARM is never hidden by alarms that are not known yet, since an alarm in ALARM is remembered. So while some
    /// places were never listed only OK and INSUFFICIENT_DATA stay open, and ALARM where nothing at all is known.
    pub(super) fn is(&self, state: State, name: &str) -> Option<bool> {
        let tally = self.tally(name);
        let may_grow = self.may_grow(name);
        match state {
            State::Alarm if tally.alarm => Some(true),
            State::Alarm => (!tally.open && (tally.any || !may_grow)).then_some(false),
            _ if tally.alarm => Some(false),
            State::Ok if tally.insufficient => Some(false),
            _ if tally.open || may_grow => None,
            State::Ok => Some(tally.any),
            State::InsufficientData => Some(tally.insufficient || !tally.any),
        }
    }

    /// The alarms of this name that are as asked.
    pub(super) fn asked(
        &self,
        name: &str,
        asked: Asked,
    ) -> impl Iterator<Item = (&'a Subject, &'a Member)> + use<'a> {
        self.members(name).filter(move |(_, member)| !member.is_open && asked.fits(member.state))
    }

    /// The alarms of this name: on the view's queue if there is one and the rule judges queues, else all.
    pub(super) fn members(&self, name: &str) -> impl Iterator<Item = (&'a Subject, &'a Member)> + use<'a> {
        let family = self.standing.families.get(name);
        let on_queue = self.subject.as_ref().filter(|_| family.is_some_and(|family| family.queues.is_some()));
        let (one, all) = match (family, on_queue) {
            (Some(family), Some(subject)) => (family.members.get_key_value(subject), None),
            (family, _) => (None, family.map(|family| &family.members)),
        };
        one.into_iter().chain(all.into_iter().flatten())
    }

    fn tally(&self, name: &str) -> Tally {
        let mut tally = Tally::default();
        for (_, member) in self.members(name) {
            tally.any = true;
            match member.state {
                _ if member.is_open => tally.open = true,
                State::Alarm => tally.alarm = true,
                State::InsufficientData => tally.insufficient = true,
                State::Ok => {}
            }
        }
        tally
    }

    /// Whether there may be more alarms of this name than are known, on the view's queue if it has one.
    fn may_grow(&self, name: &str) -> bool {
        let Some(family) = self.standing.families.get(name).filter(|family| family.may_grow) else {
            return false;
        };
        match (self.queue, &family.queues) {
            (Some(queue), Some(selector)) => {
                self.members(name).next().is_none() && selector.may_match(queue, false)
            }
            _ => true,
        }
    }
}
