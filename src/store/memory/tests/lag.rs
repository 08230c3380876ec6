//! An index that lags its table.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;

use super::model::{INDEX_PARTITIONS, Op, op, pages, write_of};
use super::*;
use crate::capacity::Units;
use crate::key::EXPIRES_AT;
use crate::request::{Order, Update};
use crate::store::memory::IndexLag;

/// The items that the index shows in the partition `I`.
fn shown(store: &MemoryStore) -> Vec<Item> {
    query(store, Query::index(partition("I"))).items
}

fn shown_keys(store: &MemoryStore) -> Vec<String> {
    sort_keys(&shown(store)).into_iter().map(str::to_owned).collect()
}

fn put_indexed(store: &MemoryStore, sort_keys: &[&str]) {
    for sk in sort_keys {
        put(store, indexed("A", sk, "I", sk));
    }
}

#[test]
fn lagging_index_misses_the_last_writes() {
    let store = MemoryStore::new().index_lag(IndexLag::writes(2));
    put_indexed(&store, &["1", "2"]);
    assert_eq!(shown(&store), []);
    put_indexed(&store, &["3"]);
    assert_eq!(shown_keys(&store), ["1"]);
    put_indexed(&store, &["4"]);
    assert_eq!(shown_keys(&store), ["1", "2"]);
    assert_eq!(query(&store, Query::table(partition("A"))).items.len(), 4, "the table does not lag");
}

#[test]
fn lagging_index_shows_moved_item_at_its_old_position() {
    let store = MemoryStore::new();
    let old = with(indexed("A", "1", "I", "1"), "n", n("1"));
    put(&store, old.clone());
    store.hold_index();
    write(&store, Write::update(key("A", "1"), Update::new().set(GSI1SK, s("2")).add("n", 1)));
    assert_eq!(shown(&store), [old]);
    store.catch_up_index(1);
    assert_eq!(shown(&store), [with(indexed("A", "1", "I", "2"), "n", n("2"))]);
}

#[test]
fn lagging_index_shows_changed_item_as_it_was() {
    let store = MemoryStore::new();
    let old = with(indexed("A", "1", "I", "1"), "n", n("1"));
    put(&store, old.clone());
    store.hold_index();
    write(&store, Write::update(key("A", "1"), Update::new().add("n", 1)));
    put(&store, with(indexed("A", "1", "I", "1"), "n", n("3")));
    assert_eq!(shown(&store).first(), Some(&old));
    store.catch_up_index(1);
    assert_eq!(shown(&store), [with(old, "n", n("2"))]);
}

#[test]
fn lagging_index_still_shows_deleted_item() {
    let store = MemoryStore::new();
    put_indexed(&store, &["1", "2"]);
    store.hold_index();
    write(&store, Write::delete(key("A", "1")));
    write(&store, Write::update(key("A", "2"), Update::new().remove(GSI1SK)));
    assert_eq!(get(&store, "A", "1"), None);
    assert_eq!(shown_keys(&store), ["1", "2"]);
    assert_eq!(store.catch_up_index(1), 1);
    assert_eq!(shown_keys(&store), ["2"]);
    assert_eq!(store.catch_up_index(1), 0);
    assert_eq!(shown(&store), []);
}

#[test]
fn held_index_catches_up_in_steps_and_holds_again() {
    let store = MemoryStore::new();
    store.hold_index();
    put_indexed(&store, &["1", "2", "3"]);
    assert_eq!(shown(&store), []);
    assert_eq!(store.catch_up_index(2), 1);
    assert_eq!(shown_keys(&store), ["1", "2"]);
    assert_eq!(store.catch_up_index(usize::MAX), 0);
    assert_eq!(shown_keys(&store), ["1", "2", "3"]);
    put_indexed(&store, &["4"]);
    assert_eq!(shown_keys(&store), ["1", "2", "3"]);
}

#[test]
fn write_without_effect_on_the_index_does_not_count() {
    let store = MemoryStore::new().index_lag(IndexLag::writes(1));
    put_indexed(&store, &["1"]);
    put(&store, item("B", "1"));
    put(&store, with(item("B", "1"), GSI1PK, s("I")));
    put_indexed(&store, &["1"]);
    write(&store, Write::delete(key("B", "1")));
    assert_eq!(shown(&store), []);
    put_indexed(&store, &["2"]);
    assert_eq!(shown_keys(&store), ["1"]);
}

#[test]
fn transaction_reaches_the_index_in_parts() {
    let store = MemoryStore::new();
    store.hold_index();
    let puts = ["1", "2"].map(|sk| Write::put(indexed("A", sk, "I", sk)));
    transact(&store, Transaction::new(puts)).done().unwrap();
    assert_eq!(store.catch_up_index(1), 1);
    assert_eq!(shown_keys(&store), ["1"]);
}

#[test]
fn lag_applies_to_all_clones_until_it_ends() {
    let store = MemoryStore::new();
    let clone = store.clone();
    store.hold_index();
    put_indexed(&clone, &["1", "2"]);
    assert_eq!(shown(&clone), []);
    let clone = clone.index_lag(IndexLag::writes(1));
    assert_eq!(shown_keys(&store), ["1"], "changes beyond a shorter lag reach the index at once");
    let _ = clone.index_lag(IndexLag::none());
    assert_eq!(shown_keys(&store), ["1", "2"]);
    put_indexed(&store, &["3"]);
    assert_eq!(shown_keys(&store), ["1", "2", "3"]);
}

#[test]
fn paging_continues_after_its_last_item_while_the_index_changes() {
    let store = MemoryStore::new();
    put_indexed(&store, &["1", "2", "3", "4"]);
    store.hold_index();
    let newest = Query::index(partition("I")).order(Order::Descending);
    let first = query(&store, newest.clone().limit(NonZeroU32::new(2).unwrap()));
    assert_eq!(sort_keys(&first.items), ["4", "3"]);
    // The last item of the page moves to the front, and the next one is deleted.
    write(&store, Write::update(key("A", "3"), Update::new().set(GSI1SK, s("5"))));
    write(&store, Write::delete(key("A", "2")));
    assert_eq!(sort_keys(&query(&store, newest.clone().start(first.next.clone())).items), ["2", "1"]);
    store.catch_up_index(1);
    assert_eq!(sort_keys(&query(&store, newest.clone().start(first.next.clone())).items), ["2", "1"]);
    store.catch_up_index(1);
    assert_eq!(sort_keys(&query(&store, newest.start(first.next)).items), ["1"]);
}

#[test]
fn query_of_a_lagging_index_costs_by_the_entries_read() {
    let store = MemoryStore::new();
    let large = |size: usize| with(indexed("A", "1", "I", "1"), "x", s(&"x".repeat(size)));
    put(&store, large(9000));
    store.hold_index();
    let put = put(&store, large(10));
    assert_eq!(put.index_write, Units::whole(9), "a write pays for the index at once");
    let paid = || query(&store, Query::index(partition("I"))).capacity.index_read;
    assert_eq!(paid(), Units::halves(3));
    store.catch_up_index(1);
    assert_eq!(paid(), Units::halves(1));
}

#[test]
fn swept_item_stays_in_the_lagging_index_and_is_not_returned() {
    let (store, clock) = store_and_clock();
    put(&store, with(indexed("A", "1", "I", "1"), EXPIRES_AT, n("1000001")));
    put_indexed(&store, &["2"]);
    store.hold_index();
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.sweep_expired(), 1);
    let first = || query(&store, Query::index(partition("I")).limit(NonZeroU32::new(1).unwrap()));
    assert_eq!((first().items, first().next.is_some()), (vec![], true), "its entry still counts in the page");
    assert_eq!(store.catch_up_index(1), 0, "the sweep is one change of the index");
    assert_eq!(sort_keys(&first().items), ["2"]);
}

#[test]
fn item_with_later_expiry_is_hidden_until_the_index_catches_up() {
    let (store, clock) = store_and_clock();
    put(&store, with(indexed("A", "1", "I", "1"), EXPIRES_AT, n("1000001")));
    store.hold_index();
    write(&store, Write::update(key("A", "1"), Update::new().set(EXPIRES_AT, n("1000009"))));
    clock.advance(Duration::from_secs(1));
    assert!(get(&store, "A", "1").is_some());
    assert_eq!(shown(&store), []);
    store.catch_up_index(1);
    assert_eq!(shown_keys(&store), ["1"]);
}

#[test]
fn shuffled_index_follows_the_order_of_the_seed() {
    let order = |seed| {
        let store = MemoryStore::new().index_lag(IndexLag::held().shuffled(seed));
        put_indexed(&store, &["1", "2", "3"]);
        store.catch_up_index(1);
        shown_keys(&store)
    };
    let orders: Vec<_> = (0..20).map(order).collect();
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 3, "any item may be the first");
    assert_eq!(orders, (0..20).map(order).collect::<Vec<_>>());
}

#[test]
fn debug_of_a_lag_prints_its_expression() {
    assert_eq!(format!("{:?}", IndexLag::none()), "IndexLag::none()");
    assert_eq!(format!("{:?}", IndexLag::writes(2).shuffled(1)), "IndexLag::writes(2).shuffled(1)");
    assert_eq!(format!("{:?}", IndexLag::held()), "IndexLag::held()");
}

/// All items that the index shows.
fn index_of(store: &MemoryStore) -> Vec<Item> {
    INDEX_PARTITIONS.iter().flat_map(|pk| pages(store, Query::index(partition(pk)))).collect()
}

/// Does the write on both stores, whose answers must be equal. Returns `true` if it changed the index.
fn write_both(one: &MemoryStore, other: &MemoryStore, op: &Op) -> bool {
    let outcomes = [one, other].map(|store| try_write(store, write_of(op)).unwrap());
    assert_eq!(outcomes[0], outcomes[1], "{op:?}");
    outcomes[0].capacity().index_write > Units::ZERO
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ordered_lagging_index_equals_the_index_some_writes_ago(
        ops in proptest::collection::vec(op(), 0..60),
        lag in 1..8_usize,
    ) {
        let (prompt, lagging) = (MemoryStore::new(), MemoryStore::new().index_lag(IndexLag::writes(lag)));
        let mut before = vec![Vec::new(); lag + 1];
        for op in &ops {
            if write_both(&prompt, &lagging, op) {
                before.push(index_of(&prompt));
            }
            prop_assert_eq!(&index_of(&lagging), &before[before.len() - 1 - lag], "{:?}", op);
        }
    }

    #[test]
    fn index_that_caught_up_equals_one_without_a_lag(
        ops in proptest::collection::vec((op(), 0..4_usize), 0..60),
        lag in 1..8_usize,
        seed in proptest::option::of(any::<u64>()),
    ) {
        let lag = match seed {
            Some(seed) => IndexLag::writes(lag).shuffled(seed),
            None if lag == 7 => IndexLag::held(),
            None => IndexLag::writes(lag),
        };
        let (prompt, lagging) = (MemoryStore::new(), MemoryStore::new().index_lag(lag));
        for (op, caught_up) in &ops {
            write_both(&prompt, &lagging, op);
            lagging.catch_up_index(*caught_up);
        }
        prop_assert_eq!(lagging.catch_up_index(usize::MAX), 0);
        prop_assert_eq!(index_of(&lagging), index_of(&prompt), "{:?}", lag);
    }

    #[test]
    fn no_item_moves_back_in_a_shuffled_index(ops in proptest::collection::vec(op(), 0..60), seed in any::<u64>()) {
        let lag = IndexLag::writes(4).shuffled(seed);
        let (prompt, lagging) = (MemoryStore::new(), MemoryStore::new().index_lag(lag));
        // The versions of each item in the index, and the number that the lagging index has reached.
        let mut held: BTreeMap<Key, (Vec<Option<Item>>, usize)> = BTreeMap::new();
        let by_key = |store: &MemoryStore| -> BTreeMap<Key, Item> {
            index_of(store).into_iter().map(|item| (item.key().unwrap(), item)).collect()
        };
        for op in &ops {
            let changed = write_both(&prompt, &lagging, op);
            let (now, late) = (by_key(&prompt), by_key(&lagging));
            let key = write_of(op).key().unwrap().clone();
            if changed {
                held.entry(key.clone()).or_insert((vec![None], 0)).0.push(now.get(&key).cloned());
            }
            for (key, (images, come)) in &mut held {
                let found = images.iter().skip(*come).position(|image| image.as_ref() == late.get(key));
                prop_assert!(found.is_some(), "{:?}", lag);
                *come += found.unwrap();
            }
        }
    }
}
