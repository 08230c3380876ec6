//! The typed calls on a store that fails or loses answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use threadline::entity::{AttributeValue, Entity, Item, Key, KeySegment, PartitionKey, SortKey, tag};
use threadline::store::{
    Answer, BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Checked, Request, Scan, Store,
    StoreExt,
};
use threadline::{Error, ErrorKind, MemoryStore, Result};

/// The outcome of a batch.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Done,
    /// Everything is done except the last part.
    LeavesOne,
    Fails(ErrorKind),
}

use Fate::{Done, Fails, LeavesOne};

/// A table whose batches have these outcomes in turn. Its single writes are sent twice, as by a client that retries
/// after a lost answer.
#[derive(Clone, Debug)]
struct Faulty {
    table: MemoryStore,
    fates: Arc<Mutex<VecDeque<Fate>>>,
}

impl Faulty {
    fn new(fates: impl IntoIterator<Item = Fate>) -> Self {
        Self { table: MemoryStore::new(), fates: Arc::new(Mutex::new(fates.into_iter().collect())) }
    }

    /// Removes and returns the part that this batch leaves unprocessed.
    fn meet_fate<T>(&self, parts: &mut Vec<T>) -> Result<Vec<T>> {
        match self.fates.lock().unwrap().pop_front().expect("no batch was expected any more") {
            Done => Ok(vec![]),
            LeavesOne => Ok(parts.pop().into_iter().collect()),
            Fails(kind) => Err(Error::new(kind, "as the test says")),
        }
    }

    fn has_met_all(&self) -> bool {
        self.fates.lock().unwrap().is_empty()
    }

    async fn stored(&self) -> usize {
        self.table.scan(Scan::new()).await.unwrap().items.len()
    }
}

#[async_trait]
impl Store for Faulty {
    fn table_name(&self) -> &str {
        self.table.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        match request.into_request() {
            Request::Write(write) => {
                let _ = self.table.write(write.clone()).await?;
                Ok(Answer::Write(self.table.write(write).await?))
            }
            Request::BatchGet(batch) => {
                let mut keys = batch.keys().to_vec();
                let unprocessed = self.meet_fate(&mut keys)?;
                let part = BatchGet::new(keys).consistency(batch.get_consistency());
                let done = self.table.batch_get(part).await?;
                Ok(Answer::BatchGet(BatchGetOutput { unprocessed, ..done }))
            }
            Request::BatchWrite(batch) => {
                let mut writes = batch.writes().to_vec();
                let unprocessed = self.meet_fate(&mut writes)?;
                let done = self.table.batch_write(BatchWrite::new(writes)).await?;
                Ok(Answer::BatchWrite(BatchWriteOutput { unprocessed, ..done }))
            }
            request => self.table.execute(Checked::new(request)?).await,
        }
    }
}

fn key(number: usize) -> Key {
    Key::new(PartitionKey::parse("A").unwrap(), SortKey::parse(format!("{number:03}")).unwrap())
}

fn puts(numbers: impl IntoIterator<Item = usize>) -> Vec<BatchAction> {
    let put = |number| {
        let key = key(number);
        let mut item = Item::new();
        item.insert("pk", AttributeValue::S(key.pk.into()));
        item.insert("sk", AttributeValue::S(key.sk.into()));
        BatchAction::Put(item)
    };
    numbers.into_iter().map(put).collect()
}

fn keys(numbers: impl IntoIterator<Item = usize>) -> Vec<Key> {
    numbers.into_iter().map(key).collect()
}

#[tokio::test]
async fn an_invalid_write_prevents_all_batches() {
    let mut writes = puts(0..60);
    let BatchAction::Put(item) = &mut writes[40] else { unreachable!() };
    item.insert("set", AttributeValue::Ss(vec![]));
    let store = Faulty::new([]);
    assert_eq!(store.write_all(writes).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(store.stored().await, 0);
}

#[tokio::test]
async fn a_failed_later_batch_write_returns_all_writes_not_done() {
    for kind in [ErrorKind::Throttled, ErrorKind::Unavailable, ErrorKind::Denied, ErrorKind::Invalid] {
        let store = Faulty::new([LeavesOne, Fails(kind)]);
        let written = store.write_all(puts(0..60)).await.unwrap();
        assert_eq!(written.unprocessed, puts([24].into_iter().chain(25..60)), "{kind:?}");
        assert_eq!(store.stored().await, 24);
        assert!(written.capacity.write() > threadline::store::Units::ZERO);
    }
}

#[tokio::test]
async fn unprocessed_writes_can_be_sent_again() {
    let store = Faulty::new([Done, Fails(ErrorKind::Throttled), LeavesOne, Done, Done]);
    let mut writes = puts(0..60);
    while !writes.is_empty() {
        writes = store.write_all(writes).await.unwrap().unprocessed;
    }
    assert_eq!(store.stored().await, 60);
    assert!(store.has_met_all());
}

#[tokio::test]
async fn the_first_batch_of_writes_fails_as_an_error() {
    let store = Faulty::new([Fails(ErrorKind::Throttled)]);
    assert_eq!(store.write_all(puts(0..60)).await.unwrap_err().kind(), ErrorKind::Throttled);
}

#[tokio::test]
async fn an_unknown_outcome_of_a_later_batch_of_writes_is_an_error() {
    let store = Faulty::new([Done, Fails(ErrorKind::OutcomeUnknown)]);
    assert_eq!(store.write_all(puts(0..60)).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
}

#[tokio::test]
async fn an_invalid_batch_is_refused_before_any_is_sent() {
    let store = Faulty::new([]);
    let twice = puts((0..25).chain([30, 30]));
    assert_eq!(store.write_all(twice).await.unwrap_err().kind(), ErrorKind::Invalid);
    let twice = keys((0..100).chain([200, 200]));
    assert_eq!(store.get_all(twice).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_failed_later_batch_get_returns_items_and_the_keys_not_read() {
    for kind in [ErrorKind::Throttled, ErrorKind::Denied, ErrorKind::Corrupt] {
        let store = Faulty::new([Done, Done, LeavesOne, Fails(kind)]);
        assert_eq!(store.write_all(puts(0..50)).await.unwrap().unprocessed, []);
        let read = store.get_all(keys(0..250)).await.unwrap();
        assert_eq!(read.items.len(), 50, "{kind:?}");
        assert_eq!(read.unprocessed, keys([99].into_iter().chain(100..250)));
    }
}

#[tokio::test]
async fn the_first_batch_of_reads_fails_as_an_error() {
    let store = Faulty::new([Fails(ErrorKind::Denied)]);
    assert_eq!(store.get_all(keys(0..250)).await.unwrap_err().kind(), ErrorKind::Denied);
}

/// A number in the table, which DynamoDB may return in another form.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    sensor: KeySegment,
    value: f64,
}

impl Entity for Reading {
    const TYPE: &'static str = "Reading";
    type KeyParts<'a> = &'a KeySegment;

    fn key_from(sensor: &KeySegment) -> Key {
        Key::new(PartitionKey::new((tag!("READING"), sensor)), SortKey::new((tag!("READING"),)))
    }

    fn key_parts(&self) -> &KeySegment {
        &self.sensor
    }
}

#[tokio::test]
async fn a_new_entity_is_accepted_after_a_lost_answer() {
    let store = Faulty::new([]);
    let sensor = KeySegment::new("roof").unwrap();
    for value in [0.000_000_1, 1e21] {
        let reading = Reading { sensor: KeySegment::new(format!("roof {value}")).unwrap(), value };
        store.put_new_entity(&reading).await.unwrap();
        assert_eq!(store.get_entity_consistent::<Reading>(&reading.sensor).await.unwrap(), Some(reading));
    }
    store.put_new_entity(&Reading { sensor: sensor.clone(), value: 1.0 }).await.unwrap();
    let error = store.put_new_entity(&Reading { sensor, value: 2.0 }).await.unwrap_err();
    assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("Reading")));
}

#[tokio::test]
async fn one_item_in_two_batches_is_refused_before_anything_is_sent() {
    let store = Faulty::new([]);
    let twice = || (0..130).chain([3]);
    assert_eq!(store.write_all(puts(twice())).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(store.get_all(keys(twice())).await.unwrap_err().kind(), ErrorKind::Invalid);
}

/// A store that answers every request like a scan.
#[derive(Debug)]
struct Confused;

#[async_trait]
impl Store for Confused {
    fn table_name(&self) -> &str {
        "confused"
    }

    async fn execute(&self, _: Checked) -> Result<Answer> {
        Ok(Answer::Scan(threadline::store::PageOutput::default()))
    }
}

#[tokio::test]
async fn an_answer_of_another_kind_is_an_error() {
    let table = || PartitionKey::parse("A").unwrap();
    let errors = [
        Confused.get(threadline::store::Get::new(key(1))).await.map(drop).unwrap_err(),
        Confused.query(threadline::store::Query::table(table())).await.map(drop).unwrap_err(),
        Confused.batch_get(BatchGet::new(keys([1]))).await.map(drop).unwrap_err(),
        Confused.write(threadline::store::Write::delete(key(1))).await.map(drop).unwrap_err(),
        Confused
            .transact(threadline::store::Transaction::new([threadline::store::Write::delete(key(1))]))
            .await
            .map(drop)
            .unwrap_err(),
        Confused.batch_write(BatchWrite::new(puts([1]))).await.map(drop).unwrap_err(),
    ];
    let shown = errors.each_ref().map(|error| (error.kind(), error.operation().unwrap(), error.table().unwrap()));
    let (read, written) = (ErrorKind::Unavailable, ErrorKind::OutcomeUnknown);
    assert_eq!(
        shown,
        [
            (read, "get", "confused"),
            (read, "query", "confused"),
            (read, "batch_get", "confused"),
            (written, "write", "confused"),
            (written, "transact", "confused"),
            (written, "batch_write", "confused"),
        ]
    );
}
