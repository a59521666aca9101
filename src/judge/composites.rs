//! The composite alarms of a round: after everything they look at, with the states of this very round.
//!
//! The board hands the rules out in an order in which each composite alarm comes after what it looks at; what a composite alarm has
//! become is entered into the standing before the next one looks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::round::{Round, Topology, remembered, selected};
use crate::board::Board;
use crate::domain::alarm::{Alarm, AlarmKey, State, Subject, Verdict};
use crate::domain::composite::{Composite, Member, Scope, Standing, View};
use crate::domain::hold::Hold;
use crate::domain::notification::{Cause, Notification};
use crate::domain::queue::Queue;
use crate::domain::rule::{Rule, Trigger};
use crate::domain::telling::About;
use crate::domain::time::Timestamp;

/// After this long a new alarm that could not be judged yet counts as what it says it is: in INSUFFICIENT_DATA.
const PATIENCE: Duration = Duration::from_secs(300);

/// One composite alarm that is to be judged.
struct Target<'a> {
    rule: &'a Rule,
    composite: &'a Composite,
    key: AlarmKey,
    queue: Option<Arc<Queue>>,
}

/// The composite alarms there are, each after those it looks at.
pub(super) struct Composites<'a> {
    rules: &'a [Rule],
    targets: Vec<Target<'a>>,
    topology: Topology,
}

impl<'a> Composites<'a> {
    /// Those of `rules`, which are in an order that they can be judged in.
    pub(super) fn find(board: &Board, rules: &'a [Rule], topology: Topology) -> Self {
        let mut targets = Vec::new();
        for rule in rules {
            let Trigger::Composite(composite) = &rule.trigger else { continue };
            if composite.scope == Scope::Whole {
                let key =
                    AlarmKey { rule: rule.name.clone(), subject: Subject::Composite(rule.name.clone()) };
                targets.push(Target { rule, composite, key, queue: None });
            } else if !topology.is_too_little_for(rule) {
                let queues = board.queues();
                let selected = queues.values().filter_map(|watched| selected(board, rule, watched, topology));
                targets.extend(selected.map(|(key, queue)| Target {
                    rule,
                    composite,
                    key,
                    queue: Some(queue),
                }));
            }
        }
        Self { rules, targets, topology }
    }

    /// Which alarms these are.
    pub(super) fn keys(&self) -> impl Iterator<Item = AlarmKey> {
        self.targets.iter().map(|target| target.key.clone())
    }

    /// Judges them. Everything else has been judged, and what is gone has been closed.
    pub(super) fn judge(self, round: &mut Round, board: &Board, now: Timestamp) {
        if self.targets.is_empty() {
            return;
        }
        let mut standing = self.standing(round, board, now);
        for target in self.targets {
            let member = target.judge(round, board, &standing, now);
            standing.put(&target.key, member);
        }
    }

    /// All that they look at, as it stands before they are judged.
    fn standing(&self, round: &Round, board: &Board, now: Timestamp) -> Standing {
        let looked_at: HashSet<&Arc<str>> =
            self.targets.iter().flat_map(|target| target.composite.looks_at()).collect();
        let knows_customs = board.targets().values().all(|health| health.knows_customs);
        let mut standing = Standing::default();
        for rule in self.rules.iter().filter(|rule| looked_at.contains(&rule.name)) {
            let may_grow = match &rule.trigger {
                _ if rule.judges_queues() => self.topology == Topology::Unknown,
                Trigger::Metric(_) => !knows_customs,
                Trigger::Composite(_) => false,
            };
            standing.enter(rule, may_grow);
        }
        board.with_alarms(|alarms| {
            for (key, alarm) in alarms {
                standing.put(key, member(round, key, alarm, now));
            }
        });
        let changed = round.changes.iter().map(|change| (&change.key, &change.alarm));
        for (key, alarm) in changed.chain(round.seen.iter().map(|(key, alarm)| (key, alarm))) {
            standing.put(key, member(round, key, alarm, now));
        }
        round.closed.iter().for_each(|key| standing.remove(key));
        standing
    }
}

impl Target<'_> {
    /// Judges it, and says what has become of it.
    fn judge(&self, round: &mut Round, board: &Board, standing: &Standing, now: Timestamp) -> Member {
        let alarm = remembered(board, &self.key, now);
        let view = standing.view(self.queue.as_deref());
        let verdict = view.verdict(&self.composite.expression, alarm.state);
        let hold = self.hold(&view, &alarm, verdict.as_ref(), now);
        let about = About { key: &self.key, rule: self.rule, queue: self.queue.as_deref() };
        let owed_before = round.debts.len();
        round.take(about, alarm, verdict, hold, now);
        if round.debts.len() > owed_before {
            self.name_children(round, owed_before, &view);
        }
        let changed =
            round.changes.last().filter(|change| change.key == self.key).map(|change| &change.alarm);
        let seen = round.seen.last().filter(|(key, _)| *key == self.key).map(|(_, alarm)| alarm);
        let alarm = changed.or(seen).cloned().unwrap_or_else(|| Alarm::new(now));
        member(round, &self.key, &alarm, now)
    }

    fn hold(
        &self,
        view: &View<'_>,
        alarm: &Alarm,
        verdict: Option<&Verdict>,
        now: Timestamp,
    ) -> Option<Hold> {
        let suppressor = self.composite.suppressor.as_ref()?;
        let state = verdict.map_or(alarm.state, |verdict| verdict.state);
        let since = if state == alarm.state { alarm.since } else { now };
        suppressor.hold(view.suppressing(&suppressor.alarm), state, since, now)
    }

    /// Puts the children that count into what is owed, and into the memory of it.
    fn name_children(&self, round: &mut Round, owed_before: usize, view: &View<'_>) {
        let found = view.children(&self.composite.expression);
        let name = |notification: &mut Arc<Notification>| {
            if let Cause::Composite { children, .. } = &mut Arc::make_mut(notification).cause {
                children.clone_from(&found);
            }
        };
        round.debts[owed_before..].iter_mut().for_each(|debt| name(&mut debt.notification));
        let remembered = round.changes.last_mut().filter(|change| change.key == self.key);
        let firing = remembered.and_then(|change| change.alarm.firing.as_mut());
        if let Some(firing) = firing
            && round.debts[owed_before..].iter().any(|debt| debt.notification.id == firing.id)
        {
            name(firing);
        }
    }
}

/// What a composite alarm sees of an alarm. One that is new and found nothing to be judged by yet is open: after a start it
/// may turn out to be in any state.
fn member(round: &Round, key: &AlarmKey, alarm: &Alarm, now: Timestamp) -> Member {
    let is_open = alarm.state == State::InsufficientData
        && round.undecided.contains(key)
        && now.since(alarm.since) <= PATIENCE;
    Member { state: alarm.state, since: alarm.since, ended: alarm.ended, is_open }
}
