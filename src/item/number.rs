//! DynamoDB's numbers: decimal, up to 38 significant digits, compared and added exactly.

use std::cmp::Ordering;
use std::fmt;

use crate::error::{Error, Result};

/// The most significant digits that a number may have.
const MAX_DIGITS: usize = 38;
/// A number other than zero lies from 1E-130 to 9.99…E+125: its first digit has a place in this range.
const MIN_EXPONENT: i32 = -129;
const MAX_EXPONENT: i32 = 126;

/// A number, normalised: 0.d₁d₂d₃… × 10^`exponent`, with neither a leading nor a trailing zero among the digits. Zero has
/// no digits, no sign and the exponent 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

impl Number {
    /// Reads a number as DynamoDB does: an optional sign, digits with at most one point, an optional exponent.
    ///
    /// # Errors
    /// `Invalid` for text that is no number (`NaN` and `inf` are none), for more than 38 significant digits, and for a
    /// magnitude that DynamoDB does not store.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let not_a_number = || Error::invalid("a number attribute must hold a decimal number");
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            // Four digits are more than any valid exponent has.
            Some((mantissa, exponent)) if exponent.len() <= 5 => {
                (mantissa, exponent.parse::<i32>().map_err(|_| not_a_number())?)
            }
            Some(_) => return Err(not_a_number()),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return Err(not_a_number());
        }
        let point = i32::try_from(whole.len()).map_err(|_| not_a_number())?;
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        Self::normalised(negative, digits, point + exponent)
    }

    fn normalised(negative: bool, mut digits: Vec<u8>, mut exponent: i32) -> Result<Self> {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        if digits.is_empty() {
            return Ok(Self { negative: false, digits, exponent: 0 });
        }
        exponent = exponent.saturating_sub(i32::try_from(leading).unwrap_or(i32::MAX));
        if digits.len() > MAX_DIGITS {
            return Err(Error::invalid("a number may have at most 38 significant digits"));
        }
        if !(MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent) {
            return Err(Error::invalid("a number must be zero or lie between 1E-130 and 9.99E+125 in magnitude"));
        }
        Ok(Self { negative, digits, exponent })
    }

    /// The sum, exactly.
    ///
    /// # Errors
    /// `Invalid` when the sum has more than 38 significant digits or too great a magnitude.
    pub(crate) fn add(&self, other: &Self) -> Result<Self> {
        if self.digits.is_empty() {
            return Ok(other.clone());
        }
        if other.digits.is_empty() {
            return Ok(self.clone());
        }
        // Both as digits of one length, with the same place for the first (one more than either needs, for the carry).
        let top = self.exponent.max(other.exponent) + 1;
        let bottom = self.last_place().min(other.last_place());
        let (a, b) = (self.spread(top, bottom), other.spread(top, bottom));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, add_digits(&a, &b))
        } else if a >= b {
            (self.negative, subtract_digits(&a, &b))
        } else {
            (other.negative, subtract_digits(&b, &a))
        };
        Self::normalised(negative, digits, top)
    }

    /// The place of the last digit: the exponent less the number of digits.
    fn last_place(&self) -> i32 {
        self.exponent - i32::try_from(self.digits.len()).unwrap_or(0)
    }

    fn spread(&self, top: i32, bottom: i32) -> Vec<u8> {
        let zeros = |count: i32| std::iter::repeat_n(0, usize::try_from(count).unwrap_or(0));
        zeros(top - self.exponent).chain(self.digits.iter().copied()).chain(zeros(self.last_place() - bottom)).collect()
    }

    /// The bytes that the number counts for: one for each two digits on either side of the point, one for the exponent and
    /// one for a minus sign.
    pub(crate) fn stored_size(&self) -> usize {
        let point = usize::try_from(self.exponent).unwrap_or(0);
        let whole = point.min(self.digits.len());
        let fraction = self.digits.len() - whole;
        1 + whole.div_ceil(2) + fraction.div_ceil(2) + usize::from(self.negative)
    }

    /// The number as an `i64`, rounded towards negative infinity; `None` when it does not fit.
    pub(crate) fn to_i64_floor(&self) -> Option<i64> {
        let text = self.to_string();
        let (whole, has_fraction) = match text.split_once('.') {
            Some((whole, _)) => (whole, true),
            None => (text.as_str(), false),
        };
        let whole: i64 = whole.parse().ok()?;
        if has_fraction && self.negative { whole.checked_sub(1) } else { Some(whole) }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        let digits: Vec<u8> = number.unsigned_abs().to_string().bytes().map(|byte| byte - b'0').collect();
        let exponent = i32::try_from(digits.len()).unwrap_or(0);
        // Twenty digits at most, so it is within every limit.
        Self::normalised(number < 0, digits, exponent).unwrap_or(Self {
            negative: false,
            digits: Vec::new(),
            exponent: 0,
        })
    }
}

/// The plain decimal text that DynamoDB gives back: no exponent, no zero that says nothing.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let point = usize::try_from(self.exponent).unwrap_or(0);
        if point == 0 {
            f.write_str("0")?;
        }
        let write_digit = |f: &mut fmt::Formatter<'_>, digit: u8| write!(f, "{digit}");
        for place in 0..point {
            write_digit(f, self.digits.get(place).copied().unwrap_or(0))?;
        }
        if self.digits.len() > point {
            f.write_str(".")?;
            for _ in self.exponent..0 {
                f.write_str("0")?;
            }
            for digit in self.digits.iter().skip(point) {
                write_digit(f, *digit)?;
            }
        }
        Ok(())
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        match sign(self).cmp(&sign(other)) {
            Ordering::Equal if self.negative => magnitude().reverse(),
            Ordering::Equal => magnitude(),
            unequal => unequal,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn add_digits(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = a + b + carry;
            carry = digit / 10;
            digit % 10
        })
        .collect();
    sum.reverse();
    sum
}

/// `a - b`, where `a` is not the smaller.
fn subtract_digits(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = 10 + a - b - borrow;
            borrow = 1 - digit / 10;
            digit % 10
        })
        .collect();
    difference.reverse();
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_given_back_in_plain_decimal_text() {
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
    fn what_dynamodb_cannot_store_is_refused() {
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
    fn whole_numbers_of_64_bits_are_taken_as_they_are() {
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
