//! The worker that tells an Alertmanager again what it was told: alerts that fire, or they would end by themselves, and the
//! ends of the last quarter of an hour. So an Alertmanager that was restarted, or a replica that was away, has all of it
//! within one interval. It makes nothing owed and settles nothing: that is the outbox's.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::memory::Again;
use super::{BATCH, Cluster};
use crate::board::Board;
use crate::clock;
use crate::domain::notification::Notification;
use crate::domain::outbox::{Outcome, Reason};
use crate::notify::Answer;

/// Re-sends until `shutdown`; what is under way then is finished.
pub async fn run(cluster: Arc<Cluster>, board: Arc<Board>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(cluster.config.resend);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        cluster.resend(firing(&board, &cluster.name), &shutdown).await;
    }
}

/// What `destination` was told and is not over, each with the newest value.
fn firing(board: &Board, destination: &str) -> Vec<Arc<Notification>> {
    board.with_alarms(|alarms| {
        let told = alarms.values().filter(|alarm| alarm.told.iter().any(|name| **name == *destination));
        told.filter_map(|alarm| {
            let mut firing = alarm.firing.clone()?;
            if alarm.value.is_some() && alarm.value != firing.value {
                Arc::make_mut(&mut firing).value = alarm.value;
            }
            Some(firing)
        })
        .collect()
    })
}

impl Cluster {
    /// Sends everything once. It ends early when nobody takes anything: the next one is not far.
    pub(super) async fn resend(&self, firing: Vec<Arc<Notification>>, shutdown: &CancellationToken) {
        let all = self.memory.lock().await.again(firing, clock::now());
        for batch in all.chunks(BATCH) {
            if shutdown.is_cancelled() {
                return;
            }
            match self.send_again(batch).await {
                Outcome::Acknowledged => {}
                // One that it will never take: the others have been taken or will be, each by itself.
                Outcome::Refused { reason: Reason::Refused } if batch.len() > 1 => {
                    for one in batch.chunks(1) {
                        self.send_again(one).await;
                    }
                }
                Outcome::Refused { .. } => {}
                Outcome::Retry { .. } => return,
            }
        }
    }

    /// One request, of what still holds now that it is this one's turn.
    async fn send_again(&self, batch: &[Again]) -> Outcome {
        let memory = self.memory.lock().await;
        let now = clock::now();
        let alert = |again: &Again| match again {
            Again::Firing(notification) => self.fires(notification, now),
            Again::Ended(notification, at) => self.ended(notification, (*at).min(now)),
        };
        let alerts: Vec<_> = batch.iter().filter(|again| memory.still_holds(again)).map(alert).collect();
        if alerts.is_empty() {
            return Outcome::Acknowledged;
        }
        let Answer { outcome, detail } = self.post(&alerts).await;
        if outcome != Outcome::Acknowledged {
            tracing::debug!(destination = %self.name, alerts = alerts.len(), detail, "a re-send was not taken");
        }
        outcome
    }
}
