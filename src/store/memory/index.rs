//! The index `gsi1`: the items that have both of its keys, in the order of its sort key.

use std::collections::{BTreeMap, HashMap};

use super::table::Stored;
use crate::capacity::IndexChange;
use crate::key::{GSI1PK, GSI1SK, Key};
use crate::request::Position;

/// An entry's place in its partition. Two items may share an index key, so the key in the table is a part of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) index_sk: String,
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Slot {
    /// The place before every entry with this sort key.
    pub(super) fn before(index_sk: String) -> Self {
        Self { index_sk, pk: String::new(), sk: String::new() }
    }

    /// The place of a position in the index; `None` for one in the table.
    pub(super) fn at(position: Position) -> Option<Self> {
        let index_key = position.index_key?;
        Some(Self { index_sk: index_key.sk.into(), pk: position.key.pk.into(), sk: position.key.sk.into() })
    }

    fn of(index_sk: &str, key: &Key) -> Self {
        Self { index_sk: index_sk.to_owned(), pk: key.pk.as_str().to_owned(), sk: key.sk.as_str().to_owned() }
    }
}

#[derive(Default)]
pub(super) struct Index {
    partitions: HashMap<String, BTreeMap<Slot, Stored>>,
}

impl Index {
    pub(super) fn partition(&self, pk: &str) -> Option<&BTreeMap<Slot, Stored>> {
        self.partitions.get(pk)
    }

    /// Follows a change of the item with this key, and says what it was to the index.
    pub(super) fn follow(&mut self, key: &Key, old: Option<&Stored>, new: Option<&Stored>) -> IndexChange {
        let before = old.and_then(|old| Some((old, index_key(old)?)));
        let after = new.and_then(|new| Some((new, index_key(new)?)));
        match (before, after) {
            (None, None) => IndexChange::None,
            (None, Some((new, at))) => {
                self.insert(at, key, new);
                IndexChange::EntersOrLeaves { size: new.size }
            }
            (Some((old, at)), None) => {
                self.remove(at, key);
                IndexChange::EntersOrLeaves { size: old.size }
            }
            (Some((old, from)), Some((new, to))) => {
                if from == to {
                    self.insert(to, key, new);
                    return IndexChange::Updated { before: old.size, after: new.size };
                }
                self.remove(from, key);
                self.insert(to, key, new);
                IndexChange::Moved { before: old.size, after: new.size }
            }
        }
    }

    fn insert(&mut self, (pk, sk): (&str, &str), key: &Key, new: &Stored) {
        let slot = Slot::of(sk, key);
        match self.partitions.get_mut(pk) {
            Some(partition) => {
                partition.insert(slot, new.clone());
            }
            None => {
                self.partitions.insert(pk.to_owned(), BTreeMap::from([(slot, new.clone())]));
            }
        }
    }

    fn remove(&mut self, (pk, sk): (&str, &str), key: &Key) {
        let Some(partition) = self.partitions.get_mut(pk) else { return };
        partition.remove(&Slot::of(sk, key));
        if partition.is_empty() {
            self.partitions.remove(pk);
        }
    }
}

/// The item's key in the index; `None` for one that is not in it.
fn index_key(stored: &Stored) -> Option<(&str, &str)> {
    if !stored.indexed {
        return None;
    }
    Some((stored.item.get_s(GSI1PK)?, stored.item.get_s(GSI1SK)?))
}
