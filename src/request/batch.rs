//! Requests that read or write several items, each independently.

use std::collections::HashSet;

use crate::capacity::{Capacity, Consistency};
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES};
use crate::key::Key;

/// The maximum number of keys in one [`BatchGet`]. [`StoreExt::get_all`](crate::store::StoreExt::get_all) accepts any
/// number.
pub const MAX_BATCH_GETS: usize = 100;
/// The maximum number of puts and deletes in one [`BatchWrite`].
/// [`StoreExt::write_all`](crate::store::StoreExt::write_all) accepts any number.
pub const MAX_BATCH_WRITES: usize = 25;

// DynamoDB accepts at most 16 MB in a batch of writes. Items within their own limit never exceed it.
const _: () = assert!(MAX_BATCH_WRITES * MAX_ITEM_BYTES <= 16 * 1024 * 1024);

/// A request that reads up to 100 items by their keys.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct BatchGet {
    pub(crate) keys: Vec<Key>,
    pub(crate) consistency: Consistency,
}

impl BatchGet {
    /// Creates a request for eventually consistent reads of the items with these keys. Pass 1 to 100 different keys.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{BatchGet, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = |pk: &str| Ok::<_, threadline::Error>(Key::new(PartitionKey::parse(pk)?, SortKey::parse("USER")?));
    /// let batch = BatchGet::new([key("USER#1")?, key("USER#2")?]).consistent();
    /// let answer = MemoryStore::new().batch_get(batch).await?;
    /// assert!(answer.items.is_empty() && answer.unprocessed.is_empty());
    /// assert_eq!(answer.capacity.to_string(), "2.0 RCU");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self { keys: keys.into_iter().collect(), consistency: Consistency::Eventual }
    }

    /// Returns the keys of the items to read.
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
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Sets the consistency of the reads. Default: [`Consistency::Eventual`].
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }
}

/// The answer of a store to a [`BatchGet`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGetOutput {
    /// The items that the store found, without expired ones, in no particular order.
    pub items: Vec<Item>,
    /// The keys of the items that the store did not read, even after its own retries. Request these items again later.
    pub unprocessed: Vec<Key>,
    /// The capacity that the reads consumed.
    pub capacity: Capacity,
}

/// A request that puts and deletes up to 25 items, each independently: some writes may be done and others not. A batch
/// has no conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchWrite {
    pub(crate) writes: Vec<BatchAction>,
}

/// A put or delete in a [`BatchWrite`].
#[derive(Clone, Debug, PartialEq)]
pub enum BatchAction {
    /// Puts this whole item. It replaces a stored item with the same key.
    Put(Item),
    /// Deletes the item with this key. A missing item is not an error.
    Delete(Key),
}

impl BatchAction {
    /// Returns the key of the item that the action puts or deletes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the item to put has no valid key.
    pub fn key(&self) -> Result<Key> {
        match self {
            Self::Put(item) => item.key(),
            Self::Delete(key) => Ok(key.clone()),
        }
    }
}

impl BatchWrite {
    /// Creates a batch of these puts and deletes. Pass 1 to 25, each for a different item.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Item, Key, PartitionKey, SortKey};
    /// use threadline::store::{BatchAction, BatchWrite, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let mut item = Item::new();
    /// item.insert("pk", "USER#1");
    /// item.insert("sk", "USER");
    /// let old = Key::new(PartitionKey::parse("USER#2")?, SortKey::parse("USER")?);
    /// let batch = BatchWrite::new([BatchAction::Put(item), BatchAction::Delete(old)]);
    /// let answer = MemoryStore::new().batch_write(batch).await?;
    /// assert!(answer.unprocessed.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(writes: impl IntoIterator<Item = BatchAction>) -> Self {
        Self { writes: writes.into_iter().collect() }
    }

    /// Returns the puts and deletes of the batch.
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

/// The answer of a store to a [`BatchWrite`].
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "some of the writes may not have been done"]
pub struct BatchWriteOutput {
    /// The puts and deletes that the store did not do, even after its own retries. Send them again later.
    pub unprocessed: Vec<BatchAction>,
    /// The capacity that the completed writes consumed.
    pub capacity: Capacity,
}

pub(super) fn check_count(what: &'static str, count: usize, max: usize) -> Result<()> {
    match count {
        0 => Err(Error::invalid(format!("{what} is empty"))),
        _ if count > max => Err(Error::invalid(format!("{what} has {count} parts; the limit is {max}"))),
        _ => Ok(()),
    }
}

pub(crate) fn check_unique<'a>(what: &'static str, keys: impl Iterator<Item = &'a Key>) -> Result<()> {
    let mut seen = HashSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(Error::invalid(format!("{what} contains the item at {key:?} twice")));
        }
    }
    Ok(())
}
