//! An item as the table keeps it.

use std::sync::Arc;

use crate::item::Item;
use crate::key::{GSI1PK, GSI1SK, Key};
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
    pub(super) fn new(key: Key, item: Item) -> Self {
        let (size, expires_at, indexed) = (item.size(), item.expires_at(), place(&item).is_some());
        Self { key: Arc::new(key), item: Arc::new(item), size, expires_at, indexed }
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
}

/// Returns the item's key in the index, of its partition and within it; `None` for an item that is not in the index.
pub(super) fn place(item: &Item) -> Option<(&str, &str)> {
    item.get_s(GSI1PK).zip(item.get_s(GSI1SK))
}
