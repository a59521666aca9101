use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::time::Timestamp;

fn plot(series: Vec<Vec<Option<f64>>>) -> Plot {
    let count = series.iter().map(Vec::len).max().unwrap_or_default();
    let series = series.into_iter().map(|values| Series::new("visible", Shape::Line, values)).collect();
    Plot {
        key: "depth",
        title: "Depth",
        unit: Unit::Count("messages"),
        axis: Axis { from: Timestamp::from_secs(1_767_323_040), step: Duration::from_secs(60), count },
        series,
        marks: vec![Mark { name: "<too & deep>".into(), sign: "≥", at: 5.0, firing: true }],
        alarms: vec![],
    }
}

#[test]
fn it_says_what_it_shows() {
    let html = plot(vec![vec![Some(1.0), None, Some(2000.0), Some(3.0)]]).figure().into_string();
    let words = "Depth in messages, from 2026-01-02T03:04:00Z to 2026-01-02T03:08:00Z. visible: now 3, lowest 1, highest 2,000.";
    assert!(html.contains(words), "{html}");
    assert!(html.contains("data-values=\"1,,2000,3\"") && html.contains("<b>3</b>"), "{html}");
    assert!(html.contains("&lt;too &amp; deep&gt; ≥ 5") && !html.contains("<too"), "{html}");
}

#[test]
fn what_is_unknown_is_said_and_an_old_value_is_not_the_newest() {
    let html = plot(vec![vec![None; 10]]).figure().into_string();
    assert!(
        html.contains("nothing is known of this time") && html.contains("visible: nothing is known"),
        "{html}"
    );
    let html = plot(vec![]).figure().into_string();
    assert!(html.contains("nothing is known of this time"), "{html}");
    let mut values = vec![None; 10];
    values[2] = Some(7.0);
    let html = plot(vec![values]).figure().into_string();
    assert!(html.contains("<b>–</b>") && html.contains("now not known, lowest 7"), "{html}");
}

#[test]
fn values_for_programs_are_short() {
    for (value, expected) in
        [(0.0, "0"), (1234.0, "1234"), (0.2, "0.2"), (1.0 / 3.0, "0.333"), (1e18, "1000000000000000000")]
    {
        assert_eq!(plain(value), expected);
    }
}

proptest! {
    #[test]
    fn whatever_comes_no_figure_has_what_is_no_number(
        series in prop::collection::vec(prop::collection::vec(prop::option::of(any::<f64>()), 0..40), 0..4),
        threshold in any::<f64>(),
    ) {
        let mut plot = plot(series);
        plot.marks[0].at = threshold;
        for unit in [Unit::Count("messages"), Unit::Seconds] {
            let html = Plot { unit, ..plot.clone() }.figure().into_string();
            prop_assert!(!html.contains("NaN") && !html.contains("inf"), "{}", html);
        }
    }
}
