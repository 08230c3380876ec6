//! What the poller makes of each answer that DynamoDB Streams may give, from a server that answers by script.

#[path = "dynamodb_answers/canned.rs"]
#[allow(dead_code)]
mod canned;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::config::retry::RetryConfig;
use aws_sdk_dynamodbstreams::config::timeout::TimeoutConfig;
use aws_sdk_dynamodbstreams::config::{IdentityCache, StalledStreamProtectionConfig};
use canned::{Reply, Server, Sleeps, fault, ok};
use serde_json::{Value, json};
use threadline::store::dynamodb::RetryPolicy;
use threadline::stream::{
    JsonLinesSink, PollEvent, PollStart, PollSummary, Poller, Projector, StreamRecord, local_streams_client,
};
use threadline::{
    BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Clock, Error, ErrorKind, Get, GetOutput, Item, ManualClock,
    MemoryStore, NewUser, PageOutput, Query, Scan, SequentialIds, Store, Thread, Threadline, TransactOutcome,
    Transaction, User, Write, WriteOutcome,
};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;

const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline/stream/2026-01-02";

/// A table in memory, the records of its stream for the server to give out, and the poller of that.
struct App {
    store: MemoryStore,
    chat: Threadline,
    sleeps: Sleeps,
    events: Arc<Mutex<Vec<String>>>,
}

impl App {
    fn new() -> Self {
        Self::on("threadline")
    }

    fn on(table: &str) -> Self {
        let clock = Arc::new(ManualClock::starting_at("2026-11-22T12:00:00Z".parse().unwrap()));
        let store = MemoryStore::new().with_clock(clock.clone() as Arc<dyn Clock>).with_table_name(table);
        let chat = Threadline::new(store.clone()).with_clock(clock).with_ids(SequentialIds::seeded(1));
        Self { store, chat, sleeps: Sleeps::default(), events: Arc::default() }
    }

    async fn user(&self, handle: &str) -> User {
        self.chat.create_user(NewUser::new(handle, handle).unwrap()).await.unwrap()
    }

    /// A thread of two, with one message.
    async fn thread(&self, one: &str, other: &str) -> (User, Thread) {
        let (one, other) = (self.user(one).await, self.user(other).await);
        let thread = self.chat.start_direct(&one, &other, "first").await.unwrap();
        (one, thread)
    }

    async fn preview(&self, user: &User) -> String {
        let inbox = self.chat.inbox(user.id()).fetch().await.unwrap();
        inbox.items[0].preview().unwrap().to_string()
    }

    /// The records of the stream behind this many, as the service has them.
    fn records(&self, behind: usize) -> Vec<Value> {
        let changes = self.store.changes_after(None, usize::MAX).unwrap();
        changes.into_iter().skip(behind).map(|change| record(&StreamRecord::from(change))).collect()
    }

    fn poller(&self, server: &Server) -> Poller {
        self.poller_on(server, self.store.clone())
    }

    fn poller_on(&self, server: &Server, store: impl Store + Clone + 'static) -> Poller {
        let events = self.events.clone();
        Poller::new(self.client(server), Projector::new(store.clone()), store)
            .with_jitter(|ceiling| ceiling)
            .with_observer(move |event| events.lock().unwrap().push(line(event)))
    }

    fn client(&self, server: &Server) -> Client {
        let config = local_streams_client(server.endpoint()).config().to_builder();
        let config = config.sleep_impl(self.sleeps.clone()).retry_config(RetryConfig::disabled());
        let config = config.timeout_config(TimeoutConfig::disabled()).identity_cache(IdentityCache::no_cache());
        Client::from_conf(config.stalled_stream_protection(StalledStreamProtectionConfig::disabled()).build())
    }

    fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }
}

fn line(event: &PollEvent<'_>) -> String {
    match event {
        PollEvent::Batch { shard, summary, .. } => {
            format!("{shard}: {} records, {} failed", summary.records, summary.failed)
        }
        PollEvent::Trimmed { shard, .. } => format!("{shard}: trimmed"),
        PollEvent::Ended { shard, .. } => format!("{shard}: ended"),
        other => format!("{other:?}"),
    }
}

fn record(record: &StreamRecord) -> Value {
    let image = |item: &Item| json!(item.iter().collect::<BTreeMap<_, _>>());
    let mut change = json!({"Keys": image(&record.keys), "SequenceNumber": number(record)});
    if let Some(new) = &record.new {
        change["NewImage"] = image(new);
    }
    if let Some(old) = &record.old {
        change["OldImage"] = image(old);
    }
    json!({"eventName": record.kind.as_str(), "dynamodb": change})
}

fn number(record: &StreamRecord) -> String {
    format!("{:0>21}", record.sequence.as_ref().unwrap().as_str())
}

fn sequence(record: &Value) -> &Value {
    &record["dynamodb"]["SequenceNumber"]
}

fn streams() -> Reply {
    // The newest is neither the first nor the last.
    let older = |label: &str| json!({"StreamArn": format!("{ARN}-older"), "StreamLabel": label});
    ok(json!({"Streams": [older("2025-12-31"), {"StreamArn": ARN, "StreamLabel": "2026-01-02"}, older("2026-01-01")]}))
}

fn shard(id: &str, parent: Option<&str>, is_closed: bool) -> Value {
    let mut shard = json!({"ShardId": id, "SequenceNumberRange": {"StartingSequenceNumber": "1"}});
    if let Some(parent) = parent {
        shard["ParentShardId"] = parent.into();
    }
    if is_closed {
        shard["SequenceNumberRange"]["EndingSequenceNumber"] = "9".into();
    }
    shard
}

fn shards(status: &str, shards: &[Value]) -> Reply {
    ok(json!({"StreamDescription": {"StreamStatus": status, "StreamViewType": "NEW_IMAGE", "Shards": shards}}))
}

fn one_shard() -> Reply {
    shards("ENABLED", &[shard("a", None, false)])
}

fn iterator(iterator: &str) -> Reply {
    ok(json!({"ShardIterator": iterator}))
}

fn page(records: &[Value], next: Option<&str>) -> Reply {
    ok(json!({"Records": records, "NextShardIterator": next}))
}

/// As many reads without a record as end a drain.
fn nothing_more() -> Vec<Reply> {
    vec![page(&[], Some("more")); 5]
}

/// The operations asked for, but for the reads that find nothing at the end.
fn operations(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|(operation, _)| operation).collect()
}

fn iterators(server: &Server) -> Vec<Value> {
    server.requests().into_iter().filter(|(name, _)| name == "GetShardIterator").map(|(_, body)| body).collect()
}

#[tokio::test]
async fn the_newest_stream_of_the_table_is_read_from_its_oldest_record() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    thread.send(thread.new_message_id(), "second").await?;
    let records = app.records(0);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2"))];
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).with_batch_size(500).drain().await?;

    assert_eq!(summary.records, records.len() as u64);
    assert_eq!(summary.projected, 4, "the messages and the new rows; the rest is none of the projector's business");
    assert_eq!(app.preview(&andrew).await, "second");
    let bodies = server.bodies();
    assert_eq!(bodies[0], json!({"TableName": "threadline"}));
    assert_eq!(bodies[1], json!({"StreamArn": ARN}));
    assert_eq!(bodies[2], json!({"StreamArn": ARN, "ShardId": "a", "ShardIteratorType": "TRIM_HORIZON"}));
    assert_eq!(bodies[3], json!({"ShardIterator": "i1", "Limit": 500}));
    assert_eq!(bodies[4]["ShardIterator"], "i2");
    assert_eq!(operations(&server).len(), 9);
    Ok(())
}

#[tokio::test]
async fn a_new_poller_goes_on_behind_the_last_batch() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2"))];
    replies.extend(nothing_more());
    app.poller(&Server::answering(replies)).drain().await?;

    let mut replies = vec![streams(), one_shard(), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.records, 0);
    let from = &iterators(&server)[0];
    assert_eq!(from["ShardIteratorType"], "AFTER_SEQUENCE_NUMBER");
    assert_eq!(&from["SequenceNumber"], sequence(records.last().unwrap()));
    Ok(())
}

#[tokio::test]
async fn an_expired_iterator_is_replaced_behind_the_last_record() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let (first, rest) = records.split_at(2);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(first, Some("i2"))];
    replies.extend([fault(400, "ExpiredIteratorException"), iterator("i3"), page(rest, Some("i4"))]);
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.records, records.len() as u64);
    assert_eq!(&iterators(&server)[1]["SequenceNumber"], sequence(&first[1]));
    assert_eq!(app.sleeps.millis(), [0_u128; 0], "it is no failure");
    Ok(())
}

#[tokio::test]
async fn children_are_read_when_their_parent_has_ended() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    thread.send(thread.new_message_id(), "second").await?;
    let records = app.records(0);
    let (parents, childs) = records.split_at(records.len() - 1);
    let family = [shard("b", Some("a"), false), shard("a", None, true)];
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("a1")];
    replies.extend([page(parents, Some("a2")), page(&[], None)]);
    replies.extend([shards("ENABLED", &family), iterator("b1"), page(childs, Some("b2"))]);
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.projected, 4, "two messages and two new rows");
    assert_eq!(app.preview(&andrew).await, "second");
    let asked: Vec<_> = iterators(&server).iter().map(|body| body["ShardId"].clone()).collect();
    assert_eq!(asked, ["a", "b"]);
    let before = format!("a: {} records, 0 failed", parents.len());
    assert_eq!(app.events(), [before.as_str(), "a: ended", "b: 1 records, 0 failed"]);
    Ok(())
}

#[tokio::test]
async fn a_closed_shard_is_read_to_its_end_through_any_number_of_empty_reads() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let closed = shards("DISABLED", &[shard("a", None, true)]);
    let mut replies = vec![streams(), closed.clone(), iterator("i1")];
    replies.extend(vec![page(&[], Some("i2")); 12]);
    replies.extend([page(&records, None), closed]);
    let server = Server::answering(replies);

    let summary = app.poller(&server).run_until(pending()).await?;

    assert_eq!(summary.records, records.len() as u64);
    assert!(summary.stream_ended, "it was turned off");
    Ok(())
}

#[tokio::test]
async fn a_throttled_read_is_tried_again_after_growing_pauses() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let throttled = || fault(400, "LimitExceededException");
    let mut replies = vec![streams(), throttled(), one_shard(), iterator("i1")];
    replies.extend([throttled(), one_shard(), fault(400, "ThrottlingException"), one_shard()]);
    replies.push(page(&records, Some("i2")));
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.records, records.len() as u64);
    assert_eq!(app.sleeps.millis(), [100, 100, 200]);
    assert_eq!(iterators(&server).len(), 1, "the iterator is still good");
    Ok(())
}

#[tokio::test]
async fn it_gives_up_after_so_many_failures_in_a_row_and_can_be_called_again() -> Result<(), Error> {
    let app = App::new();
    let throttled = || fault(400, "LimitExceededException");
    let mut replies = vec![streams(), throttled(), throttled(), throttled(), throttled(), one_shard(), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let mut poller = app.poller(&server).with_retry(RetryPolicy::default().max_attempts(3));

    let error = poller.drain().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!((error.operation(), error.table()), (Some("describe_stream"), Some("threadline")));
    assert_eq!(app.sleeps.millis(), [50, 100]);
    assert_eq!(poller.drain().await?.records, 0);
    Ok(())
}

#[tokio::test]
async fn trimmed_records_are_told_of_and_reading_goes_on_from_the_oldest() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2"))];
    replies.extend(nothing_more());
    app.poller(&Server::answering(replies)).drain().await?;
    app.events.lock().unwrap().clear();

    thread.send(thread.new_message_id(), "missed").await?;
    thread.send(thread.new_message_id(), "left").await?;
    let left = app.records(0).pop().unwrap();
    let trimmed = || fault(400, "TrimmedDataAccessException");
    let mut replies = vec![streams(), one_shard(), trimmed(), iterator("i1"), trimmed(), iterator("i2")];
    replies.push(page(&[left], Some("i3")));
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let summary = app.poller(&server).drain().await?;

    assert_eq!((summary.trimmed, summary.records), (1, 1));
    assert_eq!(app.events(), ["a: trimmed", "a: 1 records, 0 failed"]);
    assert_eq!(app.preview(&andrew).await, "left");
    let kinds: Vec<_> = iterators(&server).iter().map(|body| body["ShardIteratorType"].clone()).collect();
    assert_eq!(kinds, ["AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "TRIM_HORIZON"]);
    Ok(())
}

#[tokio::test]
async fn a_shard_that_went_before_it_was_read_is_told_of_once() -> Result<(), Error> {
    let app = App::new();
    let mut replies = vec![streams(), one_shard(), iterator("i1")];
    replies.extend(nothing_more());
    app.poller(&Server::answering(replies)).drain().await?;

    for trimmed in [1, 0] {
        let mut replies = vec![streams(), shards("ENABLED", &[shard("b", Some("a"), false)]), iterator("i1")];
        replies.extend(nothing_more());
        let summary = app.poller(&Server::answering(replies)).drain().await?;
        assert_eq!(summary.trimmed, trimmed);
    }
    assert_eq!(app.events(), ["a: trimmed"]);
    Ok(())
}

#[tokio::test]
async fn a_start_at_the_latest_is_for_the_first_time_and_for_open_shards() -> Result<(), Error> {
    let app = App::new();
    let family = [shard("a", None, true), shard("b", Some("a"), false)];
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    app.poller(&server).with_start(PollStart::Latest).drain().await?;
    assert_eq!(iterators(&server).len(), 1);
    assert_eq!(iterators(&server)[0]["ShardIteratorType"], "LATEST");

    // No record was seen, so that no number tells where the latest was: nothing is missed.
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    app.poller(&server).with_start(PollStart::Latest).drain().await?;
    assert_eq!(iterators(&server).len(), 1);
    assert_eq!(iterators(&server)[0]["ShardId"], "b");
    assert_eq!(iterators(&server)[0]["ShardIteratorType"], "TRIM_HORIZON");
    Ok(())
}

#[tokio::test]
async fn a_batch_that_failed_is_read_again_from_its_first_failure_on() -> Result<(), Error> {
    let app = App::new();
    let (andrew, first) = app.thread("andrewbrown", "bayko").await;
    let (worf, second) = app.thread("worf", "londo").await;
    let seen = app.records(0).len();
    for (thread, text) in [(&first, "one"), (&first, "two"), (&second, "three"), (&first, "four")] {
        thread.send(thread.new_message_id(), text).await?;
    }
    let records = app.records(seen);
    let store = Flaky::new(app.store.clone(), second.group_id().to_string());

    // The script ends after the failure: the poller dies there, so to speak.
    let replies = [streams(), one_shard(), iterator("i1"), page(&records, Some("i2"))];
    let mut poller = app.poller_on(&Server::answering(replies), store.clone());
    poller.drain().await.unwrap_err();
    assert_eq!(app.events(), ["a: 4 records, 1 failed"]);
    assert_eq!(app.preview(&andrew).await, "four", "what fails does not keep the rest from being projected");
    assert_eq!(app.preview(&worf).await, "first");
    assert_eq!(app.sleeps.millis(), [100]);

    store.recover();
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&records[2..], Some("i2"))];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    app.poller_on(&server, store).drain().await?;
    assert_eq!(&iterators(&server)[0]["SequenceNumber"], sequence(&records[1]), "what precedes it was checkpointed");
    assert_eq!(app.preview(&worf).await, "three");
    Ok(())
}

#[tokio::test]
async fn a_failure_that_lasts_ends_the_call_with_its_cause() -> Result<(), Error> {
    let app = App::new();
    let (_, thread) = app.thread("andrewbrown", "bayko").await;
    let mut records = app.records(0);
    // The new rows concern the same group, and would fail first.
    records.retain(|record| !record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap().starts_with("USER#"));
    let store = Flaky::new(app.store.clone(), thread.group_id().to_string());
    let (before, failing) = records.split_at(records.len() - 1);
    let mut replies =
        vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2")), one_shard(), iterator("i3")];
    replies.extend([page(failing, Some("i4")), one_shard(), page(failing, Some("i4"))]);
    let server = Server::answering(replies);
    let mut poller = app.poller_on(&server, store).with_retry(RetryPolicy::default().max_attempts(3));

    let error = poller.run_until(pending()).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(error.operation(), Some("poller.project"));
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(app.events().len(), 3);
    let summary = poller.summary();
    assert_eq!((summary.records, summary.failed), (records.len() as u64 + 2, 3), "what it did is told all the same");
    assert_eq!(&iterators(&server)[1]["SequenceNumber"], sequence(before.last().unwrap()));
    Ok(())
}

#[tokio::test]
async fn what_was_done_before_an_error_that_lasts_for_ever_is_told() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let denied = || fault(400, "AccessDeniedException");
    let server =
        Server::answering([streams(), one_shard(), iterator("i1"), page(&records, Some("i2")), denied(), denied()]);
    let mut poller = app.poller(&server);

    assert_eq!(poller.drain().await.unwrap_err().kind(), ErrorKind::Denied);
    let summary = poller.summary();
    assert_eq!((summary.records, summary.projected), (records.len() as u64, 3), "a message and two new rows");

    assert_eq!(poller.drain().await.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(poller.summary(), PollSummary::default(), "of the last call alone");
    Ok(())
}

/// Never called: that it compiles is the test. A poller runs in a task of a runtime with many threads.
#[expect(dead_code, reason = "the future needs to be named only")]
fn a_poller_may_move_between_threads(mut poller: Poller) {
    fn sent<T: Send + 'static>(_: T) {}
    sent(async move { (poller.drain().await, poller.run_until(pending()).await) });
}

#[tokio::test]
async fn a_record_that_makes_no_sense_goes_to_the_sink_and_blocks_nothing() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    let seen = app.records(0).len();
    thread.send(thread.new_message_id(), "second").await?;
    let mut message = app.records(seen).remove(0);
    // An attribute of the application's own, of a type that there is not yet.
    message["dynamodb"]["NewImage"]["shape"] = json!({"TRIANGLE": "obtuse"});
    let mut unreadable = message.clone();
    unreadable["dynamodb"]["NewImage"]["message"] = json!({"TRIANGLE": "acute"});
    let records =
        [json!({}), json!({"eventName": "SHUFFLE", "dynamodb": {"SequenceNumber": "?"}}), unreadable, message];
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2"))];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let lines = Lines::default();
    let projector = Projector::new(app.store.clone()).with_sink(JsonLinesSink::new(lines.clone()));
    let summary = Poller::new(app.client(&server), projector, app.store.clone()).drain().await?;

    assert_eq!((summary.records, summary.impossible, summary.projected), (4, 3, 1));
    assert_eq!(lines.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count(), 3);
    assert_eq!(app.preview(&andrew).await, "second");
    Ok(())
}

#[tokio::test]
async fn its_own_checkpoints_are_neither_counted_nor_followed_by_another() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2"))];
    replies.extend(nothing_more());
    app.poller(&Server::answering(replies)).drain().await?;

    let own = app.records(records.len());
    assert!(own.iter().all(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with("STREAM#")
        || record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with("GRP#")));
    let own: Vec<_> = own
        .into_iter()
        .filter(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with("STREAM#"))
        .collect();
    assert_eq!(own.len(), 2, "one at the beginning, one behind the batch");
    let changes = app.records(0).len();
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&own, Some("i2"))];
    replies.extend(nothing_more());
    let summary = app.poller(&Server::answering(replies)).drain().await?;
    assert_eq!(summary.records, 0);
    assert_eq!(app.records(0).len(), changes, "nothing was written");
    Ok(())
}

#[tokio::test]
async fn what_can_never_be_read_is_told_at_once() {
    let app = App::new();
    let server = Server::answering([ok(json!({"Streams": []}))]);
    let error = app.poller(&server).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let keys_only = json!({"StreamStatus": "ENABLED", "StreamViewType": "KEYS_ONLY", "Shards": []});
    let server = Server::answering([ok(json!({"StreamDescription": keys_only}))]);
    let error = app.poller(&server).with_stream(ARN).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);

    let server = Server::answering([fault(400, "ResourceNotFoundException")]);
    let error = app.poller(&server).with_stream(ARN).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let server = Server::answering([one_shard(), fault(400, "AccessDeniedException")]);
    let error = app.poller(&server).with_stream(ARN).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(app.sleeps.millis(), [0_u128; 0]);
}

#[tokio::test]
async fn shards_are_listed_page_after_page() -> Result<(), Error> {
    let app = App::new();
    let first = json!({"StreamStatus": "ENABLED", "Shards": [shard("a", None, true)], "LastEvaluatedShardId": "a"});
    let pages = || [ok(json!({"StreamDescription": first})), shards("ENABLED", &[shard("b", Some("a"), false)])];
    let mut replies = Vec::from(pages());
    replies.extend([iterator("a1"), page(&[], None)]);
    replies.extend(pages());
    replies.push(iterator("b1"));
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    app.poller(&server).with_stream(ARN).drain().await?;

    assert_eq!(server.bodies()[1], json!({"StreamArn": ARN, "ExclusiveStartShardId": "a"}));
    assert_eq!(iterators(&server)[1]["ShardId"], "b");
    Ok(())
}

#[tokio::test]
async fn a_sign_to_stop_that_has_come_already_reads_nothing() -> Result<(), Error> {
    let app = App::new();
    let server = Server::answering([]);
    let summary = app.poller(&server).run_until(std::future::ready(())).await?;
    assert_eq!((summary.records, summary.stream_ended), (0, false));
    assert_eq!(operations(&server), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn each_batch_is_a_span_that_holds_no_content() -> Result<(), Error> {
    const CANARY: &str = "canary-5c0ffee";
    let app = App::on("spans");
    let (_, thread) = app.thread("andrewbrown", "bayko").await;
    thread.send(thread.new_message_id(), CANARY).await?;
    let records = app.records(0);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2"))];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let lines = Lines::default();
    let to = lines.clone();
    // For all threads: with a subscriber of this thread alone, another test that comes to a span first may turn it off. So the
    // spans of the other tests are in the text too, and must not hold content either. The SDK's own hold whole requests.
    let of_crate = tracing_subscriber::fmt::layer()
        .with_writer(move || to.clone())
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_filter(Targets::new().with_target("threadline", tracing::Level::TRACE));
    tracing_subscriber::registry().with(of_crate).init();
    app.poller(&server).drain().await?;

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let is_batch = |line: &&str| line.contains("poller::worker: close") && line.contains("\"spans\"");
    let batches: Vec<_> = text.lines().filter(is_batch).collect();
    let expected = format!("poller.batch{{table=\"spans\" shard=\"a\" records={}", records.len());
    assert!(batches.len() == 1 && batches[0].contains(&expected), "{text}");
    assert!(text.contains("projector.advance"), "{text}");
    let group = thread.group_id().to_string();
    for content in [CANARY, "first", "andrewbrown", &group] {
        assert!(!text.contains(content), "{content} is in {text}");
    }
    Ok(())
}

/// What was written to a sink.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A store that is throttled for one group, until it recovers.
#[derive(Clone, Debug)]
struct Flaky {
    store: MemoryStore,
    group: String,
    has_recovered: Arc<AtomicBool>,
}

impl Flaky {
    fn new(store: MemoryStore, group: String) -> Self {
        Self { store, group, has_recovered: Arc::default() }
    }

    fn recover(&self) {
        self.has_recovered.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Store for Flaky {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn get(&self, request: Get) -> Result<GetOutput, Error> {
        self.store.get(request).await
    }

    async fn write(&self, request: Write) -> Result<WriteOutcome, Error> {
        self.store.write(request).await
    }

    async fn query(&self, request: Query) -> Result<PageOutput, Error> {
        if !self.has_recovered.load(Ordering::Relaxed) && request.partition().as_str().ends_with(&self.group) {
            return Err(Error::new(ErrorKind::Throttled, "by plan"));
        }
        self.store.query(request).await
    }

    async fn scan(&self, request: Scan) -> Result<PageOutput, Error> {
        self.store.scan(request).await
    }

    async fn transact(&self, request: Transaction) -> Result<TransactOutcome, Error> {
        self.store.transact(request).await
    }

    async fn batch_get(&self, request: BatchGet) -> Result<BatchGetOutput, Error> {
        self.store.batch_get(request).await
    }

    async fn batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput, Error> {
        self.store.batch_write(request).await
    }
}
