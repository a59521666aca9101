//! Percentiles of a period's values, and how many values one needs to mean something.
//!
//! CloudWatch does not publish how it interpolates. Here it is linear between the two nearest ranks, as Prometheus's
//! `quantile_over_time` does: of n sorted values the percentile p lies at rank p/100 x (n - 1), counted from 0.

/// The percentile `p` (0 to 100) of `values`; `None` without any.
pub(super) fn of(mut values: Vec<f64>, p: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = p / 100.0 * (values.len().checked_sub(1)? as f64);
    let below = values[rank.floor() as usize];
    let above = values[rank.ceil() as usize];
    Some(below + (above - below) * rank.fract())
}

/// Whether CloudWatch calls `count` samples too few for the percentile `p`: fewer than 10/(1-p) from the median on, fewer than
/// 10/p below it, p as a fraction. Multiplied out, and with room for what 100 - 99.9 is in binary.
pub(super) fn few(p: f64, count: f64) -> bool {
    let share = if p >= 50.0 { 100.0 - p } else { p };
    count * share < 1000.0 - 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_the_nearest_ranks() {
        let ten: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        for (p, expected) in [(50.0, 5.5), (90.0, 9.1), (10.0, 1.9), (99.9, 9.991), (0.01, 1.0009)] {
            let value = of(ten.clone(), p).unwrap();
            assert!((value - expected).abs() < 1e-9, "p{p}: {value}");
        }
        assert_eq!(of(vec![7.0], 99.0), Some(7.0));
        assert_eq!(of(vec![1.0, 3.0], 50.0), Some(2.0));
        assert_eq!(of(vec![5.0; 5], 73.0), Some(5.0));
        assert_eq!(of(Vec::new(), 50.0), None);
    }

    #[test]
    fn few_samples_are_fewer_than_aws_says() {
        for (p, enough) in [
            (50.0, 20.0),
            (75.0, 40.0),
            (90.0, 100.0),
            (95.0, 200.0),
            (99.0, 1000.0),
            (99.9, 10_000.0),
            (99.99, 100_000.0),
            (10.0, 100.0),
            (25.0, 40.0),
            (0.1, 10_000.0),
        ] {
            assert!(!few(p, enough), "p{p} of {enough}");
            assert!(few(p, enough - 1.0), "p{p} of one less than {enough}");
        }
        assert!(few(49.9, 20.0) && !few(49.9, 21.0));
    }
}
