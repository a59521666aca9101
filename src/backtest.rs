//! The alarms of a configuration over recorded datapoints: which would have changed its state when, and why.
//!
//! ```text
//! csv json     what people have: rows of text, the answer of GetMetricData     -> data
//! history      what CloudWatch still has                                        -> data
//! data         the rows by queue and metric, every fault of them with its place
//! derived      the catalogue's derived metrics from the rows of their parts
//! roster       which queues a rule selects, as far as names and rows tell
//! replay       one condition at every instant of a range
//! composites   the composite alarms, from what became of the others
//! report       the transitions and the states at the end
//! expect       what a team expects of them
//! ```
//!
//! It judges with the domain's functions, so that a verdict here is the daemon's. What differs is what is known: a gap in recorded
//! data is a missing datapoint, never an unknown one, and only closed periods count.

mod composites;
mod csv;
mod data;
mod derived;
mod expect;
mod history;
mod json;
mod replay;
mod report;
mod roster;

use std::borrow::Cow;

pub use data::{Collector, Data};
pub use expect::Expected;
pub use history::{History, LONGEST, span};
pub use json::fallback_metric;
pub use replay::Range;
pub use report::{Change, End, Report};
pub use roster::Roster;

use data::Point;
use replay::Track;

use crate::config::{CustomMetric, Faults};
use crate::domain::alarm::{Alarm, State};
use crate::domain::metric::{Kind, Metric};
use crate::domain::rule::{Condition, MetricRef, Rule, Statistic, Trigger};
use crate::domain::time::{MINUTE, Timestamp};

/// Reads rows of CSV, or the JSON that `aws cloudwatch get-metric-data` prints: the first character that is no blank tells which.
///
/// # Errors
/// Every fault of the data with its place.
pub fn read(
    mut input: impl std::io::BufRead,
    source_name: &str,
    mut collector: Collector,
) -> Result<Data, Faults> {
    let start = match input.fill_buf() {
        Ok(start) => start.strip_prefix(data::BYTE_ORDER_MARK).unwrap_or(start),
        Err(error) => return Err(collector.unreadable(source_name, &error)),
    };
    let is_json = matches!(start.trim_ascii_start().first(), Some(b'{' | b'['));
    let done = if is_json { json::read(input, &mut collector) } else { csv::read(input, &mut collector) };
    match done {
        Ok(()) => collector.finish(source_name),
        Err(error) => Err(collector.unreadable(source_name, &error)),
    }
}

/// When is judged, and from which state on.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The instants.
    pub range: Range,
    /// Every alarm's state before the first of them.
    pub initial: State,
}

/// What alarms are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// The rows.
    pub data: &'a Data,
    /// Which queues they are of.
    pub roster: &'a Roster,
    /// The custom metrics of the configuration.
    pub customs: &'a [CustomMetric],
}

/// Judges every rule at each instant of the run.
pub fn run(rules: &[Rule], material: Material<'_>, run: &Run) -> Report {
    let mut report = Report::default();
    for rule in rules {
        match &rule.trigger {
            Trigger::Metric(condition) => material.judge(&mut report, rule, condition, run),
            Trigger::Composite(_) => {}
        }
    }
    composites::judge(rules, material.roster, &mut report, run);
    report.sort();
    report
}

impl Run {
    fn new_alarm(&self) -> Alarm {
        Alarm { state: self.initial, ..Alarm::new(self.range.from) }
    }

    /// The first instant at which any of `rules` is judged.
    fn first_instant(&self, rules: &[Rule]) -> Option<Timestamp> {
        let steps = rules.iter().filter_map(Rule::condition).map(replay::step);
        self.range.first(steps.min().unwrap_or(MINUTE))
    }
}

impl Material<'_> {
    fn judge(self, report: &mut Report, rule: &Rule, condition: &Condition, run: &Run) {
        if condition.metric.is_of_queues() {
            for queue in self.roster.selected(rule) {
                let (transitions, state) =
                    replay::replay(condition, &self.tracks(report, condition, queue), run);
                report.add(&rule.name, Some(queue.clone()), transitions, state);
            }
        } else {
            let subject = match &condition.metric {
                MetricRef::Custom(name) => name,
                _ => &rule.name,
            };
            let (transitions, state) = replay::replay(condition, &self.tracks(report, condition, ""), run);
            report.add(&rule.name, Some(subject.clone()), transitions, state);
        }
    }

    /// The rows of every metric that is measured, those of queues of this one.
    fn tracks(&self, report: &mut Report, condition: &Condition, queue: &str) -> Vec<Track<'_>> {
        let measured = condition.measured().into_iter();
        measured
            .map(|(metric, _)| match metric {
                MetricRef::Queue(metric) => {
                    let sums = metric.row().kind == Kind::Counter;
                    Track { points: self.of_queue(report, *metric, queue), sums }
                }
                MetricRef::Custom(name) => {
                    let points = self.data.customs.get(name).map(Vec::as_slice).unwrap_or_default();
                    let sums = |custom: &CustomMetric| custom.statistic == Statistic::Sum;
                    let sums = self.customs.iter().any(|custom| custom.name == *name && sums(custom));
                    Track { points: Cow::Borrowed(points), sums }
                }
                MetricRef::Math(_) => Track { points: Cow::default(), sums: false },
            })
            .collect()
    }

    fn of_queue(&self, report: &mut Report, metric: Metric, queue: &str) -> Cow<'_, [Point]> {
        let Some(rows) = self.data.queues.get(queue) else { return Cow::default() };
        derived::points(metric, rows).unwrap_or_else(|lacking| {
            report.lacks(metric, lacking, queue);
            Cow::default()
        })
    }
}

impl Data {
    /// The rows of a metric, also of a derived one; none where the data has none, nor what it is computed of.
    pub fn rows(&self, queue: &str, metric: Metric) -> Cow<'_, [(Timestamp, f64)]> {
        let rows = self.queues.get(queue).and_then(|rows| derived::points(metric, rows).ok());
        rows.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// What the alarms of `yaml` make of `rows`: alarm, queue, minute and new state of each transition.
    fn judged(yaml: &str, rows: &str) -> (Report, Vec<(String, String, i64, State)>) {
        let config = config::parse(yaml, "test", &|_| None).unwrap();
        let data = read(rows.as_bytes(), "rows", Collector::new(&config.custom_metrics)).unwrap();
        let roster = Roster::assumed(&data, &[]);
        let (from, to) = data.span().unwrap();
        let material = Material { data: &data, roster: &roster, customs: &config.custom_metrics };
        let run = Run { range: Range { from, to }, initial: State::Ok };
        let report = super::run(&config.rules, material, &run);
        let start: Timestamp = "2026-01-02T03:00:00Z".parse().unwrap();
        let changes = report.transitions.iter().map(|change| {
            let minute = change.transition.at.since(start).as_secs() as i64 / 60;
            let queue = change.queue.as_deref().unwrap_or_default().to_owned();
            (change.alarm.to_string(), queue, minute, change.transition.to)
        });
        (report.clone(), changes.collect())
    }

    #[test]
    fn an_expression_is_judged_over_the_rows_of_its_metrics() {
        let yaml = r#"
custom_metrics:
  - { name: failed, namespace: Shop, metric: Failed, statistic: Sum }
alarms:
  - name: failing
    metrics: { failed: { metric: failed }, sent: { metric: messages_sent } }
    expression: "100 * failed / sent"
    comparison: ">"
    threshold: 10
  - name: failures
    metrics: { failed: { metric: failed } }
    expression: "failed * 2"
    comparison: ">"
    threshold: 18
"#;
        let rows = "2026-01-02T03:00:00Z,orders,messages_sent,100\n2026-01-02T03:00:00Z,,failed,9\n\
                    2026-01-02T03:01:00Z,orders,messages_sent,50\n2026-01-02T03:01:10Z,orders,messages_sent,50\n\
                    2026-01-02T03:01:00Z,,failed,5\n2026-01-02T03:01:30Z,,failed,6\n";
        let (_, changes) = judged(yaml, rows);
        let alarm = |name: &str, queue: &str| (name.to_owned(), queue.to_owned(), 2, State::Alarm);
        assert_eq!(changes, [alarm("failing", "orders"), alarm("failures", "failures")]);
    }

    #[test]
    fn what_the_data_lacks_is_said_once_for_all_queues() {
        let rows: String =
            (0..30).map(|n| format!("2026-01-02T03:00:00Z,q{n},messages_visible,1\n")).collect();
        let yaml = "alarms: [{ name: full, metric: in_flight_ratio, comparison: '>', threshold: 0.8 }]";
        let (report, changes) = judged(yaml, &rows);
        assert_eq!((changes.len(), report.states.len()), (30, 30), "each is INSUFFICIENT_DATA");
        assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
        let said = &report.notes[0];
        assert!(said.contains("`in_flight_ratio`") && said.contains("`messages_in_flight`"), "{said}");
        assert!(said.contains("and 20 more"), "{said}");
    }

    #[test]
    fn composite_alarms_follow_the_others_and_each_other() {
        let yaml = r#"
alarms:
  - { name: worse, alarm_rule: "ALARM(both) AND NOT ALARM(slow)" }
  - { name: both, alarm_rule: "ALARM(deep) AND ALARM(old)", queues: { name: "*" } }
  - { name: deep, metric: messages_visible, comparison: ">", threshold: 10 }
  - { name: old, metric: oldest_message_age, comparison: ">", threshold: 60 }
  - { name: slow, metric: latency, comparison: ">", threshold: 1 }
custom_metrics:
  - { name: latency, namespace: Shop, metric: Latency, statistic: Maximum }
"#;
        let mut rows = String::new();
        for (minute, deep, old, latency) in
            [(0, 5, 0, 0), (1, 50, 0, 0), (2, 50, 90, 0), (3, 50, 90, 2), (4, 5, 90, 2)]
        {
            let at = format!("2026-01-02T03:0{minute}:00Z");
            rows += &format!(
                "{at},a,messages_visible,{deep}\n{at},a,oldest_message_age,{old}\n{at},,latency,{latency}\n"
            );
            rows += &format!("{at},b,messages_visible,{deep}\n{at},b,oldest_message_age,0\n");
        }
        let (report, changes) = judged(yaml, &rows);
        let composite = changes.iter().filter(|(alarm, ..)| alarm == "both" || alarm == "worse");
        let composite: Vec<_> =
            composite.map(|(alarm, queue, minute, state)| (&**alarm, &**queue, *minute, *state)).collect();
        assert_eq!(
            composite,
            [
                ("both", "a", 3, State::Alarm),
                ("worse", "", 3, State::Alarm),
                ("worse", "", 4, State::Ok),
                ("both", "a", 5, State::Ok),
            ]
        );
        let ends: Vec<_> =
            report.states.iter().map(|end| (&*end.alarm, end.queue.as_deref(), end.state)).collect();
        assert!(
            ends.contains(&("both", Some("b"), State::Ok)) && ends.contains(&("worse", None, State::Ok)),
            "{ends:?}"
        );
    }

    #[test]
    fn a_composite_alarm_is_judged_at_the_first_instant_also_when_nothing_changes() {
        let yaml = r#"
alarms:
  - { name: deep, metric: messages_visible, comparison: ">", threshold: 10, treat_missing_data: ignore }
  - { name: always, alarm_rule: "TRUE OR ALARM(deep)" }
"#;
        let (_, changes) = judged(yaml, "2026-01-02T03:00:00Z,a,messages_visible,5\n");
        assert_eq!(changes, [("always".to_owned(), String::new(), 1, State::Alarm)]);
    }
}
