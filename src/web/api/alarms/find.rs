//! Which alarm is meant by a rule's name and as much of the subject as somebody cared to say.

use serde::Deserialize;

use crate::board::Board;
use crate::domain::alarm::{Alarm, AlarmKey, Subject};
use crate::domain::queue::QueueId;
use crate::web::near::near;

/// What an address says of an alarm's subject; all that is given must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The queue's name.
    pub queue: Option<String>,
    /// The custom metric's name.
    pub metric: Option<String>,
    /// The region's code.
    pub region: Option<String>,
    /// The account.
    pub account: Option<String>,
}

/// What a rule's name and a place mean.
#[derive(Debug)]
pub enum Found {
    /// One alarm.
    One(AlarmKey, Box<Alarm>),
    /// More than one, by subject.
    Several(Vec<(AlarmKey, Alarm)>),
    /// No alarm, because the rule judges nothing of the kind; names of what it judges that are near.
    NoSubject(Vec<String>),
    /// No alarm, because there is no such rule; names of rules that are near.
    NoRule(Vec<String>),
}

impl Place {
    fn fits(&self, subject: &Subject) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|text| text == found);
        let is_queue = matches!(subject, Subject::Queue(_));
        let is_custom = matches!(subject, Subject::Custom(_));
        is(&self.region, subject.region())
            && is(&self.account, subject.account())
            && (self.queue.is_none() || is_queue && is(&self.queue, subject.name()))
            && (self.metric.is_none() || is_custom && is(&self.metric, subject.name()))
    }
}

/// The alarms of the rule that `place` means.
pub fn find(board: &Board, rule: &str, place: &Place) -> Found {
    let all = of_rule(board, rule);
    let mut fitting: Vec<_> = all.iter().filter(|(key, _)| place.fits(&key.subject)).cloned().collect();
    match (fitting.pop(), fitting.len()) {
        (Some((key, alarm)), 0) => Found::One(key, Box::new(alarm)),
        (Some(last), _) => {
            fitting.push(last);
            Found::Several(fitting)
        }
        (None, _) if !all.is_empty() || board.rules().iter().any(|known| &*known.name == rule) => {
            let word = place.queue.as_ref().or(place.metric.as_ref()).map_or("", String::as_str);
            let names = near(word, all.iter().map(|(key, _)| &**key.subject.name()));
            Found::NoSubject(names.into_iter().map(str::to_owned).collect())
        }
        (None, _) => {
            let rules = board.rules();
            let names = near(rule, rules.iter().map(|known| &*known.name));
            Found::NoRule(names.into_iter().map(str::to_owned).collect())
        }
    }
}

/// All alarms of one rule, by subject.
fn of_rule(board: &Board, rule: &str) -> Vec<(AlarmKey, Alarm)> {
    // The first there can be: queues come before all other subjects.
    let first = AlarmKey { rule: rule.into(), subject: Subject::Queue(QueueId::new("", "", "")) };
    board.with_alarms(|alarms| {
        let from_there = alarms.range(first..).take_while(|(key, _)| &*key.rule == rule);
        from_there.map(|(key, alarm)| (key.clone(), alarm.clone())).collect()
    })
}
