//! The index: its items and their order. ([Global secondary
//! indexes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html), [sparse
//! indexes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html))

use threadline::entity::{GSI1PK, GSI1SK, IndexKey, Item, PartitionKey};
use threadline::store::{Order, Query, Update, Write};

use super::scope::with_index_key;
use super::support::{assert_item, assert_sort_keys, done, get, n, put, put_all, query_all, s, with, write};
use super::{Scope, Store};

async fn in_index(store: &dyn Store, partition: PartitionKey) -> Vec<Item> {
    query_all(store, Query::index(partition)).await
}

async fn update(store: &dyn Store, scope: &Scope, update: Update) {
    done(write(store, Write::update(scope.key("a"), update)).await);
}

/// An item with both index keys is in the index, with all its attributes.
pub async fn the_index_holds_all_of_an_item_with_both_index_keys(store: &dyn Store, scope: &Scope) {
    let item = with(with(scope.indexed("a", "1"), "title", s("opa")), "count", n("1"));
    put(store, &item).await;
    let found = in_index(store, scope.index_partition()).await;
    assert_eq!(found.len(), 1, "the items in the index");
    assert_item(found.into_iter().next(), &item);
}

/// An item that lacks one of the two index keys is not in the index.
pub async fn an_item_without_both_index_keys_is_not_in_the_index(store: &dyn Store, scope: &Scope) {
    put(store, &scope.item("none")).await;
    put(store, &with(scope.item("partition only"), GSI1PK, s(scope.index_partition().as_str()))).await;
    put(store, &with(scope.item("sort only"), GSI1SK, s("1"))).await;
    put(store, &scope.indexed("both", "1")).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &["both"]);
}

/// The index sorts items by its own sort keys.
pub async fn the_index_has_its_own_order(store: &dyn Store, scope: &Scope) {
    put_all(store, &[("a", "3"), ("b", "1"), ("c", "2")].map(|(sk, index_sk)| scope.indexed(sk, index_sk))).await;
    let request = Query::index(scope.index_partition());
    assert_sort_keys(&query_all(store, request.clone()).await, &["b", "c", "a"]);
    assert_sort_keys(&query_all(store, request.order(Order::Descending)).await, &["a", "c", "b"]);
}

/// Several items may have the same keys in the index.
pub async fn two_items_may_have_the_same_index_key(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.indexed("a", "same"), scope.indexed("b", "same")]).await;
    let items = in_index(store, scope.index_partition()).await;
    let mut found = super::support::sort_keys(&items);
    found.sort_unstable();
    assert_eq!(found, ["a", "b"], "the items in the index");
}

/// An item enters the index when its index keys are set.
pub async fn an_update_adds_an_item_to_the_index(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), GSI1PK, s(scope.index_partition().as_str()))).await;
    update(store, scope, Update::new().set(GSI1SK, s("1"))).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &["a"]);
}

/// An item leaves the index when one of its index keys is removed.
pub async fn an_update_removes_an_item_from_the_index(store: &dyn Store, scope: &Scope) {
    put(store, &scope.indexed("a", "1")).await;
    update(store, scope, Update::new().remove(GSI1SK)).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &[]);
    assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), GSI1PK, s(scope.index_partition().as_str())));
}

/// A change of the index sort key moves the item within its index partition. The old position is then empty.
pub async fn an_update_moves_an_item_in_the_index(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.indexed("a", "1"), scope.indexed("b", "2")]).await;
    update(store, scope, Update::new().set(GSI1SK, s("3"))).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &["b", "a"]);
}

/// A change of the index partition key moves the item to another index partition.
pub async fn an_update_moves_an_item_to_another_partition_of_the_index(store: &dyn Store, scope: &Scope) {
    put(store, &scope.indexed("a", "1")).await;
    update(store, scope, Update::new().set(GSI1PK, s(scope.other_index_partition().as_str()))).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &[]);
    assert_sort_keys(&in_index(store, scope.other_index_partition()).await, &["a"]);
}

/// The index shows a change of an attribute that is not a key.
pub async fn an_update_of_another_attribute_shows_in_the_index(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.indexed("a", "1"), "title", s("one"))).await;
    update(store, scope, Update::new().set("title", s("two"))).await;
    let found = in_index(store, scope.index_partition()).await;
    assert_item(found.into_iter().next(), &with(scope.indexed("a", "1"), "title", s("two")));
}

/// A put that replaces an item adds it to the index, moves it, or removes it.
pub async fn a_put_moves_an_item_in_the_index(store: &dyn Store, scope: &Scope) {
    put(store, &scope.indexed("a", "1")).await;
    put(store, &scope.item("a")).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &[]);
    put(store, &scope.indexed("a", "1")).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &["a"]);
    let elsewhere = IndexKey::new(scope.other_index_partition(), scope.index_key("1").sk);
    put(store, &with_index_key(scope.item("a"), &elsewhere)).await;
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &[]);
    assert_sort_keys(&in_index(store, scope.other_index_partition()).await, &["a"]);
}

/// A deleted item leaves the index.
pub async fn a_delete_removes_an_item_from_the_index(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.indexed("a", "same"), scope.indexed("b", "same")]).await;
    done(write(store, Write::delete(scope.key("a"))).await);
    assert_sort_keys(&in_index(store, scope.index_partition()).await, &["b"]);
}
