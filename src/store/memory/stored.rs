//! An item with precomputed data, as the table stores it.

use std::sync::Arc;

use crate::item::Item;
use crate::key::{GSI1PK, GSI1SK, Key};
use crate::time::Timestamp;

/// The age after which expired items are no longer deleted, in seconds.
const FIVE_YEARS: i64 = 5 * 365 * 24 * 60 * 60;

/// An item with its size and its expiry, so that neither is computed again. It is cheap to clone.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) key: Arc<Key>,
    pub(super) item: Arc<Item>,
    pub(super) size: usize,
    pub(super) expires_at: Option<i64>,
    pub(super) indexed: bool,
}

impl Stored {
    pub(super) fn new(key: Key, item: Item) -> Self {
        let (size, expires_at, indexed) = (item.size(), item.expires_at(), index_position(&item).is_some());
        Self { key: Arc::new(key), item: Arc::new(item), size, expires_at, indexed }
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|seconds| seconds <= now.unix_seconds())
    }

    /// Returns `true` if DynamoDB will delete the item. It never deletes items that expired more than five years ago.
    pub(super) fn can_be_swept(&self, now: Timestamp) -> bool {
        let five_years_ago = now.unix_seconds().saturating_sub(FIVE_YEARS);
        self.is_expired(now) && self.expires_at.is_some_and(|seconds| seconds >= five_years_ago)
    }

    /// Returns the item for an answer; `None` if it has expired.
    pub(super) fn shown(&self, now: Timestamp) -> Option<Item> {
        (!self.is_expired(now)).then(|| Item::clone(&self.item))
    }
}

/// Returns the item's partition key and sort key in the index; `None` if the item is not in the index.
pub(super) fn index_position(item: &Item) -> Option<(&str, &str)> {
    item.get_s(GSI1PK).zip(item.get_s(GSI1SK))
}
