//! One condition at every evaluation instant of a range, as CloudWatch would have seen it then.

use std::borrow::Cow;
use std::time::Duration;

use super::Run;
use super::data::Point;
use crate::domain::alarm::{State, Transition, Verdict};
use crate::domain::evaluate::{evaluate, evaluate_math};
use crate::domain::rule::{Condition, MetricRef, Statistic};
use crate::domain::series::{Fold, Series, Slot, StatisticSet};
use crate::domain::time::{MINUTE, Timestamp};

/// The instants at which is judged: every whole minute (every ten seconds for short periods) of it, both ends
/// included; a range of one instant is that instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first instant.
    pub from: Timestamp,
    /// The last instant.
    pub to: Timestamp,
}

impl Range {
    /// The first instant of it that is a multiple of `step`, if there is one.
    pub(super) fn first(self, step: Duration) -> Option<Timestamp> {
        let floor = self.from.floor(step);
        let first = if floor < self.from && self.from != self.to { floor + step } else { self.from };
        (first <= self.to).then_some(first)
    }
}

/// The rows that one metric of a condition is judged by.
#[derive(Clone, Debug)]
pub(super) struct Track<'a> {
    /// In the order of time.
    pub points: Cow<'a, [Point]>,
    /// Whether the rows of a minute add up; else the last one stands for it.
    pub sums: bool,
}

/// What `condition` made of `tracks`, one for each metric it measures: its transitions, and the state at the end.
pub(super) fn replay(condition: &Condition, tracks: &[Track<'_>], run: &Run) -> (Vec<Transition>, State) {
    let mut alarm = run.new_alarm();
    let mut transitions = Vec::new();
    let mut feeds: Vec<Feed<'_>> = tracks.iter().map(|track| Feed::new(condition, track)).collect();
    let step = step(condition);
    let mut next = run.range.first(step);
    while let Some(now) = next {
        feeds.iter_mut().for_each(|feed| feed.close_until(now.floor(step)));
        if let Some(verdict) = verdict(condition, &feeds, alarm.state, now) {
            transitions.extend(alarm.apply(verdict, now));
        }
        next = feeds.iter().filter_map(|feed| feed.next_change(now)).min();
        next = next.filter(|next| *next <= run.range.to);
    }
    (transitions, alarm.state)
}

fn verdict(condition: &Condition, feeds: &[Feed<'_>], state: State, now: Timestamp) -> Option<Verdict> {
    match &condition.metric {
        MetricRef::Math(math) => {
            let series: Vec<&Series> = feeds.iter().map(|feed| &feed.series).collect();
            evaluate_math(condition, math, &series, state, now)
        }
        _ => evaluate(condition, &feeds.first()?.series, state, now),
    }
}

/// From one instant to the next, and the length of a slot.
pub(super) fn step(condition: &Condition) -> Duration {
    if condition.period < MINUTE { Duration::from_secs(10) } else { MINUTE }
}

/// Rows that become a series slot by slot, as time passes.
struct Feed<'a> {
    points: &'a [Point],
    sums: bool,
    step: Duration,
    reach: Duration,
    series: Series,
    /// How many of the points are in closed slots.
    used: usize,
    /// The end of the last closed slot; `None` before the first.
    closed: Option<Timestamp>,
}

impl<'a> Feed<'a> {
    fn new(condition: &Condition, track: &'a Track<'_>) -> Self {
        let (step, reach) = (step(condition), condition.reach());
        let fold = if step < MINUTE { Fold::All } else { Fold::Last };
        let mut series = Series::new(step, reach, fold);
        let is_percentile = |statistic: &Statistic| matches!(statistic, Statistic::Percentile(_));
        series.keep_samples(condition.measured().iter().any(|(_, statistic)| is_percentile(statistic)));
        Self { points: &track.points, sums: track.sums, step, reach, series, used: 0, closed: None }
    }

    /// Closes all slots before `until`: what has no row by now is missing for good.
    fn close_until(&mut self, until: Timestamp) {
        let oldest = until - self.reach;
        let mut start = self.closed.map_or(oldest, |closed| closed.max(oldest));
        self.used += self.points[self.used..].partition_point(|(at, _)| *at < start);
        while start < until {
            self.close(start);
            start = start + self.step;
        }
        self.closed = Some(until);
        self.series.settle(until);
    }

    fn close(&mut self, start: Timestamp) {
        let rest = &self.points[self.used..];
        let rows = &rest[..rest.iter().take_while(|(at, _)| *at < start + self.step).count()];
        self.used += rows.len();
        if rows.is_empty() {
            self.series.set(start, Slot::Missing);
        } else if self.sums {
            let sum = rows.iter().map(|(_, value)| value).sum();
            self.series.set(start, Slot::Value(StatisticSet::single(sum)));
        } else {
            rows.iter().for_each(|(at, value)| self.series.record(*at, *value));
        }
    }

    /// The next instant after `now` at which the verdict can be another one. While nothing but missing datapoints is within
    /// reach it cannot, until a slot with a row closes.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let next = now.floor(self.step) + self.step;
        let newest = self.used.checked_sub(1).map(|index| self.points[index].0);
        if newest.is_some_and(|at| at + self.reach >= now.floor(self.step)) {
            return Some(next);
        }
        let (row, _) = self.points.get(self.used)?;
        Some(next.max(row.floor(self.step) + self.step))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::metric::Metric;
    use crate::domain::rule::{Comparison, MissingData, Statistic};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_767_312_000 + second)
    }

    fn condition(period: u64, n: u32, m: u32) -> Condition {
        let metric = MetricRef::Queue(Metric::MessagesVisible);
        Condition {
            period: Duration::from_secs(period),
            evaluation_periods: n,
            datapoints_to_alarm: m,
            evaluation_range: n + 2,
            ..Condition::new(metric, Statistic::Maximum, Comparison::GreaterThan, 10.0)
        }
    }

    fn run(from: i64, to: i64) -> Run {
        Run { range: Range { from: at(from), to: at(to) }, initial: State::InsufficientData }
    }

    fn track(points: &[Point]) -> Track<'_> {
        Track { points: Cow::Borrowed(points), sums: false }
    }

    /// Seconds and state of each transition, and the state at the end.
    fn found(condition: &Condition, points: &[(i64, f64)], run: &Run) -> (Vec<(i64, State)>, State) {
        let points: Vec<Point> = points.iter().map(|(second, value)| (at(*second), *value)).collect();
        let (transitions, state) = replay(condition, &[track(&points)], run);
        (
            transitions.iter().map(|change| (change.at.since(at(0)).as_secs() as i64, change.to)).collect(),
            state,
        )
    }

    #[test]
    fn a_minute_counts_from_the_instant_it_ends() {
        use State::{Alarm, InsufficientData, Ok};
        let points = [(0, 5.0), (60, 50.0), (75, 20.0), (120, 3.0)];
        for (what, run, transitions, end) in [
            ("all of it", run(60, 180), vec![(60, Ok), (120, Alarm), (180, Ok)], Ok),
            ("both ends count", run(120, 180), vec![(120, Alarm), (180, Ok)], Ok),
            ("one instant", run(120, 120), vec![(120, Alarm)], Alarm),
            ("one instant within a minute", run(179, 179), vec![(179, Alarm)], Alarm),
            ("none", run(121, 179), vec![], InsufficientData),
            ("nothing yet", run(0, 59), vec![], InsufficientData),
            (
                "then it is missing, three minutes long",
                run(180, 9999),
                vec![(180, Ok), (360, InsufficientData)],
                InsufficientData,
            ),
            ("before there is any row", run(-9999, -60), vec![], InsufficientData),
        ] {
            assert_eq!(found(&condition(60, 1, 1), &points, &run), (transitions, end), "{what}");
        }
    }

    #[test]
    fn the_last_row_of_a_minute_stands_for_it_but_sums_add_up_and_short_periods_take_all() {
        let points = [(0, 50.0), (20, 1.0), (31, 50.0), (39, 1.0)];
        assert_eq!(found(&condition(60, 1, 1), &points, &run(60, 60)).1, State::Ok);
        assert_eq!(
            found(&condition(10, 1, 1), &points, &run(10, 30)).0,
            [(10, State::Alarm), (30, State::Ok)]
        );
        assert_eq!(found(&condition(10, 1, 1), &points, &run(40, 40)).1, State::Alarm);
        let points: Vec<Point> = [(0, 6.0), (59, 6.0)].map(|(second, value)| (at(second), value)).into();
        let sums = Track { sums: true, ..track(&points) };
        assert_eq!(replay(&condition(60, 1, 1), &[sums], &run(60, 60)).1, State::Alarm);
    }

    #[test]
    fn a_long_silence_takes_no_time() {
        let millennium = Run {
            range: Range { from: at(0), to: at(60) + Duration::from_secs(86_400 * 365_000) },
            ..run(0, 0)
        };
        let points = [(0, 50.0), (86_400 * 300_000, 50.0)];
        let (transitions, end) = found(&condition(60, 1, 1), &points, &millennium);
        assert_eq!((transitions.len(), end), (4, State::InsufficientData));
        let breaching = Condition { missing_data: MissingData::Breaching, ..condition(60, 1, 1) };
        assert_eq!(found(&breaching, &[(600, 1.0)], &run(0, 100_000)).0.len(), 3);
    }

    /// Each instant by itself: the whole past written slot by slot, and judged.
    fn slowly(condition: &Condition, points: &[Point], run: &Run) -> (Vec<Transition>, State) {
        let step = if condition.period < MINUTE { Duration::from_secs(10) } else { MINUTE };
        let mut alarm = run.new_alarm();
        let mut transitions = Vec::new();
        let mut now = run.range.from;
        while now <= run.range.to {
            let fold = if condition.period < MINUTE { Fold::All } else { Fold::Last };
            let mut series = Series::new(step, condition.reach(), fold);
            let mut start = now.floor(step) - condition.reach();
            while start < now.floor(step) {
                series.set(start, Slot::Missing);
                for (at, value) in points.iter().filter(|(at, _)| at.floor(step) == start) {
                    series.record(*at, *value);
                }
                start = start + step;
            }
            series.settle(now);
            if let Some(verdict) = evaluate(condition, &series, alarm.state, now) {
                transitions.extend(alarm.apply(verdict, now));
            }
            now = now + step;
        }
        (transitions, alarm.state)
    }

    proptest! {
        #[test]
        fn skipping_the_silences_changes_nothing(
            mut seconds in prop::collection::vec((0i64..7200, 0u32..20), 0..40),
            period in prop::sample::select(vec![10u64, 20, 30, 60, 120, 300]),
            (n, m) in (1u32..5).prop_flat_map(|n| (Just(n), 1..=n)),
            mode in prop::sample::select(vec![MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching]),
            initial in prop::sample::select(State::ALL.to_vec()),
            (from, length) in (-20i64..120, 0i64..150),
        ) {
            seconds.sort_by_key(|(second, _)| *second);
            seconds.dedup_by_key(|(second, _)| *second);
            let points: Vec<Point> = seconds.iter().map(|(second, value)| (at(*second), f64::from(*value))).collect();
            let condition = Condition { missing_data: mode, ..condition(period, n, m) };
            let run = Run { range: Range { from: at(from * 60), to: at((from + length) * 60) }, initial };
            prop_assert_eq!(replay(&condition, &[track(&points)], &run), slowly(&condition, &points, &run));
        }
    }
}
