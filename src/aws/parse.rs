//! What GetQueueAttributes answers, read tolerantly: AWS and the servers that imitate it differ in small things.
//!
//! An attribute that is not there is unknown; one that makes no sense is unknown as well, and said to be garbled.

mod policy;

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName as Name;

use crate::domain::queue::{Depth, QueueId, RedrivePolicy, Settings};
use crate::domain::time::Timestamp;

type Attributes = HashMap<Name, String>;

/// Reads an answer piece by piece and remembers whether one made no sense.
#[derive(Debug)]
pub struct Parser<'a> {
    attributes: Option<&'a Attributes>,
    /// Whether something was there that could not be read, or a count was not there.
    pub garbled: bool,
}

impl<'a> Parser<'a> {
    /// A parser of one answer.
    pub fn new(attributes: Option<&'a Attributes>) -> Self {
        Self { attributes, garbled: false }
    }

    /// The three counts. Asked for always, so that one that is not there is garbled too.
    pub fn depth(&mut self) -> Depth {
        let mut count = |name: Name| {
            self.garbled |= self.text(&name).is_none();
            self.number(name)
        };
        Depth {
            visible: count(Name::ApproximateNumberOfMessages),
            in_flight: count(Name::ApproximateNumberOfMessagesNotVisible),
            delayed: count(Name::ApproximateNumberOfMessagesDelayed),
        }
    }

    /// The settings of the queue `id`.
    pub fn settings(&mut self, id: &QueueId) -> Settings {
        Settings {
            retention_seconds: self.number(Name::MessageRetentionPeriod),
            visibility_timeout_seconds: self.number(Name::VisibilityTimeout),
            delay_seconds: self.number(Name::DelaySeconds),
            receive_wait_seconds: self.number(Name::ReceiveMessageWaitTimeSeconds),
            maximum_message_bytes: self.number(Name::MaximumMessageSize),
            encrypted: self.encrypted(),
            public: self.public(),
            redrive: self.redrive(id),
            created_at: self.instant(Name::CreatedTimestamp),
            modified_at: self.instant(Name::LastModifiedTimestamp),
        }
    }

    fn text(&self, name: &Name) -> Option<&'a str> {
        self.attributes?.get(name).map(String::as_str)
    }

    fn number(&mut self, name: Name) -> Option<u64> {
        let text = self.text(&name)?.trim();
        let number = text.parse().ok().or_else(|| whole(text));
        self.garbled |= number.is_none();
        number
    }

    /// Seconds since the epoch, with a fraction from some servers.
    fn instant(&mut self, name: Name) -> Option<Timestamp> {
        let seconds = self.text(&name)?.trim().parse().ok().filter(|seconds| (0.0..1e11).contains(seconds));
        self.garbled |= seconds.is_none();
        seconds.map(|seconds: f64| Timestamp::from_millis((seconds * 1000.0).round() as i64))
    }

    fn encrypted(&self) -> Option<bool> {
        let by_kms = self.text(&Name::KmsMasterKeyId).map(|key| !key.is_empty());
        let by_sqs =
            self.text(&Name::SqsManagedSseEnabled).map(|enabled| enabled.eq_ignore_ascii_case("true"));
        match (by_kms, by_sqs) {
            (None, None) => None,
            _ => Some(by_kms == Some(true) || by_sqs == Some(true)),
        }
    }

    /// A queue without a policy is open to its own account only.
    fn public(&mut self) -> Option<bool> {
        // Nothing was told at all: then nothing is known of a policy either.
        self.attributes.filter(|told| !told.is_empty())?;
        let Some(text) = self.text(&Name::Policy).filter(|text| !text.trim().is_empty()) else {
            return Some(false);
        };
        let public = policy::is_public(text);
        self.garbled |= public.is_none();
        public
    }

    fn redrive(&mut self, id: &QueueId) -> Option<RedrivePolicy> {
        let text = self.text(&Name::RedrivePolicy).filter(|text| !text.trim().is_empty())?;
        let policy = redrive(text, id);
        self.garbled |= policy.is_none();
        policy
    }
}

/// A dead-letter queue is of its source's account and region (AWS demands it), so only its name is taken from the ARN:
/// servers that imitate AWS write a region of their own there.
fn redrive(text: &str, id: &QueueId) -> Option<RedrivePolicy> {
    let policy: serde_json::Value = serde_json::from_str(text).ok()?;
    let arn = policy.get("deadLetterTargetArn")?.as_str()?;
    let count = policy.get("maxReceiveCount")?;
    let count = count.as_u64().or_else(|| count.as_str()?.trim().parse().ok())?;
    let name = QueueId::from_arn(arn)?.name;
    Some(RedrivePolicy {
        dead_letter_queue: QueueId::new(id.account.clone(), id.region.clone(), name),
        max_receive_count: u32::try_from(count).ok()?,
    })
}

fn whole(text: &str) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    (number >= 0.0 && number.fract() == 0.0 && number < 1e18).then_some(number as u64)
}

/// The account and name that a queue's URL tells: `.../ACCOUNT/NAME` or, from some servers, `.../queue/NAME`.
pub fn url(url: &str) -> Option<(Option<&str>, &str)> {
    let (_, rest) = url.split_once("://")?;
    let mut segments = rest.split('?').next()?.trim_end_matches('/').rsplit('/');
    let name = segments.next().filter(|name| !name.is_empty())?;
    let place = segments.next()?;
    let is_account = place.len() == 12 && place.bytes().all(|byte| byte.is_ascii_digit());
    Some((is_account.then_some(place), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> QueueId {
        QueueId::new("123456789012", "eu-west-1", "orders")
    }

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| (Name::from(*name), (*value).to_owned())).collect()
    }

    #[test]
    fn counts_that_are_no_counts_are_unknown_and_garbled() {
        for (text, expected) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("12.0", Some(12)),
            ("-1", None),
            ("1.5", None),
            ("many", None),
            ("", None),
            ("NaN", None),
            ("1e300", None),
            ("99999999999999999999999", None),
        ] {
            let answer = attributes(&[
                ("ApproximateNumberOfMessages", text),
                ("ApproximateNumberOfMessagesNotVisible", "1"),
                ("ApproximateNumberOfMessagesDelayed", "2"),
            ]);
            let mut parser = Parser::new(Some(&answer));
            let depth = Depth { visible: expected, in_flight: Some(1), delayed: Some(2) };
            assert_eq!(parser.depth(), depth, "{text:?}");
            assert_eq!(parser.garbled, expected.is_none(), "{text:?}");
        }
        let mut nothing = Parser::new(None);
        assert_eq!(nothing.depth(), Depth::default());
        assert!(nothing.garbled);
    }

    #[test]
    fn settings_are_read_as_aws_and_as_its_imitators_write_them() {
        let redrive = |count: &str| {
            format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:elasticmq:0:orders-dlq","maxReceiveCount":{count}}}"#
            )
        };
        for count in ["3", "\"3\""] {
            let answer = attributes(&[
                ("MessageRetentionPeriod", "345600"),
                ("CreatedTimestamp", "1795297776.84"),
                ("SqsManagedSseEnabled", "true"),
                ("RedrivePolicy", &redrive(count)),
                ("SomethingNew", "x"),
            ]);
            let mut parser = Parser::new(Some(&answer));
            let settings = parser.settings(&id());
            assert!(!parser.garbled);
            assert_eq!(settings.retention_seconds, Some(345_600));
            assert_eq!(settings.visibility_timeout_seconds, None);
            assert_eq!(settings.created_at, Some(Timestamp::from_millis(1_795_297_776_840)));
            assert_eq!(settings.encrypted, Some(true));
            let policy = settings.redrive.unwrap();
            assert_eq!(policy.dead_letter_queue, QueueId { name: "orders-dlq".into(), ..id() });
            assert_eq!(policy.max_receive_count, 3);
        }
    }

    #[test]
    fn a_setting_that_makes_no_sense_is_unknown() {
        for (name, value) in [
            ("RedrivePolicy", "{"),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"orders-dlq","maxReceiveCount":3}"#),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:aws:sqs:x:1:q","maxReceiveCount":-3}"#),
            ("CreatedTimestamp", "yesterday"),
            ("CreatedTimestamp", "inf"),
            ("MessageRetentionPeriod", "four days"),
        ] {
            let answer = attributes(&[(name, value)]);
            let mut parser = Parser::new(Some(&answer));
            let nothing = Settings { public: Some(false), ..Settings::default() };
            assert_eq!(parser.settings(&id()), nothing, "{name} {value}");
            assert!(parser.garbled, "{name} {value}");
        }
    }

    #[test]
    fn a_policy_is_judged_and_not_kept() {
        for (pairs, expected, garbled) in [
            (vec![], None, false),
            (vec![("VisibilityTimeout", "30")], Some(false), false),
            (vec![("Policy", " ")], Some(false), false),
            (vec![("Policy", r#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#)], Some(true), false),
            (vec![("Policy", "{")], None, true),
        ] {
            let answer = attributes(&pairs);
            let mut parser = Parser::new(Some(&answer));
            assert_eq!((parser.settings(&id()).public, parser.garbled), (expected, garbled), "{pairs:?}");
        }
    }

    #[test]
    fn encryption_is_told_by_either_attribute() {
        for (pairs, expected) in [
            (vec![], None),
            (vec![("SqsManagedSseEnabled", "false")], Some(false)),
            (vec![("KmsMasterKeyId", "alias/aws/sqs"), ("SqsManagedSseEnabled", "false")], Some(true)),
        ] {
            let answer = attributes(&pairs);
            assert_eq!(Parser::new(Some(&answer)).settings(&id()).encrypted, expected);
        }
    }

    #[test]
    fn every_servers_urls_are_understood() {
        for (text, expected) in [
            (
                "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
                Some((Some("123456789012"), "orders")),
            ),
            ("http://localhost:9324/000000000000/a.fifo", Some((Some("000000000000"), "a.fifo"))),
            ("http://localhost:9324/queue/orders", Some((None, "orders"))),
            (
                "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q/",
                Some((Some("000000000000"), "q")),
            ),
            ("http://localhost:4566/queue/us-east-1/000000000000/q", Some((Some("000000000000"), "q"))),
            ("http://localhost/", None),
            ("orders", None),
            ("", None),
        ] {
            assert_eq!(url(text), expected, "{text}");
        }
    }
}
