//! A message, its attributes and the digests by which clients check an answer.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::clock::Millis;
use super::refusal::Refusal;

/// What a sender hands in.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The body.
    pub body: String,
    /// Attributes of the sender's own.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// `AWSTraceHeader`, the one system attribute that a sender may set.
    pub trace_header: Option<String>,
    /// Seconds until the message becomes visible; the queue's own delay without it.
    pub delay: Option<u32>,
    /// FIFO: the group within which order is kept. Standard: the tenant of a fair queue.
    pub group: Option<String>,
    /// FIFO: what makes two messages the same one for five minutes.
    pub deduplication_id: Option<String>,
}

/// A message that a queue holds.
#[derive(Clone, Debug)]
pub struct Message {
    /// A UUID.
    pub id: String,
    /// The body.
    pub body: Arc<str>,
    /// Attributes of the sender's own.
    pub attributes: Arc<BTreeMap<String, MessageAttribute>>,
    /// `AWSTraceHeader`.
    pub trace_header: Option<String>,
    /// Message group.
    pub group: Option<String>,
    /// Deduplication id.
    pub deduplication_id: Option<String>,
    /// FIFO: 20 digits that only grow.
    pub sequence_number: Option<String>,
    /// When it was first enqueued. A standard dead-letter queue keeps the source's time, a FIFO one sets its own.
    pub sent_at: Millis,
    /// When it was first received.
    pub first_received_at: Option<Millis>,
    /// How often it was received, in every queue it was in.
    pub receive_count: u32,
    /// ARN of the queue whose dead letter it is.
    pub dead_letter_source: Option<String>,
}

/// One message attribute, as the wire has it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, with an optional suffix behind a dot.
    pub data_type: String,
    /// Value of a string or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// Value of a binary, as Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

/// MD5 of `text` in hex, as `MD5OfBody` has it.
pub fn md5_of(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// `MD5OfMessageAttributes`: the digest over names, types and values in order of the names, each behind its length in
/// four bytes (SQS Developer Guide, "Calculating the MD5 message digest for message attributes").
pub fn md5_of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Result<String, Refusal> {
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        with_length(&mut digest, name.as_bytes());
        with_length(&mut digest, attribute.data_type.as_bytes());
        match (&attribute.string_value, &attribute.binary_value) {
            (Some(text), None) => {
                digest.update([1]);
                with_length(&mut digest, text.as_bytes());
            }
            (None, Some(base64)) => {
                let bytes = BASE64_STANDARD.decode(base64).map_err(Refusal::unreadable)?;
                digest.update([2]);
                with_length(&mut digest, &bytes);
            }
            _ => {
                let message = format!("Message attribute '{name}' must contain exactly one non-empty value.");
                return Err(Refusal::invalid_value(message));
            }
        }
    }
    Ok(hex(&digest.finalize()))
}

/// Bytes that attributes add to a message's size: names, types and values.
pub fn size_of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> usize {
    let value = |attribute: &MessageAttribute| {
        attribute.string_value.as_ref().map_or(0, String::len)
            + attribute.binary_value.as_ref().map_or(0, |base64| base64.len() / 4 * 3)
    };
    attributes.iter().map(|(name, a)| name.len() + a.data_type.len() + value(a)).sum()
}

fn with_length(digest: &mut Md5, bytes: &[u8]) {
    digest.update((bytes.len() as u32).to_be_bytes());
    digest.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A random UUID of version 4, repeatable by the generator's seed.
pub fn uuid(random: &mut fastrand::Rng) -> String {
    let bits = (random.u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let text = format!("{bits:032x}");
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_aws() {
        assert_eq!(md5_of("This is a test message"), "fafb00f5732ab283681e124bf8747ed1");
        // moto's test of the same algorithm: `timestamp` of type Number.
        let attribute = MessageAttribute {
            data_type: "Number".into(),
            string_value: Some("1493147359900".into()),
            binary_value: None,
        };
        let attributes = BTreeMap::from([("timestamp".to_owned(), attribute)]);
        assert_eq!(md5_of_attributes(&attributes).unwrap(), "235c5c510d26fb653d073faed50ae77c");
    }

    #[test]
    fn uuids_are_of_version_four() {
        let id = uuid(&mut fastrand::Rng::with_seed(7));
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
}
