#![doc = include_str!("docs/guide.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![deny(clippy::disallowed_methods)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::todo, clippy::unimplemented)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

#[cfg(feature = "dynamodb")]
mod aws;
mod capacity;
mod entity;
mod error;
mod id;
mod item;
mod key;
mod model;
mod patterns;
mod request;
mod tag;
mod text;
mod time;

pub mod card;
pub mod registry;
pub mod store;
pub mod stream;
pub mod table;

pub use capacity::{Capacity, Consistency, IndexChange, Units, index_write_units, read_units, write_units};
pub use entity::{Entity, Stored};
pub use error::{Error, ErrorKind, Outcome, Recovery, Result, ServiceError};
pub use id::{GroupId, IdSource, MessageId, RandomIds, SequentialIds, UserId};
pub use item::{Item, Value};
pub use key::{
    EXPIRES_AT, GSI1, GSI1PK, GSI1SK, IndexKey, Key, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, PK, PartitionKey, SK,
    Segment, Segments, SortKey, SortKeyPrefix, TYPE,
};
pub use model::{
    Conversation, HandleClaim, IdentityClaim, KnownKey, Membership, Message, MessageGroup, MessageKey, MessagePosition,
    Profile, User,
};
pub use patterns::{
    Cursor, Draft, ImportedDirect, InboxRequest, MAX_INITIAL_MEMBERS, MAX_MEMBERS, MAX_PAGE_ITEMS, MAX_UNREAD, Member,
    MessagesRequest, NewGroup, NewUser, Page, SendWindow, Thread, Threadline, Unread, UserChange,
};
pub use request::*;
pub use serde_dynamo::AttributeValue;
#[cfg(feature = "dynamodb")]
pub use store::dynamodb::DynamoDbStore;
pub use store::memory::MemoryStore;
pub use store::{Store, StoreExt};
pub use table::TableSpec;
pub use tag::Tag;
pub use text::{DisplayName, FoldedHandle, GroupTitle, Handle, IdentitySubject, KeySegment, MessageBody, Preview};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};

#[cfg(any(doc, doctest))]
#[doc = include_str!("docs/errors.md")]
pub mod errors {}

/// The private parts that the test kit uses. They may change in any version.
#[doc(hidden)]
pub mod __private {
    use crate::model::{Membership, Message, MessagePosition};
    pub use crate::store::memory::numbers::Numbers;

    /// Returns the newest message that the inbox entry knows of, and its revision.
    pub fn shown(entry: &Membership) -> Option<(MessagePosition, u32)> {
        entry.shown()
    }

    /// Returns `true` if the inbox entry shows the message as it is, or that there is none.
    pub fn shows(entry: &Membership, newest: Option<&Message>) -> bool {
        entry.shows(newest)
    }
}

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
