//! The commands that mend a setting, safe to paste: whatever a server calls its queues, a shell takes it as one word.

use crate::domain::queue::{Queue, QueueId, QueueKind};

/// Sets one attribute of `queue`; `None` when its address is none that belongs into a shell.
pub fn set(queue: &Queue, attribute: &str, value: &str) -> Option<String> {
    let attributes = format!("{{{}:{}}}", json(attribute), json(value));
    let words = [
        "aws sqs set-queue-attributes --region",
        &quoted(&queue.id.region)?,
        "--queue-url",
        &quoted(&queue.url)?,
        "--attributes",
        &quoted(&attributes)?,
    ];
    Some(words.join(" "))
}

/// Shows the policy of `queue`.
pub fn show_policy(queue: &Queue) -> Option<String> {
    let (region, url) = (quoted(&queue.id.region)?, quoted(&queue.url)?);
    Some(format!("aws sqs get-queue-attributes --region {region} --queue-url {url} --attribute-names Policy"))
}

/// Creates a dead-letter queue with the longest retention.
pub fn create(id: &QueueId) -> Option<String> {
    let fifo = if id.kind() == QueueKind::Fifo { r#","FifoQueue":"true""# } else { "" };
    let attributes = quoted(&format!(r#"{{"MessageRetentionPeriod":"1209600"{fifo}}}"#))?;
    let (region, name) = (quoted(&id.region)?, quoted(&id.name)?);
    Some(format!("aws sqs create-queue --region {region} --queue-name {name} --attributes {attributes}"))
}

/// The value of `RedrivePolicy`.
pub fn redrive(dead_letter_queue: &QueueId, max_receive_count: u32) -> String {
    let arn = json(&arn(dead_letter_queue));
    format!(r#"{{"deadLetterTargetArn":{arn},"maxReceiveCount":"{max_receive_count}"}}"#)
}

fn arn(id: &QueueId) -> String {
    let partition = match &*id.region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    format!("arn:{partition}:sqs:{}:{}:{}", id.region, id.account, id.name)
}

/// A word for a POSIX shell. What cannot be printed, or turns the order of what can, is refused: nobody could see what they paste.
fn quoted(word: &str) -> Option<String> {
    if word.is_empty() || !word.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return None;
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@,+=".contains(&byte);
    let flag = word.starts_with('-');
    if word.bytes().all(plain) && !flag {
        Some(word.to_owned())
    } else {
        (!flag).then(|| format!("'{}'", word.replace('\'', r"'\''")))
    }
}

/// A JSON string; what may be in it is checked where it is quoted for the shell.
fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, url: &str) -> Queue {
        Queue::new(QueueId::new("123456789012", "eu-west-1", name), url)
    }

    #[test]
    fn json_in_json_reaches_the_shell_as_one_word() {
        let orders = queue("orders", "https://sqs.eu-west-1.amazonaws.com/123456789012/orders");
        let policy = redrive(&queue("orders-dlq", "").id, 5);
        assert_eq!(
            set(&orders, "RedrivePolicy", &policy).unwrap(),
            "aws sqs set-queue-attributes --region eu-west-1 --queue-url https://sqs.eu-west-1.amazonaws.com/123456789012/orders \
             --attributes '{\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:eu-west-1:123456789012:orders-dlq\\\",\
             \\\"maxReceiveCount\\\":\\\"5\\\"}\"}'"
        );
        assert_eq!(
            create(&queue("orders-dlq.fifo", "").id).unwrap(),
            "aws sqs create-queue --region eu-west-1 --queue-name orders-dlq.fifo \
             --attributes '{\"MessageRetentionPeriod\":\"1209600\",\"FifoQueue\":\"true\"}'"
        );
        let chinese = QueueId::new("1", "cn-north-1", "q");
        assert!(redrive(&chinese, 5).contains("arn:aws-cn:sqs:cn-north-1:1:q"));
    }

    #[test]
    fn hostile_names_are_one_word_or_none() {
        for (word, expected) in [
            ("orders.fifo", Some("orders.fifo")),
            ("a b", Some("'a b'")),
            ("$(rm -rf /)`x`;&|", Some("'$(rm -rf /)`x`;&|'")),
            ("it's", Some(r"'it'\''s'")),
            ("", None),
            ("-o", None),
            ("a\nb", None),
            ("a\u{1b}[2Jb", None),
            ("a\u{202e}b", None),
            ("äpfel", None),
        ] {
            assert_eq!(quoted(word).as_deref(), expected, "{word:?}");
        }
        assert_eq!(set(&queue("x", "http://x/\u{202e}"), "DelaySeconds", "0"), None);
        let policy = redrive(&queue("\"},{\"", "").id, 1);
        assert!(policy.contains(r#"\"},{\""#), "{policy}");
    }
}
