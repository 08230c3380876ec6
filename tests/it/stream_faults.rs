//! Tests that the faults of Cruddur's stream function do not occur in the projector: see `docs/from-cruddur.md`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use threadline::entity::{AttributeValue, Entity, Item};
use threadline::store::Operation;
use threadline::store::meter::Metered;
use threadline::store::{Get, Store, StoreExt, Units, Update, Write};
use threadline::stream::{DeadLetterSink, Projection, Projector, RecordKind, RecordOutcome, StreamRecord};
use threadline::{DisplayName, Error, Handle, Membership, Message, NewGroup, Result, Thread, User, UserChange, UserId};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::hooked_store::HookedStore;
use crate::redaction::captured;
use crate::support::{App, scan};

fn preview(entry: &Membership) -> &str {
    entry.preview().map_or("(none)", |preview| preview.as_str())
}

impl App {
    /// Returns the records after the first `seen`.
    pub(crate) fn records_after(&self, seen: usize) -> Vec<StreamRecord> {
        self.records().split_off(seen)
    }

    /// Returns the preview of each member's only entry.
    pub(crate) async fn previews(&self, members: &[&User]) -> Vec<String> {
        let mut previews = Vec::new();
        for member in members {
            let entries = self.inbox(member.id()).await;
            assert_eq!(entries.len(), 1, "one entry for each member, no more and no less");
            previews.push(preview(&entries[0]).to_owned());
        }
        previews
    }

    pub(crate) async fn entry(&self, thread: &Thread, user: UserId) -> Item {
        let key = Membership::key_from((thread.group_id(), user));
        self.store.get(Get::new(key)).await.unwrap().item.unwrap()
    }

    /// Projects the records after the first `seen` on this store.
    pub(crate) async fn project_on(&self, store: impl Store + 'static, seen: usize) -> Projection {
        Projector::new(store).project(&self.records_after(seen)).await
    }
}

pub(crate) async fn three(app: &App) -> ([User; 3], Thread) {
    let users = [app.user("andrew").await, app.user("bayko").await, app.user("londo").await];
    let group = NewGroup::new("Babylon 5", &users[0]).unwrap().member(&users[1]).member(&users[2]);
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    (users, thread)
}

#[tokio::test]
async fn every_record_of_a_batch_is_projected() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    let mut threads = Vec::new();
    for handle in ["bayko", "londo", "vir"] {
        let other = app.user(handle).await;
        threads.push(app.chat.start_direct(&andrew, &other, "hello").await.unwrap());
    }
    for (number, thread) in threads.iter().enumerate() {
        app.say(thread, &format!("message {number}")).await;
    }
    app.project().await;
    let previews: Vec<_> = app.inbox(andrew.id()).await.iter().map(|entry| preview(entry).to_owned()).collect();
    assert_eq!(previews, ["message 2", "message 1", "message 0"], "the newest conversation on top");
}

#[tokio::test]
async fn a_crash_between_the_writes_loses_no_entry() {
    for nth in 1..=3 {
        let app = App::new();
        let (users, thread) = three(&app).await;
        let members = [&users[0], &users[1], &users[2]];
        let seen = app.records().len();
        app.say(&thread, "one").await;
        let records = app.records_after(seen);

        let store = FaultStore::new(app.store.clone(), Plan::new().crash(Calls::nth(nth).of(Operation::Write)));
        let projector = Projector::new(store.clone());
        let projection = projector.project(&records).await;
        assert_eq!(projection.lowest_failed, records[0].sequence, "so it is redelivered");
        let previews = app.previews(&members).await;
        let moved = previews.iter().filter(|preview| *preview == "one").count();
        assert_eq!(u64::try_from(moved).unwrap(), nth - 1, "{previews:?}");

        store.restart();
        assert!(!projector.project(&records).await.has_failed());
        assert_eq!(app.previews(&members).await, ["one"; 3]);
    }
}

#[tokio::test]
async fn a_replayed_or_late_older_record_does_not_move_a_group_back() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    app.project().await;
    let seen = app.records().len();
    app.say(&thread, "old").await;
    app.say(&thread, "new").await;
    let records = app.records_after(seen);
    let projector = Projector::new(app.store.clone());
    for number in [1, 0, 0, 1, 0] {
        let projection = projector.project(&records[number..=number]).await;
        assert!(matches!(projection.outcomes[..], [RecordOutcome::Done]));
        assert_eq!(app.previews(&[&andrew, &bayko]).await, ["new"; 2]);
    }
}

#[tokio::test]
async fn an_edit_of_an_old_message_is_not_a_new_message() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let old = app.say(&thread, "old").await;
    let newest = app.say(&thread, "new").await;
    app.project().await;
    let before = scan(&app.store).await;
    thread.edit(&old, "old, edited").await.unwrap();
    app.project().await;
    let entries = |items: Vec<Item>| -> Vec<Item> {
        items.into_iter().filter(|item| item.type_name() == Some(Membership::TYPE)).collect()
    };
    assert!(entries(scan(&app.store).await) == entries(before), "no entry has changed");

    thread.edit(&newest, "new, edited").await.unwrap();
    app.project().await;
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["new, edited"; 2]);
    assert_eq!(app.inbox(bayko.id()).await[0].last_message(), Some(newest.position()), "at its position");
}

#[tokio::test]
async fn deleting_the_newest_message_leaves_no_stale_entry() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let (first, second) = (app.say(&thread, "first").await, app.say(&thread, "second").await);
    app.project().await;

    thread.delete(&second).await.unwrap();
    app.project().await;
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["(none)"; 2], "a tombstone has no text");
    assert_eq!(app.inbox(bayko.id()).await[0].last_message(), Some(second.position()));

    app.store.write(Write::delete(second.key())).await.unwrap().done().unwrap();
    app.project().await;
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["first"; 2]);
    assert_eq!(app.inbox(bayko.id()).await[0].last_message_at(), first.created_at(), "and at its position");
}

#[tokio::test]
async fn two_quick_messages_leave_one_entry_per_member() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let seen = app.records().len();
    app.say(&thread, "one").await;
    app.say(&thread, "two").await;
    // The index is not read, so its lag does not matter.
    let no_index = Plan::new().fail_before(Calls::all().of(Operation::Query).on_partition("USER#"));
    let projector = Projector::new(FaultStore::new(app.store.clone(), no_index));
    for record in app.records_after(seen) {
        assert!(!projector.project(&[record]).await.has_failed());
        assert_eq!(app.previews(&[&andrew, &bayko]).await.len(), 2);
    }
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["two"; 2]);
}

#[tokio::test]
async fn entries_of_one_moment_do_not_overwrite_each_other() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    let mut threads = Vec::new();
    for handle in ["bayko", "londo"] {
        let other = app.user(handle).await;
        threads.push(app.chat.start_direct(&andrew, &other, "hello").await.unwrap());
    }
    // The clock does not move.
    for (thread, text) in threads.iter().zip(["one", "two"]) {
        thread.send(thread.new_message_id(), text).await.unwrap();
    }
    app.project().await;
    let entries = app.inbox(andrew.id()).await;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].last_message_at(), entries[1].last_message_at());
    for (thread, text) in threads.iter().zip(["one", "two"]) {
        let entry = entries.iter().find(|entry| entry.group_id() == thread.group_id()).unwrap();
        assert_eq!(preview(entry), text);
    }
}

#[tokio::test]
async fn the_records_of_its_own_writes_are_skipped() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    app.project().await;
    let seen = app.records().len();
    app.say(&thread, "one").await;
    let newest = app.records().len();
    app.project().await;
    let own = app.records_after(newest);
    assert_eq!((newest - seen, own.len()), (1, 2), "one message, and the entries of two members");
    let store = FaultStore::new(app.store.clone(), Plan::new());
    let projection = Projector::new(store.clone()).project(&own).await;
    assert!(projection.outcomes.iter().all(|outcome| matches!(outcome, RecordOutcome::Nothing)));
    assert_eq!(store.calls(), 0, "not even a read");
}

#[tokio::test]
async fn entries_that_show_the_first_message_are_not_written() {
    let app = App::new();
    let (_, _, _) = app.direct().await;
    let meter = Metered::new(app.store.clone());
    let seen = app.records().len();
    let projection = app.project_on(meter.clone(), 0).await;
    assert!(!projection.has_failed());
    assert_eq!(app.records().len(), seen);
    let consumed = meter.take();
    assert_eq!((consumed.write(), consumed.read()), (Units::default(), Units::whole(4)), "{consumed}");
}

/// Keeps the dead letters for inspection.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<(StreamRecord, String)>>>);

#[async_trait]
impl DeadLetterSink for Kept {
    async fn keep(&self, record: &StreamRecord, error: &Error) -> Result<()> {
        self.0.lock().unwrap().push((record.clone(), error.to_string()));
        Ok(())
    }
}

#[tokio::test]
async fn a_dead_letter_goes_to_the_sink_and_blocks_nothing() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let seen = app.records().len();
    app.say(&thread, "before").await;
    app.say(&thread, "poison").await;
    app.say(&thread, "after").await;
    let mut records = app.records_after(seen);
    let image = records[1].new.as_mut().unwrap();
    image.insert("user_uuid", AttributeValue::S("nobody".into()));

    let sink = Kept::default();
    let projector = Projector::new(app.store.clone()).dead_letters(sink.clone());
    let projection = projector.project(&records).await;
    let [RecordOutcome::Done, RecordOutcome::DeadLetter(error), RecordOutcome::Done] = &projection.outcomes[..] else {
        panic!("{projection:?}")
    };
    assert!(!projection.has_failed() && projection.lowest_failed.is_none());
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["after"; 2]);
    assert_eq!(*sink.0.lock().unwrap(), [(records[1].clone(), error.to_string())], "the whole record");
}

#[tokio::test]
async fn a_dead_letter_without_a_sink_is_logged() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let seen = app.records().len();
    app.say(&thread, "poison").await;
    let mut records = app.records_after(seen);
    records[0].new.as_mut().unwrap().insert("user_uuid", AttributeValue::S("nobody".into()));

    let projector = Projector::new(app.store.clone());
    let log = captured(async { assert!(!projector.project(&records).await.has_failed()) }).await;
    let is_error = |line: &&str| line.contains("ERROR") && line.contains("has no dead-letter sink");
    let errors: Vec<_> = log.lines().filter(is_error).collect();
    let sequence = format!("sequence=\"{}\"", records[0].sequence.as_ref().unwrap());
    assert!(errors.len() == 1 && errors[0].contains("kind=\"INSERT\"") && errors[0].contains("error=Corrupt"), "{log}");
    assert!(errors[0].contains(&sequence) && !log.contains("poison"), "{log}");

    let projector = projector.dead_letters(Kept::default());
    let log = captured(async { assert!(!projector.project(&records).await.has_failed()) }).await;
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn members_beyond_the_first_page_are_reached() {
    let app = App::new();
    let mut users = vec![app.user("u0").await];
    let mut group = NewGroup::new("Babylon 5", &users[0]).unwrap();
    for number in 1..10 {
        let user = app.user(&format!("u{number}")).await;
        group = group.member(&user);
        users.push(user);
    }
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    let seen = app.records().len();
    app.say(&thread, "All hands").await;
    let projection = app.project_on(HookedStore::new(&app.store).pages_of(3), seen).await;
    assert!(!projection.has_failed());
    let members: Vec<_> = users.iter().collect();
    assert_eq!(app.previews(&members).await, ["All hands"; 10]);
}

#[tokio::test]
async fn conversations_beyond_the_first_page_are_renamed() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    for number in 0..10 {
        let other = app.user(&format!("u{number}")).await;
        app.chat.start_direct(&andrew, &other, "hello").await.unwrap();
    }
    let seen = app.records().len();
    let handle = UserChange::new().handle(Handle::new("andy").unwrap()).unwrap();
    app.chat.update_user(&andrew, handle).await.unwrap();
    let projection = app.project_on(HookedStore::new(&app.store).pages_of(3), seen).await;
    assert!(!projection.has_failed());
    let entries = app.inbox(andrew.id()).await;
    assert_eq!(entries.len(), 10);
    for entry in entries {
        assert_eq!(entry.profile().handle().to_string(), "andy");
        let others = app.inbox(entry.other().unwrap().id()).await;
        assert_eq!(others[0].other().unwrap().handle().to_string(), "andy");
    }
}

#[tokio::test]
async fn new_names_reach_entries_on_both_sides() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let change = UserChange::new()
        .handle(Handle::new("ab").unwrap())
        .unwrap()
        .display_name(DisplayName::new("Andrew B.").unwrap())
        .unwrap();
    let renamed = app.chat.update_user(&andrew, change).await.unwrap();
    app.say(&thread, "one").await;
    app.project().await;
    assert_eq!(app.inbox(andrew.id()).await[0].profile(), renamed.profile());
    let others = app.inbox(bayko.id()).await.remove(0);
    assert_eq!((others.other(), others.profile()), (Some(renamed.profile()), bayko.profile()));
    let message: Message = thread.messages().fetch().await.unwrap().items.pop().unwrap();
    assert_eq!(message.sender_handle(), andrew.handle(), "a message keeps the names it was sent with");
}

#[tokio::test]
async fn attributes_of_the_application_on_an_entry_survive() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let subject = || AttributeValue::S("cognito-1".into());
    let key = Membership::key_from((thread.group_id(), andrew.id()));
    let own = Write::update(key, Update::new().set("cognito_user_id", subject()));
    app.store.write(own).await.unwrap().done().unwrap();

    let message = app.say(&thread, "one").await;
    app.project().await;
    let name = UserChange::new().display_name(DisplayName::new("Somebody").unwrap()).unwrap();
    app.chat.update_user(&andrew, name.clone()).await.unwrap();
    app.chat.update_user(&bayko, name).await.unwrap();
    thread.edit(&message, "edited").await.unwrap();
    app.project().await;
    app.store.write(Write::delete(message.key())).await.unwrap().done().unwrap();
    app.project().await;
    let entry = app.entry(&thread, andrew.id()).await;
    assert_eq!(entry.get("cognito_user_id"), Some(&subject()));
    assert_eq!(preview(&app.inbox(andrew.id()).await[0]), "Have you ever watched Babylon 5?");
}

#[tokio::test]
async fn an_applications_entity_in_a_thread_is_no_message_record() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let message = app.say(&thread, "one").await;
    app.project().await;
    let seen = app.records().len();
    let mut pin = Item::new();
    for (name, value) in
        [("pk", message.key().pk.as_str()), ("sk", "2026-11-22T12:00:00.500000+00:00"), ("type", "Pin")]
    {
        pin.insert(name, AttributeValue::S(value.to_owned()));
    }
    let key = pin.key().unwrap();
    app.store.write(Write::put(pin)).await.unwrap().done().unwrap();
    app.store.write(Write::delete(key)).await.unwrap().done().unwrap();
    let store = FaultStore::new(app.store.clone(), Plan::new());
    let projection = app.project_on(store.clone(), seen).await;
    assert!(matches!(projection.outcomes[..], [RecordOutcome::Nothing, RecordOutcome::Nothing]), "{projection:?}");
    assert_eq!(store.calls(), 0);
    assert_eq!(app.records_after(seen)[1].kind, RecordKind::Remove);
}

#[tokio::test]
async fn a_new_conversation_and_its_messages_are_written_and_read_once() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    app.say(&thread, "one").await;
    let meter = Metered::new(app.store.clone());
    assert!(!app.project_on(meter.clone(), 0).await.has_failed());
    let consumed = meter.take();
    let written = (consumed.table_write, consumed.index_write);
    assert_eq!(written, (Units::whole(2), Units::whole(4)), "no write was refused");
    assert_eq!(consumed.read(), Units::whole(4), "the entries, the newest message and the two users");
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["one"; 2]);
}

#[tokio::test]
async fn a_new_entry_moved_by_another_batch_is_read_and_not_written() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let message = app.say(&thread, "one").await;
    Projector::new(app.store.clone()).advance(&message).await.unwrap();
    let mut entries = app.records();
    entries.retain(|record| record.kind == RecordKind::Insert && record.new.as_ref().is_some_and(is_entry));
    let meter = Metered::new(app.store.clone());
    assert!(!Projector::new(meter.clone()).project(&entries).await.has_failed());
    let consumed = meter.take();
    assert_eq!((consumed.write(), consumed.read()), (Units::default(), Units::whole(7)), "{consumed}");
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["one"; 2]);
}

fn is_entry(item: &Item) -> bool {
    item.type_name() == Some(Membership::TYPE)
}

#[tokio::test]
async fn the_removal_of_an_older_message_writes_no_entry() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let old = app.say(&thread, "old").await;
    app.say(&thread, "new").await;
    app.project().await;
    let seen = app.records().len();
    app.store.write(Write::delete(old.key())).await.unwrap().done().unwrap();
    let meter = Metered::new(app.store.clone());
    assert!(!app.project_on(meter.clone(), seen).await.has_failed());
    let consumed = meter.take();
    assert_eq!(consumed.table_write, Units::ZERO);
    assert_eq!(consumed.table_read, Units::whole(2), "the members and the newest message");
    assert_eq!(app.previews(&[&andrew, &bayko]).await, ["new"; 2]);
}
