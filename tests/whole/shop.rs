//! A simulated AWS in the test's own process, a configuration for it, and what a receiver of its pages got.

use serde_json::Value;
use sqswatch::simulator::{Options, Simulator};

use crate::daemon::Daemon;
use crate::eventually::eventually;
use crate::receiver::{Act, Receiver, answer};

/// What `POST /-/reload` needs.
pub const TOKEN: &str = "hunter2";

/// An alarm of ten seconds, so that tests wait for the world and not for minutes.
pub const DEAD_LETTERS: &str = r#"{ name: dead-letters, queues: { role: dead_letter }, metric: messages_visible, period: 10s, comparison: ">=", threshold: 1 }"#;

/// A simulator with each of `queues` and its dead-letter queue, `NAME-dlq`.
pub async fn open(queues: &[&str]) -> Simulator {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let control = simulator.control();
    for name in queues {
        let dead = format!("{name}-dlq");
        control.create_queue(&dead, &[], &[]);
        let policy =
            serde_json::json!({ "deadLetterTargetArn": control.queue_arn(&dead), "maxReceiveCount": 2 });
        control.create_queue(name, &[("RedrivePolicy", &policy.to_string())], &[]);
    }
    simulator
}

/// A configuration for `simulator` with `more` keys; readings come every second, and CloudWatch is left alone.
pub fn config(simulator: &Simulator, more: &str) -> String {
    format!(
        r#"
aws: {{ endpoint_url: "{}", targets: [{{ regions: [us-east-1] }}] }}
discovery: {{ interval: 10s }}
poll: {{ attributes: 1s, metrics: [] }}
web: {{ listen: "127.0.0.1:0", token: {TOKEN} }}
store: {{ path: "{{F}}/state.redb" }}
{more}
"#,
        simulator.endpoint_url()
    )
}

/// The keys that send `alarms` to one webhook.
pub fn paging(alarms: &str, receiver: &Receiver) -> String {
    format!(
        "alarms: [{alarms}]\ndestinations: {{ bridge: {{ webhook: {{ url: \"{}\" }} }} }}\n",
        receiver.url
    )
}

/// A receiver's `200`.
pub fn taken() -> Act {
    answer(200, "", "")
}

/// A page as a receiver got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The same on every attempt.
    pub id: String,
    /// `firing`, `resolved`, ...
    pub event: String,
    /// The queue it is about.
    pub queue: String,
}

/// The pages that have arrived, in their order; connections that were broken do not count.
pub fn pages(receiver: &Receiver) -> Vec<Page> {
    let requests = receiver.requests().into_iter().filter(|request| !request.body.is_empty());
    let page = |body: Value| {
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        Page { id: text("/id"), event: text("/event"), queue: text("/queue/name") }
    };
    requests.map(|request| page(serde_json::from_str(&request.body).unwrap())).collect()
}

/// Event and queue of each page that has arrived.
pub fn told(receiver: &Receiver) -> Vec<(String, String)> {
    pages(receiver).into_iter().map(|page| (page.event, page.queue)).collect()
}

/// Waits until exactly these pages have arrived, in this order.
pub async fn until_told(receiver: &Receiver, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|(event, queue)| ((*event).to_owned(), (*queue).to_owned())).collect();
    eventually("the pages arrive", async || {
        let told = told(receiver);
        assert!(told.len() <= expected.len(), "more than {expected:?} arrived: {told:?}");
        if told == expected { Ok(()) } else { Err(format!("{told:?} instead of {expected:?}")) }
    })
    .await;
}

/// Waits until so many notifications are on record as owed to the webhook of [`paging`].
pub async fn until_owed(daemon: &Daemon, count: u64) {
    eventually(&format!("{count} notifications are owed"), async || {
        let notifications = daemon.json("/api/v1/notifications").await?;
        let outbox = notifications["outbox"].as_array().into_iter().flatten();
        let pending = outbox.filter_map(|row| row["pending"].as_u64()).sum::<u64>();
        if pending == count { Ok(()) } else { Err(notifications["outbox"].to_string()) }
    })
    .await;
}

/// Waits until the alarm `rule` of `queue` is in `state`.
pub async fn until_state(daemon: &Daemon, rule: &str, queue: &str, state: &str) {
    eventually(&format!("{rule} of {queue} is in {state}"), async || {
        let alarms = daemon.json("/api/v1/alarms").await?;
        let found = alarms["alarms"].as_array().into_iter().flatten();
        let found = found.filter(|alarm| alarm["alarm"] == rule && alarm["queue"] == queue);
        let states: Vec<&Value> = found.map(|alarm| &alarm["state"]).collect();
        if states == [state] { Ok(()) } else { Err(format!("{states:?}")) }
    })
    .await;
}
