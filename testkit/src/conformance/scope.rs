//! The part of the table that one behavior has to itself.

use threadline::entity::{GSI1PK, GSI1SK, IndexKey, Item, Key, KeySegment, PK, PartitionKey, SK, SortKey, tag};
use threadline::store::ClientToken;

use super::support::s;

/// The part of the table that one behavior has to itself in one run: partitions that nothing else reads or writes. So all
/// behaviors can run at the same time on one table.
#[derive(Clone, Debug)]
pub struct Scope {
    pub(super) run: KeySegment,
    pub(super) behavior: KeySegment,
}

impl Scope {
    /// The part of this behavior in this run. The id must be new where a server was used by an earlier run: see [what the
    /// suite needs](super#what-the-suite-needs).
    ///
    /// # Panics
    /// When one of the two is no [`KeySegment`]: 1 to 200 bytes, without `#` and control characters.
    pub fn new(run_id: &str, behavior: &str) -> Self {
        let segment = |what: &str, text: &str| match KeySegment::new(text) {
            Ok(segment) => segment,
            Err(error) => panic!("the {what} of a scope stands in its keys: {error}"),
        };
        Self { run: segment("run id", run_id), behavior: segment("behavior", behavior) }
    }

    /// The partition that most items lie in.
    pub(super) fn partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior))
    }

    /// A second partition. The key of the first is the beginning of its key.
    pub(super) fn other_partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior, tag!("OTHER")))
    }

    /// The partition of the index that most items lie in.
    pub(super) fn index_partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior, tag!("INDEX")))
    }

    /// A second partition of the index.
    pub(super) fn other_index_partition(&self) -> PartitionKey {
        PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior, tag!("INDEX_TOO")))
    }

    /// The key with this sort key in the partition.
    pub(super) fn key(&self, sk: &str) -> Key {
        Key::new(self.partition(), sort_key(sk))
    }

    /// An item with this sort key in the partition, and no other attribute.
    pub(super) fn item(&self, sk: &str) -> Item {
        item_at(&self.key(sk))
    }

    /// An item that is also in the index, with this sort key there.
    pub(super) fn indexed(&self, sk: &str, index_sk: &str) -> Item {
        with_index_key(self.item(sk), &self.index_key(index_sk))
    }

    /// The key with this sort key in the partition of the index.
    pub(super) fn index_key(&self, sk: &str) -> IndexKey {
        IndexKey::new(self.index_partition(), sort_key(sk))
    }

    /// A client token of this behavior alone: DynamoDB remembers tokens for the whole account.
    pub(super) fn token(&self, which: &str) -> ClientToken {
        let text = format!("{}#{which}", self.partition().as_str());
        ClientToken::new(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).to_string()).unwrap()
    }
}

/// The sort key with this text.
pub(super) fn sort_key(text: &str) -> SortKey {
    SortKey::parse(text).unwrap()
}

/// An item with this key and no other attribute.
pub(super) fn item_at(key: &Key) -> Item {
    let mut item = Item::new();
    item.insert(PK, s(key.pk.as_str()));
    item.insert(SK, s(key.sk.as_str()));
    item
}

/// The item with this place in the index.
pub(super) fn with_index_key(mut item: Item, key: &IndexKey) -> Item {
    item.insert(GSI1PK, s(key.pk.as_str()));
    item.insert(GSI1SK, s(key.sk.as_str()));
    item
}
