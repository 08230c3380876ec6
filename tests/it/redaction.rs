//! No content in logs, spans, errors or `Debug`: a canary in all content must appear in none of them.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use threadline::entity::{
    AttributeValue, Entity, HandleClaim, IdentityClaim, Item, Key, KeySegment, KnownKey, PartitionKey, SortKey,
    SortKeyPrefix, tag,
};
use threadline::store::meter::Metered;
use threadline::store::{
    BatchAction, BatchGet, BatchWrite, Checked, ClientToken, Condition, Position, Query, Scan, SortRange, StoreExt,
    TransactAction, Transaction, Update, Write,
};
use threadline::stream::{Projector, RecordKind, StreamRecord};
use threadline::{
    Cursor, DisplayName, Draft, Error, ErrorKind, GroupTitle, Handle, IdentitySubject, ImportedDirect, Message,
    MessageBody, MessageGroup, NewGroup, NewUser, Preview, Profile, SequentialIds, Thread, Threadline, User,
    UserChange,
};
use threadline_testkit::fault::{Calls, FaultStore, Plan};
use threadline_testkit::scenario::{Outcome, Recorder, World};
use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::scenarios::{SMALL, Staged, cases};
use crate::support::{App, id, scan};

/// The text that all content contains. Handles fold to lower case, so the search ignores case.
const CANARY: &str = World::CONTENT;

/// Returns a text with the canary.
fn text(what: &str) -> String {
    format!("{what} {CANARY}")
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// The printed output, with its origin.
#[derive(Default)]
struct Printed {
    texts: Vec<(String, String)>,
}

impl Printed {
    fn debug(&mut self, value: &impl Debug) {
        let what = std::any::type_name_of_val(value).to_owned();
        self.texts.push((what.clone(), format!("{value:?}")));
        self.texts.push((what, format!("{value:#?}")));
    }

    /// Records an error with all its causes, and checks its kind.
    fn error<T>(&mut self, kind: ErrorKind, result: Result<T, Error>) {
        let Err(error) = result else { panic!("an error of kind {kind:?} was expected") };
        assert_eq!(error.kind(), kind, "{error}");
        self.debug(&error);
        let mut cause: Option<&dyn StdError> = Some(&error);
        while let Some(error) = cause {
            self.texts.push(("Display of an error".to_owned(), error.to_string()));
            cause = error.source();
        }
    }

    /// Records the answer of a call, or its error with all its causes.
    fn result(&mut self, result: Result<Outcome, Error>) {
        match result {
            Ok(outcome) => self.texts.push(("an answer".to_owned(), outcome.debug)),
            Err(error) => self.error::<()>(error.kind(), Err(error)),
        }
    }

    fn assert_clean(&self) {
        assert!(!self.texts.is_empty());
        for (what, text) in &self.texts {
            assert!(!text.to_lowercase().contains(CANARY), "{what} printed {text}");
        }
    }
}

/// The output of a subscriber.
#[derive(Clone, Default)]
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Runs the work with a subscriber that records everything, and returns its output.
pub(crate) async fn captured(work: impl Future<Output = ()>) -> String {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(capture.clone())
        .finish();
    // With a single dispatcher, a span that another test's thread meets first is disabled for all threads.
    let _others = [Dispatch::new(tracing_subscriber::registry()), Dispatch::new(tracing_subscriber::registry())];
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    work.await;
    drop(guard);
    let bytes = capture.bytes.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// An application's own entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Note {
    topic: String,
    number: u32,
}

impl Entity for Note {
    const TYPE: &'static str = "Note";
    type KeyParts<'a> = &'a str;

    fn key_from(topic: &str) -> Key {
        let topic = KeySegment::new(topic).unwrap();
        Key::new(PartitionKey::new((tag!("NOTE"), &topic)), SortKey::new((&topic,)))
    }

    fn key_parts(&self) -> &str {
        &self.topic
    }
}

/// Andrew and Bayko, whose names and messages contain the canary.
struct Scene {
    app: App,
    andrew: User,
    bayko: User,
    thread: Thread,
    message: Message,
}

async fn scene() -> Scene {
    let app = App::new();
    let andrew = NewUser::new(format!("Andrew.{CANARY}"), text("Andrew")).unwrap();
    let andrew = andrew.identity(IdentitySubject::new(text("sub")).unwrap()).unwrap();
    let andrew = app.chat.create_user(andrew).await.unwrap();
    let bayko = NewUser::new(format!("bayko.{CANARY}"), text("Bayko")).unwrap();
    let bayko = app.chat.create_user(bayko).await.unwrap();
    let thread = app.chat.start_direct(&andrew, &bayko, text("first")).await.unwrap();
    let message = app.say(&thread, &text("second")).await;
    Scene { app, andrew, bayko, thread, message }
}

/// Sets an attribute of an item without any check.
async fn corrupt(scene: &Scene, key: Key, name: &'static str) {
    let update = Update::new().set(name, AttributeValue::L(vec![s(CANARY)]));
    let _ = scene.app.store.write(Write::update(key, update)).await.unwrap();
}

/// Runs every scenario: with success, with a failure at each request, and refused.
async fn run_scenarios(printed: &mut Printed) {
    for (_, _, scenario) in cases() {
        let staged = Staged::new(&scenario, SMALL).await;
        let recorder = Recorder::new(FaultStore::new(staged.store.clone(), Plan::new()));
        let session = staged.stage.enter(recorder.clone(), World::CALLER).await.unwrap();
        printed.debug(&session);
        let outcome = staged.stage.call(&session).await.unwrap();
        printed.texts.push((format!("{scenario:?}"), outcome.debug));
        recorder.take().iter().for_each(|request| printed.debug(request));
        let has_content = |item: &Item| item.iter().any(|(_, value)| format!("{value:?}").contains(CANARY));
        assert!(scan(&staged.store).await.iter().any(has_content), "{scenario:?}: it wrote no content");

        for plan in [Plan::new().fail_before(Calls::all()), Plan::new().lose_answer(Calls::every(2))] {
            let staged = Staged::new(&scenario, SMALL).await;
            let store = FaultStore::new(staged.store.clone(), Plan::new());
            let session = staged.stage.enter(store.clone(), World::CALLER).await.unwrap();
            store.set_plan(plan);
            printed.result(staged.stage.call(&session).await);
        }
        for user in [World::OTHER, World::STRANGER] {
            let staged = Staged::new(&scenario, SMALL).await;
            match staged.stage.enter(staged.store.clone(), user).await {
                Ok(session) => printed.result(staged.stage.call(&session).await),
                Err(error) => printed.result(Err(error)),
            }
        }
    }
}

/// Runs every pattern with a failure.
async fn run_failing_calls(scene: &Scene, printed: &mut Printed) {
    let Scene { app, andrew, bayko, thread, message } = scene;
    let chat = &app.chat;
    let taken = NewUser::new(andrew.handle().clone(), text("Other")).unwrap();
    printed.error(ErrorKind::AlreadyExists, chat.create_user(taken.clone()).await);
    printed.error(ErrorKind::AlreadyExists, chat.create_user(taken.id(bayko.id())).await);
    let same_identity = NewUser::new("nobody", "Nobody").unwrap().identity(andrew.identity().unwrap().clone()).unwrap();
    printed.error(ErrorKind::AlreadyExists, chat.create_user(same_identity).await);
    let to_taken = UserChange::new().handle(bayko.handle().clone()).unwrap();
    printed.error(ErrorKind::AlreadyExists, chat.update_user(andrew, to_taken).await);
    let to_name = |name: &str| UserChange::new().display_name(DisplayName::new(text(name)).unwrap()).unwrap();
    chat.update_user(bayko, to_name("one")).await.unwrap();
    printed.error(ErrorKind::ConditionFailed, chat.update_user(bayko, to_name("other")).await);

    let me = Profile::from(andrew);
    printed.error(ErrorKind::Invalid, chat.start_direct(&me, &me, text("alone")).await);
    printed.error(ErrorKind::Invalid, chat.start_direct(&me, bayko, CANARY.repeat(100)).await);
    let twice = NewGroup::new(text("twice"), andrew).unwrap().member(andrew);
    printed.error(ErrorKind::Invalid, chat.create_group(twice, text("first")).await);
    let theirs = NewGroup::new(text("theirs"), bayko).unwrap().id(thread.group_id());
    printed.error(ErrorKind::Invalid, chat.create_group(theirs, text("first")).await);
    let again = ImportedDirect::new(id("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2"), andrew, bayko, message.created_at());
    printed.error(ErrorKind::AlreadyExists, chat.import_direct(again).await);
    printed.error(ErrorKind::NotFound, chat.open(id("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2"), thread.group_id()).await);
    printed.error(ErrorKind::Invalid, thread.add_member(bayko).await);
    printed.error(ErrorKind::Invalid, thread.remove_member(bayko.id()).await);

    let baykos = chat.open(bayko.id(), thread.group_id()).await.unwrap();
    printed.error(ErrorKind::AlreadyExists, baykos.send(message.id(), text("mine")).await);
    printed.error(ErrorKind::Invalid, baykos.send(baykos.new_message_id(), CANARY.repeat(100)).await);
    printed.error(ErrorKind::Denied, baykos.edit(message, text("forged")).await);
    printed.error(ErrorKind::Denied, baykos.delete(message).await);
    printed.error(ErrorKind::NotFound, baykos.edit(baykos.new_message_id(), text("nothing")).await);
    printed.error(ErrorKind::Invalid, baykos.messages().limit(0).fetch().await);
    let cursor = baykos.messages().limit(1).fetch().await.unwrap().next.unwrap();
    printed.error(ErrorKind::Invalid, chat.inbox(andrew.id()).cursor(cursor).fetch().await);
    printed.error(ErrorKind::Invalid, chat.inbox(andrew.id()).cursor(Cursor::from(text("no cursor"))).fetch().await);
    let bare: threadline::MessageId = id("5ebf5021-1881-4e1c-8c10-93173ba1a87a");
    printed.error(ErrorKind::Invalid, baykos.messages().before(bare).fetch().await);

    corrupt(scene, User::key_from(andrew.id()), "handle").await;
    printed.error(ErrorKind::Corrupt, chat.user(andrew.id()).await);
    corrupt(scene, HandleClaim::key_from(andrew.handle()), "display_name").await;
    printed.error(ErrorKind::Corrupt, chat.user_by_handle(andrew.handle()).await);
    corrupt(scene, IdentityClaim::key_from(andrew.identity().unwrap()), "user_uuid").await;
    printed.error(ErrorKind::Corrupt, chat.user_by_identity(andrew.identity().unwrap()).await);
    corrupt(scene, message.key(), "user_display_name").await;
    assert_eq!(baykos.messages().fetch().await.unwrap().unreadable, 1);
    printed.error(ErrorKind::Corrupt, thread.message(message).await);
    printed.error(ErrorKind::Corrupt, thread.edit(message, text("late")).await);
    corrupt(scene, baykos.membership().key(), "joined_at").await;
    printed.error(ErrorKind::Corrupt, chat.open(bayko.id(), thread.group_id()).await);
    assert_eq!(chat.inbox(bayko.id()).fetch().await.unwrap().unreadable, 1);
    assert_eq!(thread.members().await.unwrap().unreadable, 1);
    // The warning about the membership has no content.
    Projector::new(app.store.clone()).advance(message).await.unwrap();
    corrupt(scene, MessageGroup::key_from(thread.group_id()), "created_by").await;
    printed.error(ErrorKind::Corrupt, chat.start_direct(andrew, bayko, text("again")).await);
}

/// Stores an application's own entity with the canary in its key.
async fn run_the_store(scene: &Scene, printed: &mut Printed) {
    let store = &scene.app.store;
    let note = Note { topic: CANARY.to_owned(), number: 7 };
    let key = note.key();
    store.put_new_entity(&note).await.unwrap();
    let other = Note { topic: CANARY.to_owned(), number: 8 };
    printed.error(ErrorKind::AlreadyExists, store.put_new_entity(&other).await);
    let add = Write::update(key.clone(), Update::new().add("topic", 1));
    printed.debug(&add);
    printed.error(ErrorKind::Invalid, store.write(add).await);
    let refused = Write::delete(key.clone()).when(Condition::eq("topic", s(text("other")))).returning_old();
    printed.debug(&refused);
    let outcome = store.write(refused.clone()).await.unwrap();
    printed.debug(&outcome);
    printed.error(ErrorKind::ConditionFailed, outcome.done());
    let check = TransactAction::check(key.clone(), Condition::ne("topic", s(CANARY)));
    printed.debug(&check);
    let transaction = Transaction::new([check]).token(ClientToken::new(CANARY).unwrap());
    printed.debug(&transaction);
    let outcome = store.transact(transaction).await.unwrap();
    printed.debug(&outcome);
    printed.error(ErrorKind::ConditionFailed, outcome.done());
    let outcome = store.transact(Transaction::new([refused.clone()])).await.unwrap();
    printed.debug(&outcome);
    printed.error(ErrorKind::Invalid, Checked::new(Transaction::new([refused.clone(), refused])));

    let get = threadline::store::Get::new(key.clone());
    printed.debug(&get);
    printed.debug(&store.get(get).await.unwrap());
    let gets = BatchGet::new(vec![key.clone()]);
    printed.debug(&gets);
    printed.debug(&store.batch_get(gets).await.unwrap());
    printed.error(ErrorKind::Invalid, Checked::new(BatchGet::new([key.clone(), key.clone()])));
    let puts = BatchWrite::new(vec![BatchAction::Put(note.to_item().unwrap())]);
    printed.debug(&puts);
    printed.debug(&store.batch_write(puts).await.unwrap());
    let query = Query::table(key.pk.clone()).range(SortRange::After(SortKey::parse("a").unwrap()));
    printed.debug(&query);
    let page = store.query(query.clone().limit(1.try_into().unwrap())).await.unwrap();
    printed.debug(&page);
    printed.debug(&query.clone().start(page.next.clone()));
    let elsewhere = Position { key: scene.andrew.key(), index_key: None };
    printed.debug(&elsewhere);
    printed.error(ErrorKind::Invalid, store.query(query.start(Some(elsewhere))).await);
    printed.debug(&store.scan(Scan::new()).await.unwrap());

    corrupt(scene, key, "number").await;
    printed.error(ErrorKind::Corrupt, store.get_entity::<Note>(CANARY).await);
    let mut other = note.to_item().unwrap();
    other.insert("topic", AttributeValue::Null(false));
    printed.error(ErrorKind::Invalid, Checked::new(Write::put(other)));
}

/// Prints the `Debug` output of the remaining types.
async fn print_the_rest(scene: &Scene, printed: &mut Printed) {
    let Scene { app, andrew, bayko, thread, message } = scene;
    let segment = KeySegment::new(CANARY).unwrap();
    printed.debug(&UserChange::new().handle(Handle::new(CANARY).unwrap()).unwrap());
    let group = NewGroup::new(text("Babylon 5"), andrew).unwrap().member(bayko);
    printed.debug(&group);
    printed.debug(&ImportedDirect::new(thread.group_id(), andrew, bayko, message.created_at()));
    printed.debug(&Draft::from(MessageBody::new(text("draft")).unwrap()));
    let request = thread.messages().limit(1).before(message);
    printed.debug(&request);
    printed.debug(&request.fetch().await.unwrap());
    app.chat.create_group(group, text("welcome")).await.unwrap();
    let request = app.chat.inbox(andrew.id()).limit(1);
    printed.debug(&request);
    printed.debug(&request.fetch().await.unwrap().next.unwrap());
    printed.debug(&MessageBody::new(CANARY).unwrap());
    printed.debug(&DisplayName::new(CANARY).unwrap());
    printed.debug(&GroupTitle::new(CANARY).unwrap());
    printed.debug(&Handle::new(CANARY).unwrap().folded());
    printed.debug(&Handle::new(CANARY).unwrap());
    printed.debug(&IdentitySubject::new(CANARY).unwrap());
    printed.debug(&Preview::new(CANARY).unwrap());
    printed.debug(&segment);
    printed.debug(&SortKeyPrefix::new((&segment, &segment)));
    printed.debug(&SortRange::Between(SortKey::new((&segment,)), SortKey::new((&segment, &segment))));
    printed.debug(&KnownKey::parse(&HandleClaim::key_from(andrew.handle())).unwrap());
    printed.debug(&KnownKey::parse(&IdentityClaim::key_from(andrew.identity().unwrap())).unwrap());
    printed.debug(&andrew.profile());
    printed.debug(message);
    printed.debug(thread);
    printed.debug(&app.chat);
    printed.debug(&app.store);
    printed.debug(&Metered::new(app.store.clone()));
    printed.debug(&Projector::new(app.store.clone()));

    let nested = AttributeValue::M([(CANARY.to_owned(), AttributeValue::Ss(vec![CANARY.to_owned()]))].into());
    let mut item = Item::new();
    item.insert("bytes", AttributeValue::B(CANARY.into()));
    item.insert("nested", nested.clone());
    printed.debug(&item);
    let condition = Condition::eq("a", s(CANARY)).and(Condition::lt("b", s(CANARY)).not()).or(Condition::exists("c"));
    printed.debug(&condition);
    printed.debug(&Update::new().set("a", nested).set_if_absent("b", s(CANARY)).remove("c"));

    for item in scan(&app.store).await {
        printed.debug(&item);
        printed.debug(&item.key().unwrap());
        printed.debug(&item.index_key().unwrap());
        printed.debug(&Write::put(item));
    }
    for record in app.store.records_after(None, usize::MAX).unwrap() {
        printed.debug(&record);
    }
    let mut bad = StreamRecord::new(RecordKind::Insert, message.to_item().unwrap(), Some(1.into()));
    bad.new = Some(item_of(message));
    let projection = Projector::new(app.store.clone()).project(&[bad]).await;
    printed.debug(&projection);
}

/// Returns a message's item that cannot be read.
fn item_of(message: &Message) -> Item {
    let mut item = message.to_item().unwrap();
    item.insert("user_handle", s(text("no handle")));
    item
}

#[tokio::test]
async fn content_is_in_no_span_log_error_or_debug_output() {
    let mut printed = Printed::default();
    let written = captured(async {
        let scene = scene().await;
        run_scenarios(&mut printed).await;
        run_the_store(&scene, &mut printed).await;
        print_the_rest(&scene, &mut printed).await;
        run_failing_calls(&scene, &mut printed).await;
    });
    let written = written.await;
    // The key of the application's own entity is content from its first segment on.
    for seen in ["messages.send{", "DynamoDB.Query{", "threadline.key_shape=…#…}", "threadline.key_shape=MSG#…}"]
    {
        assert!(written.contains(seen), "{seen} is not in the output");
    }
    assert!(!written.to_lowercase().contains(CANARY));
    printed.assert_clean();
}

#[tokio::test]
async fn an_error_names_the_pattern_and_the_table() {
    let scene = scene().await;
    let store = scene.app.store.clone().table("conversations");
    let chat = Threadline::new(store).clock(scene.app.clock.clone()).ids(SequentialIds::seeded(3));
    let baykos = chat.open(scene.bayko.id(), scene.thread.group_id()).await.unwrap();
    let error = baykos.edit(&scene.message, "forged").await.unwrap_err();
    assert_eq!((error.operation(), error.table()), (Some("messages.edit"), Some("conversations")));
    assert_eq!(error.to_string(), "messages.edit on table `conversations`: only the author of a message may change it");
}
