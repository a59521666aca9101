//! The depth of a queue over the last hours as a line without axes: its shape, not its values.

use std::fmt::Write;
use std::time::Duration;

use maud::{Markup, html};

use crate::board::Board;
use crate::domain::history::Point;
use crate::domain::metric::Metric;
use crate::domain::queue::QueueId;
use crate::domain::time::{MINUTE, Timestamp};

/// How many points it has.
const POINTS: usize = 36;
/// The picture, in units of its own.
const WIDTH: usize = POINTS * 3;
const HEIGHT: f64 = 20.0;

/// How far back lines reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A point a minute, while there is no more to show.
    Minutes,
    /// A point every five minutes.
    Hours,
}

impl Reach {
    /// What shows most of what is known of these queues.
    pub fn of<'a>(board: &Board, ids: impl IntoIterator<Item = &'a QueueId>, now: Timestamp) -> Self {
        let since = |id| board.queue(id)?.lock().history.since();
        match ids.into_iter().filter_map(since).min() {
            Some(since) if since < now - Self::Minutes.length() => Self::Hours,
            _ => Self::Minutes,
        }
    }

    /// As the heading says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Minutes => "Last 36 min",
            Self::Hours => "Last 3 h",
        }
    }

    fn length(self) -> Duration {
        match self {
            Self::Minutes => MINUTE * 36,
            Self::Hours => MINUTE * 180,
        }
    }
}

/// The line of one queue; it changes when a point does. Only for what people see: 36 points of every queue would be dear.
pub fn line(board: &Board, id: &QueueId, reach: Reach, now: Timestamp) -> Markup {
    let Some(watched) = board.queue(id) else { return html! {} };
    let step = reach.length() / POINTS as u32;
    let until = now.floor(step) + step;
    let from = until - reach.length();
    let points = watched.lock().history.points(Metric::MessagesVisible, from, until, POINTS).points;
    let Some(most) = points.iter().filter_map(|point| point.value).reduce(f64::max) else { return html! {} };
    html! {
        svg.spark viewBox={ "0 -1 " (WIDTH) " " (HEIGHT + 2.0) } preserveAspectRatio="none" aria-hidden="true" {
            path d=(path(&points, most.max(1.0))) {}
        }
    }
}

/// Through the points that are known, broken where they are not.
fn path(points: &[Point], most: f64) -> String {
    let mut path = String::new();
    let mut pen_is_down = false;
    for (place, point) in points.iter().enumerate() {
        if let Some(value) = point.value {
            let (x, y) = (place * 3, HEIGHT - value.clamp(0.0, most) / most * HEIGHT);
            let _ = write!(path, "{}{x} {y:.0}", if pen_is_down { "L" } else { "M" });
            if !pen_is_down {
                path.push_str("h1"); // a point between two gaps can be seen as well
            }
        }
        pen_is_down = point.value.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[Option<f64>]) -> String {
        let point = |(minute, value): (usize, &Option<f64>)| Point {
            at: Timestamp::from_secs(minute as i64 * 60),
            value: *value,
        };
        let points: Vec<Point> = values.iter().enumerate().map(point).collect();
        path(&points, 10.0)
    }

    #[test]
    fn a_gap_is_not_crossed_and_a_lone_point_is_seen() {
        assert_eq!(drawn(&[Some(0.0), Some(10.0), None, Some(5.0)]), "M0 20h1L3 0M9 10h1");
        assert_eq!(drawn(&[None, None]), "");
        assert_eq!(drawn(&[Some(f64::INFINITY)]), "M0 0h1");
    }
}
