//! The verdict on an expression over several series.

use super::{Datapoint, Measured, Point, classify, conclude};
use crate::domain::alarm::{State, Verdict};
use crate::domain::math::{Cell, Input, Math};
use crate::domain::rule::Condition;
use crate::domain::series::{Series, Slot};
use crate::domain::time::Timestamp;

/// Judges what `math` gives for the periods up to the earliest horizon of its series, which stand in the order of its inputs.
///
/// `None` as of [`super::evaluate`], and when there are no series. An open period is never looked at: an expression may move either way.
pub fn evaluate_math(
    condition: &Condition,
    math: &Math,
    series: &[&Series],
    state: State,
    now: Timestamp,
) -> Option<Verdict> {
    let horizon = series.iter().map(|series| series.horizon(now)).min()?;
    let length = (condition.reach().as_millis() / condition.period.as_millis().max(1)) as usize;
    let start = |index: usize| horizon - condition.period * (length - index) as u32;
    let column = |(series, input): (&&Series, &Input)| -> Vec<Cell> {
        let Input { metric, statistic, .. } = input;
        let measured = Measured { metric, statistic: *statistic, period: condition.period, series };
        (0..length).map(|index| cell(measured, start(index), horizon)).collect()
    };
    let columns: Vec<Vec<Cell>> = series.iter().zip(&math.inputs).map(column).collect();
    let cells = math.evaluate(&columns, length, condition.period);
    let newest_first = cells.iter().enumerate().rev().take(condition.range() as usize);
    let datapoints: Vec<Datapoint> =
        newest_first.map(|(index, cell)| datapoint(condition, *cell, start(index))).collect();
    conclude(condition, &datapoints, state)
}

/// A part of a period is not the period: what it would make of the whole is not known.
fn cell(measured: Measured<'_>, start: Timestamp, closed: Timestamp) -> Cell {
    match measured.series.datapoint(start, measured.period, closed) {
        Slot::Unknown | Slot::Held(_) | Slot::Partial(_) => Cell::Unknown,
        Slot::Missing => Cell::Missing,
        Slot::Value(set) => {
            let told = measured.told(start, set);
            told.map(|told| told.value).filter(|value| value.is_finite()).map_or(Cell::Unknown, Cell::Value)
        }
    }
}

fn datapoint(condition: &Condition, cell: Cell, start: Timestamp) -> Datapoint {
    let (value, point) = match cell {
        Cell::Unknown => (None, Point::Unknown),
        Cell::Missing => (None, Point::Missing),
        Cell::Value(value) => classify(condition, Some(value)),
    };
    Datapoint { start, value, point, few: false }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::metric::Metric;
    use crate::domain::rule::{Comparison, MetricRef, Statistic};
    use crate::domain::series::{Fold, StatisticSet};
    use crate::domain::time::MINUTE;

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_secs(n * 60)
    }

    /// A settled series of minutes from minute 0: `-` missing, `?` unknown, else a number.
    fn series(text: &str) -> Series {
        let mut series = Series::new(MINUTE, MINUTE * 60, Fold::Last);
        let words: Vec<&str> = text.split_whitespace().collect();
        for (n, word) in words.iter().enumerate() {
            let slot = match *word {
                "-" => Slot::Missing,
                "?" => Slot::Unknown,
                number => Slot::Value(StatisticSet::single(number.parse().unwrap())),
            };
            series.set(minute(n as i64), slot);
        }
        series.settle(minute(words.len() as i64));
        series
    }

    fn verdict(expression: &str, n: u32, columns: &[&str]) -> Option<(State, Option<f64>)> {
        let inputs = ["a", "b"].iter().take(columns.len()).map(|id| Input {
            id: (*id).into(),
            metric: MetricRef::Queue(Metric::MessagesSent),
            statistic: Statistic::Sum,
        });
        let math = std::sync::Arc::new(Math::parse(expression, inputs.collect()).unwrap());
        let base =
            Condition::new(MetricRef::Math(math.clone()), Statistic::Average, Comparison::GreaterThan, 10.0);
        let condition =
            Condition { evaluation_periods: n, datapoints_to_alarm: n, evaluation_range: n + 2, ..base };
        let series: Vec<Series> = columns.iter().map(|text| series(text)).collect();
        let series: Vec<&Series> = series.iter().collect();
        let now = minute(100) + Duration::from_secs(5);
        let verdict = evaluate_math(&condition, &math, &series, State::InsufficientData, now)?;
        Some((verdict.state, verdict.value))
    }

    #[test]
    fn an_expression_is_judged_like_a_metric() {
        let (ok, alarm) = (State::Ok, State::Alarm);
        let cases = [
            ("a - b", 1, &["9 9 20", "0 0 5"][..], Some((alarm, Some(15.0)))),
            ("a - b", 2, &["9 9 20", "0 0 5"], Some((ok, Some(15.0)))),
            ("100 * a / b", 1, &["1 1 1", "100 100 5"], Some((alarm, Some(20.0)))),
            ("100 * a / b", 1, &["1 50 1", "100 100 0"], Some((alarm, Some(50.0)))),
            ("a - b", 1, &["9 9 ?", "0 0 5"], None),
            ("RATE(a)", 1, &["0 0 1200"], Some((alarm, Some(20.0)))),
            ("DIFF(a)", 1, &["100 - - 120"], Some((alarm, Some(20.0)))),
        ];
        for (expression, n, columns, expected) in cases {
            assert_eq!(verdict(expression, n, columns), expected, "{expression} {columns:?}");
        }
    }

    #[test]
    fn the_series_that_is_read_least_far_sets_the_horizon() {
        assert_eq!(verdict("a + b", 1, &["0 0 50 99", "0 0 0"]), Some((State::Alarm, Some(50.0))));
    }

    #[test]
    fn a_change_is_sought_beyond_the_range() {
        assert_eq!(verdict("DIFF(a)", 1, &["0 - - - 20"]), Some((State::Alarm, Some(20.0))));
    }
}
