//! What an update makes of an item.

use std::borrow::Cow;
use std::sync::Arc;

use serde_dynamo::AttributeValue;

use super::table::Stored;
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
    let undo = apply(&mut stored, changes)?;
    let Stored { key, item, size, .. } = stored;
    Ok((!undo.is_empty()).then(|| Stored::new(key, Arc::unwrap_or_clone(item), size)))
}

/// Makes the changes, which have been checked by themselves, to the item where it is, and gives those that undo them: none where
/// nothing had to be changed. Whether the item expires and is indexed is for the caller to find out.
///
/// # Errors
/// `Invalid` for adding to what is no number, and for a result that is too large. The item is then as it was.
pub(super) fn apply(stored: &mut Stored, mut changes: Changes) -> Result<Changes> {
    // Changed where it is, unless somebody still holds it: an answer in the making, or the change log.
    let item = Arc::make_mut(&mut stored.item);
    match make(item, stored.size, key_size(&stored.key), &mut changes) {
        Ok(size) => {
            stored.size = size;
            // The log keeps them for a day.
            if changes.capacity() > 2 * changes.len() {
                changes.shrink_to_fit();
            }
            Ok(changes)
        }
        Err(error) => {
            swap(item, &mut changes);
            Err(error)
        }
    }
}

/// Makes the changes to an item of this size, and gives its new size. Those that undo what was done take their place.
fn make(item: &mut Item, mut size: usize, key_size: usize, changes: &mut Changes) -> Result<usize> {
    let (mut overhead, mut made) = (3, 0);
    while let Some((name, change)) = changes.get_mut(made) {
        overhead += expression_size(change);
        match make_one(item, &mut size, name, change) {
            Ok(true) => made += 1,
            Ok(false) => leave_out(changes, made),
            Err(error) => {
                changes.truncate(made);
                return Err(error);
            }
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

/// Leaves out a change that changed nothing, which is rare.
#[cold]
fn leave_out(changes: &mut Changes, place: usize) {
    changes.remove(place);
}

/// Makes one change, which becomes the one that undoes it. `false` where there is nothing to be changed.
fn make_one(item: &mut Item, size: &mut usize, name: &str, change: &mut AttributeChange) -> Result<bool> {
    let found = item.get_mut(name);
    if let AttributeChange::Add(number) = change {
        *change = AttributeChange::Set(sum(name, found.as_deref(), *number)?);
    }
    match (found, change) {
        // The most usual by far, without a way through what is true of values of every type.
        (Some(AttributeValue::S(found)), AttributeChange::Set(AttributeValue::S(text))) => {
            if found == text {
                return Ok(false);
            }
            *size = *size + text.len() - found.len();
            std::mem::swap(found, text);
        }
        (Some(found), AttributeChange::Set(value)) => {
            if same(found, value) {
                return Ok(false);
            }
            *size = *size + attribute_size(name, value) - attribute_size(name, found);
            std::mem::swap(found, value);
        }
        (Some(found), change @ AttributeChange::Remove) => {
            *size -= attribute_size(name, found);
            *change = item.remove(name).map_or(AttributeChange::Remove, AttributeChange::Set);
        }
        (None, change @ (AttributeChange::Set(_) | AttributeChange::SetIfAbsent(_))) => {
            let change = std::mem::replace(change, AttributeChange::Remove);
            if let AttributeChange::Set(value) | AttributeChange::SetIfAbsent(value) = change {
                *size += attribute_size(name, &value);
                item.insert(name, value);
            }
        }
        (Some(_), AttributeChange::SetIfAbsent(_)) | (None, AttributeChange::Remove) | (_, AttributeChange::Add(_)) => {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes changes that only set and remove, and puts those that undo them in their place: doing it twice does nothing.
pub(super) fn swap(item: &mut Item, changes: &mut Changes) {
    for (name, change) in changes {
        let old = match std::mem::replace(change, AttributeChange::Remove) {
            AttributeChange::Set(new) => item.insert(name.as_ref(), new),
            _ => item.remove(name),
        };
        if let Some(old) = old {
            *change = AttributeChange::Set(old);
        }
    }
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
