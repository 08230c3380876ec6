//! The check of items against DynamoDB's limits, before a request is sent.

use std::collections::HashSet;

use serde_dynamo::AttributeValue;

use super::{Item, MAX_ITEM_BYTES, Number, attribute_size, type_of};
use crate::error::{Error, Result};
use crate::key::{GSI1PK, GSI1SK, PartitionKey, SortKey};

/// The maximum depth of nested lists and maps, including the innermost value.
const MAX_DEPTH: usize = 32;
/// The maximum size of an attribute's name, in bytes.
const MAX_NAME_BYTES: usize = 65_535;

impl Item {
    /// Checks the keys, the index keys, every value and the size. The error names the attribute.
    pub(crate) fn check(&self) -> Result<()> {
        self.key()?;
        self.check_attributes()
    }

    /// Checks everything except the primary key.
    pub(crate) fn check_attributes(&self) -> Result<()> {
        let mut size = 0;
        for (name, value) in self.iter() {
            check_attribute_name(name)?;
            check_value(name, value)?;
            check_index_key(name, value)?;
            size += attribute_size(name, value);
        }
        if size > MAX_ITEM_BYTES {
            return Err(Error::invalid(format!("item is {size} bytes; the limit is {MAX_ITEM_BYTES}")));
        }
        Ok(())
    }
}

/// Checks the name of an attribute.
pub(crate) fn check_attribute_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(Error::invalid(format!("an attribute's name must have 1 to {MAX_NAME_BYTES} bytes")));
    }
    Ok(())
}

/// Checks the value of an attribute.
pub(crate) fn check_value(name: &str, value: &AttributeValue) -> Result<()> {
    check_nested(value, 1)
        .map_err(|what| Error::invalid(format!("attribute `{name}` ({}) cannot be stored: {what}", type_of(value))))
}

/// Checks the value if the attribute is an index key.
///
/// DynamoDB refuses other types than strings. It accepts texts that are not valid keys, but a page of the index could
/// not continue after them.
pub(crate) fn check_index_key(name: &str, value: &AttributeValue) -> Result<()> {
    match (name, value) {
        (GSI1PK, AttributeValue::S(text)) => PartitionKey::check(text),
        (GSI1SK, AttributeValue::S(text)) => SortKey::check(text),
        (GSI1PK | GSI1SK, _) => Err(Error::invalid(format!("the key attribute `{name}` must be a string"))),
        _ => Ok(()),
    }
}

fn check_nested(value: &AttributeValue, depth: usize) -> Result<(), &'static str> {
    const NOT_A_NUMBER: &str =
        "a number must be decimal, with at most 38 digits and a magnitude from 1E-130 to 9.99E+125";
    if depth > MAX_DEPTH {
        return Err("lists and maps are nested more than 32 deep");
    }
    match value {
        AttributeValue::N(number) => {
            Number::parse(number).map_err(|_| NOT_A_NUMBER)?;
        }
        AttributeValue::Null(false) => return Err("NULL must be true"),
        AttributeValue::Ss(set) => check_set(set.iter())?,
        AttributeValue::Bs(set) => check_set(set.iter())?,
        AttributeValue::Ns(set) => {
            let numbers: Vec<_> =
                set.iter().map(|number| Number::parse(number)).collect::<Result<_>>().map_err(|_| NOT_A_NUMBER)?;
            let texts: Vec<_> = numbers.iter().map(Number::to_string).collect();
            check_set(texts.iter())?;
        }
        AttributeValue::L(list) => {
            for value in list {
                check_nested(value, depth + 1)?;
            }
        }
        AttributeValue::M(map) => {
            for value in map.values() {
                check_nested(value, depth + 1)?;
            }
        }
        AttributeValue::S(_) | AttributeValue::B(_) | AttributeValue::Bool(_) | AttributeValue::Null(true) => {}
    }
    Ok(())
}

fn check_set<T: std::hash::Hash + Eq>(members: impl ExactSizeIterator<Item = T>) -> Result<(), &'static str> {
    let count = members.len();
    if count == 0 {
        return Err("a set must not be empty; leave the attribute out");
    }
    if members.collect::<HashSet<_>>().len() < count {
        return Err("a set must not contain a member twice");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::key::{PK, SK};

    #[test]
    fn check_reports_faults_of_the_key_first() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut item =
            Item::from(HashMap::from([(String::new(), text("a")), ("b".to_owned(), AttributeValue::Ss(vec![]))]));
        let message = |item: &Item| item.check().unwrap_err().to_string();
        item.insert(SK, text("1"));
        assert!(message(&item).contains("the key attribute `pk` is missing"), "{}", message(&item));
        item.insert(PK, AttributeValue::Bool(true));
        assert!(message(&item).contains("the key attribute `pk` must be a string"), "{}", message(&item));
        item.insert(PK, text("A"));
        item.remove("b");
        assert!(message(&item).contains("an attribute's name"), "{}", message(&item));
    }
}
