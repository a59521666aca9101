//! What AWS does to an identity without permissions, by moto: it refuses with XML even where JSON was spoken.

use crate::aws::{Clients, REGION};
use crate::daemon::{Daemon, Identity};
use crate::eventually::eventually;
use crate::peer::{self, Peer, form_escaped, http};

/// A query-protocol call to IAM, which moto takes unsigned; returns the XML.
async fn iam(moto: &Peer, action: &str, parameters: &[(&str, &str)]) -> String {
    let pairs = [("Action", action), ("Version", "2010-05-08")];
    let body = pairs.iter().chain(parameters).map(|(key, value)| format!("{key}={}", form_escaped(value)));
    let request = http()
        .post(&moto.url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0")
        .body(body.collect::<Vec<_>>().join("&"));
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{action}: {}", answer.status());
    answer.text().await.unwrap()
}

fn between<'a>(text: &'a str, tag: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap();
    rest.split_once('<').unwrap().0
}

/// How many actions are let through before permissions count; 0 is "from now on".
async fn enforce_after(moto: &Peer, actions: u32) {
    let request =
        http().post(format!("{}/moto-api/reset-auth", moto.url)).header("Content-Type", "text/plain");
    assert!(request.body(actions.to_string()).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn queues_that_may_not_be_read_are_counted_as_skipped_until_they_may() {
    let moto = peer::moto().await;
    let clients = Clients::new(&moto.url).await;
    let (orders, _) = clients.queue_with_dead_letters("orders").await;
    clients.send(&orders, 2).await;
    iam(&moto, "CreateUser", &[("UserName", "watcher")]).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ListQueues"],"Resource":"*"}]}"#;
    let parameters = [("UserName", "watcher"), ("PolicyName", "p"), ("PolicyDocument", policy)];
    iam(&moto, "PutUserPolicy", &parameters).await;
    let made = iam(&moto, "CreateAccessKey", &[("UserName", "watcher")]).await;
    let identity = Identity { key: between(&made, "AccessKeyId"), secret: between(&made, "SecretAccessKey") };
    enforce_after(&moto, 0).await;

    let config = format!(
        r#"
aws: {{ endpoint_url: "{}", targets: [{{ regions: [{REGION}] }}] }}
discovery: {{ interval: 10s }}
poll: {{ attributes: 1s, metrics: [] }}
alarms: []
web: {{ listen: "127.0.0.1:0" }}
store: {{ path: "{{F}}/state.redb" }}
"#,
        moto.url
    );
    let daemon = Daemon::start(&config, identity).await;
    eventually("both queues are skipped as denied", async || {
        let metrics = daemon.metrics().await?;
        metrics.expect("sqswatch_queues_discovered", &[], 2.0)?;
        metrics.expect("sqswatch_queues_skipped", &[("reason", "denied")], 2.0)?;
        metrics.expect("sqswatch_queues_watched", &[], 0.0)?;
        let denied = [("operation", "GetQueueAttributes"), ("reason", "denied")];
        let failures = metrics.value("sqswatch_aws_failures_total", &denied)?;
        if failures >= 2.0 { Ok(()) } else { Err(format!("{failures} failures were counted")) }
    })
    .await;
    assert!(!daemon.log().join("\n").contains(identity.secret), "the secret is in the log");

    enforce_after(&moto, 999_999).await;
    eventually("both queues are watched without a restart", async || {
        let metrics = daemon.metrics().await?;
        metrics.expect("sqswatch_queues_watched", &[], 2.0)?;
        metrics.expect("sqswatch_queues_skipped", &[("reason", "denied")], 0.0)?;
        metrics.expect("sqs_queue_messages", &[("queue", "orders"), ("state", "visible")], 2.0)?;
        metrics.expect("sqs_queue_max_receives", &[("queue", "orders")], 2.0)
    })
    .await;
    daemon.stop().await;
}
