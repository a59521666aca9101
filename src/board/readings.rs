//! What was last read of one queue, and what follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Needs;
use crate::domain::counter::Counter;
use crate::domain::derived::{self, Arrivals, DRAIN_WINDOW};
use crate::domain::history::History;
use crate::domain::metric::{Kind, Metric, Source};
use crate::domain::queue::{Depth, Queue, QueueId, Role, Settings};
use crate::domain::rule::Statistic;
use crate::domain::series::{Fold, Series, Slot, StatisticSet};
use crate::domain::time::{Jump, MINUTE, Timestamp};

/// What CloudWatch said about one metric over whole minutes.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The first minute asked for.
    pub from: Timestamp,
    /// The exclusive end.
    pub until: Timestamp,
    /// Up to here a minute without a datapoint is final: there is none. After it, one may still come.
    pub settled: Timestamp,
    /// The datapoints by the start of their minute, in any order. Those of `until` and later may still grow: they serve early
    /// verdicts and nothing else.
    pub datapoints: Vec<(Timestamp, StatisticSet)>,
}

impl Window {
    /// The datapoints before `until`.
    pub(super) fn closed(&self) -> impl Iterator<Item = (Timestamp, StatisticSet)> {
        self.datapoints.iter().copied().filter(|(minute, _)| *minute < self.until)
    }
}

/// The readings of one queue.
#[derive(Debug)]
pub struct Readings {
    /// The queue with its settings, tags and place.
    pub queue: Arc<Queue>,
    /// The newest value of each gauge; `None` is unknown.
    gauges: [Option<f64>; Metric::COUNT],
    /// The counters, by metric.
    counters: BTreeMap<Metric, Counter>,
    series: BTreeMap<(Metric, Duration), Series>,
    /// The past of the main metrics, for plots.
    pub history: History,
    /// What arrives in a dead-letter queue, from its first reading as one.
    arrivals: Option<Arrivals>,
    /// The total depth over the last [`DRAIN_WINDOW`], oldest first.
    totals: Vec<(Timestamp, u64)>,
    /// Two readings of the counts within this time stand for the time between them.
    hold: Duration,
    /// When the counts were last read.
    pub attributes_at: Option<Timestamp>,
    /// When all attributes were last read.
    pub settings_at: Option<Timestamp>,
    /// When CloudWatch last answered about this queue, or was known to have nothing to say.
    pub cloudwatch_at: Option<Timestamp>,
    /// Whether the newest counts say that the queue holds nothing.
    pub empty: bool,
    /// Since when every reading, and none was left out, said that the queue holds nothing. While that is so it has no oldest
    /// message.
    pub empty_since: Option<Timestamp>,
}

impl Readings {
    pub(super) fn new(queue: Queue, needs: &Needs) -> Self {
        let mut readings = Self {
            queue: Arc::new(queue),
            gauges: [None; Metric::COUNT],
            counters: BTreeMap::new(),
            series: BTreeMap::new(),
            history: History::default(),
            arrivals: None,
            totals: Vec::new(),
            hold: needs.hold,
            attributes_at: None,
            settings_at: None,
            cloudwatch_at: None,
            empty: false,
            empty_since: None,
        };
        readings.fit(needs);
        readings
    }

    /// Makes, widens or drops series so that there are those that are needed.
    pub(super) fn fit(&mut self, needs: &Needs) {
        self.hold = needs.hold;
        self.series.retain(|key, _| needs.series.contains_key(key));
        for (key @ (_, step), reach) in &needs.series {
            let series = self
                .series
                .entry(*key)
                .or_insert_with(|| Series::new(*step, *reach, fold(*key)).with_hold(needs.hold));
            series.ensure_reach(*reach);
            series.keep_samples(needs.samples.contains(&key.0));
        }
    }

    /// The series an alarm of this metric and period looks at.
    pub fn series(&self, metric: Metric, period: Duration) -> Option<&Series> {
        let step = if period < MINUTE { Duration::from_secs(10) } else { MINUTE };
        self.series.get(&(metric, step))
    }

    /// The value to export now: the newest of a gauge, the total of a counter; `None` is unknown.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric.row().kind {
            Kind::Gauge => self.gauges[metric.index()],
            Kind::Counter => self.counters.get(&metric).map(Counter::total),
        }
    }

    /// A counter, to save it.
    pub fn counters(&self) -> &BTreeMap<Metric, Counter> {
        &self.counters
    }

    /// Takes a saved counter back, before anything is read.
    pub fn restore(&mut self, metric: Metric, counter: Counter) {
        self.counters.entry(metric).or_insert(counter);
    }

    /// The wall clock was set: everything that was read here is as long ago as it was.
    pub(super) fn shift(&mut self, jump: Jump) {
        self.series.values_mut().for_each(|series| series.shift(jump));
        self.history.shift(jump);
        self.totals.iter_mut().for_each(|(at, _)| *at = jump.moved(*at));
        let instants =
            [&mut self.attributes_at, &mut self.settings_at, &mut self.cloudwatch_at, &mut self.empty_since];
        for at in instants.into_iter().flatten() {
            *at = jump.moved(*at);
        }
        // What was deleted when is told by CloudWatch's clock, which nobody has set.
        self.arrivals = self.arrivals.as_ref().map(|arrivals| Arrivals::since(jump.to, arrivals.level()));
    }

    /// Takes new tags and another URL; everything else of the queue is known better here, also tags that were not read now.
    pub(super) fn retag(&mut self, found: Queue) {
        let tags = found.tags.or_else(|| self.queue.tags.clone());
        if self.queue.tags != tags || self.queue.url != found.url {
            let queue = Arc::make_mut(&mut self.queue);
            queue.tags = tags;
            queue.url = found.url;
        }
    }

    pub(super) fn place(&mut self, role: Role, sources: Vec<QueueId>) {
        if !role.is_dead_letter() {
            self.arrivals = None;
        }
        if self.queue.role != role || self.queue.sources != sources {
            let queue = Arc::make_mut(&mut self.queue);
            queue.role = role;
            queue.sources = sources;
        }
    }

    /// Takes one answer of GetQueueAttributes.
    pub(super) fn attributes(&mut self, at: Timestamp, depth: Depth, settings: Option<Settings>) {
        if let Some(settings) = settings {
            self.settings(at, settings);
        }
        self.follow_emptiness(at, depth.is_known_empty());
        self.attributes_at = Some(at);
        let counts = [
            (Metric::MessagesVisible, depth.visible),
            (Metric::MessagesInFlight, depth.in_flight),
            (Metric::MessagesDelayed, depth.delayed),
        ];
        for (metric, count) in counts {
            self.gauge(at, metric, count.map(|count| count as f64));
        }
        self.gauge(at, Metric::InFlightRatio, depth.in_flight.map(derived::in_flight_ratio));
        self.follow_total(at, depth);
    }

    fn follow_emptiness(&mut self, at: Timestamp, empty: bool) {
        let unbroken = self.attributes_at.is_some_and(|before| before <= at && at.since(before) <= self.hold);
        self.empty_since = match self.empty_since {
            Some(since) if empty && unbroken => Some(since),
            _ => empty.then_some(at),
        };
        if self.empty && !empty {
            // There is an oldest message now, and its age is not known until CloudWatch tells it.
            self.gauges[Metric::OldestMessageAge.index()] = None;
            self.gauges[Metric::OldestMessageRetentionRatio.index()] = None;
        }
        self.empty = empty;
    }

    fn follow_total(&mut self, at: Timestamp, depth: Depth) {
        self.gauge(at, Metric::Messages, depth.total().map(|total| total as f64));
        let Some(total) = depth.total() else {
            self.gauges[Metric::DrainTime.index()] = None;
            return;
        };
        self.totals.push((at, total));
        self.totals.retain(|(before, _)| *before <= at && at.since(*before) <= DRAIN_WINDOW);
        self.gauge(at, Metric::DrainTime, derived::drain_seconds(&self.totals));
        if self.queue.role.is_dead_letter() {
            let arrivals = self.arrivals.get_or_insert_with(|| Arrivals::since(at, total));
            let arrived = arrivals.observe(at, total);
            self.add(at, Metric::DeadLetters, arrived as f64);
        }
        self.forget_age_when_empty();
    }

    /// An empty queue has no oldest message: CloudWatch would say 0, and its older word no longer holds.
    fn forget_age_when_empty(&mut self) {
        if self.empty {
            self.gauges[Metric::OldestMessageAge.index()] = Some(0.0);
            self.gauges[Metric::OldestMessageRetentionRatio.index()] = Some(0.0);
        }
    }

    fn settings(&mut self, at: Timestamp, settings: Settings) {
        self.settings_at = Some(at);
        let number = |value: Option<u64>| value.map(|value| value as f64);
        let instant = |value: Option<Timestamp>| value.map(Timestamp::as_secs_f64);
        let policy = settings.redrive.as_ref();
        let values = [
            (Metric::Retention, number(settings.retention_seconds)),
            (Metric::VisibilityTimeout, number(settings.visibility_timeout_seconds)),
            (Metric::Delay, number(settings.delay_seconds)),
            (Metric::ReceiveWait, number(settings.receive_wait_seconds)),
            (Metric::MaximumMessageBytes, number(settings.maximum_message_bytes)),
            (Metric::MaxReceiveCount, policy.map(|policy| f64::from(policy.max_receive_count))),
            (Metric::Encrypted, settings.encrypted.map(|encrypted| f64::from(u8::from(encrypted)))),
            (Metric::Created, instant(settings.created_at)),
            (Metric::Modified, instant(settings.modified_at)),
        ];
        for (metric, value) in values {
            self.gauges[metric.index()] = value;
        }
        if self.queue.settings != settings {
            Arc::make_mut(&mut self.queue).settings = settings;
        }
    }

    /// A reading of a gauge: unknown takes the exported value away, and leaves no mark in the series.
    fn gauge(&mut self, at: Timestamp, metric: Metric, value: Option<f64>) {
        self.gauges[metric.index()] = value;
        let Some(value) = value else { return };
        self.history.read(metric, at, value);
        for ((_, _), series) in self.series.range_mut((metric, Duration::ZERO)..=(metric, Duration::MAX)) {
            series.record(at, value);
        }
    }

    /// An increase of a counter that is computed here, counted in its minute's sum as well.
    fn add(&mut self, at: Timestamp, metric: Metric, increase: f64) {
        self.counters.entry(metric).or_default().add(increase);
        self.history.increase(metric, at, increase);
        for (_, series) in self.series.range_mut((metric, Duration::ZERO)..=(metric, Duration::MAX)) {
            series.record(at, increase);
        }
    }

    /// Takes what CloudWatch said about one metric over a window.
    pub(super) fn cloudwatch(&mut self, at: Timestamp, metric: Metric, window: &Window) {
        self.cloudwatch_at = Some(at);
        if metric.row().kind == Kind::Counter {
            count(self.counters.entry(metric).or_default(), window);
        }
        self.window(metric, window);
        let of_minute = if metric.row().kind == Kind::Counter { Statistic::Sum } else { Statistic::Maximum };
        self.history.tell(metric, at, window.closed().map(|(minute, set)| (minute, set.get(of_minute))));
        match metric {
            Metric::OldestMessageAge => self.follow_age(window),
            Metric::MessagesDeleted => {
                self.follow_consumers(window);
                self.follow_consumed(window);
            }
            _ => {}
        }
    }

    fn window(&mut self, metric: Metric, window: &Window) {
        if metric.row().kind == Kind::Gauge {
            let newest = window.closed().max_by_key(|(minute, _)| *minute);
            self.gauges[metric.index()] = newest.map(|(_, set)| set.maximum);
        }
        if let Some(series) = self.series.get_mut(&(metric, MINUTE)) {
            write_window(series, window);
        }
    }

    fn follow_age(&mut self, window: &Window) {
        let Some(retention) = self.queue.settings.retention_seconds else {
            return self.forget_age_when_empty();
        };
        let ratio = |set: &StatisticSet| derived::oldest_message_retention_ratio(set.maximum, retention);
        let datapoints = window.datapoints.iter();
        let ratios = datapoints
            .filter_map(|(minute, set)| Some((*minute, StatisticSet::single(ratio(set)?))))
            .collect();
        self.window(Metric::OldestMessageRetentionRatio, &Window { datapoints: ratios, ..window.clone() });
        self.forget_age_when_empty();
    }

    /// Whether consumers stall is told by each minute's deletes and the least that waited in it.
    fn follow_consumers(&mut self, window: &Window) {
        let visible = self.series.get(&(Metric::MessagesVisible, MINUTE));
        let least = |minute: Timestamp| match visible.map(|series| series.at(minute)) {
            Some(Slot::Value(set)) => Some(set.minimum),
            _ => None,
        };
        let mut datapoints = Vec::new();
        let mut minute = window.from;
        while minute < window.until {
            let deleted = window.datapoints.iter().find(|(at, _)| *at == minute).map(|(_, set)| set.sum);
            if let Some(stalled) = derived::consumers_stalled(least(minute), deleted) {
                datapoints.push((minute, StatisticSet::single(stalled)));
            }
            minute = minute + MINUTE;
        }
        // A minute whose depth was not read stays unknown, however settled its deletes are.
        let settled = window.from;
        self.window(Metric::ConsumersStalled, &Window { datapoints, settled, ..*window });
    }
    /// What was deleted from a dead-letter queue had arrived in it, whether or not a reading saw it.
    fn follow_consumed(&mut self, window: &Window) {
        let Some(arrivals) = &mut self.arrivals else { return };
        let minutes = window.datapoints.iter().map(|(minute, set)| (*minute, set.sum as u64));
        arrivals.deleted(minutes, window.settled.min(window.until));
    }
}

/// How the readings of a slot become one.
fn fold((metric, step): (Metric, Duration)) -> Fold {
    let row = metric.row();
    match row.kind {
        _ if step < MINUTE => Fold::All,
        Kind::Counter if row.source == Source::Derived => Fold::Total,
        _ => Fold::Last,
    }
}

/// Counts a window's sums, oldest first as [`Counter::observe`] wants them.
pub(super) fn count(counter: &mut Counter, window: &Window) {
    let mut sums: Vec<(Timestamp, f64)> = window.closed().map(|(at, set)| (at, set.sum)).collect();
    sums.sort_by_key(|(minute, _)| *minute);
    for (minute, sum) in sums {
        counter.observe(minute, sum);
    }
}

/// Writes a window into a series: values, final gaps as missing, and gaps that may still fill as unknown; then what is there of
/// the minutes after it.
pub(super) fn write_window(series: &mut Series, window: &Window) {
    let mut minute = window.from;
    while minute < window.settled.min(window.until) {
        if !matches!(series.at(minute), Slot::Value(_)) {
            series.set(minute, Slot::Missing);
        }
        minute = minute + MINUTE;
    }
    for (minute, set) in &window.datapoints {
        let slot = if *minute < window.until { Slot::Value(*set) } else { Slot::Partial(*set) };
        series.set(*minute, slot);
    }
    series.settle(window.until);
}
