//! GET /api/v1/alarms; `find.rs` says which alarm an address means, `one.rs` shows it with its past.

pub mod find;
pub mod one;

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Asked, asked};
use crate::board::Board;
use crate::clock;
use crate::domain::alarm::{Alarm, AlarmKey, State, Subject};
use crate::domain::hold::Hold;
use crate::domain::rule::{Condition, MetricRef, Rule, Statistic, Trigger};
use crate::domain::silence::Holder;
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::answer::Fault;

/// Which alarms are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    state: Option<String>,
}

/// The answer of `/api/v1/alarms`.
#[derive(Debug, Serialize)]
pub struct AlarmList {
    /// The alarms that match, those in ALARM first.
    pub alarms: Vec<AlarmView>,
}

/// One alarm: a rule applied to one queue or custom metric.
#[derive(Clone, Debug, Serialize)]
pub struct AlarmView {
    /// The rule's name.
    pub alarm: String,
    /// The account; empty while not known.
    pub account: String,
    /// The region's code.
    pub region: String,
    /// The queue that is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The custom metric that is judged, when it is not a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_metric: Option<String>,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: &'static str,
    /// Since when.
    pub since: String,
    /// Why it changed last.
    pub reason: String,
    /// The newest value judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What holds its notifications back at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<HoldView>,
    /// Whether its state changes so often that the changes are not told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
    /// The rule; absent for the moment between a reload and the next evaluation when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleView>,
}

/// Why nobody is told of an alarm for now.
#[derive(Clone, Debug, Serialize)]
pub struct HoldView {
    /// `silence`, `maintenance` or `suppressor`.
    pub kind: &'static str,
    /// The silence's id, the window's name, or the suppressor's rule.
    pub by: String,
    /// Until when, of a silence or a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// When the alarm fires, in CloudWatch's terms.
#[derive(Clone, Debug, Serialize)]
pub struct RuleView {
    /// What it means.
    pub description: String,
    /// `info`, `warning`, `error` or `critical`.
    pub severity: &'static str,
    /// Of a metric alarm.
    #[serde(flatten)]
    pub condition: Option<ConditionView>,
    /// Of a composite alarm: the expression as the user wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_rule: Option<String>,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
}

/// What a metric alarm looks at.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionView {
    /// The metric's name in the catalogue, the custom metric's, or the expression.
    pub metric: String,
    /// `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount` or `p99`.
    pub statistic: String,
    /// One datapoint's length.
    pub period_seconds: u64,
    /// N.
    pub evaluation_periods: u32,
    /// M of N.
    pub datapoints_to_alarm: u32,
    /// `>`, `>=`, `<` or `<=`.
    pub comparison: &'static str,
    /// In the metric's unit.
    pub threshold: f64,
    /// `missing`, `ignore`, `breaching` or `notBreaching`.
    pub treat_missing_data: &'static str,
    /// `evaluate` or `ignore`; absent unless the statistic is a percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<&'static str>,
}

impl From<&Rule> for RuleView {
    fn from(rule: &Rule) -> Self {
        let (condition, alarm_rule) = match &rule.trigger {
            Trigger::Metric(condition) => (Some(condition.into()), None),
            Trigger::Composite(composite) => (None, Some(composite.text.to_string())),
        };
        Self {
            description: rule.description.clone(),
            severity: rule.severity.as_str(),
            condition,
            alarm_rule,
            labels: rule.labels.clone(),
        }
    }
}

impl From<&Condition> for ConditionView {
    fn from(condition: &Condition) -> Self {
        let metric = match &condition.metric {
            MetricRef::Queue(metric) => metric.name().to_owned(),
            MetricRef::Custom(name) => name.to_string(),
            MetricRef::Math(math) => math.text.to_string(),
        };
        Self {
            metric,
            statistic: condition.statistic.to_string(),
            period_seconds: condition.period.as_secs(),
            evaluation_periods: condition.evaluation_periods,
            datapoints_to_alarm: condition.datapoints_to_alarm,
            comparison: condition.comparison.as_symbol(),
            threshold: condition.threshold,
            treat_missing_data: condition.missing_data.as_str(),
            evaluate_low_sample_count_percentile: match condition.statistic {
                Statistic::Percentile(_) => Some(condition.low_samples.as_str()),
                _ => None,
            },
        }
    }
}

/// GET /api/v1/alarms
pub async fn list(Shared(web): Shared<Web>, query: Asked<Filter>) -> Result<Json<AlarmList>, Fault> {
    let state = asked(query)?.state.map(|word| state(&word)).transpose()?;
    let mut alarms: Vec<AlarmView> =
        views(&web.board, clock::now()).into_iter().map(|(_, view)| view).collect();
    alarms.retain(|view| state.is_none_or(|state| state.as_str() == view.state));
    alarms.sort_by_key(|view| State::ALL.iter().position(|state| state.as_str() == view.state));
    Ok(Json(AlarmList { alarms }))
}

fn state(word: &str) -> Result<State, Fault> {
    word.parse().map_err(|_| {
        let error = format!("`{word}` is not a state of an alarm");
        Fault::new(StatusCode::BAD_REQUEST, error, "state is one of ALARM, INSUFFICIENT_DATA, OK")
    })
}

/// Every alarm with its rule, by rule and subject.
pub fn views(board: &Board, now: Timestamp) -> Vec<(AlarmKey, AlarmView)> {
    let (rules, silences) = (board.rules(), board.silences());
    let in_force = silences.at(now);
    let rules: HashMap<&str, &Rule> = rules.iter().map(|rule| (&*rule.name, rule)).collect();
    board.with_alarms(|alarms| {
        let view = |(key, alarm): (&AlarmKey, &Alarm)| {
            let rule = rules.get(&*key.rule).copied();
            let holder = rule.and_then(|rule| in_force.holder(rule, &key.subject));
            let view = AlarmView { held: held(holder, alarm), ..view(key, alarm, rule) };
            (key.clone(), view)
        };
        alarms.iter().map(view).collect()
    })
}

/// One alarm with its rule; `None` when it is gone.
pub fn shown(board: &Board, key: &AlarmKey, now: Timestamp) -> Option<AlarmView> {
    let (rules, silences) = (board.rules(), board.silences());
    let in_force = silences.at(now);
    let rule = rules.iter().find(|rule| rule.name == key.rule);
    let holder = rule.and_then(|rule| in_force.holder(rule, &key.subject));
    board.with_alarms(|alarms| {
        let alarm = alarms.get(key)?;
        Some(AlarmView { held: held(holder, alarm), ..view(key, alarm, rule) })
    })
}

/// Silences as they are now, ahead of the next evaluation; of a suppressor only the judge knows.
fn held(holder: Option<&Holder>, alarm: &Alarm) -> Option<HoldView> {
    let view = |hold: &Hold, until| HoldView { kind: hold.kind(), by: hold.by().to_string(), until };
    let suppressor = || alarm.held.as_ref().filter(|hold| matches!(hold, Hold::Suppressor(_)));
    match holder {
        Some(holder) => Some(view(&holder.hold, Some(holder.until.to_string()))),
        None => suppressor().map(|hold| view(hold, None)),
    }
}

fn view(key: &AlarmKey, alarm: &Alarm, rule: Option<&Rule>) -> AlarmView {
    let name = key.subject.name().to_string();
    let (queue, custom_metric) = match key.subject {
        Subject::Queue(_) => (Some(name), None),
        Subject::Custom(_) => (None, Some(name)),
        Subject::Composite(_) => (None, None),
    };
    AlarmView {
        alarm: key.rule.to_string(),
        account: key.subject.account().to_string(),
        region: key.subject.region().to_string(),
        queue,
        custom_metric,
        state: alarm.state.as_str(),
        since: alarm.since.to_string(),
        reason: alarm.reason.clone(),
        value: alarm.value,
        flapping: alarm.flaps.flapping,
        held: None,
        rule: rule.map(RuleView::from),
    }
}
