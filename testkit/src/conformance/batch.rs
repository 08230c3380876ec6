//! Batches: several items, each on its own.
//! ([BatchWriteItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html),
//! [BatchGetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html))

use std::collections::BTreeSet;

use threadline::entity::{Item, Key};
use threadline::store::{BatchAction, Query};

use super::scope::{item_at, sort_key};
use super::support::{
    assert_item, assert_none, assert_sort_keys, batch_get, batch_write, get, of_size, put, put_all, query_all, s, with,
};
use super::{Scope, Store};

/// A batch may put up to 25 items.
pub async fn a_batch_may_put_twenty_five_items(store: &dyn Store, scope: &Scope) {
    let names: Vec<String> = (0..25).map(|number| format!("{number:02}")).collect();
    batch_write(store, names.iter().map(|name| BatchAction::Put(scope.item(name))).collect()).await;
    let found = query_all(store, Query::table_consistent(scope.partition())).await;
    assert_eq!(super::support::sort_keys(&found), names, "the items that one batch put");
}

/// A batch may mix puts and deletes in several partitions. A put replaces the whole item, and a delete of a missing
/// item succeeds.
pub async fn a_batch_may_mix_puts_and_deletes(store: &dyn Store, scope: &Scope) {
    put_all(store, &["replaced", "deleted"].map(|sk| with(scope.item(sk), "title", s("one")))).await;
    let new = item_at(&Key::new(scope.other_partition(), sort_key("new")));
    let replaced = with(scope.item("replaced"), "name", s("two"));
    let writes = vec![
        BatchAction::Put(new.clone()),
        BatchAction::Put(replaced.clone()),
        BatchAction::Delete(scope.key("deleted")),
        BatchAction::Delete(scope.key("missing")),
    ];
    batch_write(store, writes).await;
    assert_item(get(store, &new.key().unwrap()).await, &new);
    assert_item(get(store, &scope.key("replaced")).await, &replaced);
    assert_none(get(store, &scope.key("deleted")).await);
}

/// A batch updates the index as single writes do.
pub async fn a_batch_moves_items_in_the_index(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.indexed("moved", "1"), scope.indexed("deleted", "2"), scope.indexed("out", "3")]).await;
    let writes = vec![
        BatchAction::Put(scope.indexed("moved", "5")),
        BatchAction::Put(scope.indexed("new", "4")),
        BatchAction::Put(scope.item("out")),
        BatchAction::Delete(scope.key("deleted")),
    ];
    batch_write(store, writes).await;
    assert_sort_keys(&query_all(store, Query::index(scope.index_partition())).await, &["new", "moved"]);
}

/// A batch may read up to 100 keys. The answer omits missing items.
pub async fn a_batch_may_read_a_hundred_keys(store: &dyn Store, scope: &Scope) {
    let names: Vec<String> = (0..100).map(|number| format!("{number:03}")).collect();
    let there: Vec<&String> = names.iter().step_by(2).collect();
    for some in there.chunks(25) {
        batch_write(store, some.iter().map(|name| BatchAction::Put(scope.item(name))).collect()).await;
    }
    let output = batch_get(store, names.iter().map(|name| scope.key(name)).collect()).await;
    assert!(output.unprocessed.is_empty(), "a batch of small items is read as a whole");
    let mut found = super::support::sort_keys(&output.items);
    found.sort_unstable();
    assert_eq!(found, there, "the existing items, each once");
}

/// A batch reads whole items of several partitions.
pub async fn a_batch_reads_whole_items_of_any_partition(store: &dyn Store, scope: &Scope) {
    let elsewhere = item_at(&Key::new(scope.other_partition(), sort_key("b")));
    let items = [with(scope.indexed("a", "1"), "title", s("one")), with(elsewhere, "title", s("two"))];
    put_all(store, &items).await;
    let output = batch_get(store, items.iter().map(|item| item.key().unwrap()).collect()).await;
    assert_eq!(output.items.len(), 2, "the items of the batch");
    for item in &items {
        let found = output.items.iter().find(|found| found.key().unwrap() == item.key().unwrap());
        assert_item(found.cloned(), item);
    }
}

/// A batch of reads returns no item and no error if all its items are missing.
pub async fn a_batch_of_missing_items_is_no_error(store: &dyn Store, scope: &Scope) {
    let output = batch_get(store, vec![scope.key("a"), scope.key("b")]).await;
    assert_sort_keys(&output.items, &[]);
    assert!(output.unprocessed.is_empty(), "a missing item is not an unprocessed one");
}

/// If the items of a batch are too large for one answer, the store reads them or returns their keys as unprocessed. No
/// item is lost, and a finite number of retries reads all items.
pub async fn a_batch_returns_the_keys_that_it_cannot_read(store: &dyn Store, scope: &Scope) {
    let names: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    for name in &names {
        put(store, &of_size(scope.item(name), 390 * 1024)).await;
    }
    let mut wanted: Vec<Key> = names.iter().map(|name| scope.key(name)).collect();
    let mut found: Vec<Item> = Vec::new();
    while !wanted.is_empty() {
        let output = batch_get(store, wanted.clone()).await;
        assert!(!output.items.is_empty(), "a batch of {} keys must read at least one", wanted.len());
        let read = output.items.iter().map(|item| item.key().unwrap());
        let answered: BTreeSet<Key> = read.chain(output.unprocessed.iter().cloned()).collect();
        assert_eq!(answered, wanted.iter().cloned().collect(), "the keys that were read or returned");
        assert_eq!(output.items.len() + output.unprocessed.len(), wanted.len(), "no key is both, or twice");
        found.extend(output.items);
        wanted = output.unprocessed;
    }
    assert_eq!(found.len(), names.len(), "all items, over several batches");
}
