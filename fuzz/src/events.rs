//! Any event: every record is read and has an outcome, nothing is lost, and a redelivery changes nothing.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::Event;
use serde_dynamo::AttributeValue;
use serde_json::{Value, json};
use threadline::entity::{Entity, Item, KnownKey};
use threadline::store::{BatchAction, BatchWrite, Scan, StoreExt};
use threadline::stream::lambda::{DynamoDbEventResponse, records_from_event};
use threadline::stream::{Auditor, DeadLetterSink, Projector, RecordOutcome, StreamRecord};
use threadline::{Error, ErrorKind, ManualClock, Membership, MemoryStore, Result, Timestamp};

use super::content;
use super::run::block_on;

/// The maximum number of projected records, like a batch.
const MOST_RECORDS: usize = 32;

/// The input is an event in JSON.
pub fn check(data: &[u8]) {
    let Ok(mut event) = serde_json::from_slice::<Value>(data) else { return };
    if let Some(records) = event.get_mut("Records").and_then(Value::as_array_mut) {
        records.truncate(MOST_RECORDS);
    }
    let has_canary = content::has_canary(&String::from_utf8_lossy(data));
    checked(&event);
    if !has_canary {
        let mut marked = event;
        content::mark_json(&mut marked);
        for record in checked(&marked) {
            content::assert_silent_debug(&record);
        }
    }
}

fn checked(event: &Value) -> Vec<StreamRecord> {
    let records = match records_from_event(event) {
        Ok(records) => records,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Misconfigured);
            content::assert_silent(&error);
            return Vec::new();
        }
    };
    let list = event["Records"].as_array().expect("an event has a list of records");
    assert_eq!(records.len(), list.len());
    for (record, json) in records.iter().zip(list) {
        read_as_its_type(record, json);
    }
    projected(&records);
    records
}

/// If the types of `aws_lambda_events` can read a complete record, both ways of reading agree.
fn read_as_its_type(record: &StreamRecord, json: &Value) {
    if record.raw.is_some() {
        return;
    }
    let alone = json!({ "Records": [json] });
    let Ok(event) = serde_json::from_value::<Event>(alone) else { return };
    let typed: Vec<_> = event.records.into_iter().map(StreamRecord::from).collect();
    assert!(typed[..] == [record.clone()], "{typed:?} and {record:?}");
}

fn projected(records: &[StreamRecord]) {
    let store = MemoryStore::new().clock(Arc::new(ManualClock::starting_at(*NOON)));
    let table = BatchWrite::new(TABLE.iter().cloned().map(BatchAction::Put));
    let put = block_on(store.batch_write(table)).expect("a store in memory never fails");
    assert_eq!(put.unprocessed, []);
    let kept = Kept::default();
    let projector = Projector::new(store.clone()).dead_letters(kept.clone());

    let projection = block_on(projector.project(records));
    assert_eq!(projection.outcomes.len(), records.len(), "each record has an outcome");
    for (record, outcome) in records.iter().zip(&projection.outcomes) {
        if let RecordOutcome::Failed(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "nothing else fails here");
            assert_eq!((&record.new, &record.raw), (&None, &None), "a stream without new images");
        }
    }
    let answer = serde_json::to_value(DynamoDbEventResponse::from(&projection)).expect("JSON");
    assert_eq!(answer == json!({ "batchItemFailures": [] }), !projection.has_failed());
    let mut impossible = 0;
    for outcome in &projection.outcomes {
        if let RecordOutcome::DeadLetter(error) = outcome {
            content::assert_silent(error);
            impossible += 1;
        }
    }
    assert_eq!(kept.count(), impossible, "each record that can never succeed is in the sink");

    let once = scanned(&store);
    entries_are_whole(&once);
    let again = block_on(projector.project(records));
    assert_eq!(again.outcomes.len(), records.len());
    assert!(scanned(&store) == once, "a redelivery changes nothing");
    let audit = block_on(Auditor::new(store).check(None)).expect("an audit of a whole table");
    content::assert_silent_debug(&audit.findings);
}

/// No record creates an entry that cannot be read, or that costs more than one unit.
fn entries_are_whole(items: &HashMap<String, Item>) {
    assert_eq!(items.len(), TABLE.len(), "the projector neither puts nor deletes");
    for item in items.values() {
        let key = item.key().expect("it is stored");
        if let Some(KnownKey::Membership(..)) = KnownKey::parse(&key) {
            let entry = Membership::from_item(item.clone()).expect("an entry can be read");
            assert_eq!(entry.key(), key);
            assert_eq!(entry.index_key(), item.index_key().expect("valid"), "an entry's index key is that of its item");
            assert!(item.size() <= 1024, "{} bytes", item.size());
        }
    }
}

fn scanned(store: &MemoryStore) -> HashMap<String, Item> {
    let page = block_on(store.scan(Scan::new())).expect("a store in memory never fails");
    assert_eq!(page.next, None);
    let key = |item: &Item| item.key().map(|key| format!("{} {}", key.pk.as_str(), key.sk.as_str()));
    page.items.into_iter().map(|item| (key(&item).expect("it is stored"), item)).collect()
}

static NOON: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-22T12:00:00Z".parse().expect("a time"));

/// Andrew and Bayko, with a conversation of a few messages, and a group of both.
static TABLE: LazyLock<Vec<Item>> = LazyLock::new(|| {
    let lines = include_str!("table.jsonl").lines();
    lines.map(|line| serde_json::from_str::<HashMap<String, AttributeValue>>(line).expect("an item").into()).collect()
});

/// Counts the dead letters.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<usize>>);

impl Kept {
    fn count(&self) -> usize {
        *self.0.lock().expect("no panic while it is held")
    }
}

#[async_trait]
impl DeadLetterSink for Kept {
    async fn keep(&self, _: &StreamRecord, error: &Error) -> Result<()> {
        content::assert_silent(error);
        *self.0.lock().expect("no panic while it is held") += 1;
        Ok(())
    }
}
