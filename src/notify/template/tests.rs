//! The samples are what notifications really give, and a template that passes them works.

use serde_json::Value;

use super::*;
use crate::config::template::samples;
use crate::domain::alarm::{AlarmKey, CustomId, State, Subject};
use crate::domain::notification::{Cause, Child, Event};
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, MetricRef, Statistic};
use crate::notify::fixture::{at, key, notification};
use crate::notify::test_notification;

/// Texts that break whatever does not escape them.
const HOSTILE: &str = "He said \"stop\" \\ and left:\n\t<größer> & 日本 {{ reason }}";

/// One notification of every kind.
fn kinds() -> Vec<Notification> {
    let mut kinds: Vec<Notification> = Event::ALL
        .into_iter()
        .filter(|event| *event != Event::Test)
        .map(|event| notification("say \"no\" to dead letters", event, 60))
        .collect();
    for kind in &mut kinds {
        kind.description = HOSTILE.into();
        kind.reason = HOSTILE.into();
        kind.labels.insert("quote".into(), "\"".into());
    }
    kinds[0].queue.as_mut().unwrap().dead_letter_queue =
        Some(QueueId::new("123456789012", "us-east-1", "last"));
    let plain = notification("a", Event::Firing, 0);
    let mut bare = plain.clone();
    (bare.queue, bare.value, bare.labels) = (None, None, Default::default());
    bare.description = String::new();
    let mut custom = plain.clone();
    let id = CustomId { account: "123456789012".into(), region: "us-east-1".into(), name: "jobs".into() };
    custom.alarm.subject = Subject::Custom(id);
    let jobs = MetricRef::Custom("jobs".into());
    custom.cause =
        Cause::Metric(Condition::new(jobs, Statistic::Percentile(99.9), Comparison::LessThan, 0.5));
    custom.queue = None;
    let mut composite = plain.clone();
    composite.alarm = AlarmKey { rule: "all".into(), subject: Subject::Composite("all".into()) };
    let child = Child { alarm: key("a"), state: State::Alarm, since: at(0) };
    composite.cause = Cause::Composite { text: "ALARM(\"a\")".into(), children: vec![child] };
    (composite.queue, composite.value) = (None, None);
    kinds.extend([bare, custom, composite, test_notification(at(0))]);
    kinds
}

/// With `BLESS=1` the samples are written anew: after a field was added to the body.
#[test]
fn the_samples_are_what_templates_really_get() {
    let real: Vec<Value> = kinds().iter().map(|kind| serde_json::to_value(context(kind)).unwrap()).collect();
    if std::env::var_os("BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/template/samples.json");
        std::fs::write(path, serde_json::to_string_pretty(&real).unwrap() + "\n").unwrap();
    } else {
        assert_eq!(samples(), real, "run the test again with BLESS=1 and read the difference");
    }
}

fn check(source: &str, content_type: &str) -> Result<(), TemplateFault> {
    Template::new(source.to_owned(), content_type)?.check()
}

#[test]
fn what_passes_the_samples_renders_what_is_told() {
    let source = r#"{"text": {{ headline | tojson }}, "queue": {{ (queue.name if queue else none) | tojson }},
      "labels": [{% for name, value in alarm.labels | items %}{{ [name, value] | tojson }}{{ "," if not loop.last }}{% endfor %}]}"#;
    let template = Template::new(source.to_owned(), "application/json").unwrap();
    template.check().unwrap();
    let body = render(&template, &notification("dlq", Event::Firing, 0)).unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "text": "ALARM: dlq on orders-dlq (us-east-1)", "queue": "orders-dlq", "labels": [["team", "payments"]],
        })
    );
    check("{{ text }}", "text/plain").unwrap();
    check("no braces at all", "text/plain; charset=utf-8").unwrap();
}

#[test]
fn a_faulty_template_says_where_and_what() {
    let json = "application/json";
    let cases = [
        ("{\n{{ reason", json, "line 2 of the template: syntax error"),
        ("{% for x in y %}", json, "line 1 of the template: syntax error"),
        ("\n\n{{ alarm.nmae }}", "text/plain", "line 3 of the template: undefined value"),
        ("{{ queue.name }}", "text/plain", "whose `queue` is null"),
        ("{{ value * 2 }}", "text/plain", "whose `value` is null"),
        ("{{ reason | to_json }}", "text/plain", "unknown filter: filter to_json is unknown"),
        ("{% include 'x' %}", "text/plain", "syntax error"),
        (r#"{"text": "{{ headline }}"}"#, json, "what it makes is no JSON"),
        ("not json", "application/vnd.api+json; charset=utf-8", "what it makes is no JSON"),
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            json,
            "ran out of fuel",
        ),
        (
            "{% for i in range(9999) %}{{ 'x' * 1000 }}{% endfor %}",
            "text/plain",
            "makes more than 1000000 bytes",
        ),
        ("{{ 'x' * 99999999999 }}", "text/plain", "invalid operation: repeated string is too large"),
        ("{{ range(1000000000) }}", "text/plain", "range has too many elements"),
    ];
    for (source, content_type, expected) in cases {
        let fault = check(source, content_type).expect_err(source).to_string();
        assert!(fault.contains(expected), "{source}: {fault}");
        assert!(fault.len() < 1000, "{source}: {fault}");
    }
}

#[test]
fn every_event_is_among_the_samples() {
    let events: std::collections::BTreeSet<String> =
        samples().iter().map(|sample| sample["event"].as_str().unwrap().to_owned()).collect();
    assert!(Event::ALL.iter().all(|event| events.contains(event.as_str())), "{events:?}");
}
