//! Records of the table's stream, one for each change of an item.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::Key;

/// A record of the table's stream, which describes one change of one item. `Debug` prints no content.
///
/// The record has the data as the stream delivered it, without validation. The [`Projector`](crate::stream::Projector)
/// reports an invalid record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamRecord {
    /// The kind of change.
    pub kind: RecordKind,
    /// The key attributes of the changed item.
    pub keys: Item,
    /// The item before the change. `None` for a new item, or if the record does not contain the old item.
    pub old: Option<Item>,
    /// The item after the change. `None` for a deleted item, or if the record does not contain the new item.
    pub new: Option<Item>,
    /// The record's number in its shard of the stream. `None` if the record has no valid number.
    pub sequence: Option<SequenceNumber>,
    /// `true` if DynamoDB deleted the item because it had expired; `false` for a change by a request.
    pub expired: bool,
    /// The original record in JSON, if the record came in a Lambda event and a part of it is unreadable. The other
    /// fields then have the readable parts.
    pub raw: Option<RawRecord>,
}

impl StreamRecord {
    /// Creates a record of a change. The fields `old`, `new` and `raw` are `None`, and `expired` is `false`.
    pub fn new(kind: RecordKind, keys: Item, sequence: Option<SequenceNumber>) -> Self {
        Self { kind, keys, old: None, new: None, sequence, expired: false, raw: None }
    }

    /// Returns the key of the changed item.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if `keys` lacks `pk` or `sk`, or if one of them is not a valid key.
    pub fn key(&self) -> Result<Key> {
        self.keys.key()
    }

    /// Returns the item after the change, or else the item before it.
    pub(crate) fn image(&self) -> Option<&Item> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// The original JSON of a stream record: see [`StreamRecord::raw`]. `Debug` prints only the length of the JSON, because
/// the JSON may contain an item.
#[derive(Clone, PartialEq, Eq)]
pub struct RawRecord(String);

impl RawRecord {
    /// Creates a raw record from this text. The call does not check that the text is JSON.
    pub fn new(json: impl Into<String>) -> Self {
        Self(json.into())
    }

    /// Returns the JSON of the record.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// The kind of change in a [`StreamRecord`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// The item was created.
    Insert,
    /// The item existed, and its attributes changed.
    Modify,
    /// The item was deleted.
    Remove,
    /// A kind that this version of the crate does not know.
    Unknown,
}

impl RecordKind {
    /// Returns DynamoDB's name for the kind of change, such as `INSERT`.
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

/// The number of a [`StreamRecord`] in its shard of the stream: a decimal number of up to 40 digits. Two numbers
/// compare by value.
///
/// The number keeps its original text, because DynamoDB Streams identifies the record by this text.
#[derive(Clone)]
pub struct SequenceNumber(String);

impl SequenceNumber {
    /// Returns the text of the number as the stream delivered it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the digits without leading zeros, so that a longer text is a greater number.
    fn digits(&self) -> &str {
        self.0.trim_start_matches('0')
    }
}

impl FromStr for SequenceNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::invalid("a sequence number must have 1 to 40 decimal digits"));
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
        assert_eq!(text.as_str(), "007", "the service identifies the record by its own text");
        assert_eq!((text.to_string(), format!("{text:?}")), ("007".to_owned(), "007".to_owned()));
        assert!(number("8500000000009229331846") > number("850000000000922933184"));
    }

    #[test]
    fn equal_sequence_numbers_have_equal_hashes() {
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
    fn record_kind_has_the_name_of_the_service() {
        for (name, kind) in
            [("INSERT", RecordKind::Insert), ("MODIFY", RecordKind::Modify), ("REMOVE", RecordKind::Remove)]
        {
            assert_eq!((RecordKind::from(name), kind.as_str()), (kind, name));
        }
        assert_eq!((RecordKind::from("insert"), RecordKind::Unknown.as_str()), (RecordKind::Unknown, "UNKNOWN"));
    }

    #[test]
    fn debug_of_a_raw_record_prints_only_its_length() {
        let raw = RawRecord::new("{}");
        assert_eq!((raw.as_str(), format!("{raw:?}")), ("{}", "2 bytes".to_owned()));
    }

    #[test]
    fn parse_refuses_invalid_sequence_numbers() {
        for text in ["", "-1", "1.0", "abc"] {
            assert!(text.parse::<SequenceNumber>().is_err(), "{text}");
        }
    }
}
