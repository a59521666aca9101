//! A real Prometheus scrapes the daemon, and every query of the dashboard works there.

use serde_json::Value;

use crate::aws::{Clients, REGION};
use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::peer::{self, Peer, form_escaped, http};

async fn query(prometheus: &Peer, expression: &str) -> Result<Vec<Value>, String> {
    let request = http()
        .post(format!("{}/api/v1/query", prometheus.url))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("query={}", form_escaped(expression)));
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let answer: Value =
        serde_json::from_str(&answer.text().await.unwrap()).map_err(|error| error.to_string())?;
    match answer["data"]["result"].as_array() {
        Some(result) if answer["status"] == "success" => Ok(result.clone()),
        _ => Err(answer.to_string()),
    }
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| match inner {
            Value::String(text) if key == "expr" => found.push(text.clone()),
            _ => expressions(inner, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

/// Grafana's variables as Grafana would fill them in with everything selected.
fn filled(expression: &str) -> String {
    let variables = [
        ("$__rate_interval", "1m"),
        ("$__range", "3h"),
        ("$rate", "10m"),
        ("${tag}", "team"),
        ("$tag_value", ".*"),
    ];
    let all = [("$account", ".*"), ("$region", ".*"), ("$queue", ".*")];
    variables
        .into_iter()
        .chain(all)
        .fold(expression.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[tokio::test]
async fn every_query_of_the_dashboard_works_and_the_main_panels_show_something() {
    let moto = peer::moto().await;
    let clients = Clients::new(&moto.url).await;
    let (orders, _) = clients.queue_with_dead_letters("orders").await;
    clients.send(&orders, 2).await;
    let config = format!(
        r#"
aws: {{ endpoint_url: "{}", targets: [{{ regions: [{REGION}] }}] }}
poll: {{ attributes: 1s }}
web: {{ listen: "127.0.0.1:0" }}
store: {{ path: "{{F}}/state.redb" }}
"#,
        moto.url
    );
    let daemon = Daemon::start(&config, ANYBODY).await;
    let folder = tempfile::tempdir().unwrap();
    let prometheus = peer::prometheus(&daemon.address, folder.path()).await;
    eventually("Prometheus has the queue", async || {
        let found = query(&prometheus, r#"sqs_queue_messages{queue="orders", state="visible"} == 2"#).await?;
        found.first().map(|_| ()).ok_or("not yet".to_owned())
    })
    .await;

    let mut all = Vec::new();
    let dashboard = include_str!("../../dashboards/sqswatch.json");
    expressions(&serde_json::from_str(dashboard).unwrap(), &mut all);
    for expression in &all {
        let result = query(&prometheus, &filled(expression)).await;
        assert!(result.is_ok(), "{expression}: {result:?}");
    }
    for shown in
        ["state=\"visible\"", "sqs_queue_max_receives", "sqswatch_queues_discovered", "sqswatch_ready"]
    {
        let expression = all.iter().find(|expression| expression.contains(shown)).unwrap();
        assert!(
            !query(&prometheus, &filled(expression)).await.unwrap().is_empty(),
            "{expression} shows nothing"
        );
    }
    daemon.stop().await;
}
