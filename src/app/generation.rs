//! The workers of one configuration: started together, supervised, and stopped together.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::receivers::Receivers;
use super::{Shared, counters, heartbeat, histories, keeper};
use crate::aws::clients::Clients;
use crate::judge::{self, Judge, Said};
use crate::notify::Receiver;
use crate::notify::alertmanager::resend;
use crate::notify::deliver::{self, Delivery};
use crate::watch::{self, Watch};

/// The running workers of one configuration.
pub(super) struct Generation {
    workers: JoinSet<&'static str>,
    stop: CancellationToken,
}

impl Generation {
    /// Starts every worker by the configuration in `shared`.
    pub(super) fn start(shared: &Shared, clients: Clients, receivers: Receivers) -> Self {
        let config = shared.config.load_full();
        shared.board.configure(config.rules.clone(), config.poll.attributes);
        shared.board.set_maintenance(config.maintenance.clone());
        let mut generation = Self { workers: JoinSet::new(), stop: CancellationToken::new() };
        generation.watch(shared, &clients);
        let judge = Judge {
            board: shared.board.clone(),
            store: shared.store.clone(),
            telemetry: shared.telemetry.clone(),
            owed: shared.owed.clone(),
            said: Said::default(),
        };
        generation.spawn("judge", judge::run(judge, generation.stop.clone()));
        shared.store.limit(keeper::limits(&config.outbox));
        generation.spawn("store", keeper::run(shared.clone(), generation.stop.clone()));
        if let Some(heartbeat) = config.heartbeat.clone() {
            generation.spawn("heartbeat", heartbeat::run(shared.clone(), heartbeat, generation.stop.clone()));
        }
        let delivery = delivery(shared, receivers);
        generation.resend(&delivery, shared);
        generation.spawn("notify", deliver::run(delivery, shared.owed.clone(), generation.stop.clone()));
        generation.spawn("counters", counters::run(shared.clone(), generation.stop.clone()));
        generation.spawn("histories", histories::run(shared.clone(), generation.stop.clone()));
        generation
    }

    /// Starts only what reads: enough for a survey.
    pub(super) fn survey(shared: &Shared, clients: &Clients) -> Self {
        let config = shared.config.load_full();
        shared.board.configure(Vec::new(), config.poll.attributes);
        let mut generation = Self { workers: JoinSet::new(), stop: CancellationToken::new() };
        generation.watch(shared, clients);
        generation
    }

    fn spawn(&mut self, name: &'static str, worker: impl Future<Output = ()> + Send + 'static) {
        self.workers.spawn(async move {
            worker.await;
            name
        });
    }

    /// The name of the first worker that ends by itself; none should. Pending for ever otherwise.
    pub(super) async fn died(&mut self) -> String {
        match self.workers.join_next().await {
            Some(Ok(name)) => name.to_owned(),
            Some(Err(panic)) => panic.to_string(),
            None => std::future::pending().await,
        }
    }

    /// Tells every worker to stop and waits for what is in hand, at most for `grace`.
    pub(super) async fn stop(&mut self, grace: Duration) {
        self.stop.cancel();
        let all = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!(
                workers = self.workers.len(),
                "the grace is over: some work is cut off; what is owed stays in the store"
            );
            self.workers.shutdown().await;
        }
    }

    /// One worker an Alertmanager, beside the outbox.
    fn resend(&mut self, delivery: &Delivery, shared: &Shared) {
        for receiver in delivery.receivers.values() {
            if let Receiver::Alertmanager(cluster) = receiver {
                let resend = resend::run(cluster.clone(), shared.board.clone(), self.stop.clone());
                self.spawn("resend", resend);
            }
        }
    }

    fn watch(&mut self, shared: &Shared, clients: &Clients) {
        let kept = clients.targets().iter().map(|clients| clients.target.clone()).collect();
        shared.board.retain_targets(&kept);
        for clients in clients.targets() {
            let watch = Watch {
                clients: clients.clone(),
                config: shared.config.load_full(),
                board: shared.board.clone(),
                telemetry: shared.telemetry.clone(),
                shutdown: self.stop.clone(),
            };
            watch::spawn(&mut self.workers, watch);
        }
    }
}

fn delivery(shared: &Shared, receivers: Receivers) -> Delivery {
    receivers.keys().for_each(|name| shared.counts.expect(name));
    Delivery {
        store: shared.store.clone(),
        receivers: Arc::new(receivers),
        counts: shared.counts.clone(),
        random: fastrand::f64,
    }
}
