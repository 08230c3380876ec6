//! What an update makes of an item.

use std::borrow::Cow;

use serde_dynamo::AttributeValue;

use super::table::Stored;
use super::value::same;
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES, Number, attribute_size};
use crate::key::{GSI1PK, GSI1SK, Key, PK, SK};
use crate::request::Change;

/// The item after the changes; `None` where they change nothing.
///
/// An update that only removes attributes, of an item that is missing, does not create it. Sources differ here: AWS is
/// reported to behave so, DynamoDB Local creates an item of nothing but its key. Guard such an update with a condition that
/// the item exists, and both agree.
///
/// # Errors
/// `Invalid` for adding to what is no number, an index key that is none, and a result that is too large.
pub(super) fn apply(
    key: &Key,
    old: Option<&Stored>,
    changes: Vec<(Cow<'static, str>, Change)>,
) -> Result<Option<Stored>> {
    if old.is_none() && changes.iter().all(|(_, change)| matches!(change, Change::Remove)) {
        return Ok(None);
    }
    let (mut item, mut size) = match old {
        Some(old) => (Item::clone(&old.item), old.size),
        None => key_only(key),
    };
    let key_size = key_size(key);
    let overhead: usize = changes.iter().map(|(_, change)| expression_size(change)).sum();
    let (mut changed, mut index_touched) = (old.is_none(), false);
    for (name, change) in changes {
        let found = item.get(&name);
        let value = match change {
            Change::Set(value) => Some(value),
            Change::SetIfAbsent(_) if found.is_some() => continue,
            Change::SetIfAbsent(value) => Some(value),
            Change::Add(number) => Some(sum(&name, found, number)?),
            Change::Remove => None,
        };
        let unchanged = match (found, &value) {
            (Some(found), Some(value)) => same(found, value),
            (None, None) => true,
            _ => false,
        };
        if unchanged {
            continue;
        }
        changed = true;
        index_touched |= name == GSI1PK || name == GSI1SK;
        size -= found.map_or(0, |found| attribute_size(&name, found));
        match value {
            Some(value) => {
                size += attribute_size(&name, &value);
                item.insert(name, value);
            }
            None => {
                item.remove(&name);
            }
        }
    }
    // The second measure is DynamoDB's own, for the item as it handles it within an update: an item that may be put may
    // still be too large to be updated.
    if size.max(size - key_size + 3 + overhead) > MAX_ITEM_BYTES {
        return Err(Error::invalid(format!(
            "an item may have at most {MAX_ITEM_BYTES} bytes after an update, with some bytes more for each change, and \
             this would have {size}"
        )));
    }
    if index_touched {
        item.index_key()?;
    }
    Ok(changed.then(|| Stored::new(item, size)))
}

/// The bytes that a change counts for beside those of the item.
fn expression_size(change: &Change) -> usize {
    match change {
        Change::Set(_) | Change::SetIfAbsent(_) | Change::Add(_) => 19,
        Change::Remove => 2,
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

fn key_only(key: &Key) -> (Item, usize) {
    let mut item = Item::new();
    item.insert(PK, AttributeValue::S(key.pk.as_str().to_owned()));
    item.insert(SK, AttributeValue::S(key.sk.as_str().to_owned()));
    (item, key_size(key))
}

fn key_size(key: &Key) -> usize {
    PK.len() + key.pk.as_str().len() + SK.len() + key.sk.as_str().len()
}
