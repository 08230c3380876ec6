//! The index `gsi1`: the items with both of its keys, in the order of its sort key.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::stored::{Stored, index_position};
use crate::capacity::{Units, write_units};
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

    /// Applies a change of an item, and returns the write units that it costs in the index: zero if the item was not in
    /// the index and is not now. An entry that moves is deleted and put again, and costs both.
    pub(super) fn follow(&mut self, old: Option<&Stored>, new: Option<&Stored>) -> Units {
        let (old, new) = (old.filter(|old| old.indexed), new.filter(|new| new.indexed));
        if let (Some(old), Some(new)) = (old, new)
            && index_position(&old.item) == index_position(&new.item)
        {
            return write_units(old.size, new.size);
        }
        let mut units = Units::ZERO;
        if let Some(old) = old {
            self.remove(old);
            units = units + write_units(old.size, 0);
        }
        if let Some(new) = new {
            self.insert(new);
            units = units + write_units(0, new.size);
        }
        units
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
