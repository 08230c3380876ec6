//! Batches.

use super::*;
use crate::error::ErrorKind;
use crate::request::{BatchAction, BatchGet, BatchGetOutput, BatchWrite};
use crate::store::StoreExt;

fn read(store: &MemoryStore, keys: Vec<Key>) -> BatchGetOutput {
    now(store.batch_get(BatchGet::new(keys))).unwrap()
}

#[test]
fn a_batch_get_returns_existing_items() {
    let store = MemoryStore::new();
    put(&store, item("A", "1"));
    put(&store, item("B", "1"));
    let answer = read(&store, vec![key("A", "1"), key("A", "2"), key("B", "1")]);
    assert_eq!(answer.items, [item("A", "1"), item("B", "1")]);
    assert_eq!(answer.unprocessed, []);
}

#[test]
fn a_batch_get_returns_16_mb_and_the_other_keys() {
    let store = MemoryStore::new();
    let keys: Vec<_> = (10..60).map(|place| key(&place.to_string(), "A")).collect();
    for key in &keys {
        put(&store, sized(key.pk.as_str(), "A", 390_000));
    }
    let answer = read(&store, keys.clone());
    assert_eq!((answer.items.len(), answer.unprocessed.as_slice()), (43, &keys[43..]));
    let rest = read(&store, answer.unprocessed);
    assert_eq!((rest.items.len(), rest.unprocessed.len()), (7, 0));
}

#[test]
fn a_batch_get_returns_1_mb_of_a_partition_and_the_other_keys() {
    let store = MemoryStore::new();
    const QUARTER: usize = 256 * 1024;
    for (pk, sk, size) in
        [("A", "1", QUARTER), ("A", "2", QUARTER), ("A", "3", QUARTER), ("A", "4", QUARTER), ("A", "5", 20)]
    {
        put(&store, sized(pk, sk, size));
    }
    put(&store, sized("B", "1", QUARTER));
    let keys = [("A", "1"), ("A", "2"), ("A", "3"), ("A", "4"), ("A", "5"), ("B", "1")].map(|(pk, sk)| key(pk, sk));
    let answer = read(&store, keys.to_vec());
    assert_eq!((answer.items.len(), answer.unprocessed.as_slice()), (5, &keys[4..5]), "1 MB to the byte is read");
    let rest = read(&store, answer.unprocessed);
    assert_eq!((rest.items.len(), rest.unprocessed.len()), (1, 0));
}

#[test]
fn a_batch_puts_and_deletes() {
    let store = MemoryStore::new();
    put(&store, indexed("A", "1", "I", "1"));
    let writes = vec![
        BatchAction::Delete(key("A", "1")),
        BatchAction::Put(with(item("A", "2"), "n", n("1e1"))),
        BatchAction::Delete(key("A", "3")),
    ];
    let answer = now(store.batch_write(BatchWrite::new(writes))).unwrap();
    assert_eq!(answer.unprocessed, []);
    assert_eq!(get(&store, "A", "1"), None);
    assert_eq!(get(&store, "A", "2").unwrap().get("n"), Some(&n("10")));
    assert_eq!(query(&store, Query::index(partition("I"))).items, []);
}

#[test]
fn a_batch_with_one_bad_item_writes_nothing() {
    let store = MemoryStore::new();
    let mut batch = BatchWrite::new(vec![BatchAction::Put(item("A", "1"))]);
    batch.writes.push(BatchAction::Put(with(item("A", "2"), "n", n("x"))));
    assert_eq!(now(store.batch_write(batch)).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(get(&store, "A", "1"), None);
}

#[test]
fn a_batch_that_was_changed_after_its_check_is_checked_again() {
    let store = MemoryStore::new();
    let mut reads = BatchGet::new(vec![key("A", "1")]);
    reads.keys.push(key("A", "1"));
    assert_eq!(now(store.batch_get(reads)).unwrap_err().kind(), ErrorKind::Invalid);
    let mut writes = BatchWrite::new(vec![BatchAction::Delete(key("A", "1"))]);
    writes.writes = (0..26).map(|place| BatchAction::Delete(key("A", &place.to_string()))).collect();
    assert_eq!(now(store.batch_write(writes)).unwrap_err().kind(), ErrorKind::Invalid);
}
