//! Tells a dead man's switch that all is well: only while every target is read, the state is on disk and the outbox moves.
//! Otherwise it is silent, and whoever listens raises the alarm that sqswatch cannot raise by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::clock;
use crate::config::Heartbeat;
use crate::domain::outbox::Reason;
use crate::domain::time::Timestamp;
use crate::notify::heartbeat::beat;
use crate::store::Owed;
use crate::web::health;

/// How often it is looked whether all is well.
const LOOK: Duration = Duration::from_secs(1);

/// What was said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Well,
    Silent,
}

/// Beats until `shutdown`.
pub(super) async fn run(shared: Shared, config: Heartbeat, shutdown: CancellationToken) {
    for reason in Reason::ALL {
        shared.telemetry.heartbeat_failures.with_label_values(&[reason.as_str()]);
    }
    let (mut said, mut due, mut failing) = (Said::Nothing, Instant::now(), false);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK.min(config.interval)) => {}
        }
        let troubles = troubles(&shared, config.stuck_after).await;
        if !troubles.is_empty() {
            if said == Said::Well {
                tracing::warn!(reasons = troubles.join("; "), "the heartbeat stops");
                said = Said::Silent;
                due = Instant::now();
            }
            continue;
        }
        if Instant::now() < due {
            continue;
        }
        due = Instant::now() + config.interval;
        if said != Said::Well {
            tracing::info!("the heartbeat goes on");
            said = Said::Well;
        }
        failing = sent(&shared, &config, failing).await;
    }
}

/// Sends one; `true` if it failed.
async fn sent(shared: &Shared, config: &Heartbeat, failed_before: bool) -> bool {
    match beat(&shared.http, config).await {
        Ok(()) => {
            shared.telemetry.heartbeats.inc();
            shared.telemetry.heartbeat_at.set(clock::now().as_secs_f64());
            if failed_before {
                tracing::info!("the heartbeat is acknowledged again");
            }
            false
        }
        Err((reason, why)) => {
            shared.telemetry.heartbeat_failures.with_label_values(&[reason.as_str()]).inc();
            if !failed_before {
                tracing::warn!(
                    reason = reason.as_str(),
                    why,
                    "the heartbeat is not acknowledged; it goes on"
                );
            }
            true
        }
    }
}

/// Why all is not well; empty when it is.
async fn troubles(shared: &Shared, stuck_after: Duration) -> Vec<String> {
    let draining = shared.draining.load(Ordering::Relaxed);
    let board = shared.board.clone();
    let now = clock::now();
    let looked = shared.store.call(move |store| {
        let mut troubles = health::unready(&board, store, draining, now);
        troubles.extend(stuck(&store.outbox_summary()?, stuck_after, now));
        Ok(troubles)
    });
    looked.await.unwrap_or_else(|error| vec![error.to_string()])
}

/// The destinations that owe something for too long.
fn stuck(outbox: &BTreeMap<Arc<str>, Owed>, after: Duration, now: Timestamp) -> Vec<String> {
    let age = |owed: &Owed| owed.oldest.map(|oldest| now.since(oldest)).filter(|age| *age >= after);
    let stuck = outbox.iter().filter_map(|(name, owed)| age(owed).map(|age| (name, age)));
    stuck
        .map(|(name, age)| format!("`{name}` takes no notifications: one is owed for {} s", age.as_secs()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_stuck_once_it_is_as_old_as_allowed() {
        let now = Timestamp::from_secs(10_000);
        for (oldest, is_stuck) in
            [(None, false), (Some(9_101), false), (Some(9_100), true), (Some(20_000), false)]
        {
            let owed = Owed { oldest: oldest.map(Timestamp::from_secs), ..Owed::default() };
            let outbox = [("ops".into(), owed)].into();
            let found = stuck(&outbox, Duration::from_secs(900), now);
            assert_eq!(!found.is_empty(), is_stuck, "{oldest:?}: {found:?}");
        }
    }
}
