//! Reading or writing several items in one request, each on its own.

use std::collections::HashSet;

use crate::capacity::{Capacity, Consistency};
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES};
use crate::key::Key;

/// The most keys of one [`BatchGet`]. `StoreExt::get_all` takes any number.
pub const MAX_BATCH_GETS: usize = 100;
/// The most puts and deletes of one [`BatchWrite`]. `StoreExt::write_all` takes any number.
pub const MAX_BATCH_WRITES: usize = 25;

// DynamoDB takes 16 MB in a batch of writes, which no batch of items that are each small enough comes to.
const _: () = assert!(MAX_BATCH_WRITES * MAX_ITEM_BYTES <= 16 * 1024 * 1024);

/// Reads up to 100 items.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchGet {
    pub(crate) keys: Vec<Key>,
    pub(crate) consistency: Consistency,
}

impl BatchGet {
    /// Reads the items with these 1 to 100 keys, eventually consistent. Each key may occur once.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self { keys: keys.into_iter().collect(), consistency: Consistency::Eventual }
    }

    /// Returns the keys.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Returns the consistency of the reads.
    pub fn get_consistency(&self) -> Consistency {
        self.consistency
    }

    pub(super) fn check(&self) -> Result<()> {
        check_count("a batch of reads", self.keys.len(), MAX_BATCH_GETS)?;
        check_unique("a batch of reads", self.keys.iter())
    }

    /// Makes the reads strongly consistent, at twice the cost.
    #[must_use]
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Sets the consistency of the reads. Default: [`Consistency::Eventual`].
    #[must_use]
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }
}

/// The answer to a [`BatchGet`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGetOutput {
    /// The items found, in no particular order.
    pub items: Vec<Item>,
    /// The keys that were not read, after the store's own retries. Ask for them again later.
    pub unprocessed: Vec<Key>,
    /// What the reads consumed.
    pub capacity: Capacity,
}

/// Puts and deletes up to 25 items, each on its own: some may be done and others not. There are no conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchWrite {
    pub(crate) writes: Vec<BatchAction>,
}

/// A put or delete in a [`BatchWrite`].
#[derive(Clone, Debug, PartialEq)]
pub enum BatchAction {
    /// Puts an item.
    Put(Item),
    /// Deletes the item with this key.
    Delete(Key),
}

impl BatchAction {
    /// The key of the item.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for an item without a valid key.
    pub fn key(&self) -> Result<Key> {
        match self {
            Self::Put(item) => item.key(),
            Self::Delete(key) => Ok(key.clone()),
        }
    }
}

impl BatchWrite {
    /// Makes these 1 to 25 puts and deletes, each of another item.
    pub fn new(writes: impl IntoIterator<Item = BatchAction>) -> Self {
        Self { writes: writes.into_iter().collect() }
    }

    /// Returns the puts and deletes.
    pub fn writes(&self) -> &[BatchAction] {
        &self.writes
    }

    pub(super) fn check(&self) -> Result<()> {
        check_count("a batch of writes", self.writes.len(), MAX_BATCH_WRITES)?;
        let keys = self.writes.iter().map(BatchAction::key).collect::<Result<Vec<_>>>()?;
        check_unique("a batch of writes", keys.iter())?;
        self.writes.iter().try_for_each(|write| match write {
            BatchAction::Put(item) => item.check(),
            BatchAction::Delete(_) => Ok(()),
        })
    }
}

/// The answer to a [`BatchWrite`].
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "some of the writes may not have been done"]
pub struct BatchWriteOutput {
    /// The puts and deletes that were not done, after the store's own retries. Ask for them again later.
    pub unprocessed: Vec<BatchAction>,
    /// What the writes consumed.
    pub capacity: Capacity,
}

pub(super) fn check_count(what: &'static str, count: usize, most: usize) -> Result<()> {
    if count == 0 || count > most {
        return Err(Error::invalid(format!("{what} has 1 to {most} parts, and this has {count}")));
    }
    Ok(())
}

pub(crate) fn check_unique<'a>(what: &'static str, keys: impl Iterator<Item = &'a Key>) -> Result<()> {
    let mut seen = HashSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(Error::invalid(format!("{what} names one item twice, at {key:?}")));
        }
    }
    Ok(())
}
