//! The verdict of a metric alarm from what is on the board: of a queue, of a custom metric, of an expression over either.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::board::{Board, Watched};
use crate::domain::alarm::{CustomId, State, Verdict};
use crate::domain::evaluate::{evaluate_early, evaluate_math};
use crate::domain::math::Math;
use crate::domain::rule::{Condition, MetricRef};
use crate::domain::series::Series;
use crate::domain::time::Timestamp;

/// The verdict on one queue; `None` also while nothing of the metric can be known.
pub(super) fn of_queue(
    board: &Board,
    condition: &Condition,
    watched: &Watched,
    state: State,
    now: Timestamp,
) -> Option<Verdict> {
    match &condition.metric {
        MetricRef::Queue(metric) => {
            let readings = watched.lock();
            evaluate_early(condition, readings.series(*metric, condition.period)?, state, now)
        }
        MetricRef::Custom(_) => None,
        MetricRef::Math(math) => {
            let customs = customs_of(board, math, &watched.id.account, &watched.id.region)?;
            let readings = watched.lock();
            let mut series = Vec::with_capacity(math.inputs.len());
            let mut next_custom = customs.iter();
            for input in &math.inputs {
                series.push(match &input.metric {
                    MetricRef::Queue(metric) => readings.series(*metric, condition.period)?,
                    MetricRef::Custom(_) | MetricRef::Math(_) => next_custom.next()?,
                });
            }
            evaluate_math(condition, math, &series, state, now)
        }
    }
}

/// The verdict of an expression over custom metrics alone, in the account and region of `place`.
pub(super) fn of_place(
    board: &Board,
    condition: &Condition,
    math: &Math,
    place: &CustomId,
    state: State,
    now: Timestamp,
) -> Option<Verdict> {
    let customs = customs_of(board, math, &place.account, &place.region)?;
    let series: Vec<&Series> = customs.iter().collect();
    evaluate_math(condition, math, &series, state, now)
}

/// The accounts and regions that have every metric of an expression over custom metrics, under the rule's name.
pub(super) fn places(board: &Board, rule: &Arc<str>, math: &Math) -> BTreeSet<CustomId> {
    let customs = board.customs();
    let places = customs.keys().map(|id| CustomId { name: rule.clone(), ..id.clone() });
    places.filter(|place| customs_of(board, math, &place.account, &place.region).is_some()).collect()
}

/// Copies of the custom series among the inputs, in their order; `None` when one is not there.
fn customs_of(board: &Board, math: &Math, account: &str, region: &str) -> Option<Vec<Series>> {
    let customs = board.customs();
    let custom = |name: &Arc<str>| {
        let id = CustomId { account: account.into(), region: region.into(), name: name.clone() };
        Some(customs.get(&id)?.lock().series.clone())
    };
    let names = math.inputs.iter().filter_map(|input| match &input.metric {
        MetricRef::Custom(name) => Some(name),
        MetricRef::Queue(_) | MetricRef::Math(_) => None,
    });
    names.map(custom).collect()
}
