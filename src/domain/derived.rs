//! The formulas of the catalogue's derived metrics. Each says `None` when what it needs is not known.

use std::time::Duration;

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

/// How many messages arrived in a dead-letter queue, from readings of its total depth.
///
/// SQS does not count moves to a dead-letter queue anywhere, so growth has to stand for them: what comes and goes between two
/// readings is not seen. The counts are approximate, and a single one may be a phantom: too high, or 0 although messages are
/// there. So the level moves, up or down, only as far as two readings in a row agree: it is the median of itself and these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    level: u64,
    last: u64,
}

impl Growth {
    /// Starts from a first reading, or from the remembered [`Growth::level`]: what is there already is not growth.
    pub fn since(total: u64) -> Self {
        Self { level: total, last: total }
    }

    /// Takes a reading and says how many messages have arrived, as far as it confirms the reading before.
    pub fn observe(&mut self, total: u64) -> u64 {
        let before = self.level;
        self.level = before.clamp(self.last.min(total), self.last.max(total));
        self.last = total;
        self.level.saturating_sub(before)
    }

    /// The total that is taken for true.
    pub fn level(&self) -> u64 {
        self.level
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

    #[test]
    fn growth_counts_what_a_second_reading_confirms() {
        for (what, totals, grown) in [
            ("what was there is not growth", vec![7, 7, 7], vec![0, 0]),
            ("a rise counts with the next reading", vec![0, 3, 3, 3], vec![0, 3, 0]),
            ("a phantom does not", vec![0, 3, 0, 0], vec![0, 0, 0]),
            ("a rise goes on", vec![0, 3, 5, 5], vec![0, 3, 2]),
            ("a rise is confirmed in part", vec![0, 5, 3, 3], vec![0, 3, 0]),
            ("a dip is no growth", vec![5, 0, 5, 5], vec![0, 0, 0]),
            ("emptied and filled again", vec![5, 0, 0, 2, 2], vec![0, 0, 0, 2]),
        ] {
            let mut growth = Growth::since(totals[0]);
            let found: Vec<u64> = totals[1..].iter().map(|total| growth.observe(*total)).collect();
            assert_eq!(found, grown, "{what}");
        }
    }

    proptest! {
        #[test]
        fn single_phantoms_among_true_readings_change_nothing(
            arrivals in prop::collection::vec(0u64..5, 1..30),
            phantoms in prop::collection::vec(proptest::option::of(0u64..100), 30),
        ) {
            // Each true level is read twice in a row, and at most one phantom stands between two levels.
            let (mut growth, mut total, mut grown) = (Growth::since(0), 0, 0);
            for (arrived, phantom) in arrivals.iter().zip(phantoms) {
                total += arrived;
                for reading in [Some(total), Some(total), phantom].into_iter().flatten() {
                    grown += growth.observe(reading);
                }
                grown += growth.observe(total);
                prop_assert_eq!((grown, growth.level()), (total, total));
            }
        }

        #[test]
        fn a_time_to_drain_is_a_sane_number(totals in prop::collection::vec((0i64..10_000, 0u64..1_000_000), 0..30)) {
            if let Some(seconds) = drain_seconds(&readings(&totals)) {
                prop_assert!(seconds.is_finite() && seconds >= 0.0);
            }
        }
    }
}
