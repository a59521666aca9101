//! The composite alarms, after the alarms they look at: their states follow from those states alone, so that only the instants
//! count at which one of these changed. Suppressors hold notifications back, not states, and are of no effect here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::report::{Change, Report};
use super::{Roster, Run};
use crate::domain::alarm::{Alarm, AlarmKey, CustomId, State, Subject, Transition};
use crate::domain::composite::{Composite, Member, Scope, Standing, in_order};
use crate::domain::queue::Queue;
use crate::domain::rule::{Rule, Trigger};
use crate::domain::time::Timestamp;

/// Judges the composite alarms among `rules` over what `report` says of the others.
pub(super) fn judge(rules: &[Rule], roster: &Roster, report: &mut Report, run: &Run) {
    let rules = in_order(rules.to_vec());
    let mut composites = composites(&rules, roster, run);
    if composites.is_empty() {
        return;
    }
    let mut standing = Standing::default();
    let mut subjects = BTreeMap::new();
    for rule in &rules {
        standing.enter(rule, false);
        subjects.insert(rule.name.clone(), rule.judges_queues());
    }
    let key = |alarm: &Arc<str>, name: &Option<Arc<str>>| AlarmKey {
        rule: alarm.clone(),
        subject: subject(roster, subjects.get(alarm) == Some(&true), name),
    };
    for end in &report.states {
        standing.put(&key(&end.alarm, &end.queue), member(run.initial, run.range.from, None));
    }
    for composite in &composites {
        standing.put(&composite.key, member(run.initial, run.range.from, None));
    }
    let mut changes: BTreeMap<Timestamp, Vec<&Change>> = BTreeMap::new();
    changes.extend(run.first_instant(&rules).map(|first| (first, Vec::new())));
    for change in &report.transitions {
        changes.entry(change.transition.at).or_default().push(change);
    }
    for (now, changes) in changes {
        for change in changes {
            let Transition { from, to, .. } = change.transition;
            let ended = (from == State::Alarm).then_some(now);
            standing.put(&key(&change.alarm, &change.queue), member(to, now, ended));
        }
        composites.iter_mut().for_each(|composite| composite.judge(&mut standing, now));
    }
    for composite in composites {
        report.add(&composite.key.rule, composite.name, composite.transitions, composite.alarm.state);
    }
}

/// One alarm of a composite rule.
struct Judged<'a> {
    composite: &'a Composite,
    key: AlarmKey,
    /// The queue's name in the data, and the queue; nothing of an alarm over the whole.
    name: Option<Arc<str>>,
    queue: Option<&'a Queue>,
    alarm: Alarm,
    transitions: Vec<Transition>,
}

impl Judged<'_> {
    fn judge(&mut self, standing: &mut Standing, now: Timestamp) {
        let verdict = standing.view(self.queue).verdict(&self.composite.expression, self.alarm.state);
        let Some(transition) = verdict.and_then(|verdict| self.alarm.apply(verdict, now)) else { return };
        let ended = (transition.from == State::Alarm).then_some(now);
        standing.put(&self.key, member(transition.to, now, ended));
        self.transitions.push(transition);
    }
}

fn composites<'a>(rules: &'a [Rule], roster: &'a Roster, run: &Run) -> Vec<Judged<'a>> {
    let mut found = Vec::new();
    for rule in rules {
        let Trigger::Composite(composite) = &rule.trigger else { continue };
        let queues: Vec<Option<&Arc<str>>> = match composite.scope {
            Scope::Whole => vec![None],
            Scope::EachQueue => roster.selected(rule).into_iter().map(Some).collect(),
        };
        for name in queues {
            let queue = name.and_then(|name| roster.queue(name));
            let subject = match queue {
                Some(queue) => Subject::Queue(queue.id.clone()),
                None => Subject::Composite(rule.name.clone()),
            };
            found.push(Judged {
                composite,
                key: AlarmKey { rule: rule.name.clone(), subject },
                name: name.cloned(),
                queue,
                alarm: run.new_alarm(),
                transitions: Vec::new(),
            });
        }
    }
    found
}

/// What an alarm of the report judges.
fn subject(roster: &Roster, of_queues: bool, name: &Option<Arc<str>>) -> Subject {
    let name = name.clone().unwrap_or_default();
    match roster.queue(&name).filter(|_| of_queues) {
        Some(queue) => Subject::Queue(queue.id.clone()),
        None => Subject::Custom(CustomId { account: "".into(), region: "".into(), name }),
    }
}

fn member(state: State, since: Timestamp, ended: Option<Timestamp>) -> Member {
    Member { state, since, ended, is_open: false }
}
