//! The meaning of conditions. ([Comparison operators and
//! functions](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html))

use std::collections::HashMap;

use threadline::entity::{AttributeValue, Key, PK, SK};
use threadline::store::{Comparison, Condition, TransactAction, TransactOutcome, Update, Write, WriteOutcome};

use super::support::{b, done, n, ns, put, refused, s, ss, transact, with, write};
use super::{Scope, Store};

const COMPARISONS: [Comparison; 6] =
    [Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];

fn compare(name: &'static str, comparison: Comparison, value: &AttributeValue) -> Condition {
    Condition::Compare(name.into(), comparison, value.clone())
}

/// Checks the result of the condition for the item with this key: in an update, and in a check of a transaction.
async fn assert_holds(store: &dyn Store, key: &Key, condition: Condition, expected: bool, what: &str) {
    assert_write(store, key, condition.clone(), expected, what).await;
    assert_check(store, key, condition, expected, what).await;
}

async fn assert_write(store: &dyn Store, key: &Key, condition: Condition, expected: bool, what: &str) {
    let update = Write::update(key.clone(), Update::new().set("checked", s(what)));
    let outcome = write(store, update.when(condition)).await;
    let held = matches!(outcome, WriteOutcome::Done { .. });
    assert_eq!(held, expected, "the result of an update's condition: {what}");
}

/// Checks the result of the condition for a missing item, which a delete does not create.
async fn assert_holds_of_nothing(store: &dyn Store, key: &Key, condition: Condition, expected: bool, what: &str) {
    let outcome = write(store, Write::delete(key.clone()).when(condition.clone())).await;
    let held = matches!(outcome, WriteOutcome::Done { .. });
    assert_eq!(held, expected, "the result of a delete's condition for a missing item: {what}");
    assert_check(store, key, condition, expected, what).await;
}

async fn assert_check(store: &dyn Store, key: &Key, condition: Condition, expected: bool, what: &str) {
    let outcome = transact(store, [TransactAction::check(key.clone(), condition)]).await;
    let held = matches!(outcome, TransactOutcome::Done { .. });
    assert_eq!(held, expected, "the result of a check in a transaction: {what}");
}

/// Checks every comparison of every two of these values, which are in ascending order.
async fn assert_ascending(store: &dyn Store, scope: &Scope, values: &[AttributeValue]) {
    for (place, stored) in values.iter().enumerate() {
        put(store, &with(scope.item("a"), "value", stored.clone())).await;
        for (other_place, other) in values.iter().enumerate() {
            for comparison in COMPARISONS {
                let expected = match comparison {
                    Comparison::Eq => place == other_place,
                    Comparison::Ne => place != other_place,
                    Comparison::Lt => place < other_place,
                    Comparison::Le => place <= other_place,
                    Comparison::Gt => place > other_place,
                    Comparison::Ge => place >= other_place,
                };
                let what = format!("{stored:?} {comparison:?} {other:?}");
                assert_write(store, &scope.key("a"), compare("value", comparison, other), expected, &what).await;
            }
        }
    }
}

/// An attribute exists with any value, including an empty string and NULL.
pub async fn an_attribute_exists_with_any_value(store: &dyn Store, scope: &Scope) {
    let values =
        [s("x"), s(""), n("0"), AttributeValue::Bool(false), AttributeValue::Null(true), AttributeValue::L(vec![])];
    for value in values {
        put(store, &with(scope.item("a"), "value", value.clone())).await;
        let what = format!("{value:?} exists");
        assert_holds(store, &scope.key("a"), Condition::exists("value"), true, &what).await;
        assert_holds(store, &scope.key("a"), Condition::absent("value"), false, &what).await;
    }
    assert_holds(store, &scope.key("a"), Condition::exists("other"), false, "a missing attribute exists").await;
    assert_holds(store, &scope.key("a"), Condition::absent("other"), true, "a missing attribute is absent").await;
}

/// A condition on existence is met if an item with the key is stored.
pub async fn an_item_exists_once_it_was_put(store: &dyn Store, scope: &Scope) {
    let key = scope.key("a");
    assert_holds_of_nothing(store, &key, Condition::item_exists(), false, "the item exists").await;
    assert_holds_of_nothing(store, &key, Condition::item_absent(), true, "the item is absent").await;
    put(store, &scope.item("a")).await;
    assert_holds(store, &key, Condition::item_exists(), true, "the item exists").await;
    assert_holds(store, &key, Condition::item_absent(), false, "the item is absent").await;
}

/// Strings compare by their UTF-8 bytes: U+FFFF comes before U+10000, unlike in UTF-16.
pub async fn strings_compare_by_their_bytes(store: &dyn Store, scope: &Scope) {
    assert_ascending(store, scope, &["", "Z", "a", "a ", "é", "\u{ffff}", "\u{10000}"].map(s)).await;
}

/// Numbers compare by value, not by text.
pub async fn numbers_compare_by_their_value(store: &dyn Store, scope: &Scope) {
    assert_ascending(store, scope, &["-1e3", "-0.00001", "0", "0.5", "9", "10", "1e20"].map(n)).await;
}

/// Binary values compare byte by byte, as unsigned numbers.
pub async fn bytes_compare_as_unsigned(store: &dyn Store, scope: &Scope) {
    let values: [&[u8]; 5] = [&[], &[1], &[1, 0], &[127], &[128]];
    assert_ascending(store, scope, &values.map(b)).await;
}

/// Two notations of one number are equal, such as `10` and `1e1`.
pub async fn numbers_are_equal_by_value(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "value", n("1000"))).await;
    for (form, expected) in [("1e3", true), ("1000.00", true), ("01000", true), ("1000.01", false), ("-1000", false)] {
        let what = format!("1000 = {form}");
        assert_holds(store, &scope.key("a"), Condition::eq("value", n(form)), expected, &what).await;
        assert_holds(store, &scope.key("a"), Condition::ne("value", n(form)), !expected, &what).await;
    }
}

/// Sets are equal if they have the same members, in any order and notation.
pub async fn sets_are_equal_without_regard_to_order(store: &dyn Store, scope: &Scope) {
    let item = with(with(scope.item("a"), "texts", ss(&["a", "b", "c"])), "numbers", ns(&["1", "2.5"]));
    put(store, &item).await;
    let cases = [
        ("texts", ss(&["c", "a", "b"]), true),
        ("texts", ss(&["a", "b"]), false),
        ("texts", ss(&["a", "b", "d"]), false),
        ("texts", AttributeValue::L(["a", "b", "c"].map(s).to_vec()), false),
        ("numbers", ns(&["25e-1", "1.0"]), true),
        ("numbers", ns(&["1", "2"]), false),
        ("numbers", ss(&["1", "2.5"]), false),
    ];
    for (name, value, expected) in cases {
        let what = format!("{name} = {value:?}");
        assert_holds(store, &scope.key("a"), Condition::eq(name, value.clone()), expected, &what).await;
        assert_holds(store, &scope.key("a"), Condition::ne(name, value), !expected, &what).await;
    }
}

/// Lists and maps are equal if their contents are equal. The order of a list matters.
pub async fn lists_and_maps_are_equal_by_their_contents(store: &dyn Store, scope: &Scope) {
    let map = |number: &str, members: &[&str]| {
        AttributeValue::M(HashMap::from([("n".to_owned(), n(number)), ("set".to_owned(), ss(members))]))
    };
    let list = |numbers: [&str; 2]| AttributeValue::L(numbers.map(n).to_vec());
    put(store, &with(with(scope.item("a"), "map", map("1", &["a", "b"])), "list", list(["1", "2"]))).await;
    let cases = [
        ("map", map("1.0", &["b", "a"]), true),
        ("map", map("2", &["a", "b"]), false),
        ("map", AttributeValue::M(HashMap::new()), false),
        ("list", list(["1e0", "2"]), true),
        ("list", list(["2", "1"]), false),
        ("list", AttributeValue::L(vec![n("1")]), false),
    ];
    for (name, value, expected) in cases {
        let what = format!("{name} = {value:?}");
        assert_holds(store, &scope.key("a"), Condition::eq(name, value), expected, &what).await;
    }
}

/// A missing attribute meets no comparison except "not equal".
pub async fn a_missing_attribute_only_satisfies_not_equal(store: &dyn Store, scope: &Scope) {
    put(store, &scope.item("a")).await;
    for comparison in COMPARISONS {
        let (what, expected) = (format!("missing {comparison:?} 1"), comparison == Comparison::Ne);
        let condition = compare("value", comparison, &n("1"));
        assert_holds(store, &scope.key("a"), condition.clone(), expected, &what).await;
        assert_holds(store, &scope.key("a"), condition.clone().not(), !expected, &format!("not: {what}")).await;
        assert_holds_of_nothing(store, &scope.key("b"), condition, expected, &what).await;
    }
}

/// If an attribute and a value have different types, only the comparison "not equal" is met. The store neither converts
/// the value nor returns an error.
pub async fn an_attribute_of_another_type_only_satisfies_not_equal(store: &dyn Store, scope: &Scope) {
    let stored = [s("1"), n("1"), b(b"1"), AttributeValue::Bool(true), AttributeValue::Null(true)];
    let compared = [s("1"), n("1"), b(b"1")];
    for (place, stored) in stored.iter().enumerate() {
        put(store, &with(scope.item("a"), "value", stored.clone())).await;
        for (_, other) in compared.iter().enumerate().filter(|(other_place, _)| *other_place != place) {
            for comparison in COMPARISONS {
                let (what, expected) = (format!("{stored:?} {comparison:?} {other:?}"), comparison == Comparison::Ne);
                assert_holds(store, &scope.key("a"), compare("value", comparison, other), expected, &what).await;
            }
        }
    }
}

/// A boolean equals only the same boolean, and NULL equals only NULL.
pub async fn booleans_and_null_can_be_equal(store: &dyn Store, scope: &Scope) {
    put(store, &with(with(scope.item("a"), "yes", AttributeValue::Bool(true)), "null", AttributeValue::Null(true)))
        .await;
    let cases = [
        ("yes", AttributeValue::Bool(true), true),
        ("yes", AttributeValue::Bool(false), false),
        ("null", AttributeValue::Null(true), true),
        ("null", AttributeValue::Bool(true), false),
    ];
    for (name, value, expected) in cases {
        let what = format!("{name} = {value:?}");
        assert_holds(store, &scope.key("a"), Condition::eq(name, value), expected, &what).await;
    }
}

/// A condition may compare the key's attributes.
pub async fn a_condition_may_test_the_key(store: &dyn Store, scope: &Scope) {
    put(store, &scope.item("b")).await;
    let key = scope.key("b");
    assert_holds(store, &key, Condition::eq(PK, s(key.pk.as_str())), true, "the partition key is its own").await;
    assert_holds(store, &key, Condition::gt(SK, s("a")), true, "the sort key is greater than a").await;
    assert_holds(store, &key, Condition::lt(SK, s("a")), false, "the sort key is less than a").await;
}

/// `All`, `Any` and `Not` combine conditions at any depth.
pub async fn conditions_combine(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "there", s("x"))).await;
    let (yes, no) = (|| Condition::exists("there"), || Condition::exists("missing"));
    let cases = [
        (Condition::All(vec![yes()]), true, "all of yes"),
        (Condition::All(vec![no()]), false, "all of no"),
        (yes().and(yes()), true, "yes and yes"),
        (yes().and(no()), false, "yes and no"),
        (no().and(yes()), false, "no and yes"),
        (Condition::Any(vec![yes()]), true, "any of yes"),
        (Condition::Any(vec![no()]), false, "any of no"),
        (no().or(no()), false, "no or no"),
        (no().or(yes()), true, "no or yes"),
        (yes().or(no()), true, "yes or no"),
        (yes().not(), false, "not yes"),
        (no().not(), true, "not no"),
        (no().not().not(), false, "not not no"),
        (no().or(yes()).and(no()), false, "(no or yes) and no"),
        (Condition::Any(vec![yes(), yes().and(no())]), true, "yes or (yes and no)"),
        (Condition::All(vec![no(), yes().or(yes())]), false, "no and (yes or yes)"),
        (yes().and(no()).not(), true, "not (yes and no)"),
        (yes().not().and(no()), false, "(not yes) and no"),
        (no().or(yes()).not(), false, "not (no or yes)"),
        (no().not().or(yes()), true, "(not no) or yes"),
        (
            Condition::Any(vec![no(), yes().not(), no().not().and(no().or(yes()))]),
            true,
            "no or not yes or (not no and (no or yes))",
        ),
    ];
    for (condition, expected, what) in cases {
        assert_holds(store, &scope.key("a"), condition, expected, what).await;
    }
}

/// A write with several conditions is done only if all of them are met.
pub async fn conditions_added_one_by_one_must_all_hold(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "there", s("x"))).await;
    let delete = |conditions: [Condition; 2]| conditions.into_iter().fold(Write::delete(scope.key("a")), Write::when);
    for conditions in [
        [Condition::exists("there"), Condition::exists("missing")],
        [Condition::exists("missing"), Condition::exists("there")],
        [Condition::exists("missing").or(Condition::exists("there")), Condition::exists("missing")],
    ] {
        refused(write(store, delete(conditions)).await);
    }
    done(write(store, delete([Condition::exists("there"), Condition::absent("missing")])).await);
}

/// Conditions test the item before the write, never its result.
pub async fn conditions_see_the_item_as_it_was(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "version", n("1"))).await;
    let to_two = || Update::new().set("version", n("2"));
    let when = |condition| Write::update(scope.key("a"), to_two()).when(condition);
    refused(write(store, when(Condition::eq("version", n("2")))).await);
    done(write(store, when(Condition::eq("version", n("1")))).await);
    refused(write(store, when(Condition::eq("version", n("1")))).await);
}

/// A condition may have 100 parts, the most that a [`Condition`] accepts. DynamoDB's own limits are 300 operators and
/// 4 KB of expression.
pub async fn a_condition_may_have_a_hundred_parts(store: &dyn Store, scope: &Scope) {
    let mut item = scope.item("a");
    let (mut equal, mut not_absent) = (Vec::new(), Vec::new());
    for number in 0..100 {
        let (name, value) = (format!("attribute{number}"), n(&number.to_string()));
        item.insert(name.clone(), value.clone());
        equal.push(Condition::eq(name.clone(), value));
        not_absent.push(Condition::absent(name).not());
    }
    put(store, &item).await;
    for (mut parts, what) in [(equal, "all of a hundred are equal"), (not_absent, "all of a hundred are not absent")] {
        assert_holds(store, &scope.key("a"), Condition::All(parts.clone()), true, what).await;
        parts[99] = Condition::exists("missing");
        assert_holds(store, &scope.key("a"), Condition::All(parts), false, what).await;
    }
}
