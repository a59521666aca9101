//! Expressions over small columns, and their faults.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::metric::Metric;

const MINUTE: Duration = Duration::from_secs(60);

fn input(id: &str) -> Input {
    Input { id: id.into(), metric: MetricRef::Queue(Metric::MessagesSent), statistic: Statistic::Sum }
}

/// Words are points, oldest first: `-` missing, `?` unknown, else a number.
fn column(text: &str) -> Vec<Cell> {
    let cell = |word: &str| match word {
        "-" => Cell::Missing,
        "?" => Cell::Unknown,
        number => Cell::Value(number.parse().unwrap()),
    };
    text.split_whitespace().map(cell).collect()
}

fn value(expression: &str, columns: &[(&str, &str)]) -> Vec<Cell> {
    let inputs = columns.iter().map(|(id, _)| input(id)).collect();
    let math = Math::parse(expression, inputs).unwrap_or_else(|faults| panic!("{expression}: {faults:?}"));
    let columns: Vec<Vec<Cell>> = columns.iter().map(|(_, text)| column(text)).collect();
    math.evaluate(&columns, columns[0].len(), MINUTE)
}

fn faults(expression: &str, ids: &[&str]) -> Vec<(usize, String)> {
    let parsed = Math::parse(expression, ids.iter().map(|id| input(id)).collect());
    let faults = parsed.expect_err(expression);
    faults.into_iter().map(|fault| (fault.position, fault.message)).collect()
}

#[test]
fn operators_bind_as_in_arithmetic() {
    let one = [("a", "7")];
    for (expression, expected) in [
        ("a + 2 * 3", "13"),
        ("(a + 2) * 3", "27"),
        ("a - 2 - 3", "2"),
        ("a / 2 / 7", "0.5"),
        ("-a ^ 2", "-49"),
        ("a * 2 ^ -1", "3.5"),
        ("2 ^ 3 ^ 2 + a - a", "512"),
        ("a > 5 AND a < 8", "1"),
        ("a > 7 OR a == 7", "1"),
        ("a != 7 || a <> 7", "0"),
        ("1 + a >= 8 && 1", "1"),
        ("ABS(-a) + CEIL(0.5 * a) + FLOOR(0.5 * a)", "14"),
        ("--a", "7"),
        ("1.5e1 + a * 0", "15"),
    ] {
        assert_eq!(value(expression, &one), column(expected), "{expression}");
    }
}

#[test]
fn missing_is_0_between_series_and_a_gap_beside_a_number() {
    let two = [("a", "1 - - 4 ?"), ("b", "2 3 - 0 1")];
    for (expression, expected) in [
        ("a + b", "3 3 - 4 ?"),
        ("a - b", "-1 -3 - 4 ?"),
        ("b / a", "2 - - 0 ?"),
        ("100 * a / b", "50 0 - - ?"),
        ("a * 2 + b", "4 3 - 8 ?"),
        ("a * 2 + 0 * b", "2 0 - 8 ?"),
        ("IF(a > 2, a, b)", "2 - - 4 ?"),
        ("IF(b > 1, b)  + 0 * a", "2 3 - 0 ?"),
        ("IF(1, a, b)", "1 - - 4 ?"),
        ("IF(0, a, b)", "2 3 - 0 1"),
        ("FILL(a, 9) + 0 * b", "1 9 9 4 ?"),
        ("FILL(a, REPEAT) + 0 * b", "1 1 1 4 ?"),
        ("FILL(a, b)", "1 3 - 4 ?"),
        ("SUM(METRICS())", "3 3 - 4 ?"),
        ("AVG(METRICS())", "1.5 3 - 2 ?"),
        ("MIN([a, b])", "1 3 - 0 ?"),
        ("MAX([a, b, a + b])", "3 3 - 4 ?"),
    ] {
        assert_eq!(value(expression, &two), column(expected), "{expression}");
    }
    assert_eq!(value("SUM(METRICS(\"in\")) - o", &[("in1", "1"), ("in2", "2"), ("o", "4")]), column("-1"));
}

#[test]
fn a_change_is_against_the_newest_point_before() {
    let one = [("a", "60 120 - 240 ? 300 360")];
    assert_eq!(value("DIFF(a)", &one), column("- 60 - 120 ? ? 60"));
    assert_eq!(value("RATE(a)", &one), column("- 1 - 1 ? ? 1"), "over the seconds between the two");
    assert!(Math::parse("1 + RATE(a)", vec![input("a")]).unwrap().looks_back());
    assert!(!Math::parse("FILL(a, 0)", vec![input("a")]).unwrap().looks_back());
}

#[test]
fn a_division_by_zero_drops_the_point() {
    let columns = [("a", "1 0 -1 5"), ("b", "0 0 0 2")];
    assert_eq!(value("a / b", &columns), column("- - - 2.5"));
    assert_eq!(value("(0 - a) ^ 0.5", &[("a", "4 -4")]), column("- 2"), "neither is what is no number");
}

#[test]
fn every_fault_has_its_position() {
    let two = ["a", "b"];
    for (expression, position, message) in [
        ("", 1, "a number, a metric, a function or `(` is expected, not the end"),
        ("a + b)", 6, "an operator or the end is expected, not `)`"),
        ("(a + b", 7, "`)` is expected, not the end"),
        ("a b", 3, "an operator or the end is expected, not `b`"),
        ("a + * b", 5, "a number, a metric, a function or `(` is expected, not `*`"),
        ("a = b", 3, "`=` has no meaning here"),
        ("a % b", 3, "`%` has no meaning here"),
        ("ä + a + b", 1, "`ä` has no meaning here"),
        ("a + b + \"x", 9, "a text begins here and never ends"),
        ("1.2.3 + a + b", 1, "`1.2.3` is no number"),
        ("1e999 * a + b", 1, "`1e999` is no number"),
        ("rate(a) + b", 1, "`rate` is no function"),
        ("STDDEV(a) + b", 1, "`STDDEV` is no function"),
        ("IF(a) + b", 5, "`,` is expected, not `)`"),
        ("FILL(a, LINEAR) + b", 9, "`LINEAR` is no metric of this alarm"),
        ("a + b + c", 9, "`c` is no metric of this alarm"),
        ("SUM(a) + b", 5, "a list of series is expected, not a series"),
        ("RATE(5) + a + b", 6, "a series is expected, not a number"),
        ("METRICS()", 1, "the result is several series"),
        ("METRICS() + 1", 1, "several series stand where one is wanted"),
        ("SUM(METRICS(\"z\")) + a + b", 5, "no metric has `z` in its name"),
        ("SUM([a, 1]) + b", 9, "a series is expected, not a number"),
    ] {
        let found = faults(expression, &two);
        assert!(found.contains(&(position, message.to_owned())), "{expression}: {found:?}");
    }
    assert_eq!(faults("1 + 1", &[]), [(1, "the result is a number".to_owned())]);
    assert_eq!(faults("a", &two), [(1, "`b` is not used".to_owned())]);
    let all = faults("x + SUM(a) + RATE(1) + b", &two);
    assert_eq!(all.len(), 3, "all at once: {all:?}");
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let long = format!("a{}", " + a".repeat(MAX_LENGTH));
    assert_eq!(faults(&long, &["a"])[0].0, MAX_LENGTH + 1);
    for deep in ["(", "-", "ABS(", "[", "2^"] {
        let found = faults(&deep.repeat(MAX_LENGTH / deep.len()), &["a"]);
        assert!(found[0].1.contains("deeper"), "{deep}: {found:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ab0-9+*/^<>=&|!(),\\[\\]\"A-Z .é-]{0,40}") {
        let _ = Math::parse(&text, vec![input("a"), input("b")]);
    }

    /// Whatever an unknown point turns out to be, it does not change a result that is known.
    #[test]
    fn what_is_known_does_not_depend_on_what_is_not(
        cells in proptest::collection::vec((0..4_u8, 0..4_u8), 1..8),
        truth in proptest::collection::vec((0..3_u8, 0..3_u8), 8),
        which in 0..8_usize,
    ) {
        const EXPRESSIONS: [&str; 8] = [
            "a / b", "RATE(a) + b", "FILL(a, REPEAT) * b", "IF(a > b, a, 1)", "SUM(METRICS())", "AVG([a, b])",
            "DIFF(FILL(a, 0)) - b", "MIN(METRICS()) ^ 2",
        ];
        let cell = |code: u8| match code {
            3 => Cell::Unknown,
            0 => Cell::Missing,
            n => Cell::Value(f64::from(n - 1)),
        };
        let math = Math::parse(EXPRESSIONS[which], vec![input("a"), input("b")]).unwrap();
        let given: Vec<Vec<Cell>> =
            vec![cells.iter().map(|c| cell(c.0)).collect(), cells.iter().map(|c| cell(c.1)).collect()];
        let filled = |code: u8, truth: u8| if code == 3 { cell(truth) } else { cell(code) };
        let full: Vec<Vec<Cell>> = vec![
            cells.iter().zip(&truth).map(|(c, t)| filled(c.0, t.0)).collect(),
            cells.iter().zip(&truth).map(|(c, t)| filled(c.1, t.1)).collect(),
        ];
        let known = math.evaluate(&given, cells.len(), MINUTE);
        let whole = math.evaluate(&full, cells.len(), MINUTE);
        for (known, whole) in known.iter().zip(&whole) {
            prop_assert!(*known == Cell::Unknown || known == whole, "{known:?} {whole:?}");
        }
    }
}
