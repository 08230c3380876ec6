//! What an update makes of an item.

use std::borrow::Cow;

use serde_dynamo::AttributeValue;

use super::stored::Stored;
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES, Number, same};
use crate::key::Key;
use crate::request::AttributeChange;

/// The changes of an update, each to an attribute of its own. They have been checked by themselves.
pub(super) type Changes = Vec<(Cow<'static, str>, AttributeChange)>;

/// Returns the item with the changes made; `None` if they change nothing.
///
/// An update that only removes attributes, of an item that is missing, does not create it. Sources differ here: AWS is
/// reported to behave so, DynamoDB Local creates an item of nothing but its key. Guard such an update with a condition that
/// the item exists, and both agree.
///
/// # Errors
/// `Invalid` for adding to what is no number, and for a result that is too large.
pub(super) fn updated(key: Key, old: Option<&Item>, changes: Changes) -> Result<Option<Stored>> {
    let mut item = old.cloned().unwrap_or_else(|| Item::of_key(&key));
    let (mut overhead, mut has_changed) = (3, false);
    for (name, change) in changes {
        overhead += expression_size(&change);
        has_changed |= change_attribute(&mut item, &name, change)?;
    }
    let stored = Stored::new(key, item);
    check_size(&stored, overhead)?;
    Ok(has_changed.then_some(stored))
}

/// Makes one change, and returns whether it changed anything.
fn change_attribute(item: &mut Item, name: &str, change: AttributeChange) -> Result<bool> {
    let found = item.get(name);
    let value = match change {
        AttributeChange::Remove => return Ok(item.remove(name).is_some()),
        AttributeChange::SetIfAbsent(_) if found.is_some() => return Ok(false),
        AttributeChange::Set(value) | AttributeChange::SetIfAbsent(value) => value,
        AttributeChange::Add(number) => sum(name, found, number)?,
    };
    if found.is_some_and(|found| same(found, &value)) {
        return Ok(false);
    }
    item.insert(name, value);
    Ok(true)
}

/// Checks the size by DynamoDB's own measure for an item as it handles it within an update: an item that may be put may still be
/// too large to be updated.
fn check_size(stored: &Stored, overhead: usize) -> Result<()> {
    let size = stored.size;
    if size.max(size - stored.key.size() + overhead) > MAX_ITEM_BYTES {
        return Err(Error::invalid(format!(
            "an item may have at most {MAX_ITEM_BYTES} bytes after an update, with some bytes more for each change, and \
             this would have {size}"
        )));
    }
    Ok(())
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
