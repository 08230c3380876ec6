//! The application of the tests, in memory, with a manual clock and sequential ids.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use threadline::entity::Item;
use threadline::store::meter::Metered;
use threadline::store::{Scan, StoreExt};
use threadline::stream::{Projector, StreamRecord};
use threadline::{
    Error, ManualClock, Membership, MemoryStore, NewUser, SequentialIds, Thread, Threadline, Timestamp, User, UserId,
};

/// The maximum number of items on a page: small, so that the tests often cross page boundaries.
const PAGE_SIZE: NonZeroU32 = NonZeroU32::new(3).unwrap();

pub(crate) struct App {
    pub(crate) chat: Threadline,
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<ManualClock>,
    projector: Projector,
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Sets the number of cases of a property. The seed is fixed, and printed if a case fails. `PROPTEST_RNG_SEED` draws
/// other cases, and `PROPTEST_CASES` more of them.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let seed = match default.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => 20_230_626,
    };
    println!("repeat these cases with PROPTEST_RNG_SEED={seed}");
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { count };
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..default }
}

/// Runs a future to its end, for properties, which are not async.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Returns every item of the table, in the order of the keys.
pub(crate) async fn scan(store: &MemoryStore) -> Vec<Item> {
    let mut items = Vec::new();
    let mut request = Scan::new();
    loop {
        let page = store.scan(request.clone()).await.unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => request = request.start(Some(next)),
            None => break,
        }
    }
    items.sort_by_key(|item| item.key().unwrap());
    items
}

pub(crate) fn id<T: FromStr<Err = Error>>(text: &str) -> T {
    text.parse().unwrap()
}

impl App {
    pub(crate) fn new() -> Self {
        Self::at("2026-11-22T12:00:00Z")
    }

    pub(crate) fn at(now: &str) -> Self {
        Self::with_pages(now, Some(PAGE_SIZE))
    }

    /// Creates an application whose pages are as large as DynamoDB's, for tests of exact costs.
    pub(crate) fn with_whole_pages() -> Self {
        Self::with_pages("2026-11-22T12:00:00Z", None)
    }

    fn with_pages(now: &str, page_size: Option<NonZeroU32>) -> Self {
        let clock = Arc::new(ManualClock::starting_at(time(now)));
        let mut store = MemoryStore::new().clock(clock.clone());
        if let Some(page_size) = page_size {
            store = store.page_size(page_size);
        }
        let chat = Threadline::new(store.clone()).clock(clock.clone()).ids(SequentialIds::seeded(1));
        let projector = Projector::new(store.clone());
        Self { chat, store, clock, projector }
    }

    pub(crate) async fn user(&self, handle: &str) -> User {
        self.chat.create_user(NewUser::new(handle, format!("{handle} by name")).unwrap()).await.unwrap()
    }

    /// Creates Andrew and Bayko, and Andrew's thread of their conversation.
    pub(crate) async fn direct(&self) -> (User, User, Thread) {
        let (andrew, bayko) = (self.user("andrewbrown").await, self.user("bayko").await);
        let thread = self.chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await.unwrap();
        (andrew, bayko, thread)
    }

    /// Advances the clock by 1 s, and sends a message.
    pub(crate) async fn say(&self, thread: &Thread, text: &str) -> threadline::Message {
        self.clock.advance(Duration::from_secs(1));
        thread.send(thread.new_message_id(), text).await.unwrap()
    }

    /// Returns the records of the stream, from the beginning.
    pub(crate) fn records(&self) -> Vec<StreamRecord> {
        self.store.records_after(None, usize::MAX).unwrap()
    }

    /// Projects the whole stream again.
    pub(crate) async fn project(&self) {
        let projection = self.projector.catch_up(&self.store).await.unwrap();
        assert_eq!(projection.lowest_failed, None);
    }

    pub(crate) async fn inbox(&self, user: UserId) -> Vec<Membership> {
        self.chat.inbox(user).limit(100).fetch().await.unwrap().items
    }

    /// Returns the application through a meter, with its own ids.
    pub(crate) fn metered(&self) -> (Threadline, Metered<MemoryStore>) {
        let meter = Metered::new(self.store.clone());
        let chat = Threadline::new(meter.clone()).clock(self.clock.clone()).ids(SequentialIds::seeded(2));
        (chat, meter)
    }
}
