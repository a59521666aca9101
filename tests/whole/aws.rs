//! What a test does to a peer as the applications around sqswatch would: queues, topics, messages, datapoints.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::QueueAttributeName;

use crate::eventually::eventually;

/// Where all tests put their queues.
pub const REGION: &str = "us-east-1";

/// Clients of one peer, with an identity of its own.
pub struct Clients {
    pub sqs: aws_sdk_sqs::Client,
    pub sns: aws_sdk_sns::Client,
    pub cloudwatch: aws_sdk_cloudwatch::Client,
}

impl Clients {
    pub async fn new(url: &str) -> Self {
        let config: SdkConfig = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(url)
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await;
        Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
        }
    }

    /// Makes a queue whose messages stay visible while they are worked on, so that they fail quickly; returns its URL.
    pub async fn queue(&self, name: &str, redrive: Option<String>) -> String {
        let request =
            self.sqs.create_queue().queue_name(name).attributes(QueueAttributeName::VisibilityTimeout, "0");
        let request = match redrive {
            Some(policy) => request.attributes(QueueAttributeName::RedrivePolicy, policy),
            None => request,
        };
        request.send().await.unwrap().queue_url.unwrap()
    }

    /// Makes `name` with its dead-letter queue `name-dlq` after two receives; returns both URLs.
    pub async fn queue_with_dead_letters(&self, name: &str) -> (String, String) {
        let dead = self.queue(&format!("{name}-dlq"), None).await;
        let arn = self.arn(&dead).await;
        let policy = serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 2 }).to_string();
        (self.queue(name, Some(policy)).await, dead)
    }

    pub async fn arn(&self, queue: &str) -> String {
        let request =
            self.sqs.get_queue_attributes().queue_url(queue).attribute_names(QueueAttributeName::QueueArn);
        let attributes = request.send().await.unwrap().attributes.unwrap();
        attributes[&QueueAttributeName::QueueArn].clone()
    }

    pub async fn send(&self, queue: &str, count: usize) {
        for number in 0..count {
            self.sqs
                .send_message()
                .queue_url(queue)
                .message_body(format!("order {number}"))
                .send()
                .await
                .unwrap();
        }
    }

    /// Receives from `queue` without ever deleting, as a broken consumer does, until `dead` holds `count` messages.
    pub async fn fail_until_dead(&self, queue: &str, dead: &str, count: u64) {
        eventually("the messages land in the dead-letter queue", async || {
            let receive =
                self.sqs.receive_message().queue_url(queue).max_number_of_messages(10).visibility_timeout(0);
            receive.send().await.map_err(|error| format!("{error:?}"))?;
            let depth = self.depth(dead).await;
            if depth == count { Ok(()) } else { Err(format!("{depth} of {count} are there")) }
        })
        .await;
    }

    pub async fn depth(&self, queue: &str) -> u64 {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.sqs.get_queue_attributes().queue_url(queue).attribute_names(name.clone());
        request.send().await.unwrap().attributes.unwrap()[&name].parse().unwrap()
    }

    /// Says for each of the last ten minutes what AWS would say of the age of the oldest message.
    pub async fn put_age(&self, queue: &str, seconds: f64) {
        for minutes in 1..=10 {
            let at = SystemTime::now() - Duration::from_secs(60 * minutes);
            let datum = MetricDatum::builder()
                .metric_name("ApproximateAgeOfOldestMessage")
                .dimensions(Dimension::builder().name("QueueName").value(queue).build())
                .timestamp(at.into())
                .unit(StandardUnit::Seconds)
                .value(seconds)
                .build();
            self.cloudwatch.put_metric_data().namespace("AWS/SQS").metric_data(datum).send().await.unwrap();
        }
    }

    /// Makes a topic and a queue that gets what is published there; returns the topic's ARN and the queue's URL.
    pub async fn topic_with_inbox(&self, name: &str) -> (String, String) {
        let topic = self.sns.create_topic().name(name).send().await.unwrap().topic_arn.unwrap();
        let inbox = self.queue(&format!("{name}-inbox"), None).await;
        let arn = self.arn(&inbox).await;
        self.sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn).send().await.unwrap();
        (topic, inbox)
    }

    /// The same with a FIFO topic and queue.
    pub async fn fifo_topic_with_inbox(&self, name: &str) -> (String, String) {
        let topic = self.sns.create_topic().name(format!("{name}.fifo")).attributes("FifoTopic", "true");
        let topic = topic.send().await.unwrap().topic_arn.unwrap();
        let inbox = self.sqs.create_queue().queue_name(format!("{name}-inbox.fifo"));
        let inbox = inbox.attributes(QueueAttributeName::FifoQueue, "true").send().await.unwrap();
        let inbox = inbox.queue_url.unwrap();
        let arn = self.arn(&inbox).await;
        self.sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn).send().await.unwrap();
        (topic, inbox)
    }

    /// The next message of a queue that is subscribed to a topic, taken off it: its subject and its content.
    pub async fn next_page(&self, inbox: &str) -> (String, serde_json::Value) {
        let (subject, text) = self.next_page_text(inbox).await;
        (subject, serde_json::from_str(&text).unwrap())
    }

    /// The same with the content as it was sent.
    pub async fn next_page_text(&self, inbox: &str) -> (String, String) {
        eventually("a page arrives", async || {
            let receive =
                self.sqs.receive_message().queue_url(inbox).wait_time_seconds(1).visibility_timeout(60);
            let answer = receive.send().await.map_err(|error| format!("{error:?}"))?;
            let message =
                answer.messages.unwrap_or_default().pop().ok_or_else(|| "the queue is empty".to_owned())?;
            let receipt = message.receipt_handle.unwrap();
            self.sqs.delete_message().queue_url(inbox).receipt_handle(receipt).send().await.unwrap();
            let envelope: serde_json::Value = serde_json::from_str(&message.body.unwrap()).unwrap();
            let content = envelope["Message"].as_str().unwrap().to_owned();
            Ok::<_, String>((envelope["Subject"].as_str().unwrap_or_default().to_owned(), content))
        })
        .await
    }
}
