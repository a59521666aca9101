//! The formats of webhooks and an Alertmanager's replicas, by the real program.

use serde_json::Value;

use crate::commands::sqswatch;
use crate::daemon::{ANYBODY, Daemon, Home};
use crate::receiver::{Receiver, answer};
use crate::shop::{self, DEAD_LETTERS};

const TEMPLATE: &str =
    r#"{"text": {{ headline | tojson }}, "of": {{ (queue.name if queue else none) | tojson }}}"#;

#[tokio::test]
async fn a_template_from_a_file_words_what_is_told_and_a_faulty_one_keeps_the_old_configuration() {
    let simulator = shop::open(&["orders"]).await;
    simulator.control().send("orders-dlq", "m");
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let more = format!(
        "alarms: [{DEAD_LETTERS}]\ndestinations: {{ bridge: {{ webhook: {{ url: \"{}\", template: {{ file: \"{{F}}/words.jinja\" }} }} }} }}\n",
        receiver.url
    );
    let home = Home::new(&shop::config(&simulator, &more));
    let template = home.config().with_file_name("words.jinja");
    std::fs::write(&template, TEMPLATE).unwrap();
    let daemon = Daemon::start_at(home, ANYBODY).await;
    let firing = receiver.wait_for(1).await.remove(0);
    assert_eq!(firing.headers["content-type"], "application/json");
    let body: Value = serde_json::from_str(&firing.body).unwrap();
    let told =
        serde_json::json!({ "text": "ALARM: dead-letters on orders-dlq (us-east-1)", "of": "orders-dlq" });
    assert_eq!(body, told);

    std::fs::write(&template, "{{ headlin | tojson }}").unwrap();
    let (status, faults) = daemon.post("/-/reload", Some(shop::TOKEN)).await.unwrap();
    assert!(!status.is_success() && faults.contains("line 1 of the template: undefined value"), "{faults}");
    simulator.control().purge("orders-dlq");
    let resolved = receiver.wait_for(2).await.remove(1);
    assert!(resolved.body.contains("OK: dead-letters on orders-dlq"), "{}", resolved.body);
    daemon.stop().await;
}

#[tokio::test]
async fn a_test_reaches_every_format_and_says_which_replica_did_not_take_it() {
    let (bridge, replica) =
        (Receiver::start(vec![shop::taken()]).await, Receiver::start(vec![shop::taken()]).await);
    let refusing = Receiver::start(vec![answer(403, "", "")]).await;
    let config = format!(
        "aws: {{ targets: [{{ regions: [us-east-1] }}] }}\ndestinations:\n  v4: {{ webhook: {{ url: '{0}', format: alertmanager }} }}\n  \
         words: {{ webhook: {{ url: '{0}', template: '{TEMPLATE}' }} }}\n  \
         cluster: {{ alertmanager: {{ urls: ['{1}', '{2}'], bearer_token: hunter2 }} }}\n",
        bridge.url, refusing.url, replica.url
    );
    let home = Home::new(&config);
    let ran = sqswatch(&["test-notify", "--config", &home.config().display().to_string()]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok      cluster: taken by 1 of 2; not by 127.0.0.1:"), "{}", ran.out);
    assert!(!format!("{}{}", ran.out, ran.err).contains("hunter2"));
    let alerts: Value = serde_json::from_str(&replica.requests()[0].body).unwrap();
    assert_eq!(alerts[0]["labels"]["alertname"], "sqswatch-test");
    assert_eq!(replica.requests()[0].headers["authorization"], "Bearer hunter2");
    let texts: Vec<String> = bridge.requests().into_iter().map(|request| request.body).collect();
    assert!(
        texts[0].contains(r#""version":"4""#) && texts[1].contains("TEST, nothing is wrong"),
        "{texts:?}"
    );
}
