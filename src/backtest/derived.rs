//! The rows of a metric: its own, or, for a derived metric without rows of its own, what follows from the rows of its parts.
//!
//! The formulas are the catalogue's, in `domain/derived.rs`; here stands only which rows they are given. A minute in which a part is
//! missing has no value.

use std::borrow::Cow;

use super::data::{Point, QueueRows};
use crate::domain::derived::{self, Arrivals, DRAIN_WINDOW};
use crate::domain::metric::{Metric, Source};
use crate::domain::time::{MINUTE, Timestamp};

/// The rows of `metric`.
///
/// # Errors
/// In words, which part is not in the data at all.
pub(super) fn points(metric: Metric, rows: &QueueRows) -> Result<Cow<'_, [Point]>, String> {
    if let Some(points) = rows.get(&metric) {
        return Ok(Cow::Borrowed(points));
    }
    if metric.row().source != Source::Derived {
        return Ok(Cow::Borrowed(&[]));
    }
    let points = match metric {
        Metric::InFlightRatio => in_flight_ratio(part(rows, Metric::MessagesInFlight)?),
        Metric::OldestMessageRetentionRatio => {
            retention_ratio(part(rows, Metric::OldestMessageAge)?, part(rows, Metric::Retention)?)
        }
        Metric::DrainTime => drain_time(&totals(rows)?),
        Metric::Messages => totals(rows)?.iter().map(|(at, total)| (*at, *total as f64)).collect(),
        Metric::DeadLetters => {
            let deleted = rows.get(&Metric::MessagesDeleted).map(Vec::as_slice).unwrap_or_default();
            dead_letters(&totals(rows)?, deleted)
        }
        Metric::ConsumersStalled => {
            consumers_stalled(part(rows, Metric::MessagesVisible)?, part(rows, Metric::MessagesDeleted)?)
        }
        _ => Vec::new(),
    };
    Ok(Cow::Owned(points))
}

/// What `metric` is computed from; itself when it is measured.
pub(super) fn parts(metric: Metric) -> &'static [Metric] {
    use Metric::*;
    match metric {
        Messages | DrainTime => &[MessagesVisible, MessagesInFlight, MessagesDelayed],
        DeadLetters => &[MessagesVisible, MessagesInFlight, MessagesDelayed, MessagesDeleted],
        InFlightRatio => &[MessagesInFlight],
        OldestMessageRetentionRatio => &[OldestMessageAge, Retention],
        ConsumersStalled => &[MessagesVisible, MessagesDeleted],
        measured => std::slice::from_ref(&measured.row().metric),
    }
}

fn part(rows: &QueueRows, metric: Metric) -> Result<&[Point], String> {
    let points = rows.get(&metric).map(Vec::as_slice);
    points.ok_or_else(|| format!("there is no row of `{}`, of which it is computed", metric.name()))
}

fn in_flight_ratio(in_flight: &[Point]) -> Vec<Point> {
    in_flight.iter().map(|(at, count)| (*at, derived::in_flight_ratio(*count as u64))).collect()
}

/// The retention is a setting: it holds from its row on, and the first one also before.
fn retention_ratio(ages: &[Point], retentions: &[Point]) -> Vec<Point> {
    let retention = |at: Timestamp| {
        let after = retentions.partition_point(|(set, _)| *set <= at);
        retentions.get(after.saturating_sub(1)).map(|(_, seconds)| *seconds as u64)
    };
    let ratio =
        |(at, age): &Point| Some((*at, derived::oldest_message_retention_ratio(*age, retention(*at)?)?));
    ages.iter().filter_map(ratio).collect()
}

/// The total depth: its own rows, or each minute's of which all three counts are there.
fn totals(rows: &QueueRows) -> Result<Vec<(Timestamp, u64)>, String> {
    if let Some(totals) = rows.get(&Metric::Messages) {
        return Ok(totals.iter().map(|(at, total)| (*at, *total as u64)).collect());
    }
    let visible = minutes(part(rows, Metric::MessagesVisible)?, last);
    let in_flight = minutes(part(rows, Metric::MessagesInFlight)?, last);
    let delayed = minutes(part(rows, Metric::MessagesDelayed)?, last);
    let total = |(minute, visible): &Point| {
        Some((*minute, (visible + at(&in_flight, *minute)? + at(&delayed, *minute)?) as u64))
    };
    Ok(visible.iter().filter_map(total).collect())
}

fn drain_time(totals: &[(Timestamp, u64)]) -> Vec<Point> {
    let mut from = 0;
    let drain = |(index, (at, _)): (usize, &(Timestamp, u64))| {
        while at.since(totals[from].0) > DRAIN_WINDOW {
            from += 1;
        }
        Some((*at, derived::drain_seconds(&totals[from..=index])?))
    };
    totals.iter().enumerate().filter_map(drain).collect()
}

/// Deletes are known once their minute is over.
fn dead_letters(totals: &[(Timestamp, u64)], deleted: &[Point]) -> Vec<Point> {
    let deleted = minutes(deleted, sum);
    let Some((first, total)) = totals.first() else { return Vec::new() };
    let (mut arrivals, mut used) = (Arrivals::since(*first, *total), 0);
    let arrived = |(at, total): &(Timestamp, u64)| {
        let past = &deleted[used..];
        let past = &past[..past.partition_point(|(minute, _)| *minute + MINUTE <= *at)];
        used += past.len();
        arrivals.deleted(past.iter().map(|(minute, messages)| (*minute, *messages as u64)), *at);
        (*at, arrivals.observe(*at, *total) as f64)
    };
    totals.iter().map(arrived).collect()
}

fn consumers_stalled(visible: &[Point], deleted: &[Point]) -> Vec<Point> {
    let (visible, deleted) = (minutes(visible, last), minutes(deleted, sum));
    let mut both: Vec<Timestamp> = visible.iter().chain(&deleted).map(|(minute, _)| *minute).collect();
    both.sort();
    both.dedup();
    let stalled = |minute: Timestamp| {
        Some((minute, derived::consumers_stalled(at(&visible, minute), at(&deleted, minute))?))
    };
    both.into_iter().filter_map(stalled).collect()
}

fn last(_: f64, later: f64) -> f64 {
    later
}

fn sum(one: f64, other: f64) -> f64 {
    one + other
}

/// One value a minute.
fn minutes(points: &[Point], fold: fn(f64, f64) -> f64) -> Vec<Point> {
    let mut minutes: Vec<Point> = Vec::with_capacity(points.len());
    for (at, value) in points {
        let minute = at.floor(MINUTE);
        match minutes.last_mut().filter(|(known, _)| *known == minute) {
            Some((_, folded)) => *folded = fold(*folded, *value),
            None => minutes.push((minute, *value)),
        }
    }
    minutes
}

fn at(minutes: &[Point], minute: Timestamp) -> Option<f64> {
    minutes.binary_search_by_key(&minute, |(at, _)| *at).ok().map(|index| minutes[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(series: &[(Metric, &[(i64, f64)])]) -> QueueRows {
        let point = |(second, value): &(i64, f64)| (Timestamp::from_secs(*second), *value);
        series.iter().map(|(metric, points)| (*metric, points.iter().map(point).collect())).collect()
    }

    fn seconds(found: &[Point]) -> Vec<(i64, f64)> {
        found.iter().map(|(at, value)| (at.as_secs(), *value)).collect()
    }

    #[test]
    fn rows_of_its_own_are_what_a_derived_metric_has() {
        let rows = rows(&[(Metric::InFlightRatio, &[(0, 0.5)]), (Metric::MessagesInFlight, &[(0, 12.0)])]);
        assert_eq!(seconds(&points(Metric::InFlightRatio, &rows).unwrap()), [(0, 0.5)]);
    }

    #[test]
    fn a_part_that_is_nowhere_is_named_and_one_that_is_missing_leaves_a_gap() {
        let rows = rows(&[(Metric::MessagesVisible, &[(0, 1.0)]), (Metric::MessagesInFlight, &[(0, 1.0)])]);
        assert!(points(Metric::DrainTime, &rows).unwrap_err().contains("`messages_delayed`"));
        assert!(
            points(Metric::OldestMessageRetentionRatio, &rows).unwrap_err().contains("oldest_message_age")
        );
        assert_eq!(points(Metric::MessagesSent, &rows).unwrap().len(), 0);
    }

    #[test]
    fn each_follows_from_its_parts() {
        use Metric::*;
        let rows = rows(&[
            (MessagesVisible, &[(0, 100.0), (60, 40.0), (90, 60.0), (120, 40.0), (180, 0.0), (300, 9.0)]),
            (MessagesInFlight, &[(0, 12_000.0), (60, 0.0), (120, 0.0), (180, 0.0)]),
            (MessagesDelayed, &[(0, 0.0), (60, 0.0), (120, 0.0), (180, 0.0)]),
            (MessagesDeleted, &[(60, 0.0), (120, 3.0), (150, 4.0), (180, 0.0)]),
            (OldestMessageAge, &[(0, 30.0), (60, 90.0)]),
            (Retention, &[(10, 60.0), (60, 180.0)]),
        ]);
        for (metric, expected) in [
            (InFlightRatio, vec![(0, 0.1), (60, 0.0), (120, 0.0), (180, 0.0)]),
            (OldestMessageRetentionRatio, vec![(0, 0.5), (60, 0.5)]),
            (ConsumersStalled, vec![(60, 1.0), (120, 0.0), (180, 0.0)]),
        ] {
            assert_eq!(seconds(&points(metric, &rows).unwrap()), expected, "{}", metric.name());
        }
        assert_eq!(seconds(&points(Messages, &rows).unwrap())[0], (0, 12_100.0));
        let drain = seconds(&points(DrainTime, &rows).unwrap());
        assert_eq!(drain.last(), Some(&(180, 0.0)), "{drain:?}");
    }

    #[test]
    fn dead_letters_are_the_rises_and_the_deletes_of_what_was_never_seen() {
        let totals: Vec<(i64, f64)> = (0..20).map(|n| (n * 60, if n >= 5 { 2.0 } else { 0.0 })).collect();
        let rows = rows(&[(Metric::Messages, &totals), (Metric::MessagesDeleted, &[(600, 3.0)])]);
        let found = seconds(&points(Metric::DeadLetters, &rows).unwrap());
        let arrived: Vec<(i64, f64)> = found.into_iter().filter(|(_, count)| *count > 0.0).collect();
        assert_eq!(arrived, [(360, 2.0), (900, 3.0)]);
    }
}
