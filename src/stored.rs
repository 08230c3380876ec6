//! The [`Entity`] trait: a type with a name, a key from borrowed parts, and perhaps an index key.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::item::{self, Item};
use crate::key::{EXPIRES_AT, GSI1PK, GSI1SK, IndexKey, Key, PK, SK, TYPE};
use crate::time::Timestamp;

/// A type whose values are items of the table. Implement it to store an application's own entities on every store.
///
/// [`serde`] turns the fields into attributes. The methods below add the keys, `type` and `expires_at`, so no field
/// needs to repeat them. A field may still read `pk` or `sk`. To omit an `Option` field that is `None`, use
/// `#[serde(skip_serializing_if = "Option::is_none")]`.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use threadline::entity::{Entity, Key, PartitionKey, SortKey, tag};
/// use threadline::{MessageId, UserId};
///
/// /// One person's reaction to one message.
/// #[derive(Serialize, Deserialize)]
/// struct Reaction {
///     message_id: MessageId,
///     user_id: UserId,
///     emoji: String,
/// }
///
/// impl Entity for Reaction {
///     const TYPE: &'static str = "Reaction";
///     type KeyParts<'a> = (MessageId, UserId);
///
///     fn key_from((message, user): (MessageId, UserId)) -> Key {
///         Key::new(PartitionKey::new((tag!("REACTION"), message)), SortKey::new((tag!("USER"), user)))
///     }
///
///     fn key_parts(&self) -> (MessageId, UserId) {
///         (self.message_id, self.user_id)
///     }
/// }
/// ```
///
/// Any type with serde's `Serialize` and `Deserialize` is [`Stored`], so this is all that an entity needs. This crate's
/// own entities have a faster codec.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "not an entity",
    note = "implement `threadline::entity::Entity`, which defines the item's type and key"
)]
pub trait Entity: Stored {
    /// The value of the `type` attribute.
    const TYPE: &'static str;

    /// The parts of the primary key. Texts are borrowed.
    type KeyParts<'a>
    where
        Self: 'a;

    /// Returns the primary key of the entity with these parts.
    fn key_from(parts: Self::KeyParts<'_>) -> Key;

    /// Returns the parts of the value's key.
    fn key_parts(&self) -> Self::KeyParts<'_>;

    /// Returns the value's primary key.
    fn key(&self) -> Key {
        Self::key_from(self.key_parts())
    }

    /// Returns the value's index key, or `None` for a value outside the index. Default: `None`.
    fn index_key(&self) -> Option<IndexKey> {
        None
    }

    /// Returns the time when the value expires, if any. Default: `None`.
    ///
    /// After that time, no read returns the item, and DynamoDB may delete it. The time is stored in whole seconds,
    /// rounded down.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    /// Returns the item that stores the value.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the fields do not serialize to attributes.
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

    /// Reads the value from its item. An item without a `type` is read as this entity, because Cruddur's items have
    /// none.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the item has another type, or if an attribute is missing or invalid.
    /// The error names the entity, the shape of the key and the attribute, never the content.
    fn from_item(item: Item) -> Result<Self> {
        match item.get(TYPE) {
            Some(found) if item.get_s(TYPE) != Some(Self::TYPE) => Err(item::of_another_type(&item, found, Self::TYPE)),
            _ => Self::read(item, Self::TYPE),
        }
    }
}

/// A type that converts to and from attributes: any with serde's `Serialize` and `Deserialize`, and this crate's
/// entities.
///
/// This crate's entities do not implement `Deserialize`. So an application cannot mistake a client's data for a
/// membership that was read from the table.
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
    /// Reads the value from the item's attributes.
    #[doc(hidden)]
    fn read(item: Item, entity: &'static str) -> Result<Self>;

    /// Returns the value's attributes, without those of the key.
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
