//! Reading one item by its key.

use crate::capacity::{Capacity, Consistency};
use crate::item::Item;
use crate::key::Key;

/// Reads one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Get {
    pub(crate) key: Key,
    pub(crate) consistency: Consistency,
}

impl Get {
    /// Reads the item with this key, eventually consistent.
    pub fn new(key: Key) -> Self {
        Self { key, consistency: Consistency::Eventual }
    }

    /// Makes the read strongly consistent, at twice the cost.
    #[must_use]
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Sets the consistency of the read. Default: [`Consistency::Eventual`].
    #[must_use]
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// Returns the key of the item.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the consistency of the read.
    pub fn get_consistency(&self) -> Consistency {
        self.consistency
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
