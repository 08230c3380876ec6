//! Reading one item by its key.

use crate::capacity::{Capacity, Consistency};
use crate::item::Item;
use crate::key::Key;

/// Reads one item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Get {
    /// The key of the item.
    pub key: Key,
    /// Whether the latest write must be seen.
    pub consistency: Consistency,
}

impl Get {
    /// Reads the item with this key, eventually consistent.
    pub fn new(key: Key) -> Self {
        Self { key, consistency: Consistency::Eventual }
    }

    /// The same, seeing every write acknowledged before.
    #[must_use]
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }
}

/// The answer to a [`Get`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetOutput {
    /// The item; `None` where there is none, or it has expired.
    pub item: Option<Item>,
    /// What the read consumed.
    pub capacity: Capacity,
}
