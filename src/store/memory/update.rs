//! Evaluation of updates.

use serde_dynamo::AttributeValue;

use super::stored::Stored;
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES, Number, normalize, same};
use crate::key::Key;
use crate::request::{AttributeChange, Update};

/// Returns the item after a checked update; `None` if the update changes nothing.
///
/// An update that only removes attributes does not create a missing item. Sources differ here: AWS is reported to
/// behave like this, but DynamoDB Local creates an item with only its key. A condition that the item exists makes both
/// agree.
///
/// # Errors
/// `Invalid` if the update adds to an attribute that is not a number, or the result is too large.
pub(super) fn updated(key: Key, old: Option<&Item>, update: Update) -> Result<Option<Stored>> {
    let mut item = old.cloned().unwrap_or_else(|| Item::of_key(&key));
    let (mut overhead, mut has_changed) = (3, false);
    for (name, change) in update.into_changes() {
        overhead += expression_size(&change);
        has_changed |= change_attribute(&mut item, &name, change)?;
    }
    let stored = Stored::new(key, item);
    check_size(&stored, overhead)?;
    Ok(has_changed.then_some(stored))
}

/// Applies one change. Returns `true` if the item changed.
fn change_attribute(item: &mut Item, name: &str, change: AttributeChange) -> Result<bool> {
    let found = item.get(name);
    let value = match change {
        AttributeChange::Remove => return Ok(item.remove(name).is_some()),
        AttributeChange::SetIfAbsent(_) if found.is_some() => return Ok(false),
        AttributeChange::Set(mut value) | AttributeChange::SetIfAbsent(mut value) => {
            normalize(&mut value);
            value
        }
        AttributeChange::Add(number) => sum(name, found, number)?,
    };
    if found.is_some_and(|found| same(found, &value)) {
        return Ok(false);
    }
    item.insert(name, value);
    Ok(true)
}

/// Checks the size by DynamoDB's own rule for updates, which counts extra bytes. An item that may be put may be too
/// large for an update.
fn check_size(stored: &Stored, overhead: usize) -> Result<()> {
    let size = stored.size;
    if size.max(size - stored.key.size() + overhead) > MAX_ITEM_BYTES {
        return Err(Error::invalid(format!(
            "item is {size} bytes after the update; the limit is {MAX_ITEM_BYTES}, less some bytes for each change"
        )));
    }
    Ok(())
}

/// Returns the extra bytes that a change counts.
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
            return Err(Error::invalid(format!("an update adds to `{name}`, which is not a number")));
        }
    };
    Ok(AttributeValue::N(sum.to_string()))
}
