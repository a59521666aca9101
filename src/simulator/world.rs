//! The living world: ticks ten times a second, moves the shop's messages, and tells CloudWatch every minute.
//!
//! The hour before the start is lived in advance by the same rules, at an ordinary tempo, so that CloudWatch has a
//! history that fits what the queues hold. By one seed it goes the same way each time, as far as clients let it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::clock::{self, MINUTE, Millis};
use super::cloud::{Cloud, Scope};
use super::publisher::{Lateness, publish_minute};
use super::shared::{Shared, lock};

mod shop;
mod workload;

use workload::{Moment, Workload};

const TICK: Duration = Duration::from_millis(100);
const HISTORY_SECONDS: i64 = 3_600;

/// The shop: its queues and those who work on them.
#[derive(Debug)]
pub struct Living {
    home: Scope,
    workloads: Vec<Workload>,
    random: fastrand::Rng,
    /// World seconds since the start; negative while the history is lived.
    time: f64,
}

impl Living {
    /// Opens the shop, and lives its last hour up to `now`.
    pub fn open(cloud: &mut Cloud, home: &Scope, seed: u64, lateness: Lateness, now: Millis) -> Self {
        let opened = now - HISTORY_SECONDS * 1_000;
        let workloads = shop::open(cloud, home, opened);
        let random = fastrand::Rng::with_seed(seed);
        let mut living = Living { home: home.clone(), workloads, random, time: -(HISTORY_SECONDS as f64) };
        for second in 0..HISTORY_SECONDS {
            let at = opened + second * 1_000;
            if clock::minute_of(at) != clock::minute_of(at - 1_000) {
                publish(Some(&mut living), cloud, clock::minute_of(at), lateness);
            }
            living.step(cloud, 1.0, at);
        }
        living
    }

    /// Lets `seconds` of the world pass.
    fn step(&mut self, cloud: &mut Cloud, seconds: f64, now: Millis) {
        self.time += seconds;
        let moment = Moment { time: self.time, seconds, now };
        for workload in &mut self.workloads {
            workload.step(cloud, &self.home, &mut self.random, moment);
        }
    }
}

/// Publishes the minute that ended at `end`: every queue's metrics, and the shop's own.
fn publish(living: Option<&mut Living>, cloud: &mut Cloud, end: Millis, lateness: Lateness) {
    cloud.realms().for_each(|realm| publish_minute(realm, end, lateness));
    if let Some(living) = living {
        let metrics = &mut cloud.realm(&living.home).metrics;
        living
            .workloads
            .iter_mut()
            .for_each(|workload| workload.publish(metrics, (end - MINUTE) / 1_000, end));
    }
}

/// Ticks until the task is dropped. `speed` is the tempo of the shop; minutes are always true ones.
pub async fn run(shared: Arc<Shared>, mut living: Option<Living>, lateness: Lateness, speed: f64) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut last = Instant::now();
    let mut minute = clock::minute_of(clock::now());
    loop {
        ticks.tick().await;
        let passed = last.elapsed().as_secs_f64() * speed;
        last = Instant::now();
        let now = clock::now();
        let mut cloud = lock(&shared.cloud);
        if clock::minute_of(now) > minute {
            minute = clock::minute_of(now);
            publish(living.as_mut(), &mut cloud, minute, lateness);
        }
        if let Some(living) = &mut living {
            living.step(&mut cloud, passed, now);
        }
    }
}

#[cfg(test)]
mod tests;
