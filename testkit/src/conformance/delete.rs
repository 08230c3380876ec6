//! Deletes of an item.
//! ([DeleteItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html))

use threadline::store::{Condition, Query, Write};

use super::support::{
    assert_item, assert_none, assert_sort_keys, done, get, put, put_all, query_all, refused, s, with, write,
};
use super::{Scope, Store};

/// A read does not return a deleted item. It still returns the items beside it.
pub async fn a_deleted_item_is_absent(store: &dyn Store, scope: &Scope) {
    put_all(store, &["a", "b", "c"].map(|sk| scope.item(sk))).await;
    done(write(store, Write::delete(scope.key("b"))).await);
    assert_none(get(store, &scope.key("b")).await);
    assert_sort_keys(&query_all(store, Query::table_consistent(scope.partition())).await, &["a", "c"]);
}

/// Deleting a missing item succeeds, so a delete may be retried.
pub async fn a_delete_of_a_missing_item_is_done(store: &dyn Store, scope: &Scope) {
    assert_none(done(write(store, Write::delete(scope.key("a")).returning_old()).await));
    assert_none(get(store, &scope.key("a")).await);
}

/// The key of a deleted item may be used again.
pub async fn a_deleted_item_may_be_put_again(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "title", s("one"))).await;
    done(write(store, Write::delete(scope.key("a"))).await);
    let second = with(scope.item("a"), "name", s("two"));
    let request = Write::put(second.clone()).when(Condition::item_absent());
    done(write(store, request).await);
    assert_item(get(store, &scope.key("a")).await, &second);
}

/// Only a delete that requests the old item returns it.
pub async fn a_delete_returns_the_old_item_only_on_request(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "title", s("one"));
    put(store, &item).await;
    assert_none(done(write(store, Write::delete(scope.key("a"))).await));
    put(store, &item).await;
    assert_item(done(write(store, Write::delete(scope.key("a")).returning_old()).await), &item);
}

/// A delete whose condition is not met does not change the item. It returns the current item only on request.
pub async fn a_refused_delete_changes_nothing(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "title", s("one"));
    put(store, &item).await;
    let request = Write::delete(scope.key("a")).when(Condition::eq("title", s("two")));
    assert_none(refused(write(store, request.clone()).await));
    assert_item(refused(write(store, request.returning_old()).await), &item);
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// A delete on the condition that the item exists is refused if the item is missing.
pub async fn a_delete_on_existence_is_refused_without_an_item(store: &dyn Store, scope: &Scope) {
    let request = Write::delete(scope.key("a")).when(Condition::item_exists()).returning_old();
    assert_none(refused(write(store, request).await));
}
