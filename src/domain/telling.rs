//! Who is told what of an alarm, and when: from a change of state, and from what holds notifications back, to a debt.
//!
//! Guaranteed: an end (resolved, closed) goes to exactly those who were told of what it ends, once. While something holds the
//! notifications back nothing but such ends is told; a firing that is not over when nothing holds it any more is told then. What
//! is told again (repeated, increased) goes to those who were told before.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use super::alarm::{Alarm, AlarmKey, State, Transition, Untold};
use super::flapping::Flapping;
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
/// when INSUFFICIENT_DATA came between. A change to INSUFFICIENT_DATA alone is told to nobody. While the state flaps its changes are
/// not told; that it begins to is, to the rule's destinations and those who were told that it fires.
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
    let flapping = alarm.flaps.note(about.rule.flapping, transition, now);
    let teller = Teller { about, before: transition.map_or(alarm.since, |transition| transition.since), now };
    match (news(alarm, transition, flapping), hold) {
        (Some(News::Ends(from)), _) => teller.end(alarm, from, flapping),
        (Some(News::Opens(event, from)), None) => teller.open(alarm, event, from, None),
        (Some(News::Opens(event, from)), Some(by)) => {
            alarm.untold = Some(Untold { event, from, by });
            None
        }
        (_, Some(by)) => {
            if let Some(untold) = &mut alarm.untold {
                untold.by = by;
            }
            None
        }
        (Some(News::Calm), None) => teller.calm(alarm),
        (None, None) => match alarm.untold.take() {
            Some(Untold { event, from, by }) => teller.open(alarm, event, from, Some(by)),
            None => teller.still(alarm),
        },
    }
}

/// What an evaluation gives reason to tell.
enum News {
    /// What is told to the rule's destinations, and the state before.
    Opens(Event, State),
    /// It is over, and the state before.
    Ends(State),
    /// It does not flap any more, and is in ALARM.
    Calm,
}

fn news(alarm: &mut Alarm, transition: Option<&Transition>, flapping: Flapping) -> Option<News> {
    match (flapping, transition) {
        (Flapping::Begins, _) => {
            let from = transition.map_or(alarm.state, |transition| transition.from);
            Some(News::Opens(Event::Flapping, from))
        }
        (Flapping::GoesOn, _) | (Flapping::No, None) => None,
        (Flapping::No, Some(transition)) => match transition.to {
            State::Alarm => Some(News::Opens(Event::Firing, transition.from)),
            State::Ok => Some(News::Ends(transition.from)),
            State::InsufficientData => {
                alarm.untold = None;
                None
            }
        },
        (Flapping::Ends, _) => match (alarm.state, &mut alarm.untold) {
            // Nobody knows that it flapped: what there is to tell is that it fires.
            (State::Alarm, Some(untold)) => {
                untold.event = Event::Firing;
                None
            }
            (State::Alarm, None) => Some(News::Calm),
            (State::Ok, _) => Some(News::Ends(State::Alarm)),
            (State::InsufficientData, untold) => {
                *untold = None;
                None
            }
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
        fired_at: Some(firing.since),
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
    /// A firing, to the rule's destinations; that it flaps, also to those who were told that it fires.
    fn open(&self, alarm: &mut Alarm, event: Event, from: State, held_by: Option<Hold>) -> Option<Debt> {
        let told = std::mem::take(&mut alarm.told);
        let earlier = if event == Event::Flapping { told.clone() } else { Vec::new() };
        let destinations = with(earlier, &self.about.rule.notify);
        alarm.told = with(told, &destinations);
        alarm.told_at = Some(self.now);
        alarm.untold = None;
        let mut reason = alarm.reason.clone();
        if let (Event::Flapping, Some(rate)) = (event, self.about.rule.flapping) {
            reason = format!("Flapping: more than {rate}, now {}. {reason}", alarm.state);
        }
        if let Some(by) = held_by {
            reason = format!("{reason} It was held back until now by the {by}.");
        }
        let debt = self.debt(alarm, event, from, reason, destinations)?;
        alarm.firing = Some(debt.notification.clone());
        Some(debt)
    }

    /// The end, to those who were told.
    fn end(&self, alarm: &mut Alarm, from: State, flapping: Flapping) -> Option<Debt> {
        let reason = if flapping == Flapping::Ends { no_more_flapping(alarm) } else { alarm.reason.clone() };
        alarm.untold = None;
        alarm.told_at = None;
        alarm.told_value = None;
        let destinations = std::mem::take(&mut alarm.told);
        let debt = self.debt(alarm, Event::Resolved, from, reason, destinations);
        alarm.firing = None;
        debt
    }

    /// That it does not flap any more and is still in ALARM.
    fn calm(&self, alarm: &mut Alarm) -> Option<Debt> {
        self.again(alarm, Event::Repeated, no_more_flapping(alarm))
    }

    /// That it is still in ALARM and worse, or once more when it was last told long enough ago.
    fn still(&self, alarm: &mut Alarm) -> Option<Debt> {
        if alarm.state != State::Alarm || alarm.flaps.flapping {
            return None;
        }
        let told_for = self.now.since(alarm.told_at?);
        if let Some(reason) = self.growth(alarm, told_for) {
            self.again(alarm, Event::Increased, reason)
        } else if told_for >= self.about.rule.repeat? {
            self.again(alarm, Event::Repeated, alarm.reason.clone())
        } else {
            None
        }
    }

    /// How the value has moved from what was told, when it is far enough and `told_for` is long enough.
    fn growth(&self, alarm: &mut Alarm, told_for: Duration) -> Option<String> {
        let (growth, condition) = (self.about.rule.repeat_on?, self.about.rule.condition()?);
        let value = alarm.value?;
        // Told without a value, or under a rule that did not look at it: what growth counts from is the first one seen.
        let told = *alarm.told_value.get_or_insert(value);
        let grown = growth.step.is_reached(condition.comparison, told, value) && told_for >= growth.gap;
        let moved = if value > told { "rose" } else { "fell" };
        grown.then(|| format!("The value {moved} from {told} to {value} since it was last told."))
    }

    /// To those who were told before.
    fn again(&self, alarm: &mut Alarm, event: Event, reason: String) -> Option<Debt> {
        alarm.told_at = Some(self.now);
        self.debt(alarm, event, State::Alarm, reason, alarm.told.clone())
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
        let firing = alarm.firing.as_ref().filter(|_| event != Event::Firing);
        let notification = Notification {
            id: notification::id(key, event, self.before, alarm.tellings),
            event,
            alarm: key.clone(),
            from,
            // Receivers that know an end and nothing else must not take it for one, whatever the state is just now.
            to: if event == Event::Flapping { State::Alarm } else { alarm.state },
            since: alarm.since,
            fired_at: firing.map(|firing| firing.since),
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
        if !event.ends() {
            alarm.told_value = alarm.value.or(alarm.told_value);
        }
        Some(Debt { notification: Arc::new(notification), destinations })
    }
}

fn no_more_flapping(alarm: &Alarm) -> String {
    format!("Flapping is over: {} since {}. {}", alarm.state, alarm.since, alarm.reason)
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
