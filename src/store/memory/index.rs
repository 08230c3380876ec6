//! The index `gsi1`: the items with both of its keys, in the order of its sort key.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::stored::{Stored, index_position};
use crate::capacity::IndexChange;
use crate::key::Key;
use crate::request::Position;

/// An entry of the index. Items may have equal index keys, so an entry also contains the key in the table.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IndexEntry {
    index_sk: String,
    /// `None` only in the bound of a range, where it sorts before all keys.
    key: Option<Arc<Key>>,
}

impl IndexEntry {
    /// Returns the bound before every entry with this sort key.
    pub(super) fn before(index_sk: String) -> Self {
        Self { index_sk, key: None }
    }

    /// Returns the entry of a position in the index; `None` for a position in the table.
    pub(super) fn at(position: Position) -> Option<Self> {
        Some(Self { index_sk: position.index_key?.sk.into(), key: Some(Arc::new(position.key)) })
    }

    fn of(index_sk: &str, key: &Arc<Key>) -> Self {
        Self { index_sk: index_sk.to_owned(), key: Some(Arc::clone(key)) }
    }

    /// Returns the key of the item.
    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_deref()
    }
}

/// The partitions with entries, by key.
#[derive(Default)]
pub(super) struct Index(HashMap<String, BTreeSet<IndexEntry>>);

impl Index {
    pub(super) fn partition(&self, pk: &str) -> Option<&BTreeSet<IndexEntry>> {
        self.0.get(pk)
    }

    /// Applies a change of an item, and returns its effect on the index.
    pub(super) fn follow(&mut self, old: Option<&Stored>, new: Option<&Stored>) -> IndexChange {
        let (before, after) = (old.filter(|old| old.indexed), new.filter(|new| new.indexed));
        let change = match (before, after) {
            (None, None) => return IndexChange::None,
            (None, Some(Stored { size, .. })) | (Some(Stored { size, .. }), None) => {
                IndexChange::EntersOrLeaves { size: *size }
            }
            (Some(old), Some(new)) if index_position(&old.item) == index_position(&new.item) => {
                return IndexChange::Updated { before: old.size, after: new.size };
            }
            (Some(old), Some(new)) => IndexChange::Moved { before: old.size, after: new.size },
        };
        if let Some(old) = before {
            self.remove(old);
        }
        if let Some(new) = after {
            self.insert(new);
        }
        change
    }

    fn insert(&mut self, stored: &Stored) {
        let Some((pk, sk)) = index_position(&stored.item) else { return };
        self.0.entry(pk.to_owned()).or_default().insert(IndexEntry::of(sk, &stored.key));
    }

    fn remove(&mut self, stored: &Stored) {
        let Some((pk, sk)) = index_position(&stored.item) else { return };
        let Some(partition) = self.0.get_mut(pk) else { return };
        partition.remove(&IndexEntry::of(sk, &stored.key));
        if partition.is_empty() {
            self.0.remove(pk);
        }
    }
}
