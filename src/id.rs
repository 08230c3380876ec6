//! The ids of users, conversations and messages, which are UUID newtypes, and the sources of new ids.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use crate::error::{Error, Result};
use crate::key::segment;
use crate::time::Timestamp;

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Creates an id from any UUID, without validation.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Returns the id as a UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// Parses the stored form only. A UUID has other text forms, which no key contains.
            pub(crate) fn parse_stored(text: &str) -> Result<Self> {
                let id: Self = text.parse()?;
                if id.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text {
                    Ok(id)
                } else {
                    Err(Error::invalid(concat!("a stored ", stringify!($name), " must be in lower case with hyphens")))
                }
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| Error::invalid(concat!("a ", stringify!($name), " must be a UUID")))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

uuid_newtype! {
    /// The id of a [`User`](crate::User). It may be any UUID, for example the user's id in another database, or one
    /// from [`Threadline::new_user_id`](crate::Threadline::new_user_id).
    UserId
}

uuid_newtype! {
    /// The id of a conversation, which is stored as a [`MessageGroup`](crate::MessageGroup).
    ///
    /// The id of a new group is a UUIDv7. [`GroupId::direct`] derives the id of a new direct conversation from the ids
    /// of its two members. An imported conversation keeps its id, which may be a UUID of any version except 5.
    GroupId
}

uuid_newtype! {
    /// The id of a [`Message`](crate::Message). The id of a new message is a UUIDv7, which contains the time when the
    /// message was sent. An imported message may have any UUID.
    ///
    /// The time and the id are the message's [position](crate::MessagePosition) in the thread, and its sort key. A
    /// retry with the same id and time therefore finds the stored message. Create ids on the server, with
    /// [`Threadline::new_message_id`](crate::Threadline::new_message_id), not on devices.
    MessageId
}

segment! {
    UserId => |id, key| id.0.append_to(key);
    GroupId => |id, key| id.0.append_to(key);
    MessageId => |id, key| id.0.append_to(key);
}

/// The namespace of the ids of direct conversations: a random UUID that never changes.
const DIRECT: Uuid = Uuid::from_u128(0x7b1f_3a52_90c4_4d6e_8a5e_2f0d_c61b_7e93);

impl GroupId {
    /// Returns the id of the direct conversation of two users: a UUIDv5 of the sorted pair of their ids.
    ///
    /// Both orders of the two users give the same id.
    ///
    /// ```
    /// use threadline::{GroupId, UserId};
    ///
    /// let andrew: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// let bayko: UserId = "9531985d-5d9d-49f8-9818-e811892f902b".parse()?;
    /// assert_eq!(GroupId::direct(andrew, bayko), GroupId::direct(bayko, andrew));
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn direct(one: UserId, other: UserId) -> Self {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        let mut pair = [0; 32];
        pair[..16].copy_from_slice(low.0.as_bytes());
        pair[16..].copy_from_slice(high.0.as_bytes());
        Self(Uuid::new_v5(&DIRECT, &pair))
    }
}

impl MessageId {
    /// Returns the time that this id contains, to the millisecond. Returns `None` if the id is not a UUIDv7.
    pub fn time(&self) -> Option<Timestamp> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))?;
        Timestamp::from_unix_millis(millis).ok()
    }
}

/// A source of new ids, with which this crate creates every new id.
///
/// Each id of a source must be a UUIDv7 that differs from all earlier ids.
pub trait IdSource: fmt::Debug + Send + Sync {
    /// Returns a new UUIDv7 that contains the time `now`.
    ///
    /// If the clock has moved back, the id may contain a time that is up to 1 s later than `now`. Ids then still sort
    /// in the order of their creation.
    fn next(&self, now: Timestamp) -> Uuid;
}

impl<I: IdSource + ?Sized> IdSource for std::sync::Arc<I> {
    fn next(&self, now: Timestamp) -> Uuid {
        (**self).next(now)
    }
}

/// A source of random UUIDv7 ids, from the system's random numbers.
///
/// The ids of one source sort in the order of their creation, also within a millisecond. This order remains if the
/// clock moves back by up to 1 s. If the clock moves back further, new ids contain the clock's new time, so they sort
/// before earlier ids. In this way, a clock that was once wrong does not make all later ids wrong.
#[derive(Debug)]
pub struct RandomIds {
    latest: Mutex<Latest>,
}

/// The latest time of an id, in milliseconds, and the state that orders the ids within it.
#[derive(Debug)]
struct Latest {
    millis: u64,
    context: ContextV7,
}

/// The largest step back of the clock that keeps ids in the order of their creation, in milliseconds.
const SMALL_STEP_MILLIS: u64 = 1000;

impl RandomIds {
    /// Creates a source of random ids.
    pub fn new() -> Self {
        Self { latest: Mutex::new(Latest { millis: 0, context: ContextV7::new() }) }
    }
}

impl Default for RandomIds {
    fn default() -> Self {
        Self::new()
    }
}

impl IdSource for RandomIds {
    fn next(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.unix_millis()).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        let mut latest = self.latest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if millis.saturating_add(SMALL_STEP_MILLIS) < latest.millis {
            *latest = Latest { millis, context: ContextV7::new() };
        }
        latest.millis = latest.millis.max(millis);
        Uuid::new_v7(uuid::Timestamp::from_unix(&latest.context, millis / 1000, nanos))
    }
}

/// A source of UUIDv7 ids that count up from a seed. An id also contains the time at which it is made. With the same
/// seed and a [`ManualClock`](crate::ManualClock), every run of a test gets the same ids.
#[derive(Debug)]
pub struct SequentialIds {
    next: Mutex<u64>,
}

impl SequentialIds {
    /// Creates a source whose ids count up from this seed.
    ///
    /// The seed determines the first id. Sources with different seeds below 2^30 share no id among their first 2^32
    /// ids.
    pub fn seeded(seed: u32) -> Self {
        Self { next: Mutex::new(u64::from(seed) << 32) }
    }
}

impl IdSource for SequentialIds {
    fn next(&self, now: Timestamp) -> Uuid {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut random = [0; 10];
        // The version overwrites bits of the first two bytes, so the counter fills the other eight.
        random[2..].copy_from_slice(&next.to_be_bytes());
        *next = next.wrapping_add(1);
        let millis = u64::try_from(now.unix_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
