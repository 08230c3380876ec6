//! Puts of a whole item. ([PutItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html))

use threadline::store::{Condition, Query, Write};

use super::support::{
    assert_item, assert_none, assert_sort_keys, done, get, limit, put, query_all, refused, s, with, write,
};
use super::{Scope, Store};

/// A key may be any text, because other programs may write keys that Threadline never writes. Such items can be read
/// page by page, in the table and in the index.
pub async fn a_key_may_be_any_text(store: &dyn Store, scope: &Scope) {
    let texts = ["#", "#METADATA#1", "a\u{1}", "a\nb", "a##b", "b#"];
    for text in texts {
        put(store, &scope.indexed(text, text)).await;
        assert_item(get(store, &scope.key(text)).await, &scope.indexed(text, text));
    }
    for source in [Query::table_consistent(scope.partition()), Query::index(scope.index_partition())] {
        assert_sort_keys(&query_all(store, source.limit(limit(1))).await, &texts);
    }
}

/// A put removes all attributes of the old item.
pub async fn a_put_replaces_the_whole_item(store: &dyn Store, scope: &Scope) {
    put(store, &with(with(scope.item("a"), "title", s("one")), "draft", s("yes"))).await;
    let second = with(scope.item("a"), "title", s("two"));
    put(store, &second).await;
    assert_item(get(store, &scope.key("a")).await, &second);
}

/// Putting the same item again succeeds and changes nothing.
pub async fn the_same_item_may_be_put_again(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "title", s("one"));
    put(store, &item).await;
    put(store, &item).await;
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// Only a put that requests the old item returns it.
pub async fn a_put_returns_the_old_item_only_on_request(store: &dyn Store, scope: &Scope) {
    let [one, two, three] = ["one", "two", "three"].map(|title| with(scope.item("a"), "title", s(title)));
    put(store, &one).await;
    assert_none(done(write(store, Write::put(two.clone())).await));
    assert_item(done(write(store, Write::put(three).returning_old()).await), &two);
}

/// A put of a new item returns no old item.
pub async fn a_put_of_a_new_item_has_no_old_item(store: &dyn Store, scope: &Scope) {
    assert_none(done(write(store, Write::put(scope.item("a")).returning_old()).await));
}

/// Of two puts on the condition that no item exists, only the first is done.
pub async fn of_two_puts_on_absence_the_first_wins(store: &dyn Store, scope: &Scope) {
    let [first, second] = ["first", "second"].map(|title| with(scope.item("a"), "title", s(title)));
    let put_new = |item| Write::put(item).when(Condition::item_absent());
    done(write(store, put_new(first.clone())).await);
    refused(write(store, put_new(second)).await);
    assert_item(get(store, &scope.key("a")).await, &first);
}

/// A put whose condition is not met leaves the item unchanged.
pub async fn a_refused_put_changes_nothing(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "title", s("one"));
    put(store, &item).await;
    let request = Write::put(with(scope.item("a"), "title", s("two")));
    refused(write(store, request.when(Condition::eq("title", s("three")))).await);
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// A put whose condition is not met returns the current item only on request.
pub async fn a_refused_put_returns_the_current_item_only_on_request(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "title", s("one"));
    put(store, &item).await;
    let request = Write::put(scope.item("a")).when(Condition::item_absent());
    assert_none(refused(write(store, request.clone()).await));
    assert_item(refused(write(store, request.returning_old()).await), &item);
}

/// A put on the condition that the item exists is refused if the item is missing. It creates no item.
pub async fn a_put_on_existence_creates_no_item(store: &dyn Store, scope: &Scope) {
    let request = Write::put(scope.item("a")).when(Condition::item_exists()).returning_old();
    assert_none(refused(write(store, request).await));
    assert_none(get(store, &scope.key("a")).await);
}
