//! Configurations and what they become. Whether Prometheus understands it, and judges alike, tests/backtest/rules.rs asks Prometheus.

use super::*;
use crate::config;

const CUSTOM: &str = "
poll: { attributes: 5s }
discovery: { tag_labels: [team, CostCenter], tags: { env: prod } }
custom_metrics:
  - { name: failed, namespace: Shop, metric: Failed, statistic: Sum }
  - { name: done, namespace: Shop, metric: Done, statistic: Sum }
  - { name: slowest, namespace: Shop, metric: Latency, statistic: p99 }
";

fn translated(yaml: &str) -> Rules {
    let text = format!("{CUSTOM}{yaml}");
    translate(&config::parse(&text, "test", &|_| None).unwrap_or_else(|faults| panic!("{faults}\n{text}")))
}

/// The only rule of an alarm with these keys, in which `Q{..}` stands for the newest depth of the queues `..`.
fn alert(keys: &str) -> Alert {
    let mut rules = translated(&format!("alarms: [{{ name: a, {keys} }}]"));
    assert_eq!((rules.alerts.len(), rules.refused.as_slice()), (1, &[][..]), "{keys}");
    rules.alerts.remove(0)
}

fn check(cases: &[(&str, &str)]) {
    for (keys, expected) in cases {
        let expected = expected
            .replace("Q", r#"max by (account, region, queue) (sqs_queue_messages{state="visible"})"#)
            .replace("BY", "max by (account, region, queue)")
            .replace("ON", "on (account, region, queue)");
        let found = alert(keys).expr.replace("\n ", "");
        assert_eq!(found, expected, "{keys}");
    }
}

#[test]
fn statistics_of_gauges_look_at_whole_minutes() {
    check(&[
        (r#"metric: messages_visible, comparison: ">=", threshold: 1"#, "Q >= 1"),
        (r#"metric: messages_visible, statistic: Average, comparison: "<", threshold: -0.5"#, "Q < (-0.5)"),
        (
            r#"metric: messages_visible, statistic: SampleCount, comparison: "<=", threshold: 0"#,
            "(0 * Q + 1) <= 0",
        ),
        (
            r#"metric: messages_visible, statistic: Average, period: 5m, comparison: ">", threshold: 9"#,
            "avg_over_time((Q)[4m59s999ms:1m]) > 9",
        ),
        (
            r#"metric: messages_visible, statistic: Sum, period: 2m, comparison: ">", threshold: 9"#,
            "sum_over_time((Q)[1m59s999ms:1m]) > 9",
        ),
        (
            r#"metric: messages_visible, statistic: Minimum, period: 2m, comparison: ">", threshold: 9"#,
            "min_over_time((Q)[1m59s999ms:1m]) > 9",
        ),
        (
            r#"metric: messages_visible, statistic: SampleCount, period: 2m, comparison: "<", threshold: 2"#,
            "count_over_time((Q)[1m59s999ms:1m]) < 2",
        ),
        (
            r#"metric: messages_visible, statistic: p99.9, period: 1h, comparison: ">", threshold: 9"#,
            "quantile_over_time(0.999, (Q)[59m59s999ms:1m]) > 9",
        ),
        (r#"metric: messages_visible, period: 10s, comparison: ">", threshold: 9"#, "Q > 9"),
        (
            r#"metric: messages_visible, period: 30s, comparison: ">", threshold: 9"#,
            "max_over_time((Q)[29s999ms:10s]) > 9",
        ),
    ]);
}

#[test]
fn sums_of_counters_are_rises() {
    check(&[
        (
            r#"metric: messages_sent, comparison: ">", threshold: 5"#,
            "clamp_min(BY (sqs_queue_messages_sent_total - last_over_time(sqs_queue_messages_sent_total[5m] offset 1m)), 0) > 5",
        ),
        (
            r#"metric: messages_sent, statistic: p50, period: 3m, comparison: ">", threshold: 5"#,
            "quantile_over_time(0.5, (clamp_min(BY (sqs_queue_messages_sent_total - last_over_time(sqs_queue_messages_sent_total[5m] offset 1m)), 0))[2m59s999ms:1m]) > 5",
        ),
        (
            r#"metric: failed, period: 5m, comparison: ">", threshold: 5"#,
            "clamp_min(max by (account, region) (sqs_custom_failed_total - last_over_time(sqs_custom_failed_total[5m] offset 5m)), 0) > 5",
        ),
        (
            r#"metric: slowest, comparison: ">", threshold: 5"#,
            "max by (account, region) (sqs_custom_slowest) > 5",
        ),
    ]);
}

#[test]
fn m_of_n_is_counted_over_periods() {
    check(&[
        (
            r#"metric: messages_visible, evaluation_periods: 5, datapoints_to_alarm: 3, comparison: ">", threshold: 9"#,
            "sum_over_time((Q > bool 9)[4m59s999ms:1m]) >= 3",
        ),
        (
            r#"metric: messages_visible, period: 2m, evaluation_periods: 2, comparison: ">", threshold: 9"#,
            "max_over_time((Q)[1m59s999ms:1m]) > 9 and max_over_time((Q)[1m59s999ms:1m] offset 2m) > 9",
        ),
        (
            r#"metric: messages_visible, period: 2m, evaluation_periods: 2, datapoints_to_alarm: 1, comparison: ">", threshold: 9"#,
            "max_over_time((Q)[1m59s999ms:1m]) > 9 or max_over_time((Q)[1m59s999ms:1m] offset 2m) > 9",
        ),
        (
            r#"metric: messages_visible, period: 2m, evaluation_periods: 3, datapoints_to_alarm: 2, comparison: ">", threshold: 9"#,
            "count by (account, region, queue) ( label_replace(max_over_time((Q)[1m59s999ms:1m]) > 9, \"datapoint\", \"1\", \"\", \"\") \
             or label_replace(max_over_time((Q)[1m59s999ms:1m] offset 2m) > 9, \"datapoint\", \"2\", \"\", \"\") \
             or label_replace(max_over_time((Q)[1m59s999ms:1m] offset 4m) > 9, \"datapoint\", \"3\", \"\", \"\")\n) >= 2",
        ),
        (
            r#"metric: messages_visible, period: 1h, evaluation_periods: 24, comparison: ">", threshold: 9"#,
            "sum_over_time((max_over_time((Q)[59m59s999ms:1m]) > bool 9)[23h59m59s999ms:1h]) >= 24",
        ),
    ]);
    let long = alert(
        r#"metric: messages_visible, period: 1h, evaluation_periods: 24, comparison: ">", threshold: 9"#,
    );
    assert!(long.notes[0].contains("up to 1h later"), "{:?}", long.notes);
}

#[test]
fn missing_datapoints_breach_of_queues_that_are_there() {
    check(&[
        (
            r#"metric: messages_visible, evaluation_periods: 3, datapoints_to_alarm: 2, comparison: "<", threshold: 9, treat_missing_data: breaching"#,
            "count_over_time((BY (sqs_queue_info))[2m59s999ms:1m]) >= 3 unless sum_over_time((Q >= bool 9)[2m59s999ms:1m]) >= 2",
        ),
        (
            r#"metric: dead_letters, queues: { name: x }, comparison: ">", threshold: 9, treat_missing_data: breaching"#,
            "count_over_time((BY (sqs_queue_info{queue=\"x\", role=~\"dead_letter|both\"}))[59s999ms:1m]) >= 1 \
             unless clamp_min(BY (sqs_queue_dead_letters_total{queue=\"x\"} - last_over_time(sqs_queue_dead_letters_total{queue=\"x\"}[5m] offset 1m)), 0) <= 9",
        ),
        (
            r#"metric: failed, comparison: "<", threshold: 1, treat_missing_data: breaching"#,
            "count_over_time((max by (account, region) (sqswatch_custom_metric_last_reading_timestamp_seconds{metric=\"failed\"}))[59s999ms:1m]) >= 1 \
             unless clamp_min(max by (account, region) (sqs_custom_failed_total - last_over_time(sqs_custom_failed_total[5m] offset 1m)), 0) >= 1",
        ),
        (
            r#"metric: messages_visible, comparison: "<", threshold: 9, treat_missing_data: notBreaching"#,
            "Q < 9",
        ),
    ]);
}

#[test]
fn queues_are_selected_by_labels() {
    let depth = |queues: &str| {
        let expr =
            alert(&format!(r#"metric: messages, comparison: ">", threshold: 9, queues: {queues}"#)).expr;
        expr.replace("max by (account, region, queue) (sqs_queue_depth", "(")
            .replace("\n  and on (account, region, queue) sqs_queue_info", " and ")
    };
    for (queues, expected) in [
        ("{ name: orders }", r#"({queue="orders"}) > 9"#),
        (r#"{ name: ["orders-*", "a.b?"] }"#, r#"({queue=~"orders-.*|a\\.b."}) > 9"#),
        (r#"{ name: "*", kind: fifo }"#, r#"({queue=~".*", queue=~".*\\.fifo"}) > 9"#),
        (
            "{ kind: standard, region: eu-west-1, account: \"123456789012\" }",
            r#"({queue!~".*\\.fifo", region="eu-west-1", account="123456789012"}) > 9"#,
        ),
        ("{ role: dead_letter }", r#"() > 9 and {role=~"dead_letter|both"}"#),
        ("{ role: not_dead_letter }", r#"() > 9 and {role=~"plain|source"}"#),
        ("{ role: plain }", r#"() > 9 and {role="plain"}"#),
        (
            r#"{ role: both, tags: { team: 'a"b', CostCenter: "7" } }"#,
            r#"() > 9 and {role="both", tag_cost_center="7", tag_team="a\"b"}"#,
        ),
        ("{ tags: { env: prod } }", "() > 9"),
    ] {
        assert_eq!(depth(queues), expected, "{queues}");
    }
}

#[test]
fn metric_math_keeps_its_gaps() {
    let math = |expression: &str| {
        let yaml = format!(
            "alarms: [{{ name: a, expression: '{expression}', comparison: '>', threshold: 9, \
             metrics: {{ v: messages_visible, w: messages_in_flight }} }}]"
        );
        let mut rules = translated(&yaml);
        if let Some(refused) = rules.refused.first() {
            return refused.why.to_string();
        }
        let flight = r#"max by (account, region, queue) (sqs_queue_messages{state="in_flight"})"#;
        let visible = r#"max by (account, region, queue) (sqs_queue_messages{state="visible"})"#;
        let all = "max by (account, region, queue) (sqs_queue_info)";
        rules.alerts.remove(0).expr.replace(visible, "V").replace(flight, "W").replace(all, "ALL")
    };
    for (expression, expected) in [
        ("v + 2 * 3 - w", "((V + 6) - W) > 9"),
        ("-v ^ 2 + w", "((-(V ^ 2)) + W) > 9"),
        ("v / w", "(V / (W != 0)) > 9"),
        ("v / w - v", "((V / (W != 0) or 0 * V) - V) > 9"),
        ("v / 0 + w", "its expression never has a value"),
        ("IF(1, v, w) + w", "(V + W) > 9"),
        ("IF(v > w, v)", "(V > W) > 9"),
        ("IF(v > 1, w, 0)", "((W and V > 1) or 0 * (V <= 1)) > 9"),
        (
            "IF(v > 1 AND w, 1, 2)",
            "(0 * ((((V > bool 1) != bool 0) * (W != bool 0)) != 0) + 1 or \
            0 * ((((V > bool 1) != bool 0) * (W != bool 0)) == 0) + 2) > 9",
        ),
        ("FILL(v, w)", "(V or W) > 9"),
        ("FILL(v, 1) + w", "((V or 0 * ALL + 1) + W) > 9"),
        ("FILL(v, REPEAT) + w", "(last_over_time((V)[5m59s999ms:1m]) + W) > 9"),
        ("RATE(v) + w", "(((V - V offset 1m) / 60 or 0 * W) + W) > 9"),
        ("CEIL(ABS(v)) > FLOOR(w)", "(ceil(abs(V)) > bool floor(W)) > 9"),
        (
            "MAX([v, w])",
            "max by (account, region, queue) (label_replace(V, \"metric\", \"1\", \"\", \"\") or \
            label_replace(W, \"metric\", \"2\", \"\", \"\")) > 9",
        ),
        ("v ^ w", "(V ^ W and abs(V ^ W) < +Inf) > 9"),
    ] {
        let found = math(expression).replace(
            r#"max by (account, region, queue) (sqs_queue_messages{state="visible"} offset 1m)"#,
            "V offset 1m",
        );
        // Both metrics must be used, or the configuration refuses the expression.
        assert_eq!(found, expected, "{expression}");
    }
    let deep = format!("{}w", "v / w - ".repeat(60));
    assert!(math(&deep).starts_with("its expression would be too long"), "{deep}");
}

#[test]
fn custom_metrics_stand_beside_their_areas_queues() {
    let found = alert(
        r#"metrics: { v: messages_visible, f: failed }, expression: "v - f", comparison: ">", threshold: 9"#,
    )
    .expr;
    let custom = "max by (account, region, queue) (sqs_queue_info) * on (account, region) group_left () \
                  clamp_min(max by (account, region) (sqs_custom_failed_total - last_over_time(sqs_custom_failed_total[5m] offset 1m)), 0)";
    let visible = r#"max by (account, region, queue) (sqs_queue_messages{state="visible"})"#;
    assert_eq!(found, format!("({visible} - ({custom})) > 9"));
}

#[test]
fn composite_alarms_look_at_alerts() {
    let yaml = |rule: &str, queues: &str| {
        format!(
            "alarms:\n  - {{ name: c, alarm_rule: '{rule}'{queues} }}\n  - {{ name: a, metric: messages_visible, comparison: '>', threshold: 9 }}\n  \
             - {{ name: \"b \\\"x\", metric: failed, comparison: '>', threshold: 9 }}"
        )
    };
    let said = |rule: &str, queues: &str| {
        let mut rules = translated(&yaml(rule, queues));
        let last = rules.alerts.pop().unwrap();
        assert_eq!(&*last.alarm, "c", "a composite alarm stands behind what it looks at");
        last.expr
            .replace("\n ", "")
            .replace("max by (account, region, queue) (sqs_queue_info)", "ALL")
            .replace("ALERTS{alertname=\"a\", alertstate=\"firing\"}", "A")
            .replace("ALERTS{alertname=\"b \\\"x\", alertstate=\"firing\"}", "B")
    };
    for (rule, expected) in [
        ("ALARM(a) AND NOT ALARM(\"b \\\"x\")", "max(A) and (vector(1) unless max(B))"),
        ("OK(a) OR FALSE", "(vector(1) unless max(A)) or (vector(1) unless vector(1))"),
        (
            "AT_LEAST(1, NOT OK, (a))",
            "((0 * (vector(1) unless (vector(1) unless max(A))) + 1 or 0 * vector(1))) >= 1",
        ),
    ] {
        assert_eq!(said(rule, ""), expected, "{rule}");
    }
    let each =
        said("ALARM(a) OR ALARM(\"b \\\"x\")", ", queues: { name: \"*\" }").replace("{queue=~\".*\"}", "");
    assert_eq!(each.matches("sqs_queue_info{queue").count(), 0, "{each}");
    assert_eq!(
        each.replace("max by (account, region, queue) (sqs_queue_info)", "ALL"),
        "(max by (account, region, queue) (A) or (ALL and on () B)) and ALL"
    );
}

#[test]
fn what_cannot_be_said_is_named_with_its_reason() {
    let rules = translated(
        r#"
alarms:
  - { name: tag, queues: { tags: { owner: x } }, metric: messages, comparison: ">", threshold: 9 }
  - { name: average, metric: messages_sent, statistic: Average, comparison: ">", threshold: 9 }
  - { name: maximum, metric: failed, statistic: Maximum, comparison: ">", threshold: 9 }
  - { name: unknown, alarm_rule: INSUFFICIENT_DATA(fine) }
  - { name: parent, alarm_rule: ALARM(fine) OR ALARM(average) }
  - { name: fine, metric: messages, comparison: ">", threshold: 9 }
"#,
    );
    let said: Vec<&str> = rules.alerts.iter().map(|alert| &*alert.alarm).collect();
    assert_eq!(said, ["fine"]);
    let refused: Vec<(String, String)> =
        rules.refused.iter().map(|refused| (refused.alarm.to_string(), refused.why.to_string())).collect();
    for (alarm, why) in [
        ("tag", "hint: add it to `discovery.tag_labels`"),
        ("average", "only the sums of `messages_sent` are exported, not its Average"),
        ("maximum", "hint: add a custom metric that is read as Maximum"),
        ("unknown", "whether `fine` is in INSUFFICIENT_DATA"),
        ("parent", "looks at `average`, which cannot be said either"),
    ] {
        assert!(
            refused.iter().any(|(name, text)| name == alarm && text.contains(why)),
            "{alarm}: {refused:?}"
        );
    }
    let file = file(&rules);
    assert_eq!(file.lines().filter(|line| line.starts_with("# CANNOT: ")).count(), 5, "{file}");
}

#[test]
fn notes_tell_what_one_rule_leaves_out() {
    let notes = |keys: &str| alert(&format!("metric: messages_sent, threshold: 1, {keys}")).notes.join(" ");
    for (keys, said) in [
        (r#"comparison: "<""#, "a period without datapoints is 0 here"),
        (r#"comparison: ">", treat_missing_data: ignore"#, "`treat_missing_data: ignore` keeps the state"),
        (r#"comparison: ">", treat_missing_data: breaching"#, "was not there during all"),
        (r#"comparison: ">", repeat: 4h, repeat_on: increase"#, "Not in here: `repeat`, `repeat_on`."),
        (r#"comparison: ">", statistic: p90, evaluate_low_sample_count_percentile: ignore"#, "few samples"),
        (r#"comparison: ">", labels: { region: x }"#, "Its label `region` is `alarm_region` here"),
    ] {
        assert!(notes(keys).contains(said), "{keys}: {}", notes(keys));
    }
    assert_eq!(notes(r#"comparison: ">""#), "");
}

/// Hostile words come back as they are, and nothing in them runs or breaks out.
#[test]
fn any_words_come_back_from_yaml() {
    let hostile = "a \"b\" 'c' \\ {{ $value }} {{{ }} # x: - [y] é 😀 \u{202e}rtl <b>";
    let rules = Rules {
        alerts: vec![Alert {
            alarm: hostile.into(),
            expr: format!("x == {}\n  and y", promql::quoted(hostile)),
            labels: [("on".to_owned(), hostile.to_owned())].into(),
            annotations: vec![("summary", format!("{hostile}\n\u{85}\u{2028}\u{feff}\u{7f}\0end"))],
            notes: vec![format!("{hostile}\nalert: {hostile}")],
        }],
        refused: vec![Refused { alarm: hostile.into(), why: Cannot::Child("x\ny: z".into()) }],
        notes: vec![],
        interval: None,
    };
    let resource = Resource {
        name: "n".into(),
        namespace: Some("m".into()),
        labels: [("release".into(), "x".into())].into(),
    };
    let plain: serde_json::Value = serde_saphyr::from_str(&file(&rules)).unwrap();
    let crd: serde_json::Value = serde_saphyr::from_str(&super::resource(&rules, &resource)).unwrap();
    assert_eq!(crd["spec"], plain);
    assert_eq!(
        (&crd["metadata"]["namespace"], &crd["metadata"]["labels"]["release"]),
        (&"m".into(), &"x".into())
    );
    let rule = &plain["groups"][0]["rules"][0];
    assert_eq!(rule["alert"], hostile);
    assert_eq!(rule["labels"]["on"], hostile);
    assert_eq!(rule["annotations"]["summary"], rules.alerts[0].annotations[0].1.as_str());
    assert_eq!(rule["expr"], rules.alerts[0].expr.as_str());
    assert!(!file(&rules).chars().any(|c| c != '\n' && promql::is_hidden(c)), "a reader sees everything");
}

#[test]
fn templates_in_the_users_words_are_text() {
    let alert = alert(
        r#"metric: messages, comparison: ">", threshold: 9, description: "{{ $value }} {{{x}}}", labels: { team: "{{ .Foo }}" }"#,
    );
    assert_eq!(alert.annotations[1], ("description", r#"{{ "{{" }} $value }} {{ "{{" }}{x}}}"#.to_owned()));
    assert_eq!(alert.labels["team"], r#"{{ "{{" }} .Foo }}"#);
}

#[test]
fn without_alarms_the_file_is_empty_and_valid() {
    let rules = translated("alarms: []");
    assert!(file(&rules).ends_with("groups: []\n"));
    let builtin = translated("");
    assert_eq!((builtin.alerts.len(), builtin.refused.len(), builtin.interval), (5, 0, None));
    let short = translated(
        r#"alarms: [{ name: a, metric: messages_visible, period: 10s, comparison: ">", threshold: 1 }]"#,
    );
    assert!(file(&short).contains("\n    interval: 10s\n"));
}
