//! The [`Entity`] trait: a type with a name, a key that is built from its parts, and perhaps a key in the index.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::AttributeValue;

use crate::error::Result;
use crate::item::{self, Item};
use crate::key::{EXPIRES_AT, GSI1PK, GSI1SK, IndexKey, Key, PK, SK, TYPE};
use crate::time::Timestamp;

/// A type whose values are stored as items of the table. Implement the trait to store your own entities with any
/// [`Store`](crate::store::Store).
///
/// [`serde`] turns the fields into attributes. [`to_item`](Self::to_item) adds the keys, `type` and `expires_at`, so no
/// field needs to repeat them. A field named `pk` or `sk` receives the text of that key when the item is read. To omit
/// an `Option` field that is `None`, use `#[serde(skip_serializing_if = "Option::is_none")]`.
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
/// Every type that implements serde's `Serialize` and `Deserialize` also implements [`Stored`], so an entity needs
/// nothing else. This crate's own entities have a faster codec.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "not an entity",
    note = "implement `threadline::entity::Entity`, which defines the item's type and key"
)]
pub trait Entity: Stored {
    /// The name of the entity, which is the value of the `type` attribute of its items.
    const TYPE: &'static str;

    /// The values from which the primary key is built, such as ids. They may borrow texts from the entity.
    type KeyParts<'a>
    where
        Self: 'a;

    /// Returns the primary key that is built from these parts.
    fn key_from(parts: Self::KeyParts<'_>) -> Key;

    /// Returns the parts from which the primary key of this value is built.
    fn key_parts(&self) -> Self::KeyParts<'_>;

    /// Returns the primary key of this value.
    fn key(&self) -> Key {
        Self::key_from(self.key_parts())
    }

    /// Returns the key of this value in the index `gsi1`. Default: `None`, and the value is not in the index.
    fn index_key(&self) -> Option<IndexKey> {
        None
    }

    /// Returns the time at which this value expires, or `None` if it never expires. Default: `None`.
    ///
    /// From that time on, no read of a [`Store`](crate::store::Store) returns the value, and DynamoDB may delete its
    /// item. The item contains the time in whole seconds, rounded down.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    /// Returns the item that stores this value, with its keys.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if serde cannot turn the fields into attributes.
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

    /// Returns the value that this item stores.
    ///
    /// Accepts an item without the attribute `type` too. The items of [Cruddur](crate::guide::from_cruddur) have no
    /// `type`. Cruddur is the application whose table this crate imports.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the item has the `type` of another entity, or if an attribute is
    /// missing or invalid. The error names the entity, the attribute and the shape of the key, never the content.
    fn from_item(item: Item) -> Result<Self> {
        match item.get(TYPE) {
            Some(AttributeValue::S(name)) if name == Self::TYPE => Self::read(item, Self::TYPE),
            Some(found) => Err(item::of_another_type(&item, found, Self::TYPE)),
            None => Self::read(item, Self::TYPE),
        }
    }
}

/// A type whose values convert to and from the attributes of an item. All types that implement serde's `Serialize` and
/// `Deserialize` implement this trait, and so do this crate's entities.
///
/// This crate's entities do not implement `Deserialize`. So an application cannot mistake data from a client for an
/// entity that was read from the table, such as a membership.
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
