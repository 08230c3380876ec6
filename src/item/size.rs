//! How many bytes an item counts for.

use serde_dynamo::AttributeValue;

use super::number::Number;

/// The most that an item may have, its attributes' names counted in: 400 KB of 1024 bytes.
pub(crate) const MAX_ITEM_BYTES: usize = 409_600;

/// The bytes of an attribute: those of its name and of its value.
pub(crate) fn attribute_size(name: &str, value: &AttributeValue) -> usize {
    name.len() + value_size(value)
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::Ss(set) => set.iter().map(String::len).sum(),
        AttributeValue::Bs(set) => set.iter().map(Vec::len).sum(),
        AttributeValue::Ns(set) => set.iter().map(|number| number_size(number)).sum(),
        // A list or map has 3 bytes of its own and 1 for each element.
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + attribute_size(name, value)).sum::<usize>(),
    }
}

fn number_size(number: &str) -> usize {
    // Text that is no number is refused before its size matters.
    Number::parse(number).map_or(number.len(), |number| number.stored_size())
}
