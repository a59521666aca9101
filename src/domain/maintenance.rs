//! Maintenance windows: the times, recurring or once, at which the configuration lets alarms tell nobody.
//!
//! The arithmetic is that of RFC 5545, 3.3.6 and 3.8.5.3, as calendars have it. An occurrence begins when the clock of its
//! zone shows its start; a time that the clock skips is taken as if the clocks had not changed yet (02:30 is then 03:30), of a
//! time that it shows twice the first is meant. Whole days of a duration are days of the calendar, so that a window of 48 h
//! from Saturday 00:00 ends on Monday at 00:00; what is left of it is exact, so that 22:00 and 8 h end eight hours later,
//! which on two nights a year is 05:00 or 07:00.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::silence::Matchers;
use super::time::Timestamp;

/// The longest that one occurrence may last.
pub const LONGEST: Duration = Duration::from_secs(7 * DAY_SECONDS);
const DAY_SECONDS: u64 = 86_400;

/// A maintenance window of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Unique in the configuration.
    pub name: Arc<str>,
    /// Which alarms.
    pub matchers: Matchers,
    /// When.
    pub schedule: Schedule,
}

/// When a window is open.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Each week.
    Weekly(Weekly),
    /// One time.
    Once(Span),
}

/// A time of day on some days of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct Weekly {
    /// On which days an occurrence begins; at least one.
    pub days: Days,
    /// At which time of the day.
    pub start: Time,
    /// How long it lasts: above zero, at most [`LONGEST`].
    pub duration: Duration,
    /// Whose clock shows that time.
    pub zone: TimeZone,
}

/// From an instant on, until another one, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

impl Span {
    /// Whether `at` is within.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

impl Window {
    /// The occurrence in force at `now`; of several the one that began last.
    pub fn active(&self, now: Timestamp) -> Option<Span> {
        match &self.schedule {
            Schedule::Weekly(weekly) => weekly.active(now),
            Schedule::Once(span) => Some(*span).filter(|span| span.contains(now)),
        }
    }

    /// The first occurrence that begins after `now`.
    pub fn next(&self, now: Timestamp) -> Option<Span> {
        match &self.schedule {
            Schedule::Weekly(weekly) => weekly.next(now),
            Schedule::Once(span) => Some(*span).filter(|span| span.from > now),
        }
    }
}

impl Weekly {
    fn active(&self, now: Timestamp) -> Option<Span> {
        let today = self.today(now)?;
        // A day more at either end than the longest lasts, for clocks that are put forward or back.
        let mut begun = (-1..=8).filter_map(|ago| self.on(today.checked_sub(ago.days()).ok()?));
        begun.find(|span| span.contains(now))
    }

    fn next(&self, now: Timestamp) -> Option<Span> {
        let today = self.today(now)?;
        let mut coming = (-1..=8).filter_map(|days| self.on(today.checked_add(days.days()).ok()?));
        coming.find(|span| span.from > now)
    }

    fn today(&self, now: Timestamp) -> Option<Date> {
        let now = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?;
        Some(self.zone.to_datetime(now).date())
    }

    /// The occurrence that begins on `date`.
    fn on(&self, date: Date) -> Option<Span> {
        if !self.days.contains(date.weekday()) {
            return None;
        }
        let seconds = self.duration.as_secs();
        let whole_days = i64::try_from(seconds / DAY_SECONDS).ok()?;
        let rest = self.duration - Duration::from_secs(seconds / DAY_SECONDS * DAY_SECONDS);
        let last_day = date.checked_add(whole_days.days()).ok()?;
        let from = self.instant(date.to_datetime(self.start))?;
        let until = self.instant(last_day.to_datetime(self.start))? + rest;
        Some(Span { from, until })
    }

    fn instant(&self, at: DateTime) -> Option<Timestamp> {
        let at = self.zone.to_ambiguous_timestamp(at).compatible().ok()?;
        Some(Timestamp::from_millis(at.as_millisecond()))
    }
}

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days([bool; 7]);

impl Days {
    /// The configuration's words, from Monday on.
    pub const WORDS: [(&'static str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    /// Every day.
    pub const ALL: Self = Self([true; 7]);

    /// Whether `day` is one of them.
    pub fn contains(self, day: Weekday) -> bool {
        Self::WORDS.iter().zip(self.0).any(|((_, known), is)| is && *known == day)
    }
}

impl FromIterator<Weekday> for Days {
    fn from_iter<T: IntoIterator<Item = Weekday>>(days: T) -> Self {
        let mut set = Self([false; 7]);
        for day in days {
            set.0[usize::from(day.to_monday_zero_offset().unsigned_abs())] = true;
        }
        set
    }
}

impl fmt::Display for Schedule {
    /// E.g. `mon, tue 22:00 for 2h (Europe/Berlin)`, or the two instants.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weekly(weekly) => weekly.fmt(f),
            Self::Once(span) => write!(f, "{} to {}", span.from, span.until),
        }
    }
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen = Days::WORDS.iter().filter(|(_, day)| self.days.contains(*day));
        let words: Vec<&str> = chosen.map(|(word, _)| *word).collect();
        let days = if self.days == Days::ALL { "every day".to_owned() } else { words.join(", ") };
        let minutes = self.duration.as_secs() / 60;
        let length = match (minutes / 60, minutes % 60) {
            (0, minutes) => format!("{minutes}m"),
            (hours, 0) => format!("{hours}h"),
            (hours, minutes) => format!("{hours}h {minutes}m"),
        };
        let zone = self.zone.iana_name().unwrap_or("UTC");
        write!(f, "{days} {} for {length} ({zone})", self.start.strftime("%H:%M"))
    }
}

#[cfg(test)]
mod tests;
