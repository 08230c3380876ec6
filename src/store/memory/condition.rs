//! Whether a condition holds of an item.

use std::cmp::Ordering;

use super::value::{compare, same};
use crate::item::Item;
use crate::request::{Comparison, Condition};

/// Whether the condition holds of the item, or of its absence. The condition has been checked, so it is not too deep.
pub(super) fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    let attribute = |name: &str| item.and_then(|item| item.get(name));
    match condition {
        Condition::Exists(name) => attribute(name).is_some(),
        Condition::Absent(name) => attribute(name).is_none(),
        Condition::Compare(name, comparison, value) => match attribute(name) {
            None => *comparison == Comparison::Ne,
            Some(found) => match comparison {
                Comparison::Eq => same(found, value),
                Comparison::Ne => !same(found, value),
                Comparison::Lt => compare(found, value).is_some_and(Ordering::is_lt),
                Comparison::Le => compare(found, value).is_some_and(Ordering::is_le),
                Comparison::Gt => compare(found, value).is_some_and(Ordering::is_gt),
                Comparison::Ge => compare(found, value).is_some_and(Ordering::is_ge),
            },
        },
        Condition::All(conditions) => conditions.iter().all(|condition| holds(condition, item)),
        Condition::Any(conditions) => conditions.iter().any(|condition| holds(condition, item)),
        Condition::Not(condition) => !holds(condition, item),
    }
}
