//! What AWS was asked for lately, and what that cost: samples of the counters, from which the page of the system tells
//! rates without a Prometheus. Bounded: one sample every half minute for an hour.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::core::Collector;
use prometheus::proto::Metric;

use super::Telemetry;

/// How far apart samples are.
const STEP: Duration = Duration::from_secs(30);
/// How many are kept: an hour of them.
const KEPT: usize = 121;

/// Requests by service and operation, over all regions.
pub type Requests = BTreeMap<(String, String), u64>;

/// What was counted until one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// US dollars at list price.
    pub dollars: f64,
    /// Requests, failed ones included.
    pub requests: Requests,
}

/// The counters now, and how fast they grew lately.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// Since the start of the process.
    pub totals: Totals,
    /// How long the process runs.
    pub uptime: Duration,
    /// The growth over the length beside it, which is at most what was asked for; `None` before there is any.
    pub grown: Option<(Totals, Duration)>,
}

/// The samples. Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub struct Usage {
    started: Instant,
    samples: Arc<Mutex<VecDeque<(Instant, Totals)>>>,
}

impl Usage {
    /// None yet; everything is 0 at `started`.
    pub(super) fn new(started: Instant) -> Self {
        let first = (started, Totals::default());
        Self { started, samples: Arc::new(Mutex::new(VecDeque::from([first]))) }
    }

    /// Takes a sample of `telemetry` if it is time for one.
    pub fn sample(&self, telemetry: &Telemetry, now: Instant) {
        let due = |last: &(Instant, Totals)| now.saturating_duration_since(last.0) >= STEP;
        if self.lock().back().is_none_or(due) {
            self.note(Totals::of(telemetry), now);
        }
    }

    fn note(&self, totals: Totals, now: Instant) {
        let mut samples = self.lock();
        samples.push_back((now, totals));
        if samples.len() > KEPT {
            samples.pop_front();
        }
    }

    /// The totals of `telemetry`, and their growth over the latest `over`.
    pub fn recent(&self, telemetry: &Telemetry, over: Duration, now: Instant) -> Recent {
        self.grown(Totals::of(telemetry), over, now)
    }

    fn grown(&self, totals: Totals, over: Duration, now: Instant) -> Recent {
        let samples = self.lock();
        let age = |at: Instant| now.saturating_duration_since(at);
        let from = samples.iter().find(|(at, _)| age(*at) <= over).filter(|(at, _)| age(*at) >= STEP / 2);
        let grown = from.map(|(at, before)| (totals.since(before), age(*at)));
        Recent { totals, uptime: age(self.started), grown }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Totals)>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    fn of(telemetry: &Telemetry) -> Self {
        let mut requests = Requests::new();
        for counter in metrics(&telemetry.requests) {
            let operation = (label(&counter, "service"), label(&counter, "operation"));
            *requests.entry(operation).or_default() += counter.get_counter().get_value() as u64;
        }
        let dollars =
            metrics(&telemetry.dollars).iter().map(|counter| counter.get_counter().get_value()).sum();
        Self { dollars, requests }
    }

    fn since(&self, before: &Self) -> Self {
        let grown = |(operation, count): (&(String, String), &u64)| {
            let earlier = before.requests.get(operation).copied().unwrap_or_default();
            (operation.clone(), count.saturating_sub(earlier))
        };
        Self {
            dollars: (self.dollars - before.dollars).max(0.0),
            requests: self.requests.iter().map(grown).collect(),
        }
    }
}

/// Every series of a family of counters.
pub fn metrics(counters: &impl Collector) -> Vec<Metric> {
    counters.collect().into_iter().flat_map(|mut family| family.take_metric()).collect()
}

/// The value of one label of a series; empty when it has none of that name.
pub fn label(series: &Metric, name: &str) -> String {
    let pair = series.get_label().iter().find(|pair| pair.name() == name);
    pair.map(|pair| pair.value().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(dollars: f64) -> Totals {
        Totals { dollars, requests: [(("sqs".to_owned(), "ListQueues".to_owned()), dollars as u64)].into() }
    }

    #[test]
    fn growth_is_told_over_what_is_known() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let usage = Usage::new(start);
        let grown = |dollars, over, now| {
            let recent = usage.grown(spent(dollars), Duration::from_secs(over), at(now));
            recent.grown.map(|(totals, over)| (totals, over.as_secs()))
        };
        assert_eq!(grown(1.0, 600, 5), None, "too short a time to tell from");
        assert_eq!(grown(2.0, 600, 20), Some((spent(2.0), 20)), "since the start");
        for minute in 1..=120_u32 {
            usage.note(spent(f64::from(minute)), at(u64::from(minute) * 60));
        }
        assert_eq!(grown(121.0, 600, 7260), Some((spent(10.0), 600)));
        assert_eq!(grown(121.0, 7200, 7260), Some((spent(120.0), 7200)));
        assert_eq!(usage.grown(spent(121.0), STEP, at(7260)).uptime, Duration::from_secs(7260));
        usage.note(spent(122.0), at(7320));
        assert_eq!(usage.lock().len(), KEPT);
    }

    #[test]
    fn the_counters_are_read_over_all_regions_and_not_too_often() {
        let telemetry = Telemetry::new();
        for region in ["eu-west-1", "us-east-1"] {
            telemetry.requests.with_label_values(&["sqs", "ListQueues", region]).inc_by(2);
            telemetry.dollars.with_label_values(&["sqs"]).inc_by(0.5);
        }
        let usage = &telemetry.usage;
        let start = usage.started;
        usage.sample(&telemetry, start + STEP / 2);
        assert_eq!(usage.lock().len(), 1, "it is not time yet");
        usage.sample(&telemetry, start + STEP);
        let recent = usage.recent(&telemetry, STEP, start + STEP);
        assert_eq!(recent.totals.requests, [(("sqs".to_owned(), "ListQueues".to_owned()), 4)].into());
        assert_eq!((recent.totals.dollars, usage.lock().len()), (1.0, 2));
    }
}
