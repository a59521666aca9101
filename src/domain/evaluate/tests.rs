//! The evaluator against an oracle written from the specification's text, AWS's published rows, every completion of what
//! is unknown, and the three alarms that every guide to SQS recommends.

mod percentiles;
mod reasons;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::metric::Metric;
use crate::domain::rule::LowSamples;
use crate::domain::series::Fold;
use crate::domain::time::MINUTE;

const MODES: [MissingData; 4] =
    [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];

/// The specification's own words on a row as it writes them: newest right, `0`, `X` or `-`. `None` is "keep".
fn oracle(row: &str, n: usize, m: usize, mode: MissingData) -> Option<State> {
    let newest_first: Vec<(usize, char)> =
        row.chars().rev().enumerate().map(|(index, point)| (index + 1, point)).collect();
    let r: Vec<(usize, char)> = newest_first.iter().copied().filter(|(_, point)| *point != '-').collect();
    let breaching = |points: &[(usize, char)]| points.iter().filter(|(_, point)| *point == 'X').count();
    if r.len() >= n {
        // Rule 1.
        return Some(if breaching(&r[..n]) >= m { State::Alarm } else { State::Ok });
    }
    // Rule 2.
    let (b, fill) = (breaching(&r), n - r.len());
    let g = r.len() - b;
    let alarm_if = |fires: bool| Some(if fires { State::Alarm } else { State::Ok });
    match mode {
        MissingData::NotBreaching => alarm_if(b >= m),
        MissingData::Breaching => alarm_if(b + fill >= m),
        _ if b >= m => Some(State::Alarm),
        _ if g > 0 => Some(State::Ok),
        MissingData::Ignore => None,
        MissingData::Missing => match r.last() {
            Some((age, 'X')) if *age >= m => Some(State::Alarm),
            _ => Some(State::InsufficientData),
        },
    }
}

/// A row's points, newest first. Beside the specification's signs `?` is unknown and `~` undecided.
fn points(row: &str) -> Vec<Point> {
    let point = |sign| match sign {
        '0' => Point::NotBreaching,
        'X' => Point::Breaching,
        '-' => Point::Missing,
        '~' => Point::Undecided,
        _ => Point::Unknown,
    };
    row.chars().rev().map(point).collect()
}

/// Every row of `length` over `signs`.
fn rows(signs: &str, length: usize) -> Vec<String> {
    (0..length).fold(vec![String::new()], |rows, _| {
        rows.iter().flat_map(|row| signs.chars().map(move |sign| format!("{row}{sign}"))).collect()
    })
}

/// Every row that `row` may turn out to be.
fn completions(row: &str) -> Vec<String> {
    row.chars().fold(vec![String::new()], |rows, sign| {
        let turns_into = match sign {
            '?' => "-0X",
            '~' => "0X",
            '0' => "0",
            'X' => "X",
            _ => "-",
        };
        rows.iter().flat_map(|row| turns_into.chars().map(move |sign| format!("{row}{sign}"))).collect()
    })
}

/// What is certain: the state in which all agree; `None` among them keeps `state`.
fn agreed(outcomes: &[Option<State>], state: State) -> Option<State> {
    let first = outcomes[0].unwrap_or(state);
    outcomes.iter().all(|outcome| outcome.unwrap_or(state) == first).then_some(first)
}

#[test]
fn every_row_of_seven_is_judged_as_the_specification_says() {
    for row in rows("0X-", 7) {
        let all = points(&row);
        for (n, m) in (1..=4).flat_map(|n| (1..=n).map(move |m| (n, m))) {
            for (range, mode) in (n..=7).flat_map(|range| MODES.map(|mode| (range, mode))) {
                let expected = oracle(&row[7 - range..], n, m, mode);
                for state in State::ALL {
                    let decided = decide(&all[..range], n, m, mode, state);
                    assert_eq!(
                        decided,
                        Some(expected.unwrap_or(state)),
                        "{row} range {range} {m} of {n} {mode:?} {state}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_verdict_on_unknown_points_is_given_exactly_when_every_completion_agrees() {
    for row in (1..=5).flat_map(|length| rows("0X-~?", length)) {
        let (all, completions) = (points(&row), completions(&row));
        for (n, m) in (1..=row.len().min(4)).flat_map(|n| (1..=n).map(move |m| (n, m))) {
            for mode in MODES {
                let outcomes: Vec<_> = completions.iter().map(|whole| oracle(whole, n, m, mode)).collect();
                for state in State::ALL {
                    let decided = decide(&all, n, m, mode, state);
                    assert_eq!(decided, agreed(&outcomes, state), "{row} {m} of {n} {mode:?} {state}");
                }
            }
        }
    }
}

#[test]
fn rows_that_aws_published() {
    use State::{Alarm as A, InsufficientData as I, Ok as O};
    // missing, ignore (None keeps the state), breaching, notBreaching
    for (row, expected) in [
        ("0-X-X", [Some(O), Some(O), Some(O), Some(O)]),
        ("0----", [Some(O), Some(O), Some(O), Some(O)]),
        ("-----", [Some(I), None, Some(A), Some(O)]),
        ("0XX-X", [Some(A), Some(A), Some(A), Some(A)]),
        ("--X--", [Some(A), None, Some(A), Some(O)]),
    ] {
        for (mode, expected) in MODES.into_iter().zip(expected) {
            assert_eq!(oracle(row, 3, 3, mode), expected, "the oracle on {row} {mode:?}");
            for state in State::ALL {
                let expected = Some(expected.unwrap_or(state));
                assert_eq!(decide(&points(row), 3, 3, mode, state), expected, "{row} {mode:?} {state}");
            }
        }
    }
}

proptest! {
    #[test]
    fn longer_rows_agree_with_every_completion_too(
        row in "[0X-]{0,12}[0X?~-]{0,6}[0X-]{0,12}",
        (n, m) in (1usize..=20).prop_flat_map(|n| (Just(n), 1..=n)),
        mode in proptest::sample::select(MODES.to_vec()),
        state in proptest::sample::select(State::ALL.to_vec()),
    ) {
        let outcomes: Vec<_> = completions(&row).iter().map(|whole| oracle(whole, n, m, mode)).collect();
        prop_assert_eq!(decide(&points(&row), n, m, mode, state), agreed(&outcomes, state));
    }
}

/// `m` of `n` minutes of visible messages over 50, range n + 2.
fn condition(n: u32, m: u32) -> Condition {
    Condition {
        metric: MetricRef::Queue(Metric::MessagesVisible),
        published: None,
        statistic: Statistic::Maximum,
        period: MINUTE,
        evaluation_periods: n,
        datapoints_to_alarm: m,
        evaluation_range: n + 2,
        comparison: Comparison::GreaterThan,
        threshold: 50.0,
        missing_data: MissingData::Missing,
        low_samples: LowSamples::Evaluate,
    }
}

fn minute(n: i64) -> Timestamp {
    Timestamp::from_secs(1_570_035_600 + n * 60) // 2019-10-02T17:00Z
}

/// A series whose last minute ends at 17:00: numbers, `-` missing, `?` not read.
fn series(values: &str) -> Series {
    let values: Vec<&str> = values.split_whitespace().collect();
    let mut series = Series::new(MINUTE, MINUTE * 60, Fold::Last);
    for (index, value) in values.iter().enumerate() {
        let start = minute(index as i64 - values.len() as i64);
        match *value {
            "?" => series.set(start, Slot::Unknown),
            "-" => series.set(start, Slot::Missing),
            number => series.set(start, Slot::Value(StatisticSet::single(number.parse().unwrap()))),
        }
    }
    series
}

fn judge(condition: &Condition, values: &str, state: State) -> Option<State> {
    evaluate(condition, &series(values), state, minute(0)).map(|verdict| verdict.state)
}

/// The first letters of the states that follow when `values` come in one a minute.
fn script(condition: &Condition, values: &str) -> String {
    let mut series = Series::new(MINUTE, condition.reach(), Fold::Last);
    let mut state = State::default();
    let letters = values.split_whitespace().enumerate().map(|(index, value)| {
        let index = index as i64;
        match value {
            "?" => {}
            "-" => series.set(minute(index), Slot::Missing),
            number => series.record(minute(index), number.parse().unwrap()),
        }
        let verdict = evaluate(condition, &series, state, minute(index + 1));
        state = verdict.map_or(state, |verdict| verdict.state);
        &state.as_str()[..1]
    });
    letters.collect()
}

#[test]
fn the_three_alarms_of_every_guide() {
    let backlog =
        Condition { statistic: Statistic::Average, period: MINUTE * 5, threshold: 1000.0, ..condition(2, 2) };
    // The window slides by a minute: ten minutes over the threshold on average make two periods.
    let steady = "500 500 500 500 500 1100 1100 1100 1100 1100 1100 1100 1100 1100 1100 0 0";
    assert_eq!(script(&backlog, steady), "IIIIOOOOOOOOOOAOO");
    // One high minute lifts the averages of the two periods only while both hold enough of it.
    assert_eq!(script(&backlog, "0 0 0 0 0 0 0 9000 0 0 0 0 0 0 0"), "IIIIOOOOOOOOOOO");
    // A read that failed keeps the state either way; nothing read yet keeps the first one.
    assert_eq!(script(&backlog, "2000 2000 2000 2000 2000 2000 2000 2000 2000 2000 ? ? ?"), "IIIIIIIIIAAAA");
    assert_eq!(script(&backlog, "? ? ? ? ? ? ?"), "IIIIIII");

    let age =
        Condition { metric: MetricRef::Queue(Metric::OldestMessageAge), threshold: 300.0, ..condition(5, 5) };
    assert_eq!(script(&age, "301 302 303 304 305 306 10 310 310 310 310 310"), "IIIIAAOOOOOA");
    assert_eq!(script(&age, "300 300 300 300 300 300"), "OOOOOO");
    // An empty queue has no oldest message: its age is missing.
    assert_eq!(script(&age, "301 302 303 304 305 - - - - - - -"), "IIIIAAAAAAAI");
    assert_eq!(script(&age, "301 302 303 304 305 ? ? ? ? ? ? ?"), "IIIIAAAAAAAA");

    let dead_letters = Condition {
        statistic: Statistic::Sum,
        comparison: Comparison::GreaterThanOrEqual,
        threshold: 1.0,
        ..condition(1, 1)
    };
    assert_eq!(script(&dead_letters, "0 0 1 1 0 - - - 2"), "OOAAOOOIA");
    assert_eq!(script(&dead_letters, "? 0 ? 1 ? 0"), "IOOAAO");
}

#[test]
fn a_period_read_in_part_counts_when_the_rest_cannot_undo_it() {
    let custom = || MetricRef::Custom("processed".into());
    let wide = |statistic, comparison, threshold| Condition {
        period: MINUTE * 2,
        statistic,
        comparison,
        threshold,
        ..condition(1, 1)
    };
    use Comparison::{GreaterThan as Gt, GreaterThanOrEqual as Ge, LessThan as Lt, LessThanOrEqual as Le};
    use State::{Alarm, Ok};
    for (condition, expected) in [
        (wide(Statistic::Maximum, Gt, 50.0), Some(Alarm)),
        (wide(Statistic::Maximum, Gt, 60.0), None),
        (wide(Statistic::Maximum, Lt, 50.0), Some(Ok)),
        (wide(Statistic::Maximum, Lt, 61.0), None),
        (wide(Statistic::Sum, Ge, 60.0), Some(Alarm)),
        (wide(Statistic::Sum, Le, 59.0), Some(Ok)),
        (wide(Statistic::SampleCount, Ge, 1.0), Some(Alarm)),
        (wide(Statistic::Minimum, Le, 60.0), Some(Alarm)),
        (wide(Statistic::Minimum, Gt, 60.0), Some(Ok)),
        (wide(Statistic::Minimum, Gt, 50.0), None),
        (wide(Statistic::Average, Gt, 50.0), None),
        (wide(Statistic::Percentile(99.0), Gt, 50.0), None),
        (Condition { metric: custom(), ..wide(Statistic::Sum, Ge, 60.0) }, None),
        (Condition { metric: custom(), ..wide(Statistic::Maximum, Ge, 60.0) }, Some(Alarm)),
    ] {
        assert_eq!(judge(&condition, "60 ?", State::InsufficientData), expected, "{condition:?}");
    }
}

#[test]
fn a_verdict_carries_the_newest_value_and_needs_no_reason_to_stay() {
    let verdict = evaluate(&condition(3, 2), &series("60 10 - 70 -"), State::Ok, minute(0)).unwrap();
    assert_eq!((verdict.state, verdict.value), (State::Alarm, Some(70.0)));
    let same = evaluate(&condition(3, 2), &series("60 10 - 70 -"), State::Alarm, minute(0)).unwrap();
    assert_eq!(same, Verdict { reason: String::new(), ..verdict });
    assert_eq!(judge(&condition(1, 1), "NaN", State::Ok), None);
}

/// Rows as [`series`] reads them, of `length` minutes.
fn values(length: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(proptest::sample::select(vec!["0", "50", "51", "80", "-", "?"]), length)
}

proptest! {
    #[test]
    fn what_lies_outside_the_range_does_not_matter(
        older in values(6), inside in values(5), newer in values(3),
        mode in proptest::sample::select(MODES.to_vec()),
        m in 1u32..=3,
    ) {
        let condition = Condition { missing_data: mode, ..condition(3, m) };
        let bare = evaluate(&condition, &series(&inside.join(" ")), State::Ok, minute(0));
        let mut framed = series(&[older, inside, newer].concat().join(" "));
        prop_assert_eq!(evaluate(&condition, &framed, State::Ok, minute(-3)).map(|v| v.state), bare.map(|v| v.state));
        framed.settle(minute(-3));
        let settled = evaluate(&condition, &framed, State::Ok, minute(20)).map(|v| v.state);
        prop_assert_eq!(settled, evaluate(&condition, &framed, State::Ok, minute(-3)).map(|v| v.state));
    }

    /// A read that comes late may complete a verdict, never contradict one.
    #[test]
    fn late_reads_never_contradict_a_verdict(
        row in values(10),
        late in values(10),
        m in 1u32..=2,
        statistic in proptest::sample::select(vec![
            Statistic::Maximum, Statistic::Minimum, Statistic::Sum, Statistic::Average, Statistic::SampleCount,
        ]),
        comparison in proptest::sample::select(vec![
            Comparison::GreaterThan, Comparison::GreaterThanOrEqual, Comparison::LessThan, Comparison::LessThanOrEqual,
        ]),
        threshold in proptest::sample::select(vec![1.0, 2.0, 50.0, 100.0]),
        mode in proptest::sample::select(MODES.to_vec()),
    ) {
        let condition = Condition {
            period: MINUTE * 2, statistic, comparison, threshold, missing_data: mode, ..condition(2, m)
        };
        let whole: Vec<_> = row.iter().zip(late).map(|(value, late)| if *value == "?" { late } else { value }).collect();
        if let Some(early) = judge(&condition, &row.join(" "), State::Ok) {
            prop_assert_eq!(judge(&condition, &whole.join(" "), State::Ok), Some(early));
        }
    }
}

#[test]
fn short_periods_use_every_reading() {
    let condition = Condition {
        period: Duration::from_secs(30),
        statistic: Statistic::SampleCount,
        threshold: 5.0,
        ..condition(1, 1)
    };
    let mut series = Series::new(Duration::from_secs(10), condition.reach(), Fold::All);
    for second in 0..6 {
        series.record(minute(0) + Duration::from_secs(second * 5), 1.0);
    }
    let verdict = evaluate(&condition, &series, State::Ok, minute(0) + Duration::from_secs(31)).unwrap();
    assert_eq!((verdict.state, verdict.value), (State::Alarm, Some(6.0)));
}
