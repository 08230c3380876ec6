//! Helpers of the behaviors: values, requests that must succeed, and comparisons.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use threadline::entity::{AttributeValue, Item, Key};
use threadline::store::{
    BatchAction, BatchGet, BatchGetOutput, BatchWrite, Capacity, Get, PageOutput, Query, Scan, Store, StoreExt,
    TransactAction, TransactOutcome, Transaction, Write, WriteOutcome,
};
use threadline::{ErrorKind, Result};

/// More pages than any behavior has. Stops a store whose positions form a cycle.
const MANY_PAGES: usize = 10_000;

pub(super) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn n(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

pub(super) fn b(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(bytes.to_vec())
}

pub(super) fn ss(members: &[&str]) -> AttributeValue {
    AttributeValue::Ss(members.iter().map(|member| (*member).to_owned()).collect())
}

pub(super) fn ns(members: &[&str]) -> AttributeValue {
    AttributeValue::Ns(members.iter().map(|member| (*member).to_owned()).collect())
}

pub(super) fn limit(items: usize) -> NonZeroU32 {
    NonZeroU32::new(u32::try_from(items).unwrap()).unwrap()
}

/// Returns the item with one more attribute.
pub(super) fn with(mut item: Item, name: &str, value: AttributeValue) -> Item {
    item.insert(name, value);
    item
}

/// Returns the item, padded to exactly this many bytes.
pub(super) fn of_size(item: Item, bytes: usize) -> Item {
    let empty = with(item.clone(), "data", s("")).size();
    let item = with(item, "data", s(&"x".repeat(bytes - empty)));
    assert_eq!(item.size(), bytes);
    item
}

/// Puts the item.
pub(super) async fn put(store: &dyn Store, item: &Item) {
    done(write(store, Write::put(item.clone())).await);
}

/// Puts the items, one by one.
pub(super) async fn put_all(store: &dyn Store, items: &[Item]) {
    for item in items {
        put(store, item).await;
    }
}

/// Reads the item with this key consistently.
pub(super) async fn get(store: &dyn Store, key: &Key) -> Option<Item> {
    store.get(Get::new(key.clone()).consistent()).await.expect("a get must be answered").item
}

/// Makes the write, which may be refused by its condition.
pub(super) async fn write(store: &dyn Store, request: Write) -> WriteOutcome {
    store.write(request).await.expect("a write must be answered")
}

pub(super) async fn transact(
    store: &dyn Store,
    actions: impl IntoIterator<Item = impl Into<TransactAction>>,
) -> TransactOutcome {
    store.transact(Transaction::new(actions)).await.expect("a transaction must be answered")
}

pub(super) async fn query(store: &dyn Store, request: Query) -> PageOutput {
    store.query(request).await.expect("a query must be answered")
}

/// Reads every page of the query.
pub(super) async fn pages(store: &dyn Store, mut request: Query) -> Vec<PageOutput> {
    let mut pages = Vec::new();
    while pages.len() < MANY_PAGES {
        let page = query(store, request.clone()).await;
        let next = page.next.clone();
        pages.push(page);
        if next.is_none() {
            return pages;
        }
        request = request.start(next);
    }
    panic!("a query must end, but this one has more than {MANY_PAGES} pages");
}

/// Reads every item of the query.
pub(super) async fn query_all(store: &dyn Store, request: Query) -> Vec<Item> {
    pages(store, request).await.into_iter().flat_map(|page| page.items).collect()
}

/// Reads every page of a scan of the whole table.
pub(super) async fn scan_pages(store: &dyn Store, mut request: Scan) -> Vec<PageOutput> {
    let mut pages = Vec::new();
    while pages.len() < MANY_PAGES {
        let page = store.scan(request.clone()).await.expect("a scan must be answered");
        let next = page.next.clone();
        pages.push(page);
        if next.is_none() {
            return pages;
        }
        request = request.start(next);
    }
    panic!("a scan must end, but this one has more than {MANY_PAGES} pages");
}

/// Reads the keys consistently, in one request.
pub(super) async fn batch_get(store: &dyn Store, keys: Vec<Key>) -> BatchGetOutput {
    store.batch_get(BatchGet::new(keys).consistent()).await.expect("a batch of reads must be answered")
}

/// Makes all the writes, and returns the consumed capacity.
pub(super) async fn batch_write(store: &dyn Store, writes: Vec<BatchAction>) -> Capacity {
    let output = store.batch_write(BatchWrite::new(writes)).await.expect("a batch of writes must be answered");
    assert!(output.unprocessed.is_empty(), "a store in a test must have the throughput for a batch of small writes");
    output.capacity
}

/// Returns the old item of a write that must be done.
#[track_caller]
pub(super) fn done(outcome: WriteOutcome) -> Option<Item> {
    match outcome {
        WriteOutcome::Done { old, .. } => old,
        WriteOutcome::Refused { .. } => panic!("the write must be done, but its condition refused it"),
    }
}

/// Returns the current item of a write that must be refused.
#[track_caller]
pub(super) fn refused(outcome: WriteOutcome) -> Option<Item> {
    match outcome {
        WriteOutcome::Refused { current, .. } => current,
        WriteOutcome::Done { .. } => panic!("the condition must refuse the write, but it was done"),
    }
}

/// Checks that a request is refused as invalid.
#[track_caller]
pub(super) fn assert_invalid<T>(result: Result<T>, what: &str) {
    match result {
        Err(error) if error.kind() == ErrorKind::Invalid => {}
        Err(error) => panic!("{what} must be refused as `Invalid`, but the error is {error:?}"),
        Ok(_) => panic!("{what} must be refused as `Invalid`, but was accepted"),
    }
}

/// Checks that there is such an item; the order of sets does not matter.
#[track_caller]
pub(super) fn assert_item(found: Option<Item>, expected: &Item) {
    let Some(found) = found else { panic!("there must be an item, but there is none") };
    assert_eq!(readable(&found), readable(expected), "the item must be as it was written");
}

/// Checks that there is no item.
#[track_caller]
pub(super) fn assert_none(found: Option<Item>) {
    if let Some(found) = found {
        panic!("there must be no item, but there is {:?}", readable(&found));
    }
}

/// Checks that the items have these sort keys, in this order.
#[track_caller]
pub(super) fn assert_sort_keys(items: &[Item], expected: &[&str]) {
    assert_eq!(sort_keys(items), expected, "the sort keys of the items, in order");
}

/// Returns the items' sort keys in the table.
#[track_caller]
pub(super) fn sort_keys(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.get_s(threadline::entity::SK).expect("an item has a sort key")).collect()
}

/// Returns the attributes by name, with the members of sets in order: `Debug` of an item does not show them.
pub(super) fn readable(item: &Item) -> BTreeMap<&str, AttributeValue> {
    item.iter().map(|(name, value)| (name, in_order(value))).collect()
}

fn in_order(value: &AttributeValue) -> AttributeValue {
    let mut value = value.clone();
    match &mut value {
        AttributeValue::Ss(set) | AttributeValue::Ns(set) => set.sort(),
        AttributeValue::Bs(set) => set.sort(),
        AttributeValue::L(list) => list.iter_mut().for_each(|value| *value = in_order(value)),
        AttributeValue::M(map) => map.values_mut().for_each(|value| *value = in_order(value)),
        _ => {}
    }
    value
}
