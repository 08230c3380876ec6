//! A thread of messages, and four pieces of work on it for each side of a benchmark.
#![allow(dead_code, reason = "no benchmark uses all of it")]

pub(crate) mod turns;

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use threadline::entity::{AttributeValue, Entity, MessageKey, PartitionKey, SortKey, tag};
use threadline::store::{Condition, Order, Query, Store, StoreExt, Update, Write};
use threadline::{GroupId, ManualClock, Membership, MemoryStore, Message, NewUser, SequentialIds, Threadline};

/// The number of messages in the thread.
pub(crate) const MESSAGES: usize = 1000;
/// The number of messages on a page.
pub(crate) const PAGE: u32 = 20;

/// The work that is measured, by one side of a comparison. Both sides build the same keys.
pub(crate) trait Table {
    /// A message as this side reads it.
    type Message;

    /// Puts a message if there is none with its key, and returns `true` if it did.
    async fn put(&self, message: &Message) -> bool;

    /// Reads a message.
    async fn get(&self, key: MessageKey) -> Option<Self::Message>;

    /// Reads the newest messages of a thread.
    async fn newest(&self, group: GroupId) -> Vec<Self::Message>;

    /// Moves an inbox entry forward to a message, and returns `true` if it did.
    async fn advance(&self, entry: &Membership, message: &Message) -> bool;
}

/// This crate's side, on any store.
#[derive(Default)]
pub(crate) struct Ours<S>(pub(crate) S);

impl Ours<MemoryStore> {
    /// Creates a table with this thread.
    pub(crate) fn with(thread: &Thread) -> Self {
        let table = Self::default();
        for message in &thread.messages {
            block_on(table.0.put_entity(message)).unwrap();
        }
        block_on(table.0.put_entity(&thread.entry)).unwrap();
        table
    }
}

impl<S: Store> Table for Ours<S> {
    type Message = Message;

    async fn put(&self, message: &Message) -> bool {
        let write = Write::put(message.to_item().unwrap()).when(Condition::item_absent());
        self.0.write(write).await.unwrap().done().is_ok()
    }

    async fn get(&self, key: MessageKey) -> Option<Message> {
        self.0.get_entity(key).await.unwrap()
    }

    async fn newest(&self, group: GroupId) -> Vec<Message> {
        let limit = NonZeroU32::new(PAGE).unwrap();
        let query = Query::table(partition(group)).order(Order::Descending).limit(limit);
        let page = self.0.query(query).await.unwrap();
        page.items.into_iter().map(|item| Message::from_item(item).unwrap()).collect()
    }

    // As the projector does.
    async fn advance(&self, entry: &Membership, message: &Message) -> bool {
        let Forward { position, sender, recency, preview } = Forward::to(message);
        let update = Update::new()
            .set("last_message", AttributeValue::S(position.clone()))
            .set("last_sender_uuid", AttributeValue::S(sender))
            .set("gsi1sk", AttributeValue::S(recency))
            .set("message", AttributeValue::S(preview));
        let forward = Condition::absent("last_message").or(Condition::lt("last_message", AttributeValue::S(position)));
        let write = Write::update(entry.key(), update).when(Condition::item_exists().and(forward));
        self.0.write(write).await.unwrap().done().is_ok()
    }
}

/// The attributes of an inbox entry that a new message sets.
pub(crate) struct Forward {
    pub(crate) position: String,
    pub(crate) sender: String,
    pub(crate) recency: String,
    pub(crate) preview: String,
}

impl Forward {
    pub(crate) fn to(message: &Message) -> Self {
        Self {
            position: message.position().to_string(),
            sender: message.sender_id().to_string(),
            recency: SortKey::new((tag!("GRP"), message.created_at(), message.group_id())).into(),
            preview: message.body().unwrap().as_str().chars().take(140).collect(),
        }
    }
}

/// The partition of a thread.
pub(crate) fn partition(group: GroupId) -> PartitionKey {
    PartitionKey::new((tag!("MSG"), group))
}

/// A conversation.
pub(crate) struct Thread {
    /// Its messages, each an item of 300 bytes, oldest first.
    pub(crate) messages: Vec<Message>,
    /// An inbox entry that shows a message before all of these.
    pub(crate) entry: Membership,
}

impl Thread {
    pub(crate) fn new() -> Self {
        block_on(async {
            let clock = Arc::new(ManualClock::starting_at("2026-11-22T12:00:00Z".parse().unwrap()));
            let ids = SequentialIds::seeded(1);
            let chat = Threadline::new(MemoryStore::new()).clock(clock.clone()).ids(ids);
            let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown").unwrap()).await.unwrap();
            let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap()).await.unwrap();
            let thread = chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await.unwrap();
            let entry = chat.inbox(bayko.id()).fetch().await.unwrap().items.remove(0);
            let mut messages = Vec::with_capacity(MESSAGES);
            for _ in 0..MESSAGES {
                clock.advance(Duration::from_secs(1));
                messages.push(thread.send(thread.new_message_id(), "Only every year, you know").await.unwrap());
            }
            assert_eq!(messages[0].to_item().unwrap().size(), 300);
            Self { messages, entry }
        })
    }

    pub(crate) fn group(&self) -> GroupId {
        self.entry.group_id()
    }
}

/// Drives a future that never waits, so that only its own work is measured. Not inlined, so that a profiler can
/// separate the measured work.
#[inline(never)]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("no benchmark waits for anything"),
    }
}
