//! The size of items and attributes, in bytes.

use serde_dynamo::AttributeValue;

use super::number::Number;

/// The maximum size of an item, including the names of its attributes: 400 KB of 1,024 bytes.
pub(crate) const MAX_ITEM_BYTES: usize = 409_600;

/// Returns the size of an attribute in bytes: its name and its value.
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
        // A list or map adds 3 bytes, and 1 byte for each element.
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + attribute_size(name, value)).sum::<usize>(),
    }
}

fn number_size(number: &str) -> usize {
    // Text that is not a number is refused before its size matters.
    Number::parse(number).map_or(number.len(), |number| number.stored_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn n(number: &str) -> AttributeValue {
        AttributeValue::N(number.to_owned())
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    /// The [sizes of attributes][sizes]. The sizes of numbers were measured.
    ///
    /// [sizes]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    #[test]
    fn size_of_an_attribute_depends_on_name_and_type() {
        let map = |entries: &[(&str, AttributeValue)]| {
            AttributeValue::M(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        for (value, size) in [
            (s(""), 0),
            (s("opa"), 3),
            // UTF-8 bytes, not characters.
            (s("é語🙂"), 2 + 3 + 4),
            (AttributeValue::B(vec![0; 5]), 5),
            (AttributeValue::Bool(false), 1),
            (AttributeValue::Null(true), 1),
            (n("0"), 1),
            (n("42"), 2),
            (n("-42"), 3),
            (n("1e3"), 2),
            (n("0.0000001"), 2),
            (n("1000.5"), 4),
            // 38 digits is the maximum.
            (n("12345678901234567890123456789012345678"), 20),
            (AttributeValue::Ss(texts(&["a", "bc"])), 3),
            (AttributeValue::Ns(texts(&["42", "-42"])), 2 + 3),
            (AttributeValue::Bs(vec![vec![0], vec![0; 2]]), 3),
            (AttributeValue::L(vec![]), 3),
            (AttributeValue::L(vec![s("opa"), AttributeValue::Null(true)]), 3 + (1 + 3) + (1 + 1)),
            (map(&[]), 3),
            (map(&[("a", s("opa")), ("bc", n("42"))]), 3 + (1 + 1 + 3) + (1 + 2 + 2)),
            (
                AttributeValue::L(vec![map(&[("a", AttributeValue::L(vec![s("b")]))])]),
                3 + 1 + (3 + 1 + 1 + (3 + 1 + 1)),
            ),
        ] {
            assert_eq!(attribute_size("name", &value), 4 + size, "{value:?}");
            assert_eq!(attribute_size("é", &value), 2 + size, "{value:?}");
        }
    }
}
