//! The alarms' families: the state of each, one series a state so that a state's end is seen as well as its begin.

use super::labels::Labels;
use super::text::{Family, Text};
use crate::board::Board;
use crate::domain::alarm::{AlarmKey, State, Subject};

/// Writes the state of every alarm, how many there are in each, and how many flap.
pub fn write(text: &mut Text, board: &Board) {
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
    let help = "Alarms whose state changes so often that the changes are not told.";
    text.family(Family::gauge("sqswatch_alarms_flapping", help)).add(&Labels::default(), flapping as f64);
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
