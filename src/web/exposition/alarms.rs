//! The alarms' families: the state of each, one series a state so that a state's end is seen as well as its begin, and what
//! silences them.

use std::collections::HashMap;

use super::labels::Labels;
use super::text::{Family, Text};
use crate::board::Board;
use crate::domain::alarm::{AlarmKey, State, Subject};
use crate::domain::rule::Rule;
use crate::domain::silence::{Phase, Silences};
use crate::domain::time::Timestamp;

/// Writes the state of every alarm and whether it is silenced, how many there are in each, and all that silences.
pub fn write(text: &mut Text, board: &Board, now: Timestamp) {
    let alarms: Vec<(AlarmKey, State)> =
        board.with_alarms(|alarms| alarms.iter().map(|(key, alarm)| (key.clone(), alarm.state)).collect());
    let flapping = board.with_alarms(|alarms| alarms.values().filter(|alarm| alarm.flaps.flapping).count());
    let help = "The state of an alarm, in CloudWatch's words: 1 for the state it is in, 0 for the others.";
    let mut series = text.family(Family::gauge("sqs_alarm_state", help));
    for (key, present) in &alarms {
        let labels = labels_of(key);
        for state in State::ALL {
            let is = f64::from(u8::from(state == *present));
            series.add_with(&labels, "state", state.as_str(), is);
        }
    }
    let help = "Alarms by state.";
    let mut series = text.family(Family::gauge("sqswatch_alarms", help));
    for state in State::ALL {
        let count = alarms.iter().filter(|(_, present)| *present == state).count();
        series.add_with(&Labels::default(), "state", state.as_str(), count as f64);
    }
    write_silenced(text, board, &alarms, now);
    write_silences(text, &board.silences(), now);
    let help = "Alarms whose state changes so often that the changes are not told.";
    text.family(Family::gauge("sqswatch_alarms_flapping", help)).add(&Labels::default(), flapping as f64);
}

/// An alarm whose rule has just gone is silenced by nothing.
fn write_silenced(text: &mut Text, board: &Board, alarms: &[(AlarmKey, State)], now: Timestamp) {
    let (rules, silences) = (board.rules(), board.silences());
    let rules: HashMap<&str, &Rule> = rules.iter().map(|rule| (&*rule.name, rule)).collect();
    let in_force = silences.at(now);
    let help = "Whether a silence or maintenance window keeps an alarm from telling anybody: 1 or 0.";
    let mut series = text.family(Family::gauge("sqs_alarm_silenced", help));
    for (key, _) in alarms {
        let rule = rules.get(&*key.rule);
        let silenced = rule.is_some_and(|rule| in_force.holder(rule, &key.subject).is_some());
        series.add(&labels_of(key), f64::from(u8::from(silenced)));
    }
}

fn write_silences(text: &mut Text, silences: &Silences, now: Timestamp) {
    let help = "Silences by state; those that are over are kept for a week.";
    let mut series = text.family(Family::gauge("sqswatch_silences", help));
    for phase in Phase::ALL {
        let count = silences.recorded(now).filter(|silence| silence.phase(now) == phase).count();
        series.add_with(&Labels::default(), "state", phase.as_str(), count as f64);
    }
    let help = "Whether a maintenance window of the configuration is open: 1 or 0.";
    let mut series = text.family(Family::gauge("sqswatch_maintenance_active", help));
    for window in &silences.windows {
        let open = f64::from(u8::from(window.active(now).is_some()));
        series.add(&Labels::of([("window", &*window.name)]), open);
    }
}

fn labels_of(key: &AlarmKey) -> Labels {
    let (account, region, name) = (key.subject.account(), key.subject.region(), key.subject.name());
    let kind = match key.subject {
        Subject::Queue(_) => "queue",
        Subject::Custom(_) => "metric",
        Subject::Composite(_) => return Labels::of([("alarm", &*key.rule)]),
    };
    Labels::of([("alarm", &*key.rule), ("account", account), ("region", region), (kind, name)])
}
