//! One round of judging: every rule against every subject it selects, without a side effect.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::board::{Board, Skip, Watched};
use crate::domain::alarm::{Alarm, AlarmKey, Subject, Transition, Verdict};
use crate::domain::evaluate::evaluate;
use crate::domain::metric::Metric;
use crate::domain::notification::{self, Debt};
use crate::domain::queue::Queue;
use crate::domain::rule::{MetricRef, RoleSelector, Rule};
use crate::domain::time::Timestamp;

/// After this long a queue that never told its settings no longer holds up the alarms that depend on the whole topology.
const TOPOLOGY_PATIENCE: Duration = Duration::from_secs(300);

/// An alarm that must be remembered anew.
#[derive(Debug)]
pub(super) struct Change {
    pub key: AlarmKey,
    pub alarm: Alarm,
    /// `None` when only the memory of who was told changed (a repeat).
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
    /// The newest values of all other alarms, to show.
    pub values: Vec<(AlarmKey, Option<f64>)>,
}

impl Round {
    /// Judges everything on the board as it is at `now`.
    pub(super) fn judge(board: &Board, now: Timestamp) -> Self {
        let mut round = Self::default();
        let mut present = BTreeSet::new();
        let knows_topology = knows_topology(board, now);
        for rule in board.rules().iter() {
            match &rule.condition.metric {
                MetricRef::Queue(metric) => {
                    if !knows_topology && is_negative(rule) {
                        continue;
                    }
                    for watched in board.queues().values() {
                        round.judge_queue(board, rule, *metric, watched, now, &mut present);
                    }
                }
                MetricRef::Custom(name) => round.judge_custom(board, rule, name, now, &mut present),
            }
        }
        if knows_topology {
            round.close_absent(board, &present, now);
        }
        round
    }

    fn judge_queue(
        &mut self,
        board: &Board,
        rule: &Rule,
        metric: Metric,
        watched: &Watched,
        now: Timestamp,
        present: &mut BTreeSet<AlarmKey>,
    ) {
        let readings = watched.lock();
        if !rule.selector.matches(&readings.queue) {
            return;
        }
        let key = AlarmKey { rule: rule.name.clone(), subject: Subject::Queue(watched.id.clone()) };
        let alarm = remembered(board, &key, now);
        let series = readings.series(metric, rule.condition.period);
        let verdict = series.and_then(|series| evaluate(&rule.condition, series, alarm.state, now));
        let queue = readings.queue.clone();
        drop(readings);
        present.insert(key.clone());
        self.take(rule, key, alarm, verdict, Some(&queue), now);
    }

    fn judge_custom(
        &mut self,
        board: &Board,
        rule: &Rule,
        name: &str,
        now: Timestamp,
        present: &mut BTreeSet<AlarmKey>,
    ) {
        for custom in board.customs().values().filter(|custom| &*custom.id.name == name) {
            let key = AlarmKey { rule: rule.name.clone(), subject: Subject::Custom(custom.id.clone()) };
            let alarm = remembered(board, &key, now);
            let verdict = evaluate(&rule.condition, &custom.lock().series, alarm.state, now);
            present.insert(key.clone());
            self.take(rule, key, alarm, verdict, None, now);
        }
    }

    fn take(
        &mut self,
        rule: &Rule,
        key: AlarmKey,
        mut alarm: Alarm,
        verdict: Option<Verdict>,
        queue: Option<&Queue>,
        now: Timestamp,
    ) {
        self.evaluations += 1;
        let value = verdict.as_ref().map_or(alarm.value, |verdict| verdict.value);
        let transition = verdict.and_then(|verdict| alarm.apply(verdict, now));
        let debt = match &transition {
            Some(transition) => notification::owed(&key, rule, &mut alarm, transition, queue),
            None => notification::repeated(&key, rule, &mut alarm, queue, now),
        };
        if transition.is_some() || debt.is_some() {
            self.debts.extend(debt);
            self.changes.push(Change { key, alarm, transition });
        } else {
            self.values.push((key, value));
        }
    }

    /// Closes the alarms that no rule and subject stand for any more. Only called when everything there is has been seen.
    fn close_absent(&mut self, board: &Board, present: &BTreeSet<AlarmKey>, now: Timestamp) {
        let unreadable = unreadable(board);
        let rules = board.rules();
        board.with_alarms(|alarms| {
            for (key, alarm) in alarms.iter().filter(|(key, _)| !present.contains(*key)) {
                let rule = rules.iter().find(|rule| rule.name == key.rule);
                if rule.is_some() && unreadable.contains(&**key.subject.name()) {
                    continue;
                }
                let reason = match rule {
                    Some(_) => {
                        format!("`{}` is gone, or the alarm no longer selects it.", key.subject.name())
                    }
                    None => format!("The alarm `{}` was removed from the configuration.", key.rule),
                };
                self.debts.extend(notification::closed(alarm, reason, now));
                self.closed.push(key.clone());
            }
        });
    }
}

/// The alarm as remembered; a new one is in INSUFFICIENT_DATA since now.
fn remembered(board: &Board, key: &AlarmKey, now: Timestamp) -> Alarm {
    let known = board.with_alarms(|alarms| alarms.get(key).cloned());
    known.unwrap_or_else(|| Alarm { since: now, ..Alarm::default() })
}

/// Whether the rule selects queues by what they are not, which half a topology cannot tell.
fn is_negative(rule: &Rule) -> bool {
    matches!(rule.selector.role, Some(RoleSelector::NotDeadLetter | RoleSelector::Plain))
}

/// Whether every target was listed and every queue told its settings (or was given long enough to).
fn knows_topology(board: &Board, now: Timestamp) -> bool {
    let targets = board.targets();
    let listed = !targets.is_empty() && targets.values().all(|health| health.discovered_at.is_some());
    let patience_is_over = |watched: &Watched| {
        let first_seen = targets.get(&watched.target).and_then(|health| health.first_discovered_at);
        first_seen.is_some_and(|at| now.since(at) > TOPOLOGY_PATIENCE)
    };
    listed
        && board.queues().values().all(|watched| {
            let told = watched.lock().settings_at.is_some();
            told || patience_is_over(watched)
        })
}

/// The queues that exist but cannot be read: their alarms keep their state.
fn unreadable(board: &Board) -> BTreeSet<String> {
    let skipped = board.targets().into_values().flat_map(|health| health.skipped);
    skipped
        .filter(|(_, skip)| matches!(skip, Skip::Denied | Skip::Unreadable))
        .map(|(name, _)| name.to_string())
        .collect()
}
