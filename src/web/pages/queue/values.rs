//! The values of the plots as a table, to be read out and copied: fewer and coarser than what is drawn.

use maud::{Markup, html};

use super::past::Past;
use crate::domain::history::TRACKED;
use crate::domain::metric::{Kind, Metric};
use crate::domain::time::Timestamp;
use crate::web::pages::plot::{Axis, plain};

/// How many rows it has at most.
const ROWS: usize = 60;

/// One column.
struct Column {
    name: &'static str,
    kind: Kind,
    /// One value a bucket.
    values: Vec<Option<f64>>,
}

/// The table, closed until somebody wants it.
pub fn section(past: &Past) -> Markup {
    let columns = columns(past);
    let rows = rows(past.axis, &columns);
    html! {
        @if !columns.is_empty() {
            details #values {
                summary { "Values as a table" span { "UTC; sums are a minute's mean, the rest is the largest" } }
                div.scroll tabindex="0" role="group" aria-label="Values" {
                    table.values {
                        thead { tr {
                            th scope="col" { "From" }
                            @for column in &columns { th.n scope="col" { (column.name) } }
                        } }
                        tbody { @for (at, cells) in rows.iter().rev() { tr {
                            th scope="row" { (at) }
                            @for cell in cells { td.n { @if let Some(value) = cell { (plain(*value)) } } }
                        } } }
                    }
                }
            }
        }
    }
}

/// Of what anything is known. What the dead-letter queue holds is among them when it is told on the same axis.
fn columns(past: &Past) -> Vec<Column> {
    let column = |name, metric: Metric, values| Column { name, kind: metric.row().kind, values };
    let own = TRACKED.map(|metric| column(metric.name(), metric, past.values(metric)));
    let dead = past.dead.as_ref().filter(|(_, axis, _)| *axis == past.axis).map(|_| {
        [
            column("dead_letters_held", Metric::MessagesVisible, past.dead_values(Metric::MessagesVisible)),
            column("dead_letters_arrived", Metric::DeadLetters, past.dead_values(Metric::DeadLetters)),
        ]
    });
    let all = own.into_iter().chain(dead.into_iter().flatten());
    all.filter(|column| column.values.iter().any(Option::is_some)).collect()
}

/// Several buckets as one row, aligned to their own length so that a row stays what it is while time goes on.
fn rows(axis: Axis, columns: &[Column]) -> Vec<(Timestamp, Vec<Option<f64>>)> {
    // One is kept free: aligned, the first and the last row may be parts.
    let together = axis.count.div_ceil(ROWS - 1).max(1);
    let times = |count: usize| axis.step * u32::try_from(count).unwrap_or(u32::MAX);
    let row_of = |place: usize| (axis.from + times(place)).floor(times(together));
    let mut rows = Vec::new();
    let mut begin = 0;
    while begin < axis.count {
        let at = row_of(begin);
        let end = (begin..axis.count).find(|place| row_of(*place) != at).unwrap_or(axis.count);
        rows.push((at, columns.iter().map(|column| column.fold(begin..end)).collect()));
        begin = end;
    }
    rows
}

impl Column {
    fn fold(&self, places: std::ops::Range<usize>) -> Option<f64> {
        let known = || self.values.get(places.clone()).unwrap_or_default().iter().flatten().copied();
        let largest = known().reduce(f64::max);
        match self.kind {
            Kind::Gauge => largest,
            Kind::Counter => largest.map(|_| known().sum::<f64>() / known().count() as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn several_buckets_are_one_row_and_what_is_unknown_stays_so() {
        let axis = Axis { from: Timestamp::from_secs(180), step: Duration::from_secs(60), count: 180 };
        let mut values = vec![None; 180];
        (values[0], values[1], values[9]) = (Some(3.0), Some(6.0), Some(1.0));
        let column = |kind| Column { name: "x", kind, values: values.clone() };
        let rows = rows(axis, &[column(Kind::Gauge), column(Kind::Counter)]);
        assert!(rows.len() <= ROWS, "{}", rows.len());
        assert_eq!(rows[0].0, Timestamp::from_secs(0), "four minutes, of which one is on the plot");
        assert_eq!(rows[0].1, [Some(3.0), Some(3.0)]);
        assert_eq!(rows[1].1, [Some(6.0), Some(6.0)]);
        assert_eq!(rows[2].1, [None, None]);
        assert_eq!(rows[3].1, [Some(1.0), Some(1.0)]);
        assert!(super::rows(Axis { count: 0, ..axis }, &[column(Kind::Gauge)]).is_empty());
    }
}
