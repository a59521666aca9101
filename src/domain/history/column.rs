//! All that is remembered of one metric, in as little room as it needs.

use std::fmt;

use super::packed::Packed;
use super::tiers::SLOTS;

const WORDS: usize = SLOTS.div_ceil(64);

/// The values of one metric by their place. Many a metric is 0 for days: of it one bit a value is kept.
#[derive(Clone)]
pub(super) enum Column {
    /// None is known.
    Unknown,
    /// Those whose bit is set are 0, the others unknown.
    Zeros(Box<[u64; WORDS]>),
    /// What they are, as [`Packed::code`].
    Values(Box<[u16; SLOTS]>),
}

impl Column {
    /// Whether nothing was ever written.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The value at a place.
    pub(super) fn get(&self, slot: usize) -> Option<Packed> {
        match self {
            Self::Unknown => None,
            Self::Zeros(bits) => (bits[slot / 64] >> (slot % 64) & 1 == 1).then_some(Packed::ZERO),
            Self::Values(codes) => Packed::decoded(codes[slot]),
        }
    }

    /// Writes the value at a place, over what stood there.
    pub(super) fn set(&mut self, slot: usize, value: Option<Packed>) {
        match (&mut *self, value) {
            (Self::Unknown, None) => {}
            (Self::Unknown, Some(_)) => {
                *self = Self::Zeros(Box::new([0; WORDS]));
                self.set(slot, value);
            }
            (Self::Zeros(bits), None) => bits[slot / 64] &= !(1 << (slot % 64)),
            (Self::Zeros(bits), Some(Packed::ZERO)) => bits[slot / 64] |= 1 << (slot % 64),
            (Self::Zeros(_), Some(_)) => {
                *self = Self::Values(Box::new(std::array::from_fn(|slot| Packed::code(self.get(slot)))));
                self.set(slot, value);
            }
            (Self::Values(codes), _) => codes[slot] = Packed::code(value),
        }
    }
}

/// Columns are equal that say the same, in whatever form.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        (0..SLOTS).all(|slot| self.get(slot) == other.get(slot))
    }
}

impl fmt::Debug for Column {
    /// How many values there are; all of them would fill pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = (0..SLOTS).filter(|slot| self.get(*slot).is_some()).count();
        write!(f, "{known} values")
    }
}
