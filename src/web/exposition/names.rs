//! Label names made from names that others chose: tags and CloudWatch dimensions.

use std::collections::BTreeSet;

/// For each name the label it becomes: `prefix` and the name in snake case with everything that Prometheus does not allow
/// as `_`. Names that would meet, among each other or with `taken`, are told apart by `_2`, `_3`, ... in their order.
///
/// `CostCenter` and `cost-center` with prefix `tag_` become `tag_cost_center` and `tag_cost_center_2`.
pub fn label_names<'a>(
    prefix: &str,
    names: impl IntoIterator<Item = &'a str>,
    taken: &[&str],
) -> Vec<String> {
    let mut used: BTreeSet<String> = taken.iter().map(|name| name.to_string()).collect();
    let unique = |name: &str| {
        let wanted = label_name(prefix, name);
        let numbered = (2..).map(|n| format!("{wanted}_{n}"));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|label| !used.contains(label));
        let label = free.unwrap_or(wanted);
        used.insert(label.clone());
        label
    };
    names.into_iter().map(unique).collect()
}

fn label_name(prefix: &str, name: &str) -> String {
    let mut label = prefix.to_owned();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            label.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        label.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    // Names that open with `__` are Prometheus's own, and none may open with a digit.
    if prefix.is_empty() {
        let bare = label.trim_start_matches('_');
        label = match bare.chars().next() {
            None => "unnamed".to_owned(),
            Some(first) if first.is_ascii_digit() => format!("_{bare}"),
            Some(_) => bare.to_owned(),
        };
    }
    label
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_become_snake_case_and_never_meet() {
        let cases: [(&str, &[&str], &[&str]); 4] = [
            (
                "tag_",
                &["team", "CostCenter", "cost-center", "aws:stack"],
                &["tag_team", "tag_cost_center", "tag_cost_center_2", "tag_aws_stack"],
            ),
            (
                "",
                &["Service", "QueueName", "HTTPCode", "region"],
                &["service", "queue_name", "httpcode", "region_2"],
            ),
            ("", &["9lives", "__name__", "é", ""], &["_9lives", "name__", "unnamed", "unnamed_2"]),
            ("tag_", &["a_2", "a", "A"], &["tag_a_2", "tag_a", "tag_a_3"]),
        ];
        for (prefix, names, expected) in cases {
            assert_eq!(label_names(prefix, names.iter().copied(), &["account", "region"]), expected);
        }
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_valid_label(names in proptest::collection::vec(any::<String>(), 0..6)) {
            let labels = label_names("", names.iter().map(String::as_str), &["region"]);
            let distinct: BTreeSet<&String> = labels.iter().collect();
            prop_assert_eq!(distinct.len(), names.len());
            for label in labels {
                let first = label.chars().next().unwrap();
                prop_assert!(first == '_' || first.is_ascii_alphabetic());
                prop_assert!(label.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()));
                prop_assert!(!label.starts_with("__"), "{}", label);
            }
        }
    }
}
