//! Waiting for what must become true, without guessing how long it takes.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Asks again and again until the answer is `Ok`.
///
/// # Panics
/// After [`PATIENCE`], with `what` and the last reason.
pub async fn eventually<T, E: Display>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(reason) if start.elapsed() > PATIENCE => {
                panic!("{what}: not within {PATIENCE:?}; at last: {reason}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
