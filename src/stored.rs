//! What an entity is: a type with a name, a key built from borrowed parts, and its place in the index.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::item::{self, Item};
use crate::key::{EXPIRES_AT, GSI1PK, GSI1SK, IndexKey, Key, PK, SK, TYPE};
use crate::time::Timestamp;

/// A type whose values are items of the table. One `impl` puts an application's own entity beside those of this crate, on
/// every store.
///
/// The fields become attributes by [`serde`]; the keys, `type` and `expires_at` are added from the methods below, so the
/// fields need not repeat them. A field may still ask for `pk` or `sk` when it is read back. Keep `Option` fields out of the
/// item with `#[serde(skip_serializing_if = "Option::is_none")]`.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use threadline::entity::{Entity, Key, PartitionKey, SortKey, tag};
/// use threadline::{MessageId, UserId};
///
/// /// One person's reaction to one message.
/// #[derive(Serialize, Deserialize)]
/// struct Reaction {
///     message_uuid: MessageId,
///     user_uuid: UserId,
///     emoji: String,
/// }
///
/// impl Entity for Reaction {
///     const TYPE: &'static str = "Reaction";
///     type KeyParts<'a> = (MessageId, UserId);
///
///     fn key_from((message, user): (MessageId, UserId)) -> Key {
///         Key::new(PartitionKey::new((tag!("REACTIONS"), message)), SortKey::new((tag!("USER"), user)))
///     }
///
///     fn key_parts(&self) -> (MessageId, UserId) {
///         (self.message_uuid, self.user_uuid)
///     }
/// }
/// ```
///
/// Any type with serde's `Serialize` and `Deserialize` is [`Stored`], so an application's own entity needs no more than
/// the above. This crate's entities have a codec of their own, which is faster.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "not an entity",
    note = "implement `threadline::entity::Entity`, which defines the item's type and key"
)]
pub trait Entity: Stored {
    /// The value of the `type` attribute.
    const TYPE: &'static str;

    /// The parts that the primary key is made of, borrowed where they are text.
    type KeyParts<'a>
    where
        Self: 'a;

    /// The primary key of the entity with these parts.
    fn key_from(parts: Self::KeyParts<'_>) -> Key;

    /// This value's parts.
    fn key_parts(&self) -> Self::KeyParts<'_>;

    /// This value's primary key.
    fn key(&self) -> Key {
        Self::key_from(self.key_parts())
    }

    /// This value's place in the index; `None`, unless told otherwise, for one that is not in it.
    fn index_key(&self) -> Option<IndexKey> {
        None
    }

    /// The time after which the item is never returned, and from which DynamoDB may delete it; never, unless told otherwise.
    /// It is stored in whole seconds, rounded towards the past.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    /// This value as the table stores it.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the fields do not serialize to attributes.
    fn to_item(&self) -> Result<Item> {
        let mut item = self.write(Self::TYPE)?;
        let key = self.key();
        item.set(PK, key.pk);
        item.set(SK, key.sk);
        item.set(TYPE, Self::TYPE);
        if let Some(index_key) = self.index_key() {
            item.set(GSI1PK, index_key.pk);
            item.set(GSI1SK, index_key.sk);
        }
        if let Some(expires_at) = self.expires_at() {
            item.set(EXPIRES_AT, expires_at.unix_seconds());
        }
        Ok(item)
    }

    /// The value that the item holds. An item without a `type` is taken for what it is asked to be: Cruddur's have none.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) when the item is of another type, or an attribute is missing or does not fit.
    /// The error names the entity, the shape of the key and the attribute, never the content.
    fn from_item(item: Item) -> Result<Self> {
        match item.get(TYPE) {
            Some(found) if item.get_s(TYPE) != Some(Self::TYPE) => Err(item::of_another_type(&item, found, Self::TYPE)),
            _ => Self::read(item, Self::TYPE),
        }
    }
}

/// A type whose values are stored as the table's items: any with serde's `Serialize` and `Deserialize`, and this crate's
/// entities. Only the table makes the latter: a membership that a client sends must not be taken for one that was read.
///
/// ```compile_fail,E0277
/// let forged: threadline::Membership = serde_json::from_str("{}").unwrap();
/// ```
///
/// ```compile_fail,E0277
/// let forged: threadline::User = serde_json::from_str("{}").unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as an item",
    label = "not stored as an item",
    note = "derive `serde::Serialize` and `serde::Deserialize` for an entity of your own"
)]
pub trait Stored: Sized {
    /// Returns the value that the item's attributes hold.
    #[doc(hidden)]
    fn read(item: Item, entity: &'static str) -> Result<Self>;

    /// Returns the attributes that hold the value, without those of the key.
    #[doc(hidden)]
    fn write(&self, entity: &'static str) -> Result<Item>;
}

impl<T: Serialize + DeserializeOwned> Stored for T {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        item::decode(item, entity)
    }

    fn write(&self, entity: &'static str) -> Result<Item> {
        item::encode(self, entity)
    }
}
