//! A request that reads one item by its key.

use crate::capacity::{Capacity, Consistency};
use crate::item::Item;
use crate::key::Key;

/// A request that reads one item by its key.
///
/// ```
/// use threadline::MemoryStore;
/// use threadline::entity::{Key, PartitionKey, SortKey};
/// use threadline::store::{Get, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
/// let answer = MemoryStore::new().get(Get::new(key).consistent()).await?;
/// assert_eq!(answer.item, None);
/// assert_eq!(answer.capacity.to_string(), "1.0 RCU");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Get {
    pub(crate) key: Key,
    pub(crate) consistency: Consistency,
}

impl Get {
    /// Creates a request for an eventually consistent read of the item with this key.
    pub fn new(key: Key) -> Self {
        Self { key, consistency: Consistency::Eventual }
    }

    /// Makes the read strongly consistent, at twice the cost.
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Sets the consistency of the read. Default: [`Consistency::Eventual`].
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// Returns the key of the item to read.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the consistency of the read.
    pub fn get_consistency(&self) -> Consistency {
        self.consistency
    }
}

/// The answer of a store to a [`Get`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetOutput {
    /// The item; `None` if it is missing or has expired.
    pub item: Option<Item>,
    /// The capacity that the read consumed.
    pub capacity: Capacity,
}
