//! A board filled by hand, and the web over it.

// The bench and the tests each use a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqswatch::board::{Board, Skip, Target, Window};
use sqswatch::config::secret::Secret;
use sqswatch::config::{self, Config, CustomMetric, Destination, Sns};
use sqswatch::domain::alarm::{Alarm, AlarmKey, CustomId, State, Subject};
use sqswatch::domain::metric::{CATALOGUE, Metric, Source};
use sqswatch::domain::queue::{Depth, Queue, QueueId, RedrivePolicy, Role, Settings};
use sqswatch::domain::rule::{Comparison, Condition, MetricRef, Rule, Severity, Statistic};
use sqswatch::domain::series::StatisticSet;
use sqswatch::domain::time::{MINUTE, Timestamp};
use sqswatch::store::Store;
use sqswatch::telemetry::Telemetry;
use sqswatch::web::{Prometheus, Reload, Web};
use tokio::sync::mpsc;

pub const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);
pub const ACCOUNT: &str = "123456789012";
pub const TOKEN: &str = "correct-horse-battery";

pub fn id(name: &str) -> QueueId {
    QueueId::new(ACCOUNT, "eu-west-1", name)
}

pub fn target() -> Arc<Target> {
    Arc::new(Target { region: "eu-west-1".into(), role_arn: None })
}

pub fn config() -> Config {
    Config {
        aws: config::Aws { endpoint_url: None, targets: vec![] },
        discovery: config::Discovery {
            interval: Duration::from_secs(300),
            queues: vec![],
            include: vec![],
            exclude: vec![],
            tags: BTreeMap::new(),
            tag_labels: vec!["team".into(), "Team".into(), "CostCenter".into()],
        },
        poll: config::Poll {
            attributes: Duration::from_secs(15),
            cloudwatch: MINUTE,
            counters: MINUTE * 5,
            metrics: vec![],
            settle: MINUTE * 2,
            reread: MINUTE * 3,
            concurrency: 16,
            timeout: Duration::from_secs(10),
        },
        rules: vec![rule()],
        maintenance: vec![],
        custom_metrics: vec![
            custom("messages_processed", Statistic::Sum),
            custom("processing_latency", Statistic::Percentile(99.0)),
        ],
        destinations: [(
            "ops".into(),
            Destination::Sns(Sns { topic_arn: "arn:aws:sns:eu-west-1:1:t".into(), role_arn: None }),
        )]
        .into(),
        outbox: config::Outbox::default(),
        heartbeat: None,
        web: config::Web {
            listen: "127.0.0.1:0".parse().unwrap(),
            external_url: None,
            prometheus: None,
            token: Some(Secret::new(TOKEN)),
        },
        store: config::Store { path: None },
        log: config::Log { format: config::LogFormat::Text, level: "info".into() },
    }
}

pub fn rule() -> Rule {
    let visible = MetricRef::Queue(Metric::MessagesVisible);
    let condition = Condition::new(visible, Statistic::Maximum, Comparison::GreaterThanOrEqual, 1.0);
    Rule {
        description: "Messages in a dead-letter queue need a person".into(),
        severity: Severity::Critical,
        notify: vec!["ops".into()],
        ..Rule::on("dlq-not-empty", condition)
    }
}

fn custom(name: &str, statistic: Statistic) -> CustomMetric {
    CustomMetric {
        name: name.into(),
        namespace: "Shop".into(),
        metric: "Anything".into(),
        dimensions: [("Service".into(), "che\"ckout".into()), ("Environment".into(), "prod".into())].into(),
        statistic,
        region: None,
        description: format!("What {name} says."),
    }
}

/// The web over `board`, with what `/-/reload` sends.
pub fn web(board: Board) -> (Web, mpsc::Receiver<Reload>) {
    let (reload, reloads) = mpsc::channel(1);
    let web = Web {
        board: Arc::new(board),
        telemetry: Telemetry::new(),
        config: Arc::new(ArcSwap::from_pointee(config())),
        store: Store::memory(),
        draining: Arc::new(AtomicBool::new(false)),
        prometheus: Prometheus::new(sqswatch::notify::http_client().unwrap()),
        rows: sqswatch::web::Rows::default(),
        owed: Arc::default(),
        reload,
    };
    (web, reloads)
}

pub fn depth(visible: u64, in_flight: u64, delayed: u64) -> Depth {
    Depth { visible: Some(visible), in_flight: Some(in_flight), delayed: Some(delayed) }
}

pub fn settings(dead_letter_queue: Option<QueueId>) -> Settings {
    Settings {
        retention_seconds: Some(345_600),
        visibility_timeout_seconds: Some(30),
        delay_seconds: Some(0),
        receive_wait_seconds: Some(20),
        maximum_message_bytes: Some(262_144),
        encrypted: Some(true),
        public: Some(false),
        redrive: dead_letter_queue
            .map(|dead_letter_queue| RedrivePolicy { dead_letter_queue, max_receive_count: 5 }),
        created_at: Some(Timestamp::from_secs(1_700_000_000)),
        modified_at: Some(Timestamp::from_secs(1_700_000_100)),
    }
}

/// One minute of CloudWatch with the value `value`.
pub fn window(value: f64) -> Window {
    let minute = NOW.floor(MINUTE) - MINUTE * 3;
    let until = minute + MINUTE;
    Window { from: minute, until, settled: until, datapoints: vec![(minute, StatisticSet::single(value))] }
}

/// Three queues: one with everything known and hostile tags, its dead-letter queue in ALARM, and one never read.
pub fn small() -> Board {
    let (orders, dead, unread) = (id("orders.fifo"), id("orders-dlq.fifo"), id("unread"));
    let queue = |id: &QueueId| Queue::new(id.clone(), format!("http://sqs/{ACCOUNT}/{}", id.name));
    let mut source = queue(&orders);
    source.role = Role::Source;
    let tags =
        [("team", "pay\"ments\\\n é\u{1}"), ("Team", "second"), ("CostCenter", ""), ("other", "hidden")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
    source.tags = Some(tags.into());
    let mut sink = queue(&dead);
    sink.role = Role::DeadLetter;
    sink.sources = vec![orders.clone()];

    let board = Board::default();
    board.configure(vec![rule()], Duration::from_secs(15));
    board.discovered(&target(), vec![source, sink, queue(&unread)]);
    let all = Some(settings(Some(dead.clone())));
    board.read_attributes(&orders, NOW, depth(1200, 30, 0), all);
    board.read_attributes(&dead, NOW, depth(3, 0, 0), Some(settings(None)));
    for (metric, value) in [
        (Metric::OldestMessageAge, 86_400.0),
        (Metric::MessagesSent, 1234.0),
        (Metric::SentBytes, 1e9),
        (Metric::GroupsInFlight, 7.0),
    ] {
        board.read_cloudwatch(&orders, NOW, metric, &window(value));
    }
    health(&board);
    alarms(&board, &dead);
    customs(&board);
    board
}

pub fn health(board: &Board) {
    board.update_target(&target(), |health| {
        health.account = Some(ACCOUNT.into());
        health.discovered_at = Some(NOW);
        health.discovery_interval = Duration::from_secs(300);
        health.attributes_at = Some(NOW);
        health.attributes_interval = Duration::from_secs(15);
        health.skipped = [("secret".into(), Skip::Denied), ("old-scratch".into(), Skip::Excluded)].into();
    });
}

fn alarms(board: &Board, dead: &QueueId) {
    let key = |subject| AlarmKey { rule: rule().name, subject };
    let alarm = Alarm {
        state: State::Alarm,
        since: NOW - MINUTE * 3,
        reason: "Threshold Crossed: 1 datapoint [3.0] was greater than or equal to the threshold (1.0)."
            .into(),
        value: Some(3.0),
        ..Alarm::default()
    };
    let custom = Subject::Custom(custom_id("processing_latency"));
    board.with_alarms_mut(|alarms| {
        alarms.insert(key(Subject::Queue(dead.clone())), alarm);
        alarms.insert(key(custom), Alarm::default());
    });
}

fn custom_id(name: &str) -> CustomId {
    CustomId { account: ACCOUNT.into(), region: "eu-west-1".into(), name: name.into() }
}

fn customs(board: &Board) {
    let (processed, latency) = (custom_id("messages_processed"), custom_id("processing_latency"));
    board.place_customs(&target(), vec![processed.clone(), latency.clone()]);
    let customs = board.customs();
    let minute = NOW.floor(MINUTE) - MINUTE * 3;
    let mut readings = customs[&processed].lock();
    readings.total.observe(minute, 41.0);
    readings.read_at = Some(NOW);
    drop(readings);
    let mut readings = customs[&latency].lock();
    readings.newest = Some(StatisticSet::single(0.25));
    readings.read_at = Some(NOW);
}

/// `count` queues of which everything is known, every fourth a dead-letter queue in a state of alarm.
pub fn large(count: usize) -> Board {
    let board = Board::default();
    board.configure(vec![rule()], Duration::from_secs(15));
    let ids: Vec<QueueId> = (0..count).map(|n| id(&format!("service-{n:05}-events"))).collect();
    let queue = |id: &QueueId| Queue::new(id.clone(), format!("http://sqs/{ACCOUNT}/{}", id.name));
    board.discovered(&target(), ids.iter().map(queue).collect());
    for (n, id) in ids.iter().enumerate() {
        let policy = (n % 4 != 0).then(|| ids[n - n % 4].clone());
        board.read_attributes(id, NOW, depth(n as u64, 3, 1), Some(settings(policy)));
        for row in CATALOGUE.iter().filter(|row| row.source == Source::CloudWatch) {
            board.read_cloudwatch(id, NOW, row.metric, &window(n as f64 * 1.5));
        }
    }
    board.with_alarms_mut(|alarms| {
        for id in ids.iter().step_by(4) {
            let key = AlarmKey { rule: rule().name, subject: Subject::Queue(id.clone()) };
            alarms.insert(key, Alarm { state: State::Alarm, since: NOW, ..Alarm::default() });
        }
    });
    health(&board);
    board
}
