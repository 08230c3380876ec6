//! The items: partitions in the order of their sort keys, and the index over them.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use super::index::Index;
use crate::capacity::IndexChange;
use crate::item::Item;
use crate::key::{GSI1PK, GSI1SK, Key};
use crate::time::Timestamp;

/// An item with what is known of it, so that neither its size nor its expiry is computed again. Shared by the table, the
/// index and the change log, which makes a clone cheap.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) item: Arc<Item>,
    pub(super) size: usize,
    pub(super) expires_at: Option<i64>,
    pub(super) indexed: bool,
}

impl Stored {
    pub(super) fn new(item: Item, size: usize) -> Self {
        let expires_at = item.expires_at();
        let indexed = item.get(GSI1PK).is_some() && item.get(GSI1SK).is_some();
        Self { item: Arc::new(item), size, expires_at, indexed }
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|seconds| seconds <= now.unix_seconds())
    }

    /// The item, for an answer; `None` for one that has expired.
    pub(super) fn shown(&self, now: Timestamp) -> Option<Item> {
        (!self.is_expired(now)).then(|| Item::clone(&self.item))
    }
}

pub(super) type Partition = BTreeMap<String, Stored>;

#[derive(Default)]
pub(super) struct Table {
    partitions: HashMap<String, Partition>,
    /// The partition keys in the order of a scan: by hash, as in DynamoDB, so that nobody comes to rely on another.
    scan_order: BTreeSet<(u64, String)>,
    index: Index,
}

impl Table {
    pub(super) fn get(&self, key: &Key) -> Option<&Stored> {
        self.partitions.get(key.pk.as_str())?.get(key.sk.as_str())
    }

    pub(super) fn partition(&self, pk: &str) -> Option<&Partition> {
        self.partitions.get(pk)
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    #[cfg(test)]
    pub(super) fn scan_order(&self) -> &BTreeSet<(u64, String)> {
        &self.scan_order
    }

    /// Every item in the order of a scan, from the first, or behind this key, which need not exist.
    pub(super) fn scan(&self, start: Option<&Key>) -> impl Iterator<Item = &Stored> {
        let rest_of_partition = start
            .and_then(|start| Some((self.partitions.get(start.pk.as_str())?, start.sk.as_str())))
            .into_iter()
            .flat_map(|(partition, sk)| partition.range::<str, _>((Excluded(sk), Unbounded)));
        let behind = match start {
            Some(start) => Excluded((hash(start.pk.as_str()), start.pk.as_str().to_owned())),
            None => Unbounded,
        };
        let partitions = self.scan_order.range((behind, Unbounded)).filter_map(|(_, pk)| self.partitions.get(pk));
        rest_of_partition.chain(partitions.flatten()).map(|(_, stored)| stored)
    }

    /// Puts the new item in the place of the old one, which is what [`get`](Self::get) gives for the key; `None` deletes it.
    pub(super) fn replace(&mut self, key: Key, old: Option<&Stored>, new: Option<Stored>) -> IndexChange {
        let change = self.index.follow(&key, old, new.as_ref());
        match new {
            Some(new) => self.insert(key, new),
            None => self.remove(&key),
        }
        change
    }

    fn insert(&mut self, key: Key, new: Stored) {
        match self.partitions.get_mut(key.pk.as_str()) {
            Some(partition) => {
                partition.insert(key.sk.into(), new);
            }
            None => {
                let pk = String::from(key.pk);
                self.scan_order.insert((hash(&pk), pk.clone()));
                self.partitions.insert(pk, Partition::from([(key.sk.into(), new)]));
            }
        }
    }

    fn remove(&mut self, key: &Key) {
        let pk = key.pk.as_str();
        let Some(partition) = self.partitions.get_mut(pk) else { return };
        partition.remove(key.sk.as_str());
        if partition.is_empty() {
            self.partitions.remove(pk);
            self.scan_order.remove(&(hash(pk), pk.to_owned()));
        }
    }
}

/// The same in every run, unlike a `HashMap`'s.
fn hash(pk: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pk.hash(&mut hasher);
    hasher.finish()
}
