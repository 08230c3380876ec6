//! Timestamps as the table stores them, and clocks.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::key::segment;

/// A moment in UTC, to the microsecond. The texts of timestamps sort in the order of time.
///
/// * The text is RFC 3339, always with six fraction digits and `+00:00`. It has 32 bytes:
///   `2023-06-26T10:16:00.375877+00:00`.
/// * The years are 0000 to 9999, so that the order of any two texts is the order of their times.
/// * Parsing accepts any RFC 3339 text. It converts the time to UTC and truncates it to microseconds.
///
/// ```
/// use threadline::Timestamp;
///
/// let time: Timestamp = "2023-06-26T12:16:00.375877+02:00".parse()?;
/// assert_eq!(time.to_string(), "2023-06-26T10:16:00.375877+00:00");
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp {
    micros: i64,
}

impl Timestamp {
    /// The earliest timestamp: `0000-01-01T00:00:00.000000+00:00`.
    pub const MIN: Self = Self { micros: -62_167_219_200_000_000 };
    /// The latest timestamp: `9999-12-31T23:59:59.999999+00:00`.
    pub const MAX: Self = Self { micros: 253_402_300_799_999_999 };

    /// Creates a timestamp from the microseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the time is not in the years 0000 to 9999.
    pub fn from_unix_micros(micros: i64) -> Result<Self> {
        if (Self::MIN.micros..=Self::MAX.micros).contains(&micros) {
            Ok(Self { micros })
        } else {
            Err(Error::invalid("a timestamp must be in the years 0000 to 9999"))
        }
    }

    /// Creates a timestamp from the milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the time is not in the years 0000 to 9999.
    pub fn from_unix_millis(millis: i64) -> Result<Self> {
        Self::from_unix_micros(millis.saturating_mul(1000))
    }

    /// Returns the microseconds since the Unix epoch. The number is negative for an earlier time.
    pub fn unix_micros(self) -> i64 {
        self.micros
    }

    /// Returns the whole milliseconds since the Unix epoch, rounded down.
    pub fn unix_millis(self) -> i64 {
        self.micros.div_euclid(1000)
    }

    /// Returns the whole seconds since the Unix epoch, rounded down.
    ///
    /// The attribute [`expires_at`](crate::entity::EXPIRES_AT) of an item has this unit.
    pub fn unix_seconds(self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    /// Returns this timestamp plus the duration, but at most [`MAX`](Self::MAX).
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        let micros = whole_micros(by);
        Self::from_unix_micros(self.unix_micros().saturating_add(micros)).unwrap_or(Self::MAX)
    }

    /// Returns this timestamp minus the duration, but at least [`MIN`](Self::MIN).
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        let micros = whole_micros(by);
        Self::from_unix_micros(self.unix_micros().saturating_sub(micros)).unwrap_or(Self::MIN)
    }

    /// Parses the stored form only: exactly the text that [`Display`](fmt::Display) writes.
    pub(crate) fn parse_stored(text: &str) -> Result<Self> {
        if let Some(time) = Self::from_stored_form(text) {
            return Ok(time);
        }
        text.parse::<Self>()?;
        Err(Error::invalid("a stored timestamp must have six fraction digits and `+00:00`"))
    }

    /// Parses the stored form, several times faster than any RFC 3339 text. `None` for any other text.
    fn from_stored_form(text: &str) -> Option<Self> {
        let form = b"dddd-dd-ddTdd:dd:dd.dddddd+00:00";
        let fits = |(byte, form): (u8, &u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == *form };
        if text.len() != form.len() || !text.bytes().zip(form).all(fits) {
            return None;
        }
        let number = |digits: Range<usize>| text.get(digits)?.parse::<u32>().ok();
        let date = NaiveDate::from_ymd_opt(number(0..4)?.cast_signed(), number(5..7)?, number(8..10)?)?;
        let time = date.and_hms_micro_opt(number(11..13)?, number(14..16)?, number(17..19)?, number(20..26)?)?;
        Self::from_unix_micros(time.and_utc().timestamp_micros()).ok()
    }

    /// Appends the stored form.
    fn push_onto(self, text: &mut String) {
        // Every value is within chrono's range, so the default is never used.
        let time = DateTime::<Utc>::from_timestamp_micros(self.micros).unwrap_or_default().naive_utc();
        append_digits(text, time.year().unsigned_abs(), 1000);
        for (separator, value) in
            [('-', time.month()), ('-', time.day()), ('T', time.hour()), (':', time.minute()), (':', time.second())]
        {
            text.push(separator);
            append_digits(text, value, 10);
        }
        text.push('.');
        append_digits(text, time.nanosecond() / 1000, 100_000);
        text.push_str("+00:00");
    }
}

segment! {
    Timestamp => |time, key| time.push_onto(key);
}

/// Appends the decimal digits of a number. The first digit is that of `unit`, a power of ten.
fn append_digits(text: &mut String, number: u32, mut unit: u32) {
    while unit > 0 {
        text.push(char::from_digit(number / unit % 10, 10).unwrap_or_default());
        unit /= 10;
    }
}

/// Returns the microseconds of a duration, at most [`i64::MAX`].
pub(crate) fn whole_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(time) = Self::from_stored_form(text) {
            return Ok(time);
        }
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|_| Error::invalid("a timestamp must be RFC 3339, such as 2023-06-26T10:16:00.375877+00:00"))?;
        // Microseconds drop further digits and turn a leap second into the next second.
        Self::from_unix_micros(time.with_timezone(&Utc).timestamp_micros())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        let mut text = Self::with_capacity(32);
        time.push_onto(&mut text);
        text
    }
}

/// A source of the current time. This crate reads the time only from a clock.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[allow(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = whole_micros(since_epoch);
        Timestamp::from_unix_micros(micros).unwrap_or(Timestamp::MAX)
    }
}

/// A clock for tests. Its time changes only when a test sets it.
///
/// ```
/// use std::time::Duration;
/// use threadline::{Clock, ManualClock};
///
/// let clock = ManualClock::starting_at("2026-01-01T00:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "2026-01-01T00:01:00.000000+00:00");
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// Creates a clock whose time is `now`.
    pub fn starting_at(now: Timestamp) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Moves the clock forward by this duration.
    pub fn advance(&self, by: Duration) {
        let mut now = self.lock();
        *now = now.saturating_add(by);
    }

    /// Sets the clock to this time, which may be earlier or later than the clock's current time.
    pub fn set(&self, now: Timestamp) {
        *self.lock() = now;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        // A panic cannot leave the time half-written, so a poisoned lock is safe to use.
        self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}
