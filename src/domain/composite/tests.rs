//! The grammar: what is read, what is refused and how; and how an expression is decided.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Expression {
    let parsed = parse(text);
    assert_eq!(parsed.faults, [], "{text}");
    parsed.expression.unwrap()
}

/// The faults of a rule, each as `column: message / hint`.
fn faults(text: &str) -> Vec<String> {
    let parsed = parse(text);
    assert_eq!(parsed.expression, None, "{text}");
    let shown = |fault: &Fault| match &fault.hint {
        Some(hint) => format!("{}: {} / {hint}", fault.column, fault.message),
        None => format!("{}: {}", fault.column, fault.message),
    };
    parsed.faults.iter().map(shown).collect()
}

fn names(text: &str) -> Vec<String> {
    parse(text).references.iter().map(|one| format!("{}@{}", one.name, one.column)).collect()
}

#[test]
fn rules_as_cloudwatch_documents_them_are_read() {
    // The rule, and the same with every group in its parentheses.
    let cases = [
        (
            "ALARM(CPUUtilizationTooHigh) AND ALARM(DiskReadOpsTooHigh)",
            "(ALARM(CPUUtilizationTooHigh) AND ALARM(DiskReadOpsTooHigh))",
        ),
        ("ALARM(a) AND NOT ALARM(DeploymentInProgress)", "(ALARM(a) AND NOT ALARM(DeploymentInProgress))"),
        ("(ALARM(a) OR ALARM(b)) AND OK(c)", "((ALARM(a) OR ALARM(b)) AND OK(c))"),
        ("OK(a) OR OK(b) AND NOT OK(c) OR FALSE", "(OK(a) OR (OK(b) AND NOT OK(c)) OR FALSE)"),
        ("NOT (TRUE OR INSUFFICIENT_DATA(x))", "NOT (TRUE OR INSUFFICIENT_DATA(x))"),
        ("NOT NOT ALARM(a)", "NOT NOT ALARM(a)"),
        ("ALARM ( \"a name\" )", "ALARM(\"a name\")"),
        ("ALARM(\"a \\\"quoted\\\" \\\\ name\")", "ALARM(\"a \\\"quoted\\\" \\\\ name\")"),
        ("OK(größe-日本)\n\tAND\r\nALARM(arn:aws:x:1/a.b)", "(OK(größe-日本) AND ALARM(arn:aws:x:1/a.b))"),
        ("ALARM(AND) OR ALARM(it's)", "(ALARM(AND) OR ALARM(\"it's\"))"),
        (
            "AT_LEAST(2, ALARM, (a, \"b c\",d)) AND NOT ALARM(m)",
            "(AT_LEAST(2, ALARM, (a, \"b c\", d)) AND NOT ALARM(m))",
        ),
        ("AT_LEAST(50%, NOT OK, (a, b))", "AT_LEAST(50%, NOT OK, (a, b))"),
        ("AT_LEAST(\"50%\", INSUFFICIENT_DATA, (a))", "AT_LEAST(50%, INSUFFICIENT_DATA, (a))"),
        ("(((ALARM(a))))", "ALARM(a)"),
    ];
    for (text, grouped) in cases {
        assert_eq!(in_full(&read(text)), grouped, "{text}");
    }
}

/// Prints with parentheses round every AND and OR, independently of the rules of precedence.
fn in_full(expression: &Expression) -> String {
    let list = |terms: &[Expression], word: &str| {
        let terms: Vec<String> = terms.iter().map(in_full).collect();
        format!("({})", terms.join(word))
    };
    match expression {
        Expression::Not(inner) => format!("NOT {}", in_full(inner)),
        Expression::And(terms) => list(terms, " AND "),
        Expression::Or(terms) => list(terms, " OR "),
        leaf => leaf.to_string(),
    }
}

#[test]
fn each_fault_has_its_place_and_what_to_do() {
    const OPERAND: &str =
        "`ALARM(...)`, `OK(...)`, `INSUFFICIENT_DATA(...)`, `AT_LEAST(...)`, `TRUE`, `FALSE`, `NOT` or `(`";
    let operand = |text: &str| text.replace("OPERAND", OPERAND);
    let cases: [(&str, &[&str]); 34] = [
        ("", &["1: the rule is empty / write e.g. `ALARM(first) AND NOT ALARM(second)`"]),
        (" \n", &["1: the rule is empty / write e.g. `ALARM(first) AND NOT ALARM(second)`"]),
        ("dlq", &["1: `dlq` stands where one of OPERAND is expected / did you mean `ALARM(dlq)`?"]),
        (
            "\"a b\"",
            &["1: `\"a b\"` stands where one of OPERAND is expected / did you mean `ALARM(\"a b\")`?"],
        ),
        ("ALARM(a) and ALARM(b)", &["10: `and` is not understood / write `AND`: keywords are in upper case"]),
        (
            "alarm(a) && !ALARM(b)",
            &[
                "1: `alarm` is not understood / write `ALARM`: keywords are in upper case",
                "10: `&&` is not understood / write `AND`: keywords are in upper case",
                "13: `!ALARM` stands where one of OPERAND is expected / write `NOT` in the place of `!`",
            ],
        ),
        (
            "ALARM(a) ALARM(b)",
            &["10: an operator is missing before `ALARM` / write `AND` or `OR` between them"],
        ),
        ("ALARM(a) XOR ALARM(b)", &["10: `XOR` is no operator / write `AND` or `OR`"]),
        ("ALARM(a) AND", &["13: the rule ends where one of OPERAND is expected"]),
        ("AND ALARM(a)", &["1: `AND` stands where one of OPERAND is expected"]),
        ("ALARM(a) OR OR OK(b)", &["13: `OR` stands where one of OPERAND is expected"]),
        ("(ALARM(a) OR OK(b)", &["19: the `(` at character 1 is never closed / add `)`"]),
        (
            "ALARM(a)) AND OK(b))",
            &[
                "9: `)` stands where the rule should go on or end / it closes nothing: leave it out",
                "20: `)` stands where the rule should go on or end / it closes nothing: leave it out",
            ],
        ),
        (
            "ALARM(a), ALARM(b)",
            &["9: `,` stands where the rule should go on or end / write `AND` or `OR` in its place"],
        ),
        ("()", &["2: `)` stands where one of OPERAND is expected"]),
        ("ALARM", &["6: the rule ends where `(` after `ALARM` is expected / write `ALARM(name)`"]),
        ("OK a", &["4: `(` after `OK` is expected, not `a` / write `OK(name)`"]),
        ("ALARM()", &["7: the name of an alarm is expected, not `)`"]),
        ("ALARM(\"\")", &["7: the name of an alarm is empty"]),
        (
            "ALARM(my alarm) AND OK(b",
            &[
                "10: `)` is expected, not `alarm` / a name with spaces is in double quotes: `\"my alarm\"`",
                "25: the rule ends where `)` is expected / add `)`",
            ],
        ),
        ("ALARM(a AND OK(b)", &["9: `)` is expected, not `AND` / add `)`"]),
        (
            "ALARM(a, b)",
            &[
                "8: `)` is expected, not `,` / one alarm each: `ALARM(a) OR ALARM(b)`, or `AT_LEAST(1, ALARM, (a, b))`",
            ],
        ),
        (
            "ALARM('a b') OR OK(“c”)",
            &[
                "7: `'` does not quote a name / names are in double quotes: `\"...\"`",
                "20: `“` does not quote a name / names are in double quotes: `\"...\"`",
            ],
        ),
        (
            "ALARM(\"a)",
            &[
                "7: the name that begins here is never closed / close it with `\"`; a quote within a name is written `\\\"`",
                "10: the rule ends where `)` is expected / add `)`",
            ],
        ),
        (
            "INSUFFICIENT(a) AND Ok(b)",
            &[
                "1: `INSUFFICIENT` stands where one of OPERAND is expected",
                "21: `Ok` is not understood / write `OK`: keywords are in upper case",
            ],
        ),
        (
            "AT_LEAST(0, ALARM, (a))",
            &[
                "10: `0` is no whole number from 1 / write a whole number, e.g. `2`, or a percentage, e.g. `50%`",
            ],
        ),
        (
            "AT_LEAST(101%, ALARM, (a, a))",
            &[
                "10: `101%` is no whole percentage from 1 to 100 / write a whole number, e.g. `2`, or a percentage, e.g. `50%`",
                "27: `a` is in the list twice",
            ],
        ),
        (
            "AT_LEAST(1.5, ALARM, (a))",
            &[
                "10: `1.5` is no whole number from 1 / write a whole number, e.g. `2`, or a percentage, e.g. `50%`",
            ],
        ),
        ("AT_LEAST(3, ALARM, (a, b))", &["10: `3` can never be reached: the list has 2"]),
        (
            "AT_LEAST(ALARM, (a))",
            &[
                "10: `ALARM` is no whole number from 1 / write a whole number, e.g. `2`, or a percentage, e.g. `50%`",
                "17: `ALARM`, `OK` or `INSUFFICIENT_DATA` is expected, not `(` / write e.g. `AT_LEAST(2, ALARM, (a, b, c))` or `AT_LEAST(50%, NOT OK, (a, b, c))`",
            ],
        ),
        (
            "AT_LEAST(2, TRUE, (a))",
            &[
                "13: `ALARM`, `OK` or `INSUFFICIENT_DATA` is expected, not `TRUE` / write e.g. `AT_LEAST(2, ALARM, (a, b, c))` or `AT_LEAST(50%, NOT OK, (a, b, c))`",
            ],
        ),
        (
            "AT_LEAST(2, ALARM, a, b)",
            &[
                "20: `(` before the names is expected, not `a` / write e.g. `AT_LEAST(2, ALARM, (a, b, c))` or `AT_LEAST(50%, NOT OK, (a, b, c))`",
            ],
        ),
        (
            "AT_LEAST(1, ALARM, (a, b)",
            &[
                "26: the rule ends where `)` is expected / write e.g. `AT_LEAST(2, ALARM, (a, b, c))` or `AT_LEAST(50%, NOT OK, (a, b, c))`",
            ],
        ),
        ("ALARM(\u{7})x\u{7}", &["9: `x\u{fffd}` is no operator / write `AND` or `OR`"]),
    ];
    for (text, expected) in cases {
        let got = faults(text);
        let expected: Vec<String> = expected.iter().map(|fault| operand(fault)).collect();
        assert_eq!(got, expected, "{text}");
    }
}

#[test]
fn names_are_known_also_of_a_rule_that_makes_no_sense() {
    assert_eq!(names("ALARM(a) AND ) OK(\"b c\") OR alarm(d)"), ["a@7", "b c@19", "d@35"]);
    assert_eq!(names("AT_LEAST(2, OK, (x, y)) AND NOT ALARM(x)"), ["x@18", "y@21", "x@39"]);
    assert_eq!(names("ALARM(my alarm) OR ALARM(b)"), ["b@26"], "what the name is cannot be told");
}

#[test]
fn the_limits_are_cloudwatchs() {
    let many = |count: usize, word: &str| vec![word; count].join(" OR ");
    assert!(parse(&many(MOST_ELEMENTS, "ALARM(a)")).faults.is_empty());
    assert!(faults(&many(MOST_ELEMENTS + 1, "OK(a)"))[0].contains("more than 500 elements"));
    assert!(faults(&many(251, "(TRUE)"))[0].contains("more than 500 elements"));
    let distinct = |count| (0..count).map(|n| format!("OK(a{n})")).collect::<Vec<_>>().join(" AND ");
    assert!(parse(&distinct(MOST_CHILDREN)).faults.is_empty());
    assert!(faults(&distinct(MOST_CHILDREN + 1))[0].starts_with("1194: the rule names more than 100 alarms"));
    let long = format!("ALARM({})", "ü".repeat(MOST_CHARACTERS - 7));
    assert!(parse(&long).faults.is_empty());
    assert_eq!(
        faults(&format!("{long} ")),
        ["10241: the rule is 10241 characters long; at most 10240 are allowed"]
    );
}

#[test]
fn what_is_nested_without_end_is_refused_and_not_followed() {
    for deep in ["(".repeat(5_000), "NOT ".repeat(2_500), "NOT (".repeat(2_000), "(NOT ".repeat(2_000)] {
        let got = faults(&deep);
        assert!(got.iter().any(|fault| fault.contains("nested more than 100 deep")), "{got:?}");
    }
    let nested = |depth| format!("{}ALARM(a){}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(read(&nested(100)), read("ALARM(a)"));
    assert!(faults(&nested(101))[0].contains("nested"));
}

#[test]
fn a_part_of_them_is_rounded_up() {
    let cases = [
        (Quorum::Count(3), 9, 3),
        (Quorum::Percent(50), 3, 2),
        (Quorum::Percent(50), 4, 2),
        (Quorum::Percent(1), 5, 1),
        (Quorum::Percent(100), 7, 7),
    ];
    for (quorum, all, enough) in cases {
        assert_eq!(quorum.of(all), enough, "{quorum:?} of {all}");
    }
}

fn any_state() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

fn any_name() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![3 => "[a-d]", 1 => "\\PC{1,6}"].prop_map(|name| Arc::from(name.as_str()))
}

fn one_of_four() -> BoxedStrategy<Arc<str>> {
    "[a-d]".prop_map(|name| Arc::from(name.as_str())).boxed()
}

fn any_at_least(name: impl Strategy<Value = Arc<str>>) -> impl Strategy<Value = Expression> {
    let names = prop::collection::btree_set(name, 1..5);
    (names, any::<bool>(), any::<bool>(), any_state(), 1..=100_u32).prop_map(
        |(names, percent, negated, state, number)| {
            let names: Vec<Arc<str>> = names.into_iter().collect();
            let quorum = match percent {
                true => Quorum::Percent(number),
                false => Quorum::Count(1 + number % names.len() as u32),
            };
            Expression::AtLeast(AtLeast { quorum, negated, state, names })
        },
    )
}

fn expression_over(name: BoxedStrategy<Arc<str>>) -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Expression::Constant),
        4 => (any_state(), name.clone()).prop_map(|(state, name)| Expression::Is(state, name)),
        1 => any_at_least(name),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let terms = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
            terms.clone().prop_map(Expression::And),
            terms.prop_map(Expression::Or),
        ]
    })
}

/// An evaluator that has nothing in common with the other: over a truth table of states, by counting.
fn oracle(expression: &Expression, states: &dyn Fn(&str) -> State) -> bool {
    match expression {
        Expression::Constant(value) => *value,
        Expression::Is(state, name) => states(name) == *state,
        Expression::AtLeast(AtLeast { quorum, negated, state, names }) => {
            let count = names.iter().filter(|name| (states(name) == *state) ^ *negated).count();
            match quorum {
                Quorum::Count(wanted) => count >= *wanted as usize,
                Quorum::Percent(percent) => count * 100 >= names.len() * *percent as usize,
            }
        }
        Expression::Not(inner) => !oracle(inner, states),
        Expression::And(terms) => terms.iter().filter(|term| oracle(term, states)).count() == terms.len(),
        Expression::Or(terms) => terms.iter().filter(|term| oracle(term, states)).count() > 0,
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_the_same(expression in expression_over(any_name().boxed())) {
        let text = expression.to_string();
        let parsed = parse(&text);
        prop_assert_eq!(&parsed.faults, &[], "{}", text);
        prop_assert_eq!(parsed.expression, Some(expression), "{}", text);
    }

    #[test]
    fn garbage_is_refused_and_never_panics(text in "(\\PC|ALARM|OK|AND|OR|NOT|AT_LEAST|TRUE|[(),\"'\\\\ %a-c0-9\n]){0,60}") {
        let parsed = parse(&text);
        let length = text.chars().count();
        prop_assert_eq!(parsed.expression.is_some(), parsed.faults.is_empty());
        for fault in &parsed.faults {
            prop_assert!((1..=length + 1).contains(&fault.column), "{:?}", fault);
            prop_assert!(!fault.message.chars().any(char::is_control), "{:?}", fault);
        }
    }

    #[test]
    fn a_known_table_is_decided_as_by_counting(expression in expression_over(one_of_four()), states in prop::collection::vec(any_state(), 4)) {
        let of = |name: &str| states[usize::from(name.as_bytes()[0] - b'a')];
        prop_assert_eq!(expression.holds(&|state, name| Some(of(name) == state)), Some(oracle(&expression, &of)));
    }

    /// Whatever the unknown states turn out to be, an answer that was given stays right.
    #[test]
    fn what_is_decided_with_gaps_is_right_however_they_are_filled(
        expression in expression_over(one_of_four()),
        states in prop::collection::vec(prop::option::of(any_state()), 4),
    ) {
        let of = |name: &str| states[usize::from(name.as_bytes()[0] - b'a')];
        let answer = expression.holds(&|state, name| of(name).map(|known| known == state));
        for filling in 0..81_usize {
            let fill = |name: &str| {
                let position = usize::from(name.as_bytes()[0] - b'a');
                states[position].unwrap_or(State::ALL[filling / 3_usize.pow(position as u32) % 3])
            };
            if let Some(answer) = answer {
                prop_assert_eq!(answer, oracle(&expression, &fill));
            }
        }
    }
}
