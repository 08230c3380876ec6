//! What the store makes of each answer that DynamoDB may give, from a server that answers by script.

mod batches;
mod errors;
mod projection;
mod requests;
mod table;
mod writes;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use crate::canned::{Reply, Server, Sleeps, client_without_server, fault, fault_with, ok};
use serde_json::{Value, json};
use threadline::entity::{AttributeValue, Item, Key, PartitionKey, SortKey};
use threadline::store::dynamodb::RetryPolicy;
use threadline::store::{
    BatchAction, BatchGet, BatchWrite, CancelCode, Capacity, ClientToken, Condition, Get, Query, Scan, Store, StoreExt,
    TransactAction, TransactOutcome, Transaction, Units, Update, Write, WriteOutcome,
};
use threadline::{DynamoDbStore, Error, ErrorKind, ManualClock, Outcome, Recovery, SequentialIds};

/// What must never be seen in an error.
const CANARY: &str = "canary-5c0ffee";

/// A store on the server, whose pauses are the longest that they may be.
fn store(server: &Server, sleeps: &Sleeps) -> DynamoDbStore {
    plain_store(server.client(sleeps))
}

fn plain_store(client: aws_sdk_dynamodb::Client) -> DynamoDbStore {
    let clock = ManualClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
    DynamoDbStore::new(client, "threadline")
        .clock(clock)
        .ids(Arc::new(SequentialIds::seeded(1)))
        .jitter(|ceiling| ceiling)
}

fn key(number: u32) -> Key {
    Key::new(PartitionKey::parse(format!("A#{number}")).unwrap(), SortKey::parse("B").unwrap())
}

fn sdk_key(number: u32) -> Value {
    json!({"pk": {"S": format!("A#{number}")}, "sk": {"S": "B"}})
}

fn item(number: u32) -> Item {
    let mut item = Item::new();
    item.insert("pk", AttributeValue::S(format!("A#{number}")));
    item.insert("sk", AttributeValue::S("B".into()));
    item.insert("text", AttributeValue::S(CANARY.into()));
    // DynamoDB gives this back as `1000`.
    item.insert("count", AttributeValue::N("1e3".into()));
    item
}

fn sdk_item(number: u32) -> Value {
    let mut item = sdk_key(number);
    item["text"] = json!({"S": CANARY});
    item["count"] = json!({"N": "1000"});
    item
}

fn expired(number: u32) -> Value {
    let mut item = sdk_item(number);
    // One second before the clock of the store.
    item["expires_at"] = json!({"N": "1767225599"});
    item
}

fn put() -> Write {
    Write::put(item(1)).when(Condition::item_absent()).returning_old()
}

fn puts(numbers: impl IntoIterator<Item = u32>) -> Vec<BatchAction> {
    numbers.into_iter().map(|number| BatchAction::Put(item(number))).collect()
}

fn batch_write(numbers: impl IntoIterator<Item = u32>) -> BatchWrite {
    BatchWrite::new(puts(numbers))
}

fn batch_get(numbers: impl IntoIterator<Item = u32>) -> BatchGet {
    BatchGet::new(numbers.into_iter().map(key))
}

/// The answer to a batch of writes that left these undone.
fn left_writes(numbers: impl IntoIterator<Item = u32>) -> Reply {
    let left: Vec<_> = numbers.into_iter().map(|number| json!({"PutRequest": {"Item": sdk_item(number)}})).collect();
    ok(json!({
        "UnprocessedItems": {"threadline": left},
        "ConsumedCapacity": [{"TableName": "threadline", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}],
    }))
}

/// The answer to a batch of reads that found some and left others unread.
fn read_and_left(read: impl IntoIterator<Item = u32>, left: impl IntoIterator<Item = u32>) -> Reply {
    let items: Vec<_> = read.into_iter().map(sdk_item).collect();
    let keys: Vec<_> = left.into_iter().map(sdk_key).collect();
    let unprocessed = if keys.is_empty() { json!({}) } else { json!({"threadline": {"Keys": keys}}) };
    ok(json!({
        "Responses": {"threadline": items},
        "UnprocessedKeys": unprocessed,
        "ConsumedCapacity": [{"TableName": "threadline", "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}}],
    }))
}

fn canceled(codes: &[&str]) -> Reply {
    let reasons: Vec<_> = codes.iter().map(|code| json!({"Code": code})).collect();
    fault_with(400, "TransactionCanceledException", json!({"CancellationReasons": reasons}))
}

fn transaction(actions: u32) -> Transaction {
    Transaction::new((1..=actions).map(|number| Write::put(item(number))))
}
