//! The codec of this crate's own entities. Each field is one attribute, moved out of the item without serde.

use serde_dynamo::AttributeValue;

use super::codec::{corrupt, does_not_fit, key_texts};
use super::{Item, Value, type_of};
use crate::error::{Error, Result};
use crate::id::{GroupId, MessageId, UserId};
use crate::key::{Key, PK, SK};
use crate::text::{DisplayName, GroupTitle, Handle, IdentitySubject, KeySegment, MessageBody, Preview};
use crate::time::Timestamp;

/// A field of an entity that one attribute stores.
pub(crate) trait Field: Sized {
    /// Returns the field; `None` for an invalid value.
    fn read(value: AttributeValue) -> Option<Self>;
}

/// Implements [`Field`] and the conversion to [`Value`] for types that are stored as text, with the functions that read
/// and write the text.
macro_rules! text_fields {
    ($($type:ty: $read:expr, $write:expr;)*) => {$(
        impl $crate::item::Field for $type {
            fn read(value: serde_dynamo::AttributeValue) -> Option<Self> {
                let read: fn(String) -> $crate::error::Result<Self> = $read;
                match value {
                    serde_dynamo::AttributeValue::S(text) => read(text).ok(),
                    _ => None,
                }
            }
        }

        impl From<&$type> for $crate::item::Value {
            fn from(field: &$type) -> Self {
                let write: fn(&$type) -> String = $write;
                write(field).into()
            }
        }

        impl From<$type> for $crate::item::Value {
            fn from(field: $type) -> Self {
                (&field).into()
            }
        }
    )*};
}
pub(crate) use text_fields;

text_fields! {
    UserId: |text| text.parse(), |id| id.to_string();
    GroupId: |text| text.parse(), |id| id.to_string();
    MessageId: |text| text.parse(), |id| id.to_string();
    Timestamp: |text| text.parse(), |time| (*time).into();
    Handle: Self::stored, |handle| handle.as_str().to_owned();
    DisplayName: Self::stored, |name| name.as_str().to_owned();
    GroupTitle: Self::stored, |title| title.as_str().to_owned();
    IdentitySubject: Self::new, |subject| subject.as_str().to_owned();
    MessageBody: Self::new, |body| body.as_str().to_owned();
    KeySegment: Self::new, |segment| segment.as_str().to_owned();
    Preview: Self::new, |preview| preview.as_str().to_owned();
}

macro_rules! number_fields {
    ($($type:ty)*) => {$(
        impl Field for $type {
            fn read(value: AttributeValue) -> Option<Self> {
                match value {
                    AttributeValue::N(number) => number.parse().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

number_fields!(u32 u64 i64);

/// The fields of an entity that is read from an item. An error names the attribute, never its content.
pub(crate) struct Fields {
    item: Item,
    entity: &'static str,
}

impl Fields {
    pub(crate) fn new(item: Item, entity: &'static str) -> Self {
        Self { item, entity }
    }

    /// Takes a required field.
    pub(crate) fn required<F: Field>(&mut self, name: &'static str) -> Result<F> {
        match self.item.take(name) {
            Some(value) => self.read(name, value),
            None => Err(self.missing(name)),
        }
    }

    /// Takes a field that may be missing or NULL.
    pub(crate) fn optional<F: Field>(&mut self, name: &'static str) -> Result<Option<F>> {
        match self.item.take(name) {
            None | Some(AttributeValue::Null(true)) => Ok(None),
            Some(value) => self.read(name, value).map(Some),
        }
    }

    /// Takes a field. A missing field has its default value.
    pub(crate) fn or_default<F: Field + Default>(&mut self, name: &'static str) -> Result<F> {
        self.item.take(name).map_or_else(|| Ok(F::default()), |value| self.read(name, value))
    }

    /// Parses a key attribute. It stays in the item, because errors show the shape of the item's key.
    pub(crate) fn key<F>(&self, name: &'static str, parse: impl FnOnce(&str) -> Result<F>) -> Result<F> {
        match self.item.get(name) {
            Some(AttributeValue::S(text)) => parse(text).map_err(|_| self.invalid(name, "S")),
            Some(other) => Err(self.invalid(name, type_of(other))),
            None => Err(self.missing(name)),
        }
    }

    /// Returns `true` if the item has this key, or no key. No item of a table is without a key.
    pub(crate) fn is_at(&self, key: &Key) -> bool {
        self.is_absent_or(PK, key.pk.as_str()) && self.is_absent_or(SK, key.sk.as_str())
    }

    /// Returns `true` if the attribute is missing or equals this text.
    pub(crate) fn is_absent_or(&self, name: &'static str, text: &str) -> bool {
        match self.item.get(name) {
            None => true,
            Some(AttributeValue::S(found)) => found == text,
            Some(_) => false,
        }
    }

    /// Returns the time at which the item expires, if it does.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.item.expires()
    }

    /// Returns the error for fields that contradict each other or the key.
    pub(crate) fn contradiction(&self) -> Error {
        self.corrupt("its attributes contradict each other")
    }

    fn read<F: Field>(&self, name: &'static str, value: AttributeValue) -> Result<F> {
        let found = type_of(&value);
        F::read(value).ok_or_else(|| self.invalid(name, found))
    }

    fn missing(&self, name: &'static str) -> Error {
        self.corrupt(&format!("attribute `{name}` is missing"))
    }

    fn invalid(&self, name: &'static str, found: &'static str) -> Error {
        self.corrupt(&does_not_fit(name, found))
    }

    fn corrupt(&self, what: &str) -> Error {
        corrupt(&key_texts(&self.item), self.entity, what)
    }
}

impl Item {
    /// Adds a field.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, field: impl Into<Value>) -> Self {
        self.set(name, field);
        self
    }

    /// Adds a field, if it exists.
    #[must_use]
    pub(crate) fn with_some(self, name: &'static str, field: Option<impl Into<Value>>) -> Self {
        match field {
            Some(field) => self.with(name, field),
            None => self,
        }
    }
}
