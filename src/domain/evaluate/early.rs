//! Verdicts before a period is over, where nothing that may still come can change them.
//!
//! A window that is not closed ends at one of the next slides: the first after the horizon, and for what is read from
//! CloudWatch, which settles late, every one up to the newest datapoint. Of its newest period, the open one, a part is
//! known. Guaranteed: a verdict given for such a window is ALARM, and the evaluation of this very window once it is closed
//! gives ALARM as well, whatever comes; and nothing but ALARM is ever given early. While the verdict stands the alarm stays: a
//! window that closes before says nothing else, as the breach that is certain is newer.

#[cfg(test)]
mod tests;

use super::{Condition, Point, Series, State, Timestamp, Verdict, conclude, datapoint, datapoints, evaluate};
use crate::domain::rule::{Comparison, Statistic};

/// As [`evaluate`], or ALARM as soon as the evaluation of a window that has begun is certain to find it.
///
/// Only the statistics that more values can move but one way can make a period certain: `>` and `>=` on Maximum, Sum and
/// SampleCount, `<` and `<=` on Minimum. A sum of a custom metric is not among them, as its values may be negative.
pub fn evaluate_early(
    condition: &Condition,
    series: &Series,
    state: State,
    now: Timestamp,
) -> Option<Verdict> {
    let closed = evaluate(condition, series, state, now);
    let fires = closed.as_ref().is_some_and(|verdict| verdict.state == State::Alarm);
    if fires || !can_be_certain(condition) {
        return closed;
    }
    let Some((_, mut verdict)) = foreseen(condition, series, now) else { return closed };
    if state == State::Alarm {
        verdict.reason.clear();
    }
    Some(verdict)
}

/// The ALARM that an open window is certain to end in whatever the state was, and the window's end.
fn foreseen(condition: &Condition, series: &Series, now: Timestamp) -> Option<(Timestamp, Verdict)> {
    let horizon = series.horizon(now);
    let breaches = |end: &Timestamp| {
        datapoint(condition, series, *end - condition.period, horizon).point == Point::Breaching
    };
    // From OK, so that an ALARM is the datapoints' own and none that is merely kept.
    let judged = |end| conclude(condition, &datapoints(condition, series, end, horizon), State::Ok);
    ends(series, now)
        .filter(breaches)
        .filter_map(|end| Some((end, judged(end)?)))
        .find(|(_, verdict)| verdict.state == State::Alarm)
}

/// The ends of the windows that have begun, are not closed, and hold something that was read; the first of them in any case.
fn ends(series: &Series, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let (step, horizon) = (series.step(), series.horizon(now));
    let begun = now.floor(step) + step;
    let last = begun.min(series.end().max(horizon + step));
    std::iter::successors(Some(horizon + step), move |end| Some(*end + step))
        .take_while(move |end| *end <= last)
}

fn can_be_certain(condition: &Condition) -> bool {
    let upward = matches!(condition.comparison, Comparison::GreaterThan | Comparison::GreaterThanOrEqual);
    match condition.statistic {
        Statistic::Maximum | Statistic::Sum | Statistic::SampleCount => upward,
        Statistic::Minimum => !upward,
        Statistic::Average | Statistic::Percentile(_) => false,
    }
}
