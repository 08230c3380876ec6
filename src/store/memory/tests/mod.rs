//! The guarantees of the in-memory store, rule by rule.

mod batch;
mod capacity;
mod change;
mod expiry;
mod history;
mod lag;
mod model;
mod page;
#[cfg(shuttle)]
mod schedules;
#[cfg(not(shuttle))]
mod threads;
mod transact;
mod update;
mod write;

use crate::store::StoreExt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde_dynamo::AttributeValue;

use super::MemoryStore;
use crate::capacity::Capacity;
use crate::error::Error;
use crate::item::Item;
use crate::key::{GSI1PK, GSI1SK, Key, PK, PartitionKey, SK, SortKey};
use crate::request::{Get, PageOutput, Query, TransactOutcome, Transaction, Write, WriteOutcome};
use crate::store::Store;
use crate::time::ManualClock;

/// Returns the output of a future that never waits.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the twin waited"),
    }
}

/// Creates a table whose clock stays at the second 1,000,000.
fn store_and_clock() -> (MemoryStore, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::starting_at(crate::Timestamp::from_unix_millis(1_000_000_000).unwrap()));
    (MemoryStore::new().clock(clock.clone()), clock)
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn key(pk: &str, sk: &str) -> Key {
    Key::new(PartitionKey::parse(pk).unwrap(), SortKey::parse(sk).unwrap())
}

fn item(pk: &str, sk: &str) -> Item {
    let mut item = Item::new();
    item.insert(PK, s(pk));
    item.insert(SK, s(sk));
    item
}

fn with(mut item: Item, name: &str, value: AttributeValue) -> Item {
    item.insert(name, value);
    item
}

fn indexed(pk: &str, sk: &str, index_pk: &str, index_sk: &str) -> Item {
    with(with(item(pk, sk), GSI1PK, s(index_pk)), GSI1SK, s(index_sk))
}

/// Returns an item of exactly this size.
fn sized(pk: &str, sk: &str, size: usize) -> Item {
    let item = item(pk, sk);
    let text = "x".repeat(size - item.size() - 1);
    let item = with(item, "x", s(&text));
    assert_eq!(item.size(), size);
    item
}

fn try_write(store: &MemoryStore, write: Write) -> Result<WriteOutcome, Error> {
    now(store.write(write))
}

/// Makes the write, which must be done, and returns its consumption.
fn write(store: &MemoryStore, write: Write) -> Capacity {
    let outcome = try_write(store, write).unwrap();
    let capacity = outcome.capacity();
    outcome.done().unwrap();
    capacity
}

fn put(store: &MemoryStore, item: Item) -> Capacity {
    write(store, Write::put(item))
}

fn get(store: &MemoryStore, pk: &str, sk: &str) -> Option<Item> {
    now(store.get(Get::new(key(pk, sk)))).unwrap().item
}

fn query(store: &MemoryStore, query: Query) -> PageOutput {
    now(store.query(query)).unwrap()
}

fn transact(store: &MemoryStore, transaction: Transaction) -> TransactOutcome {
    now(store.transact(transaction)).unwrap()
}

fn partition(pk: &str) -> PartitionKey {
    PartitionKey::parse(pk).unwrap()
}

fn sort_key(sk: &str) -> SortKey {
    SortKey::parse(sk).unwrap()
}

/// Returns the sort keys of the items.
fn sort_keys(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.get_s(SK).unwrap()).collect()
}
