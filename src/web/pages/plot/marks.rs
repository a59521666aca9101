//! What is drawn beside the values: thresholds and limits as labelled lines, and when an alarm was in ALARM.

use maud::{Markup, html};

use super::axis::Axis;
use super::scale::{HEIGHT, Scale, Unit};
use crate::domain::time::Timestamp;

/// A mark this many times above the values would flatten them, and is named below the plot instead.
const FAR: f64 = 4.0;
/// How high the letters of a label are, in pixels.
const TEXT: f64 = 11.0;
/// Longer names are cut where they are drawn.
const NAME: usize = 40;
/// How many marks out of sight are named.
const NAMED: usize = 3;

/// A threshold or a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Whose it is: an alarm's name, or what the limit is.
    pub name: String,
    /// How values are held against it, e.g. `≥`; empty for a limit.
    pub sign: &'static str,
    /// Where it is, in the unit of the plot.
    pub at: f64,
    /// Whether that alarm is in ALARM now.
    pub firing: bool,
}

impl Mark {
    fn words(&self, unit: Unit) -> String {
        let value = unit.write(self.at);
        if self.sign.is_empty() {
            format!("{} {value}", self.name)
        } else {
            format!("{} {} {value}", self.name, self.sign)
        }
    }

    /// The same without the middle of a name that is too long.
    fn label(&self, unit: Unit) -> String {
        let count = self.name.chars().count();
        if count <= NAME {
            return self.words(unit);
        }
        let name: String = self.name.chars().take(NAME - 1).chain(['…']).collect();
        Self { name, ..self.clone() }.words(unit)
    }
}

/// A stretch of time in which an alarm was in ALARM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None` while it lasts.
    pub until: Option<Timestamp>,
}

/// The marks that fit on a plot whose highest value is `highest`, the highest first.
pub fn in_sight(marks: &[Mark], highest: f64) -> Vec<&Mark> {
    let mut fitting: Vec<&Mark> = marks
        .iter()
        .filter(|mark| mark.at >= 0.0 && mark.at.is_finite() && mark.at <= (highest * FAR).max(1.0))
        .collect();
    fitting.sort_by(|a, b| b.at.total_cmp(&a.at).then_with(|| a.name.cmp(&b.name)));
    fitting
}

/// The names of the marks beside their lines; where there is no room for one it is left to its alarm.
pub fn labels(marks: &[&Mark], scale: Scale, unit: Unit) -> Markup {
    let mut free = 0.0;
    let mut placed = Vec::new();
    for mark in marks {
        let line = scale.y(mark.at);
        // Above its line, or below when there is no room.
        let above = line - 4.0;
        let y = if above - TEXT >= free { above } else { line + TEXT + 1.0 };
        if y - TEXT >= free && y < HEIGHT {
            placed.push((mark, y));
            free = y + 2.0;
        }
    }
    html! {
        @for (mark, y) in placed {
            text.label .firing[mark.firing] x="4" y=(format!("{y:.1}")) { (mark.label(unit)) title { (mark.words(unit)) } }
        }
    }
}

/// The marks that would have flattened the plot, in words.
pub fn out_of_sight(all: &[Mark], seen: &[&Mark], unit: Unit) -> Markup {
    let rest: Vec<&Mark> =
        all.iter().filter(|mark| mark.at >= 0.0 && mark.at.is_finite() && !seen.contains(mark)).collect();
    let words: Vec<String> = rest.iter().take(NAMED).map(|mark| mark.label(unit)).collect();
    html! {
        @if !rest.is_empty() {
            p.above {
                "Above this scale: " (words.join(" · "))
                @if rest.len() > NAMED { " and " (rest.len() - NAMED) " more" }
            }
        }
    }
}

/// The spans as parts of the drawing's width, those that touch as one.
pub fn merged(spans: &[Span], axis: Axis) -> Vec<(f64, f64)> {
    let end = axis.until();
    let mut inside: Vec<(Timestamp, Timestamp)> = spans
        .iter()
        .map(|span| (span.from.max(axis.from), span.until.unwrap_or(end).min(end)))
        .filter(|(from, until)| from < until)
        .collect();
    inside.sort();
    let mut merged: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, until) in inside {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged.into_iter().map(|(from, until)| (axis.x(from), axis.x(until))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn mark(name: &str, at: f64) -> Mark {
        Mark { name: name.into(), sign: "≥", at, firing: false }
    }

    #[test]
    fn what_is_far_above_is_named_and_not_drawn() {
        let marks = [mark("near", 30.0), mark("far", 1000.0), mark("none", -1.0), mark("broken", f64::NAN)];
        let seen = in_sight(&marks, 10.0);
        assert_eq!(seen, [&marks[0]]);
        let words = out_of_sight(&marks, &seen, Unit::Count("messages")).into_string();
        assert_eq!(words, "<p class=\"above\">Above this scale: far ≥ 1,000</p>");
        assert_eq!(in_sight(&marks, 0.0), Vec::<&Mark>::new());
        assert_eq!(in_sight(&[mark("one", 1.0)], 0.0).len(), 1, "an empty plot has room up to 1");
    }

    #[test]
    fn labels_keep_apart_and_are_cut() {
        let marks: Vec<Mark> = (0..9).map(|n| mark(&"long name ".repeat(9), 100.0 + f64::from(n))).collect();
        let labels = labels(&in_sight(&marks, 100.0), Scale::of(108.0, Unit::Count("")), Unit::Count(""))
            .into_string();
        assert!((1..=3).contains(&labels.matches("<text").count()), "{labels}");
        assert!(labels.contains('…'));
    }

    #[test]
    fn spans_that_touch_are_one_and_those_outside_are_none() {
        let at = Timestamp::from_secs;
        let axis = Axis { from: at(1000), step: Duration::from_secs(10), count: 100 };
        let span = |from, until: Option<i64>| Span { from: at(from), until: until.map(at) };
        let spans = [
            span(1900, None),
            span(0, Some(999)),
            span(1200, Some(1300)),
            span(500, Some(1100)),
            span(1250, Some(1400)),
        ];
        assert_eq!(merged(&spans, axis), [(0.0, 100.0), (200.0, 400.0), (900.0, 1000.0)]);
        assert_eq!(merged(&[span(5000, None), span(1500, Some(1500))], axis), []);
    }
}
