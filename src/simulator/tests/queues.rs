//! aws-sdk-sqs and aws-sdk-sts.

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{Clients, simulator};

async fn create(clients: &Clients, name: &str, attributes: &[(QueueAttributeName, &str)]) -> String {
    let mut call = clients.sqs.create_queue().queue_name(name);
    for (attribute, value) in attributes {
        call = call.attributes(attribute.clone(), *value);
    }
    call.send().await.unwrap().queue_url.unwrap()
}

async fn attribute(clients: &Clients, url: &str, name: QueueAttributeName) -> Option<String> {
    let call = clients.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
    call.send().await.unwrap().attributes.unwrap_or_default().remove(&name)
}

#[tokio::test]
async fn a_message_lives_its_life() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let url = create(&clients, "orders", &[(QueueAttributeName::VisibilityTimeout, "120")]).await;
    assert_eq!(url, simulator.control().queue_url("orders"));

    let value = MessageAttributeValue::builder().data_type("String").string_value("red").build().unwrap();
    let call =
        clients.sqs.send_message().queue_url(&url).message_body("héllo").message_attributes("colour", value);
    let sent = call.send().await.unwrap();
    assert_eq!(
        attribute(&clients, &url, QueueAttributeName::ApproximateNumberOfMessages).await.unwrap(),
        "1"
    );

    let call = clients.sqs.receive_message().queue_url(&url).message_attribute_names("All");
    let call =
        call.message_system_attribute_names(MessageSystemAttributeName::All).max_number_of_messages(10);
    let received = call.send().await.unwrap().messages.unwrap();
    let message = &received[0];
    assert_eq!(message.body(), Some("héllo"));
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let attributes = message.attributes().unwrap();
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    let in_flight = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    assert_eq!(attribute(&clients, &url, in_flight.clone()).await.unwrap(), "1");

    let handle = message.receipt_handle().unwrap();
    clients
        .sqs
        .change_message_visibility()
        .queue_url(&url)
        .receipt_handle(handle)
        .visibility_timeout(60)
        .send()
        .await
        .unwrap();
    clients.sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
    assert_eq!(attribute(&clients, &url, in_flight).await.unwrap(), "0");
    assert!(clients.sqs.receive_message().queue_url(&url).send().await.unwrap().messages.is_none());

    clients.sqs.delete_queue().queue_url(&url).send().await.unwrap();
    let gone =
        clients.sqs.get_queue_attributes().queue_url(&url).send().await.unwrap_err().into_service_error();
    assert!(gone.is_queue_does_not_exist(), "{gone:?}");
    simulator.stop().await;
}

#[tokio::test]
async fn batches_purges_and_waits() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let url = create(&clients, "orders", &[]).await;
    let entry = |id: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(id).build().unwrap();
    let call = clients.sqs.send_message_batch().queue_url(&url).entries(entry("a")).entries(entry("b"));
    assert_eq!(call.send().await.unwrap().successful().len(), 2);
    let twice = clients.sqs.send_message_batch().queue_url(&url).entries(entry("a")).entries(entry("a"));
    assert!(twice.send().await.unwrap_err().into_service_error().is_batch_entry_ids_not_distinct());

    clients.sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(
        attribute(&clients, &url, QueueAttributeName::ApproximateNumberOfMessages).await.unwrap(),
        "0"
    );
    let again = clients.sqs.purge_queue().queue_url(&url).send().await.unwrap_err().into_service_error();
    assert!(again.is_purge_queue_in_progress());

    let waiting = clients.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let control = simulator.control().clone();
    let (received, _) = tokio::join!(waiting, async { control.send("orders", "late") });
    assert_eq!(received.unwrap().messages()[0].body(), Some("late"));
    simulator.stop().await;
}

#[tokio::test]
async fn poison_reaches_the_dead_letter_queue() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let dead_letters = create(&clients, "orders-dlq", &[]).await;
    let arn = attribute(&clients, &dead_letters, QueueAttributeName::QueueArn).await.unwrap();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"2"}}"#);
    let attributes =
        [(QueueAttributeName::RedrivePolicy, policy.as_str()), (QueueAttributeName::VisibilityTimeout, "0")];
    let url = create(&clients, "orders", &attributes).await;

    let sources = clients.sqs.list_dead_letter_source_queues().queue_url(&dead_letters).send().await.unwrap();
    assert_eq!(sources.queue_urls(), std::slice::from_ref(&url));
    simulator.control().send("orders", "poison");
    for expected in [1, 1, 0] {
        let received = clients.sqs.receive_message().queue_url(&url).send().await.unwrap();
        assert_eq!(received.messages().len(), expected);
    }
    let call = clients.sqs.receive_message().queue_url(&dead_letters);
    let dead = call.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap();
    let source =
        &dead.messages()[0].attributes().unwrap()[&MessageSystemAttributeName::DeadLetterQueueSourceArn];
    assert_eq!(source, &simulator.control().queue_arn("orders"));
    simulator.stop().await;
}

#[tokio::test]
async fn queues_are_listed_in_pages_only_when_asked() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    for number in 0..1_001 {
        simulator.control().create_queue(&format!("q-{number:04}"), &[], &[]);
    }
    let all = clients.sqs.list_queues().send().await.unwrap();
    assert_eq!((all.queue_urls().len(), all.next_token()), (1_000, None), "as AWS does without MaxResults");
    let prefixed = clients.sqs.list_queues().queue_name_prefix("q-100").send().await.unwrap();
    assert_eq!(prefixed.queue_urls().len(), 1);
    let mut pages = clients.sqs.list_queues().max_results(400).into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().queue_urls().len());
    }
    assert_eq!(sizes, [400, 400, 201]);
    assert!(clients.sqs.list_queues().max_results(1_001).send().await.is_err());
    simulator.stop().await;
}

#[tokio::test]
async fn tags_and_settings_can_be_changed() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    simulator.control().create_queue("a", &[("DelaySeconds", "7")], &[("team", "x")]);
    let url = simulator.control().queue_url("a");
    assert_eq!(
        clients.sqs.get_queue_url().queue_name("a").send().await.unwrap().queue_url(),
        Some(url.as_str())
    );
    clients.sqs.tag_queue().queue_url(&url).tags("service", "s").send().await.unwrap();
    clients.sqs.untag_queue().queue_url(&url).tag_keys("team").send().await.unwrap();
    let tags = clients.sqs.list_queue_tags().queue_url(&url).send().await.unwrap().tags.unwrap();
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("service".to_owned(), "s".to_owned())]);
    let set = clients.sqs.set_queue_attributes().queue_url(&url);
    set.attributes(QueueAttributeName::DelaySeconds, "8").send().await.unwrap();
    assert_eq!(attribute(&clients, &url, QueueAttributeName::DelaySeconds).await.unwrap(), "8");
    let unknown = clients.sqs.get_queue_attributes().queue_url(&url).attribute_names("Colour".into());
    assert!(unknown.send().await.unwrap_err().into_service_error().is_invalid_attribute_name());
    simulator.control().set_counts("a", 5, 4, 3);
    assert_eq!(
        attribute(&clients, &url, QueueAttributeName::ApproximateNumberOfMessagesDelayed).await.unwrap(),
        "3"
    );
    simulator.stop().await;
}

#[tokio::test]
async fn regions_and_accounts_have_their_own_queues() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    create(&clients, "here", &[]).await;
    let role = "arn:aws:iam::210987654321:role/sqswatch";
    let assumed = clients.sts.assume_role().role_arn(role).role_session_name("test").send().await.unwrap();
    let access_key = assumed.credentials.unwrap().access_key_id;
    let other = Clients::with(&simulator, &access_key, "us-east-1");
    let identity = other.sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("210987654321"));
    assert_eq!(identity.arn(), Some("arn:aws:sts::210987654321:assumed-role/sqswatch/test"));
    assert!(other.sqs.list_queues().send().await.unwrap().queue_urls().is_empty());
    let foreign = other.sqs.purge_queue().queue_url(simulator.control().queue_url("here")).send().await;
    assert_eq!(foreign.unwrap_err().into_service_error().code(), Some("AccessDenied"));

    let elsewhere = Clients::with(&simulator, "AKIAIOSFODNN7EXAMPLE", "eu-west-1");
    assert!(elsewhere.sqs.list_queues().send().await.unwrap().queue_urls().is_empty());
    let url = create(&elsewhere, "there", &[]).await;
    let arn = attribute(&elsewhere, &url, QueueAttributeName::QueueArn).await.unwrap();
    assert_eq!(arn, "arn:aws:sqs:eu-west-1:123456789012:there");
    simulator.stop().await;
}
