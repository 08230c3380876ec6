//! The stream of the in-memory table: its changes, in order, for 24 hours.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result, ServiceError};
use crate::item::Item;
use crate::key::Key;
use crate::store::record::{RecordKind, SequenceNumber, StreamRecord};
use crate::time::{Timestamp, whole_micros};

/// The default time for which a change is kept, as in [DynamoDB
/// Streams](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html).
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// The log of changes, oldest first.
pub(super) struct ChangeLog {
    retention_micros: i64,
    entries: VecDeque<Entry>,
    /// The number of trimmed entries, which is also the sequence number of the last one.
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

    /// Returns the records after the sequence number.
    pub(super) fn after(
        &self,
        sequence: Option<&SequenceNumber>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<StreamRecord>> {
        // Only writes trim the log, so old entries may remain. They count as trimmed.
        let untrimmed = self.entries.iter().take_while(|entry| entry.is_too_old(self.retention_micros, now)).count();
        let trimmed = self.trimmed.saturating_add(count(untrimmed));
        let last = self.trimmed.saturating_add(count(self.entries.len()));
        let sequence = sequence.map_or(trimmed, |number| number.as_str().parse().unwrap_or(u64::MAX));
        if sequence < trimmed {
            return Err(Error::new(
                ErrorKind::NotFound,
                "the requested records are too old and were trimmed; continue from the oldest record",
            )
            .with_service(ServiceError::new(Some("TrimmedDataAccessException"), None, None)));
        }
        if sequence > last {
            return Err(Error::invalid("no record of this table has this sequence number yet"));
        }
        let skipped = usize::try_from(sequence.saturating_sub(self.trimmed)).unwrap_or(usize::MAX);
        let entries = self.entries.iter().skip(skipped).take(limit);
        Ok(entries.zip(sequence.saturating_add(1)..).map(|(entry, sequence)| entry.record(sequence)).collect())
    }
}

impl Entry {
    fn is_too_old(&self, retention_micros: i64, now: Timestamp) -> bool {
        // The range of timestamps is far smaller than an `i64`, so this cannot overflow.
        now.unix_micros() - self.at.unix_micros() >= retention_micros
    }

    fn record(&self, sequence: u64) -> StreamRecord {
        let kind = match (&self.old, &self.new) {
            (None, _) => RecordKind::Insert,
            (Some(_), Some(_)) => RecordKind::Modify,
            (Some(_), None) => RecordKind::Remove,
        };
        let mut record = StreamRecord::new(kind, Item::of_key(&self.key), Some(sequence.into()));
        record.old = self.old.as_deref().cloned();
        record.new = self.new.as_deref().cloned();
        record.expired = self.by_ttl;
        record
    }
}

fn count(entries: usize) -> u64 {
    u64::try_from(entries).unwrap_or(u64::MAX)
}
