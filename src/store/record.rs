//! A record of the table's stream: what happened to one item.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::Key;

/// What happened to one item: a record of the table's stream, wherever it comes from. `Debug` prints no content.
///
/// It holds what the stream brought, whether or not that makes sense: what is wrong with a record shows when it is projected.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamRecord {
    /// What happened.
    pub kind: RecordKind,
    /// The attributes of the item's key.
    pub keys: Item,
    /// The item before, where the stream brings it.
    pub old: Option<Item>,
    /// The item after, where the stream brings it and there is one.
    pub new: Option<Item>,
    /// The record's place in its shard, where it has one.
    pub sequence: Option<SequenceNumber>,
    /// Whether the item was deleted because it had expired, and not by a request.
    pub expired: bool,
    /// The record as it came, where a part of it could not be read. The parts that could be are in their places.
    pub raw: Option<RawRecord>,
}

impl StreamRecord {
    /// A record without images. Add what the stream brings.
    pub fn new(kind: RecordKind, keys: Item, sequence: Option<SequenceNumber>) -> Self {
        Self { kind, keys, old: None, new: None, sequence, expired: false, raw: None }
    }

    /// The item's key.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a record without the key of an item of this table.
    pub fn key(&self) -> Result<Key> {
        self.keys.key()
    }

    /// The item after, or else the item before.
    pub(crate) fn image(&self) -> Option<&Item> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// A record as it came, in JSON. It holds content: `Debug` prints its length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct RawRecord(String);

impl RawRecord {
    /// The record in this JSON.
    pub fn new(json: impl Into<String>) -> Self {
        Self(json.into())
    }

    /// The record's JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// It was put where there was none.
    Insert,
    /// It was changed.
    Modify,
    /// It was deleted.
    Remove,
    /// Something that this version does not know.
    Unknown,
}

impl RecordKind {
    /// The service's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl From<&str> for RecordKind {
    fn from(name: &str) -> Self {
        match name {
            "INSERT" => Self::Insert,
            "MODIFY" => Self::Modify,
            "REMOVE" => Self::Remove,
            _ => Self::Unknown,
        }
    }
}

/// A record's place in its shard: a decimal number of up to 40 digits, compared by value. Its text stays as it came, since the
/// service knows the record by it.
#[derive(Clone)]
pub struct SequenceNumber(String);

impl SequenceNumber {
    /// The number as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without leading zeros, so that a longer one is greater.
    fn digits(&self) -> &str {
        self.0.trim_start_matches('0')
    }
}

impl FromStr for SequenceNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::invalid("a sequence number has 1 to 40 decimal digits"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<u64> for SequenceNumber {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, others) = (self.digits(), other.digits());
        own.len().cmp(&others.len()).then_with(|| own.cmp(others))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SequenceNumber {
    fn eq(&self, other: &Self) -> bool {
        self.digits() == other.digits()
    }
}

impl Eq for SequenceNumber {}

impl Hash for SequenceNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digits().hash(state);
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

    use super::*;

    #[test]
    fn sequence_numbers_compare_as_integers() {
        let number = |text: &str| text.parse::<SequenceNumber>().unwrap();
        assert!(number("9") < number("10"));
        assert!(number("0099") < number("100"));
        assert_eq!(number("007"), number("7"));
        assert_ne!(number("7"), number("8"));
        assert_eq!(number("000"), number("0"));
        let text = number("007");
        assert_eq!(text.as_str(), "007", "the service knows the record by its own text");
        assert_eq!((text.to_string(), format!("{text:?}")), ("007".to_owned(), "007".to_owned()));
        assert!(number("8500000000009229331846") > number("850000000000922933184"));
    }

    #[test]
    fn sequence_numbers_that_are_the_same_count_once_in_a_set() {
        let numbers = ["007", "7", "8"].map(|text| text.parse::<SequenceNumber>().unwrap());
        assert_eq!(HashSet::from(numbers).len(), 2);
        let hash = |text: &str| {
            BuildHasherDefault::<DefaultHasher>::default().hash_one(text.parse::<SequenceNumber>().unwrap())
        };
        assert_eq!(hash("007"), hash("7"));
        assert_ne!(hash("7"), hash("8"));
    }

    #[test]
    fn a_sequence_number_has_40_digits_at_most() {
        assert!("9".repeat(40).parse::<SequenceNumber>().is_ok());
        assert!("9".repeat(41).parse::<SequenceNumber>().is_err());
    }

    #[test]
    fn the_kind_of_a_record_has_the_name_that_the_service_has_for_it() {
        for (name, kind) in
            [("INSERT", RecordKind::Insert), ("MODIFY", RecordKind::Modify), ("REMOVE", RecordKind::Remove)]
        {
            assert_eq!((RecordKind::from(name), kind.as_str()), (kind, name));
        }
        assert_eq!((RecordKind::from("insert"), RecordKind::Unknown.as_str()), (RecordKind::Unknown, "UNKNOWN"));
    }

    #[test]
    fn a_raw_record_shows_its_length_alone() {
        let raw = RawRecord::new("{}");
        assert_eq!((raw.as_str(), format!("{raw:?}")), ("{}", "2 bytes".to_owned()));
    }

    #[test]
    fn what_is_no_sequence_number_is_refused() {
        for text in ["", "-1", "1.0", "abc"] {
            assert!(text.parse::<SequenceNumber>().is_err(), "{text}");
        }
    }
}
