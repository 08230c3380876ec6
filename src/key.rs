//! Keys, which are built from validated segments, and the names of the attributes that contain them.
//!
//! A key is one to four segments joined by `#`. A segment is never empty and contains neither `#` nor a control
//! character. Each segment has a maximum length. So building a key cannot fail, and no value can forge a key. DynamoDB
//! limits a partition key to 2,048 bytes and a sort key to 1,024 bytes. No key that is built from segments exceeds
//! these limits.

use std::fmt;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::tag::{OURS, Tag};

/// The name of the attribute that contains an item's partition key.
pub const PK: &str = "pk";
/// The name of the attribute that contains an item's sort key.
pub const SK: &str = "sk";
/// The name of the table's one global secondary index. The index contains exactly the items that have both [`GSI1PK`]
/// and [`GSI1SK`]. It contains all attributes of these items.
pub const GSI1: &str = "gsi1";
/// The name of the attribute that contains an item's partition key in the index.
pub const GSI1PK: &str = "gsi1pk";
/// The name of the attribute that contains an item's sort key in the index.
pub const GSI1SK: &str = "gsi1sk";
/// The name of an attribute of each item. Its value names the item's entity, as in
/// [`Entity::TYPE`](crate::entity::Entity::TYPE).
pub const TYPE: &str = "type";
/// The name of the attribute that contains the time at which an item expires, in epoch seconds.
pub const EXPIRES_AT: &str = "expires_at";

/// The maximum size of a partition key, in bytes ([DynamoDB's limit][limits]).
///
/// [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
pub const MAX_PARTITION_KEY_BYTES: usize = 2048;
/// The maximum size of a sort key, in bytes ([DynamoDB's limit][limits]).
///
/// [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
pub const MAX_SORT_KEY_BYTES: usize = 1024;

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A validated part of a key. The character `#` separates the parts.
///
/// These types are segments: [`Tag`], [`Timestamp`](crate::Timestamp), [`FoldedHandle`](crate::entity::FoldedHandle),
/// [`IdentitySubject`](crate::IdentitySubject), [`Uuid`], and the ids, such as [`UserId`](crate::UserId). An
/// application converts its own text to a [`KeySegment`](crate::entity::KeySegment). The trait is sealed, so every
/// segment has been validated.
///
/// ```
/// use threadline::entity::{KeySegment, SortKey, tag};
///
/// let sk = SortKey::new((tag!("CITY"), KeySegment::new("Babylon 5")?));
/// assert_eq!(sk.as_str(), "CITY#Babylon 5");
/// # Ok::<(), threadline::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key segment",
    label = "not a validated key segment",
    note = "for a constant, use `tag!(\"...\")`",
    note = "for text, use `KeySegment::new(text)?`"
)]
pub trait Segment: sealed::Sealed {
    /// Appends the segment's text.
    #[doc(hidden)]
    fn append_to(&self, key: &mut String);
}

/// Implements [`Segment`] for validated types, with the expression that appends the text.
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

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of one to four key segments",
    label = "expected a tuple of key segments",
    note = "a tuple of one segment ends with a comma: `(tag!(\"USER\"),)`",
    note = "for a constant, use `tag!(\"...\")`; for text, use `KeySegment::new(text)?`"
)]
/// One to four segments of a key, as a tuple, such as `(tag!("USER"), user_id)`.
///
/// Two tuples whose segments have different texts never produce the same key.
pub trait Segments: sealed::Sealed {
    /// Returns the segments, joined by `#`.
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

/// Defines a newtype for a key's text. `Debug` prints the shape of the key, with `…` for each value.
macro_rules! key_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Creates the key from these segments, joined by `#`.
            pub fn new(segments: impl Segments) -> Self {
                Self(segments.join())
            }

            /// Creates the key from any text that DynamoDB accepts, for example the key of an item that another program
            /// wrote.
            ///
            /// Build your own keys with [`new`](Self::new) instead. It accepts validated segments only, so a value
            /// cannot add a segment to the key.
            ///
            /// # Errors
            /// [`Invalid`](crate::ErrorKind::Invalid) if the text is empty or longer than DynamoDB allows.
            pub fn parse(text: impl Into<String>) -> Result<Self> {
                let text = text.into();
                Self::check(&text)?;
                Ok(Self(text))
            }

            /// Checks that [`parse`](Self::parse) accepts the text.
            pub(crate) fn check(text: &str) -> Result<()> {
                check_key($what, $max, text)
            }

            /// Returns the text of the key.
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
    /// A partition key in the table or in the index, of at most 2,048 bytes. `Debug` shows its shape, such as `USER#…`,
    /// never its values.
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
    PartitionKey, "partition key", MAX_PARTITION_KEY_BYTES
}

key_newtype! {
    /// A sort key in the table or in the index, of at most 1,024 bytes. `Debug` shows its shape, such as `USER#…`,
    /// never its values.
    ///
    /// ```
    /// use threadline::UserId;
    /// use threadline::entity::{SortKey, tag};
    ///
    /// let user: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// let key = SortKey::new((tag!("USER"), user));
    /// assert_eq!(key.as_str(), "USER#6513270e-269e-4d37-b2a7-4de452e6b438");
    /// # Ok::<(), threadline::Error>(())
    /// ```
    SortKey, "sort key", MAX_SORT_KEY_BYTES
}

/// The first segments of a sort key. A [range](crate::store::SortRange::BeginsWith) with this prefix contains all sort
/// keys that begin with these segments.
///
/// The text of the prefix ends with `#`, so it matches whole segments only. For example, `USER#1#` does not match
/// `USER#10#A`.
///
/// ```
/// use threadline::entity::{SortKeyPrefix, tag};
///
/// let members = SortKeyPrefix::new((tag!("USER"),));
/// assert_eq!(members.as_str(), "USER#");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SortKeyPrefix(String);

impl SortKeyPrefix {
    /// Creates the prefix from these segments, each followed by `#`.
    pub fn new(segments: impl Segments) -> Self {
        let mut text = segments.join();
        text.push('#');
        Self(text)
    }

    /// Returns the text of the prefix, which ends with `#`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SortKeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shape(&self.0))
    }
}

/// The primary key of an item: its partition key and its sort key in the table. `Debug` shows the shape of the key,
/// such as `GRP#… / USER#…`, never its values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition key in the table.
    pub pk: PartitionKey,
    /// The sort key in the table.
    pub sk: SortKey,
}

impl Key {
    /// Creates a primary key from a partition key and a sort key.
    pub fn new(pk: PartitionKey, sk: SortKey) -> Self {
        Self { pk, sk }
    }

    /// Returns the size of the key's two attributes, in bytes.
    pub(crate) fn size(&self) -> usize {
        PK.len() + self.pk.as_str().len() + SK.len() + self.sk.as_str().len()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} / {:?}", self.pk, self.sk)
    }
}

/// The key of an item in the index `gsi1`. `Debug` shows the shape of the key, such as `USER#… / GRP#…`, never its
/// values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexKey {
    /// The partition key in the index.
    pub pk: PartitionKey,
    /// The sort key in the index.
    pub sk: SortKey,
}

impl IndexKey {
    /// Creates an index key from a partition key and a sort key.
    pub fn new(pk: PartitionKey, sk: SortKey) -> Self {
        Self { pk, sk }
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} / {:?}", self.pk, self.sk)
    }
}

/// Checks DynamoDB's limits only, because other programs may write keys that no segments produce.
fn check_key(what: &'static str, max: usize, text: &str) -> Result<()> {
    match text.len() {
        0 => Err(Error::invalid(format!("{what} is empty"))),
        bytes if bytes > max => Err(Error::invalid(format!("{what} is {bytes} bytes; the limit is {max}"))),
        _ => Ok(()),
    }
}

/// Returns the shape of a key: its tag, if it is one of this crate's, and `…` for each other segment.
pub(crate) fn shape(key: &str) -> String {
    let mut segments = key.split('#');
    let first = segments.next().unwrap_or_default();
    let mut shape = String::from(if OURS.iter().any(|tag| tag.as_str() == first) { first } else { "…" });
    for _ in segments {
        shape.push_str("#…");
    }
    shape
}
