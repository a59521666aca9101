//! Several alarms in one message: what they have in common, the worst by name, and how many more there are.

use std::sync::Arc;

use super::headline;
use crate::domain::alarm::Subject;
use crate::domain::notification::{Cause, Event, Notification};
use crate::domain::rule::{Comparison, Severity};

/// How many are named.
pub const NAMED: usize = 10;

/// Several notifications of one event, as one message speaks of them.
pub struct Group<'a> {
    /// The worst ten, worst first: by severity, then by how far the value is in the bad direction.
    pub worst: Vec<&'a Notification>,
    /// How many there are beside those.
    pub more: usize,
    /// Whether all are of one rule.
    pub one_rule: bool,
}

impl<'a> Group<'a> {
    /// Sorts them; `None` when there is none.
    pub fn of(notifications: &'a [Arc<Notification>]) -> Option<Self> {
        let first = notifications.first()?;
        let one_rule = notifications.iter().all(|one| one.alarm.rule == first.alarm.rule);
        let mut worst: Vec<&Notification> = notifications.iter().map(|one| &**one).collect();
        worst.sort_by(|a, b| {
            let order = b.severity.cmp(&a.severity).then(badness(b).total_cmp(&badness(a)));
            order.then_with(|| a.alarm.cmp(&b.alarm))
        });
        let more = worst.len().saturating_sub(NAMED);
        worst.truncate(NAMED);
        Some(Self { worst, more, one_rule })
    }

    /// The only one, if it is one.
    pub fn only(&self) -> Option<&'a Notification> {
        (self.worst.len() == 1).then(|| self.worst[0])
    }

    /// The event of all of them.
    pub fn event(&self) -> Event {
        self.worst[0].event
    }

    /// The highest severity.
    pub fn severity(&self) -> Severity {
        self.worst[0].severity
    }

    /// What happened, in one line: `ALARM: dlq-not-empty on 100 queues`.
    pub fn headline(&self) -> String {
        let worst = self.worst[0];
        if self.only().is_some() {
            return headline(worst);
        }
        let count = self.worst.len() + self.more;
        let word = worst.event.word();
        if !self.one_rule {
            return format!("{word}: {count} alarms");
        }
        let all = |is: fn(&Subject) -> bool| self.worst.iter().all(|one| is(&one.alarm.subject));
        let kind = match () {
            () if all(|subject| matches!(subject, Subject::Queue(_))) => "queues",
            () if all(|subject| matches!(subject, Subject::Custom(_))) => "metrics",
            () => "alarms",
        };
        format!("{word}: {} on {count} {kind}", worst.alarm.rule)
    }

    /// A name and a value for each of the worst.
    pub fn lines(&self) -> impl Iterator<Item = (String, String)> {
        self.worst.iter().map(|one| {
            let subject = &one.alarm.subject;
            let mut name = subject.name().to_string();
            if !self.one_rule {
                name = format!("{} on {name}", one.alarm.rule);
            }
            if !subject.region().is_empty() {
                name = format!("{name} ({})", subject.region());
            }
            (name, one.value.map(|value| value.to_string()).unwrap_or_else(|| "-".to_owned()))
        })
    }

    /// `and 90 more`.
    pub fn rest(&self) -> Option<String> {
        (self.more > 0).then(|| format!("and {} more", self.more))
    }
}

/// How far the value is in the direction in which its alarm fires; without a value, not at all.
fn badness(notification: &Notification) -> f64 {
    let Some(value) = notification.value.filter(|value| !value.is_nan()) else { return f64::NEG_INFINITY };
    match &notification.cause {
        Cause::Metric(condition) => match condition.comparison {
            Comparison::LessThan | Comparison::LessThanOrEqual => -value,
            _ => value,
        },
        Cause::Composite { .. } => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::QueueId;
    use crate::notify::fixture::notification;

    fn one(rule: &str, queue: &str, severity: Severity, value: Option<f64>) -> Arc<Notification> {
        let mut one = notification(rule, Event::Firing, 0);
        one.alarm.subject = Subject::Queue(QueueId::new("1", "eu-west-1", queue));
        (one.severity, one.value) = (severity, value);
        Arc::new(one)
    }

    #[test]
    fn the_worst_are_named_by_severity_then_value() {
        let group = [
            one("dlq", "low", Severity::Warning, Some(900.0)),
            one("dlq", "unknown", Severity::Critical, None),
            one("dlq", "few", Severity::Critical, Some(2.0)),
            one("dlq", "nan", Severity::Critical, Some(f64::NAN)),
            one("dlq", "many", Severity::Critical, Some(70.0)),
        ];
        let group = Group::of(&group).unwrap();
        let lines: Vec<_> = group.lines().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            lines,
            [
                "many (eu-west-1): 70",
                "few (eu-west-1): 2",
                "nan (eu-west-1): NaN",
                "unknown (eu-west-1): -",
                "low (eu-west-1): 900"
            ]
        );
        assert_eq!((group.headline().as_str(), group.rest()), ("ALARM: dlq on 5 queues", None));
    }

    #[test]
    fn where_less_is_worse_the_least_comes_first() {
        let idle = |queue, value| {
            let mut one = Arc::unwrap_or_clone(one("idle", queue, Severity::Error, Some(value)));
            if let Cause::Metric(condition) = &mut one.cause {
                condition.comparison = Comparison::LessThan;
            }
            Arc::new(one)
        };
        let group = [idle("b", 5.0), idle("a", 0.0)];
        assert_eq!(&*Group::of(&group).unwrap().worst[0].alarm.subject.name().clone(), "a");
    }

    #[test]
    fn a_hundred_are_ten_and_ninety_more() {
        let hundred: Vec<_> =
            (0..100).map(|n| one("dlq", &format!("q{n:02}"), Severity::Error, Some(f64::from(n)))).collect();
        let group = Group::of(&hundred).unwrap();
        assert_eq!(group.headline(), "ALARM: dlq on 100 queues");
        let names: Vec<_> = group.lines().map(|(name, _)| name).collect();
        assert_eq!(
            (names.len(), names[0].as_str(), names[9].as_str()),
            (10, "q99 (eu-west-1)", "q90 (eu-west-1)")
        );
        assert_eq!(group.rest().as_deref(), Some("and 90 more"));
    }

    #[test]
    fn one_is_spoken_of_as_one_and_many_rules_as_many() {
        let one_only = [one("dlq", "q", Severity::Error, None)];
        assert_eq!(Group::of(&one_only).unwrap().headline(), "ALARM: dlq on q (eu-west-1)");
        let two = [one("dlq", "q", Severity::Error, None), one("age", "r", Severity::Critical, Some(1.0))];
        let group = Group::of(&two).unwrap();
        assert_eq!(group.headline(), "ALARM: 2 alarms");
        assert_eq!(group.lines().next().unwrap().0, "age on r (eu-west-1)");
        assert!(Group::of(&[]).is_none());
    }
}
