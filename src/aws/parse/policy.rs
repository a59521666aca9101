//! Whether a queue's policy lets everybody in. The policy itself goes no further: it can be long, and names who is trusted.

use serde_json::Value;

/// Whether a statement allows everybody without a condition; `None` for what is no policy. A statement that denies may still narrow
/// what another allows: that is for a person to judge.
///
/// The grammar: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html. One statement may stand without its
/// list, `{"AWS": "*"}` is everybody as `"*"` is, and whom `NotPrincipal` names is all that `Allow` leaves out.
pub fn is_public(text: &str) -> Option<bool> {
    // The depth of hostile nesting is bounded by the parser.
    let policy: Value = serde_json::from_str(text).ok()?;
    let statements = policy.as_object()?.get("Statement")?;
    Some(each(statements).iter().any(allows_everybody))
}

fn allows_everybody(statement: &Value) -> bool {
    let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let unconditional = conditions.is_none_or(serde_json::Map::is_empty);
    let everybody =
        statement.get("Principal").is_some_and(is_everybody) || statement.get("NotPrincipal").is_some();
    allows && unconditional && everybody
}

fn is_everybody(principal: &Value) -> bool {
    let any = |names: &Value| each(names).iter().any(|name| name.as_str() == Some("*"));
    any(principal) || principal.get("AWS").is_some_and(any)
}

/// A list, or one thing that stands for a list of it.
fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn open_to_the_world_is_everybody_without_a_condition() {
        let statement = |rest: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:*",{rest}}}]}}"#
            )
        };
        for (rest, expected) in [
            (r#""Principal":"*""#, true),
            (r#""Principal":["*"]"#, true),
            (r#""Principal":{"AWS":"*"}"#, true),
            (r#""Principal":{"AWS":["arn:aws:iam::1:root","*"]}"#, true),
            (r#""Principal":"*","Condition":{}"#, true),
            (r#""NotPrincipal":{"AWS":"arn:aws:iam::1:root"}"#, true),
            (r#""Principal":"*","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:x:1:t"}}"#, false),
            (r#""Principal":{"AWS":"arn:aws:iam::1:root"}"#, false),
            (r#""Principal":{"Service":"sns.amazonaws.com"}"#, false),
            (r#""Principal":{"AWS":7}"#, false),
            (r#""Resource":"*""#, false),
        ] {
            assert_eq!(is_public(&statement(rest)), Some(expected), "{rest}");
        }
        let deny = r#"{"Statement":{"Effect":"Deny","Principal":"*"}}"#;
        assert_eq!(is_public(deny), Some(false));
    }

    #[test]
    fn what_is_no_policy_is_unknown() {
        for text in ["", "{", "[]", "null", "\"*\"", "{}", r#"{"statement":[]}"#, &"[".repeat(100_000)] {
            assert_eq!(is_public(text), None, "{}", &text[..text.len().min(20)]);
        }
        for text in [r#"{"Statement":[]}"#, r#"{"Statement":null}"#, r#"{"Statement":[1,"x",[]]}"#] {
            assert_eq!(is_public(text), Some(false), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,200}") {
            let _ = is_public(&text);
            let _ = is_public(&format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{text}}}]}}"#));
        }
    }
}
