//! The items: partitions in the order of their sort keys, and their index.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Bound::{Excluded, Unbounded};

use super::index::Index;
use super::stored::Stored;
use crate::capacity::Units;
use crate::key::Key;

/// The items of a partition, by sort key.
pub(super) type Partition = BTreeMap<String, Stored>;

#[derive(Default)]
pub(super) struct Table {
    partitions: HashMap<String, Partition>,
    /// The partition keys in the order of a scan. It is the order of their hashes, as in DynamoDB, so that no test
    /// relies on another order.
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

    /// Returns all items in the order of a scan, from the start or after this key. The key need not exist.
    pub(super) fn scan(&self, start: Option<&Key>) -> impl Iterator<Item = &Stored> {
        let rest_of_partition = start
            .and_then(|start| Some((self.partitions.get(start.pk.as_str())?, start.sk.as_str())))
            .into_iter()
            .flat_map(|(partition, sk)| partition.range::<str, _>((Excluded(sk), Unbounded)));
        let after = match start {
            Some(start) => Excluded((hash(start.pk.as_str()), start.pk.as_str().to_owned())),
            None => Unbounded,
        };
        let partitions = self.scan_order.range((after, Unbounded)).filter_map(|(_, pk)| self.partitions.get(pk));
        rest_of_partition.chain(partitions.flatten()).map(|(_, stored)| stored)
    }

    /// Puts the item. Returns the one that it replaces, if any, and the write units of the index.
    pub(super) fn put(&mut self, new: Stored) -> (Option<Stored>, Units) {
        let (pk, sk) = (new.key.pk.as_str(), new.key.sk.as_str().to_owned());
        let partition = match self.partitions.get_mut(pk) {
            Some(partition) => partition,
            None => {
                self.scan_order.insert((hash(pk), pk.to_owned()));
                self.partitions.entry(pk.to_owned()).or_default()
            }
        };
        let old = partition.insert(sk, new.clone());
        let index_write = self.index.follow(old.as_ref(), Some(&new));
        (old, index_write)
    }

    /// Deletes the item. Returns it, and the write units of the index.
    pub(super) fn delete(&mut self, key: &Key) -> Option<(Stored, Units)> {
        let pk = key.pk.as_str();
        let partition = self.partitions.get_mut(pk)?;
        let old = partition.remove(key.sk.as_str())?;
        if partition.is_empty() {
            self.partitions.remove(pk);
            self.scan_order.remove(&(hash(pk), pk.to_owned()));
        }
        let index_write = self.index.follow(Some(&old), None);
        Some((old, index_write))
    }
}

/// Returns the hash of a partition key. Unlike a `HashMap`'s, it is equal in every run.
fn hash(pk: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pk.hash(&mut hasher);
    hasher.finish()
}
