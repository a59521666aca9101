//! Which time the plots show: the last hours or days, moving on as time goes, or two instants.

use std::time::Duration;

use maud::{Markup, html};

use super::{Asked, address, parts};
use crate::domain::queue::QueueId;
use crate::domain::time::{MINUTE, Timestamp};

/// At most so many points a plot: more are closer than a line is wide.
pub const MOST: usize = 180;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;
/// Shorter and longer spans are widened and cut.
const SHORTEST: Duration = Duration::from_secs(600);
const LONGEST: Duration = Duration::from_secs(400 * DAY);

/// A length that can be chosen.
#[derive(Debug, PartialEq)]
pub struct Range {
    /// As the address says it.
    key: &'static str,
    words: &'static str,
    /// In seconds.
    length: u64,
    /// The length of a bucket in seconds: the end moves on by it, and nothing changes before.
    step: u64,
}

const RANGES: [Range; 6] = [
    Range { key: "1h", words: "1 h", length: HOUR, step: 60 },
    Range { key: "3h", words: "3 h", length: 3 * HOUR, step: 60 },
    Range { key: "12h", words: "12 h", length: 12 * HOUR, step: 300 },
    Range { key: "1d", words: "1 d", length: DAY, step: 600 },
    Range { key: "3d", words: "3 d", length: 3 * DAY, step: 1800 },
    Range { key: "7d", words: "7 d", length: 7 * DAY, step: 3600 },
];
const DEFAULT: &Range = &RANGES[1];
/// What is shown of a queue that is not known for longer.
const YOUNG: &Range = &RANGES[0];

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Up to now.
    Last(&'static Range),
    /// From one instant to another.
    Between(Timestamp, Timestamp),
}

impl Span {
    /// What is asked for; what makes no sense is as if it were not said. `since` is from when on anything is known.
    pub fn of(asked: &Asked, since: Option<Timestamp>, now: Timestamp) -> Self {
        let instant = |text: &str| {
            text.parse()
                .ok()
                .filter(|seconds| (0..i64::MAX / 2000).contains(seconds))
                .map(Timestamp::from_secs)
        };
        let end = now.floor(MINUTE) + MINUTE;
        match (instant(&asked.from), instant(&asked.until)) {
            (Some(from), until) if from < until.unwrap_or(end) && from < end => {
                let until = until.unwrap_or(end).min(end);
                let from = from.floor(MINUTE).min(until - SHORTEST).max(until - LONGEST);
                Self::Between(from, until)
            }
            _ => {
                let young = since.is_none_or(|since| now.since(since).as_secs() < YOUNG.length);
                let usual = if young { YOUNG } else { DEFAULT };
                Self::Last(RANGES.iter().find(|range| range.key == asked.range).unwrap_or(usual))
            }
        }
    }

    /// The first instant, and the one after the last.
    pub fn bounds(self, now: Timestamp) -> (Timestamp, Timestamp) {
        match self {
            Self::Between(from, until) => (from, until),
            Self::Last(range) => {
                let step = Duration::from_secs(range.step);
                let until = now.floor(step) + step;
                (until - Duration::from_secs(range.length), until)
            }
        }
    }

    /// What leads to other spans.
    pub fn links(self, id: &QueueId, now: Timestamp) -> Markup {
        let queue = address::queue(id);
        let last = |range: &Range| format!("{queue}&range={}", range.key);
        let between = |from: Timestamp, until: Timestamp| {
            format!("{queue}&from={}&until={}", from.as_secs(), until.as_secs())
        };
        html! {
            section.span aria-labelledby="history" {
                h2 #history { "History" }
                nav aria-label="Time of the plots" {
                    @for range in &RANGES {
                        a href=(last(range)) data-soft aria-current=[(self == Self::Last(range)).then_some("true")] { (range.words) }
                    }
                }
                @if let Self::Between(from, until) = self {
                    @let length = until.since(from);
                    p.between {
                        (parts::clock(from)) " to " (parts::clock(until))
                        a href=(between(from - length, from)) data-soft { "Earlier" }
                        @if until < now { a href=(between(until, until + length)) data-soft { "Later" } }
                        a href=(between(from - length / 2, until + length / 2)) data-soft { "Wider" }
                        a #back href=(last(DEFAULT)) data-soft { "Back to live" }
                    }
                }
                p.zone { "Times are UTC" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);

    fn of(range: &str, from: &str, until: &str) -> Span {
        let asked = Asked { range: range.into(), from: from.into(), until: until.into(), ..Asked::default() };
        Span::of(&asked, Some(NOW - LONGEST), NOW)
    }

    #[test]
    fn a_live_span_moves_on_by_whole_buckets() {
        for range in &RANGES {
            let span = of(range.key, "", "");
            let (from, until) = span.bounds(NOW);
            assert_eq!(until.since(from).as_secs(), range.length);
            assert!(range.length / range.step <= MOST as u64, "{range:?}");
            let step = Duration::from_secs(range.step);
            assert!(until > NOW && until.since(NOW) <= step);
            assert_eq!(span.bounds(until.plus_millis(-1)), (from, until), "nothing changes within a bucket");
            assert_eq!(span.bounds(until), (from + step, until + step));
        }
    }

    #[test]
    fn what_makes_no_sense_is_the_default() {
        for (range, from, until) in [
            ("", "", ""),
            ("5y", "", ""),
            ("", "yesterday", ""),
            ("", "200", "100"),
            ("", "-5", "100"),
            ("", "", "100"),
            ("", "9223372036854775807", ""),
            ("", "1999999999", "2000000000"),
        ] {
            assert_eq!(of(range, from, until), Span::Last(DEFAULT), "{range} {from} {until}");
        }
        let at = Timestamp::from_secs;
        assert_eq!(of("1h", "1767320000", "1767323000"), Span::Between(at(1_767_319_980), at(1_767_323_000)));
        assert_eq!(
            of("", "1767322999", "1767323000"),
            Span::Between(at(1_767_322_400), at(1_767_323_000)),
            "widened"
        );
        assert_eq!(of("", "1767320000", ""), Span::Between(at(1_767_319_980), at(1_767_323_100)));
        assert_eq!(
            of("", "1767320000", "9999999999"),
            of("", "1767320000", ""),
            "there is nothing after now"
        );
    }

    #[test]
    fn a_queue_that_is_not_known_for_long_is_shown_closer() {
        let since = |seconds: u64| Span::of(&Asked::default(), Some(NOW - Duration::from_secs(seconds)), NOW);
        assert_eq!(since(3599), Span::Last(YOUNG));
        assert_eq!(since(3600), Span::Last(DEFAULT));
        assert_eq!(Span::of(&Asked::default(), None, NOW), Span::Last(YOUNG));
    }

    proptest! {
        #[test]
        fn any_span_is_one(from in any::<i64>(), until in any::<i64>(), now in 0i64..10_000_000_000) {
            let now = Timestamp::from_secs(now);
            let asked = Asked { from: from.to_string(), until: until.to_string(), ..Asked::default() };
            let (from, until) = Span::of(&asked, None, now).bounds(now);
            prop_assert!(from < until && until.since(from) <= LONGEST);
        }
    }
}
