//! A value in two bytes: twelve significant bits, in steps of 1/1024 near 0.
//!
//! Whole numbers to 4095 are exact, larger ones right within 0.025 %, up to 4.3 thousand million, where it ends. Fractions are there
//! for means: one message in an hour is 0.0166 a minute, and must not become none.

/// A number from 0 to 4.3e9. Its order is the numbers' order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed(u16);

/// The bits of a mantissa, the leading one included.
const BITS: u32 = 12;
/// Steps in one.
const UNIT: f64 = 1024.0;
/// What stands for no value.
const NOTHING: u16 = u16::MAX;

impl Packed {
    /// The number 0.
    pub(super) const ZERO: Self = Self(0);

    /// The nearest that can be remembered; `None` for what is no count: negative or no number.
    pub(super) fn of(value: f64) -> Option<Self> {
        if !value.is_finite() || value < 0.0 {
            return None;
        }
        // Saturates, which is the largest there is.
        let steps = (value * UNIT) as u64;
        let excess = (u64::BITS - steps.leading_zeros()).saturating_sub(BITS);
        // What is dropped rounds; a mantissa that overflows by it is the first one of the next exponent.
        let mantissa =
            if excess == 0 { (value * UNIT).round() as u64 } else { ((steps >> (excess - 1)) + 1) >> 1 };
        let code = (u64::from(excess) << (BITS - 1)) + mantissa;
        Some(Self(code.min(u64::from(NOTHING - 1)) as u16))
    }

    /// The number.
    pub(super) fn value(self) -> f64 {
        let excess = (u32::from(self.0) >> (BITS - 1)).saturating_sub(1);
        let mantissa = u64::from(self.0) - (u64::from(excess) << (BITS - 1));
        (mantissa << excess) as f64 / UNIT
    }

    /// As two bytes, [`u16::MAX`] for nothing.
    pub(super) fn code(value: Option<Self>) -> u16 {
        value.map_or(NOTHING, |value| value.0)
    }

    /// What [`Packed::code`] gave; every code means something.
    pub(super) fn decoded(code: u16) -> Option<Self> {
        (code != NOTHING).then_some(Self(code))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn back(value: f64) -> f64 {
        Packed::of(value).unwrap().value()
    }

    #[test]
    fn whole_numbers_to_4095_are_exact_and_so_are_those_of_twelve_bits() {
        for number in 0..4096 {
            assert_eq!(back(f64::from(number)), f64::from(number));
        }
        for number in [4096.0, 8190.0, 120_000.0, 4_292_870_144.0, 0.5, 1.0 / 1024.0] {
            assert_eq!(back(number), number, "{number}");
        }
    }

    #[test]
    fn what_is_no_count_is_nothing_and_what_is_too_large_is_the_largest() {
        for value in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Packed::of(value), None, "{value}");
        }
        assert_eq!(Packed::of(-0.0), Some(Packed::ZERO));
        assert_eq!(back(1e300), back(u64::MAX as f64));
        assert!(back(1e300) > 4.29e9);
    }

    #[test]
    fn every_code_means_a_number_in_order_and_comes_back() {
        let mut before = None;
        for code in 0..NOTHING {
            let packed = Packed::decoded(code).unwrap();
            assert_eq!(Packed::code(Packed::of(packed.value())), code);
            assert!(before < Some(packed.value()), "{code}");
            before = Some(packed.value());
        }
        assert_eq!(Packed::decoded(Packed::code(None)), None);
    }

    proptest! {
        #[test]
        fn the_error_is_small(value in prop_oneof![0.0..10.0, 0.0..1e5, 0.0..4.29e9]) {
            let error = (back(value) - value).abs();
            prop_assert!(error <= (value * 0.00025).max(0.5 / UNIT), "{value}: {error}");
        }
    }
}
