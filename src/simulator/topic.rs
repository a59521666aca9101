//! Topics and their subscriptions, and the envelope in which a message reaches a subscriber.
//!
//! What is checked at Publish, and the words of the refusals: SNS API reference and the service's own answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::clock::Millis;
use super::message::MessageAttribute;
use super::refusal::Refusal;

/// Bytes of a message at most.
const MAX_MESSAGE: usize = 262_144;
const MAX_SUBJECT: usize = 100;

/// A topic.
#[derive(Clone, Debug, Default)]
pub struct Topic {
    /// ARN.
    pub arn: String,
    /// Attributes as they were set; `FifoTopic` decides.
    pub attributes: BTreeMap<String, String>,
    /// Subscriptions in order of their creation.
    pub subscriptions: Vec<Subscription>,
    /// FIFO: message ids by deduplication id, with the end of their five minutes.
    pub deduplicated: BTreeMap<String, (Millis, String)>,
    /// Messages published.
    pub messages: u64,
}

/// One subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// ARN.
    pub arn: String,
    /// `sqs`, `http` or `email`.
    pub protocol: String,
    /// ARN of the queue, URL, or address.
    pub endpoint: String,
    /// Whether the bare message is delivered instead of the envelope.
    pub raw: bool,
}

/// A message published to a topic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// The topic.
    pub topic_arn: String,
    /// Its id.
    pub message_id: String,
    /// Subject.
    pub subject: Option<String>,
    /// The message as it was published: with the structure `json`, the whole object.
    pub message: String,
    /// `json`, or nothing.
    pub message_structure: Option<String>,
    /// FIFO: message group.
    pub message_group_id: Option<String>,
    /// FIFO: deduplication id.
    pub message_deduplication_id: Option<String>,
    /// Attributes.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// When, in milliseconds since the epoch.
    pub at: Millis,
}

impl Topic {
    /// Whether it is a FIFO topic.
    pub fn is_fifo(&self) -> bool {
        self.attributes.get("FifoTopic").is_some_and(|value| value == "true")
    }
}

impl Published {
    /// Refuses what SNS would.
    pub fn check(&self, fifo: bool) -> Result<(), Refusal> {
        if self.message.is_empty() {
            return Err(invalid("Empty message"));
        }
        if self.message.len() > MAX_MESSAGE {
            return Err(invalid("Message too long"));
        }
        if let Some(subject) = &self.subject {
            check_subject(subject)?;
        }
        self.check_structure()?;
        match (fifo, &self.message_group_id) {
            (true, None) => Err(invalid("The MessageGroupId parameter is required for FIFO topics")),
            _ => Ok(()),
        }
    }

    fn check_structure(&self) -> Result<(), Refusal> {
        match self.message_structure.as_deref() {
            None => Ok(()),
            Some("json") => {
                let message: Value = serde_json::from_str(&self.message)
                    .map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
                let default = message.get("default").filter(|default| default.is_string());
                default
                    .map(drop)
                    .ok_or_else(|| invalid("Message Structure - No default entry in JSON message body"))
            }
            Some(_) => Err(invalid("MessageStructure")),
        }
    }

    /// What a subscriber of `protocol` gets to read.
    pub fn text_for(&self, protocol: &str) -> String {
        if self.message_structure.is_none() {
            return self.message.clone();
        }
        let message: Value = serde_json::from_str(&self.message).unwrap_or_default();
        let text = message.get(protocol).or_else(|| message.get("default")).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    /// The notification as SNS wraps it for SQS and HTTP subscribers.
    pub fn envelope(&self, protocol: &str) -> String {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": self.message_id,
            "TopicArn": self.topic_arn,
            "Message": self.text_for(protocol),
            "Timestamp": timestamp(self.at),
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0000.pem",
            "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        });
        if let Some(subject) = &self.subject {
            envelope["Subject"] = subject.as_str().into();
        }
        for (name, attribute) in &self.attributes {
            let value = attribute.string_value.as_ref().or(attribute.binary_value.as_ref());
            envelope["MessageAttributes"][name] = json!({"Type": attribute.data_type, "Value": value});
        }
        envelope.to_string()
    }
}

fn check_subject(subject: &str) -> Result<(), Refusal> {
    let printable = subject.chars().all(|character| character.is_ascii() && !character.is_ascii_control());
    if subject.is_empty() || subject.len() > MAX_SUBJECT || !printable || subject.starts_with(' ') {
        return Err(invalid("Subject"));
    }
    Ok(())
}

/// SNS's refusal of a parameter.
pub fn invalid(what: &str) -> Refusal {
    let message = format!("Invalid parameter: {what}");
    Refusal::new("InvalidParameterException", "InvalidParameter", message)
}

/// `2026-01-02T03:04:05.678Z`.
pub fn timestamp(at: Millis) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Published {
        Published {
            topic_arn: "arn:aws:sns:us-east-1:123456789012:alerts".into(),
            message_id: "id".into(),
            subject: None,
            message: text.into(),
            message_structure: None,
            message_group_id: None,
            message_deduplication_id: None,
            attributes: BTreeMap::new(),
            at: 1_767_323_045_678,
        }
    }

    #[test]
    fn limits_are_those_of_sns() {
        let with_subject = |subject: &str| Published { subject: Some(subject.into()), ..message("m") };
        let json = |text: &str| Published { message_structure: Some("json".into()), ..message(text) };
        assert!(message(&"x".repeat(MAX_MESSAGE)).check(false).is_ok());
        assert!(message(&"x".repeat(MAX_MESSAGE + 1)).check(false).is_err());
        assert!(message("").check(false).is_err());
        assert!(with_subject(&"x".repeat(100)).check(false).is_ok());
        assert!(with_subject(&"x".repeat(101)).check(false).is_err());
        assert!(with_subject("über").check(false).is_err());
        assert!(with_subject("two\nlines").check(false).is_err());
        assert!(json(r#"{"default":"d"}"#).check(false).is_ok());
        assert!(json(r#"{"email":"d"}"#).check(false).is_err());
        assert!(json("{").check(false).is_err());
        assert!(message("m").check(true).is_err(), "a FIFO topic needs a group");
    }

    #[test]
    fn each_protocol_reads_its_own_text() {
        let text = r#"{"default":"d","email":"e"}"#;
        let message = Published { message_structure: Some("json".into()), ..message(text) };
        assert_eq!((message.text_for("email"), message.text_for("sqs")), ("e".into(), "d".into()));
        let envelope: Value = serde_json::from_str(&message.envelope("sqs")).unwrap();
        assert_eq!(envelope["Message"], "d");
        assert_eq!(envelope["Timestamp"], "2026-01-02T03:04:05.678Z");
    }
}
