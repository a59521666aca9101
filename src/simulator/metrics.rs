//! CloudWatch's memory: datapoints by series, each with the versions that were visible over time.
//!
//! Pure. A datapoint may be visible later than its minute (CloudWatch's delay) and may be revised: a query sees the last
//! version whose time has come. Each series keeps a bounded number of datapoints.

use std::collections::BTreeMap;

use super::clock::Millis;

/// Datapoints kept per series: a little more than a day of minutes.
const MAX_DATAPOINTS: usize = 1_500;
/// Distinct values kept for percentiles, as many as PutMetricData takes at once.
const MAX_VALUES: usize = 150;

/// What names a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// Namespace, e.g. `AWS/SQS`.
    pub namespace: String,
    /// Metric name.
    pub metric: String,
    /// Dimensions, sorted by name.
    pub dimensions: Vec<(String, String)>,
}

impl SeriesKey {
    /// The key of `metric` in `namespace`; the order of the dimensions does not matter.
    pub fn new(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut dimensions: Vec<_> =
            dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        dimensions.sort();
        SeriesKey { namespace: namespace.to_owned(), metric: metric.to_owned(), dimensions }
    }

    /// A metric of a queue.
    pub fn of_queue(queue: &str, metric: &str) -> Self {
        SeriesKey::new("AWS/SQS", metric, &[("QueueName", queue)])
    }

    /// The queue that the series is about.
    pub fn queue(&self) -> Option<&str> {
        match self.dimensions.as_slice() {
            [(name, queue)] if self.namespace == "AWS/SQS" && name == "QueueName" => Some(queue),
            _ => None,
        }
    }
}

/// A set of values as CloudWatch keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// SampleCount.
    pub count: f64,
    /// Sum.
    pub sum: f64,
    /// Minimum.
    pub minimum: f64,
    /// Maximum.
    pub maximum: f64,
    /// Values in ascending order and how often each came; none once only the summary is known.
    values: Option<Vec<(f64, f64)>>,
}

impl Default for Statistics {
    fn default() -> Self {
        let (minimum, maximum) = (f64::INFINITY, f64::NEG_INFINITY);
        Statistics { count: 0.0, sum: 0.0, minimum, maximum, values: Some(Vec::new()) }
    }
}

impl Statistics {
    /// One value, once.
    pub fn of(value: f64) -> Self {
        let mut statistics = Statistics::default();
        statistics.add(value, 1.0);
        statistics
    }

    /// A sum of `count` ones, as the counters of SQS are published; a single 0 for none.
    pub fn of_events(count: u64) -> Self {
        let mut statistics = Statistics::default();
        match count {
            0 => statistics.add(0.0, 1.0),
            _ => statistics.add(1.0, count as f64),
        }
        statistics
    }

    /// A summary without its values: PutMetricData's StatisticValues. Percentiles need the values, unless all are equal.
    pub fn summary(count: f64, sum: f64, minimum: f64, maximum: f64) -> Self {
        let values = (minimum == maximum || count == 1.0).then(|| vec![(maximum, count)]);
        Statistics { count, sum, minimum, maximum, values }
    }

    /// Adds `value`, seen `count` times.
    pub fn add(&mut self, value: f64, count: f64) {
        self.count += count;
        self.sum += value * count;
        self.minimum = self.minimum.min(value);
        self.maximum = self.maximum.max(value);
        let Some(values) = &mut self.values else { return };
        match values.binary_search_by(|(known, _)| known.total_cmp(&value)) {
            Ok(known) => values[known].1 += count,
            Err(place) if values.len() < MAX_VALUES => values.insert(place, (value, count)),
            Err(_) => self.values = None,
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Statistics) {
        let (count, sum) = (self.count + other.count, self.sum + other.sum);
        let minimum = self.minimum.min(other.minimum);
        let maximum = self.maximum.max(other.maximum);
        match &other.values {
            Some(values) => values.iter().for_each(|(value, times)| self.add(*value, *times)),
            None => self.values = None,
        }
        (self.count, self.sum, self.minimum, self.maximum) = (count, sum, minimum, maximum);
    }

    /// The value of one statistic; none if the set is empty or a percentile cannot be told.
    pub fn get(&self, statistic: Statistic) -> Option<f64> {
        if self.count <= 0.0 {
            return None;
        }
        match statistic {
            Statistic::Average => Some(self.sum / self.count),
            Statistic::Sum => Some(self.sum),
            Statistic::Minimum => Some(self.minimum),
            Statistic::Maximum => Some(self.maximum),
            Statistic::SampleCount => Some(self.count),
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    /// Nearest rank.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let values = self.values.as_ref()?;
        let mut rank = (percent / 100.0 * self.count).ceil().max(1.0);
        for (value, times) in values {
            rank -= times;
            if rank <= 0.0 {
                return Some(*value);
            }
        }
        values.last().map(|(value, _)| *value)
    }
}

/// Which number of a set is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// Sum / SampleCount.
    Average,
    /// Sum.
    Sum,
    /// Minimum.
    Minimum,
    /// Maximum.
    Maximum,
    /// SampleCount.
    SampleCount,
    /// `p0` to `p100`.
    Percentile(f64),
}

impl Statistic {
    /// Reads a `Stat`; none for those that the simulator does not have (trimmed means and the like).
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "Average" => Statistic::Average,
            "Sum" => Statistic::Sum,
            "Minimum" => Statistic::Minimum,
            "Maximum" => Statistic::Maximum,
            "SampleCount" => Statistic::SampleCount,
            _ => {
                let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then_some(Statistic::Percentile(percent))?
            }
        })
    }
}

/// A stretch of time cut into periods; all in whole seconds.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// First second.
    pub start: i64,
    /// First second that is no longer asked for.
    pub end: i64,
    /// Length of a period.
    pub period: i64,
}

#[derive(Debug)]
struct Version {
    visible_from: Millis,
    statistics: Statistics,
}

/// Every series of one account and region.
#[derive(Debug, Default)]
pub struct Metrics {
    series: BTreeMap<SeriesKey, BTreeMap<i64, Vec<Version>>>,
}

impl Metrics {
    /// Puts a datapoint at second `at`, to be seen from `visible_from` on. Later calls revise it.
    pub fn publish(&mut self, key: SeriesKey, at: i64, visible_from: Millis, statistics: Statistics) {
        let datapoints = self.series.entry(key).or_default();
        datapoints.entry(at).or_default().push(Version { visible_from, statistics });
        while datapoints.len() > MAX_DATAPOINTS {
            datapoints.pop_first();
        }
    }

    /// Adds to the datapoint at second `at`, visible at once: PutMetricData.
    pub fn add(&mut self, key: SeriesKey, at: i64, now: Millis, statistics: &Statistics) {
        let versions = self.series.entry(key.clone()).or_default().entry(at).or_default();
        match versions.last_mut() {
            Some(version) => version.statistics.merge(statistics),
            None => self.publish(key, at, now, statistics.clone()),
        }
    }

    /// The periods of `window` that have data visible at `now`, oldest first, each with its first second.
    pub fn window(&self, key: &SeriesKey, window: Window, now: Millis) -> Vec<(i64, Statistics)> {
        let mut periods: Vec<(i64, Statistics)> = Vec::new();
        let Some(datapoints) = self.series.get(key).filter(|_| window.start < window.end) else {
            return periods;
        };
        for (at, versions) in datapoints.range(window.start..window.end) {
            let Some(version) = versions.iter().rev().find(|version| version.visible_from <= now) else {
                continue;
            };
            let start = window.start + (at - window.start).div_euclid(window.period) * window.period;
            match periods.last_mut() {
                Some((last, statistics)) if *last == start => statistics.merge(&version.statistics),
                _ => periods.push((start, version.statistics.clone())),
            }
        }
        periods
    }

    /// Every series known.
    pub fn keys(&self) -> impl Iterator<Item = &SeriesKey> {
        self.series.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SeriesKey {
        SeriesKey::of_queue("orders", "NumberOfMessagesSent")
    }

    fn sums(metrics: &Metrics, window: Window, now: Millis) -> Vec<(i64, f64)> {
        metrics.window(&key(), window, now).into_iter().map(|(at, statistics)| (at, statistics.sum)).collect()
    }

    #[test]
    fn a_datapoint_is_late_then_partial_then_complete() {
        let mut metrics = Metrics::default();
        metrics.publish(key(), 60, 180_000, Statistics::of_events(3));
        metrics.publish(key(), 60, 240_000, Statistics::of_events(5));
        let window = Window { start: 0, end: 120, period: 60 };
        assert_eq!(sums(&metrics, window, 179_999), []);
        assert_eq!(sums(&metrics, window, 180_000), [(60, 3.0)]);
        assert_eq!(sums(&metrics, window, 240_000), [(60, 5.0)]);
    }

    #[test]
    fn periods_start_at_the_window_and_leave_its_end_out() {
        let mut metrics = Metrics::default();
        (0..10).for_each(|minute| metrics.publish(key(), minute * 60, 0, Statistics::of(1.0)));
        let window = Window { start: 60, end: 540, period: 300 };
        assert_eq!(sums(&metrics, window, 0), [(60, 5.0), (360, 3.0)]);
    }

    #[test]
    fn put_values_add_up() {
        let mut metrics = Metrics::default();
        metrics.add(key(), 60, 0, &Statistics::of(2.0));
        metrics.add(key(), 60, 0, &Statistics::summary(3.0, 30.0, 5.0, 15.0));
        let found = metrics.window(&key(), Window { start: 60, end: 120, period: 60 }, 0);
        let (_, set) = &found[0];
        assert_eq!((set.count, set.sum, set.minimum, set.maximum), (4.0, 32.0, 2.0, 15.0));
        assert_eq!(set.get(Statistic::Percentile(50.0)), None, "a summary has no percentiles");
    }

    #[test]
    fn statistics_of_a_set() {
        let mut set = Statistics::default();
        (1..=100).for_each(|value| set.add(f64::from(value), 1.0));
        for (text, expected) in [
            ("Average", 50.5),
            ("Sum", 5050.0),
            ("Minimum", 1.0),
            ("Maximum", 100.0),
            ("SampleCount", 100.0),
            ("p50", 50.0),
            ("p99", 99.0),
            ("p99.9", 100.0),
            ("p0", 1.0),
        ] {
            assert_eq!(set.get(Statistic::parse(text).unwrap()), Some(expected), "{text}");
        }
        assert_eq!(Statistic::parse("tm90"), None);
        assert_eq!(Statistic::parse("p101"), None);
    }
}
