//! The values of a series as the path that is drawn: broken where nothing is known, and as short as it can be.

use std::fmt::Write;

use super::axis::Axis;
use super::scale::{HEIGHT, Scale};

/// A bar is at least so high, that one thing among thousands is seen.
const LEAST: f64 = 3.0;

/// A line through the middles of the buckets. A value without neighbours is a dash as wide as its bucket.
pub fn line(values: &[Option<f64>], axis: Axis, scale: Scale) -> String {
    let mut path = String::new();
    let mut begin = 0;
    while begin < values.len() {
        let run = values[begin..].iter().map_while(|value| *value).count();
        match run {
            0 => begin += 1,
            1 => {
                let (left, y) = (begin as f64 * axis.bucket(), scale.y(values[begin].unwrap_or_default()));
                let _ = write!(path, "M{} {}H{}", short(left), short(y), short(left + axis.bucket()));
                begin += 1;
            }
            _ => {
                run_of(&mut path, begin, &values[begin..begin + run], axis, scale);
                begin += run;
            }
        }
    }
    path
}

/// Two or more values beside each other; those on a level stretch are left out.
fn run_of(path: &mut String, begin: usize, run: &[Option<f64>], axis: Axis, scale: Scale) {
    let heights: Vec<String> = run.iter().map(|value| short(scale.y(value.unwrap_or_default()))).collect();
    let last = heights.len() - 1;
    for (place, y) in heights.iter().enumerate() {
        let level = place > 0 && place < last && heights[place - 1] == *y && heights[place + 1] == *y;
        if level {
            continue;
        }
        let x = (begin + place) as f64 * axis.bucket() + axis.bucket() / 2.0;
        let _ = write!(path, "{}{} {y}", if place == 0 { 'M' } else { 'L' }, short(x));
    }
}

/// A bar in the middle of each bucket that is not zero.
pub fn bars(values: &[Option<f64>], axis: Axis, scale: Scale) -> String {
    let mut path = String::new();
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|value| *value > 0.0) else { continue };
        let x = place as f64 * axis.bucket() + axis.bucket() / 2.0;
        let y = scale.y(value).min(HEIGHT - 1.0 - LEAST);
        let _ = write!(path, "M{} {}V{}", short(x), short(HEIGHT - 1.0), short(y));
    }
    path
}

/// A coordinate to a tenth, without a zero behind the point.
pub fn short(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::Timestamp;
    use crate::web::pages::plot::axis::WIDTH;
    use crate::web::pages::plot::scale::Unit;

    fn axis(count: usize) -> Axis {
        Axis { from: Timestamp::from_secs(0), step: Duration::from_secs(60), count }
    }

    #[test]
    fn a_gap_breaks_the_line_and_a_lonely_value_is_a_dash() {
        let scale = Scale::of(4.0, Unit::Count("messages"));
        let drawn = |values: &[Option<f64>]| line(values, axis(values.len()), scale);
        assert_eq!(drawn(&[]), "");
        assert_eq!(drawn(&[None, None]), "");
        assert_eq!(drawn(&[None, Some(0.0), None, None]), "M250 159H500");
        assert_eq!(drawn(&[Some(0.0), Some(4.0), None, Some(4.0)]), "M125 159L375 6M750 6H1000");
        assert_eq!(drawn(&[Some(4.0); 100]), "M5 6L995 6", "a level stretch needs two points");
    }

    #[test]
    fn bars_stand_on_the_ground_and_can_be_seen() {
        let scale = Scale::of(10_000.0, Unit::Count("messages"));
        let values = [None, Some(0.0), Some(1.0), Some(10_000.0)];
        assert_eq!(bars(&values, axis(4), scale), "M625 159V156M875 159V6");
    }

    /// Every coordinate of a path, x and y by turns as the commands say.
    fn coordinates(path: &str) -> Vec<f64> {
        path.split(|c: char| "MLHV ".contains(c))
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().unwrap())
            .collect()
    }

    proptest! {
        #[test]
        fn every_coordinate_is_finite_and_inside(
            values in prop::collection::vec(prop::option::of(any::<f64>()), 0..300), highest in any::<f64>(),
        ) {
            let (axis, scale) = (axis(values.len()), Scale::of(highest, Unit::Count("messages")));
            for path in [line(&values, axis, scale), bars(&values, axis, scale)] {
                for coordinate in coordinates(&path) {
                    prop_assert!((0.0..=WIDTH).contains(&coordinate), "{path}");
                }
            }
        }
    }
}
