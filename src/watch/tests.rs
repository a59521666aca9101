//! The workers with the real clients against the simulator. Every wait is for a condition.

mod cloudwatch;
mod discovery;
mod polling;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Watch;
use crate::aws::clients::{Clients, Identity};
use crate::board::{Board, Skip, Target, TargetHealth};
use crate::config::{Aws, Config, Discovery, Log, LogFormat, Outbox, Poll, Store, TargetConfig, Web};
use crate::domain::metric::Metric;
use crate::simulator::{Control, Options, Simulator};
use crate::telemetry::Telemetry;

/// How long a condition is waited for: only a broken program takes it.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn config() -> Config {
    Config {
        aws: Aws { endpoint_url: None, targets: Vec::new() },
        discovery: Discovery {
            interval: Duration::from_millis(300),
            queues: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            tags: BTreeMap::new(),
            tag_labels: Vec::new(),
        },
        poll: Poll {
            attributes: Duration::from_millis(200),
            cloudwatch: Duration::from_secs(3600),
            counters: Duration::from_secs(3600),
            metrics: Vec::new(),
            settle: Duration::from_secs(120),
            reread: Duration::from_secs(180),
            concurrency: 16,
            timeout: Duration::from_millis(500),
        },
        maintenance: vec![],
        rules: Vec::new(),
        custom_metrics: Vec::new(),
        destinations: BTreeMap::new(),
        outbox: Outbox::default(),
        heartbeat: None,
        web: Web { listen: ([127, 0, 0, 1], 0).into(), external_url: None, token: None, prometheus: None },
        store: Store { path: None },
        log: Log { format: LogFormat::Text, level: "warn".into() },
    }
}

/// A simulator and the workers that watch it.
struct Rig {
    simulator: Simulator,
    board: Arc<Board>,
    telemetry: Telemetry,
    shutdown: CancellationToken,
    workers: JoinSet<&'static str>,
}

impl Rig {
    /// Starts the workers on a simulator that `prepare` has filled.
    async fn start(config: Config, prepare: impl FnOnce(&Control)) -> Self {
        let mut rig = Self::idle().await;
        prepare(rig.control());
        rig.watch(config).await;
        rig
    }

    /// A simulator that nobody watches yet.
    async fn idle() -> Self {
        Self {
            simulator: Simulator::start(Options::default()).await.unwrap(),
            board: Arc::default(),
            telemetry: Telemetry::new(),
            shutdown: CancellationToken::new(),
            workers: JoinSet::new(),
        }
    }

    async fn watch(&mut self, mut config: Config) {
        self.board.configure(config.rules.clone(), config.poll.attributes);
        config.aws = Aws {
            endpoint_url: Some(self.simulator.endpoint_url()),
            targets: vec![TargetConfig { regions: vec!["us-east-1".into()], ..TargetConfig::default() }],
        };
        let config = Arc::new(config);
        let timeout = config.poll.timeout;
        let clients = Clients::connect_as(Identity::made_up(), &config.aws, timeout, &self.telemetry).await;
        for clients in clients.unwrap().targets() {
            let watch = Watch {
                clients: clients.clone(),
                config: config.clone(),
                board: self.board.clone(),
                telemetry: self.telemetry.clone(),
                shutdown: self.shutdown.clone(),
            };
            super::spawn(&mut self.workers, watch);
        }
    }

    fn control(&self) -> &Control {
        self.simulator.control()
    }

    /// Waits until `condition` holds.
    #[track_caller]
    fn until<'a>(
        &'a self,
        what: &'static str,
        condition: impl Fn(&Self) -> bool + 'a,
    ) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let end = Instant::now() + PATIENCE;
            while !condition(self) {
                assert!(Instant::now() < end, "{place}: not in time: {what}; {:?}", self.health());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    fn target(&self) -> Arc<Target> {
        Arc::new(Target { region: "us-east-1".into(), role_arn: None })
    }

    fn health(&self) -> TargetHealth {
        self.board.targets().remove(&self.target()).unwrap_or_default()
    }

    fn watched(&self) -> Vec<String> {
        self.board.queues().keys().map(|id| id.name.to_string()).collect()
    }

    fn skipped(&self) -> Vec<(String, Skip)> {
        self.health().skipped.iter().map(|(name, skip)| (name.to_string(), *skip)).collect()
    }

    /// One value of one queue as it would be exported.
    fn value(&self, queue: &str, metric: Metric) -> Option<f64> {
        let queues = self.board.queues();
        let watched = queues.values().find(|watched| &*watched.id.name == queue)?;
        watched.lock().value(metric)
    }

    fn failures(&self, operation: &str, reason: &str) -> u64 {
        let service = if operation == "GetMetricData" { "cloudwatch" } else { "sqs" };
        self.telemetry.failures.with_label_values(&[service, operation, "us-east-1", reason]).get()
    }

    fn requests(&self, operation: &str) -> u64 {
        self.control().requests().get(operation).copied().unwrap_or_default()
    }

    /// Stops the workers; all of them end.
    async fn stop(mut self) {
        self.shutdown.cancel();
        let mut ended = Vec::new();
        while let Some(name) = self.workers.join_next().await {
            ended.push(name.unwrap());
        }
        ended.sort_unstable();
        assert_eq!(ended, ["attributes", "cloudwatch", "discover"]);
        self.simulator.stop().await;
    }
}
