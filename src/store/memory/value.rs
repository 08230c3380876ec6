//! Values as DynamoDB takes them: numbers by value, sets without order.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::Hash;

use serde_dynamo::AttributeValue;

use crate::item::{Item, Number};

/// Brings every number in the value to the one text that DynamoDB gives back: `1e3` becomes `1000`. Text that is no number
/// stays as it is; it is refused elsewhere.
pub(super) fn normalise(value: &mut AttributeValue) {
    match value {
        AttributeValue::N(number) => normalise_number(number),
        AttributeValue::Ns(set) => set.iter_mut().for_each(normalise_number),
        AttributeValue::L(list) => list.iter_mut().for_each(normalise),
        AttributeValue::M(map) => map.values_mut().for_each(normalise),
        AttributeValue::S(_)
        | AttributeValue::B(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Null(_)
        | AttributeValue::Ss(_)
        | AttributeValue::Bs(_) => {}
    }
}

fn normalise_number(text: &mut String) {
    if let Ok(number) = Number::parse(text) {
        *text = number.to_string();
    }
}

/// Whether two items are the same, by value.
pub(super) fn same_item(a: &Item, b: &Item) -> bool {
    a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
}

/// Whether two values are the same: numbers by value, sets without regard to order, all else as it stands.
pub(super) fn same(a: &AttributeValue, b: &AttributeValue) -> bool {
    match (a, b) {
        (AttributeValue::N(a), AttributeValue::N(b)) => a == b || compare_numbers(a, b) == Some(Ordering::Equal),
        (AttributeValue::Ss(a), AttributeValue::Ss(b)) => same_set(a, b),
        (AttributeValue::Bs(a), AttributeValue::Bs(b)) => same_set(a, b),
        (AttributeValue::Ns(a), AttributeValue::Ns(b)) => same_set(&canonical(a), &canonical(b)),
        (AttributeValue::L(a), AttributeValue::L(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (AttributeValue::M(a), AttributeValue::M(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}

/// The order of two values of one type; `None` for two types, or one that has no order. Text compares by its bytes.
pub(super) fn compare(a: &AttributeValue, b: &AttributeValue) -> Option<Ordering> {
    match (a, b) {
        (AttributeValue::S(a), AttributeValue::S(b)) => Some(a.cmp(b)),
        (AttributeValue::B(a), AttributeValue::B(b)) => Some(a.cmp(b)),
        (AttributeValue::N(a), AttributeValue::N(b)) => compare_numbers(a, b),
        _ => None,
    }
}

fn compare_numbers(a: &str, b: &str) -> Option<Ordering> {
    Some(Number::parse(a).ok()?.cmp(&Number::parse(b).ok()?))
}

fn same_set<T: Hash + Eq>(a: &[T], b: &[T]) -> bool {
    // Most sets that are equal are in the same order, too.
    a.len() == b.len() && (a == b || a.iter().collect::<HashSet<_>>() == b.iter().collect::<HashSet<_>>())
}

fn canonical(numbers: &[String]) -> Vec<String> {
    let mut numbers = numbers.to_vec();
    numbers.iter_mut().for_each(normalise_number);
    numbers
}
