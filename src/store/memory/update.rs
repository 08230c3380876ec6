//! What an update makes of an item.

use std::borrow::Cow;
use std::sync::Arc;

use serde_dynamo::AttributeValue;

use super::table::{Stored, Values, swap};
use super::write::Effect;
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES, Number, attribute_size, same};
use crate::key::{Key, PK, SK};
use crate::request::AttributeChange;

/// What the changes, which have been checked by themselves, do to the item.
///
/// An update that only removes attributes, of an item that is missing, does not create it. Sources differ here: AWS is
/// reported to behave so, DynamoDB Local creates an item of nothing but its key. Guard such an update with a condition that
/// the item exists, and both agree.
///
/// # Errors
/// `Invalid` for adding to what is no number, and for a result that is too large.
pub(super) fn plan(
    key: Key,
    old: Option<&Stored>,
    changes: Vec<(Cow<'static, str>, AttributeChange)>,
) -> Result<Effect> {
    if old.is_none() && changes.iter().all(|(_, change)| matches!(change, AttributeChange::Remove)) {
        return Ok(Effect::Keep);
    }
    let key_size = PK.len() + key.pk.as_str().len() + SK.len() + key.sk.as_str().len();
    let mut size = old.map_or(key_size, |old| old.size);
    let mut overhead = 3;
    let mut values = Values::with_capacity(changes.len());
    for (name, change) in changes {
        overhead += expression_size(&change);
        let found = old.and_then(|old| old.item.get(&name));
        let value = match change {
            AttributeChange::Set(value) => Some(value),
            AttributeChange::SetIfAbsent(_) if found.is_some() => continue,
            AttributeChange::SetIfAbsent(value) => Some(value),
            AttributeChange::Add(number) => Some(sum(&name, found, number)?),
            AttributeChange::Remove => None,
        };
        let unchanged = match (found, &value) {
            (Some(found), Some(value)) => same(found, value),
            (None, None) => true,
            _ => false,
        };
        if unchanged {
            continue;
        }
        if let Some(value) = &value {
            size += attribute_size(&name, value);
        }
        size -= found.map_or(0, |found| attribute_size(&name, found));
        values.push((name, value));
    }
    // The second measure is DynamoDB's own, for the item as it handles it within an update: an item that may be put may
    // still be too large to be updated.
    if size.max(size - key_size + overhead) > MAX_ITEM_BYTES {
        return Err(Error::invalid(format!(
            "an item may have at most {MAX_ITEM_BYTES} bytes after an update, with some bytes more for each change, and \
             this would have {size}"
        )));
    }
    Ok(match old {
        Some(_) if values.is_empty() => Effect::Keep,
        Some(_) => Effect::Update { key, values, size },
        None => {
            let mut item = Item::new();
            item.insert(PK, AttributeValue::S(key.pk.as_str().to_owned()));
            item.insert(SK, AttributeValue::S(key.sk.as_str().to_owned()));
            swap(&mut item, &mut values);
            Effect::Put(Stored::new(Arc::new(key), item, size))
        }
    })
}

/// The bytes that a change counts for beside those of the item.
fn expression_size(change: &AttributeChange) -> usize {
    match change {
        AttributeChange::Set(_) | AttributeChange::SetIfAbsent(_) | AttributeChange::Add(_) => 19,
        AttributeChange::Remove => 2,
    }
}

fn sum(name: &str, found: Option<&AttributeValue>, number: i64) -> Result<AttributeValue> {
    let sum = match found {
        None => Number::from(number),
        Some(AttributeValue::N(found)) => Number::parse(found)?.add(&Number::from(number))?,
        Some(_) => {
            return Err(Error::invalid(format!("an update adds to `{name}`, which is no number")));
        }
    };
    Ok(AttributeValue::N(sum.to_string()))
}
