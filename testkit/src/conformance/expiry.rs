//! Expired items, which the table may keep for some days. ([Time to
//! live](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html))
//!
//! The checks of these behaviors set no clock: an item that expired in 1970 has expired by any clock. DynamoDB does not
//! delete it, because it never deletes items that expired more than five years ago.

use threadline::entity::{EXPIRES_AT, Item, PK};
use threadline::store::{CancelCode, Condition, Query, Scan, TransactOutcome, Update, Write};

use super::support::{
    assert_item, assert_none, assert_sort_keys, batch_get, done, get, limit, n, put, put_all, query, query_all,
    refused, s, scan_pages, with, write,
};
use super::{Scope, Store};

/// Ten seconds after the epoch.
const PAST: &str = "10";
/// In the year 2286.
const FUTURE: &str = "10000000000";

fn expired(item: Item) -> Item {
    with(item, EXPIRES_AT, n(PAST))
}

/// A read does not return an expired item.
pub async fn an_expired_item_is_not_read(store: &dyn Store, scope: &Scope) {
    put(store, &expired(scope.item("a"))).await;
    assert_none(get(store, &scope.key("a")).await);
}

/// A read returns an item before its expiry. An item never expires if its `expires_at` is not a number.
pub async fn an_item_is_read_until_it_expires(store: &dyn Store, scope: &Scope) {
    for (sk, expires_at) in [("future", n(FUTURE)), ("text", s(PAST))] {
        let item = with(scope.item(sk), EXPIRES_AT, expires_at);
        put(store, &item).await;
        assert_item(get(store, &scope.key(sk)).await, &item);
    }
}

/// A query of the table or the index omits expired items.
pub async fn a_query_leaves_expired_items_out(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.indexed("a", "1"), expired(scope.indexed("b", "2")), scope.indexed("c", "3")]).await;
    for request in [Query::table_consistent(scope.partition()), Query::index(scope.index_partition())] {
        assert_sort_keys(&query_all(store, request).await, &["a", "c"]);
    }
}

/// A limit counts all items read, including expired ones. So an empty page may have a next page.
pub async fn a_limit_counts_expired_items(store: &dyn Store, scope: &Scope) {
    for sk in ["a", "b", "c"] {
        put(store, &expired(scope.indexed(sk, sk))).await;
    }
    put(store, &scope.indexed("d", "d")).await;
    for request in [Query::table_consistent(scope.partition()), Query::index(scope.index_partition())] {
        let request = request.limit(limit(2));
        let first = query(store, request.clone()).await;
        assert_sort_keys(&first.items, &[]);
        let next = first.next.expect("a page that its limit ended must have a position");
        assert_eq!(next.key, scope.key("b"), "the position is that of the last item read, expired or not");
        assert_sort_keys(&query_all(store, request.start(Some(next))).await, &["d"]);
    }
}

/// A scan omits expired items.
pub async fn a_scan_leaves_expired_items_out(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.item("a"), expired(scope.item("b"))]).await;
    let pages = scan_pages(store, Scan::new()).await;
    let is_own = |item: &Item| item.get_s(PK) == Some(scope.partition().as_str());
    let found: Vec<Item> = pages.into_iter().flat_map(|page| page.items).filter(is_own).collect();
    assert_sort_keys(&found, &["a"]);
}

/// A batch of reads omits expired items. The answer does not list their keys as unprocessed.
pub async fn a_batch_leaves_expired_items_out(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.item("a"), expired(scope.item("b"))]).await;
    let output = batch_get(store, vec![scope.key("a"), scope.key("b")]).await;
    assert_sort_keys(&output.items, &["a"]);
    assert!(output.unprocessed.is_empty(), "an expired item is not an unprocessed one");
}

/// A write does not return the old item if it had expired.
pub async fn an_expired_item_is_not_returned_as_the_old_one(store: &dyn Store, scope: &Scope) {
    let writes = [
        Write::put(scope.item("a")),
        Write::update(scope.key("a"), Update::new().set("title", s("x"))),
        Write::delete(scope.key("a")),
    ];
    for request in writes {
        put(store, &expired(scope.item("a"))).await;
        assert_none(done(write(store, request.returning_old()).await));
    }
}

/// A write whose condition is not met does not return the current item if it has expired.
pub async fn an_expired_item_is_not_returned_as_the_current_one(store: &dyn Store, scope: &Scope) {
    put(store, &expired(scope.item("a"))).await;
    let request = Write::put(scope.item("a")).when(Condition::item_absent()).returning_old();
    assert_none(refused(write(store, request.clone()).await));
    match super::support::transact(store, [request]).await {
        TransactOutcome::Canceled { reasons, .. } => {
            assert_eq!(reasons[0].code, CancelCode::ConditionFailed);
            assert_none(reasons[0].current.clone());
        }
        TransactOutcome::Done { .. } => panic!("the transaction must be canceled, but was done"),
    }
}

/// A condition sees an expired item, as on DynamoDB. A write replaces such an item only if the item meets the
/// condition.
pub async fn an_expired_item_counts_for_conditions(store: &dyn Store, scope: &Scope) {
    let item = expired(with(scope.item("a"), "title", s("one")));
    put(store, &item).await;
    let put_when = |condition| Write::put(scope.item("a")).when(condition);
    refused(write(store, put_when(Condition::item_absent())).await);
    refused(write(store, put_when(Condition::ne("title", s("one")))).await);
    let absent_or_expired = Condition::item_absent().or(Condition::lt(EXPIRES_AT, n("11")));
    done(write(store, put_when(absent_or_expired)).await);
    assert_item(get(store, &scope.key("a")).await, &scope.item("a"));
}

/// An update changes an expired item, and may set a later expiry.
pub async fn an_update_may_extend_an_expired_item(store: &dyn Store, scope: &Scope) {
    put(store, &expired(with(scope.item("a"), "count", n("1")))).await;
    let update = Update::new().add("count", 1).set(EXPIRES_AT, n(FUTURE));
    done(write(store, Write::update(scope.key("a"), update)).await);
    let expected = with(with(scope.item("a"), "count", n("2")), EXPIRES_AT, n(FUTURE));
    assert_item(get(store, &scope.key("a")).await, &expected);
}
