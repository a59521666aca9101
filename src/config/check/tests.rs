//! What good files mean, what the defaults are, and that nothing panics or tells a secret. Bad files have their exact
//! messages in tests/bad_config.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::parse;
use crate::config::{Config, Destination, Faults, LogFormat, TargetConfig};
use crate::domain::metric::Metric;
use crate::domain::outbox::{GroupBy, Grouping};
use crate::domain::rule::{
    Comparison, Glob, LowSamples, MetricRef, MissingData, RoleSelector, Rule, Severity, Statistic,
};

/// The design's example without what this version does not support yet.
const EXAMPLE: &str = r#"
aws:
  endpoint_url: null
  targets:
    - regions: [us-east-1, eu-west-1]
      role_arn: arn:aws:iam::123456789012:role/sqswatch
discovery:
  interval: 5m
  include: ["orders-*"]
  exclude: ["*-scratch"]
  tags: { team: payments }
  tag_labels: [team, service]
poll:
  attributes: 15s
  cloudwatch: 1m
alarms:
  - name: dlq-not-empty
    description: Messages in a dead-letter queue need a person
    queues: { role: dead_letter }
    metric: messages_visible
    statistic: Maximum
    period: 1m
    evaluation_periods: 1
    datapoints_to_alarm: 1
    comparison: ">="
    threshold: 1
    treat_missing_data: missing
    severity: critical
    notify: [bridge]
    repeat: 4h
    labels: { team: payments }
custom_metrics:
  - name: latency
    namespace: Orders
    metric: ProcessingLatency
    dimensions: { Service: orders, Environment: production }
    statistic: p99.9
    region: eu-west-1
destinations:
  ops:     { sns: { topic_arn: "arn:aws:sns:us-east-1:123456789012:alerts" } }
  bridge:  { webhook: { url: "https://example.com/hunter2", secret: { env: HOOK_SECRET }, headers: { X-Key: hunter2 } } }
notify: [ops]
web:   { listen: "0.0.0.0:9434", token: hunter2 }
store: { path: /var/lib/sqswatch/state.redb }
log:   { format: json, level: info }
"#;

fn read(text: &str) -> Result<Config, Faults> {
    parse(text, "test.yaml", &|name| (name == "HOOK_SECRET").then(|| "whsec_aHVudGVyMg==\n".to_owned()))
}

fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|faults| panic!("{faults}\n{text}"))
}

fn alarm(rest: &str) -> Rule {
    let base = "name: a, metric: messages_visible, comparison: '>', threshold: 1";
    good(&format!("alarms: [{{ {base}, {rest} }}]")).rules.remove(0)
}

#[test]
fn the_example_means_what_it_says() {
    let config = good(EXAMPLE);
    assert_eq!(
        config.aws.targets,
        [TargetConfig {
            regions: vec!["us-east-1".into(), "eu-west-1".into()],
            role_arn: Some("arn:aws:iam::123456789012:role/sqswatch".into()),
            external_id: None,
        }]
    );
    assert_eq!(config.aws.endpoint_url, None);
    assert_eq!(config.discovery.include, [Glob::new("orders-*")]);
    assert!(config.discovery.admits("orders-eu") && !config.discovery.admits("orders-scratch"));
    assert_eq!(config.discovery.tags, BTreeMap::from([("team".to_owned(), "payments".to_owned())]));
    assert_eq!(config.discovery.tag_labels, ["team", "service"]);
    let [rule] = config.rules.as_slice() else { panic!("one alarm") };
    assert_eq!(rule.selector.role, Some(RoleSelector::DeadLetter));
    assert_eq!((rule.severity, rule.repeat), (Severity::Critical, Some(Duration::from_secs(4 * 3600))));
    assert_eq!(rule.notify, ["bridge".into()]);
    assert_eq!(rule.condition().unwrap().metric, MetricRef::Queue(Metric::MessagesVisible));
    assert_eq!(rule.condition().unwrap().comparison, Comparison::GreaterThanOrEqual);
    assert_eq!(rule.condition().unwrap().evaluation_range, 3);
    assert_eq!(config.custom_metrics[0].statistic, Statistic::Percentile(99.9));
    assert_eq!(config.custom_metrics[0].dimensions.len(), 2);
    let Some(Destination::Webhook(webhook)) = config.destinations.get("bridge") else { panic!("a webhook") };
    assert_eq!(webhook.secrets[0].expose(), "whsec_aHVudGVyMg==");
    assert_eq!(webhook.timeout, Duration::from_secs(15));
    let Some(Destination::Sns(sns)) = config.destinations.get("ops") else { panic!("an SNS topic") };
    assert_eq!(sns.topic_arn, "arn:aws:sns:us-east-1:123456789012:alerts");
    assert_eq!(config.web.token.unwrap().expose(), "hunter2");
}

#[test]
fn pagers_and_chats_have_their_defaults() {
    let config = good(
        "destinations:
  oncall: { pagerduty: { routing_key: 0123456789abcdef0123456789ABCDEF } }
  eu: { pagerduty: { routing_key: 0123456789abcdef0123456789ABCDEF, url: 'https://events.eu.pagerduty.com/' } }
  chat: { slack: { url: 'https://hooks.slack.com/services/T/B/hunter2', mention: { critical: '<!channel> <@U1>' } } }
  all: { slack: { url: 'http://127.0.0.1/', group: { by: all, wait: 1m } } }
  room: { teams: { url: 'https://x.webhook.office.com/hunter2', group: { by: none } } }
",
    );
    let of = |name: &str| config.destinations[name].clone();
    let Destination::PagerDuty(oncall) = of("oncall") else { panic!("PagerDuty") };
    assert_eq!(
        (oncall.url.as_str(), oncall.timeout),
        ("https://events.pagerduty.com", Duration::from_secs(15))
    );
    let Destination::PagerDuty(eu) = of("eu") else { panic!("PagerDuty") };
    assert_eq!(eu.url, "https://events.eu.pagerduty.com");
    let Destination::Slack(chat) = of("chat") else { panic!("Slack") };
    assert_eq!(chat.mention[&Severity::Critical], "<!channel> <@U1>");
    assert_eq!((chat.grouping.by, chat.grouping.wait), (GroupBy::Rule, Duration::from_secs(5)));
    let Destination::Slack(all) = of("all") else { panic!("Slack") };
    assert_eq!((all.grouping.by, all.grouping.wait), (GroupBy::Event, Duration::from_secs(60)));
    let Destination::Teams(room) = of("room") else { panic!("Teams") };
    assert_eq!(room.grouping, Grouping::NONE);
    assert!(!format!("{config:?}").contains("hunter2") && !format!("{config:?}").contains("0123456789"));
}

#[test]
fn everything_has_a_default() {
    let config = good("{}");
    assert_eq!(config.aws.targets, [TargetConfig::default()]);
    assert_eq!(config.rules.len(), 5);
    assert_eq!(config.web.listen.to_string(), "0.0.0.0:9434");
    assert_eq!(config.store.path.as_deref(), Some("/var/lib/sqswatch/state.redb".as_ref()));
    assert_eq!((config.log.format, config.log.level.as_str()), (LogFormat::Json, "info"));
    assert_eq!(config.poll.metrics.len(), 8);
    assert_eq!(good("alarms:\nlog: ~\npoll: { timeout: null }"), config, "null is the same as no key");
}

#[test]
fn no_alarms_are_no_alarms_and_not_the_built_in_ones() {
    assert_eq!(good("alarms: []").rules, []);
}

#[test]
fn who_is_told_falls_back_to_the_top_and_then_to_everybody() {
    let destinations =
        "destinations: { a: { webhook: { url: 'http://a' } }, b: { webhook: { url: 'http://b' } } }";
    let told = |rest: &str| -> Vec<String> {
        let text = format!("{destinations}\n{rest}");
        good(&text).rules[0].notify.iter().map(|name| name.to_string()).collect()
    };
    let alarm = "alarms: [{ name: a, metric: messages_visible, comparison: '>', threshold: 1";
    assert_eq!(told(""), ["a", "b"]);
    assert_eq!(told("notify: b"), ["b"]);
    assert_eq!(told(&format!("notify: b\n{alarm} }}]")), ["b"]);
    assert_eq!(told(&format!("notify: b\n{alarm}, notify: [a] }}]")), ["a"]);
    assert_eq!(told(&format!("notify: b\n{alarm}, notify: [] }}]")), Vec::<String>::new());
}

#[test]
fn words_are_taken_in_both_spellings() {
    for (ours, theirs) in [
        ("statistic: sample_count", "statistic: SampleCount"),
        ("treat_missing_data: not_breaching", "treat_missing_data: notBreaching"),
        ("comparison: '<='", "comparison: LessThanOrEqualToThreshold"),
        ("metric: sent_bytes", "metric: SentMessageSize"),
    ] {
        let rule = |word: &str| {
            let text = "name: a\nmetric: messages_sent\ncomparison: '>'\nthreshold: 1\n";
            let key = word.split(':').next().unwrap();
            let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(key)).collect();
            good(&format!("alarms: [{{ {}, {word} }}]", kept.join(", "))).rules.remove(0)
        };
        assert_eq!(rule(ours), rule(theirs), "{ours}");
    }
    assert_eq!(
        alarm("treat_missing_data: not_breaching").condition().unwrap().missing_data,
        MissingData::NotBreaching
    );
}

#[test]
fn a_percentile_may_be_of_a_queues_metric_and_say_what_few_samples_do() {
    let condition = |rest: &str| alarm(rest).condition().unwrap().clone();
    let plain = condition("statistic: p90, period: 5m");
    assert_eq!((plain.statistic, plain.low_samples), (Statistic::Percentile(90.0), LowSamples::Evaluate));
    let ignoring = condition("statistic: p90, evaluate_low_sample_count_percentile: ignore");
    assert_eq!(ignoring.low_samples, LowSamples::Ignore);
    assert!(ignoring.ignores_low_samples());
}

#[test]
fn the_three_alarms_of_every_guide_are_understood() {
    let visible = alarm("statistic: Average, period: 5m, evaluation_periods: 2").condition().unwrap().clone();
    assert_eq!((visible.statistic, visible.period), (Statistic::Average, Duration::from_secs(300)));
    assert_eq!(
        (visible.evaluation_periods, visible.datapoints_to_alarm, visible.evaluation_range),
        (2, 2, 4)
    );
    let longest =
        alarm("period: 1h, evaluation_periods: 168, evaluation_range: 170").condition().unwrap().clone();
    assert_eq!(longest.evaluation_range, 170);
    let finest = "poll: { attributes: 5s }\nalarms: [{ name: a, metric: messages_visible, comparison: '>', threshold: 1, period: 10s }]";
    assert_eq!(good(finest).rules[0].condition().unwrap().period, Duration::from_secs(10));
}

#[test]
fn alarms_share_what_they_have_in_common() {
    let config = good(
        "alarms:\n  - &base { name: a, metric: messages_visible, comparison: '>', threshold: 1 }\n  - { <<: *base, name: b, threshold: 2.5 }",
    );
    assert_eq!((config.rules[1].name.as_ref(), config.rules[1].condition().unwrap().threshold), ("b", 2.5));
}

#[test]
fn built_in_periods_are_never_finer_than_the_polls() {
    for (interval, first, growing) in
        [("15s", 60, 300), ("1m", 60, 300), ("61s", 120, 300), ("10m", 600, 600)]
    {
        let rules = good(&format!("poll: {{ attributes: {interval} }}")).rules;
        let seconds: Vec<u64> = rules.iter().map(|rule| rule.condition().unwrap().period.as_secs()).collect();
        assert_eq!((seconds[0], seconds[1]), (first, growing), "{interval}");
    }
}

#[test]
fn a_period_left_out_is_never_finer_than_the_polls() {
    for (metric, seconds) in [("messages_visible", 180), ("in_flight_ratio", 180), ("oldest_message_age", 60)]
    {
        let text = format!(
            "poll: {{ attributes: 150s }}\nalarms: [{{ name: a, metric: {metric}, comparison: '>', threshold: 1 }}]"
        );
        assert_eq!(
            good(&text).rules[0].condition().unwrap().period,
            Duration::from_secs(seconds),
            "{metric}"
        );
    }
}

#[test]
fn built_in_alarms_would_pass_for_the_user_s_own() {
    for rule in good("{}").rules {
        let MetricRef::Queue(metric) = rule.condition().unwrap().metric else { panic!("{}", rule.name) };
        let role = rule.selector.role.map(|role| {
            let word = RoleSelector::WORDS.into_iter().find(|(_, known)| *known == role).unwrap().0;
            format!("queues: {{ role: {word} }}")
        });
        let text = format!(
            "alarms: [{{ name: {}, description: '{}', metric: {}, statistic: {}, period: {}, evaluation_periods: {},
             comparison: '>=', threshold: {}, severity: {}, {} {} }}]",
            rule.name,
            rule.description.replace('\'', "''"),
            metric.name(),
            rule.condition().unwrap().statistic,
            humantime::format_duration(rule.condition().unwrap().period),
            rule.condition().unwrap().evaluation_periods,
            rule.condition().unwrap().threshold,
            rule.severity.as_str(),
            rule.repeat_on.map(|_| "repeat_on: increase,").unwrap_or_default(),
            role.unwrap_or_default(),
        );
        assert!(rule.description.contains("ook at "), "{} tells what to look at first", rule.name);
        assert_eq!(good(&text).rules, [rule]);
    }
}

#[test]
fn another_server_s_region_may_be_any_word() {
    let text = "aws: { endpoint_url: 'http://localhost:9324', targets: [{ regions: elasticmq }] }";
    assert_eq!(good(text).aws.targets[0].regions, ["elasticmq"]);
    assert!(read("aws: { targets: [{ regions: elasticmq }] }").is_err());
}

#[test]
fn secrets_come_from_files_and_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let read_it = || read(&format!("web: {{ token: {{ file: {path:?} }} }}"));
    std::fs::write(&path, "hunter2\n").unwrap();
    assert_eq!(read_it().unwrap().web.token.unwrap().expose(), "hunter2");
    for (content, message) in [
        (vec![b'x'; 1_048_577], "is larger than 1 MiB"),
        (vec![0xff, 0xfe], "is no UTF-8 text"),
        (b" \n".to_vec(), "is empty"),
    ] {
        std::fs::write(&path, content).unwrap();
        let faults = read_it().unwrap_err().to_string();
        assert!(faults.contains(message), "{faults}");
    }
}

#[test]
fn no_secret_is_told() {
    let shown = format!("{:?}", good(EXAMPLE));
    assert!(
        shown.contains("[redacted]") && !shown.contains("hunter2") && !shown.contains("whsec"),
        "{shown}"
    );
    let with_faults = EXAMPLE.replace("interval: 5m", "interval: 1s").replace("https://", "gopher://");
    let faults = read(&with_faults).unwrap_err();
    assert_eq!(faults.count(), 2);
    assert!(!format!("{faults} {faults:?}").contains("hunter2"));
}

#[test]
fn many_faults_are_counted_and_not_all_printed() {
    let text: String = (0..1000).map(|number| format!("zzz{number}: 1\n")).collect();
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.count(), 1000);
    assert!(faults.to_string().ends_with("\nand 950 more"));
}

#[test]
fn a_text_is_harmless_to_a_terminal() {
    let faults = read("log: { level: \"\\e[31mred\" }\n\"\\e]0;x\\a\": 1").unwrap_err().to_string();
    assert!(!faults.contains('\u{1b}') && !faults.contains('\u{7}'), "{faults:?}");
}

/// Pieces that are likelier to reach deep than letters are.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ -~\n]{0,4}",
        prop::sample::select(vec![
            "null",
            "[]",
            "{}",
            "-1",
            "1e999",
            ".nan",
            "0x10",
            "*a",
            "&a ",
            "<<: *a",
            "!x ",
            "\"",
            "'",
            ">",
            "|\n",
            "\t",
            "\u{0}",
            "\u{feff}",
            "ß€",
            ": ",
            "- ",
            "? ",
            "#",
            "---\n",
            "18446744073709551616",
            "300000000000000years",
            "p99",
            "1m",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = super::text(bytes.clone());
        let _ = read(&String::from_utf8_lossy(&bytes)).map_err(|faults| faults.to_string());
    }

    #[test]
    fn a_good_file_with_pieces_changed_is_refused_or_taken_without_a_panic(
        changes in prop::collection::vec((0.0..1.0_f64, 0_usize..12, piece()), 1..4),
    ) {
        let mut text = EXAMPLE.to_owned();
        for (place, cut, piece) in changes {
            let from = text.floor_char_boundary((place * text.len() as f64) as usize);
            let to = text.ceil_char_boundary((from + cut).min(text.len()));
            text.replace_range(from..to, &piece);
        }
        if let Err(faults) = read(&text) {
            prop_assert!(faults.count() > 0);
            prop_assert!(faults.iter().all(|fault| fault.line.is_none_or(|line| line >= 1)));
        }
    }
}
