//! Items: the attributes that the table stores under each key.

mod check;
mod codec;
mod fields;
mod into;
mod number;
mod size;
mod value;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_dynamo::AttributeValue;

use crate::error::{Error, Result};
use crate::key::{EXPIRES_AT, GSI1PK, GSI1SK, IndexKey, Key, PK, PartitionKey, SK, SortKey, TYPE};
use crate::time::Timestamp;

pub(crate) use check::{check_attribute_name, check_index_key, check_value};
pub(crate) use codec::{decode, encode, of_another_type};
pub(crate) use fields::{Field, Fields, text_fields};
pub use into::Value;
pub(crate) use number::Number;
pub(crate) use size::{MAX_ITEM_BYTES, attribute_size};
pub(crate) use value::{compare, normalize, same, same_item};

/// An item: the attributes that the table stores under one key.
///
/// The values have the type [`AttributeValue`] of the crate [`serde_dynamo`], so an item does not depend on a version
/// of the AWS SDK. `Debug` prints the names and types of the attributes, never their values.
///
/// ```
/// use threadline::entity::Item;
///
/// let mut item = Item::new();
/// item.insert("message", "opa");
/// assert_eq!(format!("{item:?}"), r#"Item { message: "S" }"#);
/// assert_eq!(item.size(), 10);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Item(BTreeMap<Cow<'static, str>, AttributeValue>);

impl Item {
    /// Creates an item without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an item that contains only its key.
    pub(crate) fn of_key(key: &Key) -> Self {
        let mut item = Self::new();
        item.set(PK, key.pk.as_str());
        item.set(SK, key.sk.as_str());
        item
    }

    /// Returns the value of the attribute with this name, if any.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.get(name)
    }

    /// Returns the text of the attribute with this name, if its value is a string.
    pub fn get_s(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(AttributeValue::S(text)) => Some(text),
            _ => None,
        }
    }

    /// Sets the attribute with this name and returns its previous value, if any.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<AttributeValue> {
        self.0.insert(Cow::Owned(name.into()), value.into().0)
    }

    /// Sets an attribute whose name is a constant.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.insert(Cow::Borrowed(name), value.into().0);
    }

    /// Removes the attribute with this name and returns its value, if any.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        self.0.remove(name)
    }

    /// Takes the value of the attribute with this name, if any. The attribute stays, with the value NULL, because a
    /// removal is slower.
    pub(crate) fn take(&mut self, name: &str) -> Option<AttributeValue> {
        self.0.get_mut(name).map(|value| std::mem::replace(value, AttributeValue::Null(true)))
    }

    /// Returns the names and values of all attributes, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Returns the values, for changes.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut AttributeValue> {
        self.0.values_mut()
    }

    /// Returns the attributes in the order of their names.
    pub(crate) fn into_attributes(self) -> impl Iterator<Item = (String, AttributeValue)> {
        self.0.into_iter().map(|(name, value)| (name.into_owned(), value))
    }

    /// Returns the number of attributes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if the item has no attributes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the item's primary key: its attributes `pk` and `sk`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if `pk` or `sk` is missing, is not a string, is empty, or is longer than
    /// DynamoDB allows.
    pub fn key(&self) -> Result<Key> {
        Ok(Key::new(PartitionKey::parse(self.key_text(PK)?)?, SortKey::parse(self.key_text(SK)?)?))
    }

    /// Returns the item's key in the index: its attributes `gsi1pk` and `gsi1sk`. An item that lacks one of them is not
    /// in the index, so the result is `None`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if one of the two attributes is present but is not a string, is empty, or
    /// is longer than DynamoDB allows.
    pub fn index_key(&self) -> Result<Option<IndexKey>> {
        let pk = self.get(GSI1PK).map(|_| self.key_text(GSI1PK)).transpose()?.map(PartitionKey::parse).transpose()?;
        let sk = self.get(GSI1SK).map(|_| self.key_text(GSI1SK)).transpose()?.map(SortKey::parse).transpose()?;
        Ok(pk.zip(sk).map(|(pk, sk)| IndexKey::new(pk, sk)))
    }

    /// Returns the name of the item's entity, from the attribute `type`, if any.
    pub fn type_name(&self) -> Option<&str> {
        self.get_s(TYPE)
    }

    /// Returns the time at which the item expires: the attribute `expires_at`, in epoch seconds, rounded down.
    ///
    /// Returns `None` if the attribute is missing, is not a number, or exceeds the range of `i64`. Such an item never
    /// expires.
    pub fn expires_at(&self) -> Option<i64> {
        match self.0.get(EXPIRES_AT) {
            Some(AttributeValue::N(seconds)) => Number::parse(seconds).ok()?.to_i64_floor(),
            _ => None,
        }
    }

    /// Returns the time at which the item expires, if it is in the range of a [`Timestamp`].
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        let micros = self.expires_at()?.checked_mul(1_000_000)?;
        Timestamp::from_unix_micros(micros).ok()
    }

    /// Returns `true` if the item has expired by this time. No [`Store`](crate::store::Store) returns such an item,
    /// even if DynamoDB has not deleted it yet.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|seconds| seconds <= now.unix_seconds())
    }

    /// Returns the size of the item in bytes, by DynamoDB's
    /// [rules](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html). The
    /// size determines the capacity units of a request, and must not exceed 400 KB.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| attribute_size(name, value)).sum()
    }

    /// Returns the text of a key attribute, which must be a string.
    fn key_text(&self, name: &str) -> Result<&str> {
        match self.get(name) {
            Some(AttributeValue::S(text)) => Ok(text),
            Some(_) => Err(Error::invalid(format!("the key attribute `{name}` must be a string"))),
            None => Err(Error::invalid(format!("the key attribute `{name}` is missing"))),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Item");
        for (name, value) in self.iter() {
            debug.field(name, &type_of(value));
        }
        debug.finish()
    }
}

impl FromIterator<(String, AttributeValue)> for Item {
    fn from_iter<I: IntoIterator<Item = (String, AttributeValue)>>(attributes: I) -> Self {
        Self(attributes.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect())
    }
}

impl From<HashMap<String, AttributeValue>> for Item {
    fn from(attributes: HashMap<String, AttributeValue>) -> Self {
        attributes.into_iter().collect()
    }
}

impl From<Item> for HashMap<String, AttributeValue> {
    fn from(item: Item) -> Self {
        item.into_attributes().collect()
    }
}

impl From<serde_dynamo::Item> for Item {
    fn from(item: serde_dynamo::Item) -> Self {
        HashMap::from(item).into()
    }
}

impl From<Item> for serde_dynamo::Item {
    fn from(item: Item) -> Self {
        HashMap::from(item).into()
    }
}

/// Returns DynamoDB's name for the type of a value.
pub(crate) fn type_of(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::N(_) => "N",
        AttributeValue::S(_) => "S",
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::B(_) => "B",
        AttributeValue::Null(_) => "NULL",
        AttributeValue::M(_) => "M",
        AttributeValue::L(_) => "L",
        AttributeValue::Ss(_) => "SS",
        AttributeValue::Ns(_) => "NS",
        AttributeValue::Bs(_) => "BS",
    }
}
