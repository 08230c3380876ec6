//! A record of the table's stream: what happened to one item.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::Key;
use crate::store::memory::{Change, ChangeKind};

/// What happened to one item: a record of the table's stream, wherever it comes from. `Debug` prints no content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamRecord {
    /// What happened.
    pub kind: RecordKind,
    /// The item's key.
    pub key: Key,
    /// The item before, where the stream brings it.
    pub old: Option<Item>,
    /// The item after, where the stream brings it and there is one.
    pub new: Option<Item>,
    /// The record's place in its shard.
    pub sequence: SequenceNumber,
    /// Whether the item was deleted because it had expired, and not by a request.
    pub expired: bool,
}

impl StreamRecord {
    /// A record without images. Add what the stream brings.
    pub fn new(kind: RecordKind, key: Key, sequence: SequenceNumber) -> Self {
        Self { kind, key, old: None, new: None, sequence, expired: false }
    }
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// It was put where there was none.
    Insert,
    /// It was changed.
    Modify,
    /// It was deleted.
    Remove,
}

/// The in-memory store's change, as a record.
impl From<Change> for StreamRecord {
    fn from(change: Change) -> Self {
        let kind = match change.kind {
            ChangeKind::Insert => RecordKind::Insert,
            ChangeKind::Modify => RecordKind::Modify,
            ChangeKind::Remove => RecordKind::Remove,
        };
        Self {
            old: change.old.map(Arc::unwrap_or_clone),
            new: change.new.map(Arc::unwrap_or_clone),
            expired: change.by_ttl,
            ..Self::new(kind, change.key, SequenceNumber::from(change.sequence))
        }
    }
}

/// A record's place in its shard: a decimal number of up to 40 digits, compared by value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SequenceNumber {
    /// Without leading zeros, so that a longer one is greater.
    digits: String,
}

impl SequenceNumber {
    /// The number in decimal digits.
    pub fn as_str(&self) -> &str {
        &self.digits
    }
}

impl FromStr for SequenceNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::invalid("a sequence number has 1 to 40 decimal digits"));
        }
        let digits = text.trim_start_matches('0');
        Ok(Self { digits: if digits.is_empty() { "0".to_owned() } else { digits.to_owned() } })
    }
}

impl From<u64> for SequenceNumber {
    fn from(number: u64) -> Self {
        Self { digits: number.to_string() }
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.digits.len().cmp(&other.digits.len()).then_with(|| self.digits.cmp(&other.digits))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits)
    }
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_compare_as_integers() {
        let number = |text: &str| text.parse::<SequenceNumber>().unwrap();
        assert!(number("9") < number("10"));
        assert!(number("0099") < number("100"));
        assert_eq!(number("007"), number("7"));
        assert_eq!(number("000"), number("0"));
        assert!(number("8500000000009229331846") > number("850000000000922933184"));
    }

    #[test]
    fn what_is_no_sequence_number_is_refused() {
        for text in ["", "-1", "1.0", "abc", &"9".repeat(41)] {
            assert!(text.parse::<SequenceNumber>().is_err(), "{text}");
        }
    }
}
