//! What one Alertmanager was told last, so that it can be told again: in memory only. After a restart or a reload alerts that
//! fire are known from the board; the end of others was acknowledged by a replica, and is not sent again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::alert;
use crate::domain::alarm::{AlarmKey, State};
use crate::domain::notification::{Event, Notification};
use crate::domain::time::Timestamp;

/// How long the end of an alert is sent again, as Prometheus has it.
const ENDS_REPEATED: Duration = Duration::from_secs(15 * 60);

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Memory {
    ended: BTreeMap<AlarmKey, Ended>,
    /// What was re-sent as firing, by the labels of its beginning.
    firing: BTreeMap<AlarmKey, Arc<Notification>>,
}

#[derive(Debug)]
struct Ended {
    at: Timestamp,
    /// When the firing began that ended. It tells one firing from the next whatever the clock did in between.
    began: Option<Timestamp>,
    /// One for each set of labels under which the alarm was known: a reload can change a rule's labels.
    notifications: Vec<Arc<Notification>>,
}

/// One alert to send again.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Again {
    /// It fires.
    Firing(Arc<Notification>),
    /// It ended at this instant.
    Ended(Arc<Notification>, Timestamp),
}

impl Memory {
    /// A replica has taken `notification`.
    pub(super) fn told(&mut self, notification: &Arc<Notification>, now: Timestamp) {
        match (notification.event, notification.tells()) {
            (Event::Test, _) => {}
            (_, State::Ok) => {
                let key = &notification.alarm;
                let before = self.firing.remove(key);
                let renamed = before.filter(|before| alert::labels(before) != alert::labels(notification));
                let notifications = std::iter::once(notification.clone()).chain(renamed).collect();
                let ended =
                    Ended { at: notification.at.min(now), began: notification.fired_at, notifications };
                self.ended.insert(key.clone(), ended);
            }
            // Told in order, so whatever ended before does not count any more.
            _ => drop(self.ended.remove(&notification.alarm)),
        }
    }

    /// Whether the end of this very firing was told.
    fn is_over(&self, firing: &Notification) -> bool {
        self.ended.get(&firing.alarm).is_some_and(|ended| match ended.began {
            Some(began) => began == firing.since,
            None => ended.at >= firing.since,
        })
    }

    /// What to send again, when exactly these fire: they, and what ended lately. What was re-sent as firing and fires no more
    /// has ended, whether or not its end was told already.
    pub(super) fn again(&mut self, firing: Vec<Arc<Notification>>, now: Timestamp) -> Vec<Again> {
        self.ended.retain(|_, ended| now.since(ended.at) < ENDS_REPEATED);
        let firing: BTreeMap<_, _> =
            firing.into_iter().map(|notification| (notification.alarm.clone(), notification)).collect();
        for (key, before) in std::mem::take(&mut self.firing) {
            if !firing.contains_key(&key) {
                let ended =
                    || Ended { at: now, began: Some(before.since), notifications: vec![before.clone()] };
                self.ended.entry(key).or_insert_with(ended);
            }
        }
        for (key, notification) in &firing {
            if !self.is_over(notification) {
                self.ended.remove(key);
            }
        }
        self.firing = firing;
        let fires = self.firing.values().cloned().map(Again::Firing);
        let over = self.ended.values().flat_map(|ended| {
            ended.notifications.iter().map(|notification| Again::Ended(notification.clone(), ended.at))
        });
        fires.chain(over).filter(|again| self.still_holds(again)).collect()
    }

    /// Whether nothing else was told since.
    pub(super) fn still_holds(&self, again: &Again) -> bool {
        match again {
            Again::Firing(notification) => !self.is_over(notification),
            Again::Ended(notification, _) => self.ended.contains_key(&notification.alarm),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::fixture::{at, notification};

    fn of(rule: &str, event: Event, seconds: i64) -> Arc<Notification> {
        Arc::new(notification(rule, event, seconds))
    }

    /// The end of what began at second 0.
    fn end(rule: &str, seconds: i64) -> Arc<Notification> {
        let fired_at = Some(at(0));
        Arc::new(Notification { fired_at, ..notification(rule, Event::Resolved, seconds) })
    }

    #[test]
    fn an_alert_is_sent_while_it_fires_and_its_end_for_a_quarter_of_an_hour() {
        let mut memory = Memory::default();
        let (began, ended) = (of("a", Event::Firing, 0), end("a", 90));
        memory.told(&began, at(0));
        assert_eq!(memory.again(vec![began.clone()], at(60)), [Again::Firing(began.clone())]);
        memory.told(&ended, at(91));
        for seconds in [120, 900, 989] {
            assert_eq!(memory.again(vec![], at(seconds)), [Again::Ended(ended.clone(), at(90))], "{seconds}");
        }
        assert_eq!(memory.again(vec![], at(990)), []);
    }

    #[test]
    fn a_board_that_is_behind_does_not_bring_an_alert_back() {
        let mut memory = Memory::default();
        let (began, ended) = (of("a", Event::Firing, 0), end("a", 90));
        let planned = Again::Firing(began.clone());
        assert!(memory.still_holds(&planned));
        memory.told(&ended, at(90));
        assert!(!memory.still_holds(&planned));
        assert_eq!(memory.again(vec![began], at(91)), [Again::Ended(ended, at(90))]);
        let again = of("a", Event::Firing, 120);
        assert_eq!(memory.again(vec![again.clone()], at(121)), [Again::Firing(again)]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_end_what_began_since() {
        let mut memory = Memory::default();
        memory.told(&end("a", 3_600), at(3_600));
        let again = of("a", Event::Firing, 60);
        assert_eq!(memory.again(vec![again.clone()], at(61)), [Again::Firing(again.clone())]);
        memory.told(&end("a", 3_600), at(3_600));
        memory.told(&again, at(60));
        assert_eq!(memory.again(vec![again.clone()], at(61)), [Again::Firing(again)]);
    }

    #[test]
    fn what_fires_no_more_has_ended_also_before_its_end_is_told() {
        let mut memory = Memory::default();
        let began = of("a", Event::Firing, 0);
        memory.again(vec![began.clone()], at(60));
        assert_eq!(memory.again(vec![], at(120)), [Again::Ended(began, at(120))]);
    }

    #[test]
    fn an_alert_that_was_renamed_by_a_reload_ends_under_both_names() {
        let mut memory = Memory::default();
        let (began, mut ended) = (of("a", Event::Firing, 0), end("a", 90));
        Arc::make_mut(&mut ended).labels.insert("team".into(), "orders".into());
        memory.again(vec![began.clone()], at(60));
        memory.told(&ended, at(90));
        let both = [Again::Ended(ended, at(90)), Again::Ended(began, at(90))];
        assert_eq!(memory.again(vec![], at(100)), both);
    }

    #[test]
    fn a_test_is_not_remembered() {
        let mut memory = Memory::default();
        memory.told(&of("a", Event::Test, 0), at(0));
        assert_eq!(memory.again(vec![], at(1)), []);
    }
}
