//! What an update makes of an item.

use std::borrow::Cow;
use std::sync::Arc;

use serde_dynamo::AttributeValue;

use super::table::{Stored, Values, swap};
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES, Number, attribute_size, same};
use crate::key::{Key, PK, SK};
use crate::request::AttributeChange;

/// The changes of an update, each to an attribute of its own.
pub(super) type Changes = Vec<(Cow<'static, str>, AttributeChange)>;

/// The item that the changes make of one that is missing; `None` where they make none.
///
/// An update that only removes attributes, of an item that is missing, does not create it. Sources differ here: AWS is
/// reported to behave so, DynamoDB Local creates an item of nothing but its key. Guard such an update with a condition that
/// the item exists, and both agree.
///
/// # Errors
/// As [`apply`].
pub(super) fn create(key: Key, changes: Changes) -> Result<Option<Stored>> {
    if changes.iter().all(|(_, change)| matches!(change, AttributeChange::Remove)) {
        return Ok(None);
    }
    let mut item = Item::new();
    item.insert(PK, AttributeValue::S(key.pk.as_str().to_owned()));
    item.insert(SK, AttributeValue::S(key.sk.as_str().to_owned()));
    let size = key_size(&key);
    changed(Stored::new(Arc::new(key), item, size), changes)
}

/// The item with the changes, beside the one that there is; `None` where they change nothing.
///
/// # Errors
/// As [`apply`].
pub(super) fn changed(mut stored: Stored, changes: Changes) -> Result<Option<Stored>> {
    let old = apply(&mut stored, changes)?;
    let Stored { key, item, size, .. } = stored;
    Ok((!old.is_empty()).then(|| Stored::new(key, Arc::unwrap_or_clone(item), size)))
}

/// Makes the changes, which have been checked by themselves, to the item where it is, and gives the values that attributes had
/// before: none where nothing had to be changed. Whether the item expires and is indexed is for the caller to find out.
///
/// # Errors
/// `Invalid` for adding to what is no number, and for a result that is too large. The item is then as it was.
pub(super) fn apply(stored: &mut Stored, changes: Changes) -> Result<Values> {
    // Changed where it is, unless somebody still holds it: an answer in the making, or the change log.
    let item = Arc::make_mut(&mut stored.item);
    let mut old = Values::with_capacity(changes.len());
    match make(item, stored.size, key_size(&stored.key), changes, &mut old) {
        Ok(size) => {
            stored.size = size;
            Ok(old)
        }
        Err(error) => {
            swap(item, &mut old);
            Err(error)
        }
    }
}

/// Makes the changes to an item of this size, and gives its new size. The values that attributes had are left in `old`.
fn make(item: &mut Item, mut size: usize, key_size: usize, changes: Changes, old: &mut Values) -> Result<usize> {
    let mut overhead = 3;
    for (name, change) in changes {
        overhead += expression_size(&change);
        let found = item.get_mut(&name);
        let value = match change {
            AttributeChange::Set(value) => Some(value),
            AttributeChange::SetIfAbsent(_) if found.is_some() => continue,
            AttributeChange::SetIfAbsent(value) => Some(value),
            AttributeChange::Add(number) => Some(sum(&name, found.as_deref(), number)?),
            AttributeChange::Remove => None,
        };
        match (found, value) {
            (Some(found), Some(value)) => {
                if !same(found, &value) {
                    size = size + attribute_size(&name, &value) - attribute_size(&name, found);
                    old.push((name, Some(std::mem::replace(found, value))));
                }
            }
            (Some(found), None) => {
                size -= attribute_size(&name, found);
                let removed = item.remove(&name);
                old.push((name, removed));
            }
            (None, Some(value)) => {
                size += attribute_size(&name, &value);
                item.insert(name.as_ref(), value);
                old.push((name, None));
            }
            (None, None) => {}
        }
    }
    // The second measure is DynamoDB's own, for the item as it handles it within an update: an item that may be put may
    // still be too large to be updated.
    if size.max(size - key_size + overhead) > MAX_ITEM_BYTES {
        return Err(Error::invalid(format!(
            "an item may have at most {MAX_ITEM_BYTES} bytes after an update, with some bytes more for each change, and \
             this would have {size}"
        )));
    }
    Ok(size)
}

/// The bytes of the attributes that make up the key.
fn key_size(key: &Key) -> usize {
    PK.len() + key.pk.as_str().len() + SK.len() + key.sk.as_str().len()
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
