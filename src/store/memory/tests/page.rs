//! Pages of queries and scans.

use crate::store::StoreExt;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::*;
use crate::error::ErrorKind;
use crate::key::{IndexKey, SortKeyPrefix};
use crate::request::{Order, Position, Scan, SortRange};
use crate::tag::tag;

fn limit(limit: u32) -> NonZeroU32 {
    NonZeroU32::new(limit).unwrap()
}

fn store_of(sort_keys: &[&str]) -> MemoryStore {
    let store = MemoryStore::new();
    for sk in sort_keys {
        put(&store, item("A", sk));
    }
    store
}

fn read(store: &MemoryStore, range: SortRange, order: Order) -> Vec<String> {
    let page = query(store, Query::table(partition("A")).range(range).order(order));
    assert_eq!(page.next, None);
    sort_keys(&page.items).into_iter().map(str::to_owned).collect()
}

fn at(sk: &str) -> Option<Position> {
    Some(Position { key: key("A", sk), index_key: None })
}

#[test]
fn sort_keys_are_ordered_by_their_bytes() {
    let store = store_of(&["b", "10", "\u{10000}", "9", "\u{ffff}", "B", "ä"]);
    let ascending = ["10", "9", "B", "b", "ä", "\u{ffff}", "\u{10000}"];
    assert_eq!(read(&store, SortRange::All, Order::Ascending), ascending);
    let descending: Vec<_> = ascending.into_iter().rev().collect();
    assert_eq!(read(&store, SortRange::All, Order::Descending), descending);
}

#[test]
fn a_range_has_exactly_the_keys_within_it() {
    let store = store_of(&["A#1", "A#2", "AA", "A$", "B#1", "B#10", "B#11", "B#2"]);
    let ranges = [
        (SortRange::BeginsWith(SortKeyPrefix::new((tag!("A"),))), vec!["A#1", "A#2"]),
        (SortRange::Before(sort_key("B#10")), vec!["A#1", "A#2", "A$", "AA", "B#1"]),
        (SortRange::After(sort_key("B#10")), vec!["B#11", "B#2"]),
        (SortRange::After(sort_key("B#100")), vec!["B#11", "B#2"]),
        (SortRange::Between(sort_key("A#2"), sort_key("B#1")), vec!["A#2", "A$", "AA", "B#1"]),
        (SortRange::Between(sort_key("B#1"), sort_key("B#1")), vec!["B#1"]),
        (SortRange::Between(sort_key("X"), sort_key("Y")), vec![]),
    ];
    for (range, mut expected) in ranges {
        assert_eq!(read(&store, range.clone(), Order::Ascending), expected, "{range:?}");
        expected.reverse();
        assert_eq!(read(&store, range.clone(), Order::Descending), expected, "{range:?}");
    }
}

#[test]
fn a_page_of_exactly_the_limit_is_followed_by_an_empty_page() {
    let store = store_of(&["1", "2", "3"]);
    let first = query(&store, Query::table(partition("A")).limit(limit(3)));
    assert_eq!(first.items.len(), 3);
    assert_eq!(first.next, at("3"));
    let second = query(&store, Query::table(partition("A")).limit(limit(3)).start(first.next));
    assert_eq!((second.items.len(), second.next), (0, None));
    let all = query(&store, Query::table(partition("A")).limit(limit(4)));
    assert_eq!((all.items.len(), all.next), (3, None));
}

#[test]
fn a_start_is_exclusive_and_need_not_exist() {
    let store = store_of(&["1", "2", "4"]);
    let from = |sk, order| {
        let page = query(&store, Query::table(partition("A")).order(order).start(at(sk)));
        sort_keys(&page.items).join(" ")
    };
    assert_eq!(from("2", Order::Ascending), "4");
    assert_eq!(from("3", Order::Ascending), "4");
    assert_eq!(from("9", Order::Ascending), "");
    assert_eq!(from("2", Order::Descending), "1");
    assert_eq!(from("3", Order::Descending), "2 1");
    assert_eq!(from("0", Order::Descending), "");
}

#[test]
fn a_start_at_a_bound_leaves_nothing_or_the_whole_range() {
    let store = store_of(&["1", "2", "3"]);
    let between = SortRange::Between(sort_key("1"), sort_key("3"));
    let from = |sk, order| {
        let page = query(&store, Query::table(partition("A")).range(between.clone()).order(order).start(at(sk)));
        sort_keys(&page.items).join(" ")
    };
    assert_eq!(from("3", Order::Ascending), "");
    assert_eq!(from("1", Order::Descending), "");
    assert_eq!(from("1", Order::Ascending), "2 3");
    assert_eq!(from("3", Order::Descending), "2 1");
}

#[test]
fn a_start_outside_the_query_is_refused() {
    let store = store_of(&["1"]);
    let in_index = Position { key: key("A", "1"), index_key: Some(IndexKey::new(partition("A"), sort_key("1"))) };
    let before = Query::table(partition("A")).range(SortRange::Before(sort_key("1")));
    let backwards = Query::table(partition("A")).range(SortRange::Between(sort_key("2"), sort_key("1")));
    for bad in [
        Query::table(partition("B")).start(at("1")),
        Query::table(partition("A")).start(Some(in_index.clone())),
        Query::index(partition("A")).start(at("1")),
        before.start(at("1")),
        backwards,
    ] {
        assert_eq!(now(store.query(bad.clone())).unwrap_err().kind(), ErrorKind::Invalid, "{bad:?}");
    }
    assert_eq!(now(store.scan(Scan::new().start(Some(in_index)))).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_page_ends_when_1_mb_has_been_read() {
    let store = MemoryStore::new();
    for place in 0..8 {
        put(&store, sized("A", &place.to_string(), 390_000));
    }
    let mut start = None;
    let mut sizes = Vec::new();
    loop {
        let page = query(&store, Query::table(partition("A")).start(start));
        sizes.push(page.items.len());
        match page.next {
            Some(next) => start = Some(next),
            None => break,
        }
    }
    assert_eq!(sizes, [3, 3, 2], "the item that reaches 1 MB is in the page");
}

#[test]
fn a_page_ends_at_exactly_1_mb_and_not_one_byte_below() {
    for (last, more) in [(262_144, true), (262_143, false)] {
        let store = MemoryStore::new();
        for (sk, size) in [("1", 262_144), ("2", 262_144), ("3", 262_144), ("4", last)] {
            put(&store, sized("A", sk, size));
        }
        let page = query(&store, Query::table(partition("A")));
        assert_eq!((page.items.len(), page.next.is_some()), (4, more));
    }
}

#[test]
fn items_with_one_index_key_are_all_read_with_every_limit() {
    let store = MemoryStore::new();
    for place in 0..5 {
        put(&store, indexed("A", &place.to_string(), "I", "tie"));
        put(&store, indexed("B", &place.to_string(), "I", "tie"));
    }
    for order in [Order::Ascending, Order::Descending] {
        for most in 1..=11 {
            let mut found = Vec::new();
            let mut start = None;
            loop {
                let page = query(&store, Query::index(partition("I")).order(order).limit(limit(most)).start(start));
                found.extend(page.items.iter().map(|item| item.key().unwrap()));
                match page.next {
                    Some(next) => start = Some(next),
                    None => break,
                }
            }
            assert_eq!(found.len(), 10, "{order:?} by {most}");
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>().len(), 10, "{order:?} by {most}");
        }
    }
}

#[test]
fn the_index_holds_only_items_with_both_of_its_keys() {
    let store = MemoryStore::new();
    put(&store, with(item("A", "1"), GSI1PK, s("I")));
    put(&store, with(item("A", "2"), GSI1SK, s("1")));
    put(&store, indexed("A", "3", "I", "1"));
    let page = query(&store, Query::index(partition("I")));
    assert_eq!(sort_keys(&page.items), ["3"]);
    put(&store, item("A", "3"));
    assert_eq!(query(&store, Query::index(partition("I"))).items, []);
}

#[test]
fn a_continuation_of_the_index_holds_both_keys() {
    let store = MemoryStore::new();
    put(&store, indexed("A", "1", "I", "2"));
    let next = query(&store, Query::index(partition("I")).limit(limit(1))).next.unwrap();
    assert_eq!(next.key, key("A", "1"));
    assert_eq!(next.index_key, Some(IndexKey::new(partition("I"), sort_key("2"))));
}

#[test]
fn a_scan_reads_every_item_once_with_every_limit() {
    let store = MemoryStore::new();
    for pk in ["A", "B", "C", "D"] {
        for sk in ["1", "2", "3"] {
            put(&store, item(pk, sk));
        }
    }
    for most in 1..=13 {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let page = now(store.scan(Scan::new().limit(limit(most)).start(start))).unwrap();
            found.extend(page.items.iter().map(|item| item.key().unwrap()));
            match page.next {
                Some(next) => start = Some(next),
                None => break,
            }
        }
        assert_eq!(found.len(), 12, "by {most}");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>().len(), 12, "by {most}");
    }
}

#[test]
fn a_scan_continues_after_a_deleted_partition() {
    let store = MemoryStore::new();
    for pk in ["A", "B", "C", "D", "E"] {
        put(&store, item(pk, "1"));
    }
    let first = now(store.scan(Scan::new().limit(limit(2)))).unwrap();
    for item in &first.items {
        write(&store, Write::delete(item.key().unwrap()));
    }
    let rest = now(store.scan(Scan::new().start(first.next))).unwrap();
    assert_eq!((rest.items.len(), rest.next), (3, None));
}

#[test]
fn a_scan_of_large_items_ends_its_page_at_1_mb() {
    let store = MemoryStore::new();
    for pk in ["A", "B", "C", "D"] {
        put(&store, sized(pk, "1", 390_000));
    }
    let page = now(store.scan(Scan::new())).unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (3, true));
}

#[test]
fn a_partition_that_does_not_exist_is_empty() {
    let store = store_of(&["1"]);
    assert_eq!(query(&store, Query::table(partition("B"))).items, []);
    assert_eq!(query(&store, Query::index(partition("A"))).items, []);
}
