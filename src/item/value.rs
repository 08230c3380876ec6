//! Comparison of values by DynamoDB's rules: numbers by value, sets without order.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::Hash;

use serde_dynamo::AttributeValue;

use super::{Item, Number};

/// Rewrites every number in the value to the form that DynamoDB returns: `1e3` becomes `1000`. Text that is not a
/// number does not change; another check refuses it.
pub(crate) fn normalize(value: &mut AttributeValue) {
    match value {
        AttributeValue::N(number) => normalize_number(number),
        AttributeValue::Ns(set) => set.iter_mut().for_each(normalize_number),
        AttributeValue::L(list) => list.iter_mut().for_each(normalize),
        AttributeValue::M(map) => map.values_mut().for_each(normalize),
        AttributeValue::S(_)
        | AttributeValue::B(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Null(_)
        | AttributeValue::Ss(_)
        | AttributeValue::Bs(_) => {}
    }
}

fn normalize_number(text: &mut String) {
    if let Ok(number) = Number::parse(text) {
        *text = number.to_string();
    }
}

/// Returns `true` if the items have equal attributes, by value.
pub(crate) fn same_item(a: &Item, b: &Item) -> bool {
    a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
}

/// Returns `true` if the values are equal: numbers by value, sets without order, all others exactly.
pub(crate) fn same(a: &AttributeValue, b: &AttributeValue) -> bool {
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

/// Returns the order of two values; `None` if their types differ or have no order. Text compares by its bytes.
pub(crate) fn compare(a: &AttributeValue, b: &AttributeValue) -> Option<Ordering> {
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
    // Equal sets usually have the same order, so the comparison of slices avoids the hashing.
    a.len() == b.len() && (a == b || a.iter().collect::<HashSet<_>>() == b.iter().collect::<HashSet<_>>())
}

fn canonical(numbers: &[String]) -> Vec<String> {
    let mut numbers = numbers.to_vec();
    numbers.iter_mut().for_each(normalize_number);
    numbers
}

#[cfg(test)]
mod tests {
    use serde_dynamo::AttributeValue::{B, Bs, L, M, N, Ns, S, Ss};

    use super::*;

    fn texts<const COUNT: usize>(texts: [&str; COUNT]) -> Vec<String> {
        texts.map(str::to_owned).into()
    }

    #[test]
    fn numbers_are_normalized_at_every_depth() {
        let deep = |numbers: [&str; 3]| {
            let [a, b, c] = numbers.map(str::to_owned);
            M([("list".to_owned(), L(vec![N(a), M([("set".to_owned(), Ns(vec![b, c]))].into())]))].into())
        };
        let mut value = deep(["1e3", "+07", "-0.50"]);
        normalize(&mut value);
        assert_eq!(value, deep(["1000", "7", "-0.5"]));
    }

    #[test]
    fn text_that_looks_like_a_number_does_not_change() {
        let mut value = L(vec![S("1e3".into()), Ss(texts(["007"]))]);
        normalize(&mut value);
        assert_eq!(value, L(vec![S("1e3".into()), Ss(texts(["007"]))]));
    }

    #[test]
    fn sets_are_equal_in_any_order_and_lists_are_not() {
        assert!(same(&Ss(texts(["a", "b"])), &Ss(texts(["b", "a"]))));
        assert!(same(&Bs(vec![vec![1], vec![2]]), &Bs(vec![vec![2], vec![1]])));
        assert!(same(&Ns(texts(["1", "2"])), &Ns(texts(["2.0", "1e0"]))));
        assert!(!same(&Ss(texts(["a", "b"])), &Ss(texts(["a", "c"]))));
        assert!(!same(&Ss(texts(["a", "b"])), &Ss(texts(["a"]))));
        assert!(!same(&Ns(texts(["1", "2"])), &Ns(texts(["1", "3"]))));
        let list = |first: &str, second: &str| L(vec![S(first.into()), S(second.into())]);
        assert!(!same(&list("a", "b"), &list("b", "a")));
        // Also inside a list or a map.
        assert!(same(&L(vec![Ss(texts(["a", "b"]))]), &L(vec![Ss(texts(["b", "a"]))])));
    }

    #[test]
    fn numbers_are_equal_by_value() {
        let number = |text: &str| N(text.to_owned());
        assert!(same(&number("1"), &number("1")));
        assert!(same(&number("10"), &number("1e1")));
        assert!(!same(&number("1"), &number("2")));
        // Text that is not a number equals only itself.
        assert!(same(&number("NaN"), &number("NaN")));
        assert!(!same(&number("NaN"), &number("nan")));
    }

    #[test]
    fn lists_and_maps_are_equal_by_their_contents() {
        let one = || N("1".to_owned());
        let list = |length| L(vec![one(); length]);
        assert!(same(&list(2), &list(2)));
        assert!(!same(&list(1), &list(2)));
        assert!(!same(&list(2), &list(1)));
        let map = |entries: &[(&str, &str)]| {
            M(entries.iter().map(|(name, number)| ((*name).to_owned(), N((*number).to_owned()))).collect())
        };
        assert!(same(&map(&[("a", "1"), ("b", "2")]), &map(&[("b", "2.0"), ("a", "1")])));
        assert!(!same(&map(&[("a", "1")]), &map(&[("a", "2")])));
        assert!(!same(&map(&[("a", "1")]), &map(&[("b", "1")])));
        assert!(!same(&map(&[("a", "1")]), &map(&[("a", "1"), ("b", "2")])));
        assert!(!same(&map(&[("a", "1"), ("b", "2")]), &map(&[("a", "1")])));
    }

    #[test]
    fn values_of_different_types_are_never_equal() {
        assert!(!same(&S("1".into()), &N("1".into())));
        assert!(!same(&Ss(texts(["1"])), &Ns(texts(["1"]))));
    }

    #[test]
    fn text_is_ordered_by_its_bytes() {
        // UTF-16 has the reverse order.
        let (low, high) = (S("\u{ffff}".into()), S("\u{10000}".into()));
        assert_eq!(compare(&low, &high), Some(Ordering::Less));
        assert_eq!(compare(&B(vec![200]), &B(vec![100, 0])), Some(Ordering::Greater));
        assert_eq!(compare(&N("-1".into()), &N("-0.5".into())), Some(Ordering::Less));
    }

    #[test]
    fn items_are_equal_by_the_values_of_all_attributes() {
        let item = |set: [&str; 2], extra: bool| {
            let mut item = Item::new();
            item.insert("set", Ss(texts(set)));
            if extra {
                item.insert("extra", S(String::new()));
            }
            item
        };
        assert!(same_item(&item(["a", "b"], true), &item(["b", "a"], true)));
        assert!(!same_item(&item(["a", "b"], true), &item(["a", "b"], false)));
        assert!(!same_item(&item(["a", "b"], false), &item(["a", "b"], true)));
    }
}
