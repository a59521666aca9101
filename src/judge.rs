//! The judge: evaluates every alarm, makes changes of state durable together with what is owed, then shows them.
//!
//! A tick is idempotent and carries no memory of its own: it reads rules and readings from the board, and what it finds
//! enters the board only after the store has it. A commit that fails is simply found again at the next tick.

mod composites;
mod misfit;
mod round;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::clock;
use crate::domain::alarm::{Alarm, State};
use crate::domain::time::{Jump, Timestamp};
use crate::store::{Batch, Store, StoreError};
use crate::telemetry::Telemetry;
pub use misfit::Said;
use round::{Change, Round};

/// How often alarms are evaluated. Windows close each minute (each 10 s for short periods), so this is how late a verdict
/// can be; evaluating a window twice changes nothing.
const TICK: Duration = Duration::from_secs(5);

/// What the judge works with.
#[derive(Clone)]
pub struct Judge {
    /// Readings, rules and the shown states.
    pub board: Arc<Board>,
    /// Where states and debts become durable.
    pub store: Store,
    /// Counts evaluations and transitions.
    pub telemetry: Telemetry,
    /// Woken when something is owed.
    pub owed: Arc<Notify>,
    /// Which rules were said to select queues that cannot have their metric.
    pub said: Said,
}

/// Judges until `shutdown`. A tick that is under way is finished.
pub async fn run(judge: Judge, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut store_works = true;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let worker = judge.clone();
        let work = move |_: &Store| {
            clock::follow(|jump| worker.move_along(jump));
            worker.tick(clock::now())
        };
        let outcome = judge.store.call(work).await;
        match &outcome {
            Err(error) if store_works => {
                tracing::error!(%error, "cannot record alarm states: nothing is lost, every tick tries again");
            }
            Ok(()) if !store_works => tracing::info!("alarm states are recorded again"),
            _ => {}
        }
        store_works = outcome.is_ok();
    }
}

impl Judge {
    /// One evaluation of all alarms at `now`.
    ///
    /// # Errors
    /// When the store refuses the commit; then nothing has changed anywhere.
    pub fn tick(&self, now: Timestamp) -> Result<(), StoreError> {
        let round = Round::judge(&self.board, now);
        self.telemetry.evaluations.inc_by(round.evaluations);
        self.said.say(&round.misfits);
        if !round.changes.is_empty() || !round.closed.is_empty() {
            self.commit(&round, now)?;
        }
        let owes = !round.debts.is_empty();
        self.show(round);
        if owes {
            // Kept for the deliverer when it is busy just now: `notify_waiters` would be lost on it.
            self.owed.notify_one();
        }
        Ok(())
    }

    /// The wall clock was set: everything remembered moves along, before anybody sees the new time.
    fn move_along(&self, jump: Jump) {
        tracing::warn!(from = %jump.from, to = %jump.to, "the wall clock jumped {jump}: what was read goes on from there");
        self.board.shift(jump);
        let known = |alarm: &Alarm| alarm.state != State::InsufficientData || !alarm.told.is_empty();
        let alarms = self.board.with_alarms(|alarms| {
            let kept = alarms.iter().filter(|(_, alarm)| known(alarm));
            kept.map(|(key, alarm)| (key.clone(), Some(alarm.clone()))).collect()
        });
        if let Err(error) = self.store.shift(jump, alarms, jump.to) {
            tracing::error!(%error, "cannot record the new time: what is owed waits, and is given up, by the old one");
        }
        // Deliverers that just worked out how long to wait did so by the old time.
        self.owed.notify_one();
    }

    fn commit(&self, round: &Round, now: Timestamp) -> Result<(), StoreError> {
        let changed = round.changes.iter().map(|change| (change.key.clone(), Some(change.alarm.clone())));
        let moved = |change: &Change| change.transition.clone().map(|moved| (change.key.clone(), moved));
        let changes = round.changes.iter().filter_map(moved).collect();
        let closed = round.closed.iter().map(|key| (key.clone(), None));
        let alarms = changed.chain(closed).collect();
        let batch = Batch { alarms, changes, debts: round.debts.clone(), ..Batch::default() };
        self.store.commit(&batch, now)?;
        Ok(())
    }

    /// Enters what is durable now into the board and the log.
    fn show(&self, round: Round) {
        for change in &round.changes {
            if let Some(transition) = &change.transition {
                self.telemetry.transitions.with_label_values(&[transition.to.as_str()]).inc();
                tracing::info!(
                    alarm = %change.key.rule, subject = %change.key.subject,
                    from = %transition.from, to = %transition.to, reason = transition.reason, "alarm changed",
                );
            }
        }
        for key in &round.closed {
            tracing::info!(alarm = %key.rule, subject = %key.subject, "alarm closed: what it judged is gone");
        }
        self.board.with_alarms_mut(|alarms| {
            for key in &round.closed {
                alarms.remove(key);
            }
            for change in round.changes {
                alarms.insert(change.key, change.alarm);
            }
            alarms.extend(round.seen);
        });
    }
}

#[cfg(test)]
mod tests;
