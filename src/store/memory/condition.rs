//! Evaluation of conditions.

use std::cmp::Ordering;

use crate::item::{Item, compare, same};
use crate::key::{PK, SK};
use crate::request::{Comparison, Condition};

/// Returns `true` if the item, or its absence, meets the condition. A checked condition is never too deep for this
/// recursion.
pub(super) fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    match condition {
        Condition::Exists(name) => has(item, name),
        Condition::Absent(name) => !has(item, name),
        Condition::Compare(name, comparison, value) => match item.and_then(|item| item.get(name)) {
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

fn has(item: Option<&Item>, name: &str) -> bool {
    // Every item in the table has its key.
    item.is_some_and(|item| name == PK || name == SK || item.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use serde_dynamo::AttributeValue;
    use serde_dynamo::AttributeValue::{B, M, N, Null, S, Ss};

    use super::*;

    fn item() -> Item {
        let mut item = Item::new();
        item.insert("text", S("b".into()));
        item.insert("number", N("10".into()));
        item.insert("bytes", B(vec![1, 200]));
        item.insert("set", Ss(vec!["a".into(), "b".into()]));
        item.insert("null", Null(true));
        item.insert("map", M([("n".to_owned(), N("1".into()))].into()));
        item
    }

    const ALL: [Comparison; 6] =
        [Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];

    /// Returns the comparisons of the attribute with the value that are true.
    fn that_hold(name: &'static str, value: AttributeValue) -> Vec<Comparison> {
        let compare = |comparison| Condition::Compare(name.into(), comparison, value.clone());
        ALL.into_iter().filter(|comparison| holds(&compare(*comparison), Some(&item()))).collect()
    }

    #[test]
    fn a_comparison_with_a_missing_attribute_is_false_except_ne() {
        assert_eq!(that_hold("missing", S("a".into())), [Comparison::Ne]);
        for comparison in ALL {
            let condition = Condition::Compare("text".into(), comparison, S("b".into()));
            assert_eq!(holds(&condition, None), comparison == Comparison::Ne, "{comparison:?} with a missing item");
        }
    }

    #[test]
    fn a_comparison_with_another_type_is_false_except_ne() {
        assert_eq!(that_hold("number", S("10".into())), [Comparison::Ne]);
        assert_eq!(that_hold("text", N("10".into())), [Comparison::Ne]);
        assert_eq!(that_hold("bytes", S("b".into())), [Comparison::Ne]);
        assert_eq!(that_hold("null", S("b".into())), [Comparison::Ne]);
    }

    #[test]
    fn values_of_one_type_are_ordered() {
        use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
        assert_eq!(that_hold("text", S("b".into())), [Eq, Le, Ge]);
        assert_eq!(that_hold("text", S("aa".into())), [Ne, Gt, Ge]);
        assert_eq!(that_hold("text", S("ba".into())), [Ne, Lt, Le]);
        assert_eq!(that_hold("number", N("9".into())), [Ne, Gt, Ge]);
        assert_eq!(that_hold("number", N("1e1".into())), [Eq, Le, Ge]);
        assert_eq!(that_hold("bytes", B(vec![1, 201])), [Ne, Lt, Le]);
        // These types have no order, even between equal values.
        assert_eq!(that_hold("null", Null(true)), [Eq]);
        assert_eq!(that_hold("set", Ss(vec!["b".into(), "a".into()])), [Eq]);
        assert_eq!(that_hold("map", M([("n".to_owned(), N("1.0".into()))].into())), [Eq]);
    }

    #[test]
    fn attribute_of_any_type_exists() {
        for name in ["text", "number", "null"] {
            assert!(holds(&Condition::exists(name), Some(&item())), "{name}");
            assert!(!holds(&Condition::absent(name), Some(&item())), "{name}");
            assert!(!holds(&Condition::exists(name), None), "{name}");
        }
        assert!(holds(&Condition::absent("missing"), Some(&item())));
        assert!(holds(&Condition::item_absent(), None));
    }

    #[test]
    fn conditions_combine() {
        let (yes, no) = (|| Condition::exists("text"), || Condition::exists("missing"));
        for (condition, expected) in [
            (yes().and(yes()), true),
            (yes().and(no()), false),
            (no().or(yes()), true),
            (no().or(no()), false),
            (no().not(), true),
            (yes().and(no()).not().and(yes()), true),
        ] {
            assert_eq!(holds(&condition, Some(&item())), expected, "{condition:?}");
        }
    }
}
