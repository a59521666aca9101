//! Reasons word by word, as AWS's documentation and alarm histories show them.

use super::*;

#[test]
fn reasons_are_worded_as_cloudwatch_words_them() {
    let check = |condition: &Condition, values: &str, before: State, expected: &str| {
        let reason = evaluate(condition, &series(values), before, minute(0)).unwrap().reason;
        assert_eq!(reason, expected, "{values}");
    };
    let mode = |missing_data, condition| Condition { missing_data, ..condition };
    use MissingData::{Breaching, Missing, NotBreaching};
    use State::{Alarm, InsufficientData, Ok};

    check(
        &condition(1, 1),
        "99.5",
        Ok,
        "Threshold Crossed: 1 out of the last 1 datapoints [99.5 (02/10/19 16:59:00)] was greater than the \
         threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
    );
    check(
        &condition(5, 3),
        "0 60 0 70 0",
        Alarm,
        "Threshold Crossed: 3 out of the last 5 datapoints [0.0 (02/10/19 16:59:00), 0.0 (02/10/19 16:57:00), \
         0.0 (02/10/19 16:55:00)] were not greater than the threshold (50.0) \
         (minimum 3 datapoints for ALARM -> OK transition).",
    );
    check(
        &condition(50, 50),
        &format!("{} 48", "51 ".repeat(49)),
        Alarm,
        "Threshold Crossed: 1 out of the last 50 datapoints [48.0 (02/10/19 16:59:00)] was not greater than the \
         threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
    );
    check(
        &Condition { comparison: Comparison::LessThan, threshold: 65.0, ..condition(6, 6) },
        "5 4 3 2 1 0",
        Ok,
        "Threshold Crossed: 6 out of the last 6 datapoints were less than the threshold (65.0). The most recent \
         datapoints which crossed the threshold: [0.0 (02/10/19 16:59:00), 1.0 (02/10/19 16:58:00), \
         2.0 (02/10/19 16:57:00), 3.0 (02/10/19 16:56:00), 4.0 (02/10/19 16:55:00)] \
         (minimum 6 datapoints for OK -> ALARM transition).",
    );
    check(
        &Condition { comparison: Comparison::GreaterThanOrEqual, ..condition(5, 1) },
        "1 2 3 4 5",
        Alarm,
        "Threshold Crossed: 5 out of the last 5 datapoints were not greater than or equal to the threshold (50.0). \
         The most recent datapoints: [5.0 (02/10/19 16:59:00), 4.0 (02/10/19 16:58:00), 3.0 (02/10/19 16:57:00), \
         2.0 (02/10/19 16:56:00), 1.0 (02/10/19 16:55:00)] (minimum 5 datapoints for ALARM -> OK transition).",
    );
    check(
        &mode(NotBreaching, condition(20, 1)),
        &format!("{} 613", "- ".repeat(21)),
        Ok,
        "Threshold Crossed: 1 out of the last 20 datapoints [613.0 (02/10/19 16:59:00)] was greater than the \
         threshold (50.0) and 19 missing datapoints were treated as [NonBreaching] \
         (minimum 1 datapoint for OK -> ALARM transition).",
    );
    check(
        &mode(Breaching, condition(2, 2)),
        "- - - -",
        Ok,
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as \
         [Breaching].",
    );
    check(
        &mode(NotBreaching, condition(1, 1)),
        "- - -",
        Alarm,
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
         [NonBreaching].",
    );
    check(
        &mode(Breaching, condition(3, 2)),
        "- - - - 4",
        Ok,
        "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as \
         [Breaching].",
    );
    check(&mode(Missing, condition(1, 1)), "- - -", Ok, "Insufficient Data: 1 datapoint was unknown.");
    check(&mode(Missing, condition(3, 3)), "- - - - 60", Ok, "Insufficient Data: 2 datapoints were unknown.");
    check(
        &condition(1, 1),
        "12500000",
        InsufficientData,
        "Threshold Crossed: 1 out of the last 1 datapoints [1.25E7 (02/10/19 16:59:00)] was greater than the \
         threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
    );
}
