//! The items: partitions in the order of their sort keys, and the index over them.

use std::collections::btree_map::Entry;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use serde_dynamo::AttributeValue;

use super::index::{Index, PartitionNumber, Place, place};
use super::update::{Changes, apply};
use crate::capacity::IndexChange;
use crate::error::Result;
use crate::item::Item;
use crate::key::{EXPIRES_AT, GSI1PK, GSI1SK, Key};
use crate::request::AttributeChange;
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
    pub(super) fn new(key: Arc<Key>, item: Item, size: usize) -> Self {
        let (expires_at, indexed) = (item.expires_at(), place(&item).is_some());
        Self { key, item: Arc::new(item), size, expires_at, indexed }
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

    /// Where the item is in the index, with its size; `None` for one that is not in it.
    fn place(&self) -> Option<(Place<'_>, usize)> {
        let place = if self.indexed { place(&self.item) } else { None };
        Some((place?, self.size))
    }
}

/// The items of a partition, by their sort key.
pub(super) type Partition = BTreeMap<String, Row>;

/// An item in the table.
pub(super) struct Row {
    pub(super) stored: Stored,
    /// The partition of the index in which an update has moved its entry, so that the next one need not look for it; `None` before
    /// the first such move, and once the item has left that partition.
    index_partition: Option<PartitionNumber>,
}

impl Row {
    fn new(stored: Stored) -> Self {
        Self { stored, index_partition: None }
    }
}

#[derive(Default)]
pub(super) struct Table {
    partitions: HashMap<String, Partition>,
    /// The partition keys in the order of a scan: by hash, as in DynamoDB, so that nobody comes to rely on another.
    scan_order: BTreeSet<(u64, String)>,
    index: Index,
}

impl Table {
    pub(super) fn get(&self, key: &Key) -> Option<&Stored> {
        Some(&self.partitions.get(key.pk.as_str())?.get(key.sk.as_str())?.stored)
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
        rest_of_partition.chain(partitions.flatten()).map(|(_, row)| &row.stored)
    }

    /// Puts the item in the place of what was there, and gives that back.
    pub(super) fn put(&mut self, new: Stored) -> (Option<Stored>, IndexChange) {
        let key = Arc::clone(&new.key);
        let (pk, sk) = (key.pk.as_str(), key.sk.as_str().to_owned());
        let partition = match self.partitions.get_mut(pk) {
            Some(partition) => partition,
            None => {
                self.scan_order.insert((hash(pk), pk.to_owned()));
                self.partitions.entry(pk.to_owned()).or_default()
            }
        };
        match partition.entry(sk) {
            Entry::Vacant(vacant) => {
                let change = self.index.follow(&key, None, new.place());
                vacant.insert(Row::new(new));
                (None, change)
            }
            Entry::Occupied(mut occupied) => {
                let change = self.index.follow(&key, occupied.get().stored.place(), new.place());
                (Some(occupied.insert(Row::new(new)).stored), change)
            }
        }
    }

    /// The item of this key, to be changed where it is.
    pub(super) fn find(&mut self, key: &Key) -> Option<Found<'_>> {
        let row = self.partitions.get_mut(key.pk.as_str())?.get_mut(key.sk.as_str())?;
        Some(Found { row, index: &mut self.index })
    }

    /// Deletes the item, and gives it back.
    pub(super) fn delete(&mut self, key: &Key) -> Option<(Stored, IndexChange)> {
        let pk = key.pk.as_str();
        let partition = self.partitions.get_mut(pk)?;
        let old = partition.remove(key.sk.as_str())?.stored;
        if partition.is_empty() {
            self.partitions.remove(pk);
            self.scan_order.remove(&(hash(pk), pk.to_owned()));
        }
        let change = self.index.follow(&old.key, old.place(), None);
        Some((old, change))
    }
}

/// An item in its place, so that it is looked up once to be looked at and to be changed.
pub(super) struct Found<'a> {
    row: &'a mut Row,
    index: &'a mut Index,
}

impl Found<'_> {
    pub(super) fn stored(&self) -> &Stored {
        &self.row.stored
    }

    /// Changes attributes of the item, and gives the changes that undo it: none where nothing had to be changed.
    ///
    /// # Errors
    /// As [`apply`]. The item is then as it was.
    pub(super) fn update(&mut self, changes: Changes) -> Result<(Changes, IndexChange)> {
        let Row { stored, index_partition } = &mut *self.row;
        let before = stored.size;
        let undo = apply(stored, changes)?;
        let (mut old_pk, mut old_sk) = (None, None);
        for (name, change) in &undo {
            match &**name {
                GSI1PK => old_pk = Some(text_before(change)),
                GSI1SK => old_sk = Some(text_before(change)),
                EXPIRES_AT => stored.expires_at = stored.item.expires_at(),
                _ => {}
            }
        }
        let sk = old_sk.and_then(|_| stored.item.get_s(GSI1SK));
        let change = if let (true, None, Some(Some(from)), Some(to)) = (stored.indexed, old_pk, old_sk, sk) {
            // It stays in its partition, as an inbox row does whenever its conversation moves.
            let index = &mut *self.index;
            if let Some(partition) = index_partition.or_else(|| index.number(stored.item.get_s(GSI1PK)?)) {
                debug_assert_eq!(Some(partition), stored.item.get_s(GSI1PK).and_then(|pk| index.number(pk)));
                *index_partition = Some(partition);
                index.shift(partition, from, to, &stored.key);
            }
            IndexChange::Moved { before, after: stored.size }
        } else if old_pk.is_some() || old_sk.is_some() {
            *index_partition = None;
            let (pk, sk) = (stored.item.get_s(GSI1PK), stored.item.get_s(GSI1SK));
            let from = old_pk.unwrap_or(pk).zip(old_sk.unwrap_or(sk));
            let to = pk.zip(sk);
            stored.indexed = to.is_some();
            self.index.follow(&stored.key, from.map(|from| (from, before)), to.map(|to| (to, stored.size)))
        } else if stored.indexed {
            IndexChange::Updated { before, after: stored.size }
        } else {
            IndexChange::None
        };
        Ok((undo, change))
    }
}

/// The text that an attribute had, by the change that undoes the one made to it.
fn text_before(undo: &AttributeChange) -> Option<&str> {
    match undo {
        AttributeChange::Set(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

/// The same in every run, unlike a `HashMap`'s.
fn hash(pk: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pk.hash(&mut hasher);
    hasher.finish()
}
