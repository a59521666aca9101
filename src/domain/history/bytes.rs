//! A history as bytes, for the file that carries it over a restart.
//!
//! ```text
//! end          i64      the minute after the newest, counted from the epoch
//! columns      u8       how many follow
//!   name       u8, n    the metric's name in the catalogue
//!   form       u8       0: a bit a value, set for 0; 1: two bytes a value, first all low ones, then all high ones
//! ```
//! Numbers are little-endian. A column whose metric is not known is skipped. The rings stand as they are in memory: whoever changes
//! the tiers or the packing changes the version of the file.

use super::column::Column;
use super::tiers::SLOTS;
use super::{History, LAST_MINUTE, TRACKED, position};

const ZEROS: u8 = 0;
const VALUES: u8 = 1;

/// More than any history takes.
pub const MAX_BYTES: usize = 16 * 1024;

impl History {
    /// Appends it to `bytes`: at most [`MAX_BYTES`].
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.end.to_le_bytes());
        let known = || TRACKED.iter().zip(&self.columns).filter(|(_, column)| !column.is_unknown());
        bytes.push(known().count() as u8);
        for (metric, column) in known() {
            bytes.push(metric.name().len() as u8);
            bytes.extend(metric.name().as_bytes());
            match column {
                Column::Unknown => {}
                Column::Zeros(bits) => {
                    bytes.push(ZEROS);
                    bytes.extend(bits.iter().flat_map(|word| word.to_le_bytes()));
                }
                Column::Values(codes) => {
                    bytes.push(VALUES);
                    bytes.extend(codes.iter().map(|code| code.to_le_bytes()[0]));
                    bytes.extend(codes.iter().map(|code| code.to_le_bytes()[1]));
                }
            }
        }
    }

    /// What [`History::write_to`] wrote, all of `bytes`; `None` for anything else.
    pub fn read_from(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let end = i64::from_le_bytes(take(bytes, 8)?.try_into().ok()?);
        let mut history = Self { end, ..Self::default() };
        for _ in 0..byte(bytes)? {
            let length = byte(bytes)?;
            let name = std::str::from_utf8(take(bytes, length.into())?).ok()?;
            let column = match byte(bytes)? {
                ZEROS => zeros(take(bytes, SLOTS.div_ceil(64) * 8)?),
                VALUES => values(take(bytes, SLOTS * 2)?),
                _ => return None,
            };
            if let Some(position) = name.parse().ok().and_then(position) {
                history.columns[position] = column;
            }
        }
        (bytes.is_empty() && (0..=LAST_MINUTE).contains(&end)).then_some(history)
    }
}

fn zeros(bytes: &[u8]) -> Column {
    let mut words = bytes.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_le_bytes));
    Column::Zeros(Box::new(std::array::from_fn(|_| words.next().unwrap_or_default())))
}

fn values(bytes: &[u8]) -> Column {
    Column::Values(Box::new(std::array::from_fn(|slot| {
        u16::from_le_bytes([bytes[slot], bytes[SLOTS + slot]])
    })))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    take(bytes, 1).map(|taken| taken[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{TRACKED, instant};
    use super::*;
    use crate::domain::metric::Metric;

    fn filled() -> History {
        let mut history = History::default();
        for minute in 29_000_000..29_001_000 {
            history.read(Metric::MessagesVisible, instant(minute), (minute * 7919 % 100_000) as f64);
            history.read(Metric::MessagesInFlight, instant(minute), 0.0);
        }
        for metric in TRACKED {
            history.tell(metric, instant(29_001_000), [(instant(29_000_999), 5.0)]);
        }
        history
    }

    fn bytes_of(history: &History) -> Vec<u8> {
        let mut bytes = Vec::new();
        history.write_to(&mut bytes);
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        for history in [History::default(), filled()] {
            let bytes = bytes_of(&history);
            assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
            assert_eq!(History::read_from(&bytes), Some(history));
        }
    }

    #[test]
    fn a_metric_that_is_not_known_or_not_tracked_any_more_is_skipped() {
        let mut bytes = bytes_of(&filled());
        let at = bytes.windows(16).position(|window| window == b"messages_visible").unwrap();
        for name in [b"messages_visiblx", b"noisy_groups\0\0\0\0"] {
            bytes[at..at + 16].copy_from_slice(name);
            let read = History::read_from(&bytes).unwrap();
            let points = |metric| read.points(metric, instant(29_000_999), instant(29_001_000), 1).points;
            assert_eq!(points(Metric::MessagesVisible)[0].value, None);
            assert_eq!(points(Metric::MessagesSent)[0].value, Some(5.0));
        }
    }

    #[test]
    fn every_cut_and_every_length_that_lies_is_refused() {
        let whole = bytes_of(&filled());
        for length in 0..whole.len() {
            assert_eq!(History::read_from(&whole[..length]), None, "{length}");
        }
        let with = |place: usize, byte: u8| {
            let mut changed = whole.clone();
            changed[place] = byte;
            History::read_from(&changed)
        };
        assert_eq!(with(8, 255), None, "more columns than there are");
        assert_eq!(with(9, 255), None, "a longer name");
        assert_eq!(with(7, 0x7f), None, "the far future");
        assert_eq!(with(7, 0xff), None, "before 1970");
        assert_eq!(History::read_from(&[whole.clone(), vec![0]].concat()), None, "more follows");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_what_was_read_can_be_used(
            changes in prop::collection::vec((0usize..9000, any::<u8>()), 0..20), noise in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = History::read_from(&noise);
            let mut bytes = bytes_of(&filled());
            for (place, byte) in changes {
                let length = bytes.len();
                bytes[place % length] = byte;
            }
            if let Some(mut history) = History::read_from(&bytes) {
                for metric in TRACKED {
                    let points = history.points(metric, instant(0), instant(40_000_000), 500).points;
                    prop_assert!(points.iter().all(|point| point.value.is_none_or(f64::is_finite)));
                }
                history.forget_after(instant(29_000_500));
                history.read(Metric::MessagesVisible, instant(29_000_501), 1.0);
                let _ = history.since();
            }
        }
    }
}
