//! The consumption of each request.

use super::*;
use crate::capacity::Units;
use crate::request::{BatchAction, BatchGet, BatchWrite, ClientToken, Condition, Scan, TransactAction, Update};
use crate::store::StoreExt;

/// Returns whole write units of the table and of the index.
fn writes(table: u64, index: u64) -> Capacity {
    Capacity { table_write: Units::whole(table), index_write: Units::whole(index), ..Capacity::default() }
}

/// Returns half read units of the table.
fn reads(halves: u64) -> Capacity {
    Capacity::reads(Units::halves(halves))
}

fn outcome(store: &MemoryStore, write: Write) -> Capacity {
    try_write(store, write).unwrap().capacity()
}

fn set(name: &'static str, value: &str) -> Write {
    Write::update(key("A", "1"), Update::new().set(name, s(value)))
}

/// Returns an item in the index, of exactly this size.
fn indexed_of(sk: &str, index_sk: &str, size: usize) -> Item {
    let item = indexed("A", sk, "I", index_sk);
    let text = "x".repeat(size - item.size() - 1);
    with(item, "x", s(&text))
}

#[test]
fn a_get_rounds_up_to_4_kb_and_a_miss_is_one_step() {
    let store = MemoryStore::new();
    put(&store, sized("A", "1", 4097));
    let get = |get: Get| now(store.get(get)).unwrap().capacity;
    assert_eq!(get(Get::new(key("A", "1"))), reads(2));
    assert_eq!(get(Get::new(key("A", "1")).consistent()), reads(4));
    assert_eq!(get(Get::new(key("A", "2"))), reads(1));
    assert_eq!(get(Get::new(key("A", "2")).consistent()), reads(2));
}

#[test]
fn a_query_rounds_once_over_all_that_it_read() {
    let store = MemoryStore::new();
    for sk in ["1", "2", "3"] {
        put(&store, indexed_of(sk, sk, 2731));
    }
    assert_eq!(query(&store, Query::table(partition("A"))).capacity, reads(3), "8193 bytes");
    assert_eq!(query(&store, Query::table_consistent(partition("A"))).capacity, reads(6));
    assert_eq!(query(&store, Query::table(partition("empty"))).capacity, reads(1));
    let index = query(&store, Query::index(partition("I"))).capacity;
    assert_eq!(index, Capacity { index_read: Units::halves(3), ..Capacity::default() });
    let index = query(&store, Query::index(partition("empty"))).capacity;
    assert_eq!(index, Capacity { index_read: Units::halves(1), ..Capacity::default() });
    assert_eq!(now(store.scan(Scan::new())).unwrap().capacity, reads(3));
}

#[test]
fn a_query_rounds_up_to_half_units_of_4_kb() {
    // Pages of 20 messages, as students of the bootcamp measured them on AWS.
    for (bytes, halves) in [(8171, 2), (8192, 2), (8193, 3), (8251, 3)] {
        let store = MemoryStore::new();
        for place in 0..19 {
            put(&store, sized("A", &format!("{place:02}"), 400));
        }
        put(&store, sized("A", "19", bytes - 19 * 400));
        assert_eq!(query(&store, Query::table(partition("A"))).capacity, reads(halves), "{bytes} bytes");
        assert_eq!(query(&store, Query::table_consistent(partition("A"))).capacity, reads(2 * halves));
    }
}

#[test]
fn a_batch_of_reads_rounds_each_item() {
    let store = MemoryStore::new();
    put(&store, sized("A", "1", 100));
    put(&store, sized("A", "2", 4097));
    let batch = BatchGet::new(vec![key("A", "1"), key("A", "2"), key("A", "3")]);
    assert_eq!(now(store.batch_get(batch.clone())).unwrap().capacity, reads(1 + 2 + 1));
    assert_eq!(now(store.batch_get(batch.consistent())).unwrap().capacity, reads(2 + 4 + 2));
}

#[test]
fn a_write_rounds_up_the_larger_image() {
    let store = MemoryStore::new();
    assert_eq!(put(&store, sized("A", "1", 1024)), writes(1, 0));
    assert_eq!(put(&store, sized("A", "1", 1025)), writes(2, 0));
    assert_eq!(put(&store, sized("A", "1", 100)), writes(2, 0));
    assert_eq!(put(&store, sized("A", "1", 100)), writes(1, 0), "also when nothing changes");
    assert_eq!(outcome(&store, set("x", &"y".repeat(2000))), writes(2, 0), "an update pays for the whole item");
    assert_eq!(outcome(&store, set("z", "")), writes(2, 0));
    assert_eq!(outcome(&store, Write::delete(key("A", "1"))), writes(2, 0));
    assert_eq!(outcome(&store, Write::delete(key("A", "1"))), writes(1, 0), "nothing to delete");
}

#[test]
fn a_refused_write_is_charged_for_the_existing_item() {
    let store = MemoryStore::new();
    put(&store, sized("A", "1", 3000));
    let refused = |write: Write, condition| {
        let outcome = try_write(&store, write.when(condition)).unwrap();
        assert!(matches!(outcome, WriteOutcome::Refused { .. }));
        outcome.capacity()
    };
    assert_eq!(refused(Write::put(item("A", "1")), Condition::item_absent()), writes(3, 0));
    assert_eq!(refused(Write::put(sized("A", "2", 3000)), Condition::item_exists()), writes(1, 0));
    assert_eq!(refused(set("x", ""), Condition::item_absent()), writes(3, 0));
    assert_eq!(refused(Write::delete(key("A", "1")), Condition::exists("y")), writes(3, 0));
    assert_eq!(refused(Write::delete(key("A", "2")), Condition::item_exists()), writes(1, 0));
}

#[test]
fn the_index_is_charged_for_its_changes() {
    let store = MemoryStore::new();
    assert_eq!(put(&store, indexed_of("1", "1", 500)), writes(1, 1), "enters");
    assert_eq!(put(&store, indexed_of("1", "1", 500)), writes(1, 0), "stays as it is");
    assert_eq!(put(&store, indexed_of("1", "1", 1500)), writes(2, 2), "changes otherwise");
    assert_eq!(put(&store, indexed_of("1", "1", 500)), writes(2, 2), "changes back");
    assert_eq!(put(&store, indexed_of("1", "2", 1500)), writes(2, 3), "moves");
    assert_eq!(outcome(&store, set(GSI1SK, "3")), writes(2, 4), "moves by an update");
    assert_eq!(outcome(&store, set("other", "1")), writes(2, 2), "changes by an update");
    assert_eq!(outcome(&store, set("other", "1")), writes(2, 0), "an update that changes nothing");
    let leave = Write::update(key("A", "1"), Update::new().remove(GSI1SK));
    assert_eq!(outcome(&store, leave), writes(2, 2), "leaves");
    assert_eq!(outcome(&store, set("other", "2")), writes(2, 0), "is not in the index");
    assert_eq!(outcome(&store, set(GSI1SK, "4")), writes(2, 2), "enters by an update");
    assert_eq!(outcome(&store, Write::delete(key("A", "1"))), writes(2, 2), "is deleted");
}

#[test]
fn an_item_with_one_index_key_only_costs_nothing_on_the_index() {
    let store = MemoryStore::new();
    assert_eq!(put(&store, with(item("A", "1"), GSI1PK, s("I"))), writes(1, 0));
    assert_eq!(outcome(&store, set("other", "1")), writes(1, 0));
    assert_eq!(outcome(&store, set(GSI1PK, "J")), writes(1, 0));
    assert_eq!(outcome(&store, Write::delete(key("A", "1"))), writes(1, 0));
}

#[test]
fn a_set_in_another_order_costs_nothing_on_the_index() {
    let store = MemoryStore::new();
    let with_set = |members: [&str; 2]| {
        with(indexed("A", "1", "I", "1"), "set", AttributeValue::Ss(members.map(str::to_owned).into()))
    };
    put(&store, with_set(["a", "b"]));
    assert_eq!(put(&store, with_set(["b", "a"])), writes(1, 0));
    let update = Update::new().set("set", AttributeValue::Ss(["b", "a"].map(str::to_owned).into()));
    assert_eq!(outcome(&store, Write::update(key("A", "1"), update)), writes(1, 0));
    assert_eq!(put(&store, with_set(["b", "c"])), writes(1, 1));
}

#[test]
fn a_batch_write_costs_the_sum_of_its_writes() {
    let store = MemoryStore::new();
    put(&store, sized("A", "1", 1500));
    let batch = vec![
        BatchAction::Delete(key("A", "1")),
        BatchAction::Put(indexed("A", "2", "I", "1")),
        BatchAction::Delete(key("A", "3")),
    ];
    assert_eq!(now(store.batch_write(BatchWrite::new(batch))).unwrap().capacity, writes(2 + 1 + 1, 1));
}

#[test]
fn a_transaction_is_charged_twice_on_the_table_and_once_on_the_index() {
    let store = MemoryStore::new();
    put(&store, sized("B", "1", 1500));
    let actions: Vec<TransactAction> = vec![
        Write::put(indexed_of("1", "1", 500)).into(),
        Write::put(indexed_of("2", "1", 1500)).into(),
        TransactAction::check(key("A", "3"), Condition::item_absent()),
        TransactAction::check(key("B", "1"), Condition::item_exists()),
        Write::delete(key("A", "4")).into(),
    ];
    let outcome = transact(&store, Transaction::new(actions));
    assert_eq!(outcome.capacity(), writes(2 + 4 + 2 + 4 + 2, 1 + 2));
    outcome.done().unwrap();
}

#[test]
fn a_transaction_is_charged_twice_for_the_larger_image_and_a_moved_entry() {
    let store = MemoryStore::new();
    put(&store, indexed_of("1", "1", 1500));
    put(&store, sized("B", "1", 3000));
    let shrink = Write::update(key("B", "1"), Update::new().remove("x"));
    let outcome = transact(&store, Transaction::new([set(GSI1SK, "2"), shrink]));
    assert_eq!(outcome.capacity(), writes(2 * 2 + 2 * 3, 2 + 2));
    let outcome = transact(&store, Transaction::new([Write::delete(key("A", "1")), Write::delete(key("C", "1"))]));
    assert_eq!(outcome.capacity(), writes(2 * 2 + 2, 2));
}

#[test]
fn a_canceled_transaction_is_charged_for_the_existing_items() {
    let store = MemoryStore::new();
    put(&store, sized("A", "1", 1500));
    let actions: Vec<TransactAction> = vec![
        Write::put(item("A", "1")).when(Condition::item_absent()).into(),
        Write::put(sized("A", "2", 1500)).into(),
        TransactAction::check(key("A", "3"), Condition::item_exists()),
    ];
    let outcome = transact(&store, Transaction::new(actions));
    assert_eq!(outcome.capacity(), writes(4 + 2 + 2, 0));
    assert!(outcome.done().is_err());
}

#[test]
fn a_retried_transaction_is_charged_as_transactional_reads() {
    let store = MemoryStore::new();
    let put_two = [Write::put(sized("A", "1", 5000)), Write::put(item("A", "2"))];
    let transaction = Transaction::new(put_two).token(ClientToken::new("t").unwrap());
    assert_eq!(transact(&store, transaction.clone()).capacity(), writes(10 + 2, 0));
    let replay = transact(&store, transaction).capacity();
    assert_eq!(replay, Capacity::reads(Units::whole(4 + 2)));
}
