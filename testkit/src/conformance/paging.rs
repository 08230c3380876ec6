//! Reads of a partition, page by page.
//! ([Paginating](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html), [the page of
//! 1 MB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Other.html))

use threadline::entity::{Item, Key, KeySegment, SortKeyPrefix};
use threadline::store::{Order, Position, Query, SortRange, Write};

use super::scope::{sort_key, with_index_key};
use super::support::{assert_sort_keys, done, limit, of_size, pages, put, put_all, query, query_all, sort_keys, write};
use super::{Scope, Store};

/// Puts items with these sort keys, both in the table and in the index.
async fn put_in_both(store: &dyn Store, scope: &Scope, sort_keys: &[&str]) {
    let items: Vec<Item> = sort_keys.iter().map(|sk| scope.indexed(sk, sk)).collect();
    put_all(store, &items).await;
}

fn table(scope: &Scope) -> Query {
    Query::table_consistent(scope.partition())
}

fn index(scope: &Scope) -> Query {
    Query::index(scope.index_partition())
}

fn in_table(scope: &Scope, sk: &str) -> Position {
    Position { key: scope.key(sk), index_key: None }
}

fn in_index(scope: &Scope, sk: &str) -> Position {
    Position { key: scope.key(sk), index_key: Some(scope.index_key(sk)) }
}

/// Checks that pages of every size, in both orders, return each of these items once and in order.
async fn assert_pages(store: &dyn Store, request: Query, expected: &[&str]) {
    let backwards: Vec<&str> = expected.iter().rev().copied().collect();
    for (order, expected) in [(Order::Ascending, expected), (Order::Descending, &backwards)] {
        for size in 1..=expected.len() + 1 {
            let pages = pages(store, request.clone().order(order).limit(limit(size))).await;
            for page in &pages {
                assert!(page.items.len() <= size, "a page of {size} must not have {} items", page.items.len());
            }
            let items: Vec<Item> = pages.into_iter().flat_map(|page| page.items).collect();
            assert_eq!(sort_keys(&items), expected, "all items, {order:?}, in pages of {size}");
        }
    }
}

/// Pages of every size return each item of a partition once.
pub async fn pages_of_every_size_return_each_item_once(store: &dyn Store, scope: &Scope) {
    let sort_keys = ["a", "b", "c", "d", "e"];
    put_in_both(store, scope, &sort_keys).await;
    assert_pages(store, table(scope), &sort_keys).await;
}

/// Index pages of every size return each item once.
pub async fn index_pages_of_every_size_return_each_item_once(store: &dyn Store, scope: &Scope) {
    let sort_keys = ["a", "b", "c", "d", "e"];
    put_in_both(store, scope, &sort_keys).await;
    assert_pages(store, index(scope), &sort_keys).await;
}

/// Pages of every size return each item of a range once, for each kind of range.
pub async fn pages_of_a_range_return_each_of_its_items_once(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b#1", "b#2", "b#3", "b#4", "c"]).await;
    let within: [(SortRange, &[&str]); 4] = [
        (SortRange::BeginsWith(SortKeyPrefix::new((KeySegment::new("b").unwrap(),))), &["b#1", "b#2", "b#3", "b#4"]),
        (SortRange::Before(sort_key("b#3")), &["a", "b#1", "b#2"]),
        (SortRange::After(sort_key("b#2")), &["b#3", "b#4", "c"]),
        (SortRange::Between(sort_key("b#2"), sort_key("b#4")), &["b#2", "b#3", "b#4"]),
    ];
    for (range, expected) in within {
        assert_pages(store, table(scope).range(range.clone()), expected).await;
        assert_pages(store, index(scope).range(range), expected).await;
    }
}

/// A page with exactly as many items as its limit has a next page, which may be empty.
pub async fn a_page_that_is_exactly_full_has_a_next_page(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c"]).await;
    for request in [table(scope), index(scope)] {
        let full = query(store, request.clone().limit(limit(3))).await;
        assert_sort_keys(&full.items, &["a", "b", "c"]);
        assert!(full.next.is_some(), "a page that its limit ended must have a position");
        let rest = query(store, request.limit(limit(3)).start(full.next)).await;
        assert_sort_keys(&rest.items, &[]);
        assert_eq!(rest.next, None, "the page after the last item is the last one");
    }
}

/// A page that reaches the end of the partition before its limit has no next page.
pub async fn a_page_that_is_not_full_has_no_next_page(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c"]).await;
    for request in [table(scope), index(scope)] {
        let page = query(store, request.limit(limit(4))).await;
        assert_sort_keys(&page.items, &["a", "b", "c"]);
        assert_eq!(page.next, None, "a page with fewer items than its limit has no next page");
    }
}

/// The position of the next page is the key of the last item read. In the index, it also has the index key.
pub async fn the_position_is_the_key_of_the_last_item_read(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c"]).await;
    assert_eq!(query(store, table(scope).limit(limit(2))).await.next, Some(in_table(scope, "b")));
    assert_eq!(query(store, index(scope).limit(limit(2))).await.next, Some(in_index(scope, "b")));
}

/// A page begins after its start position, in the order of the read.
pub async fn a_start_is_exclusive(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c"]).await;
    for (request, start) in [(table(scope), in_table(scope, "b")), (index(scope), in_index(scope, "b"))] {
        let request = request.start(Some(start));
        assert_sort_keys(&query_all(store, request.clone()).await, &["c"]);
        assert_sort_keys(&query_all(store, request.order(Order::Descending)).await, &["a"]);
    }
}

/// A start position need not be the key of an item. It may be between two items, before all items, or after all items.
pub async fn a_start_need_not_exist(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c"]).await;
    let cases: [(&str, &[&str], &[&str]); 3] =
        [("bb", &["c"], &["b", "a"]), ("0", &["a", "b", "c"], &[]), ("z", &[], &["c", "b", "a"])];
    for (start, forwards, backwards) in cases {
        for request in
            [table(scope).start(Some(in_table(scope, start))), index(scope).start(Some(in_index(scope, start)))]
        {
            assert_sort_keys(&query_all(store, request.clone()).await, forwards);
            assert_sort_keys(&query_all(store, request.order(Order::Descending)).await, backwards);
        }
    }
}

/// Paging continues at a position even if the item at that position is deleted.
pub async fn paging_continues_after_a_deleted_item(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "b", "c", "d"]).await;
    let in_table = query(store, table(scope).limit(limit(2))).await.next;
    let in_index = query(store, index(scope).limit(limit(2))).await.next;
    done(write(store, Write::delete(scope.key("b"))).await);
    assert_sort_keys(&query_all(store, table(scope).start(in_table)).await, &["c", "d"]);
    assert_sort_keys(&query_all(store, index(scope).start(in_index)).await, &["c", "d"]);
}

/// If new items are put between the reads of two pages, the second page shows those after its start position. It shows
/// none of those before it.
pub async fn a_later_page_shows_items_put_after_its_start(store: &dyn Store, scope: &Scope) {
    put_in_both(store, scope, &["a", "c", "e"]).await;
    let next = query(store, table(scope).limit(limit(2))).await.next;
    put_in_both(store, scope, &["b", "d"]).await;
    assert_sort_keys(&query_all(store, table(scope).start(next)).await, &["d", "e"]);
}

/// A page ends at 1 MB even without a limit. The exact item depends on the store.
pub async fn a_page_ends_at_one_megabyte(store: &dyn Store, scope: &Scope) {
    let sort_keys = ["a", "b", "c", "d"];
    for sk in sort_keys {
        put(store, &of_size(scope.indexed(sk, sk), 390 * 1024)).await;
    }
    for request in [table(scope), table(scope).order(Order::Descending), index(scope)] {
        let pages = pages(store, request.clone()).await;
        assert!(pages.len() > 1, "4 items of 390 KB must not be in one page");
        for page in &pages {
            let has_more = page.next.is_some();
            assert!(!page.items.is_empty() || !has_more, "a page that 1 MB ended must have an item");
        }
        let items: Vec<Item> = pages.into_iter().flat_map(|page| page.items).collect();
        let mut found = super::support::sort_keys(&items);
        if request.get_order() == Order::Descending {
            found.reverse();
        }
        assert_eq!(found, sort_keys, "all items, over pages of 1 MB");
    }
}

/// Items with the same index key are each read once. DynamoDB defines no order for them.
pub async fn items_with_the_same_index_key_are_each_read_once(store: &dyn Store, scope: &Scope) {
    let mut expected = Vec::new();
    for (partition, place) in [(scope.partition(), "here"), (scope.other_partition(), "there")] {
        for sk in ["1", "2", "3"] {
            let key = Key::new(partition.clone(), sort_key(&format!("{place}#{sk}")));
            put(store, &with_index_key(super::scope::item_at(&key), &scope.index_key("same"))).await;
            expected.push(format!("{place}#{sk}"));
        }
    }
    put(store, &scope.indexed("first", "before")).await;
    put(store, &scope.indexed("last", "the end")).await;
    expected.extend(["first".to_owned(), "last".to_owned()]);
    expected.sort();
    for order in [Order::Ascending, Order::Descending] {
        for size in 1..=expected.len() + 1 {
            let items = query_all(store, index(scope).order(order).limit(limit(size))).await;
            let ends = [sort_keys(&items)[0], sort_keys(&items)[items.len() - 1]];
            let in_order = if order == Order::Ascending { ["first", "last"] } else { ["last", "first"] };
            assert_eq!(ends, in_order, "the first and the last item, {order:?}, in pages of {size}");
            let mut found = sort_keys(&items);
            found.sort_unstable();
            assert_eq!(found, expected, "all items, {order:?}, in pages of {size}");
        }
    }
}
