//! The formulas of the catalogue's derived metrics. Each says `None` when what it needs is not known.

mod arrivals;

use std::time::Duration;

pub use arrivals::Arrivals;

use super::time::Timestamp;

/// How many messages a queue may have in flight, standard and FIFO (SQS quotas; FIFO was 20,000 once).
pub const IN_FLIGHT_LIMIT: u64 = 120_000;

/// How far back the net rate of [`drain_seconds`] looks: long enough to smooth bursts, short enough to see a turn.
pub const DRAIN_WINDOW: Duration = Duration::from_secs(300);

/// Messages in flight over [`IN_FLIGHT_LIMIT`]; at 1 receives are refused.
pub fn in_flight_ratio(in_flight: u64) -> f64 {
    in_flight as f64 / IN_FLIGHT_LIMIT as f64
}

/// Age of the oldest message over the queue's retention, both in seconds; at 1 messages are being lost.
pub fn oldest_message_retention_ratio(age_seconds: f64, retention_seconds: u64) -> Option<f64> {
    (retention_seconds > 0 && age_seconds >= 0.0).then(|| age_seconds / retention_seconds as f64)
}

/// Seconds until the queue is empty at its present net rate, from readings of its total depth, oldest first.
///
/// 0 for an empty queue; `None` while it does not shrink. The rate is the least-squares slope over the [`DRAIN_WINDOW`] before
/// the newest reading, since a line through two approximate counts would jump about.
pub fn drain_seconds(readings: &[(Timestamp, u64)]) -> Option<f64> {
    let (newest, total) = *readings.last()?;
    if total == 0 {
        return Some(0.0);
    }
    let recent = readings.iter().filter(|(at, _)| *at <= newest && newest.since(*at) <= DRAIN_WINDOW);
    // Time counts backward from the newest reading, so that the numbers stay small.
    let points: Vec<(f64, f64)> =
        recent.map(|(at, total)| (-newest.since(*at).as_secs_f64(), *total as f64)).collect();
    let rate = slope(&points)?;
    (rate < 0.0).then(|| total as f64 / -rate)
}

fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 0.0).then(|| common / spread)
}

/// Whether messages wait and nobody finishes any: 1 when the least number visible in a minute is over 0 and none was deleted
/// in it, else 0. One of the two is enough when it settles the matter.
pub fn consumers_stalled(least_visible: Option<f64>, deleted: Option<f64>) -> Option<f64> {
    match (least_visible, deleted) {
        (Some(visible), _) if visible <= 0.0 => Some(0.0),
        (_, Some(deleted)) if deleted > 0.0 => Some(0.0),
        (Some(_), Some(_)) => Some(1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ratios() {
        assert_eq!(in_flight_ratio(60_000), 0.5);
        assert_eq!(in_flight_ratio(0), 0.0);
        assert_eq!(oldest_message_retention_ratio(43_200.0, 86_400), Some(0.5));
        assert_eq!(oldest_message_retention_ratio(1.0, 0), None);
        assert_eq!(oldest_message_retention_ratio(f64::NAN, 60), None);
    }

    fn readings(totals: &[(i64, u64)]) -> Vec<(Timestamp, u64)> {
        totals.iter().map(|(second, total)| (Timestamp::from_secs(1_700_000_000 + second), *total)).collect()
    }

    #[test]
    fn the_time_to_drain_follows_the_net_rate() {
        for (what, totals, expected) in [
            ("nothing read", vec![], None),
            ("one reading", vec![(0, 500)], None),
            ("empty", vec![(0, 500), (60, 0)], Some(0.0)),
            ("empty from the start", vec![(0, 0)], Some(0.0)),
            ("ten a second", vec![(0, 1600), (30, 1300), (60, 1000)], Some(100.0)),
            ("steady", vec![(0, 700), (60, 700), (120, 700)], None),
            ("growing", vec![(0, 700), (60, 800)], None),
            ("uneven steps of one line", vec![(0, 1000), (10, 900), (90, 100)], Some(10.0)),
            (
                "what is older than the window does not count",
                vec![(0, 9), (900, 1600), (960, 1000)],
                Some(100.0),
            ),
            ("two readings of one instant", vec![(0, 700), (0, 600)], None),
        ] {
            let found = drain_seconds(&readings(&totals));
            match (found, expected) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < 1e-6, "{what}: {found}")
                }
                _ => assert_eq!(found, expected, "{what}"),
            }
        }
    }

    #[test]
    fn one_odd_reading_does_not_turn_the_rate() {
        let mut totals: Vec<(i64, u64)> = (0..20).map(|n| (n * 15, 10_000 - n as u64 * 150)).collect();
        totals[10].1 += 400;
        let found = drain_seconds(&readings(&totals)).unwrap();
        let exact = totals[19].1 as f64 / 10.0;
        assert!((found / exact - 1.0).abs() < 0.1, "{found} instead of {exact}");
    }

    #[test]
    fn consumers_have_stalled_when_messages_wait_and_none_is_deleted() {
        for (visible, deleted, expected) in [
            (Some(5.0), Some(0.0), Some(1.0)),
            (Some(5.0), Some(2.0), Some(0.0)),
            (Some(0.0), Some(0.0), Some(0.0)),
            (Some(0.0), None, Some(0.0)),
            (None, Some(2.0), Some(0.0)),
            (Some(5.0), None, None),
            (None, Some(0.0), None),
            (None, None, None),
        ] {
            assert_eq!(consumers_stalled(visible, deleted), expected, "{visible:?} {deleted:?}");
        }
    }

    proptest! {
        #[test]
        fn a_time_to_drain_is_a_sane_number(totals in prop::collection::vec((0i64..10_000, 0u64..1_000_000), 0..30)) {
            if let Some(seconds) = drain_seconds(&readings(&totals)) {
                prop_assert!(seconds.is_finite() && seconds >= 0.0);
            }
        }
    }
}
