//! When a suppressor holds the notifications of a composite alarm back, as CloudWatch's ActionsSuppressor does.
//!
//! All that must be remembered is in the states of the two alarms, which are durable: since when the composite alarm has its state,
//! whether the suppressor is in ALARM, and when it last left it. So a restart changes nothing.

use std::time::Duration;

use super::Suppressor;
use crate::domain::alarm::State;
use crate::domain::hold::Hold;
use crate::domain::time::Timestamp;

/// What is known of the suppressing alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suppressing {
    /// Whether it is in ALARM.
    pub active: bool,
    /// When it last left ALARM, if it ever did.
    pub ended: Option<Timestamp>,
}

impl Suppressor {
    /// What holds the notifications of a composite alarm that has `state` since `since`.
    pub fn hold(
        &self,
        suppressing: Suppressing,
        state: State,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<Hold> {
        let extended = suppressing.ended.is_some_and(|ended| is_within(self.extension, ended, now));
        let waiting = state == State::Alarm && is_within(self.wait, since, now);
        (suppressing.active || extended || waiting).then(|| Hold::Suppressor(self.alarm.clone()))
    }
}

/// Whether less than `period` has passed. A clock that was set back by more than it counts as if it had: better a page
/// too early than one that waits for the clock.
fn is_within(period: Duration, from: Timestamp, now: Timestamp) -> bool {
    now.since(from) < period && from.since(now) < period
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + second)
    }

    /// A letter a ten seconds: `A` in ALARM, `.` not. The answer is `h` where notifications are held, `-` where not.
    fn held(wait: u64, extension: u64, composite: &str, suppressor: &str) -> String {
        let rule = Suppressor {
            alarm: "deploying".into(),
            wait: Duration::from_secs(wait),
            extension: Duration::from_secs(extension),
        };
        let (mut since, mut before, mut suppressing) = (at(0), '.', Suppressing::default());
        let mut answer = String::new();
        for (tick, (own, other)) in composite.chars().zip(suppressor.chars()).enumerate() {
            let now = at(tick as i64 * 10);
            if own != before {
                (since, before) = (now, own);
            }
            if suppressing.active && other != 'A' {
                suppressing.ended = Some(now);
            }
            suppressing.active = other == 'A';
            let state = if own == 'A' { State::Alarm } else { State::Ok };
            answer.push(if rule.hold(suppressing, state, since, now).is_some() { 'h' } else { '-' });
        }
        answer
    }

    #[test]
    fn it_waits_holds_and_extends() {
        let cases = [
            ("never", 20, 30, "......", "......", "------"),
            ("the suppressor comes in time", 20, 30, ".AAAAAAAAA", "..AAA.....", "-hhhhhhh--"),
            ("it comes too late", 20, 30, ".AAAAAAAA", ".....AA..", "-hh--hhhh"),
            ("it does not come", 30, 30, ".AAAAAA..", ".........", "-hhh-----"),
            ("over before the wait is", 30, 30, ".AA....", ".......", "-hh----"),
            ("fires within the extension", 0, 30, "....AAAA", "AA......", "hhhhh---"),
            ("neither wait nor extension", 0, 0, ".AAAAA", "..AA..", "--hh--"),
            ("each firing waits anew", 20, 0, ".A.AAAA", ".......", "-h-hh--"),
            ("it comes back within the extension", 0, 20, "AAAAAAAA", "A.A.....", "hhhhh---"),
        ];
        for (what, wait, extension, composite, suppressor, expected) in cases {
            assert_eq!(held(wait, extension, composite, suppressor), expected, "{what}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_hold_for_long() {
        let rule = Suppressor {
            alarm: "deploying".into(),
            wait: Duration::from_secs(60),
            extension: Duration::from_secs(60),
        };
        let hold = |ended, now| rule.hold(Suppressing { active: false, ended }, State::Alarm, at(0), now);
        assert!(hold(None, at(-1)).is_some(), "a moment back");
        assert!(hold(None, at(-3600)).is_none(), "an hour back");
        assert!(hold(Some(at(0)), at(-3600)).is_none());
        assert_eq!(hold(None, at(59)), Some(Hold::Suppressor("deploying".into())));
    }
}
