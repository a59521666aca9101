//! alerts/: rules for Prometheus and for its operator, with promtool's word on what they do.

use serde_json::Value;

use crate::grafana::list;
use crate::{exported, named, promtool, read};

const RULES: &str = "alerts/sqswatch.yaml";
const TESTS: &str = "alerts/sqswatch_test.yaml";

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every rule of the file.
pub fn alerts() -> Vec<Value> {
    let groups = yaml(RULES)["groups"].clone();
    list(&groups).iter().flat_map(|group| list(&group["rules"]).to_vec()).collect()
}

/// The name of an alert.
pub fn name(alert: &Value) -> &str {
    alert["alert"].as_str().expect("an alerting rule")
}

#[test]
fn what_they_name_exists() {
    let exported = exported();
    for file in [RULES, TESTS] {
        let text = read(file);
        let unknown: Vec<_> = named(&text).difference(&exported).copied().collect();
        assert!(unknown.is_empty(), "{file} names what is not exported: {unknown:?}");
    }
}

#[test]
fn they_are_valid_and_do_what_their_tests_say() {
    for arguments in [["check", "rules", RULES], ["test", "rules", TESTS]] {
        let (fine, said) = promtool(&arguments);
        assert!(fine, "{said}");
    }
}

#[test]
fn each_waits_is_graded_and_says_what_happened() {
    for alert in alerts() {
        let name = name(&alert);
        assert!(alert["for"].is_string(), "{name} has no `for`");
        let severity = alert["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: severity `{severity}`");
        for (annotation, least) in [("summary", 15), ("description", 60)] {
            let text = alert["annotations"][annotation].as_str().unwrap_or_default();
            assert!(text.len() > least && !text.contains('\n'), "{name}: {annotation} `{text}`");
        }
    }
}

/// A firing and a silence of each: the test of a healthy world ends with no alert at all.
#[test]
fn each_fires_in_a_test_and_is_silent_in_another() {
    let tests = yaml(TESTS);
    let expected = |name: &str| -> (bool, bool) {
        let checks = list(&tests["tests"]).iter().flat_map(|test| list(&test["promql_expr_test"]));
        let checks = checks.filter(|check| check["expr"].as_str().unwrap().contains("ALERTS"));
        let (mut fires, mut silent) = (false, false);
        for check in checks {
            let found = check["exp_samples"].to_string().contains(&format!("alertname=\\\"{name}\\\""));
            fires |= found;
            silent |= !found;
        }
        (fires, silent)
    };
    let alerts = alerts();
    assert!(alerts.len() > 20, "only {} alerts", alerts.len());
    for alert in &alerts {
        assert_eq!(expected(name(alert)), (true, true), "{} in {TESTS}", name(alert));
    }
}

#[test]
fn the_operator_gets_the_same_rules() {
    let manifest = yaml("deploy/kubernetes/prometheusrule.yaml");
    assert_eq!(manifest["kind"], "PrometheusRule");
    assert_eq!(manifest["spec"], yaml(RULES));
}
