//! What a filled-in form asks for, as the body of `POST /api/v1/silences` says it: both are read by the same eyes.

use serde_json::{Map, Value, json};

use super::form::{Form, UNTIL};

/// The body that asks for what the form does. What is empty is left out, so that its absence is what is told.
pub fn body(form: &Form) -> Value {
    let mut body = Map::new();
    for (key, text) in [("alarms", &form.alarm), ("queues", &form.queue)] {
        if !text.trim().is_empty() {
            body.insert(key.to_owned(), json!([text.trim()]));
        }
    }
    let labels = labels(&form.labels);
    if !labels.is_empty() {
        body.insert("labels".to_owned(), Value::Object(labels));
    }
    for (key, text) in [("reason", &form.reason), ("author", &form.author)] {
        body.insert(key.to_owned(), json!(text.trim()));
    }
    match form.duration.as_str() {
        UNTIL => body.insert("ends".to_owned(), json!(in_utc(form.until.trim()))),
        duration => body.insert("duration".to_owned(), json!(duration)),
    };
    Value::Object(body)
}

/// One `name=value` a line; a line without a value is a label without one, which is refused with its name.
fn labels(text: &str) -> Map<String, Value> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let label = |line: &str| match line.split_once('=') {
        Some((name, value)) => (name.trim().to_owned(), json!(value.trim())),
        None => (line.to_owned(), Value::Null),
    };
    lines.map(label).collect()
}

/// A browser's `2026-01-02T05:04` as the instant in UTC that the form says it is.
fn in_utc(text: &str) -> String {
    match text.len() {
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

/// The command that asks for the same, for a POSIX shell.
pub fn command(form: &Form) -> String {
    let mut words = vec!["sqswatch silence add".to_owned()];
    let mut add = |option: &str, text: &str| {
        if !text.trim().is_empty() {
            words.push(format!("{option} {}", quoted(text.trim())));
        }
    };
    add("--alarm", &form.alarm);
    add("--queue", &form.queue);
    form.labels.lines().for_each(|line| add("--label", line));
    match form.duration.as_str() {
        UNTIL => add("--until", &in_utc(form.until.trim())),
        duration => add("--for", duration),
    }
    let or =
        |text: &str, example: &str| if text.trim().is_empty() { example.to_owned() } else { text.to_owned() };
    add("--reason", &or(&form.reason, "deploying"));
    if !form.author.trim().is_empty() {
        add("--author", &form.author);
    }
    words.join(" ")
}

/// The text as one word of a shell, whatever is in it.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form { alarm: "dlq-*".into(), duration: "1h".into(), ..Form::default() }
    }

    #[test]
    fn a_form_asks_as_a_body_does() {
        let labels = "region=eu-west-1\r\n\r\n severity = critical \nnonsense";
        let filled = Form {
            queue: " orders ".into(),
            labels: labels.into(),
            reason: "deploying".into(),
            author: "ana".into(),
            ..form()
        };
        let expected = json!({
            "alarms": ["dlq-*"], "queues": ["orders"], "reason": "deploying", "author": "ana", "duration": "1h",
            "labels": { "region": "eu-west-1", "severity": "critical", "nonsense": null },
        });
        assert_eq!(body(&filled), expected);
        let until = Form { duration: UNTIL.into(), until: "2026-01-02T05:04".into(), ..form() };
        assert_eq!(body(&until)["ends"], "2026-01-02T05:04:00Z");
        assert_eq!(body(&Form::default())["duration"], "");
    }

    #[test]
    fn a_command_is_safe_to_paste() {
        let hostile = Form { alarm: "a'; rm -rf ~ #".into(), queue: "$(reboot)".into(), ..form() };
        assert_eq!(
            command(&hostile),
            r"sqswatch silence add --alarm 'a'\''; rm -rf ~ #' --queue '$(reboot)' --for 1h --reason deploying"
        );
        assert_eq!(command(&form()), "sqswatch silence add --alarm 'dlq-*' --for 1h --reason deploying");
    }
}
