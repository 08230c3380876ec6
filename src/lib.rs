#![doc = include_str!("docs/crate.md")]
//!
#![doc = include_str!("../docs/single-table.svg")]
//!
#![doc = include_str!("docs/modules.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![deny(clippy::disallowed_methods)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::todo, clippy::unimplemented)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

#[cfg(feature = "dynamodb")]
mod aws;
mod capacity;
mod error;
mod id;
mod item;
mod key;
mod model;
mod patterns;
mod request;
mod stored;
mod tag;
mod telemetry;
mod text;
mod time;

pub mod card;
pub mod entity;
pub mod store;
pub mod stream;
pub mod table;

pub use error::{Error, ErrorKind, Outcome, Recovery, Result};
pub use id::{GroupId, IdSource, MessageId, RandomIds, SequentialIds, UserId};
pub use model::{Membership, Message, MessageGroup, MessagePosition, Profile, User};
pub use patterns::{
    Cursor, Draft, ImportedDirect, InboxRequest, Member, MessagesRequest, NewGroup, NewUser, Page, SendWindow, Thread,
    Threadline, Unread, UserChange,
};
#[cfg(feature = "dynamodb")]
pub use store::dynamodb::DynamoDbStore;
pub use store::memory::MemoryStore;
pub use text::{DisplayName, GroupTitle, Handle, IdentitySubject, MessageBody, Preview};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use uuid;

// A repository's web page shows the same files. The first definition of a link counts, so `links.md` replaces the
// relative links at the end of each file.
#[cfg(any(doc, doctest))]
#[doc = include_str!("docs/links.md")]
#[doc = include_str!("../docs/README.md")]
pub mod guide {
    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/start.md")]
    // Its program on DynamoDB Local needs the feature.
    #[cfg(any(not(doctest), feature = "streams"))]
    pub mod start {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/concepts.md")]
    pub mod concepts {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/web.md")]
    pub mod web {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/entities.md")]
    pub mod entities {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/testing.md")]
    pub mod testing {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/costs.md")]
    pub mod costs {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/catalogue.md")]
    pub mod catalogue {}

    /// [`DynamoDbStore`]: crate::DynamoDbStore
    /// [`RetryPolicy`]: crate::store::dynamodb::RetryPolicy
    /// [`local_client`]: crate::store::dynamodb::local_client
    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/dynamodb.md")]
    #[cfg(feature = "dynamodb")]
    pub mod dynamodb {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/operating.md")]
    pub mod operating {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/security.md")]
    pub mod security {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/telemetry.md")]
    pub mod telemetry {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/errors.md")]
    pub mod errors {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/assurance.md")]
    pub mod assurance {}

    #[doc = include_str!("docs/links.md")]
    #[doc = include_str!("../docs/from-cruddur.md")]
    pub mod from_cruddur {}
}

/// Private parts for the crate `threadline-testkit`. They may change in any version.
#[doc(hidden)]
pub mod __private {
    use crate::model::{Membership, Message, MessagePosition};
    pub use crate::store::memory::numbers::Numbers;

    /// Returns the position and the revision of the message that the inbox entry shows.
    pub fn shown(entry: &Membership) -> Option<(MessagePosition, u32)> {
        entry.shown()
    }

    /// Returns `true` if the inbox entry shows exactly this message. For `None`, returns `true` if the entry shows no
    /// message.
    pub fn shows(entry: &Membership, newest: Option<&Message>) -> bool {
        entry.shows(newest)
    }
}

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
