//! aws-sdk-sns.

use std::sync::Arc;
use std::sync::Mutex;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::Value;

use super::{Clients, simulator};

#[tokio::test]
async fn a_message_reaches_a_subscribed_queue_in_its_envelope() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let mut watch = simulator.control().watch_published();
    simulator.control().create_queue("inbox", &[], &[]);
    let topic = clients.sns.create_topic().name("alerts").send().await.unwrap().topic_arn.unwrap();
    assert_eq!(topic, simulator.control().create_topic("alerts"), "it is one topic");
    let subscribe = clients.sns.subscribe().topic_arn(&topic).protocol("sqs");
    subscribe.endpoint(simulator.control().queue_arn("inbox")).send().await.unwrap();
    clients
        .sns
        .subscribe()
        .topic_arn(&topic)
        .protocol("email")
        .endpoint("a@example.com")
        .send()
        .await
        .unwrap();

    let text = r#"{"default":"{\"a\":\"<&>\"}","email":"readable"}"#;
    let call = clients.sns.publish().topic_arn(&topic).subject("ALARM: \"x\" in US East (N. Virginia)");
    let published = call.message(text).message_structure("json").send().await.unwrap();
    let inbox = simulator.control().receive("inbox", 10);
    let envelope: Value = serde_json::from_str(&inbox[0].body).unwrap();
    assert_eq!(envelope["Message"], "{\"a\":\"<&>\"}");
    assert_eq!(envelope["Subject"], "ALARM: \"x\" in US East (N. Virginia)");
    assert_eq!(envelope["MessageId"], published.message_id().unwrap());
    assert_eq!(watch.recv().await.unwrap().message, text);
    assert_eq!(simulator.control().published().len(), 1);

    let listed = clients.sns.list_topics().send().await.unwrap();
    assert_eq!(listed.topics()[0].topic_arn(), Some(topic.as_str()));
    let subscriptions = clients.sns.list_subscriptions_by_topic().topic_arn(&topic).send().await.unwrap();
    assert_eq!(subscriptions.subscriptions().len(), 2);
    let attributes =
        clients.sns.get_topic_attributes().topic_arn(&topic).send().await.unwrap().attributes.unwrap();
    assert_eq!(attributes["SubscriptionsConfirmed"], "2");
    simulator.stop().await;
}

#[tokio::test]
async fn what_sns_refuses_is_refused() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let topic = simulator.control().create_topic("alerts");
    let publish = || clients.sns.publish().topic_arn(&topic).message("m");
    let long = publish().message("x".repeat(262_145)).send().await.unwrap_err().into_service_error();
    assert!(long.is_invalid_parameter_exception(), "{long:?}");
    assert!(publish().message("x".repeat(262_144)).send().await.is_ok());
    assert!(publish().subject("x".repeat(101)).send().await.is_err());
    assert!(publish().message_structure("json").send().await.is_err());
    let nowhere = clients.sns.publish().topic_arn("arn:aws:sns:us-east-1:123456789012:none").message("m");
    assert!(nowhere.send().await.unwrap_err().into_service_error().is_not_found_exception());
    let far = clients
        .sns
        .subscribe()
        .topic_arn(&topic)
        .protocol("http")
        .endpoint("http://example.com/")
        .send()
        .await;
    assert_eq!(far.unwrap_err().into_service_error().code(), Some("InvalidParameter"));
    assert_eq!(simulator.control().published().len(), 1);
    simulator.stop().await;
}

#[tokio::test]
async fn a_fifo_topic_swallows_a_duplicate_and_keeps_its_group() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let topic = simulator.control().create_topic("alerts.fifo");
    simulator.control().create_queue("inbox.fifo", &[("FifoQueue", "true")], &[]);
    let subscribe = clients.sns.subscribe().topic_arn(&topic).protocol("sqs");
    subscribe.endpoint(simulator.control().queue_arn("inbox.fifo")).send().await.unwrap();
    let publish = || clients.sns.publish().topic_arn(&topic).message("m").message_group_id("alarm");
    let first = publish().message_deduplication_id("1").send().await.unwrap();
    assert!(first.sequence_number().is_some());
    let second = publish().message_deduplication_id("1").send().await.unwrap();
    assert_eq!(first.message_id(), second.message_id());
    assert!(clients.sns.publish().topic_arn(&topic).message("m").send().await.is_err(), "no group");
    assert_eq!(simulator.control().receive("inbox.fifo", 10).len(), 1);
    simulator.stop().await;
}

type Inbox = Arc<Mutex<Vec<(HeaderMap, String)>>>;

#[tokio::test]
async fn an_http_subscriber_on_loopback_is_called() {
    let (arrived, mut arrivals) = tokio::sync::mpsc::channel(1);
    let inbox = Inbox::default();
    let hook = async move |State(inbox): State<Inbox>, headers: HeaderMap, body: String| {
        inbox.lock().unwrap().push((headers, body));
        arrived.send(()).await.unwrap();
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(hook)).with_state(inbox.clone());
    let server = tokio::spawn(axum::serve(listener, router).into_future());

    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let topic = simulator.control().create_topic("alerts");
    clients.sns.subscribe().topic_arn(&topic).protocol("http").endpoint(url).send().await.unwrap();
    clients.sns.publish().topic_arn(&topic).message("hello").send().await.unwrap();
    arrivals.recv().await.unwrap();
    let (headers, body) = inbox.lock().unwrap().remove(0);
    assert_eq!(headers["x-amz-sns-message-type"], "Notification");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["Message"], "hello");
    simulator.stop().await;
    server.abort();
}
