//! The change log, the twin's stream: what was written, in order, for 24 hours.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result, ServiceError};
use crate::item::Item;
use crate::key::Key;
use crate::time::{Timestamp, whole_micros};

/// How long a change can be read, unless told otherwise: as in [DynamoDB
/// Streams](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html).
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// One change of one item, as [`MemoryStore::changes_after`](super::MemoryStore::changes_after) gives it. A write that changes
/// nothing makes none. Cheap to clone: the images are shared with the table. `Debug` prints no value.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Its place among all changes of the table: 1 for the first, and one more for each.
    pub sequence: u64,
    /// What happened to the item.
    pub kind: ChangeKind,
    /// The item's key.
    pub key: Key,
    /// The item before; `None` for an insert.
    pub old: Option<Arc<Item>>,
    /// The item after; `None` for a removal.
    pub new: Option<Arc<Item>>,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the item was removed because it had expired, not by a request.
    pub by_ttl: bool,
}

/// What a [`Change`] did to its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The item was created.
    Insert,
    /// The item was there, and has changed.
    Modify,
    /// The item was deleted.
    Remove,
}

// Hand-written: the images are content. Their names and types are not, and the key prints its shape.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("sequence", &self.sequence)
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("at", &self.at)
            .field("by_ttl", &self.by_ttl)
            .finish_non_exhaustive()
    }
}

/// The log of the changes, the oldest first.
pub(super) struct ChangeLog {
    retention_micros: i64,
    entries: VecDeque<Entry>,
    /// How many entries have been trimmed: the sequence number of the last one.
    trimmed: u64,
}

/// A change, with the item before and after.
pub(super) struct Entry {
    pub(super) key: Arc<Key>,
    pub(super) old: Option<Arc<Item>>,
    pub(super) new: Option<Arc<Item>>,
    pub(super) at: Timestamp,
    pub(super) by_ttl: bool,
}

impl Default for ChangeLog {
    fn default() -> Self {
        Self { retention_micros: whole_micros(RETENTION), entries: VecDeque::new(), trimmed: 0 }
    }
}

impl ChangeLog {
    pub(super) fn keep_for(&mut self, retention: Duration) {
        self.retention_micros = whole_micros(retention);
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let at = entry.at;
        self.entries.push_back(entry);
        while self.entries.front().is_some_and(|entry| entry.is_too_old(self.retention_micros, at)) {
            self.entries.pop_front();
            self.trimmed = self.trimmed.saturating_add(1);
        }
    }

    /// Returns the changes behind the sequence number.
    pub(super) fn after(&self, sequence: Option<u64>, limit: usize, now: Timestamp) -> Result<Vec<Change>> {
        // What is too old is gone, even where no write has trimmed it yet.
        let untrimmed = self.entries.iter().take_while(|entry| entry.is_too_old(self.retention_micros, now)).count();
        let trimmed = self.trimmed.saturating_add(count(untrimmed));
        let last = self.trimmed.saturating_add(count(self.entries.len()));
        let sequence = sequence.unwrap_or(trimmed);
        if sequence < trimmed {
            return Err(Error::new(
                ErrorKind::NotFound,
                "the changes asked for are too old and have been trimmed; go on from the oldest there is",
            )
            .with_service(ServiceError::new(Some("TrimmedDataAccessException"), None, None)));
        }
        if sequence > last {
            return Err(Error::invalid("no change of this table has that sequence number yet"));
        }
        let skipped = usize::try_from(sequence.saturating_sub(self.trimmed)).unwrap_or(usize::MAX);
        let entries = self.entries.iter().skip(skipped).take(limit);
        Ok(entries.zip(sequence.saturating_add(1)..).map(|(entry, sequence)| entry.change(sequence)).collect())
    }
}

impl Entry {
    fn is_too_old(&self, retention_micros: i64, now: Timestamp) -> bool {
        // All of time, from the year 0 to 9999, is far less than an `i64` holds.
        now.unix_micros() - self.at.unix_micros() >= retention_micros
    }

    fn change(&self, sequence: u64) -> Change {
        let kind = match (&self.old, &self.new) {
            (None, _) => ChangeKind::Insert,
            (Some(_), Some(_)) => ChangeKind::Modify,
            (Some(_), None) => ChangeKind::Remove,
        };
        Change {
            sequence,
            kind,
            key: Key::clone(&self.key),
            old: self.old.clone(),
            new: self.new.clone(),
            at: self.at,
            by_ttl: self.by_ttl,
        }
    }
}

fn count(entries: usize) -> u64 {
    u64::try_from(entries).unwrap_or(u64::MAX)
}
