//! The values of the plots as a table, to be read out and copied: fewer and coarser than what is drawn.

use maud::{Markup, html};

use super::past::{Past, SHOWN};
use crate::domain::metric::{Kind, Metric};
use crate::domain::time::Timestamp;
use crate::web::pages::plot::plain;

/// How many rows it has at most.
const ROWS: usize = 60;

/// The table, closed until somebody wants it.
pub fn section(past: &Past) -> Markup {
    let rows = rows(past);
    let known: Vec<(usize, Metric)> = SHOWN
        .into_iter()
        .enumerate()
        .filter(|(place, _)| rows.iter().any(|(_, values)| values[*place].is_some()))
        .collect();
    html! {
        @if !known.is_empty() {
            details #values {
                summary { "Values as a table" span { "UTC; sums are a minute's mean, the rest is the largest" } }
                div.scroll tabindex="0" role="group" aria-label="Values" {
                    table.values {
                        thead { tr {
                            th scope="col" { "From" }
                            @for (_, metric) in &known { th.n scope="col" { (metric.name()) } }
                        } }
                        tbody { @for (at, values) in rows.iter().rev() { tr {
                            th scope="row" { (at) }
                            @for (place, _) in &known { td.n { @if let Some(value) = values[*place] { (plain(value)) } } }
                        } } }
                    }
                }
            }
        }
    }
}

/// Several buckets as one row, aligned to their own length so that a row stays what it is while time goes on.
fn rows(past: &Past) -> Vec<(Timestamp, [Option<f64>; SHOWN.len()])> {
    let axis = past.axis;
    let together = axis.count.div_ceil(ROWS - 1).max(1);
    let length = axis.step * u32::try_from(together).unwrap_or(u32::MAX);
    let columns = SHOWN.map(|metric| past.values(metric));
    let mut rows: Vec<(Timestamp, [Vec<f64>; SHOWN.len()])> = Vec::new();
    for place in 0..axis.count {
        let at = (axis.from + axis.step * u32::try_from(place).unwrap_or(u32::MAX)).floor(length);
        if rows.last().is_none_or(|(last, _)| *last != at) {
            rows.push((at, std::array::from_fn(|_| Vec::new())));
        }
        let Some((_, row)) = rows.last_mut() else { continue };
        for (cell, column) in row.iter_mut().zip(&columns) {
            cell.extend(column.get(place).copied().flatten());
        }
    }
    let folded = rows.into_iter().map(|(at, row)| {
        let cells = SHOWN.iter().zip(&row).map(|(metric, values)| fold(*metric, values));
        let mut folded = [None; SHOWN.len()];
        folded.iter_mut().zip(cells).for_each(|(slot, cell)| *slot = cell);
        (at, folded)
    });
    folded.collect()
}

fn fold(metric: Metric, values: &[f64]) -> Option<f64> {
    let largest = values.iter().copied().reduce(f64::max);
    match metric.row().kind {
        Kind::Gauge => largest,
        Kind::Counter => largest.map(|_| values.iter().sum::<f64>() / values.len() as f64),
    }
}
