//! Keys: how they are built from validated segments, and the attributes that hold them.
//!
//! A key is a row of segments joined by `#`. No segment can hold `#`, a control character or nothing at all, each has a
//! greatest length, and there are at most four of them, so that building a key cannot fail, cannot be forged and cannot go
//! over DynamoDB's 2048 and 1024 bytes.

use std::fmt;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::tag::{OURS, Tag};

/// The attribute that holds the partition key.
pub const PK: &str = "pk";
/// The attribute that holds the sort key.
pub const SK: &str = "sk";
/// The name of the index, whose projection is ALL and which is sparse: an item without its keys is not in it.
pub const GSI1: &str = "gsi1";
/// The attribute that holds the index's partition key.
pub const GSI1PK: &str = "gsi1pk";
/// The attribute that holds the index's sort key.
pub const GSI1SK: &str = "gsi1sk";
/// The attribute that names an item's entity.
pub const TYPE: &str = "type";
/// The attribute that holds the time at which an item expires, in epoch seconds.
pub const EXPIRES_AT: &str = "expires_at";

/// The most bytes that a partition key may have ([DynamoDB's limit][limits]).
///
/// [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
pub const MAX_PARTITION_KEY_BYTES: usize = 2048;
/// The most bytes that a sort key may have ([DynamoDB's limit][limits]).
///
/// [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
pub const MAX_SORT_KEY_BYTES: usize = 1024;

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What may stand between the `#`s of a key: [`Tag`], the ids, [`Timestamp`](crate::Timestamp),
/// [`FoldedHandle`](crate::entity::FoldedHandle), [`IdentitySubject`](crate::IdentitySubject) and, for an application's own text,
/// [`KeySegment`](crate::entity::KeySegment). Sealed: whatever implements it has been validated.
pub trait Segment: sealed::Sealed {
    /// Appends the segment's text.
    #[doc(hidden)]
    fn append_to(&self, key: &mut String);
}

/// Makes a validated type a segment, by the expression that appends its text.
macro_rules! segment {
    ($($type:ty => |$value:ident, $key:ident| $append:expr;)*) => {$(
        impl $crate::key::sealed::Sealed for $type {}

        impl $crate::key::Segment for $type {
            fn append_to(&self, $key: &mut String) {
                let $value = self;
                $append
            }
        }
    )*};
}
pub(crate) use segment;

segment! {
    Tag => |tag, key| key.push_str(tag.as_str());
    Uuid => |id, key| key.push_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}

impl<S: Segment + ?Sized> sealed::Sealed for &S {}

impl<S: Segment + ?Sized> Segment for &S {
    fn append_to(&self, key: &mut String) {
        (**self).append_to(key);
    }
}

/// One to four segments, as a tuple: what a key is built from.
///
/// Encoding is injective: two rows of segments give the same text only if they are the same segments.
pub trait Segments: sealed::Sealed {
    /// The segments, joined by `#`.
    #[doc(hidden)]
    fn join(&self) -> String;
}

macro_rules! segments {
    ($($first:ident $($rest:ident)*;)*) => {$(
        impl<$first: Segment, $($rest: Segment),*> sealed::Sealed for ($first, $($rest,)*) {}

        impl<$first: Segment, $($rest: Segment),*> Segments for ($first, $($rest,)*) {
            fn join(&self) -> String {
                #[allow(non_snake_case)]
                let ($first, $($rest,)*) = self;
                let mut key = String::with_capacity(80);
                $first.append_to(&mut key);
                $(
                    key.push('#');
                    $rest.append_to(&mut key);
                )*
                key
            }
        }
    )*};
}

segments! {
    A;
    A B;
    A B C;
    A B C D;
}

/// Defines a newtype of key text. `Debug` prints the shape of the key, with `…` for each value.
macro_rules! key_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal, $most:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The key made of these segments.
            pub fn new(segments: impl Segments) -> Self {
                Self(segments.join())
            }

            /// Reads a key back from its text, which may be any that DynamoDB stores: other programs have keys of their own.
            /// To build a key, use [`new`](Self::new), which no value can forge.
            ///
            /// # Errors
            /// [`Invalid`](crate::ErrorKind::Invalid) for text that is empty or too long.
            pub fn parse(text: impl Into<String>) -> Result<Self> {
                let text = text.into();
                Self::check(&text)?;
                Ok(Self(text))
            }

            /// Checks that [`parse`](Self::parse) takes the text.
            pub(crate) fn check(text: &str) -> Result<()> {
                check_key($what, $most, text)
            }

            /// The text of the key.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&shape(&self.0))
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.0
            }
        }
    };
}

key_newtype! {
    /// A partition key, of the table or of the index: at most 2048 bytes. `Debug` shows its shape, never its values.
    ///
    /// ```
    /// use threadline::entity::{PartitionKey, tag};
    /// use threadline::UserId;
    ///
    /// let user: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// let key = PartitionKey::new((tag!("USER"), user));
    /// assert_eq!(key.as_str(), "USER#6513270e-269e-4d37-b2a7-4de452e6b438");
    /// assert_eq!(format!("{key:?}"), "USER#…");
    /// # Ok::<(), threadline::Error>(())
    /// ```
    PartitionKey, "a partition key", MAX_PARTITION_KEY_BYTES
}

key_newtype! {
    /// A sort key, of the table or of the index: at most 1024 bytes. `Debug` shows its shape, never its values.
    SortKey, "a sort key", MAX_SORT_KEY_BYTES
}

/// The leading segments of a sort key, with the `#` behind them, for `begins_with`. It matches the keys that start with these
/// very segments and no others: `USER#1#` does not match `USER#10`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SortKeyPrefix(String);

impl SortKeyPrefix {
    /// The prefix made of these segments.
    pub fn new(segments: impl Segments) -> Self {
        let mut text = segments.join();
        text.push('#');
        Self(text)
    }

    /// The text of the prefix, which ends with `#`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SortKeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shape(&self.0))
    }
}

/// An item's primary key. `Debug` shows its shape, never its values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: PartitionKey,
    /// The sort key.
    pub sk: SortKey,
}

impl Key {
    /// The key made of these two.
    pub fn new(pk: PartitionKey, sk: SortKey) -> Self {
        Self { pk, sk }
    }

    /// The bytes of the attributes that hold it.
    pub(crate) fn size(&self) -> usize {
        PK.len() + self.pk.as_str().len() + SK.len() + self.sk.as_str().len()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} / {:?}", self.pk, self.sk)
    }
}

/// An item's place in the index. `Debug` shows its shape, never its values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexKey {
    /// The index's partition key.
    pub pk: PartitionKey,
    /// The index's sort key.
    pub sk: SortKey,
}

impl IndexKey {
    /// The key made of these two.
    pub fn new(pk: PartitionKey, sk: SortKey) -> Self {
        Self { pk, sk }
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} / {:?}", self.pk, self.sk)
    }
}

/// Checks what DynamoDB does: other programs write keys that no segments make.
fn check_key(what: &'static str, most: usize, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > most {
        return Err(Error::invalid(format!("{what} may have 1 to {most} bytes, and this has {}", text.len())));
    }
    Ok(())
}

/// The shape of a key: its tag, where it is one of this crate's, and `…` for each other segment.
pub(crate) fn shape(key: &str) -> String {
    let mut segments = key.split('#');
    let first = segments.next().unwrap_or_default();
    let mut shape = String::from(if OURS.iter().any(|tag| tag.as_str() == first) { first } else { "…" });
    for _ in segments {
        shape.push_str("#…");
    }
    shape
}
