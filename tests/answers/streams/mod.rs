//! The poller's handling of every answer of DynamoDB Streams, from a server with scripted answers.

mod failures;
mod model;
mod permissions;
mod records;
mod several_streams;
mod shards;
mod trimmed;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use crate::canned::{Reply, Server, Sleeps, fault, ok};
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::config::retry::RetryConfig;
use aws_sdk_dynamodbstreams::config::timeout::TimeoutConfig;
use aws_sdk_dynamodbstreams::config::{IdentityCache, StalledStreamProtectionConfig};
use serde_json::{Value, json};
use threadline::entity::Item;
use threadline::store::dynamodb::RetryPolicy;
use threadline::store::{Store, StoreExt};
use threadline::stream::{
    JsonLinesSink, PollEvent, PollStart, PollSummary, Poller, Projector, StreamRecord, local_streams_client,
};
use threadline::{Clock, Error, ErrorKind, ManualClock, MemoryStore, NewUser, SequentialIds, Thread, Threadline, User};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;

const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline/stream/2026-01-02";

/// A table in memory, the records of its stream, and a poller of that.
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
        let store = MemoryStore::new().clock(clock.clone() as Arc<dyn Clock>).table(table);
        let chat = Threadline::new(store.clone()).clock(clock).ids(SequentialIds::seeded(1));
        Self { store, chat, sleeps: Sleeps::default(), events: Arc::default() }
    }

    async fn user(&self, handle: &str) -> User {
        self.chat.create_user(NewUser::new(handle, handle).unwrap()).await.unwrap()
    }

    /// Starts a direct conversation with one message.
    async fn thread(&self, one: &str, other: &str) -> (User, Thread) {
        let (one, other) = (self.user(one).await, self.user(other).await);
        let thread = self.chat.start_direct(&one, &other, "first").await.unwrap();
        (one, thread)
    }

    async fn preview(&self, user: &User) -> String {
        let inbox = self.chat.inbox(user.id()).fetch().await.unwrap();
        inbox.items[0].preview().unwrap().to_string()
    }

    /// Returns the records after this many, in the service's form.
    fn records(&self, seen: usize) -> Vec<Value> {
        let records = self.store.records_after(None, usize::MAX).unwrap();
        records.iter().skip(seen).map(record).collect()
    }

    fn poller(&self, server: &Server) -> Poller {
        self.poller_on(server, self.store.clone())
    }

    fn poller_on(&self, server: &Server, store: impl Store + Clone + 'static) -> Poller {
        let events = self.events.clone();
        Poller::new(self.client(server), Projector::new(store.clone()), store)
            .jitter(|ceiling| ceiling)
            .observer(move |event| events.lock().unwrap().push(line(event)))
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
        PollEvent::Failed { error, .. } => format!("failed: {:?}", error.kind()),
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
    // The newest stream is neither the first nor the last.
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

/// Returns as many empty reads as end a drain.
fn nothing_more() -> Vec<Reply> {
    vec![page(&[], Some("more")); 5]
}

/// Returns the answers for one shard with these records in one batch, from the first request on.
fn one_batch(records: &[Value]) -> Vec<Reply> {
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(records, Some("i2"))];
    replies.extend(nothing_more());
    replies
}

fn gone() -> Reply {
    fault(400, "ResourceNotFoundException")
}

/// Drains, and fails if that does not end.
async fn drained(poller: &mut Poller) -> Result<PollSummary, Error> {
    tokio::time::timeout(std::time::Duration::from_secs(60), poller.drain()).await.expect("a drain ends")
}

/// Returns the requested operations, without the empty reads at the end.
fn operations(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|(operation, _)| operation).collect()
}

fn iterators(server: &Server) -> Vec<Value> {
    server.requests().into_iter().filter(|(name, _)| name == "GetShardIterator").map(|(_, body)| body).collect()
}

/// Never called: compiling is the test. A poller runs in a task of a multi-threaded runtime.
#[expect(dead_code, reason = "the future needs to be named only")]
fn a_poller_may_move_between_threads(mut poller: Poller) {
    fn sent<T: Send + 'static>(_: T) {}
    sent(async move { (poller.drain().await, poller.run_until(pending()).await) });
}
