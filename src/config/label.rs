//! How a queue's tag is called as a Prometheus label.

/// The labels that `sqs_queue_info` has of its own; no tag may become one of them.
pub const OF_QUEUE_INFO: [&str; 6] = ["account", "region", "queue", "kind", "role", "dead_letter_queue"];

/// The label a tag becomes: every character that Prometheus does not allow in a label name is a `_`, and one stands
/// before a leading digit. Several tags may share a label; the configuration refuses that for `tag_labels`.
pub fn of_tag(tag: &str) -> String {
    let mut label: String = tag.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if label.starts_with(|c: char| c.is_ascii_digit()) {
        label.insert(0, '_');
    }
    label
}

/// Whether Prometheus and Alertmanager take it for a label name as it is.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && of_tag(text) == text && !text.starts_with("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_label_names() {
        for (tag, label) in
            [("team", "team"), ("aws:stack-name", "aws_stack_name"), ("2nd", "_2nd"), ("größe", "gr__e")]
        {
            assert_eq!(of_tag(tag), label);
        }
        assert!(
            is_name("team_1") && !is_name("__name__") && !is_name("a-b") && !is_name("") && !is_name("1a")
        );
    }
}
