//! What goes wrong at the moment, told once: a line when a reason first appears, one when it is over, none in between.
//!
//! A thousand queues that fail for one reason are one trouble. It is over when each of them was read again or is gone. The
//! board shows what is going on, with its hint, for `/readyz` and the page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{debug, info, warn};

use crate::aws::failure::{Failure, Reason};
use crate::board::{Board, Target};
use crate::domain::time::Timestamp;

/// A reason that comes and goes is not told again within this time.
const QUIET: Duration = Duration::from_secs(10 * 60);

/// A clock that was set back ends the quiet, too.
fn is_quiet(told: Timestamp, now: Timestamp) -> bool {
    told <= now && now.since(told) < QUIET
}

/// What failed: one queue's request, or, as the empty name, one that is about no queue.
type Subject = Arc<str>;

/// The troubles of one target.
#[derive(Debug)]
pub struct Troubles {
    target: Arc<Target>,
    board: Arc<Board>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<(&'static str, Reason), Trouble>,
    told: BTreeMap<(&'static str, Reason), Timestamp>,
}

/// One reason at one API.
#[derive(Debug)]
struct Trouble {
    since: Timestamp,
    last: Failure,
    failed: u64,
    failing: BTreeSet<Subject>,
    affected: BTreeSet<Subject>,
    told: bool,
}

impl Troubles {
    /// No troubles yet.
    pub fn new(target: Arc<Target>, board: Arc<Board>) -> Self {
        Self { target, board, state: Mutex::default() }
    }

    /// A request failed; `subject` is the queue's name, or empty.
    pub fn failed(&self, subject: &str, failure: &Failure, now: Timestamp) {
        let api = failure.operation.name();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.over(&mut state, api, now, |reason, failing| reason != failure.reason && failing == subject);
        let quiet = state.told.get(&(api, failure.reason)).is_some_and(|told| is_quiet(*told, now));
        let trouble = state.open.entry((api, failure.reason)).or_insert_with(|| {
            tell(&self.target, subject, failure, quiet);
            Trouble::new(failure.clone(), now, !quiet)
        });
        trouble.failed += 1;
        trouble.last = failure.clone();
        trouble.failing.insert(subject.into());
        trouble.affected.insert(subject.into());
        let told = trouble.told;
        if told {
            state.told.entry((api, failure.reason)).or_insert(now);
        }
        self.show(&state, api);
    }

    /// A request of this API was answered.
    pub fn succeeded(&self, api: &'static str, subject: &str, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.over(&mut state, api, now, |_, failing| failing == subject) {
            self.show(&state, api);
        }
    }

    /// Forgets the queues that are no longer there.
    pub fn retain(&self, listed: impl Fn(&str) -> bool, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let apis: BTreeSet<&'static str> = state.open.keys().map(|(api, _)| *api).collect();
        for api in apis {
            if self.over(&mut state, api, now, |_, failing| !failing.is_empty() && !listed(failing)) {
                self.show(&state, api);
            }
        }
    }

    /// Takes out the subjects that `is_over` names; whether there were any.
    fn over(
        &self,
        state: &mut State,
        api: &'static str,
        now: Timestamp,
        is_over: impl Fn(Reason, &str) -> bool,
    ) -> bool {
        let mut changed = false;
        state.open.retain(|(known, reason), trouble| {
            if *known == api {
                let before = trouble.failing.len();
                trouble.failing.retain(|subject| !is_over(*reason, subject));
                changed |= trouble.failing.len() < before;
            }
            if trouble.failing.is_empty() {
                trouble.tell_end(&self.target, now);
            }
            !trouble.failing.is_empty()
        });
        state.told.retain(|key, told| state.open.contains_key(key) || is_quiet(*told, now));
        changed
    }

    fn show(&self, state: &State, api: &'static str) {
        let of_api = state.open.iter().filter(|((known, _), _)| *known == api);
        let texts: Vec<String> = of_api.map(|(_, trouble)| trouble.to_string()).collect();
        self.board.update_target(&self.target, |health| {
            if texts.is_empty() {
                health.troubles.remove(api);
            } else {
                health.troubles.insert(api, texts.join("; "));
            }
        });
    }
}

impl Trouble {
    fn new(last: Failure, since: Timestamp, told: bool) -> Self {
        Self { since, last, failed: 0, failing: BTreeSet::new(), affected: BTreeSet::new(), told }
    }

    fn tell_end(&self, target: &Target, now: Timestamp) {
        let lasted = humantime::format_duration(Duration::from_secs(now.since(self.since).as_secs()));
        let (failed, queues, reason) = (self.failed, queues(&self.affected), self.last.reason.as_str());
        let operation = self.last.operation.name();
        if self.told {
            info!(%target, operation, reason, failed, queues, "recovered after {lasted}");
        } else {
            debug!(%target, operation, reason, failed, queues, "recovered after {lasted}");
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} since {}", self.last, self.since)?;
        match queues(&self.failing) {
            0 => {}
            1 => f.write_str(", 1 queue")?,
            many => write!(f, ", {many} queues")?,
        }
        self.last.hint().map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

fn queues(subjects: &BTreeSet<Subject>) -> usize {
    subjects.iter().filter(|subject| !subject.is_empty()).count()
}

fn tell(target: &Target, queue: &str, failure: &Failure, quiet: bool) {
    let (reason, hint) = (failure.reason.as_str(), failure.hint().unwrap_or_default());
    if quiet {
        debug!(%target, queue, reason, hint, "{failure}");
    } else {
        warn!(%target, queue, reason, hint, "{failure}; this is told once until it is over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::meter::Operation;

    const API: &str = "GetQueueAttributes";

    fn troubles() -> Troubles {
        let target = Arc::new(Target { region: "us-east-1".into(), role_arn: None });
        Troubles::new(target, Arc::default())
    }

    fn failure(reason: Reason) -> Failure {
        Failure::plain(Operation::GetQueueAttributes, reason, "so it is")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn shown(troubles: &Troubles) -> Option<String> {
        let health = troubles.board.targets().remove(&troubles.target)?;
        health.troubles.get(API).cloned()
    }

    fn open(troubles: &Troubles) -> Vec<(Reason, bool)> {
        let state = troubles.state.lock().unwrap();
        state.open.iter().map(|((_, reason), trouble)| (*reason, trouble.told)).collect()
    }

    #[test]
    fn many_queues_are_one_trouble_until_the_last_is_read_again() {
        let troubles = troubles();
        troubles.failed("a", &failure(Reason::Denied), at(0));
        troubles.failed("b", &failure(Reason::Denied), at(1));
        assert_eq!(open(&troubles), [(Reason::Denied, true)]);
        let text = shown(&troubles).unwrap();
        assert!(text.contains("2 queues") && text.contains("allow `sqs:GetQueueAttributes`"), "{text}");
        troubles.succeeded(API, "a", at(2));
        assert!(shown(&troubles).unwrap().contains("1 queue;"));
        troubles.retain(|name| name != "b", at(3));
        assert_eq!((open(&troubles), shown(&troubles)), (vec![], None));
    }

    #[test]
    fn another_reason_is_another_trouble_and_ends_the_first() {
        let troubles = troubles();
        troubles.failed("a", &failure(Reason::Timeout), at(0));
        troubles.failed("a", &failure(Reason::Throttled), at(1));
        assert_eq!(open(&troubles), [(Reason::Throttled, true)]);
    }

    #[test]
    fn what_comes_and_goes_is_told_once_in_a_while() {
        let troubles = troubles();
        let mut told = Vec::new();
        for second in [0, 60, 120, 660] {
            troubles.failed("a", &failure(Reason::Throttled), at(second));
            told.push(open(&troubles)[0].1);
            troubles.succeeded(API, "a", at(second + 1));
        }
        assert_eq!(told, [true, false, false, true]);
    }
}
