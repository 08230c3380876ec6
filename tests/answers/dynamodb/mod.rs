//! The store's handling of every answer of DynamoDB, from a server with scripted answers.

mod batches;
mod errors;
mod projection;
mod regions;
mod requests;
mod spans;
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

/// The content that no error may show.
const CANARY: &str = "canary-5c0ffee";

/// Creates a store on the server. Its pauses have their maximum length.
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
    // DynamoDB returns this as `1000`.
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
    // One second before the store's clock.
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

/// Returns the answer to a batch write that left these writes unprocessed.
fn left_writes(numbers: impl IntoIterator<Item = u32>) -> Reply {
    let left: Vec<_> = numbers.into_iter().map(|number| json!({"PutRequest": {"Item": sdk_item(number)}})).collect();
    ok(json!({
        "UnprocessedItems": {"threadline": left},
        "ConsumedCapacity": [{"TableName": "threadline", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}],
    }))
}

/// Returns the answer to a batch get that read some items and left the other keys unprocessed.
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
