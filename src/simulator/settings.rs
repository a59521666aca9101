//! A queue's settings: the attributes that a client may set, their defaults and ranges.
//!
//! Ranges and defaults: SQS API reference, SetQueueAttributes. Attributes that change nothing in the simulator
//! (policies, encryption) are kept and given back as they came.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refusal;

/// The settings of one queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `VisibilityTimeout`, 0 to 43,200 s.
    pub visibility_timeout: u32,
    /// `DelaySeconds`, 0 to 900 s.
    pub delay: u32,
    /// `MessageRetentionPeriod`, 60 to 1,209,600 s.
    pub retention: u32,
    /// `MaximumMessageSize`, 1,024 to 1,048,576 bytes.
    pub maximum_message_size: u32,
    /// `ReceiveMessageWaitTimeSeconds`, 0 to 20 s.
    pub receive_wait: u32,
    /// `FifoQueue`; fixed at creation.
    pub fifo: bool,
    /// `RedrivePolicy`, if there is one.
    pub redrive: Option<Redrive>,
    /// Every other attribute, as it came.
    pub others: BTreeMap<&'static str, String>,
}

/// A `RedrivePolicy`, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Redrive {
    /// ARN of the dead-letter queue.
    pub target_arn: String,
    /// Receives after which a message is moved.
    pub max_receive_count: u32,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedriveText {
    dead_letter_target_arn: String,
    max_receive_count: Value,
}

const KEPT: [&str; 7] = [
    "Policy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

impl Settings {
    /// The defaults of a new queue.
    pub fn new(fifo: bool) -> Self {
        let mut others = BTreeMap::from([("SqsManagedSseEnabled", "true".to_owned())]);
        if fifo {
            others.insert("ContentBasedDeduplication", "false".to_owned());
            others.insert("DeduplicationScope", "queue".to_owned());
            others.insert("FifoThroughputLimit", "perQueue".to_owned());
        }
        Settings {
            visibility_timeout: 30,
            delay: 0,
            retention: 345_600,
            maximum_message_size: 1_048_576,
            receive_wait: 0,
            fifo,
            redrive: None,
            others,
        }
    }

    /// Sets one attribute; refuses a name SQS does not have and a value out of its range.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "VisibilityTimeout" => self.visibility_timeout = number(name, value, 0, 43_200)?,
            "DelaySeconds" => self.delay = number(name, value, 0, 900)?,
            "MessageRetentionPeriod" => self.retention = number(name, value, 60, 1_209_600)?,
            "MaximumMessageSize" => self.maximum_message_size = number(name, value, 1_024, 1_048_576)?,
            "ReceiveMessageWaitTimeSeconds" => self.receive_wait = number(name, value, 0, 20)?,
            "RedrivePolicy" => self.redrive = redrive(value)?,
            "FifoQueue" if value.parse() == Ok(self.fifo) => {}
            "ContentBasedDeduplication" if self.fifo => {
                value.parse::<bool>().map_err(|_| invalid(name, value))?;
                self.others.insert("ContentBasedDeduplication", value.to_owned());
            }
            "FifoQueue" | "ContentBasedDeduplication" => return Err(invalid(name, value)),
            _ => self.keep(name, value)?,
        }
        Ok(())
    }

    fn keep(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let Some(name) = KEPT.iter().find(|kept| **kept == name) else { return Err(unknown_attribute(name)) };
        if value.is_empty() {
            self.others.remove(name);
        } else {
            self.others.insert(name, value.to_owned());
        }
        Ok(())
    }

    /// Whether a message's deduplication id may be left out.
    pub fn deduplicates_by_content(&self) -> bool {
        self.others.get("ContentBasedDeduplication").is_some_and(|value| value == "true")
    }

    /// Whether deduplication ids are told apart by message group.
    pub fn deduplicates_by_group(&self) -> bool {
        self.others.get("DeduplicationScope").is_some_and(|value| value == "messageGroup")
    }

    /// Every setting as GetQueueAttributes writes it.
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        let mut entries = vec![
            ("VisibilityTimeout", self.visibility_timeout.to_string()),
            ("DelaySeconds", self.delay.to_string()),
            ("MessageRetentionPeriod", self.retention.to_string()),
            ("MaximumMessageSize", self.maximum_message_size.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.receive_wait.to_string()),
        ];
        if self.fifo {
            entries.push(("FifoQueue", "true".to_owned()));
        }
        if let Some(redrive) = &self.redrive {
            entries.push(("RedrivePolicy", redrive.text.clone()));
        }
        entries.extend(self.others.iter().map(|(name, value)| (*name, value.clone())));
        entries
    }
}

/// The refusal of an attribute that SQS does not know.
pub fn unknown_attribute(name: &str) -> Refusal {
    let message = format!("Unknown Attribute {name}.");
    Refusal::new("com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName", message)
}

fn invalid(name: &str, value: &str) -> Refusal {
    let message = format!("Invalid value for the parameter {name}. Reason: `{value}` is not allowed.");
    Refusal::new("com.amazonaws.sqs#InvalidAttributeValue", "InvalidAttributeValue", message)
}

fn number(name: &str, value: &str, least: u32, most: u32) -> Result<u32, Refusal> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| invalid(name, value))
}

fn redrive(value: &str) -> Result<Option<Redrive>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    let refused = || invalid("RedrivePolicy", value);
    let policy: RedriveText = serde_json::from_str(value).map_err(|_| refused())?;
    // SQS takes the count as a number and as a string.
    let count = match &policy.max_receive_count {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let max_receive_count = count.filter(|count| (1..=1_000).contains(count)).ok_or_else(refused)? as u32;
    Ok(Some(Redrive { target_arn: policy.dead_letter_target_arn, max_receive_count, text: value.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        for (name, value) in [
            ("VisibilityTimeout", "43201"),
            ("MessageRetentionPeriod", "59"),
            ("DelaySeconds", "-1"),
            ("ReceiveMessageWaitTimeSeconds", "soon"),
            ("RedrivePolicy", "{}"),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"a","maxReceiveCount":0}"#),
            ("FifoQueue", "true"),
            ("ContentBasedDeduplication", "true"),
            ("Colour", "red"),
        ] {
            assert!(Settings::new(false).set(name, value).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn a_redrive_policy_is_read_with_either_kind_of_count_and_removed_by_nothing() {
        let mut settings = Settings::new(false);
        for count in ["3", "\"3\""] {
            let text = format!(r#"{{"deadLetterTargetArn":"arn:dlq","maxReceiveCount":{count}}}"#);
            settings.set("RedrivePolicy", &text).unwrap();
            assert_eq!(settings.redrive.as_ref().unwrap().max_receive_count, 3);
        }
        settings.set("RedrivePolicy", "").unwrap();
        assert_eq!(settings.redrive, None);
    }
}
