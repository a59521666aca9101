//! Keeps the histories of plots over restarts, in a file beside the state file.
//!
//! Saved every few minutes and at the end, on a thread of its own and queue by queue, so that no reading waits for it. What goes
//! wrong with it is said and harms nothing else: a file that cannot be read means empty plots, one that cannot be written
//! means plots with a gap after the next start.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::board::Board;
use crate::clock;
use crate::store::past;

/// What a crash loses at most.
const INTERVAL: Duration = Duration::from_secs(5 * 60);
/// How often the log says again that the file cannot be written.
const REMINDER: Duration = Duration::from_secs(3600);
/// How long the exit waits for the last save.
const GRACE: Duration = Duration::from_secs(5);

/// Held while a file is written.
static WRITING: Mutex<()> = Mutex::new(());

/// Gives the board what the file beside the state file at `store` remembers. Blocks on the disk.
pub(super) fn load(board: &Board, store: &Path) {
    let path = past::beside(store);
    match past::read(&path) {
        Ok(histories) => board.remember_histories(histories, clock::now()),
        Err(why) => tracing::warn!(
            path = %path.display(),
            %why,
            "the file with the history of the plots is not used: they start empty, and the next save replaces it"
        ),
    }
}

/// Saves every [`INTERVAL`] until `shutdown`.
pub(super) async fn run(shared: Shared, shutdown: CancellationToken) {
    let mut said: Option<Instant> = None;
    let work = async {
        loop {
            tokio::time::sleep(INTERVAL).await;
            match save(&shared).await {
                Ok(()) => said = None,
                Err(why) if said.is_none_or(|said| said.elapsed() >= REMINDER) => {
                    warn(&why);
                    said = Some(Instant::now());
                }
                Err(_) => {}
            }
        }
    };
    shutdown.run_until_cancelled(work).await;
}

/// The last save.
pub(super) async fn finish(shared: &Shared) {
    match tokio::time::timeout(GRACE, save(shared)).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => warn(&why),
        Err(_) => warn("it takes too long"),
    }
}

fn warn(why: &str) {
    tracing::warn!(why, "cannot save the history of the plots; after a restart they have a gap");
}

/// Saves all histories now, if anything of this process is kept on disk.
async fn save(shared: &Shared) -> Result<(), String> {
    let Some(store) = shared.config.load().store.path.clone() else { return Ok(()) };
    let board = shared.board.clone();
    let saved = tokio::task::spawn_blocking(move || write(&board, &past::beside(&store)));
    saved.await.unwrap_or_else(|error| Err(error.to_string()))
}

fn write(board: &Board, path: &Path) -> Result<(), String> {
    // One that nobody waits for any more may still be at it.
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let began = Instant::now();
    let bytes = past::write(path, board.histories(clock::now()))
        .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
    tracing::debug!(bytes, took_ms = began.elapsed().as_millis(), "saved the history of the plots");
    Ok(())
}
