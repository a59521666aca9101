//! A real Prometheus scrapes the daemon in a busy world: every query of the dashboards and every expression of the rules has
//! data there, or is on a list of those that have none for a reason; and with many queues none returns a series a queue.

use std::collections::BTreeSet;

use serde_json::Value;
use sqswatch::clock;
use sqswatch::domain::metric::{CATALOGUE, Source};
use sqswatch::simulator::{Fault, FaultKind, Options, Simulator, World};
use tempfile::TempDir;

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::grafana::{Dashboard, Query, filled, list, root};
use crate::peer::{self, Peer, form_escaped, http};
use crate::receiver::{Receiver, answer};
use crate::shop;

/// Parts of queries that find nothing in a world without that trouble, and why.
const EMPTY: [(&str, &str); 8] = [
    ("sqswatch_custom_metric_last_reading_timestamp_seconds", "no custom metric is configured"),
    ("sqswatch_template_failures_total", "no template fails"),
    ("sqswatch_outbox_overflow_total", "the outbox is not full"),
    ("sqswatch_store_at_risk", "the state file can be written"),
    ("sqswatch_notifications_total", "shown as they come, and none may have come in the last minute"),
    ("sqswatch_alarm_transitions_total", "shown as they come, and none may have come in the last minute"),
    ("sqswatch_alertmanager_replica_failures_total", "shown as they come, and none may have come lately"),
    ("sqswatch_notification_failures_total", "shown as they come, and none may have come lately"),
];

async fn asked(prometheus: &Peer, path: &str, form: &str) -> Result<Vec<Value>, String> {
    let request = http()
        .post(format!("{}/api/v1/{path}", prometheus.url))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let answer: Value =
        serde_json::from_str(&answer.text().await.unwrap()).map_err(|error| error.to_string())?;
    match answer["data"]["result"].as_array() {
        Some(result) if answer["status"] == "success" => Ok(result.clone()),
        _ => Err(answer.to_string()),
    }
}

/// What a query finds now.
async fn query(prometheus: &Peer, expression: &str) -> Result<Vec<Value>, String> {
    asked(prometheus, "query", &format!("query={}", form_escaped(expression))).await
}

/// What it finds over the last minute, or now if that is what the panel asks.
async fn as_its_panel(prometheus: &Peer, asks: &Query, queue: &str) -> Vec<Value> {
    let expression = filled(&asks.expression, queue);
    let found = if asks.instant {
        query(prometheus, &expression).await
    } else {
        let now = clock::now().as_secs_f64();
        let form = format!("query={}&start={}&end={now}&step=5", form_escaped(&expression), now - 60.0);
        asked(prometheus, "query_range", &form).await
    };
    found.unwrap_or_else(|error| panic!("{}: {expression}: {error}", asks.place))
}

/// The selectors of our metrics in an expression: name and matchers.
fn selectors(expression: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find(is_name) {
        rest = &rest[at..];
        let (name, after) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        let matchers =
            after.strip_prefix('{').and_then(|inner| inner.split_once('}')).map(|(inner, _)| inner);
        if name.starts_with("sqs_") || name.starts_with("sqswatch_") {
            found.push(matchers.map_or(name.to_owned(), |inner| format!("{name}{{{inner}}}")));
        }
        rest = match (matchers, after.strip_prefix('"')) {
            (Some(inner), _) => &after[inner.len() + 2..],
            _ => after,
        };
    }
    found
}

/// Everything that a shop has, and everything that a daemon can be asked to do.
fn config(simulator: &Simulator, hook: &Receiver, switch: &Receiver) -> String {
    let topic = simulator.control().create_topic("pages");
    let metrics = CATALOGUE.iter().filter(|row| row.source == Source::CloudWatch);
    let metrics: Vec<&str> = metrics.map(|row| row.name).collect();
    format!(
        r#"
aws: {{ endpoint_url: "{endpoint}", targets: [{{ regions: [us-east-1] }}] }}
discovery: {{ interval: 10s, exclude: ["legacy-*"], tag_labels: [team, service] }}
poll: {{ attributes: 1s, cloudwatch: 1m, counters: 1m, settle: 1m, metrics: [{metrics}] }}
alarms:
  - {{ name: waiting, queues: {{ role: not_dead_letter }}, metric: messages_visible, period: 10s, comparison: ">=", threshold: 0, repeat: 1m }}
  - {dead_letters}
maintenance: [{{ name: always, queues: ["emails*"], start: "00:00", duration: 1day }}]
destinations:
  pager: {{ sns: {{ topic_arn: "{topic}" }} }}
  broken: {{ webhook: {{ url: "{hook}" }} }}
notify: [pager, broken]
heartbeat: {{ url: "{switch}", interval: 1s }}
web: {{ listen: "127.0.0.1:0", token: {token} }}
store: {{ path: "{{F}}/state.redb" }}
"#,
        endpoint = simulator.endpoint_url(),
        metrics = metrics.join(", "),
        dead_letters = shop::DEAD_LETTERS,
        hook = hook.url,
        switch = switch.url,
        token = shop::TOKEN,
    )
}

/// A shop with trouble, a daemon that does all it can do, and a Prometheus that sees it.
struct Busy {
    simulator: Simulator,
    daemon: Daemon,
    prometheus: Peer,
    _folder: TempDir,
}

impl Busy {
    async fn start() -> Self {
        let options = Options { world: World::Demo, speed: 3.0, ..Options::default() };
        let simulator = Simulator::start(options).await.unwrap();
        let hook = Receiver::start(vec![answer(410, "", "")]).await;
        let switch = Receiver::start(vec![shop::taken(), answer(500, "", "")]).await;
        let daemon = Daemon::start(&config(&simulator, &hook, &switch), ANYBODY).await;
        let failing = "cart-reminders";
        eventually("the queue that is to fail was read", async || {
            daemon.metrics().await?.value("sqs_queue_depth", &[("queue", failing)])
        })
        .await;
        let (operation, queue) = (Some("GetQueueAttributes".to_owned()), Some(failing.to_owned()));
        simulator.control().inject(Fault { operation, queue, ..Fault::new(FaultKind::ServerError) });
        let folder = tempfile::tempdir().unwrap();
        let prometheus = peer::prometheus(&daemon.address, folder.path()).await;
        Self { simulator, daemon, prometheus, _folder: folder }
    }

    /// What `expression` finds for any of the queues that differ in kind.
    async fn finds(&self, expression: &str) -> Result<bool, String> {
        for queue in ["orders", "orders-dlq", "payments.fifo", "image-resize"] {
            if !query(&self.prometheus, &filled(expression, queue)).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[tokio::test]
async fn every_query_and_every_rule_has_data_or_a_reason() {
    let busy = Busy::start().await;
    let queries: Vec<Query> = Dashboard::all().iter().flat_map(Dashboard::queries).collect();
    let rules = std::fs::read_to_string(root().join("alerts/sqswatch.yaml")).unwrap();
    let rules = expressions_of(&serde_saphyr::from_str(&rules).unwrap());
    for (metric, reason) in EMPTY {
        let named = queries.iter().any(|query| query.expression.contains(metric));
        assert!(named, "no query names {metric}, which is said to be empty: {reason}");
    }
    let excused = |asks: &&Query| EMPTY.iter().any(|(metric, _)| asks.expression.contains(metric));
    let (excused, mut waiting): (Vec<&Query>, Vec<&Query>) = queries.iter().partition(excused);
    for asks in excused {
        assert!(busy.finds(&asks.expression).await.is_ok(), "{}: {}", asks.place, asks.expression);
    }
    // Each at some time: what is shown as it comes need not be there together.
    eventually("every query finds something", async || {
        let mut empty = Vec::new();
        for asks in std::mem::take(&mut waiting) {
            let found = busy.finds(&asks.expression).await;
            if !found.unwrap_or_else(|error| panic!("{}: {error}", asks.place)) {
                empty.push(asks);
            }
        }
        waiting = empty;
        if waiting.is_empty() { Ok(()) } else { Err(format!("{waiting:#?}")) }
    })
    .await;
    // An alert is silent by design; what it looks at must be there all the same, with these labels.
    for expression in rules {
        let answer = query(&busy.prometheus, &expression).await;
        assert!(answer.is_ok(), "{expression}: {answer:?}");
        for selector in selectors(&expression) {
            assert!(busy.finds(&selector).await.unwrap(), "`{selector}` of {expression} finds nothing");
        }
    }
    every_page_is_there(&busy.daemon).await;
    busy.daemon.stop().await;
    busy.simulator.stop().await;
}

/// The links of the dashboards to sqswatch's page.
async fn every_page_is_there(daemon: &Daemon) {
    let dashboards = Dashboard::all();
    let texts = dashboards.iter().flat_map(Dashboard::texts);
    let pages: BTreeSet<&str> = texts.filter_map(|text| text.strip_prefix("${sqswatch_url}")).collect();
    assert!(pages.len() > 5, "only {pages:?}");
    let values = [("queue", "orders"), ("dead_letter_queue", "orders-dlq"), ("account", "123456789012")];
    let values = values.into_iter().chain([("region", "us-east-1"), ("alarm", "waiting")]);
    for page in pages {
        let filled = values.clone().fold(page.to_owned(), |text, (name, value)| {
            let places = ["", "__data.fields.", "__field.labels."].map(|place| format!("{place}{name}"));
            places.iter().fold(text, |text, place| {
                text.replace(&format!("${{{place}}}"), value)
                    .replace(&format!("${{{place}:percentencode}}"), value)
            })
        });
        assert!(!filled.contains('$'), "{page} has an unknown variable: {filled}");
        let (status, body) = daemon.get(&filled).await.unwrap();
        assert!(status.is_success(), "{filled}: {status}: {body}");
    }
}

/// The expressions of a rule file.
fn expressions_of(rules: &Value) -> Vec<String> {
    let groups = list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"]));
    let expressions: Vec<String> =
        groups.map(|rule| rule["expr"].as_str().expect("an expression").to_owned()).collect();
    assert!(expressions.len() > 20, "only {} rules", expressions.len());
    expressions
}

/// With 10,000 queues a plot of each is a browser that hangs.
#[tokio::test]
async fn no_query_returns_a_series_a_queue() {
    const QUEUES: usize = 300;
    const ENOUGH: usize = 100;
    let options = Options { world: World::Synthetic { queues: QUEUES }, ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let alarm = "{ name: known, metric: messages_visible, period: 10s, comparison: \">=\", threshold: 0 }";
    let daemon = Daemon::start(&shop::config(&simulator, &format!("alarms: [{alarm}]\n")), ANYBODY).await;
    let folder = tempfile::tempdir().unwrap();
    let prometheus = peer::prometheus(&daemon.address, folder.path()).await;
    for all in ["sqs_queue_depth", "sqs_alarm_state{state=\"ALARM\"} == 1"] {
        eventually(&format!("{all} is there for all"), async || {
            let found = query(&prometheus, all).await?.len();
            if found == QUEUES { Ok(()) } else { Err(found.to_string()) }
        })
        .await;
    }
    let mut rows = 0;
    for dashboard in Dashboard::all() {
        for asks in dashboard.queries() {
            let found = as_its_panel(&prometheus, &asks, "bench-00007").await.len();
            assert!(found <= ENOUGH, "{} returns {found} series: {}", asks.place, asks.expression);
            rows += found;
        }
    }
    assert!(rows > 2 * ENOUGH, "only {rows} series in all: the queries find nothing here");
    daemon.stop().await;
}

#[test]
fn selectors_are_found() {
    let expression = "max by (queue) (sqs_queue_depth{a=\"sqs_x\", b!=\"\"}) / on (queue) sqs_queue_info and sqswatch_ready == 1";
    let expected = ["sqs_queue_depth{a=\"sqs_x\", b!=\"\"}", "sqs_queue_info", "sqswatch_ready"];
    assert_eq!(selectors(expression), expected);
}
