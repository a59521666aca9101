//! What was read of one custom metric.

use std::sync::{Arc, Mutex, MutexGuard};

use super::readings::{self, Window};
use super::{Needs, Target, unpoisoned};
use crate::domain::alarm::CustomId;
use crate::domain::counter::Counter;
use crate::domain::series::{Fold, Series, StatisticSet};
use crate::domain::time::{Jump, MINUTE, Timestamp};

/// One custom metric of one target.
#[derive(Debug)]
pub struct WatchedCustom {
    /// Which metric, read where.
    pub id: CustomId,
    /// The target it is read by.
    pub target: Arc<Target>,
    state: Mutex<CustomReadings>,
}

/// What was read of a custom metric.
#[derive(Debug)]
pub struct CustomReadings {
    /// Its recent minutes.
    pub series: Series,
    /// The newest datapoint of the last window; `None` is unknown.
    pub newest: Option<StatisticSet>,
    /// The running sum, for those exported as a counter.
    pub total: Counter,
    /// When it was last read.
    pub read_at: Option<Timestamp>,
}

impl WatchedCustom {
    pub(super) fn new(id: CustomId, target: Arc<Target>, needs: &Needs) -> Self {
        let reach = needs.custom.get(&id.name).copied().unwrap_or(MINUTE);
        let series = Series::new(MINUTE, reach, Fold::Last);
        let state = CustomReadings { series, newest: None, total: Counter::default(), read_at: None };
        Self { id, target, state: Mutex::new(state) }
    }

    /// Takes what CloudWatch said over a window; `counts` when its sums add up to a counter.
    pub fn read(&self, at: Timestamp, window: &Window, counts: bool) {
        let mut state = self.lock();
        state.read_at = Some(at);
        state.newest = window.closed().max_by_key(|(minute, _)| *minute).map(|(_, set)| set);
        if counts {
            readings::count(&mut state.total, window);
        }
        readings::write_window(&mut state.series, window);
    }

    /// The wall clock was set.
    pub(super) fn shift(&self, jump: Jump) {
        let mut state = self.lock();
        state.series.shift(jump);
        state.read_at = state.read_at.map(|at| jump.moved(at));
    }

    /// Locks the readings; hold it briefly and never over an await.
    pub fn lock(&self) -> MutexGuard<'_, CustomReadings> {
        unpoisoned(self.state.lock())
    }
}
