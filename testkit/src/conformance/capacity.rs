//! The capacity that a store reports as consumed. ([Read and write
//! units](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html), [writes to an
//! index](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html))
//!
//! Three cases are not tested, because DynamoDB Local reports other units for them than AWS charges:
//!
//! * an empty query: no units
//! * a transaction: the units of single writes, not twice as many
//! * a delete of a missing item in a batch: two units

use threadline::entity::{GSI1SK, Item, Key};
use threadline::store::{BatchAction, BatchGet, Capacity, Condition, Get, Query, StoreExt, Units, Update, Write};

use super::support::{batch_write, n, of_size, put, put_all, query, s, with, write};
use super::{Scope, Store};

#[track_caller]
fn assert_consumed(found: Capacity, expected: Capacity, what: &str) {
    assert_eq!(found, expected, "what is consumed by {what}");
}

fn reads(halves: u64) -> Capacity {
    Capacity::reads(Units::halves(halves))
}

fn writes(table: u64, index: u64) -> Capacity {
    Capacity { index_write: Units::whole(index), ..Capacity::writes(Units::whole(table)) }
}

async fn assert_write(store: &dyn Store, request: Write, expected: Capacity, what: &str) {
    assert_consumed(write(store, request).await.capacity(), expected, what);
}

async fn assert_get(store: &dyn Store, key: &Key, halves: u64, what: &str) {
    let get = |request| async move { store.get(request).await.expect("a get must be answered").capacity };
    assert_consumed(get(Get::new(key.clone())).await, reads(halves), &format!("an eventual get of {what}"));
    assert_consumed(
        get(Get::new(key.clone()).consistent()).await,
        reads(2 * halves),
        &format!("a consistent get of {what}"),
    );
}

fn put_write(item: Item) -> Write {
    Write::put(item)
}

fn set(scope: &Scope, sk: &str, name: &'static str, text: &str) -> Write {
    Write::update(scope.key(sk), Update::new().set(name, s(text)))
}

/// A get consumes half a unit per 4 KB, and a consistent get consumes one. A get of a missing item consumes as much as
/// a get of an item of 4 KB.
pub async fn a_get_consumes_half_a_unit_per_4_kb(store: &dyn Store, scope: &Scope) {
    assert_get(store, &scope.key("missing"), 1, "a missing item").await;
    for (sk, bytes, halves) in [("a", 4096, 1), ("b", 4097, 2), ("c", 20_000, 5)] {
        put(store, &of_size(scope.item(sk), bytes)).await;
        assert_get(store, &scope.key(sk), halves, &format!("{bytes} bytes")).await;
    }
}

/// A query adds up the sizes of its items and rounds the sum up once.
pub async fn a_query_rounds_the_sum_of_its_items(store: &dyn Store, scope: &Scope) {
    for sk in ["a", "b", "c"] {
        put(store, &of_size(scope.indexed(sk, sk), 2000)).await;
    }
    let consumed = |request| async move { query(store, request).await.capacity };
    assert_consumed(consumed(Query::table(scope.partition())).await, reads(2), "an eventual query of 6000 bytes");
    assert_consumed(
        consumed(Query::table_consistent(scope.partition())).await,
        reads(4),
        "a consistent query of 6000 bytes",
    );
    assert_consumed(
        consumed(Query::table(scope.partition()).limit(super::support::limit(2))).await,
        reads(1),
        "an eventual query of 4000 bytes",
    );
    assert_consumed(
        consumed(Query::index(scope.index_partition())).await,
        Capacity { index_read: Units::whole(1), ..Capacity::default() },
        "a query of 6000 bytes of the index",
    );
}

/// A batch of reads rounds the size of each item up.
pub async fn a_batch_of_reads_rounds_each_item(store: &dyn Store, scope: &Scope) {
    put_all(store, &["a", "b"].map(|sk| scope.item(sk))).await;
    put(store, &of_size(scope.item("c"), 4097)).await;
    let keys = || BatchGet::new(["a", "b", "c"].map(|sk| scope.key(sk)).to_vec());
    let consumed = |request| async move { store.batch_get(request).await.expect("a batch must be answered").capacity };
    assert_consumed(consumed(keys()).await, reads(4), "an eventual batch of two small items and one of 4097 bytes");
    assert_consumed(consumed(keys().consistent()).await, reads(8), "the same, consistent");
}

/// A put consumes one unit per 1 KB of the larger item: the old or the new one.
pub async fn a_put_consumes_for_the_larger_item(store: &dyn Store, scope: &Scope) {
    let sized = |bytes| put_write(of_size(scope.item("a"), bytes));
    assert_write(store, sized(1024), writes(1, 0), "a put of 1024 bytes").await;
    assert_write(store, sized(1025), writes(2, 0), "a put of 1025 bytes over 1024").await;
    assert_write(store, sized(200), writes(2, 0), "a put of 200 bytes over 1025").await;
    assert_write(store, sized(300), writes(1, 0), "a put of 300 bytes over 200").await;
}

/// An update consumes units for the whole item, even for a small change.
pub async fn an_update_consumes_for_the_whole_item(store: &dyn Store, scope: &Scope) {
    assert_write(store, set(scope, "new", "title", "x"), writes(1, 0), "an update that creates a small item").await;
    put(store, &of_size(scope.item("a"), 3000)).await;
    assert_write(store, set(scope, "a", "title", "x"), writes(3, 0), "an update of 3000 bytes").await;
    let shrink = Write::update(scope.key("a"), Update::new().remove("data"));
    assert_write(store, shrink, writes(3, 0), "an update that removes most of 3000 bytes").await;
    assert_write(store, set(scope, "a", "title", "y"), writes(1, 0), "an update of the remaining item").await;
}

/// A delete consumes units for the deleted item, and one unit for a missing item.
pub async fn a_delete_consumes_for_the_deleted_item(store: &dyn Store, scope: &Scope) {
    put(store, &of_size(scope.item("a"), 2049)).await;
    assert_write(store, Write::delete(scope.key("a")), writes(3, 0), "a delete of 2049 bytes").await;
    assert_write(store, Write::delete(scope.key("a")), writes(1, 0), "a delete of nothing").await;
}

/// A write whose condition is not met consumes at least one unit.
pub async fn a_refused_write_consumes_a_unit_or_more(store: &dyn Store, scope: &Scope) {
    put(store, &scope.item("a")).await;
    let request = put_write(scope.item("a")).when(Condition::item_absent());
    let consumed = write(store, request).await.capacity();
    assert!(consumed.write() >= Units::whole(1), "a refused write consumes a unit or more, not {consumed}");
    assert_eq!(consumed.index_write, Units::ZERO, "a refused write does not touch the index");
}

/// A batch of writes rounds the size of each item up.
pub async fn a_batch_of_writes_rounds_each_item(store: &dyn Store, scope: &Scope) {
    put(store, &of_size(scope.item("gone"), 1025)).await;
    let batch = vec![
        BatchAction::Put(scope.item("a")),
        BatchAction::Put(of_size(scope.item("b"), 1025)),
        BatchAction::Put(scope.indexed("c", "1")),
        BatchAction::Delete(scope.key("gone")),
    ];
    assert_consumed(batch_write(store, batch).await, writes(6, 1), "a batch of three puts and a delete");
}

/// A write of an item outside the index consumes no index unit.
pub async fn a_write_outside_the_index_consumes_none_of_it(store: &dyn Store, scope: &Scope) {
    assert_write(store, put_write(scope.item("a")), writes(1, 0), "a put").await;
    assert_write(store, set(scope, "a", "title", "x"), writes(1, 0), "an update").await;
    assert_write(store, set(scope, "a", GSI1SK, "x"), writes(1, 0), "an update of half an index key").await;
    assert_write(store, Write::delete(scope.key("a")), writes(1, 0), "a delete").await;
}

/// A write that adds an item to the index, or removes it from the index, consumes one index write.
pub async fn an_item_that_enters_or_leaves_the_index_is_written_there_once(store: &dyn Store, scope: &Scope) {
    let item = scope.indexed("a", "1");
    assert_write(store, put_write(item.clone()), writes(1, 1), "a put of a new item in the index").await;
    assert_write(store, Write::delete(scope.key("a")), writes(1, 1), "a delete of an item in the index").await;
    put(store, &scope.item("a")).await;
    assert_write(store, put_write(item), writes(1, 1), "a put that takes an item into the index").await;
    let leave = Write::update(scope.key("a"), Update::new().remove(GSI1SK));
    assert_write(store, leave, writes(1, 1), "an update that removes an index key").await;
    assert_write(store, set(scope, "a", GSI1SK, "1"), writes(1, 1), "an update that sets an index key").await;
}

/// A write that does not change its item consumes no index unit.
pub async fn an_identical_write_consumes_none_of_the_index(store: &dyn Store, scope: &Scope) {
    let item = with(scope.indexed("a", "1"), "title", s("one"));
    put(store, &item).await;
    assert_write(store, put_write(item), writes(1, 0), "an identical put").await;
    assert_write(store, set(scope, "a", "title", "one"), writes(1, 0), "an update to the same value").await;
}

/// A change of an attribute that is not an index key consumes one index write, because all attributes are projected.
pub async fn a_projected_change_is_written_to_the_index_once(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.indexed("a", "1"), "count", n("1"))).await;
    assert_write(store, set(scope, "a", "title", "x"), writes(1, 1), "an update of a projected attribute").await;
    let put_again = put_write(with(scope.indexed("a", "1"), "count", n("2")));
    assert_write(store, put_again, writes(1, 1), "a put with a changed attribute").await;
}

/// A change of the index key consumes two index writes: the old entry is deleted and a new one is put.
pub async fn an_item_that_moves_in_the_index_is_written_there_twice(store: &dyn Store, scope: &Scope) {
    put(store, &scope.indexed("a", "1")).await;
    assert_write(store, set(scope, "a", GSI1SK, "2"), writes(1, 2), "an update of an index key").await;
    assert_write(store, put_write(scope.indexed("a", "3")), writes(1, 2), "a put with another index key").await;
    let condition = Condition::lt(GSI1SK, s("4"));
    let forward = set(scope, "a", GSI1SK, "4").when(condition);
    assert_write(store, forward, writes(1, 2), "a conditional update of an index key").await;
}

/// An index write consumes one unit per 1 KB of the larger entry: the old or the new one.
pub async fn the_index_consumes_for_the_size_of_its_entry(store: &dyn Store, scope: &Scope) {
    let large = of_size(scope.indexed("a", "1"), 2500);
    assert_write(store, put_write(large), writes(3, 3), "a put of 2500 bytes in the index").await;
    assert_write(store, set(scope, "a", GSI1SK, "2"), writes(3, 6), "an update of the index key of 2500 bytes").await;
    let shrink = Write::update(scope.key("a"), Update::new().remove("data"));
    assert_write(store, shrink, writes(3, 3), "an update that removes most of 2500 bytes").await;
}
