//! dashboards/ as Grafana would take it: what it names exists, what exists is on it, every query parses, and nothing collides.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use sqswatch::domain::metric::CATALOGUE;

use crate::grafana::{self, Dashboard, FILES, filled, list, used};
use crate::{exported, named, promtool, read};

/// `x`, `y`, `w`, `h` of a panel.
fn place(panel: &Value) -> [u64; 4] {
    ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a grid position"))
}

fn overlap(one: &Value, other: &Value) -> bool {
    let ([x, y, w, h], [x2, y2, w2, h2]) = (place(one), place(other));
    x < x2 + w2 && x2 < x + w && y < y2 + h2 && y2 < y + h
}

#[test]
fn they_are_what_the_generator_writes() {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(grafana::root()).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let python = run("sh", &["scripts/peers.sh", "python", "3.10"]);
    run(python.trim(), &["scripts/dashboards.py", "--check"]);
}

#[test]
fn what_they_name_exists_and_what_exists_is_shown() {
    let exported = exported();
    let mut shown = String::new();
    for dashboard in Dashboard::all() {
        let text = dashboard.texts().join("\n");
        let unknown: Vec<_> = named(&text).difference(&exported).copied().collect();
        assert!(unknown.is_empty(), "{} names what is not exported: {unknown:?}", dashboard.file);
        for query in dashboard.queries() {
            shown.push_str(&query.expression);
            shown.push('\n');
        }
    }
    let hidden: Vec<_> = exported.difference(&named(&shown)).copied().collect();
    assert!(hidden.is_empty(), "no panel shows {hidden:?}");
    for row in CATALOGUE {
        let Some(state) = row.state else { continue };
        let selector = format!("{}{{state=\"{state}\"", row.family);
        assert!(shown.contains(&selector), "no panel shows {selector}}}");
    }
}

#[test]
fn every_query_parses() {
    let queries: Vec<_> = Dashboard::all().iter().flat_map(Dashboard::queries).collect();
    assert!(queries.len() > 100, "only {} queries were found", queries.len());
    let rules = queries.iter().enumerate().map(|(number, query)| {
        let expression = filled(&query.expression, "orders");
        let unknown = used(&expression);
        assert!(unknown.is_empty(), "{}: unknown variables {unknown:?}", query.place);
        serde_json::json!({ "record": format!("dashboard:{number}"), "expr": expression })
    });
    let group =
        serde_json::json!({ "groups": [{ "name": "dashboards", "rules": rules.collect::<Vec<_>>() }] });
    let folder = tempfile::tempdir().unwrap();
    // JSON is YAML too.
    let file = folder.path().join("dashboards.yaml");
    std::fs::write(&file, group.to_string()).unwrap();
    let (fine, said) = promtool(&["check", "rules", file.to_str().unwrap()]);
    assert!(fine, "{said}");
}

#[test]
fn every_panel_is_explained_and_has_a_unit_and_thresholds() {
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels().into_iter().filter(|panel| panel["type"] != "row") {
            let title = format!("{}: {}", dashboard.file, panel["title"].as_str().unwrap());
            let explained = panel["description"].as_str().is_some_and(|text| text.len() > 15);
            assert!(explained, "`{title}` has no description");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(defaults["unit"].is_string(), "`{title}` has no unit");
            let steps = list(&defaults["thresholds"]["steps"]);
            assert!(steps.first().is_some_and(|step| step["value"].is_null()), "`{title}` has no thresholds");
            let rising =
                steps[1..].windows(2).all(|pair| pair[0]["value"].as_f64() < pair[1]["value"].as_f64());
            assert!(rising, "`{title}`: thresholds out of order");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "`{title}`");
            for target in list(&panel["targets"]) {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "`{title}`");
            }
        }
    }
}

#[test]
fn no_two_panels_share_an_id_or_a_place() {
    let mut uids = BTreeSet::new();
    for Dashboard { file, json } in &Dashboard::all() {
        assert!(uids.insert(json["uid"].as_str().unwrap().to_owned()), "{file} has the uid of another");
        assert_eq!(json["schemaVersion"], 42, "{file}");
        assert!(json["id"].is_null() && json["__inputs"].is_null(), "{file} is an export, not a source");
        let mut ids = BTreeSet::new();
        let top = list(&json["panels"]);
        for level in std::iter::once(top).chain(top.iter().map(|row| list(&row["panels"]))) {
            for (number, panel) in level.iter().enumerate() {
                let title = panel["title"].as_str().unwrap();
                assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: `{title}` shares its id");
                let [x, _, w, h] = place(panel);
                assert!(w > 0 && h > 0 && x + w <= 24, "{file}: `{title}` is out of the grid");
                let other = level[..number].iter().find(|other| overlap(panel, other));
                assert!(other.is_none(), "{file}: `{title}` lies on `{}`", other.unwrap()["title"]);
            }
        }
    }
}

#[test]
fn variables_and_links_lead_somewhere() {
    let all = Dashboard::all();
    let uids: BTreeSet<&str> = all.iter().map(|dashboard| dashboard.json["uid"].as_str().unwrap()).collect();
    for dashboard in &all {
        let (variables, file) = (dashboard.variables(), dashboard.file);
        for text in dashboard.texts() {
            let unknown: Vec<_> = used(text)
                .into_iter()
                .filter(|name| !name.starts_with("__") && !variables.contains(&**name))
                .collect();
            assert!(unknown.is_empty(), "{file}: `{text}` uses unknown variables {unknown:?}");
            if let Some(rest) = text.strip_prefix("/d/") {
                let uid = rest.split('?').next().unwrap();
                assert!(uids.contains(uid), "{file}: no dashboard has the uid `{uid}`");
                assert!(rest.contains("${datasource:queryparam}"), "{file}: {text} forgets the data source");
            }
        }
        for variable in variables.iter().filter(|name| !matches!(**name, "datasource")) {
            let others = dashboard.texts().into_iter().filter(|text| used(text).contains(*variable)).count();
            assert!(others > 0, "{file}: nothing uses `{variable}`");
        }
    }
    let queue = Dashboard::read("queue.json");
    for passed in all.iter().flat_map(Dashboard::texts).filter(|text| text.starts_with("/d/sqswatch-queue?"))
    {
        for parameter in passed.split("var-").skip(1).filter_map(|rest| rest.split('=').next()) {
            assert!(queue.variables().contains(parameter), "the queue's dashboard has no `{parameter}`");
        }
    }
}

/// kubectl keeps a copy of what it applied in an annotation, which may not exceed 256 KiB.
#[test]
fn the_config_maps_hold_every_dashboard_and_fit() {
    let text = read("dashboards/kustomization.yaml");
    let kustomization: Value = serde_saphyr::from_str(&text).unwrap();
    let maps = list(&kustomization["configMapGenerator"]);
    let files: BTreeSet<&str> =
        maps.iter().flat_map(|map| list(&map["files"])).filter_map(Value::as_str).collect();
    assert_eq!(files, BTreeSet::from(FILES));
    assert_eq!(maps.len(), FILES.len(), "each in a ConfigMap of its own");
    let labels = &kustomization["generatorOptions"]["labels"];
    assert_eq!(labels["grafana_dashboard"], "1", "the label that the sidecar looks for, as a text");
    for file in FILES {
        let size = read(&format!("dashboards/{file}")).len();
        assert!(size < 200_000, "{file} has {size} bytes");
    }
}
