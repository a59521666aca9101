//! One round of judging: every rule against every subject it selects, without a side effect.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::composites::Composites;
use super::misfit::Misfits;
use super::verdict;
use crate::board::{Board, Watched};
use crate::domain::alarm::{Alarm, AlarmKey, State, Subject, Transition, Verdict};
use crate::domain::evaluate::evaluate_early;
use crate::domain::hold::Hold;
use crate::domain::math::Math;
use crate::domain::notification::Debt;
use crate::domain::queue::Queue;
use crate::domain::rule::{Condition, MetricRef, RoleSelector, Rule};
use crate::domain::silence::InForce;
use crate::domain::telling::{self, About};
use crate::domain::time::Timestamp;

/// After this long a queue that never told its settings no longer holds up the alarms that depend on the whole topology.
const TOPOLOGY_PATIENCE: Duration = Duration::from_secs(300);

/// An alarm that must be remembered anew.
#[derive(Debug)]
pub(super) struct Change {
    pub key: AlarmKey,
    pub alarm: Alarm,
    /// `None` when only the memory of who was told what changed, e.g. by a repeat.
    pub transition: Option<Transition>,
}

/// What one round found.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub evaluations: u64,
    pub changes: Vec<Change>,
    pub debts: Vec<Debt>,
    /// Alarms whose subject or rule is gone.
    pub closed: Vec<AlarmKey>,
    /// All other alarms, to show: their newest value, and what holds their notifications back.
    pub seen: Vec<(AlarmKey, Alarm)>,
    /// Alarms in INSUFFICIENT_DATA of which too little is known for a verdict.
    pub undecided: BTreeSet<AlarmKey>,
    /// What silences alarms during this round.
    silences: InForce,
    /// The rules that select queues which cannot have their metric.
    pub misfits: Misfits,
}

/// How much is known of who is whose dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    /// Too little to say what a queue is not, or that one is gone.
    Unknown,
    /// All but that of queues that may not be read, or that did not tell their settings in time.
    Partial,
    /// All.
    Whole,
}

impl Topology {
    /// Whether it cannot be said which queues the rule selects.
    pub(super) fn is_too_little_for(self, rule: &Rule) -> bool {
        self == Self::Unknown && rule.selector.role.is_some_and(RoleSelector::is_negative)
    }
}

impl Round {
    /// Judges everything on the board as it is at `now`.
    pub(super) fn judge(board: &Board, now: Timestamp) -> Self {
        let mut round = Self { silences: board.silences().at(now), ..Self::default() };
        let mut present = BTreeSet::new();
        // Asked before the queues are looked at and again after it: who is admitted or left out meanwhile is in one of them.
        let mut unreadable = board.unreadable();
        let topology = topology(board, !unreadable.is_empty(), now);
        let rules = board.rules();
        for rule in rules.iter() {
            let Some(condition) = rule.condition() else { continue };
            match &condition.metric {
                metric if metric.is_of_queues() => {
                    if !topology.is_too_little_for(rule) {
                        present.extend(round.judge_queues(board, rule, condition, topology, now));
                    }
                }
                MetricRef::Math(math) => {
                    present.extend(round.judge_places(board, rule, condition, math, now))
                }
                MetricRef::Custom(name) => {
                    present.extend(round.judge_customs(board, rule, condition, name, now));
                }
                MetricRef::Queue(_) => {}
            }
        }
        let composites = Composites::find(board, &rules, topology);
        present.extend(composites.keys());
        if topology != Topology::Unknown {
            unreadable.extend(board.unreadable());
            round.close_absent(board, &present, &unreadable, now);
        }
        composites.judge(&mut round, board, now);
        round
    }

    fn judge_queues(
        &mut self,
        board: &Board,
        rule: &Rule,
        condition: &Condition,
        topology: Topology,
        now: Timestamp,
    ) -> BTreeSet<AlarmKey> {
        let mut judged = BTreeSet::new();
        for watched in board.queues().values() {
            let Some((key, queue)) = selected(board, rule, watched, topology) else { continue };
            let alarm = remembered(board, &key, now);
            let whole = topology == Topology::Whole;
            let verdict = self
                .misfits
                .verdict(&rule.name, condition, &queue, whole)
                .or_else(|| verdict::of_queue(board, condition, watched, alarm.state, now));
            self.take(About { key: &key, rule, queue: Some(&queue) }, alarm, verdict, None, now);
            judged.insert(key);
        }
        judged
    }

    fn judge_customs(
        &mut self,
        board: &Board,
        rule: &Rule,
        condition: &Condition,
        name: &str,
        now: Timestamp,
    ) -> BTreeSet<AlarmKey> {
        let mut judged = BTreeSet::new();
        for custom in board.customs().values().filter(|custom| &*custom.id.name == name) {
            let key = AlarmKey { rule: rule.name.clone(), subject: Subject::Custom(custom.id.clone()) };
            let alarm = remembered(board, &key, now);
            let verdict = evaluate_early(condition, &custom.lock().series, alarm.state, now);
            self.take(About { key: &key, rule, queue: None }, alarm, verdict, None, now);
            judged.insert(key);
        }
        judged
    }

    /// An expression over custom metrics alone.
    fn judge_places(
        &mut self,
        board: &Board,
        rule: &Rule,
        condition: &Condition,
        math: &Math,
        now: Timestamp,
    ) -> BTreeSet<AlarmKey> {
        let mut judged = BTreeSet::new();
        for place in verdict::places(board, &rule.name, math) {
            let key = AlarmKey { rule: rule.name.clone(), subject: Subject::Custom(place.clone()) };
            let alarm = remembered(board, &key, now);
            let verdict = verdict::of_place(board, condition, math, &place, alarm.state, now);
            self.take(About { key: &key, rule, queue: None }, alarm, verdict, None, now);
            judged.insert(key);
        }
        judged
    }

    /// Takes what was found of one alarm. `hold` is what holds its notifications back beside silences: the suppressor of a composite
    /// alarm.
    pub(super) fn take(
        &mut self,
        about: About<'_>,
        alarm: Alarm,
        verdict: Option<Verdict>,
        hold: Option<Hold>,
        now: Timestamp,
    ) {
        self.evaluations += 1;
        let About { key, rule, .. } = about;
        let hold = hold.or_else(|| self.silences.hold(rule, &key.subject));
        if verdict.is_none() && alarm.state == State::InsufficientData {
            self.undecided.insert(key.clone());
        }
        let before = alarm.clone();
        let mut alarm = alarm;
        let transition = verdict.and_then(|verdict| alarm.apply(verdict, now));
        let debt = telling::tell(about, &mut alarm, transition.as_ref(), hold, now);
        let key = key.clone();
        if alarm.is_recorded_as(before) {
            self.seen.push((key, alarm));
        } else {
            self.debts.extend(debt);
            self.changes.push(Change { key, alarm, transition });
        }
    }

    /// Closes the alarms that no rule and subject stand for any more. Only called when everything there is has been seen.
    fn close_absent(
        &mut self,
        board: &Board,
        present: &BTreeSet<AlarmKey>,
        unreadable: &BTreeSet<(Arc<str>, Arc<str>)>,
        now: Timestamp,
    ) {
        let rules = board.rules();
        let knows_customs = board.targets().values().all(|health| health.knows_customs);
        let may_be_there = |subject: &Subject| match subject {
            Subject::Queue(id) => unreadable.contains(&(id.region.clone(), id.name.clone())),
            Subject::Custom(_) => !knows_customs,
            Subject::Composite(_) => false,
        };
        board.with_alarms(|alarms| {
            for (key, alarm) in alarms.iter().filter(|(key, _)| !present.contains(*key)) {
                let has_rule = rules.iter().any(|rule| rule.name == key.rule);
                if has_rule && may_be_there(&key.subject) {
                    continue;
                }
                self.debts.extend(telling::closed(alarm, why_closed(key, has_rule), now));
                self.closed.push(key.clone());
            }
        });
    }
}

/// What the people are told who would wait for an end in vain.
fn why_closed(key: &AlarmKey, has_rule: bool) -> String {
    let (rule, name) = (&key.rule, key.subject.name());
    match &key.subject {
        _ if !has_rule => format!("The alarm `{rule}` was removed from the configuration."),
        Subject::Queue(_) => {
            format!("The queue `{name}` is gone or no longer watched, or the alarm no longer selects it.")
        }
        Subject::Custom(_) => {
            format!("The custom metric `{name}` is no longer read here, or the alarm no longer looks at it.")
        }
        Subject::Composite(_) => format!("The alarm `{rule}` no longer judges its children as a whole."),
    }
}

/// The alarm that the rule has on this queue, if it has one. One that was judged before goes on while it cannot be known
/// whether the rule still selects its queue.
pub(super) fn selected(
    board: &Board,
    rule: &Rule,
    watched: &Watched,
    topology: Topology,
) -> Option<(AlarmKey, Arc<Queue>)> {
    let queue = watched.lock().queue.clone();
    if !rule.selector.may_match(&queue, topology == Topology::Whole) {
        return None;
    }
    let key = AlarmKey { rule: rule.name.clone(), subject: Subject::Queue(watched.id.clone()) };
    let is_selected = rule.selector.matches(&queue) || board.with_alarms(|alarms| alarms.contains_key(&key));
    is_selected.then_some((key, queue))
}

/// The alarm as remembered; a new one is in INSUFFICIENT_DATA since now.
pub(super) fn remembered(board: &Board, key: &AlarmKey, now: Timestamp) -> Alarm {
    let known = board.with_alarms(|alarms| alarms.get(key).cloned());
    known.unwrap_or_else(|| Alarm::new(now))
}

/// Whether every target was listed and every queue told its settings (or was given long enough to).
fn topology(board: &Board, any_unreadable: bool, now: Timestamp) -> Topology {
    let targets = board.targets();
    if !board.is_listed() {
        return Topology::Unknown;
    }
    let mut silent = false;
    for watched in board.queues().values().filter(|watched| watched.lock().settings_at.is_none()) {
        let first_seen = targets.get(&watched.target).and_then(|health| health.first_discovered_at);
        if first_seen.is_none_or(|at| now.since(at) <= TOPOLOGY_PATIENCE) {
            return Topology::Unknown;
        }
        silent = true;
    }
    if silent || any_unreadable { Topology::Partial } else { Topology::Whole }
}
