//! The shared picture of now: which queues there are, what was last read of each, and the state of every alarm.
//!
//! Watchers write, the judge and the web read. Every lock is short, none is held over an await, and each queue has one of
//! its own, so that a scrape of ten thousand queues never stops a reading. What is not known is absent, never 0.

mod custom;
mod past;
mod readings;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

pub use custom::{CustomReadings, WatchedCustom};
pub use readings::{Readings, Window};
pub use target::{Skip, Target, TargetHealth};

use crate::domain::alarm::{Alarm, AlarmKey, CustomId};
use crate::domain::composite;
use crate::domain::counter::{Counter, Snapshot};
use crate::domain::maintenance;
use crate::domain::metric::Metric;
use crate::domain::queue::{Depth, Queue, QueueId, Settings};
use crate::domain::rule::{MetricRef, Rule, Statistic};
use crate::domain::silence::Silences;
use crate::domain::time::{Jump, MINUTE, Timestamp};
use crate::domain::topology;
use past::Past;

/// Which series the rules need, and how far back. Everything else keeps only its newest value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Per metric and slot length, the reach.
    pub series: BTreeMap<(Metric, Duration), Duration>,
    /// Of which metrics single readings are kept, for percentiles of periods below a minute.
    pub samples: BTreeSet<Metric>,
    /// Per custom metric, the reach.
    pub custom: BTreeMap<Arc<str>, Duration>,
    /// How long a gauge's reading stands for itself when polls are rarer than minutes.
    pub hold: Duration,
}

impl Needs {
    /// What these rules need when attributes are polled every `poll`.
    pub fn of(rules: &[Rule], poll: Duration) -> Self {
        let mut needs = Self { hold: poll.mul_f64(1.5), ..Self::default() };
        // Whether consumers stall is told by the depth of a minute that CloudWatch settles later.
        needs.series.insert((Metric::MessagesVisible, MINUTE), MINUTE * 10);
        for condition in rules.iter().filter_map(Rule::condition) {
            let reach = condition.reach();
            for (metric, statistic) in condition.measured() {
                let known = match metric {
                    MetricRef::Queue(metric) => {
                        let step = if condition.period < MINUTE { Duration::from_secs(10) } else { MINUTE };
                        if step < MINUTE && matches!(statistic, Statistic::Percentile(_)) {
                            needs.samples.insert(*metric);
                        }
                        needs.series.entry((*metric, step)).or_default()
                    }
                    MetricRef::Custom(name) => needs.custom.entry(name.clone()).or_default(),
                    MetricRef::Math(_) => continue,
                };
                *known = reach.max(*known);
            }
        }
        needs
    }
}

/// One watched queue. The lock inside is the queue's own.
#[derive(Debug)]
pub struct Watched {
    /// Which queue.
    pub id: QueueId,
    /// The target it was found by.
    pub target: Arc<Target>,
    readings: Mutex<Readings>,
}

impl Watched {
    /// Locks the queue's readings; hold it briefly and never over an await.
    pub fn lock(&self) -> MutexGuard<'_, Readings> {
        unpoisoned(self.readings.lock())
    }
}

/// A panic elsewhere must not take the picture with it: every write leaves it whole.
fn unpoisoned<G>(locked: Result<G, PoisonError<G>>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}

type Queues = BTreeMap<QueueId, Arc<Watched>>;

/// The picture. One for the life of the process; it outlives reloads.
#[derive(Debug, Default)]
pub struct Board {
    queues: RwLock<Arc<Queues>>,
    customs: RwLock<Arc<BTreeMap<CustomId, Arc<WatchedCustom>>>>,
    /// Whether the topology must be worked out anew; held while it is.
    rewired: Mutex<bool>,
    targets: RwLock<BTreeMap<Arc<Target>, TargetHealth>>,
    rules: RwLock<Arc<Vec<Rule>>>,
    alarms: RwLock<BTreeMap<AlarmKey, Alarm>>,
    silences: RwLock<Arc<Silences>>,
    /// Held while what silences is changed.
    silencing: Mutex<()>,
    needs: RwLock<Arc<Needs>>,
    /// Counters of queues that are not watched: of an earlier life until they are found, and of those that cannot be read.
    remembered: Mutex<Counters>,
    /// The histories of queues that are not watched.
    past: Past,
}

/// Counters as the store keeps them.
pub type Counters = BTreeMap<(QueueId, Metric), Snapshot>;

impl Board {
    /// Takes the rules of a new configuration. Readings stay; series the rules need are made or widened.
    pub fn configure(&self, rules: Vec<Rule>, poll: Duration) {
        let needs = Arc::new(Needs::of(&rules, poll));
        *unpoisoned(self.rules.write()) = Arc::new(composite::in_order(rules));
        *unpoisoned(self.needs.write()) = needs.clone();
        for watched in self.queues().values() {
            watched.lock().fit(&needs);
        }
        for custom in self.customs().values() {
            if let Some(reach) = needs.custom.get(&custom.id.name) {
                custom.lock().series.ensure_reach(*reach);
            }
        }
    }

    /// The rules in force, each composite alarm after those it looks at.
    pub fn rules(&self) -> Arc<Vec<Rule>> {
        unpoisoned(self.rules.read()).clone()
    }

    /// What the rules need.
    pub fn needs(&self) -> Arc<Needs> {
        unpoisoned(self.needs.read()).clone()
    }

    /// All watched queues as they are now; later changes of the set do not show in it, readings do. The topology is
    /// worked out here when something changed: once for many changes, and before anybody can see a stale one.
    pub fn queues(&self) -> Arc<Queues> {
        let queues = unpoisoned(self.queues.read()).clone();
        let mut rewired = unpoisoned(self.rewired.lock());
        if std::mem::take(&mut *rewired) {
            self.relink(&queues);
        }
        drop(rewired);
        queues
    }

    /// One watched queue.
    pub fn queue(&self, id: &QueueId) -> Option<Arc<Watched>> {
        unpoisoned(self.queues.read()).get(id).cloned()
    }

    /// Makes `found` the queues of `target`: new ones appear, those not in it lose everything, the rest keep their
    /// readings (and take new tags). Only for a listing that is complete. Returns the queues that are new and those gone.
    pub fn discovered(&self, target: &Arc<Target>, found: Vec<Queue>) -> (Vec<QueueId>, Vec<QueueId>) {
        let needs = self.needs();
        let mut queues = unpoisoned(self.queues.write());
        let names: BTreeSet<&QueueId> = found.iter().map(|queue| &queue.id).collect();
        let gone: Vec<QueueId> = queues
            .values()
            .filter(|watched| watched.target == *target && !names.contains(&watched.id))
            .map(|watched| watched.id.clone())
            .collect();
        let mut next = Queues::clone(&queues);
        next.retain(|id, _| !gone.contains(id));
        let mut new = Vec::new();
        for queue in found {
            if let Some(known) = next.get(&queue.id) {
                known.lock().retag(queue);
            } else {
                let id = queue.id.clone();
                let mut readings = Readings::new(queue, &needs);
                self.give_back_counters(&id, &mut readings);
                readings.history = self.past.give_back(&id);
                let readings = Mutex::new(readings);
                next.insert(
                    id.clone(),
                    Arc::new(Watched { id: id.clone(), target: target.clone(), readings }),
                );
                new.push(id);
            }
        }
        gone.iter().filter_map(|id| queues.get(id)).for_each(|watched| self.remember(watched));
        *queues = Arc::new(next);
        drop(queues);
        if !gone.is_empty() || !new.is_empty() {
            *unpoisoned(self.rewired.lock()) = true;
        }
        (new, gone)
    }

    /// Takes the counters of an earlier life; each goes on where it was when its queue is found.
    pub fn remember_counters(&self, counters: Counters) {
        *unpoisoned(self.remembered.lock()) = counters;
    }

    /// Every counter as it is now, to be kept; `None` for those of queues that are known to be gone.
    pub fn counters(&self) -> BTreeMap<(QueueId, Metric), Option<Snapshot>> {
        // In this order: a queue that is found meanwhile is on the board or still among the unreadable.
        let (listed, unreadable) = (self.is_listed(), self.unreadable());
        let mut counters = BTreeMap::new();
        for ((id, metric), snapshot) in unpoisoned(self.remembered.lock()).iter() {
            let kept = !listed || unreadable.contains(&(id.region.clone(), id.name.clone()));
            counters.insert((id.clone(), *metric), kept.then(|| snapshot.clone()));
        }
        for watched in self.queues().values() {
            for (metric, counter) in watched.lock().counters() {
                counters.insert((watched.id.clone(), *metric), Some(counter.snapshot()));
            }
        }
        counters
    }

    /// Forgets the counters of queues that are gone, once the store has done so.
    pub fn drop_counters(&self, gone: impl IntoIterator<Item = (QueueId, Metric)>) {
        let mut remembered = unpoisoned(self.remembered.lock());
        for key in gone {
            remembered.remove(&key);
        }
    }

    fn remember(&self, watched: &Watched) {
        let readings = watched.lock();
        let counters = readings.counters().iter();
        let snapshots = counters.map(|(metric, counter)| ((watched.id.clone(), *metric), counter.snapshot()));
        unpoisoned(self.remembered.lock()).extend(snapshots);
        self.past.keep(watched.id.clone(), readings.history.clone());
    }

    fn give_back_counters(&self, id: &QueueId, readings: &mut Readings) {
        let mut remembered = unpoisoned(self.remembered.lock());
        for metric in Metric::all() {
            if let Some(snapshot) = remembered.remove(&(id.clone(), metric)) {
                readings.restore(metric, Counter::restore(snapshot));
            }
        }
    }

    /// Forgets one queue that is known to be gone or may not be read.
    pub fn forget(&self, id: &QueueId) {
        let mut queues = unpoisoned(self.queues.write());
        let mut next = Queues::clone(&queues);
        if let Some(watched) = next.remove(id) {
            self.remember(&watched);
            *queues = Arc::new(next);
            *unpoisoned(self.rewired.lock()) = true;
        }
    }

    /// Makes `kept` the targets: what belongs to another left the configuration and is forgotten, a new one is not listed yet.
    pub fn retain_targets(&self, kept: &BTreeSet<Arc<Target>>) {
        let mut targets = unpoisoned(self.targets.write());
        targets.retain(|target, _| kept.contains(target));
        for target in kept {
            targets.entry(target.clone()).or_default();
        }
        drop(targets);
        let mut customs = unpoisoned(self.customs.write());
        let mut next = BTreeMap::clone(&customs);
        next.retain(|_, custom| kept.contains(&custom.target));
        *customs = Arc::new(next);
        drop(customs);
        let mut queues = unpoisoned(self.queues.write());
        let (next, gone): (Queues, Queues) =
            Queues::clone(&queues).into_iter().partition(|(_, watched)| kept.contains(&watched.target));
        gone.values().for_each(|watched| self.remember(watched));
        *queues = Arc::new(next);
        drop(queues);
        *unpoisoned(self.rewired.lock()) = true;
    }

    /// Takes one answer of GetQueueAttributes; `settings` when all attributes were asked for.
    pub fn read_attributes(&self, id: &QueueId, at: Timestamp, depth: Depth, settings: Option<Settings>) {
        let Some(watched) = self.queue(id) else { return };
        let mut readings = watched.lock();
        let before = readings.queue.dead_letter_queue().cloned();
        readings.attributes(at, depth, settings);
        let rewired = before.as_ref() != readings.queue.dead_letter_queue();
        drop(readings);
        if rewired {
            *unpoisoned(self.rewired.lock()) = true;
        }
    }

    /// Takes what CloudWatch said about one metric of one queue over a window.
    pub fn read_cloudwatch(&self, id: &QueueId, at: Timestamp, metric: Metric, window: &Window) {
        if let Some(watched) = self.queue(id) {
            watched.lock().cloudwatch(at, metric, window);
        }
    }

    /// Works out who is whose dead-letter queue, over all targets.
    fn relink(&self, queues: &Queues) {
        let known: Vec<Arc<Queue>> = queues.values().map(|watched| watched.lock().queue.clone()).collect();
        for (watched, (role, sources)) in queues.values().zip(topology::places(&known)) {
            watched.lock().place(role, sources);
        }
    }

    /// The custom metrics that are read.
    pub fn customs(&self) -> Arc<BTreeMap<CustomId, Arc<WatchedCustom>>> {
        unpoisoned(self.customs.read()).clone()
    }

    /// Makes `ids` the custom metrics of `target`; those already there keep their readings.
    pub fn place_customs(&self, target: &Arc<Target>, ids: Vec<CustomId>) {
        let needs = self.needs();
        let mut customs = unpoisoned(self.customs.write());
        let mut next = BTreeMap::clone(&customs);
        next.retain(|id, known| known.target != *target || ids.contains(id));
        for id in ids {
            next.entry(id.clone())
                .or_insert_with(|| Arc::new(WatchedCustom::new(id, target.clone(), &needs)));
        }
        *customs = Arc::new(next);
        drop(customs);
        self.update_target(target, |health| health.knows_customs = true);
    }

    /// A copy of every target's health.
    pub fn targets(&self) -> BTreeMap<Arc<Target>, TargetHealth> {
        unpoisoned(self.targets.read()).clone()
    }

    /// Whether every target was listed, so that a queue that is not there is known to be gone.
    pub fn is_listed(&self) -> bool {
        let targets = unpoisoned(self.targets.read());
        !targets.is_empty() && targets.values().all(|health| health.discovered_at.is_some())
    }

    /// The queues that exist and cannot be read, by region and name.
    pub fn unreadable(&self) -> BTreeSet<(Arc<str>, Arc<str>)> {
        let targets = unpoisoned(self.targets.read());
        let mut unreadable = BTreeSet::new();
        for (target, health) in targets.iter() {
            let skipped = health.skipped.iter();
            let queues = skipped.filter(|(_, skip)| matches!(skip, Skip::Denied | Skip::Unreadable));
            unreadable.extend(queues.map(|(name, _)| (target.region.clone(), name.clone())));
        }
        unreadable
    }

    /// Changes one target's health, which comes to be if need be.
    pub fn update_target(&self, target: &Arc<Target>, change: impl FnOnce(&mut TargetHealth)) {
        change(unpoisoned(self.targets.write()).entry(target.clone()).or_default());
    }

    /// The wall clock was set: all that is remembered moves along. Nothing but the clock has changed, so no alarm does.
    pub fn shift(&self, jump: Jump) {
        self.queues().values().for_each(|watched| watched.lock().shift(jump));
        self.past.shift(jump);
        self.customs().values().for_each(|custom| custom.shift(jump));
        unpoisoned(self.targets.write()).values_mut().for_each(|health| health.shift(jump));
        self.with_alarms_mut(|alarms| alarms.values_mut().for_each(|alarm| alarm.shift(jump)));
    }

    /// What silences alarms at present.
    pub fn silences(&self) -> Arc<Silences> {
        unpoisoned(self.silences.read()).clone()
    }

    /// Makes `silences` what silences.
    pub fn set_silences(&self, silences: Silences) {
        let _turn = unpoisoned(self.silencing.lock());
        *unpoisoned(self.silences.write()) = Arc::new(silences);
    }

    /// Changes what silences, one change after the other. `change` may take its time over making the change durable: readers
    /// go on with what was.
    ///
    /// # Errors
    /// Those of `change`; then nothing has changed.
    pub fn change_silences<T, E>(&self, change: impl FnOnce(&mut Silences) -> Result<T, E>) -> Result<T, E> {
        let _turn = unpoisoned(self.silencing.lock());
        let mut next = Silences::clone(&self.silences());
        let changed = change(&mut next)?;
        *unpoisoned(self.silences.write()) = Arc::new(next);
        Ok(changed)
    }

    /// Makes `windows` the maintenance windows. Silences stay.
    pub fn set_maintenance(&self, windows: Vec<maintenance::Window>) {
        let _turn = unpoisoned(self.silencing.lock());
        let mut silences = unpoisoned(self.silences.write());
        *silences = Arc::new(Silences { windows, ..Silences::clone(&silences) });
    }

    /// Reads the alarms in place; be brief.
    pub fn with_alarms<R>(&self, read: impl FnOnce(&BTreeMap<AlarmKey, Alarm>) -> R) -> R {
        let alarms = unpoisoned(self.alarms.read());
        read(&alarms)
    }

    /// Changes the alarms in place; the judge's alone.
    pub fn with_alarms_mut<R>(&self, write: impl FnOnce(&mut BTreeMap<AlarmKey, Alarm>) -> R) -> R {
        let mut alarms = unpoisoned(self.alarms.write());
        write(&mut alarms)
    }
}

#[cfg(test)]
mod tests;
