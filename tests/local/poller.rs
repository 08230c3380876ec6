//! The poller on DynamoDB Local, which has streams too.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::support::{client, spec};
use threadline::store::Operation;
use threadline::store::Store;
use threadline::stream::{PollEvent, PollSummary, Poller, Projector, local_streams_client};
use threadline::table::TableSpec;
use threadline::{DynamoDbStore, Error, Membership, NewUser, Thread, Threadline, User};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

/// An application on its own table.
struct App {
    spec: TableSpec,
    store: DynamoDbStore,
    chat: Threadline,
}

impl App {
    async fn on(spec: TableSpec) -> Result<Self, Error> {
        let client = client();
        spec.create(&client).await?;
        let store = DynamoDbStore::new(client, spec.name());
        Ok(Self { spec, chat: Threadline::new(store.clone()), store })
    }

    async fn user(&self, handle: &str) -> Result<User, Error> {
        self.chat.create_user(NewUser::new(handle, handle)?).await
    }

    /// Returns a poller that has not run yet, with short pauses.
    fn poller(&self) -> Poller {
        self.poller_on(self.store.clone())
    }

    /// Returns a poller with its checkpoints in this store.
    fn poller_on(&self, store: impl Store + 'static) -> Poller {
        let endpoint = std::env::var("DYNAMODB_ENDPOINT").expect("DYNAMODB_ENDPOINT names a DynamoDB Local");
        Poller::new(local_streams_client(&endpoint), Projector::new(self.store.clone()), store)
            .idle_pause(Duration::from_millis(10))
    }

    /// Returns the previews of a user's conversations, newest first.
    async fn inbox(&self, user: &User) -> Result<Vec<String>, Error> {
        let entries: Vec<Membership> = self.chat.inbox(user.id()).limit(100).fetch().await?.items;
        Ok(entries
            .iter()
            .map(|entry| entry.preview().map_or("(none)", |preview| preview.as_str()).to_owned())
            .collect())
    }

    async fn drop(self) -> Result<(), Error> {
        self.spec.delete(&client()).await
    }
}

async fn say(thread: &Thread, text: &str) -> Result<(), Error> {
    thread.send(thread.new_message_id(), text).await.map(drop)
}

/// Creates Andrew, and his conversations with Bayko and Londo.
async fn conversations(app: &App) -> Result<(User, User, Thread, Thread), Error> {
    let (andrew, bayko) = (app.user("andrewbrown").await?, app.user("bayko").await?);
    let londo = app.user("londo").await?;
    let with_bayko = app.chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await?;
    let with_londo = app.chat.start_direct(&andrew, &londo, "Your Majesty").await?;
    Ok((andrew, bayko, with_bayko, with_londo))
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_drain_orders_all_inboxes_and_a_restart_repeats_nothing() -> Result<(), Error> {
    let app = App::on(spec("poller-drain")).await?;
    let (andrew, bayko, with_bayko, with_londo) = conversations(&app).await?;
    say(&with_londo, "The Centauri send their regards").await?;
    for number in 1..=40 {
        say(&with_bayko, &format!("message {number}")).await?;
    }
    assert_eq!(app.inbox(&bayko).await?, ["Have you ever watched Babylon 5?"], "nothing projects by itself");

    let summary = app.poller().batch_size(7).drain().await?;

    assert_eq!(app.inbox(&andrew).await?, ["message 40", "The Centauri send their regards"]);
    assert_eq!(app.inbox(&bayko).await?, ["message 40"]);
    assert_eq!(summary.projected, 47, "all messages, and the four entries that were put");
    assert_eq!((summary.failed, summary.dead_letters, summary.trimmed), (0, 0, 0));

    let again = app.poller().drain().await?;
    assert_eq!(again, PollSummary::default(), "not even a record of an inbox entry");

    say(&with_londo, "Good bye").await?;
    let more = app.poller().drain().await?;
    assert_eq!(more.projected, 1);
    assert_eq!(app.inbox(&andrew).await?, ["Good bye", "message 40"]);
    app.drop().await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_crash_before_a_checkpoint_repeats_only_that_batch() -> Result<(), Error> {
    let app = App::on(spec("poller-crash")).await?;
    let (andrew, bayko, with_bayko, _) = conversations(&app).await?;
    for number in 1..=30 {
        say(&with_bayko, &format!("message {number}")).await?;
    }
    // The records before a checkpoint, which must not be redelivered. An event is reported after its checkpoint.
    let settled = Arc::new(AtomicU64::new(0));
    let poller = |store: FaultStore<DynamoDbStore>| {
        let settled = settled.clone();
        app.poller_on(store).batch_size(5).observer(move |event| {
            if let PollEvent::Batch { summary, .. } = event {
                settled.fetch_add(summary.projected, Ordering::Relaxed);
            }
        })
    };

    // The first write stores the start of the shard. Each other one follows a batch.
    for writes in [0, 1, 0, 2, 1, 0] {
        let store = crashing(&app.store, writes);
        let crashed = store.clone();
        let mut poller = poller(store);
        tokio::select! {
            ended = poller.drain() => panic!("it should have crashed: {ended:?}"),
            () = crash(&crashed) => {}
        }
    }
    assert!(settled.load(Ordering::Relaxed) < 36, "there is something left for the last");
    poller(FaultStore::new(app.store.clone(), Plan::new())).drain().await?;

    // 32 messages, and the four memberships of the two conversations.
    assert_eq!(
        settled.load(Ordering::Relaxed),
        36,
        "no record was missed, and none before a checkpoint was redelivered"
    );
    assert_eq!(app.inbox(&andrew).await?, ["message 30", "Your Majesty"]);
    assert_eq!(app.inbox(&bayko).await?, ["message 30"]);
    app.drop().await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_run_stops_on_request_after_its_current_batch() -> Result<(), Error> {
    let app = App::on(spec("poller-run")).await?;
    let (andrew, _, with_bayko, _) = conversations(&app).await?;
    let projected = Arc::new(AtomicU64::new(0));
    let counter = projected.clone();
    let mut poller = app.poller().observer(move |event| {
        if let PollEvent::Batch { summary, .. } = event {
            counter.fetch_add(summary.projected, Ordering::Relaxed);
        }
    });
    let reached = |count: u64| {
        let projected = projected.clone();
        async move {
            while projected.load(Ordering::Relaxed) < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    // Each conversation has a message and two memberships.
    let stop = reached(16);
    // On another thread, as in an application.
    let running = tokio::spawn(async move { poller.run_until(stop).await });
    reached(6).await;
    for number in 1..=10 {
        say(&with_bayko, &format!("message {number}")).await?;
    }
    let summary = running.await.expect("it does not panic")?;

    assert_eq!((summary.projected, summary.stream_ended), (16, false));
    assert_eq!(app.inbox(&andrew).await?, ["message 10", "Your Majesty"]);
    assert_eq!(app.poller().drain().await?.projected, 0, "the last batch was checkpointed");
    app.drop().await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_disabled_stream_is_read_to_its_end() -> Result<(), Error> {
    let app = App::on(spec("poller-off")).await?;
    let (andrew, ..) = conversations(&app).await?;
    let off = aws_sdk_dynamodb::types::StreamSpecification::builder().stream_enabled(false).build();
    let off = off.expect("it is complete");
    client()
        .update_table()
        .table_name(app.spec.name())
        .stream_specification(off)
        .send()
        .await
        .expect("the stream is disabled");

    let summary = app.poller().run_until(pending()).await?;

    assert!(summary.stream_ended);
    assert_eq!(summary.projected, 6, "two messages, and two entries for each conversation");
    assert_eq!(app.inbox(&andrew).await?, ["Your Majesty", "Have you ever watched Babylon 5?"]);
    app.drop().await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_table_without_a_stream_is_reported() -> Result<(), Error> {
    let app = App::on(spec("poller-none").stream(None)).await?;
    let error = app.poller().drain().await.unwrap_err();
    assert_eq!(error.kind(), threadline::ErrorKind::Misconfigured);
    assert!(error.to_string().contains("no stream"), "{error}");
    app.drop().await
}

/// Returns a store that accepts this many writes and then hangs forever, so its caller can only be dropped.
fn crashing(store: &DynamoDbStore, writes: u64) -> FaultStore<DynamoDbStore> {
    let next = Calls::nth(writes + 1).of(Operation::Write);
    FaultStore::new(store.clone(), Plan::new().slow_before(Duration::MAX, next)).sleep(|_| pending())
}

async fn crash(store: &FaultStore<DynamoDbStore>) {
    while store.faults() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
