//! Flapping: an alarm whose state changes so often that telling each change would only make noise.
//!
//! What counts is a change into ALARM or out of it, since nobody is told of any other. An alarm flaps from the change that is one
//! more than the rate allows until none has come for as long as the rate is measured over.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

use super::alarm::{State, Transition};
use super::time::Timestamp;

/// How often a state may change before the changes are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// More changes than these within [`Rate::within`] are flapping; at least 1.
    pub changes: u32,
    /// Over how long they are counted, and how long it must be quiet for flapping to be over.
    pub within: Duration,
}

impl fmt::Display for Rate {
    /// E.g. `6 changes within 10m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = SignedDuration::try_from(self.within).unwrap_or(SignedDuration::MAX);
        let changes = if self.changes == 1 { "change" } else { "changes" };
        write!(f, "{} {changes} within {within:#}", self.changes)
    }
}

/// The latest changes of one alarm. Durable, and bounded by the rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaps {
    /// When they were, oldest first; no more than the rate's `changes`.
    pub changes: Vec<Timestamp>,
    /// Whether it flaps.
    pub flapping: bool,
}

/// What an evaluation means for flapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flapping {
    /// It does not flap.
    No,
    /// This change crosses the rate.
    Begins,
    /// It goes on.
    GoesOn,
    /// It was quiet for long enough, or the rule does not look for it any more.
    Ends,
}

impl Flaps {
    /// Takes an evaluation and the change of state that came of it.
    pub fn note(&mut self, rate: Option<Rate>, transition: Option<&Transition>, now: Timestamp) -> Flapping {
        let Some(rate) = rate else {
            let was = std::mem::take(self);
            return if was.flapping { Flapping::Ends } else { Flapping::No };
        };
        // After a clock that was set back, what is to come counts as if all before had just been.
        self.changes.iter_mut().for_each(|at| *at = (*at).min(now));
        let quiet = self.changes.last().is_none_or(|last| now.since(*last) >= rate.within);
        let over = self.flapping && quiet;
        self.flapping &= !over;
        let counts = |transition: &&Transition| [transition.from, transition.to].contains(&State::Alarm);
        if transition.filter(counts).is_some() {
            self.change(rate, now)
        } else if over {
            Flapping::Ends
        } else if self.flapping {
            Flapping::GoesOn
        } else {
            Flapping::No
        }
    }

    fn change(&mut self, rate: Rate, now: Timestamp) -> Flapping {
        self.changes.retain(|at| now.since(*at) < rate.within);
        let most = rate.changes as usize;
        let crosses = self.changes.len() >= most;
        self.changes.push(now);
        self.changes.drain(..self.changes.len().saturating_sub(most));
        let was = self.flapping;
        self.flapping |= crosses;
        match (was, crosses) {
            (true, _) => Flapping::GoesOn,
            (false, true) => Flapping::Begins,
            (false, false) => Flapping::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { changes: 3, within: Duration::from_secs(600) };

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(minutes * 60)
    }

    fn change(from: State, to: State) -> Transition {
        let (since, at) = (Timestamp::default(), Timestamp::default());
        Transition { from, to, since, at, reason: String::new(), value: None }
    }

    /// A minute a letter: `A` and `O` are changes to ALARM and OK, `i` is one between OK and INSUFFICIENT_DATA.
    fn play(flaps: &mut Flaps, from: i64, script: &str) -> String {
        let step = |(letter, minute): (char, i64)| {
            let transition = match letter {
                'A' => Some(change(State::Ok, State::Alarm)),
                'O' => Some(change(State::Alarm, State::Ok)),
                'i' => Some(change(State::Ok, State::InsufficientData)),
                _ => None,
            };
            let now = at(from + minute);
            match flaps.note(Some(RATE), transition.as_ref(), now) {
                Flapping::No => '-',
                Flapping::Begins => 'b',
                Flapping::GoesOn => '+',
                Flapping::Ends => 'e',
            }
        };
        script.chars().zip(0..).map(step).collect()
    }

    #[test]
    fn one_change_more_than_the_rate_allows_begins_it_and_quiet_ends_it() {
        for (script, expected) in [
            ("AOAOAO..........A", "---b+++++++++++e-"),
            ("AOA......O..", "---------b++"),
            // The first change is ten minutes old.
            ("AOA.......O.", "------------"),
            ("A.....O.....A.....O", "-------------------"),
            ("iiiiiiiiii", "----------"),
        ] {
            assert_eq!(play(&mut Flaps::default(), 0, script), expected, "{script}");
        }
    }

    #[test]
    fn the_first_change_after_quiet_is_one_as_any_other() {
        let mut flaps = Flaps::default();
        assert_eq!(play(&mut flaps, 0, "AOAO"), "---b");
        // Nothing was evaluated for a while.
        assert_eq!(play(&mut flaps, 60, "AOAO"), "---b");
    }

    #[test]
    fn memory_is_bounded_and_follows_a_smaller_rate() {
        let mut flaps = Flaps::default();
        play(&mut flaps, 0, &"AO".repeat(50));
        assert_eq!(flaps.changes, [at(97), at(98), at(99)]);
        let rate = Some(Rate { changes: 1, ..RATE });
        flaps.note(rate, Some(&change(State::Ok, State::Alarm)), at(100));
        assert_eq!(flaps.changes, [at(100)]);
        assert_eq!(flaps.note(None, None, at(101)), Flapping::Ends, "the rule does not look for it any more");
        assert_eq!(flaps, Flaps::default());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_it_last() {
        let mut flaps = Flaps::default();
        play(&mut flaps, 1000, "AOAO");
        assert_eq!(play(&mut flaps, 0, ".........."), "++++++++++");
        assert_eq!(play(&mut flaps, 10, "."), "e");
    }
}
