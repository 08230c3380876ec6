//! What the tests share: an application in memory, with a clock that stands still and ids that count.

use std::sync::Arc;
use std::time::Duration;

use threadline::stream::{Projector, StreamRecord};
use threadline::{
    Clock, ManualClock, Membership, MemoryStore, NewUser, SequentialIds, Thread, Threadline, Timestamp, User, UserId,
};

pub(crate) struct App {
    pub(crate) chat: Threadline,
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<ManualClock>,
    projector: Projector,
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl App {
    pub(crate) fn new() -> Self {
        Self::at("2026-11-22T12:00:00Z")
    }

    pub(crate) fn at(now: &str) -> Self {
        let clock = Arc::new(ManualClock::starting_at(time(now)));
        let store = MemoryStore::new().with_clock(clock.clone() as Arc<dyn Clock>);
        let chat = Threadline::new(store.clone()).with_clock(clock.clone()).with_ids(SequentialIds::seeded(1));
        let projector = Projector::new(store.clone());
        Self { chat, store, clock, projector }
    }

    pub(crate) async fn user(&self, handle: &str) -> User {
        self.chat.create_user(NewUser::new(handle, format!("{handle} by name")).unwrap()).await.unwrap()
    }

    /// Andrew and Bayko, and Andrew's end of their conversation.
    pub(crate) async fn direct(&self) -> (User, User, Thread) {
        let (andrew, bayko) = (self.user("andrewbrown").await, self.user("bayko").await);
        let thread = self.chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await.unwrap();
        (andrew, bayko, thread)
    }

    /// Sends a message a second after the one before.
    pub(crate) async fn say(&self, thread: &Thread, text: &str) -> threadline::Message {
        self.clock.advance(Duration::from_secs(1));
        thread.send(thread.new_message_id(), text).await.unwrap()
    }

    /// The stream, from the beginning.
    pub(crate) fn records(&self) -> Vec<StreamRecord> {
        self.store.changes_after(None, usize::MAX).unwrap().into_iter().map(StreamRecord::from).collect()
    }

    /// Projects the whole stream once more.
    pub(crate) async fn project(&self) {
        let projection = self.projector.project(&self.records()).await;
        assert_eq!(projection.lowest_failed, None);
    }

    pub(crate) async fn inbox(&self, user: UserId) -> Vec<Membership> {
        self.chat.inbox(user).limit(100).fetch().await.unwrap().items
    }
}
