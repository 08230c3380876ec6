//! Reading or writing several items in one request, each on its own.

use std::collections::HashSet;

use crate::capacity::{Capacity, Consistency};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::Key;

/// The most keys of one [`BatchGet`]. `StoreExt::get_all` takes any number.
pub const MAX_BATCH_GETS: usize = 100;
/// The most puts and deletes of one [`BatchWrite`]. `StoreExt::write_all` takes any number.
pub const MAX_BATCH_WRITES: usize = 25;
/// The most that a batch of writes may weigh, in bytes: 16 MB.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Reads up to 100 items.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BatchGet {
    /// The keys, each once.
    pub keys: Vec<Key>,
    /// Whether the latest writes must be seen.
    pub consistency: Consistency,
}

impl BatchGet {
    /// Reads the items with these keys, eventually consistent.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for no key, more than 100, or one twice.
    pub fn new(keys: Vec<Key>) -> Result<Self> {
        check_count("a batch of reads", keys.len(), MAX_BATCH_GETS)?;
        check_unique("a batch of reads", keys.iter())?;
        Ok(Self { keys, consistency: Consistency::Eventual })
    }

    /// The same, seeing every write acknowledged before.
    #[must_use]
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
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
#[non_exhaustive]
pub struct BatchWrite {
    /// The puts and deletes, each of another item.
    pub writes: Vec<BatchAction>,
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
    /// Does these puts and deletes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for none, more than 25, two of one item, more than 16 MB, or an item that
    /// [`Item::check`] refuses.
    pub fn new(writes: Vec<BatchAction>) -> Result<Self> {
        check_count("a batch of writes", writes.len(), MAX_BATCH_WRITES)?;
        let mut bytes = 0;
        for write in &writes {
            if let BatchAction::Put(item) = write {
                item.check()?;
                bytes += item.size();
            }
        }
        if bytes > MAX_BATCH_BYTES {
            return Err(Error::invalid(format!(
                "a batch of writes may have at most 16 MB, and this has {bytes} bytes"
            )));
        }
        let keys = writes.iter().map(BatchAction::key).collect::<Result<Vec<_>>>()?;
        check_unique("a batch of writes", keys.iter())?;
        Ok(Self { writes })
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

pub(super) fn check_unique<'a>(what: &'static str, keys: impl Iterator<Item = &'a Key>) -> Result<()> {
    let mut seen = HashSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(Error::invalid(format!("{what} names one item twice, at {key:?}")));
        }
    }
    Ok(())
}
