//! The items: partitions in the order of their sort keys, and the index over them.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use super::index::{Index, place};
use crate::capacity::IndexChange;
use crate::item::Item;
use crate::key::Key;
use crate::time::Timestamp;

/// Behind this, items that have expired are not deleted any more, in seconds.
const FIVE_YEARS: i64 = 5 * 365 * 24 * 60 * 60;

/// An item with what is known of it, so that neither its size nor its expiry is computed again. Cheap to clone.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) key: Arc<Key>,
    pub(super) item: Arc<Item>,
    pub(super) size: usize,
    pub(super) expires_at: Option<i64>,
    pub(super) indexed: bool,
}

impl Stored {
    pub(super) fn new(key: Key, item: Item) -> Self {
        let (size, expires_at, indexed) = (item.size(), item.expires_at(), place(&item).is_some());
        Self { key: Arc::new(key), item: Arc::new(item), size, expires_at, indexed }
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|seconds| seconds <= now.unix_seconds())
    }

    /// Whether DynamoDB deletes the item at some time after this: one that expired more than five years ago it never does.
    pub(super) fn is_to_be_swept(&self, now: Timestamp) -> bool {
        let five_years_ago = now.unix_seconds().saturating_sub(FIVE_YEARS);
        self.is_expired(now) && self.expires_at.is_some_and(|seconds| seconds >= five_years_ago)
    }

    /// The item, for an answer; `None` for one that has expired.
    pub(super) fn shown(&self, now: Timestamp) -> Option<Item> {
        (!self.is_expired(now)).then(|| Item::clone(&self.item))
    }
}

/// The items of a partition, by their sort key.
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

    /// Puts the item in the place of what was there, and returns that.
    pub(super) fn put(&mut self, new: Stored) -> (Option<Stored>, IndexChange) {
        let (pk, sk) = (new.key.pk.as_str(), new.key.sk.as_str().to_owned());
        let partition = match self.partitions.get_mut(pk) {
            Some(partition) => partition,
            None => {
                self.scan_order.insert((hash(pk), pk.to_owned()));
                self.partitions.entry(pk.to_owned()).or_default()
            }
        };
        let old = partition.insert(sk, new.clone());
        let change = self.index.follow(old.as_ref(), Some(&new));
        (old, change)
    }

    /// Deletes the item, and returns it.
    pub(super) fn delete(&mut self, key: &Key) -> Option<(Stored, IndexChange)> {
        let pk = key.pk.as_str();
        let partition = self.partitions.get_mut(pk)?;
        let old = partition.remove(key.sk.as_str())?;
        if partition.is_empty() {
            self.partitions.remove(pk);
            self.scan_order.remove(&(hash(pk), pk.to_owned()));
        }
        let change = self.index.follow(Some(&old), None);
        Some((old, change))
    }
}

/// The same in every run, unlike a `HashMap`'s.
fn hash(pk: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pk.hash(&mut hasher);
    hasher.finish()
}
