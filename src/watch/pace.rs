//! How fast one API of one target may be asked: an adaptive rate, and a pause while every request fails alike.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::failure::{Failure, Reason};
use crate::clock;
use crate::domain::backoff::Backoff;
use crate::domain::schedule::Rate;

/// While all fails alike (no credentials, no connection), it is tried again this often.
const PAUSES: Backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(20) };

/// The pace of one API.
#[derive(Debug)]
pub struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    cap: f64,
    rate: Rate,
    failures: u32,
    paused_until: Option<Instant>,
}

impl Pace {
    /// At most `cap` requests a second.
    pub fn new(cap: f64) -> Self {
        let rate = Rate::new(cap, clock::now());
        Self(Mutex::new(State { cap, rate, failures: 0, paused_until: None }))
    }

    /// Takes another cap when the old one no longer fits; what was learnt of throttling is learnt anew then.
    pub fn fit(&self, cap: f64) {
        let mut state = self.state();
        if cap > state.cap || cap < state.cap / 4.0 {
            (state.cap, state.rate) = (cap, Rate::new(cap, clock::now()));
        }
    }

    /// Waits until a request may be made.
    pub async fn turn(&self) {
        while let Err(wait) = self.take() {
            tokio::time::sleep(wait).await;
        }
    }

    fn take(&self) -> Result<(), Duration> {
        let mut state = self.state();
        let pause = state.paused_until.map(|until| until.saturating_duration_since(Instant::now()));
        match pause.filter(|pause| !pause.is_zero()) {
            Some(pause) => Err(pause),
            None => state.rate.take(clock::now()),
        }
    }

    /// Learns from a request.
    pub fn learn<T>(&self, result: &Result<T, Failure>) {
        let mut state = self.state();
        match result {
            Err(failure) if failure.reason == Reason::Throttled => state.rate.throttled(clock::now()),
            Err(failure) if failure.reason.is_general() => state.pause(failure.retry_after),
            Err(_) => {}
            Ok(_) => {
                state.rate.succeeded(clock::now());
                (state.failures, state.paused_until) = (0, None);
            }
        }
    }

    /// Requests a second that are let through at present.
    #[cfg(test)]
    pub fn per_second(&self) -> f64 {
        self.state().rate.per_second()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Requests that were under way together fail together: they count once.
    fn pause(&mut self, retry_after: Option<Duration>) {
        let now = Instant::now();
        if self.paused_until.is_none_or(|until| until <= now) {
            let wait = PAUSES.delay(self.failures, fastrand::f64(), retry_after);
            self.paused_until = Some(now + wait);
            self.failures = self.failures.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::meter::Operation;

    fn failure(reason: Reason) -> Result<(), Failure> {
        Err(Failure::plain(Operation::GetQueueAttributes, reason, "so it is"))
    }

    #[test]
    fn a_throttle_halves_the_rate_and_other_failures_do_not() {
        let pace = Pace::new(100.0);
        for reason in [Reason::ServerError, Reason::Timeout, Reason::Denied] {
            pace.learn(&failure(reason));
        }
        assert_eq!(pace.per_second(), 100.0);
        pace.learn(&failure(Reason::Throttled));
        assert_eq!(pace.per_second(), 50.0);
        pace.fit(90.0);
        assert_eq!(pace.per_second(), 50.0, "a cap that still fits forgets nothing");
        pace.fit(200.0);
        assert_eq!(pace.per_second(), 200.0);
    }

    #[test]
    fn what_fails_alike_pauses_all_until_something_succeeds() {
        let pace = Pace::new(100.0);
        let paused = |pace: &Pace| pace.state().paused_until.is_some_and(|until| until > Instant::now());
        // With full jitter a single pause may be as good as none.
        for _ in 0..8 {
            pace.state().paused_until = None;
            pace.learn(&failure(Reason::CredentialsExpired));
        }
        assert!(paused(&pace) && pace.take().is_err());
        pace.learn::<()>(&Ok(()));
        assert!(!paused(&pace) && pace.take().is_ok());
    }
}
