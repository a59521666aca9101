//! Windows over the nights when clocks change, and against an oracle that looks at the clock minute by minute.

use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;
use crate::domain::time::MINUTE;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn weekly(zone_name: &str, days: &[Weekday], start: &str, minutes: u32) -> Weekly {
    Weekly {
        days: days.iter().copied().collect(),
        start: start.parse().unwrap(),
        duration: MINUTE * minutes,
        zone: zone(zone_name),
    }
}

fn window(schedule: Schedule) -> Window {
    Window { name: "nightly".into(), matchers: Matchers::default(), schedule }
}

const DAILY: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// The clocks of Berlin went from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
#[test]
fn the_nights_when_clocks_change() {
    use Weekday::Saturday;
    for (zone, days, start, hours, now, from, until) in [
        (
            "Europe/Berlin",
            &DAILY[..],
            "22:00",
            8,
            "2026-01-05T23:00Z",
            "2026-01-05T21:00Z",
            "2026-01-06T05:00Z",
        ),
        // Eight hours, whatever the clock shows then: 07:00 and 05:00.
        ("Europe/Berlin", &DAILY, "22:00", 8, "2026-03-29T04:30Z", "2026-03-28T21:00Z", "2026-03-29T05:00Z"),
        ("Europe/Berlin", &DAILY, "22:00", 8, "2026-10-25T03:30Z", "2026-10-24T20:00Z", "2026-10-25T04:00Z"),
        // A time that is skipped is 03:30 summer time, and of one that is shown twice the first is meant.
        ("Europe/Berlin", &DAILY, "02:30", 2, "2026-03-29T01:30Z", "2026-03-29T01:30Z", "2026-03-29T03:30Z"),
        ("Europe/Berlin", &DAILY, "02:30", 2, "2026-10-25T02:00Z", "2026-10-25T00:30Z", "2026-10-25T02:30Z"),
        // Whole days end at the same time of day.
        (
            "Europe/Berlin",
            &[Saturday],
            "00:00",
            48,
            "2026-10-25T22:30Z",
            "2026-10-23T22:00Z",
            "2026-10-25T23:00Z",
        ),
        (
            "Europe/Berlin",
            &[Saturday],
            "00:00",
            48,
            "2026-03-29T21:30Z",
            "2026-03-27T23:00Z",
            "2026-03-29T22:00Z",
        ),
        // Samoa had no 30 December 2011.
        ("Pacific/Apia", &DAILY, "10:00", 1, "2011-12-30T20:30Z", "2011-12-30T20:00Z", "2011-12-30T21:00Z"),
        ("UTC", &[Saturday], "12:00", 168, "2026-01-10T11:59Z", "2026-01-03T12:00Z", "2026-01-10T12:00Z"),
    ] {
        let window = window(Schedule::Weekly(weekly(zone, days, start, hours * 60)));
        let expected = Span { from: at(from), until: at(until) };
        assert_eq!(window.active(at(now)), Some(expected), "{zone} {start} for {hours} h at {now}");
        assert_ne!(window.active(expected.until), Some(expected), "the end is exclusive");
        assert_eq!(window.next(expected.from - MINUTE).map(|span| span.from), Some(expected.from));
    }
}

#[test]
fn a_window_of_every_day_and_24_hours_never_closes() {
    let window = window(Schedule::Weekly(weekly("Europe/Berlin", &DAILY, "02:30", 24 * 60)));
    for change in ["2026-03-28T00:00Z", "2026-10-24T00:00Z"] {
        for minute in 0..3 * 1440 {
            let now = at(change) + MINUTE * minute;
            assert!(window.active(now).is_some(), "{now}");
        }
    }
}

#[test]
fn a_window_of_one_time_opens_once() {
    let span = Span { from: at("2026-05-01T20:00Z"), until: at("2026-05-01T23:00Z") };
    let window = window(Schedule::Once(span));
    for (now, active, next) in [
        ("2026-05-01T19:59:59.999Z", None, Some(span)),
        ("2026-05-01T20:00Z", Some(span), None),
        ("2026-05-01T22:59:59.999Z", Some(span), None),
        ("2026-05-01T23:00Z", None, None),
    ] {
        assert_eq!((window.active(at(now)), window.next(at(now))), (active, next), "{now}");
    }
}

#[test]
fn instants_outside_the_calendar_are_in_no_window() {
    let window = window(Schedule::Weekly(weekly("Europe/Berlin", &DAILY, "00:00", 1440)));
    for millis in [i64::MIN, i64::MAX, -377_705_023_201_000, 253_402_207_200_999] {
        let _ = window.next(Timestamp::from_millis(millis));
        let _ = window.active(Timestamp::from_millis(millis));
    }
    assert_eq!(window.active(Timestamp::from_millis(i64::MAX)), None);
}

#[test]
fn schedules_read_as_people_write_them() {
    let days = [Weekday::Saturday, Weekday::Monday];
    let text = |schedule: Schedule| schedule.to_string();
    let some = Schedule::Weekly(weekly("europe/berlin", &days, "22:05", 150));
    assert_eq!(text(some), "mon, sat 22:05 for 2h 30m (Europe/Berlin)");
    let every = Schedule::Weekly(Weekly { zone: TimeZone::UTC, ..weekly("UTC", &DAILY, "00:00", 5) });
    assert_eq!(text(every), "every day 00:00 for 5m (UTC)");
}

/// What a clock of a zone shows, minute by minute.
struct Clock {
    first: Timestamp,
    shows: Vec<DateTime>,
}

impl Clock {
    fn of(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Self {
        let count = until.since(from).as_secs() / 60;
        let show = |minute: u64| {
            let at = from + Duration::from_secs(minute * 60);
            zone.to_datetime(jiff::Timestamp::from_millisecond(at.as_millis()).unwrap())
        };
        Self { first: from, shows: (0..count).map(show).collect() }
    }

    /// The first minute at which it shows `wanted`; when it skips that, as many minutes after the last one before.
    fn minute(&self, wanted: DateTime) -> Option<Timestamp> {
        let minutes = |n: usize| self.first + Duration::from_secs(n as u64 * 60);
        if let Some(found) = self.shows.iter().position(|shown| *shown == wanted) {
            return Some(minutes(found));
        }
        let before = self.shows.windows(2).position(|two| two[0] < wanted && wanted < two[1])?;
        let missing = wanted.duration_since(self.shows[before]).unsigned_abs();
        Some(minutes(before) + missing)
    }

    /// Every occurrence that begins and ends while the clock is watched.
    fn occurrences(&self, weekly: &Weekly) -> Vec<Span> {
        let (Some(first), Some(last)) = (self.shows.first(), self.shows.last()) else { return Vec::new() };
        let days = (weekly.duration.as_secs() / 86_400) as i64;
        let rest = Duration::from_secs(weekly.duration.as_secs() % 86_400);
        let dates = first.date().series(1.day()).take_while(|date| *date <= last.date());
        let begins = dates.filter(|date| weekly.days.contains(date.weekday()));
        let span = |date: Date| {
            let until = self.minute(date.checked_add(days.days()).unwrap().to_datetime(weekly.start))?;
            Some(Span { from: self.minute(date.to_datetime(weekly.start))?, until: until + rest })
        };
        begins.filter_map(span).collect()
    }
}

fn any_weekly() -> impl Strategy<Value = Weekly> {
    let zones = prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Havana",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Pacific/Apia",
    ]);
    let days = prop::collection::vec(prop::sample::select(DAILY.to_vec()), 1..7);
    let minutes = prop_oneof![1..180_u32, 1..=7 * 1440_u32, (1..=7_u32).prop_map(|days| days * 1440)];
    // Half of them early in the night, where clocks change.
    let start = prop_oneof![0..240_i64, 0..1440_i64];
    (zones, days, start, minutes).prop_map(|(name, days, start, minutes)| Weekly {
        days: days.into_iter().collect(),
        start: Time::midnight() + start.minutes(),
        duration: MINUTE * minutes,
        zone: zone(name),
    })
}

/// Noons around which the clocks of these zones change, and any others.
fn any_noon() -> impl Strategy<Value = Timestamp> {
    let changes = prop::sample::select(vec![
        "2026-03-29T12:00Z",
        "2026-10-25T12:00Z",
        "2026-03-08T12:00Z",
        "2026-11-01T12:00Z",
        "2026-04-05T12:00Z",
        "2026-10-04T12:00Z",
        "2026-02-15T12:00Z",
        "2026-03-22T12:00Z",
        "2011-12-30T12:00Z",
    ]);
    prop_oneof![
        (changes, -3..=3_i64)
            .prop_map(|(noon, days)| Timestamp::from_secs(at(noon).as_secs() + days * 86_400)),
        (14_000..22_000_i64).prop_map(|day| Timestamp::from_secs(day * 86_400 + 43_200)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_minute_of_a_day_agrees_with_the_clock(weekly in any_weekly(), noon in any_noon()) {
        const DAYS: u32 = 1440;
        let clock = Clock::of(&weekly.zone, noon - MINUTE * 11 * DAYS, noon + MINUTE * 18 * DAYS);
        let occurrences = clock.occurrences(&weekly);
        for minute in 0..DAYS {
            let now = noon - MINUTE * (DAYS / 2) + MINUTE * minute;
            let active = occurrences.iter().filter(|span| span.contains(now)).max_by_key(|span| span.from);
            prop_assert_eq!(weekly.active(now), active.copied(), "active at {}", now);
            let next = occurrences.iter().filter(|span| span.from > now).min_by_key(|span| span.from);
            prop_assert_eq!(weekly.next(now), next.copied(), "next after {}", now);
        }
    }
}
