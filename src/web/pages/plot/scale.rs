//! The value axis of a plot: from zero to a round number above everything, with ticks that people count in.

use std::time::Duration;

use crate::web::pages::humane::{length, number};

/// How high the drawing is, in pixels.
pub const HEIGHT: f64 = 160.0;
/// What is left above the highest tick, so that a line there is whole.
const HEADROOM: f64 = 6.0;
/// About how many steps there are from zero to the top.
const STEPS: f64 = 4.0;
/// Larger values are drawn at the top: AWS counts no such number.
const LARGEST: f64 = 1e18;

const DAY: f64 = 86_400.0;
/// Lengths of time that are round, in seconds, up to a day.
const ROUND: [f64; 16] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0,
    21_600.0,
];

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Counted things, by their name.
    Count(&'static str),
    /// Lengths of time.
    Seconds,
}

impl Unit {
    /// What a plot says it shows; a length of time says so itself.
    pub fn words(self) -> &'static str {
        match self {
            Self::Count(things) => things,
            Self::Seconds => "",
        }
    }

    /// A value at a glance.
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Count(_) => number(value),
            Self::Seconds => Duration::try_from_secs_f64(value).map_or_else(|_| number(value), length),
        }
    }
}

/// An axis from zero up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    step: f64,
    steps: u32,
}

impl Scale {
    /// The axis for values up to `highest`. Of what is no number it is as for zero.
    pub fn of(highest: f64, unit: Unit) -> Self {
        let highest = if highest.is_finite() { highest.clamp(0.0, LARGEST) } else { 0.0 };
        let step = match unit {
            Unit::Count(_) => decimal_step(highest),
            Unit::Seconds => time_step(highest),
        };
        let steps = (highest / step).ceil().clamp(1.0, 2.0 * STEPS) as u32;
        Self { step, steps }
    }

    /// The highest value that is inside.
    pub fn top(self) -> f64 {
        self.step * f64::from(self.steps)
    }

    /// The ticks from zero up.
    pub fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=self.steps).map(move |count| self.step * f64::from(count))
    }

    /// Where a value is, in pixels from above; what is outside is at the edge.
    pub fn y(self, value: f64) -> f64 {
        let share = (value / self.top()).clamp(0.0, 1.0);
        let share = if share.is_nan() { 0.0 } else { share };
        HEIGHT - 1.0 - share * (HEIGHT - 1.0 - HEADROOM)
    }
}

/// 1, 2 or 5 times a power of ten; whole as soon as there is a whole thing.
fn decimal_step(highest: f64) -> f64 {
    if highest <= 0.0 {
        return 1.0;
    }
    let raw = (highest / STEPS).max(1e-9);
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|round| round * power).find(|step| *step >= raw * 0.999);
    let step = step.unwrap_or(10.0 * power);
    if highest >= 1.0 { step.max(1.0) } else { step }
}

fn time_step(highest: f64) -> f64 {
    let raw = highest / STEPS;
    match ROUND.into_iter().find(|step| *step >= raw * 0.999) {
        _ if highest <= 0.0 => 30.0,
        // Beyond a minute a label has no seconds.
        Some(step) if highest > 60.0 => step.max(60.0),
        Some(step) => step,
        None if raw <= DAY / 2.0 => DAY / 2.0,
        None => decimal_step((highest / DAY).max(1.0)) * DAY,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ticks(highest: f64, unit: Unit) -> String {
        let ticks: Vec<String> = Scale::of(highest, unit).ticks().map(|tick| unit.write(tick)).collect();
        ticks.join(" ")
    }

    #[test]
    fn ticks_are_numbers_that_people_count_in() {
        for (highest, expected) in [
            (0.0, "0 1"),
            (f64::NAN, "0 1"),
            (0.3, "0 0.1 0.2 0.3"),
            (1.0, "0 1"),
            (3.0, "0 1 2 3"),
            (7.0, "0 2 4 6 8"),
            (19.0, "0 5 10 15 20"),
            (1870.0, "0 500 1,000 1,500 2,000"),
            (58_200.0, "0 20k 40k 60k"),
            (1_042_880.0, "0 500k 1M 1.5M"),
        ] {
            assert_eq!(ticks(highest, Unit::Count("messages")), expected, "{highest}");
        }
        for (highest, expected) in [
            (0.0, "0 s 30 s"),
            (44.0, "0 s 15 s 30 s 45 s"),
            (90.0, "0 s 1 min 2 min"),
            (1860.0, "0 s 10 min 20 min 30 min 40 min"),
            (86_400.0, "0 s 6 h 12 h 18 h 1 d"),
            (205_000.0, "0 s 1 d 2 d 3 d"),
            (1_209_600.0, "0 s 5 d 10 d 15 d"),
        ] {
            assert_eq!(ticks(highest, Unit::Seconds), expected, "{highest}");
        }
    }

    proptest! {
        #[test]
        fn every_value_is_inside_and_ticks_are_few(highest in any::<f64>(), value in any::<f64>(), time in any::<bool>()) {
            let unit = if time { Unit::Seconds } else { Unit::Count("messages") };
            let scale = Scale::of(highest, unit);
            prop_assert!(scale.top().is_finite() && scale.top() > 0.0);
            if (0.0..1e18).contains(&highest) {
                prop_assert!(scale.top() >= highest, "{highest} {scale:?}");
            }
            prop_assert!((2..=9).contains(&scale.ticks().count()));
            let y = scale.y(value);
            prop_assert!((0.0..=HEIGHT).contains(&y), "{y}");
        }

        #[test]
        fn more_is_higher(a in 0.0..1e15f64, b in 0.0..1e15f64) {
            let scale = Scale::of(a.max(b), Unit::Count("messages"));
            prop_assert_eq!(a <= b, scale.y(a) >= scale.y(b) || a == b);
        }
    }
}
