//! Who is told what of an alarm, and when: from a change of state, and from what holds notifications back, to a debt.
//!
//! Guaranteed: an end (resolved, closed) goes to exactly those who were told of what it ends, once. While something holds the
//! notifications back nothing but such ends is told; a firing that is not over when nothing holds it any more is told then.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::alarm::{Alarm, AlarmKey, State, Transition, Untold};
use super::hold::Hold;
use super::notification::{self, Cause, Debt, Event, Notification, QueueFacts};
use super::queue::Queue;
use super::rule::Rule;
use super::time::Timestamp;

/// The alarm of which something may be told.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Which.
    pub key: &'a AlarmKey,
    /// Its rule.
    pub rule: &'a Rule,
    /// The queue, when it judges one.
    pub queue: Option<&'a Queue>,
}

/// What is owed after an evaluation, with the alarm's memory of who was told brought up to date. `alarm` has taken the verdict
/// already; `transition` is the change of state that came of it, and `hold` is what holds its notifications back now.
///
/// ALARM is owed to the rule's destinations. OK is owed to those who were told of the firing and to nobody else, also
/// when INSUFFICIENT_DATA came between. A change to INSUFFICIENT_DATA alone is told to nobody.
pub fn tell(
    about: About<'_>,
    alarm: &mut Alarm,
    transition: Option<&Transition>,
    hold: Option<Hold>,
    now: Timestamp,
) -> Option<Debt> {
    alarm.held.clone_from(&hold);
    // A clock that was set back starts the wait anew, so that what is told again is late by one wait at most.
    alarm.told_at = alarm.told_at.map(|told_at| told_at.min(now));
    let teller = Teller { about, before: transition.map_or(alarm.since, |transition| transition.since), now };
    let news = transition.map(|transition| (transition.to, transition.from));
    match (news, hold) {
        (Some((State::Ok, from)), _) => teller.end(alarm, from),
        (Some((State::InsufficientData, _)), _) => {
            alarm.untold = None;
            None
        }
        (Some((State::Alarm, from)), None) => teller.open(alarm, Event::Firing, from, None),
        (Some((State::Alarm, from)), Some(by)) => {
            alarm.untold = Some(Untold { event: Event::Firing, from, by });
            None
        }
        (None, Some(by)) => {
            if let Some(untold) = &mut alarm.untold {
                untold.by = by;
            }
            None
        }
        (None, None) => match alarm.untold.take() {
            Some(Untold { event, from, by }) => teller.open(alarm, event, from, Some(by)),
            None => teller.repeat(alarm),
        },
    }
}

/// The debt of saying that nothing will resolve an alarm any more: its queue or its rule is gone. Made from what was
/// told when it fired, since there may be nothing else left of it.
pub fn closed(alarm: &Alarm, reason: String, now: Timestamp) -> Option<Debt> {
    let firing = alarm.firing.as_deref().filter(|_| !alarm.told.is_empty())?;
    let notification = Notification {
        id: notification::id(&firing.alarm, Event::Closed, alarm.since, alarm.tellings),
        event: Event::Closed,
        from: alarm.state,
        to: State::Ok,
        since: now,
        at: now,
        reason,
        value: None,
        ..firing.clone()
    };
    Some(Debt { notification: Arc::new(notification), destinations: alarm.told.clone() })
}

/// Words what one evaluation makes owed.
struct Teller<'a> {
    about: About<'a>,
    /// Since when the alarm had the state that this evaluation found it in.
    before: Timestamp,
    now: Timestamp,
}

impl Teller<'_> {
    /// A firing, to the rule's destinations.
    fn open(&self, alarm: &mut Alarm, event: Event, from: State, held_by: Option<Hold>) -> Option<Debt> {
        let destinations = with(Vec::new(), &self.about.rule.notify);
        alarm.told = with(std::mem::take(&mut alarm.told), &destinations);
        alarm.told_at = Some(self.now);
        alarm.untold = None;
        let held = held_by.map(|by| format!(" It was held back until now by the {by}.")).unwrap_or_default();
        let reason = format!("{}{held}", alarm.reason);
        let debt = self.debt(alarm, event, from, reason, destinations)?;
        alarm.firing = Some(debt.notification.clone());
        Some(debt)
    }

    /// The end, to those who were told.
    fn end(&self, alarm: &mut Alarm, from: State) -> Option<Debt> {
        alarm.untold = None;
        alarm.told_at = None;
        alarm.firing = None;
        let destinations = std::mem::take(&mut alarm.told);
        self.debt(alarm, Event::Resolved, from, alarm.reason.clone(), destinations)
    }

    /// That it is still in ALARM, once `repeat` has passed since it was last told.
    fn repeat(&self, alarm: &mut Alarm) -> Option<Debt> {
        let told_at = alarm.told_at?;
        if alarm.state != State::Alarm || self.now.since(told_at) < self.about.rule.repeat? {
            return None;
        }
        alarm.told_at = Some(self.now);
        self.debt(alarm, Event::Repeated, State::Alarm, alarm.reason.clone(), alarm.told.clone())
    }

    fn debt(
        &self,
        alarm: &mut Alarm,
        event: Event,
        from: State,
        reason: String,
        destinations: Vec<Arc<str>>,
    ) -> Option<Debt> {
        if destinations.is_empty() {
            return None;
        }
        let About { key, rule, queue } = self.about;
        let notification = Notification {
            id: notification::id(key, event, self.before, alarm.tellings),
            event,
            alarm: key.clone(),
            from,
            to: alarm.state,
            since: alarm.since,
            at: self.now,
            reason,
            value: alarm.value,
            description: rule.description.clone(),
            cause: Cause::of(rule),
            severity: rule.severity,
            labels: rule.labels.clone(),
            queue: queue.map(QueueFacts::from),
        };
        alarm.tellings += 1;
        Some(Debt { notification: Arc::new(notification), destinations })
    }
}

/// `names` and those of `more` that are not among them yet.
fn with(mut names: Vec<Arc<str>>, more: &[Arc<str>]) -> Vec<Arc<str>> {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
