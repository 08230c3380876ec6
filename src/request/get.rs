//! Reading one item by its key.

use crate::capacity::{Capacity, Consistency};
use crate::item::Item;
use crate::key::Key;

/// Reads one item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Get {
    /// The key.
    pub key: Key,
    /// The consistency of the read.
    pub consistency: Consistency,
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
}

/// The answer to a [`Get`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetOutput {
    /// The item; `None` where there is none, or it has expired.
    pub item: Option<Item>,
    /// What the read consumed.
    pub capacity: Capacity,
}
