//! The configured alarms as Prometheus alerting rules, as near as PromQL can say them, and where it cannot.
//!
//! ```text
//! promql      expressions, names, numbers and spans of time as PromQL writes them
//! queues      a selector of queues -> matchers on labels
//! datapoint   metric, statistic, period -> the value of one datapoint
//! math        metric math -> the same
//! condition   M of N datapoints, and the missing ones -> when an alert fires
//! composite   alarms over alarms -> expressions over ALERTS
//! words       labels and annotations, with nothing in them that a template would run
//! yaml        the rules file, and the operator's PrometheusRule
//! ```
//!
//! No alarm is left out in silence: each is either an [`Alert`] with notes on where it differs, or [`Refused`] with the reason.

mod composite;
mod condition;
mod datapoint;
mod math;
mod promql;
mod queues;
#[cfg(test)]
mod tests;
mod words;
mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::domain::composite::in_order;
use crate::domain::rule::{Condition, Rule, Statistic, Trigger};
use crate::domain::time::MINUTE;
use datapoint::Subject;

pub use yaml::{Resource, file, resource};

/// The alerting rules of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// In the order they must be evaluated: a composite alarm after those it looks at.
    pub alerts: Vec<Alert>,
    /// The alarms that PromQL cannot say.
    pub refused: Vec<Refused>,
    /// What differs for the file as a whole, one sentence each.
    pub notes: Vec<String>,
    /// How often the rules must be evaluated; `None` leaves it to Prometheus.
    pub interval: Option<Duration>,
}

/// One alarm as an alerting rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The alarm's name, which is the alert's.
    pub alarm: Arc<str>,
    /// PromQL that has a value while the alert fires.
    pub expr: String,
    /// Valid names; values are templates in which nothing runs.
    pub labels: BTreeMap<String, String>,
    /// Templates.
    pub annotations: Vec<(&'static str, String)>,
    /// Where it differs from the alarm, one sentence each.
    pub notes: Vec<String>,
}

/// An alarm that PromQL cannot say.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The alarm's name.
    pub alarm: Arc<str>,
    /// The reason.
    pub why: Cannot,
}

/// Why an alarm cannot be said in PromQL.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Cannot {
    /// Its queues are selected by a tag that Prometheus does not see.
    #[error(
        "its queues are selected by the tag `{0}`, which is no label of `sqs_queue_info`\n  hint: add it to `discovery.tag_labels`"
    )]
    Tag(String),
    /// Of CloudWatch's sums nothing else is exported.
    #[error("only the sums of `{metric}` are exported, not its {statistic}")]
    SumsOnly {
        /// The metric's name.
        metric: &'static str,
        /// What the alarm judges.
        statistic: Statistic,
    },
    /// A custom metric is exported as another statistic than is judged.
    #[error(
        "`{metric}` is exported as its {exported} and judged by its {judged}\n  hint: add a custom metric that is read as {judged}"
    )]
    Custom {
        /// The metric's name.
        metric: Arc<str>,
        /// What is exported.
        exported: Statistic,
        /// What the alarm judges.
        judged: Statistic,
    },
    /// A composite alarm asks for a state that alerts do not have.
    #[error("it asks whether `{0}` is in INSUFFICIENT_DATA, and an alert only fires or does not")]
    State(Arc<str>),
    /// A composite alarm looks at an alarm that cannot be said.
    #[error("it looks at `{0}`, which cannot be said either")]
    Child(Arc<str>),
    /// An expression that divides by nothing but 0, or chooses nothing.
    #[error("its expression never has a value")]
    NoValue,
    /// An expression that would fill pages.
    #[error("its expression would be too long\n  hint: split it into several alarms and a composite one")]
    TooLong,
}

/// Translates every alarm of `config`.
pub fn translate(config: &Config) -> Rules {
    let mut rules = Rules { alerts: Vec::new(), refused: Vec::new(), notes: notes(config), interval: None };
    let mut subjects = BTreeMap::new();
    for rule in in_order(config.rules.clone()) {
        match alert(config, &subjects, &rule) {
            Ok(alert) => {
                rules.alerts.push(alert);
                subjects.insert(rule.name.clone(), Subject::of(&rule));
                rules.interval = rules.interval.or_else(|| rule.condition().and_then(short));
            }
            Err(why) => rules.refused.push(Refused { alarm: rule.name, why }),
        }
    }
    rules
}

/// The rules said so far, each with what its alerts are told apart by.
type Subjects = BTreeMap<Arc<str>, Subject>;

fn alert(config: &Config, subjects: &Subjects, rule: &Rule) -> Result<Alert, Cannot> {
    let mut notes = Vec::new();
    let expr = match &rule.trigger {
        Trigger::Metric(condition) => condition::expression(config, rule, condition, &mut notes)?,
        Trigger::Composite(composite) => {
            composite::expression(config, rule, composite, subjects, &mut notes)?
        }
    };
    let labels = words::labels(rule, &mut notes);
    notes.extend(words::told_elsewhere(rule));
    let annotations = words::annotations(rule, Subject::of(rule));
    Ok(Alert { alarm: rule.name.clone(), expr, labels, annotations, notes })
}

/// CloudWatch judges periods below a minute every ten seconds.
fn short(condition: &Condition) -> Option<Duration> {
    (condition.period < MINUTE).then(|| datapoint::step(condition.period))
}

fn notes(config: &Config) -> Vec<String> {
    let mut notes: Vec<String> = [
        "An alert has no INSUFFICIENT_DATA: it ends when its data ends, also because sqswatch or Prometheus is down. Alert on that \
         as well.",
        "A rule looks at `evaluation_periods` periods. Where datapoints are missing, CloudWatch looks up to `evaluation_range` periods \
         back.",
        "A value is what the last scrape saw. Spans end a millisecond early (`4m59s999ms`), so that they hold as many whole minutes \
         in every version of Prometheus.",
        "Who is told, and how often, is Alertmanager's: `notify` and `routes` are not in here, nor are silences.",
    ]
    .map(str::to_owned)
    .into();
    if !config.maintenance.is_empty() {
        notes.push(
            "Maintenance windows are not in here: write them as `mute_time_intervals` of Alertmanager."
                .to_owned(),
        );
    }
    notes
}
