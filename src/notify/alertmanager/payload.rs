//! The JSON of Alertmanager's own webhooks, version 4 (alertmanager: notify/webhook, `Message`; template, `Data`), so that
//! receivers written for Alertmanager take it as it is.
//!
//! Each alarm is a group of its own: receivers that remember groups by `groupKey` then hear of the end of exactly what
//! they heard the beginning of.

use serde::Serialize;

use super::alert::{self, Words};
use crate::domain::alarm::State;
use crate::domain::notification::Notification;
use crate::notify::links::Links;

/// What Go writes for a time that is not there.
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    receiver: &'a str,
    status: &'static str,
    alerts: [Alert; 1],
    group_labels: Words,
    common_labels: Words,
    common_annotations: Words,
    #[serde(rename = "externalURL")]
    external_url: String,
    version: &'static str,
    group_key: String,
    truncated_alerts: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: &'static str,
    labels: Words,
    annotations: Words,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// The body for the destination `receiver`.
pub fn payload(notification: &Notification, receiver: &str, links: &Links) -> String {
    let over = notification.tells() == State::Ok;
    let status = if over { "resolved" } else { "firing" };
    let (labels, annotations) = (alert::labels(notification), alert::annotations(notification));
    let group_labels = alert::identity(notification);
    let payload = Payload {
        receiver,
        status,
        alerts: [Alert {
            status,
            fingerprint: alert::fingerprint(&labels),
            labels: labels.clone(),
            annotations: annotations.clone(),
            starts_at: notification.fired_at.unwrap_or(notification.since).to_string(),
            ends_at: if over { notification.at.to_string() } else { NEVER.to_owned() },
            generator_url: links.source(notification),
        }],
        group_key: group_key(&group_labels),
        group_labels,
        common_labels: labels,
        common_annotations: annotations,
        external_url: links.home(),
        version: "4",
        truncated_alerts: 0,
    };
    // Serializing these plain structs cannot fail: no map has a key that is not a string.
    serde_json::to_string(&payload).unwrap_or_default()
}

/// `{}:{alertname="dlq", queue="orders-dlq"}`: the route, which is the root's, and the labels of the group.
fn group_key(labels: &Words) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    format!("{{}}:{{{}}}", pairs.join(", "))
}

/// As Go's `%q` quotes, for what names of queues and rules can hold.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 || u32::from(c) == 0x7f => {
                out.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::notification::Event;
    use crate::notify::fixture::{at, notification};

    fn body(notification: &Notification) -> (String, Value) {
        let links = Links { external_url: Some("https://watch.example.com".into()) };
        let text = payload(notification, "bridge", &links);
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn a_firing_has_alertmanager_s_keys_in_its_order() {
        let mut alarm = notification("dlq-not-empty", Event::Firing, 0);
        alarm.description = "\"quoted\"".into();
        let (text, _) = body(&alarm);
        let labels = r#"{"account":"123456789012","alertname":"dlq-not-empty","queue":"orders-dlq","region":"us-east-1","severity":"critical","team":"payments"}"#;
        let annotations = r#"{"description":"\"quoted\"","queue_url":"https://sqs.us-east-1.amazonaws.com/123456789012/orders-dlq","reason":"Threshold Crossed: 1 datapoint [3.0 (02/01/26 03:04:00)] was greater than or equal to the threshold (1.0).","summary":"ALARM: dlq-not-empty on orders-dlq (us-east-1)","value":"3"}"#;
        let group = r#"{"account":"123456789012","alertname":"dlq-not-empty","queue":"orders-dlq","region":"us-east-1"}"#;
        let expected = [
            r#"{"receiver":"bridge","status":"firing","alerts":[{"status":"firing","labels":"#,
            labels,
            r#","annotations":"#,
            annotations,
            r#","startsAt":"2026-01-02T03:05:01.234Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://watch.example.com/alarms/dlq-not-empty?queue=orders-dlq&region=us-east-1&account=123456789012","fingerprint":""#,
            &alert::fingerprint(&alert::labels(&alarm)),
            r#""}],"groupLabels":"#,
            group,
            r#","commonLabels":"#,
            labels,
            r#","commonAnnotations":"#,
            annotations,
            r#","externalURL":"https://watch.example.com/","version":"4","groupKey":"{}:{account=\"123456789012\", alertname=\"dlq-not-empty\", queue=\"orders-dlq\", region=\"us-east-1\"}","truncatedAlerts":0}"#,
        ]
        .concat();
        assert_eq!(text, expected);
    }

    #[test]
    fn the_end_names_the_same_alert_and_says_when_it_was() {
        let (_, began) = body(&notification("dlq", Event::Firing, 0));
        let mut end = notification("dlq", Event::Resolved, 60);
        end.fired_at = Some(at(0));
        end.queue = None; // what is known of the queue does not name the alert
        let (_, ended) = body(&end);
        assert_eq!(ended["status"], "resolved");
        for key in ["groupKey", "groupLabels", "commonLabels"] {
            assert_eq!(ended[key], began[key], "{key}");
        }
        for key in ["fingerprint", "labels", "startsAt"] {
            assert_eq!(ended["alerts"][0][key], began["alerts"][0][key], "{key}");
        }
        assert_eq!(ended["alerts"][0]["endsAt"], "2026-01-02T03:06:01.234Z");
    }

    #[test]
    fn what_is_not_known_is_no_label_and_the_rule_s_labels_do_not_rename_the_alarm() {
        let mut alarm = crate::notify::test_notification(at(0));
        alarm.labels =
            [("alertname".to_owned(), "mine".to_owned()), ("empty".to_owned(), String::new())].into();
        let (_, value) = body(&alarm);
        let labels = json!({ "alertname": "sqswatch-test", "queue": "nothing-is-wrong", "severity": "info" });
        assert_eq!(value["commonLabels"], labels);
        assert_eq!(value["alerts"][0]["annotations"].get("value"), None);
        assert_eq!(quoted("a\"b\\c\nd\u{1}ü"), r#""a\"b\\c\nd\x01ü""#);
    }
}
