//! The configurations that deploy/ ships are ones that sqswatch takes.

use std::path::Path;

use serde_json::Value;

use crate::daemon::run;

/// The configurations inside the ConfigMaps of a file of manifests.
fn configurations(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.split("\n---\n")
        .map(|document| serde_saphyr::from_str::<Value>(document).unwrap())
        .filter_map(|document| document["data"]["sqswatch.yaml"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn every_configuration_in_a_manifest_passes_the_check() {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes");
    let folder = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for file in std::fs::read_dir(manifests).unwrap().map(|entry| entry.unwrap().path()) {
        for configuration in configurations(&file) {
            let copy = folder.path().join("sqswatch.yaml");
            std::fs::write(&copy, &configuration).unwrap();
            let output = run(&["check", "--config", "-"], &copy);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {said}\n{configuration}", file.display());
            checked += 1;
        }
    }
    assert_eq!(checked, 2, "a ConfigMap was lost or found");
}

/// The actions the daemon may ever need, and nothing that touches a message.
#[test]
fn the_policies_allow_what_is_needed_and_nothing_more() {
    let actions = |name: &str| -> Vec<String> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/iam").join(name);
        let policy: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        assert!(statements.clone().all(|statement| statement["Effect"] == "Allow"));
        let list = |action: &Value| match action {
            Value::Array(many) => many.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
            one => vec![one.as_str().unwrap().to_owned()],
        };
        statements.flat_map(|statement| list(&statement["Action"])).collect()
    };
    let read = ["sqs:ListQueues", "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListQueueTags"];
    let read = read.into_iter().chain(["sqs:ListDeadLetterSourceQueues", "cloudwatch:GetMetricData"]);
    assert_eq!(actions("policy.json"), read.collect::<Vec<_>>());
    assert_eq!(actions("publish.json"), ["sns:Publish", "kms:GenerateDataKey*", "kms:Decrypt"]);
    assert_eq!(actions("assume-role.json"), ["sts:AssumeRole"]);
    assert_eq!(actions("trust-assume.json"), ["sts:AssumeRole"]);
    assert_eq!(actions("trust-irsa.json"), ["sts:AssumeRoleWithWebIdentity"]);
}
