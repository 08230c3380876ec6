#![doc = include_str!("docs/guide.md")]
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

#[cfg(any(doc, doctest))]
#[doc = include_str!("docs/errors.md")]
pub mod errors {}

/// Private parts for the test kit. They may change in any version.
#[doc(hidden)]
pub mod __private {
    use crate::model::{Membership, Message, MessagePosition};
    pub use crate::store::memory::numbers::Numbers;

    /// Returns the position and the revision of the message that the inbox entry shows.
    pub fn shown(entry: &Membership) -> Option<(MessagePosition, u32)> {
        entry.shown()
    }

    /// Returns `true` if the inbox entry shows exactly this newest message, or none if there is none.
    pub fn shows(entry: &Membership, newest: Option<&Message>) -> bool {
        entry.shows(newest)
    }
}

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
