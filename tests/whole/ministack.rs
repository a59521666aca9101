//! A second server of SQS and CloudWatch, with other habits: no ListDeadLetterSourceQueues, CloudWatch over CBOR alone.

use crate::aws::{Clients, REGION};
use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::peer;

#[tokio::test]
async fn depth_age_and_roles_are_read_without_the_rarer_operations() {
    let ministack = peer::ministack().await;
    let clients = Clients::new(&ministack.url).await;
    let (orders, _) = clients.queue_with_dead_letters("orders").await;
    clients.send(&orders, 4).await;
    clients.put_age("orders", 60.0).await;
    let config = format!(
        r#"
aws: {{ endpoint_url: "{}", targets: [{{ regions: [{REGION}] }}] }}
poll: {{ attributes: 1s }}
alarms: []
web: {{ listen: "127.0.0.1:0" }}
store: {{ path: "{{F}}/state.redb" }}
"#,
        ministack.url
    );
    let daemon = Daemon::start(&config, ANYBODY).await;
    eventually("depth, age and roles are exported", async || {
        let metrics = daemon.metrics().await?;
        metrics.expect("sqs_queue_messages", &[("queue", "orders"), ("state", "visible")], 4.0)?;
        metrics.expect("sqs_queue_messages", &[("queue", "orders-dlq"), ("state", "visible")], 0.0)?;
        metrics.expect("sqs_queue_oldest_message_age_seconds", &[("queue", "orders")], 60.0)?;
        metrics.expect("sqs_queue_info", &[("queue", "orders"), ("role", "source")], 1.0)?;
        metrics.expect("sqs_queue_info", &[("queue", "orders-dlq"), ("role", "dead_letter")], 1.0)
    })
    .await;
    daemon.stop().await;
}
