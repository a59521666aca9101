//! One pass over every queue, for `sqswatch status`: the daemon's own readers, without judging or telling anything.

use std::sync::Arc;
use std::time::Duration;

use super::generation::Generation;
use super::{AppError, HTTP_GRACE, Shared};
use crate::aws::clients::Identity;
use crate::aws::meter::Operation;
use crate::board::{Board, TargetHealth};
use crate::config::Config;
use crate::domain::metric::Metric;

/// How often it is looked whether the pass is over.
const LOOK: Duration = Duration::from_millis(100);

/// What one pass over every queue found.
#[derive(Debug)]
pub struct Survey {
    /// The picture.
    pub board: Arc<Board>,
    /// Whether everything that was asked for was answered in time.
    pub complete: bool,
}

/// What the pass waits for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    targets: usize,
    ages: bool,
}

/// Reads every queue once and gives up after `timeout`, or as soon as nothing more can come.
///
/// # Errors
/// When the clients cannot be made.
pub async fn survey(mut config: Config, identity: Identity, timeout: Duration) -> Result<Survey, AppError> {
    config.store.path = None;
    config.poll.attributes = Duration::from_secs(1); // each queue has its turn within this time
    config.poll.metrics.retain(|metric| *metric == Metric::OldestMessageAge);
    config.custom_metrics.clear();
    let ages = !config.poll.metrics.is_empty();
    let shared = Shared::open(config, identity).await?;
    let clients = shared.connect(&shared.config.load()).await?;
    let wanted = Wanted { targets: clients.targets().len(), ages };
    let mut generation = Generation::survey(&shared, &clients);
    let done = async {
        while !is_complete(&shared.board, wanted) && !is_hopeless(&shared.board, wanted) {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(timeout, done).await; // what came in time is told, and whether that is all
    let complete = is_complete(&shared.board, wanted);
    generation.stop(HTTP_GRACE).await;
    Ok(Survey { board: shared.board, complete })
}

/// Whether no target could be listed, so that nothing is to be waited for.
fn is_hopeless(board: &Board, wanted: Wanted) -> bool {
    let health = board.targets();
    let failing =
        health.values().filter(|health| health.discovered_at.is_none() && !health.troubles.is_empty());
    failing.count() == wanted.targets
}

/// Whether every target was listed and every queue told its counts, and its age unless it is empty or CloudWatch refuses.
fn is_complete(board: &Board, wanted: Wanted) -> bool {
    let health = board.targets();
    let listed = health.values().filter(|health| health.discovered_at.is_some()).count() == wanted.targets;
    let age_may_come = |health: Option<&TargetHealth>| {
        wanted.ages
            && health.is_some_and(|health| !health.troubles.contains_key(Operation::GetMetricData.name()))
    };
    listed
        && board.queues().values().all(|watched| {
            let readings = watched.lock();
            let age_is_settled = readings.empty || readings.cloudwatch_at.is_some();
            readings.settings_at.is_some() && (age_is_settled || !age_may_come(health.get(&watched.target)))
        })
}
