//! Reads of a partition. ([Query](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.html))

use threadline::entity::{Item, Key, KeySegment, SortKeyPrefix};
use threadline::store::{Order, Query, SortRange};

use super::scope::{item_at, sort_key};
use super::support::{assert_item, assert_sort_keys, n, put, put_all, query, query_all, s, with};
use super::{Scope, Store};

/// Puts items with these sort keys from the last to the first, so that the order of writes differs from that of keys.
async fn put_backwards(store: &dyn Store, scope: &Scope, sort_keys: &[&str]) {
    for sk in sort_keys.iter().rev() {
        put(store, &scope.item(sk)).await;
    }
}

fn prefix(text: &str) -> SortRange {
    SortRange::BeginsWith(SortKeyPrefix::new((KeySegment::new(text).unwrap(),)))
}

/// Checks the items of the range, in both orders, in a table and in an index with the same sort keys.
async fn assert_range(store: &dyn Store, scope: &Scope, range: SortRange, expected: &[&str]) {
    let backwards: Vec<&str> = expected.iter().rev().copied().collect();
    for source in [Query::table_consistent(scope.partition()), Query::index(scope.index_partition())] {
        let query = source.range(range.clone());
        assert_sort_keys(&query_all(store, query.clone()).await, expected);
        assert_sort_keys(&query_all(store, query.order(Order::Descending)).await, &backwards);
    }
}

/// Puts items with these sort keys, both in the table and in the index.
async fn put_in_both(store: &dyn Store, scope: &Scope, sort_keys: &[&str]) {
    let items: Vec<Item> = sort_keys.iter().map(|sk| scope.indexed(sk, sk)).collect();
    put_all(store, &items).await;
}

/// A query reads whole items in the order of their sort keys.
pub async fn a_partition_is_read_in_the_order_of_its_sort_keys(store: &dyn Store, scope: &Scope) {
    put_backwards(store, scope, &["a", "b", "c"]).await;
    let last = with(with(scope.item("d"), "title", s("opa")), "count", n("1"));
    put(store, &last).await;
    let items = query_all(store, Query::table_consistent(scope.partition())).await;
    assert_sort_keys(&items, &["a", "b", "c", "d"]);
    assert_item(items.last().cloned(), &last);
}

/// A descending query reads in reverse order.
pub async fn a_partition_may_be_read_backwards(store: &dyn Store, scope: &Scope) {
    put_backwards(store, scope, &["a", "b", "c"]).await;
    let items = query_all(store, Query::table_consistent(scope.partition()).order(Order::Descending)).await;
    assert_sort_keys(&items, &["c", "b", "a"]);
}

/// An empty partition returns no item, no position and no error.
pub async fn an_empty_partition_returns_an_empty_page(store: &dyn Store, scope: &Scope) {
    for request in [Query::table_consistent(scope.partition()), Query::index(scope.index_partition())] {
        let page = query(store, request).await;
        assert_sort_keys(&page.items, &[]);
        assert_eq!(page.next, None, "an empty partition has no next page");
    }
}

/// A query reads only its own partition. It does not read a partition whose key only begins with the same text.
pub async fn a_query_reads_one_partition_only(store: &dyn Store, scope: &Scope) {
    put(store, &scope.item("here")).await;
    put(store, &item_at(&Key::new(scope.other_partition(), sort_key("there")))).await;
    assert_sort_keys(&query_all(store, Query::table_consistent(scope.partition())).await, &["here"]);
    assert_sort_keys(&query_all(store, Query::table_consistent(scope.other_partition())).await, &["there"]);
}

/// Sort keys compare by their UTF-8 bytes: U+FFFF comes before U+10000, unlike in UTF-16.
pub async fn sort_keys_are_ordered_by_their_bytes(store: &dyn Store, scope: &Scope) {
    let ascending = ["!", "1", "10", "2", "Z", "Z#1", "a", "ab", "z", "é", "\u{ffff}", "\u{10000}"];
    put_in_both(store, scope, &ascending).await;
    assert_range(store, scope, SortRange::All, &ascending).await;
    assert_range(store, scope, SortRange::After(sort_key("\u{ffff}")), &["\u{10000}"]).await;
    assert_range(store, scope, SortRange::Before(sort_key("10")), &["!", "1"]).await;
}

/// A prefix consists of whole segments, each with a `#` after it. So the prefix of the segment `1` is `1#`, which
/// matches neither the sort key `10` nor `1`.
pub async fn begins_with_reads_whole_segments(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["1", "1!", "1#a", "1#b", "1#b#c", "10", "10#a", "2#a"]).await;
    assert_range(store, scope, prefix("1"), &["1#a", "1#b", "1#b#c"]).await;
    assert_range(store, scope, prefix("10"), &["10#a"]).await;
    assert_range(store, scope, prefix("3"), &[]).await;
}

/// The ranges `Before` and `After` exclude their sort key, which need not exist.
pub async fn before_and_after_are_exclusive(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c", "d"]).await;
    assert_range(store, scope, SortRange::Before(sort_key("c")), &["a", "b"]).await;
    assert_range(store, scope, SortRange::After(sort_key("b")), &["c", "d"]).await;
    assert_range(store, scope, SortRange::Before(sort_key("bb")), &["a", "b"]).await;
    assert_range(store, scope, SortRange::After(sort_key("bb")), &["c", "d"]).await;
    assert_range(store, scope, SortRange::Before(sort_key("a")), &[]).await;
    assert_range(store, scope, SortRange::After(sort_key("d")), &[]).await;
}

/// The range `Between` includes its two sort keys, which need not exist.
pub async fn between_is_inclusive(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c", "d"]).await;
    let between = |low, high| SortRange::Between(sort_key(low), sort_key(high));
    assert_range(store, scope, between("b", "c"), &["b", "c"]).await;
    assert_range(store, scope, between("aa", "cc"), &["b", "c"]).await;
    assert_range(store, scope, between("b", "b"), &["b"]).await;
    assert_range(store, scope, between("bb", "bc"), &[]).await;
    assert_range(store, scope, between("0", "z"), &["a", "b", "c", "d"]).await;
}

/// A range stays within its partition.
pub async fn a_range_does_not_leave_its_partition(store: &dyn Store, scope: &Scope) {
    put_backwards(store, scope, &["a", "b"]).await;
    put(store, &item_at(&Key::new(scope.other_partition(), sort_key("c")))).await;
    let after = Query::table_consistent(scope.partition()).range(SortRange::After(sort_key("a")));
    assert_sort_keys(&query_all(store, after).await, &["b"]);
}
