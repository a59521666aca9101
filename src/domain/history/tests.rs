use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A minute at the beginning of a day, so that expected buckets are easy to see.
const DAY: i64 = 20_455 * 1440;
const GAUGE: Metric = Metric::MessagesVisible;
const SUM: Metric = Metric::MessagesSent;

fn at(minute: i64) -> Timestamp {
    instant(DAY + minute)
}

fn values(history: &History, metric: Metric, from: i64, until: i64, most: usize) -> Vec<Option<f64>> {
    history.points(metric, at(from), at(until), most).points.iter().map(|point| point.value).collect()
}

fn told(metric: Metric, now: i64, minutes: &[(i64, f64)]) -> History {
    let mut history = History::default();
    history.tell(metric, at(now), minutes.iter().map(|(minute, value)| (at(*minute), *value)));
    history
}

#[test]
fn a_minute_has_the_largest_reading_and_a_minute_without_one_has_no_value() {
    let mut history = History::default();
    for (second, value) in [(0, 3.0), (15, 9.0), (59, 4.0), (120, 0.0), (130, f64::NAN), (180, -1.0)] {
        history.read(GAUGE, at(0) + Duration::from_secs(second), value);
    }
    assert_eq!(values(&history, GAUGE, -1, 5, 10), [None, Some(9.0), None, Some(0.0), None, None]);
    assert_eq!(values(&history, GAUGE, 0, 10, 1), [Some(9.0)]);
    assert_eq!(values(&history, SUM, 0, 2, 10), [None, None], "another metric");
    assert_eq!(values(&history, Metric::Retention, 0, 2, 10), [None, None], "one that is not remembered");
    assert_eq!(history.since(), Some(at(0)));
    history.tell(SUM, at(3), [(at(-30), 1.0)]);
    let since =
        [GAUGE, SUM, Metric::MessagesDeleted, Metric::Retention].map(|metric| history.known_since(metric));
    assert_eq!((history.since(), since), (Some(at(-30)), [Some(at(0)), Some(at(-30)), None, None]));
}

#[test]
fn increases_of_a_minute_add_up_and_none_is_known_to_be_none() {
    let mut history = History::default();
    for (second, by) in [(0, 0.0), (60, 2.0), (75, 1.0), (200, 5.0)] {
        history.increase(Metric::DeadLetters, at(0) + Duration::from_secs(second), by);
    }
    let expected = [Some(0.0), Some(3.0), None, Some(5.0)];
    assert_eq!(values(&history, Metric::DeadLetters, 0, 4, 4), expected);
}

#[test]
fn a_late_or_revised_minute_replaces_what_was_told_at_every_length() {
    let mut history = told(SUM, 12, &[(9, 100.0), (7, 50.0)]);
    assert_eq!(values(&history, SUM, 0, 20, 2), [Some(75.0), None]);
    history.tell(SUM, at(13), [(at(9), 40.0), (at(8), 30.0), (at(10), 1.0)]);
    assert_eq!(values(&history, SUM, 7, 12, 5), [Some(50.0), Some(30.0), Some(40.0), Some(1.0), None]);
    assert_eq!(values(&history, SUM, 0, 20, 2), [Some(40.0), Some(1.0)], "a sum is per known minute");
    let mut history = told(Metric::OldestMessageAge, 12, &[(9, 100.0)]);
    history.tell(Metric::OldestMessageAge, at(13), [(at(9), 40.0)]);
    assert_eq!(
        values(&history, Metric::OldestMessageAge, 0, 10, 1),
        [Some(40.0)],
        "no trace of the first word"
    );
}

#[test]
fn what_is_old_is_kept_in_longer_buckets_and_then_not_at_all() {
    let mut history = told(GAUGE, 3, &[(0, 1.0), (1, 5.0), (2, 3.0)]);
    let seen = |history: &History| values(history, GAUGE, 0, 3, 3);
    for (minute, expected) in [
        (179, [Some(1.0), Some(5.0), Some(3.0)]),
        (188, [Some(1.0), Some(5.0), Some(3.0)]),
        (189, [Some(5.0); 3]),
        (1440 + 60, [Some(5.0); 3]),
        (7 * 1440, [Some(5.0); 3]),
        (7 * 1440 + 59, [Some(5.0); 3]),
        (7 * 1440 + 60, [None; 3]),
    ] {
        history.read(Metric::MessagesInFlight, at(minute), 1.0);
        assert_eq!(seen(&history), expected, "minute {minute}");
        assert_eq!(history.points(GAUGE, at(0), at(3), 3).step, MINUTE);
    }
    assert_eq!(history.since(), Some(at(179).floor(MINUTE * 60)));
}

#[test]
fn a_gap_is_unknown_however_long_it_is() {
    for gap in [5, 180, 2000, 7 * 1440 - 30, 7 * 1440 + 120, 1_000_000_000] {
        let mut history = told(GAUGE, 0, &[(0, 7.0)]);
        history.read(GAUGE, at(gap), 8.0);
        let between = history.points(GAUGE, at(60), at(gap), 1000);
        let known = between.points.iter().filter(|point| point.value.is_some());
        // The last bucket may hold the present minute as well.
        assert!(known.count() <= 1, "{gap}: {between:?}");
        assert_eq!(values(&history, GAUGE, gap, gap + 1, 1), [Some(8.0)]);
    }
}

#[test]
fn minutes_told_after_their_time_fill_what_is_unknown_and_nothing_else() {
    let day: Vec<(i64, f64)> =
        (-1440..0).map(|minute| (minute, if minute % 2 == 0 { 4.0 } else { 8.0 })).collect();
    let mut history = told(SUM, 2, &day);
    assert_eq!(values(&history, SUM, -1440, -1420, 2), [Some(6.0); 2], "ten minutes as one");
    assert_eq!(values(&history, SUM, -3, 0, 3), [Some(8.0), Some(4.0), Some(8.0)]);
    history.tell(SUM, at(2), [(at(-1439), 1000.0), (at(3), 5.0), (at(-20_000), 5.0), (at(1 << 40), 5.0)]);
    assert_eq!(values(&history, SUM, -1440, -1430, 1), [Some(6.0)]);
    assert_eq!(values(&history, SUM, 0, 10, 10), [None; 10], "nothing is known of the future");
}

#[test]
fn a_clock_that_was_set_takes_the_past_along() {
    for by in [1, 7, 59, 60, 61, 1440 + 13, -1, -29, -600, -100_000] {
        let mut history = History::default();
        for minute in 0..400 {
            history.read(GAUGE, at(minute), minute as f64);
        }
        history.shift(Jump { from: at(399), to: at(399 + by) });
        let recent: Vec<_> = (230..400).map(|minute| Some(minute as f64)).collect();
        assert_eq!(values(&history, GAUGE, 230 + by, 400 + by, 500), recent, "by {by}");
        let older = values(&history, GAUGE, by + 10, 230 + by, 1000);
        let unknown = older.iter().filter(|value| value.is_none());
        assert!(unknown.count() <= 10, "by {by}: at most a bucket between minutes and tens of minutes");
        assert_eq!(values(&history, GAUGE, 400 + by, 410 + by, 10), [None; 10]);
        history.read(GAUGE, at(400 + by), 1.0);
        let hour = (400 + by).div_euclid(60) * 60;
        assert_eq!(
            values(&history, GAUGE, hour, hour + 60, 1),
            [Some(if hour == 400 + by { 1.0 } else { 399.0 })]
        );
    }
}

#[test]
fn what_a_wrong_clock_noted_in_the_future_can_be_forgotten() {
    let mut history = told(GAUGE, 90, &[(10, 1.0), (50, 2.0), (80, 3.0)]);
    history.forget_after(at(55));
    assert_eq!(values(&history, GAUGE, 0, 100, 1), [Some(2.0)]);
    assert_eq!(values(&history, GAUGE, 60, 90, 1), [None]);
    history.forget_after(at(-20_000));
    assert_eq!(history.since(), None);
}

#[test]
fn instants_at_the_ends_of_time_neither_hang_nor_take_memory() {
    let ends = [i64::MIN, -1, 0, i64::MAX].map(Timestamp::from_millis);
    for first in ends {
        for second in ends {
            let mut history = History::default();
            history.read(GAUGE, first, 1.0);
            history.tell(SUM, first, ends.map(|at| (at, 1.0)));
            history.read(GAUGE, second, 2.0);
            history.increase(Metric::DeadLetters, second, 2.0);
            history.shift(Jump { from: first, to: second });
            history.shift(Jump { from: second, to: first });
            history.forget_after(second);
            let _ = history.is_over(second);
            let _ = history.since();
            assert!(history.points(GAUGE, first, second, usize::MAX).points.len() <= 11_000);
        }
    }
}

/// Everything that was ever noted, and what a plot of it should say.
#[derive(Default)]
struct Model {
    now: i64,
    minutes: BTreeMap<i64, f64>,
}

impl Model {
    /// The value of a bucket of `length` minutes that begins at `start`, by rule.
    fn bucket(&self, tier: usize, start: i64) -> Option<f64> {
        if tier == 0 {
            return self.minutes.get(&start).copied();
        }
        let (fine, length) = (TIERS[tier - 1].minutes, TIERS[tier].minutes);
        let parts = (start..start + length).step_by(fine as usize);
        let parts: Vec<f64> = parts.filter_map(|start| self.bucket(tier - 1, start)).collect();
        (!parts.is_empty()).then(|| parts.iter().sum::<f64>() / parts.len() as f64)
    }

    fn largest(&self, start: i64, end: i64) -> Option<f64> {
        self.minutes.range(start..end).map(|(_, value)| *value).reduce(f64::max)
    }

    /// Where each tier begins.
    fn start(&self, reach: i64, length: i64, align: i64) -> i64 {
        let past = (self.now / length + 1) * length;
        let first = past - reach * length;
        first - first % align
    }

    fn point(&self, metric: Metric, start: i64, end: i64) -> Option<f64> {
        let starts = [self.start(180, 1, 10), self.start(144, 10, 60), self.start(169, 60, 60)];
        let (mut values, mut minute) = (Vec::new(), start.max(starts[2]));
        while minute < end.min(self.now + 1) {
            let tier = starts.iter().position(|start| *start <= minute).unwrap();
            let length = TIERS[tier].minutes;
            let bucket = minute - minute % length;
            let value = match metric {
                GAUGE => self.largest(bucket, bucket + length),
                _ => self.bucket(tier, bucket),
            };
            let next = (bucket + length).min(end);
            values.extend(value.map(|value| (value, (next - minute) as f64)));
            minute = next;
        }
        let known: f64 = values.iter().map(|(_, minutes)| minutes).sum();
        match metric {
            _ if values.is_empty() => None,
            GAUGE => values.iter().map(|(value, _)| *value).reduce(f64::max),
            _ => Some(values.iter().map(|(value, minutes)| value * minutes).sum::<f64>() / known),
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Pass(i64),
    Read(f64),
    Tell(i64, f64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let value =
        || prop_oneof![Just(0.0), (0..4000).prop_map(f64::from), (0..1_000_000_000).prop_map(f64::from)];
    let event = prop_oneof![
        6 => (1i64..4).prop_map(Event::Pass),
        2 => (0i64..200).prop_map(Event::Pass),
        1 => (0i64..4000).prop_map(Event::Pass),
        8 => value().prop_map(Event::Read),
        8 => ((0i64..20), value()).prop_map(|(back, value)| Event::Tell(back, value)),
    ];
    prop::collection::vec(event, 0..400)
}

fn near(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() <= right.abs() * 0.001 + 0.002,
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn points_say_what_a_memory_of_everything_would(
        events in events(), back in 0i64..11_000, length in 1i64..11_000, most in 1usize..400,
    ) {
        let (mut history, mut gauge, mut sum) = (History::default(), Model::default(), Model::default());
        let mut now = DAY;
        for event in events {
            match event {
                Event::Pass(minutes) => now += minutes,
                Event::Read(value) => {
                    history.read(GAUGE, instant(now), value);
                    let known = gauge.minutes.entry(now).or_insert(value);
                    *known = known.max(value);
                }
                Event::Tell(back, value) => {
                    history.tell(SUM, instant(now), [(instant(now - back), value)]);
                    sum.minutes.insert(now - back, value);
                }
            }
        }
        // Both forget by the time of the latest reading.
        history.read(Metric::MessagesInFlight, instant(now), 0.0);
        (gauge.now, sum.now) = (now, now);
        let (from, until) = (instant(now - back), instant(now - back + length));
        for (metric, model) in [(GAUGE, &gauge), (SUM, &sum)] {
            let Points { step, points } = history.points(metric, from, until, most);
            prop_assert!(points.len() <= most);
            for point in points {
                let start = minute(point.at);
                let expected = model.point(metric, start, start + step.as_secs() as i64 / 60);
                prop_assert!(near(point.value, expected), "{metric:?} at {}: {:?} is not {:?}", now - start, point.value, expected);
            }
        }
    }
}
