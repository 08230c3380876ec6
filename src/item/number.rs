//! DynamoDB's numbers: decimal, with up to 38 significant digits, and exact.

use std::cmp::Ordering;
use std::fmt;

use crate::error::{Error, Result};

/// The maximum number of significant digits.
const MAX_DIGITS: u32 = 38;
/// The range of [`Number::point`]. A number other than zero has a magnitude from 1E-130 to 9.99…E+125.
const MIN_POINT: i32 = -129;
const MAX_POINT: i32 = 126;

/// A normalized number: `digits` × 10^`exponent`. The digits, at most 38, have no trailing zero. Zero has no sign and
/// the exponent 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: u128,
    exponent: i32,
}

impl Number {
    /// Parses a number as DynamoDB does: an optional sign, digits with at most one decimal point, an optional exponent.
    ///
    /// # Errors
    /// `Invalid` if the text is not a number, such as `NaN` or `inf`. `Invalid` also for more than 38 significant
    /// digits, and for a magnitude that DynamoDB does not store.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let not_a_number = || Error::invalid("a number attribute must hold a decimal number");
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            // No valid exponent has more than three digits, so a longer text is refused before it is parsed.
            Some((mantissa, exponent)) if exponent.len() <= 5 => {
                (mantissa, exponent.parse::<i32>().map_err(|_| not_a_number())?)
            }
            Some(_) => return Err(not_a_number()),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(not_a_number());
        }
        let digits = all.trim_end_matches('0');
        let places = |text: &str| i32::try_from(text.len()).map_err(|_| not_a_number());
        let exponent = exponent.saturating_add(places(&all)? - places(digits)? - places(fraction)?);
        let digits = if digits.is_empty() { Ok(0) } else { digits.parse().map_err(|_| too_many_digits()) };
        Self::checked(negative, digits?, exponent)
    }

    fn checked(negative: bool, digits: u128, exponent: i32) -> Result<Self> {
        let number = Self::normalized(negative, digits, exponent);
        if number.count() > MAX_DIGITS {
            return Err(too_many_digits());
        }
        if !(MIN_POINT..=MAX_POINT).contains(&number.point()) {
            return Err(Error::invalid("a number must be zero or have a magnitude from 1E-130 to 9.99E+125"));
        }
        Ok(number)
    }

    fn normalized(negative: bool, mut digits: u128, mut exponent: i32) -> Self {
        if digits == 0 {
            return Self { negative: false, digits, exponent: 0 };
        }
        while digits.is_multiple_of(10) {
            (digits, exponent) = (digits / 10, exponent.saturating_add(1));
        }
        Self { negative, digits, exponent }
    }

    /// Returns the number of digits. Zero has none.
    fn count(&self) -> u32 {
        self.digits.checked_ilog10().map_or(0, |tens| tens + 1)
    }

    /// Returns the number of digits before the decimal point. It is negative for zeros after the point.
    fn point(&self) -> i32 {
        self.exponent.saturating_add_unsigned(self.count())
    }

    /// Returns the exact sum.
    ///
    /// # Errors
    /// `Invalid` if the sum has more than 38 significant digits or its magnitude is too large.
    pub(crate) fn add(&self, other: &Self) -> Result<Self> {
        if self.digits == 0 {
            return Ok(*other);
        }
        if other.digits == 0 {
            return Ok(*self);
        }
        // Both numbers get the lower exponent. If that overflows, the sum has more than 38 digits too, because its last
        // digit is not zero.
        let exponent = self.exponent.min(other.exponent);
        let spread = |number: &Self| {
            let zeros = number.exponent.abs_diff(exponent);
            10_u128.checked_pow(zeros).and_then(|power| power.checked_mul(number.digits)).ok_or_else(too_many_digits)
        };
        let (a, b) = (spread(self)?, spread(other)?);
        let digits = if self.negative == other.negative { a.checked_add(b) } else { Some(a.abs_diff(b)) };
        let negative = if a >= b { self.negative } else { other.negative };
        Self::checked(negative, digits.ok_or_else(too_many_digits)?, exponent)
    }

    /// Returns the size of the number in bytes. Each two digits on a side of the decimal point take one byte. The
    /// exponent takes one, and so does a minus sign.
    pub(crate) fn stored_size(&self) -> usize {
        let count = self.count();
        let whole = u32::try_from(self.point()).unwrap_or(0).min(count);
        let pairs = whole.div_ceil(2) + (count - whole).div_ceil(2);
        1 + usize::try_from(pairs).unwrap_or(0) + usize::from(self.negative)
    }

    /// Returns the number as an `i64`, rounded down; `None` if it does not fit.
    pub(crate) fn to_i64_floor(self) -> Option<i64> {
        let digits = i128::try_from(self.digits).ok()?;
        let signed = if self.negative { -digits } else { digits };
        // A number that saturates 128 bits does not fit into 64 bits either.
        let power = 10_i128.saturating_pow(self.exponent.unsigned_abs());
        let whole = if self.exponent < 0 { signed.div_euclid(power) } else { signed.saturating_mul(power) };
        i64::try_from(whole).ok()
    }
}

fn too_many_digits() -> Error {
    Error::invalid("a number may have at most 38 significant digits")
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::normalized(number < 0, number.unsigned_abs().into(), 0)
    }
}

/// The plain decimal text that DynamoDB returns, without an exponent or redundant zeros.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        if let Ok(zeros) = usize::try_from(self.exponent) {
            return write!(f, "{sign}{}{:0<zeros$}", self.digits, "");
        }
        let places = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(0);
        let digits = format!("{:0>width$}", self.digits, width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits == 0, number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = |number: &Self| (number.point(), number.digits * 10_u128.pow(MAX_DIGITS - number.count()));
        match sign(self).cmp(&sign(other)) {
            Ordering::Equal if self.negative => magnitude(other).cmp(&magnitude(self)),
            Ordering::Equal => magnitude(self).cmp(&magnitude(other)),
            unequal => unequal,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_display_as_plain_decimal_text() {
        for (given, stored) in [
            ("1e3", "1000"),
            ("007", "7"),
            ("-0", "0"),
            ("+5", "5"),
            ("0.500", "0.5"),
            ("-12.0", "-12"),
            ("1E-5", "0.00001"),
            (".5", "0.5"),
        ] {
            assert_eq!(number(given).to_string(), stored, "{given}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        let ascending = ["-1000", "-1", "-0.00001", "0", "0.5", "9", "10", "1000"];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn parse_refuses_numbers_that_dynamodb_cannot_store() {
        let digits_39 = "1".repeat(39);
        for text in [
            "",
            "NaN",
            "inf",
            "1.2.3",
            "1e126",
            "1e-131",
            "0x10",
            "--1",
            "1e",
            "1e99999999999",
            "12e2147483647",
            &digits_39,
        ] {
            assert!(Number::parse(text).is_err(), "{text}");
        }
        for text in ["1e125", "9.99e125", "1e-130", "1e-129", &"1".repeat(38)] {
            assert!(Number::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn sizes_follow_the_measured_rule() {
        for (text, size) in [("42", 2), ("-42", 3), ("0.0000001", 2), ("0", 1), ("1000", 2), ("1000.5", 4), ("123", 3)]
        {
            assert_eq!(number(text).stored_size(), size, "{text}");
        }
    }

    #[test]
    fn sums_are_exact() {
        for (a, b, sum) in [
            ("1", "2", "3"),
            ("99", "1", "100"),
            ("1", "-1", "0"),
            ("-5", "3", "-2"),
            ("5", "-7.5", "-2.5"),
            ("0.1", "0.2", "0.3"),
            ("123.45", "1", "124.45"),
            ("1000", "-1", "999"),
            ("0.5", "-100.75", "-100.25"),
            ("-200.5", "0.75", "-199.75"),
            ("0", "-4", "-4"),
            ("1000000000000000000000", "0.5", "1000000000000000000000.5"),
        ] {
            assert_eq!(number(a).add(&number(b)).unwrap().to_string(), sum, "{a} + {b}");
        }
        assert!(number("1e40").add(&number("1")).is_err(), "the sum has 41 digits");
    }

    #[test]
    fn every_i64_is_a_number() {
        for whole in [i64::MIN, -42, -1, 0, 7, 10, i64::MAX] {
            assert_eq!(Number::from(whole).to_string(), whole.to_string());
        }
    }

    #[test]
    fn whole_numbers_are_rounded_down() {
        for (text, whole) in [("7", 7), ("7.9", 7), ("-7.1", -8), ("0.5", 0), ("-0.5", -1)] {
            assert_eq!(number(text).to_i64_floor(), Some(whole), "{text}");
        }
        assert_eq!(number("1e30").to_i64_floor(), None);
    }
}
