//! The message key by key, its limits, and what each error of SNS means.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::message::{MESSAGE_BYTES, SUBJECT_BYTES};
use super::*;
use crate::domain::alarm::{AlarmKey, CustomId, State, Subject};
use crate::domain::metric::Metric;
use crate::domain::notification::{Cause, Child, Event};
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, LowSamples, MetricRef, Published, Statistic};
use crate::notify::fixture::receiver::{Act, Receiver, answer};
use crate::notify::fixture::{at, key, notification};
use crate::notify::test_notification;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:alerts";

fn published(notification: &Notification, topic: &str) -> (String, Value, Value) {
    let message = message(notification, &Topic::new(topic));
    let envelope: Value = serde_json::from_str(&message.body).unwrap();
    let default = serde_json::from_str(envelope["default"].as_str().unwrap()).unwrap();
    (message.subject, envelope, default)
}

#[test]
fn the_message_is_cloudwatch_s_key_by_key() {
    let text = message(&notification("dlq-not-empty", Event::Firing, 0), &Topic::new(TOPIC)).body;
    let envelope: Value = serde_json::from_str(&text).unwrap();
    let default = envelope["default"].as_str().unwrap();
    let (cloudwatch, ours) = default.split_once(r#","Sqswatch":"#).unwrap();
    assert_eq!(
        cloudwatch,
        concat!(
            r#"{"AlarmName":"dlq-not-empty/orders-dlq","#,
            r#""AlarmDescription":"Messages in a dead-letter queue need a person","AWSAccountId":"123456789012","#,
            r#""AlarmConfigurationUpdatedTimestamp":"2026-01-02T03:05:01.234+0000","NewStateValue":"ALARM","#,
            r#""NewStateReason":"Threshold Crossed: 1 datapoint [3.0 (02/01/26 03:04:00)] was greater than or equal to the threshold (1.0).","#,
            r#""StateChangeTime":"2026-01-02T03:05:01.234+0000","Region":"US East (N. Virginia)","#,
            r#""AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:dlq-not-empty/orders-dlq","#,
            r#""OldStateValue":"OK","OKActions":["arn:aws:sns:us-east-1:123456789012:alerts"],"#,
            r#""AlarmActions":["arn:aws:sns:us-east-1:123456789012:alerts"],"InsufficientDataActions":[],"#,
            r#""Trigger":{"MetricName":"ApproximateNumberOfMessagesVisible","Namespace":"AWS/SQS","#,
            r#""StatisticType":"Statistic","Statistic":"MAXIMUM","Unit":null,"#,
            r#""Dimensions":[{"value":"orders-dlq","name":"QueueName"}],"Period":60,"EvaluationPeriods":1,"#,
            r#""DatapointsToAlarm":1,"ComparisonOperator":"GreaterThanOrEqualToThreshold","Threshold":1.0,"#,
            r#""TreatMissingData":"missing","EvaluateLowSampleCountPercentile":""}"#,
        )
    );
    assert!(ours.starts_with(r#"{"version":1,"id":"sqw_"#), "{ours}");
}

#[test]
fn each_event_says_the_state_that_subscribers_know() {
    let cases = [
        (Event::Firing, "OK", "ALARM"),
        (Event::Repeated, "ALARM", "ALARM"),
        (Event::Increased, "ALARM", "ALARM"),
        (Event::Flapping, "ALARM", "ALARM"),
        (Event::Resolved, "ALARM", "OK"),
        (Event::Closed, "ALARM", "OK"),
        (Event::Test, "OK", "ALARM"),
    ];
    for (event, old, new) in cases {
        let (subject, _, default) = published(&notification("dlq", event, 0), TOPIC);
        assert_eq!((&default["OldStateValue"], &default["NewStateValue"]), (&json!(old), &json!(new)));
        assert_eq!(subject, format!(r#"{new}: "dlq/orders-dlq" in US East (N. Virginia)"#));
        assert_eq!(default["Sqswatch"]["event"], event.as_str());
    }
}

#[test]
fn a_test_says_that_it_is_one_in_every_form() {
    let (subject, envelope, default) = published(&test_notification(at(0)), TOPIC);
    assert_eq!(subject, r#"ALARM: "sqswatch-test/nothing-is-wrong" in US East (N. Virginia)"#);
    for form in ["default", "email", "sms"] {
        assert!(envelope[form].as_str().unwrap().contains("nothing-is-wrong"), "{form}");
    }
    assert_eq!(default["AWSAccountId"], "123456789012");
    assert_eq!(default["Sqswatch"]["event"], "test");
}

#[test]
fn percentiles_partitions_and_metrics_of_our_own_are_spelled_right() {
    let mut alarm = notification("slow", Event::Firing, 0);
    let on = |metric| {
        let slow = Condition {
            low_samples: LowSamples::Ignore,
            ..Condition::new(metric, Statistic::Percentile(99.9), Comparison::GreaterThan, 1.0)
        };
        Cause::Metric(slow)
    };
    alarm.cause = on(MetricRef::Queue(Metric::DrainTime));
    alarm.alarm.subject = Subject::Queue(QueueId::new("1", "cn-north-1", "orders"));
    let (_, _, default) = published(&alarm, "arn:aws-cn:sns:cn-north-1:1:alerts");
    assert_eq!(default["AlarmArn"], "arn:aws-cn:cloudwatch:cn-north-1:1:alarm:slow/orders");
    assert_eq!(default["Trigger"]["StatisticType"], "ExtendedStatistic");
    assert_eq!(default["Trigger"]["ExtendedStatistic"], "p99.9");
    assert_eq!(default["Trigger"]["EvaluateLowSampleCountPercentile"], "ignore");
    assert_eq!(default["Trigger"].get("Statistic"), None);
    assert_eq!(
        (&default["Trigger"]["Namespace"], &default["Trigger"]["MetricName"]),
        (&json!("sqswatch"), &json!("drain_seconds"))
    );
    alarm.alarm.subject =
        Subject::Custom(CustomId { account: "1".into(), region: "moon-1".into(), name: "failed".into() });
    alarm.cause = on(MetricRef::Custom("failed".into()));
    let (subject, _, default) = published(&alarm, TOPIC);
    assert_eq!(subject, r#"ALARM: "slow/failed" in moon-1"#);
    assert_eq!(default["Trigger"]["Dimensions"], json!([]));
    assert_eq!(default["Sqswatch"]["custom_metric"]["name"], "failed");
}

#[test]
fn a_state_that_subscribers_do_not_know_is_told_as_one_that_they_do() {
    for (event, new) in [(Event::Flapping, "ALARM"), (Event::Closed, "OK")] {
        let mut alarm = notification("dlq", event, 0);
        alarm.to = State::InsufficientData;
        let (subject, _, default) = published(&alarm, TOPIC);
        assert!(subject.starts_with(&format!("{new}: ")), "{subject}");
        assert_eq!(default["NewStateValue"], new);
    }
}

#[test]
fn a_custom_metric_is_where_cloudwatch_has_it() {
    let mut alarm = notification("failing", Event::Firing, 0);
    let id = CustomId { account: "1".into(), region: "us-east-1".into(), name: "failed".into() };
    alarm.alarm.subject = Subject::Custom(id);
    let dimensions = [("Service", "orders"), ("Environment", "production")];
    let published_as = Published {
        namespace: "OrderService".into(),
        metric: "MessagesFailed".into(),
        dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    alarm.cause = Cause::Metric(Condition {
        published: Some(Arc::new(published_as)),
        ..Condition::new(MetricRef::Custom("failed".into()), Statistic::Sum, Comparison::GreaterThan, 10.0)
    });
    let (_, _, default) = published(&alarm, TOPIC);
    let trigger = &default["Trigger"];
    assert_eq!(
        (&trigger["Namespace"], &trigger["MetricName"]),
        (&json!("OrderService"), &json!("MessagesFailed"))
    );
    let expected = json!([
        { "value": "production", "name": "Environment" }, { "value": "orders", "name": "Service" },
    ]);
    assert_eq!(trigger["Dimensions"], expected);
}

#[test]
fn a_composite_alarm_has_its_rule_and_children_and_no_trigger() {
    let mut alarm = notification("orders", Event::Firing, 0);
    alarm.alarm.subject = Subject::Composite("orders".into());
    alarm.queue = None;
    let child = Child { alarm: key("dlq"), state: State::Alarm, since: at(-60) };
    alarm.cause = Cause::Composite { text: "ALARM(dlq)".into(), children: vec![child] };
    let body = message(&alarm, &Topic::new(TOPIC)).body;
    let envelope: BTreeMap<String, String> = serde_json::from_str(&body).unwrap();
    let (_, rest) = envelope["default"].split_once(r#""InsufficientDataActions":[],"#).unwrap();
    let expected = concat!(
        r#""AlarmRule":"ALARM(dlq)","TriggeringChildren":[{"#,
        r#""Arn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:dlq/orders-dlq","#,
        r#""State":{"Value":"ALARM","Timestamp":"2026-01-02T03:04:01.234+0000"}}],"Sqswatch":"#,
    );
    assert!(rest.starts_with(expected), "{rest}");
    let (subject, _, default) = published(&alarm, TOPIC);
    assert_eq!(subject, r#"ALARM: "orders" in US East (N. Virginia)"#);
    assert_eq!(default["AlarmArn"], "arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders");
}

#[test]
fn ten_megabytes_of_labels_sources_children_and_texts_fit_and_no_character_is_cut() {
    let mut alarm = notification("dlq", Event::Firing, 0);
    alarm.labels = (0..2_000).map(|number| (format!("l{number}"), "日".repeat(1_700))).collect();
    alarm.description = "ü".repeat(100_000);
    alarm.reason = "\"\\\n".repeat(100_000);
    alarm.queue.as_mut().unwrap().sources = vec![QueueId::new("1", "us-east-1", "q".repeat(80)); 1_000];
    let children = Child { alarm: key(&"c".repeat(255)), state: State::Alarm, since: at(0) };
    let composite = Notification {
        cause: Cause::Composite {
            text: "ALARM(ü) OR ".repeat(10_000).into(),
            children: vec![children; 1_000],
        },
        description: "ü".repeat(5_000_000),
        labels: BTreeMap::new(),
        ..alarm.clone()
    };
    for alarm in [alarm, composite] {
        let body = message(&alarm, &Topic::new(TOPIC)).body;
        assert!(body.len() <= MESSAGE_BYTES, "{} bytes", body.len());
        let (_, envelope, default) = published(&alarm, TOPIC);
        assert!(default["AlarmDescription"].as_str().unwrap().ends_with("ü..."));
        assert!(envelope["email"].as_str().unwrap().starts_with("ALARM: dlq on orders-dlq"));
    }
}

#[test]
fn a_long_name_is_cut_within_the_quotes() {
    let (subject, ..) = published(&notification(&"n".repeat(300), Event::Firing, 0), TOPIC);
    assert_eq!(subject.len(), SUBJECT_BYTES);
    assert!(subject.ends_with(r#"nnn..." in US East (N. Virginia)"#), "{subject}");
    let (subject, ..) = published(&notification("größer\t\nals", Event::Firing, 0), TOPIC);
    assert_eq!(subject, r#"ALARM: "gr_er_als/orders-dlq" in US East (N. Virginia)"#);
}

#[test]
fn on_a_fifo_topic_the_group_is_the_alarm_and_the_deduplication_id_the_event() {
    let fifo = format!("{TOPIC}.fifo");
    let of = |event, seconds| message(&notification("dlq", event, seconds), &Topic::new(&fifo)).fifo.unwrap();
    let (firing, resolved, again) = (of(Event::Firing, 0), of(Event::Resolved, 60), of(Event::Firing, 120));
    assert!(firing.0 == resolved.0 && firing.0 == "123456789012/us-east-1/orders-dlq/dlq");
    assert!(firing.1 != resolved.1 && firing.1 != again.1);
    assert_eq!(message(&notification("dlq", Event::Firing, 0), &Topic::new(TOPIC)).fifo, None);
}

#[test]
fn what_has_no_bound_is_left_out_when_it_is_too_much() {
    let mut alarm = notification("dlq", Event::Firing, 0);
    alarm.queue.as_mut().unwrap().sources = vec![QueueId::new("1", "us-east-1", "orders"); 10_000];
    let (_, _, default) = published(&alarm, TOPIC);
    assert_eq!(default["Sqswatch"]["queue"]["sources"], Value::Null);
    assert_eq!(default["Sqswatch"]["queue"]["name"], "orders-dlq");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_texts_are_the_message_is_valid_and_within_the_limits(
        texts in proptest::array::uniform5((any::<String>(), 0..60_000usize)),
    ) {
        let mut texts = texts.into_iter().map(|(text, length)| {
            text.chars().cycle().take(if text.is_empty() { 0 } else { length }).collect::<String>()
        });
        let mut next = || texts.next().unwrap();
        let mut alarm = notification(&next(), Event::Firing, 0);
        alarm.description = next();
        alarm.reason = next();
        alarm.alarm = AlarmKey { subject: Subject::Queue(QueueId::new("", next(), next())), ..alarm.alarm };
        let topic = format!("{TOPIC}.fifo");
        let message = message(&alarm, &Topic::new(&topic));
        let envelope: BTreeMap<String, String> = serde_json::from_str(&message.body).unwrap();
        prop_assert!(serde_json::from_str::<Value>(&envelope["default"]).is_ok());
        prop_assert!(message.body.len() <= MESSAGE_BYTES, "{} bytes", message.body.len());
        prop_assert!(message.subject.len() <= SUBJECT_BYTES);
        prop_assert!(message.subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert!(message.subject.starts_with("ALARM: \""));
        let group = message.fifo.unwrap().0;
        prop_assert!((1..=128).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

fn client(endpoint: &str) -> Client {
    let config = config::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKID", "hunter2", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

async fn attempt(act: Act) -> (Answer, Receiver) {
    let receiver = Receiver::start(vec![act]).await;
    let config = Sns { topic_arn: TOPIC.into(), role_arn: None };
    let answer = send(&client(&receiver.url), &config, &notification("dlq", Event::Firing, 0)).await;
    assert!(!answer.detail.contains("hunter2"), "a secret is in `{}`", answer.detail);
    (answer, receiver)
}

fn error(status: u16, code: &str) -> Act {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>the words of SNS</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    answer(status, "content-type: text/xml\r\n", &body)
}

#[tokio::test]
async fn a_publish_carries_subject_structure_and_message() {
    let ok = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
    let (answered, receiver) = attempt(answer(200, "content-type: text/xml\r\n", ok)).await;
    assert_eq!((answered.outcome, answered.detail.as_str()), (Outcome::Acknowledged, "published as m-1"));
    let form = form(&receiver.requests()[0].body);
    assert_eq!((form["Action"].as_str(), form["TopicArn"].as_str()), ("Publish", TOPIC));
    assert_eq!(form["MessageStructure"], "json");
    assert_eq!(form["Subject"], r#"ALARM: "dlq/orders-dlq" in US East (N. Virginia)"#);
    assert_eq!(form["Message"], message(&notification("dlq", Event::Firing, 0), &Topic::new(TOPIC)).body);
}

/// Takes `application/x-www-form-urlencoded` apart.
fn form(body: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect()
}

#[tokio::test]
async fn errors_are_told_apart_and_explained_in_one_request() {
    let retry = |reason| Outcome::Retry { reason, after: None };
    let cases = [
        (403, "AuthorizationError", retry(Reason::Denied), "hint: allow `sns:Publish` on `arn:aws:sns"),
        (400, "KMSAccessDenied", retry(Reason::Denied), "`kms:GenerateDataKey*` and `kms:Decrypt`"),
        (400, "KMSDisabled", retry(Reason::Denied), "is disabled; enable it"),
        (400, "KMSInvalidState", retry(Reason::Denied), "cancel the deletion"),
        (400, "KMSNotFound", retry(Reason::Denied), "does not exist, or not in the topic's region"),
        (403, "KMSOptInRequired", retry(Reason::Denied), "has no subscription to KMS"),
        (400, "KMSThrottling", retry(Reason::Throttled), "quota for `kms:GenerateDataKey`"),
        (400, "EndpointDisabled", retry(Reason::Denied), "name a topic"),
        (400, "Throttling", retry(Reason::Throttled), "the words of SNS"),
        (429, "Whatever", retry(Reason::Throttled), "the words of SNS"),
        (403, "ExpiredToken", retry(Reason::Denied), "hint: the AWS credentials"),
        (403, "InvalidClientTokenId", retry(Reason::Denied), "hint: the AWS credentials"),
        (404, "NotFound", retry(Reason::NotFound), "hint: there is no topic"),
        (500, "InternalError", retry(Reason::ServerError), "the words of SNS"),
        (503, "ServiceUnavailable", retry(Reason::ServerError), "the words of SNS"),
        (400, "InvalidParameter", Outcome::Refused { reason: Reason::Refused }, "never take this message"),
        (400, "InvalidParameterValue", Outcome::Refused { reason: Reason::Refused }, "the words of SNS"),
    ];
    for (status, code, outcome, words) in cases {
        let (answered, receiver) = attempt(error(status, code)).await;
        assert_eq!(answered.outcome, outcome, "{code}");
        assert!(answered.detail.contains(words) && answered.detail.starts_with(code), "{}", answered.detail);
        assert_eq!(receiver.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_tried_again() {
    let cases = [
        (Act::Reset, Reason::Connection),
        (Act::Send(String::new()), Reason::Connection),
        (answer(200, "", "{\"not\": \"xml\"}"), Reason::BadAnswer),
        (answer(502, "", "<html>Bad Gateway</html>"), Reason::ServerError),
    ];
    for (act, reason) in cases {
        let (answered, _) = attempt(act.clone()).await;
        assert_eq!(answered.outcome, Outcome::Retry { reason, after: None }, "{act:?}: {}", answered.detail);
    }
}

#[tokio::test]
async fn every_publish_is_counted_and_what_sns_saw_is_priced() {
    use crate::aws::meter::Meter;
    use crate::notify::{self, Receiver as To};
    use crate::telemetry::Telemetry;
    let ok = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
    let acts = vec![answer(200, "content-type: text/xml\r\n", ok), error(400, "Throttled")];
    let peer = Receiver::start(acts).await;
    let telemetry = Telemetry::new();
    let meter = Meter::publishing(telemetry.clone(), "us-east-1".into());
    let to = To::Sns(Sns { topic_arn: TOPIC.into(), role_arn: None }, client(&peer.url), meter);
    for _ in 0..2 {
        notify::send(&to, &[notification("dlq", Event::Firing, 0).into()]).await;
    }
    assert_eq!(telemetry.requests.with_label_values(&["sns", "Publish", "us-east-1"]).get(), 2);
    let throttled = telemetry.failures.with_label_values(&["sns", "Publish", "us-east-1", "throttled"]);
    assert_eq!(throttled.get(), 1);
    let dollars = telemetry.dollars.with_label_values(&["sns"]).get();
    assert!((dollars - 2.0 * crate::domain::cost::PUBLISH).abs() < 1e-12, "{dollars}");
}
