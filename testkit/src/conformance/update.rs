//! Changes of an item's attributes.
//! ([UpdateItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html), [update
//! expressions](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html))

use threadline::entity::AttributeValue;
use threadline::store::{Condition, StoreExt, Update, Write};

use super::support::{assert_invalid, assert_item, assert_none, done, get, n, put, refused, s, with, write};
use super::{Scope, Store};

fn update(scope: &Scope, update: Update) -> Write {
    Write::update(scope.key("a"), update)
}

/// An update keeps the attributes that it does not name.
pub async fn an_update_changes_only_what_it_names(store: &dyn Store, scope: &Scope) {
    let before = with(with(with(scope.item("a"), "title", s("one")), "count", n("1")), "draft", s("yes"));
    put(store, &before).await;
    done(write(store, update(scope, Update::new().set("title", s("two")).add("count", 1).remove("draft"))).await);
    assert_item(get(store, &scope.key("a")).await, &with(with(scope.item("a"), "title", s("two")), "count", n("2")));
}

/// An update of a missing item creates the item, with its key and the set attributes.
pub async fn an_update_creates_a_missing_item(store: &dyn Store, scope: &Scope) {
    assert_none(done(write(store, update(scope, Update::new().set("title", s("one"))).returning_old()).await));
    assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), "title", s("one")));
}

/// An update on the condition that the item exists does not create a missing item.
pub async fn an_update_on_existence_creates_no_item(store: &dyn Store, scope: &Scope) {
    let request = update(scope, Update::new().set("title", s("one"))).when(Condition::item_exists());
    assert_none(refused(write(store, request.returning_old()).await));
    assert_none(get(store, &scope.key("a")).await);
}

/// An update that sets an attribute may change the attribute's type.
pub async fn a_set_may_change_the_type_of_an_attribute(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "value", s("text"))).await;
    done(write(store, update(scope, Update::new().set("value", AttributeValue::L(vec![n("1")])))).await);
    let expected = with(scope.item("a"), "value", AttributeValue::L(vec![n("1")]));
    assert_item(get(store, &scope.key("a")).await, &expected);
}

/// [`set_if_absent`](Update::set_if_absent) sets a missing attribute, but keeps an existing value, even NULL.
pub async fn a_set_if_absent_sets_only_what_is_missing(store: &dyn Store, scope: &Scope) {
    let before = with(with(scope.item("a"), "title", s("one")), "nothing", AttributeValue::Null(true));
    put(store, &before).await;
    let all =
        ["title", "nothing", "new"].into_iter().fold(Update::new(), |all, name| all.set_if_absent(name, s("two")));
    done(write(store, update(scope, all)).await);
    assert_item(get(store, &scope.key("a")).await, &with(before, "new", s("two")));
}

/// An addition to a missing attribute begins at zero, even if the item is missing.
pub async fn an_add_to_a_missing_attribute_counts_from_zero(store: &dyn Store, scope: &Scope) {
    done(write(store, update(scope, Update::new().add("count", 3))).await);
    assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), "count", n("3")));
    done(write(store, update(scope, Update::new().add("less", -2))).await);
    let expected = with(with(scope.item("a"), "count", n("3")), "less", n("-2"));
    assert_item(get(store, &scope.key("a")).await, &expected);
}

/// An addition is exact in decimal, for numbers of any size and sign.
pub async fn an_add_is_exact(store: &dyn Store, scope: &Scope) {
    let sums = [
        ("5", -7, "-2"),
        ("-1", 1, "0"),
        ("0.1", 2, "2.1"),
        ("99999999999999999999999999999999999998", 1, "99999999999999999999999999999999999999"),
        ("9223372036854775807", i64::MAX, "18446744073709551614"),
        ("0", i64::MIN, "-9223372036854775808"),
    ];
    for (before, number, after) in sums {
        put(store, &with(scope.item("a"), "count", n(before))).await;
        done(write(store, update(scope, Update::new().add("count", number))).await);
        assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), "count", n(after)));
    }
}

/// An addition to a value that is not a number is refused, and the update makes no other change.
pub async fn an_add_to_text_is_invalid_and_changes_nothing(store: &dyn Store, scope: &Scope) {
    let values = [s("1"), AttributeValue::Null(true), AttributeValue::L(vec![n("1")]), AttributeValue::Bool(true)];
    for value in values {
        let item = with(with(scope.item("a"), "count", value), "title", s("one"));
        put(store, &item).await;
        let request = update(scope, Update::new().set("title", s("two")).add("count", 1));
        assert_invalid(store.write(request).await, "an add to an attribute that is no number");
        assert_item(get(store, &scope.key("a")).await, &item);
    }
}

/// A sum of more than 38 digits is refused, not rounded.
pub async fn an_add_to_more_than_38_digits_is_invalid_and_changes_nothing(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "count", n("10000000000000000000000000000000000000000"));
    put(store, &item).await;
    let request = update(scope, Update::new().set("title", s("x")).add("count", 1));
    assert_invalid(store.write(request).await, "an add that makes a number of 41 digits");
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// Removing a missing attribute succeeds, so an update may be retried.
pub async fn a_remove_of_a_missing_attribute_is_done(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "title", s("one"));
    put(store, &item).await;
    done(write(store, update(scope, Update::new().remove("draft"))).await);
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// Only an update that requests the old item returns it.
pub async fn an_update_returns_the_old_item_only_on_request(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "count", n("1"))).await;
    let request = update(scope, Update::new().add("count", 1));
    assert_none(done(write(store, request.clone()).await));
    assert_item(done(write(store, request.returning_old()).await), &with(scope.item("a"), "count", n("2")));
}

/// An update whose condition is not met does not change the item. It returns the current item only on request.
pub async fn a_refused_update_changes_nothing(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "count", n("1"));
    put(store, &item).await;
    let request = update(scope, Update::new().add("count", 1)).when(Condition::lt("count", n("1")));
    assert_none(refused(write(store, request.clone()).await));
    assert_item(refused(write(store, request.returning_old()).await), &item);
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// An attribute may have any name, including DynamoDB's reserved words and the special characters of its expressions.
pub async fn attributes_may_have_any_name(store: &dyn Store, scope: &Scope) {
    let names = ["name", "size", "SET", "a.b", "a[0]", "two words", "#n0", ":v0", "emoji 🙂", "-", "1"];
    let mut expected = scope.item("a");
    let mut changes = Update::new();
    for name in names {
        changes = changes.set(name, s(name));
        expected.insert(name, s(name));
    }
    done(write(store, update(scope, changes)).await);
    assert_item(get(store, &scope.key("a")).await, &expected);
    for name in names {
        let request = update(scope, Update::new().remove(name)).when(Condition::eq(name, s(name)));
        done(write(store, request).await);
        expected.remove(name);
    }
    assert_item(get(store, &scope.key("a")).await, &expected);
}

/// An update may change 100 attributes, the most that an [`Update`] accepts.
pub async fn an_update_may_change_a_hundred_attributes(store: &dyn Store, scope: &Scope) {
    let mut expected = scope.item("a");
    let mut changes = Update::new();
    for number in 0..100 {
        let name = format!("attribute{number}");
        changes = changes.set_if_absent(name.clone(), s("x"));
        expected.insert(name, s("x"));
    }
    done(write(store, update(scope, changes)).await);
    assert_item(get(store, &scope.key("a")).await, &expected);
}
