//! The only reader of the wall clock, and what keeps a clock that is set from looking like time that passed.
//!
//! Time goes on steadily here: what the wall showed at first, plus what has passed since by a clock that nobody sets. The
//! judge, and nobody else, lets it [`follow`] the wall at each tick. A small difference is adopted silently: that is a clock being
//! slewed. A large one is a [`Jump`], which is adopted only after everything that remembers instants was moved along, so that
//! no history is torn and nothing remembered lies a day back or an hour ahead. A machine that slept looks the same.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::{Jump, Timestamp};

/// A difference to the wall of this much is a jump; a smaller one is adopted as it is.
const JUMP: Duration = Duration::from_secs(5);
/// When the two clocks cannot be read closer together than this, their difference says nothing.
const APART: Duration = Duration::from_millis(100);

/// The wall at first, and since when.
static START: LazyLock<(Timestamp, Instant)> = LazyLock::new(|| (wall(), Instant::now()));
/// By how many milliseconds the wall was ahead of [`START`] when it was last followed.
static AHEAD: AtomicI64 = AtomicI64::new(0);
/// How many jumps there were.
static JUMPS: RwLock<u64> = RwLock::new(0);

/// The present instant.
pub fn now() -> Timestamp {
    let (start, since) = *START;
    (start + since.elapsed()).plus_millis(AHEAD.load(Ordering::Acquire))
}

/// No jump is adopted while this is held: what is written under it bears an instant of the same clock. It holds how many jumps
/// there were. Hold it briefly.
pub fn steady() -> RwLockReadGuard<'static, u64> {
    JUMPS.read().unwrap_or_else(PoisonError::into_inner)
}

/// How many jumps there were: what was worked out under another number bears instants of another clock.
pub fn jumps() -> u64 {
    *steady()
}

/// Follows the wall. For a jump `move_along` is called first, which must not ask for [`steady`].
pub fn follow(move_along: impl FnOnce(Jump)) {
    let (before, wall, after) = (now(), wall(), now());
    match drift(before, wall, after) {
        Drift::None => {}
        Drift::Small(millis) => {
            AHEAD.fetch_add(millis, Ordering::AcqRel);
        }
        Drift::Jump(jump) => {
            let mut jumps = JUMPS.write().unwrap_or_else(PoisonError::into_inner);
            move_along(jump);
            AHEAD.fetch_add(jump.millis(), Ordering::AcqRel);
            *jumps += 1;
        }
    }
}

/// What the wall shows. A clock set before 1970 reads as the epoch.
fn wall() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drift {
    None,
    /// In milliseconds.
    Small(i64),
    Jump(Jump),
}

/// How far `wall` is off, read between `before` and `after`.
fn drift(before: Timestamp, wall: Timestamp, after: Timestamp) -> Drift {
    let jump = Jump { from: after, to: wall };
    let millis = jump.millis();
    if after.since(before) > APART || millis == 0 {
        Drift::None
    } else if millis.unsigned_abs() < JUMP.as_millis() as u64 {
        Drift::Small(millis)
    } else {
        Drift::Jump(jump)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slewed_clock_is_followed_and_a_set_one_is_a_jump() {
        let at = |millis: i64| Timestamp::from_millis(1_800_000_000_000 + millis);
        let jump = |to| Drift::Jump(Jump { from: at(0), to: at(to) });
        for (wall, expected) in [
            (0, Drift::None),
            (3, Drift::Small(3)),
            (-4_999, Drift::Small(-4_999)),
            (5_000, jump(5_000)),
            (-5_000, jump(-5_000)),
            (86_400_000, jump(86_400_000)),
            (-3_600_000, jump(-3_600_000)),
        ] {
            assert_eq!(drift(at(0), at(wall), at(0)), expected, "{wall} ms");
        }
        assert_eq!(drift(at(-5_000), at(60_000), at(0)), Drift::None, "read too far apart");
        let epoch = Timestamp::from_millis(0);
        assert_eq!(drift(at(0), epoch, at(0)), Drift::Jump(Jump { from: at(0), to: epoch }));
    }

    #[test]
    fn time_passes_as_the_wall_does_and_never_backward_by_itself() {
        let (first, wall) = (now(), wall());
        assert!(wall.since(first).max(first.since(wall)) < Duration::from_secs(60));
        assert!(now() >= first);
        follow(|jump| panic!("nobody set the clock: {jump}"));
    }
}
