//! Items, their keys and the [`Entity`] trait, for entities of your own.

pub use crate::item::{Item, Value};
pub use crate::key::{
    EXPIRES_AT, GSI1, GSI1PK, GSI1SK, IndexKey, Key, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, PK, PartitionKey, SK,
    Segment, Segments, SortKey, SortKeyPrefix, TYPE,
};
pub use crate::model::{HandleClaim, IdentityClaim, KnownKey, MessageKey};
pub use crate::stored::{Entity, Stored};
pub use crate::tag::{Tag, tag};
pub use crate::text::{FoldedHandle, KeySegment};
pub use serde_dynamo::AttributeValue;
