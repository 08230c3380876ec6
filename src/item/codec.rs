//! The codec between items and an application's types, by serde. Errors name the attribute that fails, never its
//! content.

use std::borrow::Cow;
use std::collections::btree_map::IntoIter;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_dynamo::AttributeValue;

use super::{Item, type_of};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{PK, SK, TYPE, shape};

/// Returns the item with a value's fields, without its keys.
pub(crate) fn encode<T: Serialize>(value: &T, entity: &'static str) -> Result<Item> {
    // `to_item` would copy the serialized map into a second one.
    match serde_dynamo::to_attribute_value(value) {
        Ok(AttributeValue::M(attributes)) => Ok(attributes.into()),
        // No source: serde's messages may contain the value.
        _ => Err(Error::invalid(format!(
            "{entity} cannot be stored: its fields do not serialize to the attributes of an item"
        ))
        .with_entity(entity)),
    }
}

/// Returns the value that an item stores.
///
/// Errors of serde_dynamo do not name the attribute that failed, and some contain its content. So this code
/// deserializes the outermost map itself, to know the attribute, and drops their text.
pub(crate) fn decode<T: DeserializeOwned>(item: Item, entity: &'static str) -> Result<T> {
    let key = key_texts(&item);
    let mut failing = None;
    T::deserialize(ItemDeserializer { item, failing: &mut failing }).map_err(|error| {
        let what = match failing {
            Some((name, found)) => does_not_fit(&name, found),
            None => match missing_field(&error) {
                Some(field) => format!("attribute `{field}` is missing"),
                None => "its attributes contradict each other".to_owned(),
            },
        };
        corrupt(&key, entity, &what)
    })
}

/// Returns the error for an item whose `type` is `found` instead of the entity's.
pub(crate) fn of_another_type(item: &Item, found: &AttributeValue, entity: &'static str) -> Error {
    let what = match found {
        // A program chooses the name of a type, so it is not content, unless it is unusually long.
        AttributeValue::S(name) if name.len() <= 64 => format!("attribute `{TYPE}` is `{name}`"),
        _ => does_not_fit(TYPE, type_of(found)),
    };
    corrupt(&key_texts(item), entity, &what)
}

pub(super) fn does_not_fit(name: &str, found: &'static str) -> String {
    format!("attribute `{name}` has type {found} and an invalid value")
}

pub(super) fn corrupt(key: &KeyTexts, entity: &'static str, what: &str) -> Error {
    let [pk, sk] = key.each_ref().map(|text| text.as_deref().map_or_else(|| "no key".to_owned(), shape));
    Error::new(ErrorKind::Corrupt, format!("the item at `{pk} / {sk}` is not a valid {entity}: {what}"))
        .with_entity(entity)
}

/// The texts of an item's key. Only errors need the shape of the key, so it is not computed before.
pub(super) type KeyTexts = [Option<String>; 2];

pub(super) fn key_texts(item: &Item) -> KeyTexts {
    [PK, SK].map(|name| item.get_s(name).map(str::to_owned))
}

/// Returns the field from serde's error for a missing field. A program chooses the field's name, so it is not content.
fn missing_field(error: &serde_dynamo::Error) -> Option<String> {
    let text = error.to_string();
    let field = text.strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(field.to_owned())
}

/// The attribute that failed, and its type.
type Failing = Option<(Cow<'static, str>, &'static str)>;

struct ItemDeserializer<'a> {
    item: Item,
    failing: &'a mut Failing,
}

impl<'de> Deserializer<'de> for ItemDeserializer<'_> {
    type Error = serde_dynamo::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(Attributes { rest: self.item.0.into_iter(), current: None, failing: self.failing })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Attributes<'a> {
    rest: IntoIter<Cow<'static, str>, AttributeValue>,
    current: Option<(Cow<'static, str>, AttributeValue)>,
    failing: &'a mut Failing,
}

impl<'de> MapAccess<'de> for Attributes<'_> {
    type Error = serde_dynamo::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        let (name, _) = self.current.insert((name, value));
        let name: serde::de::value::StrDeserializer<'_, Self::Error> = (&**name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        let Some((name, value)) = self.current.take() else {
            return Err(serde::de::Error::custom("a value was requested before its key"));
        };
        let found = type_of(&value);
        seed.deserialize(serde_dynamo::Deserializer::from_attribute_value(value)).inspect_err(|_| {
            *self.failing = Some((name, found));
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}
