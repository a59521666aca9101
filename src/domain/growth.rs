//! Growth: when the value of an alarm that is in ALARM already has moved far enough from what was told to be told again.

use std::time::Duration;

use super::rule::Comparison;

/// Tells again when the value rises (falls, for an alarm that fires below its threshold).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// How far it must have moved from the value that was told last.
    pub step: Step,
    /// How long to wait after anything was told of the alarm; what happens meanwhile is told when it is over.
    pub gap: Duration,
}

/// How far a value must move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// By so much, in the metric's unit; more than 0.
    By(f64),
    /// By so many percent of the value that was told; more than 0.
    Percent(f64),
}

impl Step {
    /// Whether `value` is a step or more beyond `told`, away from the threshold.
    pub fn is_reached(self, comparison: Comparison, told: f64, value: f64) -> bool {
        let upward = matches!(comparison, Comparison::GreaterThan | Comparison::GreaterThanOrEqual);
        let moved = if upward { value - told } else { told - value };
        let step = match self {
            Self::By(step) => step,
            Self::Percent(percent) => told.abs() * percent / 100.0,
        };
        moved > 0.0 && moved >= step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_counted_from_what_was_told_and_away_from_the_threshold() {
        use Comparison::{GreaterThan as Above, LessThanOrEqual as Below};
        for (step, comparison, told, value, reached) in [
            (Step::By(1.0), Above, 1.0, 2.0, true),
            (Step::By(1.0), Above, 1.0, 1.0, false),
            (Step::By(1.0), Above, 5.0, 4.0, false),
            (Step::By(10.0), Above, 5.0, 14.0, false),
            (Step::By(10.0), Above, 5.0, 15.0, true),
            (Step::By(2.0), Below, 5.0, 3.0, true),
            (Step::By(2.0), Below, 5.0, 4.0, false),
            (Step::By(2.0), Below, 5.0, 9.0, false),
            (Step::Percent(50.0), Above, 4.0, 5.0, false),
            (Step::Percent(50.0), Above, 4.0, 6.0, true),
            (Step::Percent(50.0), Above, -4.0, -2.0, true),
            // Of nothing, anything is more.
            (Step::Percent(50.0), Above, 0.0, 0.1, true),
            (Step::Percent(50.0), Above, 0.0, 0.0, false),
            (Step::By(1.0), Above, f64::INFINITY, f64::INFINITY, false),
            (Step::By(1.0), Above, 1.0, f64::NAN, false),
        ] {
            let got = step.is_reached(comparison, told, value);
            assert_eq!(got, reached, "{step:?} {comparison:?} {told} to {value}");
        }
    }
}
