//! The index `gsi1`: the items that have both of its keys, in the order of its sort key.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::capacity::IndexChange;
use crate::item::Item;
use crate::key::{GSI1PK, GSI1SK, Key};
use crate::request::Position;

/// An entry of the index. Two items may share an index key, so the key in the table is a part of its place. It holds no item,
/// so that the table alone owns its items, and can change them where they are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    index_sk: String,
    /// `None` only in the bound of a range: it comes before all others.
    key: Option<Arc<Key>>,
}

impl Slot {
    /// The place before every entry with this sort key.
    pub(super) fn before(index_sk: String) -> Self {
        Self { index_sk, key: None }
    }

    /// The place of a position in the index; `None` for one in the table.
    pub(super) fn at(position: Position) -> Option<Self> {
        Some(Self { index_sk: position.index_key?.sk.into(), key: Some(Arc::new(position.key)) })
    }

    /// The key of the item.
    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_deref()
    }
}

/// What has a place in the order of the entries, so that an entry is looked up without a text of its own to look for.
trait InOrder {
    fn order(&self) -> (&str, Option<&Key>);
}

impl InOrder for Slot {
    fn order(&self) -> (&str, Option<&Key>) {
        (&self.index_sk, self.key())
    }
}

impl InOrder for (&str, &Key) {
    fn order(&self) -> (&str, Option<&Key>) {
        (self.0, Some(self.1))
    }
}

impl<'a> Borrow<dyn InOrder + 'a> for Slot {
    fn borrow(&self) -> &(dyn InOrder + 'a) {
        self
    }
}

impl PartialEq for dyn InOrder + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for dyn InOrder + '_ {}

impl PartialOrd for dyn InOrder + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn InOrder + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((sk, key), (other_sk, other_key)) = (self.order(), other.order());
        // Whoever looks an entry up often has the very key that is in it.
        sk.cmp(other_sk).then_with(|| match (key, other_key) {
            (Some(key), Some(other)) if std::ptr::eq(key, other) => Ordering::Equal,
            (key, other) => key.cmp(&other),
        })
    }
}

/// An item's key in the index: that of its partition, and that which sorts it.
pub(super) type Place<'a> = (&'a str, &'a str);

/// Where the item is in the index; `None` for one that is not in it.
pub(super) fn place(item: &Item) -> Option<Place<'_>> {
    item.get_s(GSI1PK).zip(item.get_s(GSI1SK))
}

/// A partition of the index, for an item to come back to. It stays the same while anything is in the partition, and is given to
/// another one then: whoever keeps it forgets it when its entry leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PartitionNumber(usize);

#[derive(Default)]
pub(super) struct Index {
    /// The numbers of the partitions that are not empty, by key.
    numbers: HashMap<String, PartitionNumber>,
    /// The partitions by number.
    partitions: Vec<BTreeSet<Slot>>,
    /// The numbers of those that are empty, to be given again.
    empty: Vec<PartitionNumber>,
}

impl Index {
    pub(super) fn partition(&self, pk: &str) -> Option<&BTreeSet<Slot>> {
        self.partitions.get(self.number(pk)?.0)
    }

    #[cfg(test)]
    pub(super) fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    pub(super) fn number(&self, pk: &str) -> Option<PartitionNumber> {
        self.numbers.get(pk).copied()
    }

    /// Moves the entry of an item from one place to another, each with the size of the item there, and says what that is to the
    /// index; `None` is to be in no place. The item has changed in some way.
    pub(super) fn follow(
        &mut self,
        key: &Arc<Key>,
        from: Option<(Place<'_>, usize)>,
        to: Option<(Place<'_>, usize)>,
    ) -> IndexChange {
        match (from, to) {
            (None, None) => IndexChange::None,
            (None, Some((to, size))) => {
                self.insert(to, key);
                IndexChange::EntersOrLeaves { size }
            }
            (Some((from, size)), None) => {
                self.remove(from, key);
                IndexChange::EntersOrLeaves { size }
            }
            (Some((from, before)), Some((to, after))) => {
                if from.0 != to.0 {
                    self.remove(from, key);
                    self.insert(to, key);
                } else if from.1 != to.1 {
                    if let Some(number) = self.number(from.0) {
                        self.shift(number, from.1, to.1, key);
                    }
                } else {
                    return IndexChange::Updated { before, after };
                }
                IndexChange::Moved { before, after }
            }
        }
    }

    /// Moves an entry within its partition. It is the very entry, so that its text need not be allocated again.
    pub(super) fn shift(&mut self, partition: PartitionNumber, from: &str, to: &str, key: &Arc<Key>) {
        let Some(partition) = self.partitions.get_mut(partition.0) else { return };
        let mut slot = partition.take(&(from, &**key) as &dyn InOrder).unwrap_or_else(|| slot(to, key));
        slot.index_sk.clear();
        slot.index_sk.push_str(to);
        partition.insert(slot);
    }

    fn insert(&mut self, (pk, sk): Place<'_>, key: &Arc<Key>) {
        let number = self.number(pk).unwrap_or_else(|| self.add(pk));
        if let Some(partition) = self.partitions.get_mut(number.0) {
            partition.insert(slot(sk, key));
        }
    }

    /// Gives a number to a partition that has none.
    fn add(&mut self, pk: &str) -> PartitionNumber {
        let number = self.empty.pop().unwrap_or_else(|| {
            let number = PartitionNumber(self.partitions.len());
            self.partitions.push(BTreeSet::new());
            number
        });
        self.numbers.insert(pk.to_owned(), number);
        number
    }

    fn remove(&mut self, (pk, sk): Place<'_>, key: &Arc<Key>) {
        let Some(number) = self.number(pk) else { return };
        let Some(partition) = self.partitions.get_mut(number.0) else { return };
        partition.remove(&(sk, &**key) as &dyn InOrder);
        if partition.is_empty() {
            // An empty set still holds on to memory.
            *partition = BTreeSet::new();
            self.numbers.remove(pk);
            self.empty.push(number);
        }
    }
}

fn slot(index_sk: &str, key: &Arc<Key>) -> Slot {
    Slot { index_sk: index_sk.to_owned(), key: Some(Arc::clone(key)) }
}
