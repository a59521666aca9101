//! Recorded datapoints by queue and metric, and the one place that says what a row must be.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::config::{CustomMetric, Fault, Faults, suggest};
use crate::domain::metric::{CATALOGUE, Metric};
use crate::domain::rule::MetricRef;
use crate::domain::time::{MINUTE, Timestamp};

/// How many faults are collected before the rest of the data is left unread.
const MOST_FAULTS: usize = 1_000;
/// Longer than any name or label of AWS.
const LONGEST_NAME: usize = 512;
/// What some programs put before UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One value of one series.
pub type Point = (Timestamp, f64);
/// The rows of one queue, each metric's in the order of time, one an instant.
pub type QueueRows = BTreeMap<Metric, Vec<Point>>;

/// Recorded datapoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// By the queue's name. A queue is known once it has a row.
    pub queues: BTreeMap<Arc<str>, QueueRows>,
    /// Custom metrics by their name in the configuration, in the order of time, one an instant.
    pub customs: BTreeMap<Arc<str>, Vec<Point>>,
    /// What a reader of the results should know of the data.
    pub notes: Vec<String>,
}

impl Data {
    /// From the first instant at which a minute with a row has ended to the end of the last minute with one.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let series = self.queues.values().flat_map(BTreeMap::values).chain(self.customs.values());
        let ends = series.filter_map(|points| Some((points.first()?.0, points.last()?.0)));
        let (first, last) = ends.reduce(|(first, last), (start, end)| (first.min(start), last.max(end)))?;
        Some((first.floor(MINUTE) + MINUTE, last.floor(MINUTE) + MINUTE))
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        let queues = self.queues.values().flat_map(BTreeMap::values).map(Vec::len).sum::<usize>();
        queues + self.customs.values().map(Vec::len).sum::<usize>()
    }
}

/// Why a row is refused, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    message: String,
    hint: Option<String>,
}

impl Refusal {
    /// A refusal with a hint.
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }

    /// A refusal that speaks for itself.
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\n  hint: {hint}"))
    }
}

/// Takes rows one by one in any order, and every fault of them.
#[derive(Debug, Default)]
pub struct Collector {
    data: Data,
    /// The names of the configuration's custom metrics.
    known: Vec<Arc<str>>,
    /// What a label that names no metric is about.
    pub(super) metric: Option<MetricRef>,
    faults: Vec<Fault>,
}

impl Collector {
    /// Takes rows of the catalogue's metrics and of `custom_metrics`.
    pub fn new(custom_metrics: &[CustomMetric]) -> Self {
        let known = custom_metrics.iter().map(|custom| custom.name.clone()).collect();
        Self { known, ..Self::default() }
    }

    /// The same with the metric that data without names of metrics is about.
    pub fn with_metric(self, metric: Option<MetricRef>) -> Self {
        Self { metric, ..self }
    }

    /// The metric of that name: a custom one, or one of the catalogue's in our spelling or CloudWatch's.
    ///
    /// # Errors
    /// When there is none.
    pub fn metric(&self, text: &str) -> Result<MetricRef, Refusal> {
        if let Some(name) = self.known.iter().find(|name| &***name == text) {
            return Ok(MetricRef::Custom(name.clone()));
        }
        text.parse::<Metric>().map(MetricRef::Queue).map_err(|_| {
            let names = CATALOGUE.iter().flat_map(|row| [Some(row.name), row.cloudwatch]).flatten();
            let names = names.chain(self.known.iter().map(|name| &**name));
            let hint = match suggest::closest(text, names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => {
                    "`sqswatch metrics` lists them; one of your own needs an entry in `custom_metrics`".into()
                }
            };
            Refusal::new(format!("{} is no metric", Shown(text)), hint)
        })
    }

    /// Takes one row. The queue of a custom metric is empty or the metric's name.
    ///
    /// # Errors
    /// When `value` is no number an alarm could see, or the queue is missing or superfluous.
    pub fn row(&mut self, queue: &str, metric: &MetricRef, point: Point) -> Result<(), Refusal> {
        let (_, value) = point;
        if !value.is_finite() {
            return Err(Refusal::plain(format!("`{value}` is no finite number")));
        }
        match metric {
            MetricRef::Queue(metric) => {
                if value < 0.0 {
                    let message = format!("`{value}` is negative, which `{}` never is", metric.name());
                    return Err(Refusal::plain(message));
                }
                self.queue(queue)?.entry(*metric).or_default().push(point);
            }
            MetricRef::Custom(name) => {
                if !queue.is_empty() && *queue != **name {
                    return Err(Refusal::new(
                        format!("`{name}` is a custom metric, which has no queue"),
                        "leave the queue empty",
                    ));
                }
                self.data.customs.entry(name.clone()).or_default().push(point);
            }
            MetricRef::Math(_) => return Err(Refusal::plain("an expression is computed and has no rows")),
        }
        Ok(())
    }

    fn queue(&mut self, name: &str) -> Result<&mut QueueRows, Refusal> {
        if !self.data.queues.contains_key(name) {
            if name.is_empty() {
                return Err(Refusal::plain("has no queue"));
            }
            if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
                return Err(Refusal::plain(format!("{} is no name of a queue", Shown(name))));
            }
        }
        Ok(self.data.queues.entry(name.into()).or_default())
    }

    /// Notes a fault; `path` is where, for data without lines.
    pub(super) fn refuse(&mut self, line: Option<usize>, path: String, refusal: Refusal) {
        self.faults.push(Fault { path, line, message: refusal.message, hint: refusal.hint });
    }

    /// Whether so much is wrong that the rest need not be read.
    pub(super) fn is_hopeless(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    /// Tells the reader of the results something.
    pub(super) fn note(&mut self, note: String) {
        self.data.notes.push(note);
    }

    /// The rows in order, each instant's last one standing.
    ///
    /// # Errors
    /// Every fault, also that there is no row at all.
    pub fn finish(mut self, source_name: &str) -> Result<Data, Faults> {
        if self.faults.is_empty() && self.data.count() == 0 {
            let fault = Fault::of_file("holds no datapoint");
            self.faults
                .push(fault.hint("rows are `time,queue,metric,value`, or it is the JSON of get-metric-data"));
        }
        if !self.faults.is_empty() {
            return Err(Faults::new(source_name, self.faults));
        }
        let mut repeated = 0;
        for points in self.data.queues.values_mut().flat_map(BTreeMap::values_mut) {
            repeated += in_order(points);
        }
        for points in self.data.customs.values_mut() {
            repeated += in_order(points);
        }
        if repeated > 0 {
            let rows = if repeated == 1 { "row stands" } else { "rows stand" };
            self.note(format!(
                "{repeated} {rows} for an instant that has a later one: the last one in the data counts"
            ));
        }
        Ok(self.data)
    }

    /// The rows in order, whatever was found wrong: what a service tells is not the user's to mend.
    pub(super) fn into_data(mut self) -> Data {
        self.data.queues.values_mut().flat_map(BTreeMap::values_mut).for_each(|points| _ = in_order(points));
        self.data.customs.values_mut().for_each(|points| _ = in_order(points));
        self.data
    }

    /// The error of data that ends in the midst of reading, with what was found wrong before.
    pub(super) fn unreadable(mut self, source_name: &str, error: &io::Error) -> Faults {
        self.faults.push(Fault::of_file(format!("cannot be read: {error}")));
        Faults::new(source_name, self.faults)
    }
}

/// Sorts by time and leaves the last row of each instant; says how many it dropped.
fn in_order(points: &mut Vec<Point>) -> usize {
    let before = points.len();
    if !points.is_sorted_by(|(one, _), (other, _)| one < other) {
        points.sort_by_key(|(at, _)| *at);
        points.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
    }
    before - points.len()
}

/// A text of the data within a fault: without control characters, and not all of a long one.
pub(super) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 60;
        f.write_str("`")?;
        for c in self.0.chars().take(MOST) {
            write!(f, "{}", if c.is_control() { '\u{fffd}' } else { c })?;
        }
        f.write_str(if self.0.chars().nth(MOST).is_some() { "...`" } else { "`" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_secs(minute * 60)
    }

    const VISIBLE: MetricRef = MetricRef::Queue(Metric::MessagesVisible);

    #[test]
    fn rows_of_any_order_stand_in_order_and_the_last_of_an_instant_counts() {
        let mut collector = Collector::default();
        for (minute, value) in [(3, 1.0), (1, 2.0), (3, 4.0), (2, 3.0), (3, 5.0)] {
            collector.row("q", &VISIBLE, (at(minute), value)).unwrap();
        }
        let data = collector.finish("rows").unwrap();
        assert_eq!(data.queues["q"][&Metric::MessagesVisible], [(at(1), 2.0), (at(2), 3.0), (at(3), 5.0)]);
        assert!(data.notes[0].starts_with("2 rows"), "{:?}", data.notes);
        assert_eq!((data.count(), data.span()), (3, Some((at(2), at(4)))));
    }

    #[test]
    fn what_no_alarm_may_see_is_refused() {
        let custom = MetricRef::Custom("latency".into());
        let mut collector = Collector::default();
        for (queue, metric, value) in [
            ("q", &VISIBLE, f64::NAN),
            ("q", &VISIBLE, f64::INFINITY),
            ("q", &VISIBLE, -1.0),
            ("", &VISIBLE, 1.0),
            ("q\u{7}", &VISIBLE, 1.0),
            ("q", &custom, 1.0),
            ("", &custom, f64::NEG_INFINITY),
        ] {
            assert!(collector.row(queue, metric, (at(1), value)).is_err(), "{queue} {metric:?} {value}");
        }
        assert!(collector.row("", &custom, (at(1), -1.0)).is_ok(), "a custom metric may be negative");
        assert!(collector.row("latency", &custom, (at(2), 0.0)).is_ok());
        assert_eq!(collector.finish("rows").unwrap().customs["latency"].len(), 2);
    }

    #[test]
    fn nothing_at_all_is_a_fault() {
        assert!(Collector::default().finish("rows").unwrap_err().to_string().contains("no datapoint"));
    }
}
