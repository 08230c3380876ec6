//! The part of the table that belongs to one behavior.

use threadline::entity::{GSI1PK, GSI1SK, IndexKey, Item, Key, KeySegment, PK, PartitionKey, SK, SortKey, tag};
use threadline::store::ClientToken;

use super::support::s;

/// The part of the table that belongs to one [behavior](super::Behavior) in one run: partitions that nothing else reads
/// or writes. So all behaviors can run at the same time on one table.
#[derive(Clone, Debug)]
pub struct Scope {
    pub(super) run: KeySegment,
    pub(super) behavior: KeySegment,
}

impl Scope {
    /// Creates the scope of the behavior with this name, in the run with this id. Use a new id for each run on the same
    /// server: see [the suite's requirements](super#requirements).
    ///
    /// # Panics
    /// Panics if the id or the name is not a [`KeySegment`]: 1 to 200 bytes, without `#` and control characters.
    pub fn new(run_id: &str, behavior: &str) -> Self {
        let segment = |what: &str, text: &str| match KeySegment::new(text) {
            Ok(segment) => segment,
            Err(error) => panic!("the {what} of a scope stands in its keys: {error}"),
        };
        Self { run: segment("run id", run_id), behavior: segment("behavior", behavior) }
    }

    /// Returns the partition of most items.
    pub(super) fn partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior))
    }

    /// Returns a second partition, whose key begins with that of the first.
    pub(super) fn other_partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior, tag!("OTHER")))
    }

    /// Returns the index partition of most items.
    pub(super) fn index_partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior, tag!("INDEX")))
    }

    /// Returns a second index partition.
    pub(super) fn other_index_partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior, tag!("INDEX_TOO")))
    }

    /// Returns the key with this sort key in the partition.
    pub(super) fn key(&self, sk: &str) -> Key {
        Key::new(self.partition(), sort_key(sk))
    }

    /// Returns an item with this sort key in the partition, and no other attribute.
    pub(super) fn item(&self, sk: &str) -> Item {
        item_at(&self.key(sk))
    }

    /// Returns an item that is also in the index, at this sort key.
    pub(super) fn indexed(&self, sk: &str, index_sk: &str) -> Item {
        with_index_key(self.item(sk), &self.index_key(index_sk))
    }

    /// Returns the key with this sort key in the index partition.
    pub(super) fn index_key(&self, sk: &str) -> IndexKey {
        IndexKey::new(self.index_partition(), sort_key(sk))
    }

    /// Returns a client token of this behavior: DynamoDB remembers tokens for the whole account.
    pub(super) fn token(&self, which: &str) -> ClientToken {
        let text = format!("{}#{which}", self.partition().as_str());
        ClientToken::new(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).to_string()).unwrap()
    }
}

/// Returns the sort key with this text.
pub(super) fn sort_key(text: &str) -> SortKey {
    SortKey::parse(text).unwrap()
}

/// Returns an item with this key and no other attribute.
pub(super) fn item_at(key: &Key) -> Item {
    let mut item = Item::new();
    item.insert(PK, s(key.pk.as_str()));
    item.insert(SK, s(key.sk.as_str()));
    item
}

/// Returns the item with this index key.
pub(super) fn with_index_key(mut item: Item, key: &IndexKey) -> Item {
    item.insert(GSI1PK, s(key.pk.as_str()));
    item.insert(GSI1SK, s(key.sk.as_str()));
    item
}
