//! Items of other programs, and items that cannot be read.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use threadline::entity::{AttributeValue, Entity, HandleClaim, Item, Key, PartitionKey, SortKey};
use threadline::store::{Answer, Checked, Get, Operation, Position, Store, StoreExt, Write};
use threadline::stream::{Auditor, DeadLetterSink, Discrepancy, Projector, RecordKind, RecordOutcome, StreamRecord};
use threadline::{Error, ErrorKind, Message, Thread, Threadline};

use crate::support::App;

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn item(attributes: &[(&str, &str)]) -> Item {
    let mut item = Item::new();
    for (name, value) in attributes {
        item.insert(*name, s(*value));
    }
    item
}

fn key_of(item: &Item) -> Item {
    self::item(&["pk", "sk"].map(|name| (name, item.get_s(name).unwrap())))
}

pub(crate) async fn put(app: &App, item: Item) {
    app.store.write(Write::put(item)).await.unwrap().done().unwrap();
}

/// Makes a stored item unreadable.
pub(crate) async fn make_unreadable(app: &App, entity: &impl Entity, attribute: &str) {
    let mut item = entity.to_item().unwrap();
    item.insert(attribute, AttributeValue::Bool(true));
    put(app, item).await;
}

/// Audits the whole table.
pub(crate) async fn findings(app: &App) -> Vec<Discrepancy> {
    let (auditor, mut cursor, mut findings) = (Auditor::new(app.store.clone()), None, Vec::new());
    loop {
        let page = auditor.check(cursor.clone()).await.unwrap();
        findings.extend(page.findings.into_iter().map(|finding| finding.discrepancy));
        cursor = page.next;
        if cursor.is_none() {
            return findings;
        }
    }
}

pub(crate) async fn unreadable(app: &App) -> usize {
    findings(app).await.iter().filter(|discrepancy| matches!(discrepancy, Discrepancy::Unreadable { .. })).count()
}

/// Keeps the kinds of the errors.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<ErrorKind>>>);

#[async_trait]
impl DeadLetterSink for Kept {
    async fn keep(&self, _: &StreamRecord, error: &Error) -> Result<(), Error> {
        self.0.lock().unwrap().push(error.kind());
        Ok(())
    }
}

pub(crate) async fn outcome(app: &App, kind: RecordKind, item: &Item) -> (RecordOutcome, usize) {
    let kept = Kept::default();
    let mut record = StreamRecord::new(kind, key_of(item), Some(1.into()));
    record.new = (kind != RecordKind::Remove).then(|| item.clone());
    let projection = Projector::new(app.store.clone()).dead_letters(kept.clone()).project(&[record]).await;
    let kept = kept.0.lock().unwrap().len();
    (projection.outcomes[0].clone(), kept)
}

pub(crate) async fn texts(thread: &Thread, oldest_first: bool, limit: u32) -> (Vec<String>, u32) {
    let (mut texts, mut unreadable, mut cursor) = (Vec::new(), 0, None);
    loop {
        let request = thread.messages().limit(limit);
        let request = if oldest_first { request.oldest_first() } else { request.newest_first() };
        let page = match cursor.take() {
            Some(cursor) => request.cursor(cursor).fetch().await.unwrap(),
            None => request.fetch().await.unwrap(),
        };
        texts.extend(page.items.iter().filter_map(Message::body).map(ToString::to_string));
        unreadable += page.unreadable;
        cursor = page.next;
        if cursor.is_none() {
            return (texts, unreadable);
        }
    }
}

#[tokio::test]
async fn a_message_whose_time_has_no_offset_has_one_verdict() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    app.project().await;
    let old = item(&[
        ("pk", &format!("MSG#{}", thread.group_id())),
        ("sk", "2023-04-05T13:15:19.922515"),
        ("message_uuid", "5ebf5021-1881-4e1c-8c10-93173ba1a87a"),
        ("user_handle", "a"),
        ("message", "old"),
    ]);
    put(&app, old.clone()).await;
    assert_eq!(unreadable(&app).await, 1);
    let (outcome, kept) = outcome(&app, RecordKind::Insert, &old).await;
    assert!(matches!(outcome, RecordOutcome::DeadLetter(_)), "{outcome:?}");
    assert_eq!(kept, 1);
    for oldest_first in [true, false] {
        let (texts, unreadable) = texts(&thread, oldest_first, 1).await;
        assert_eq!((texts.len(), unreadable), (1, 1));
    }
    let theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let unread = theirs.unread().await.unwrap();
    assert_eq!((unread.count, unread.unreadable), (1, 1));
}

#[tokio::test]
async fn a_known_type_at_a_wrong_key_is_reported() {
    let app = App::new();
    let (andrew, ..) = app.direct().await;
    app.project().await;
    let items = [andrew.to_item().unwrap(), crate::support::scan(&app.store).await.remove(0)];
    for mut moved in items {
        let pk = format!("TENANT-1#{}", moved.get_s("pk").unwrap());
        moved.insert("pk", s(pk));
        put(&app, moved.clone()).await;
        let (outcome, kept) = outcome(&app, RecordKind::Insert, &moved).await;
        assert!(matches!(outcome, RecordOutcome::DeadLetter(_)), "{outcome:?}");
        assert_eq!(kept, 1);
    }
    assert_eq!(unreadable(&app).await, 2);
}

#[tokio::test]
async fn keys_that_resemble_known_keys_are_reported() {
    let app = App::new();
    let id = "5AE290ED-55D1-47A0-BC6D-FE2BC2700399";
    for (pk, sk) in [
        (format!("USER#{id}"), "USER".to_owned()),
        (format!("GRP#{id}"), "GRP".to_owned()),
        (format!("GRP#{}", id.to_lowercase()), format!("USER#{id}")),
        (format!("GRP#{}", id.to_lowercase()), "USER#andrew".to_owned()),
        (format!("MSG#{id}"), "2023-04-05T13:15:19.922515+00:00".to_owned()),
        (format!("MSG#{}", id.to_lowercase()), "2023-04-05".to_owned()),
        ("HANDLE#a#b".to_owned(), "HANDLE".to_owned()),
    ] {
        let item = item(&[("pk", &pk), ("sk", &sk)]);
        let (outcome, _) = outcome(&app, RecordKind::Modify, &item).await;
        assert!(matches!(outcome, RecordOutcome::DeadLetter(_)), "{pk} {sk}: {outcome:?}");
        let (removed, _) = self::outcome(&app, RecordKind::Remove, &item).await;
        assert!(matches!(removed, RecordOutcome::Nothing), "a removed item needs no repair");
    }
}

#[tokio::test]
async fn a_membership_at_the_key_of_another_opens_no_conversation() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let (londo, vir) = (app.user("londo").await, app.user("vir").await);
    let secret = app.chat.start_direct(&londo, &vir, "secret").await.unwrap();
    let mut entry = secret.membership().to_item().unwrap();
    entry.insert("pk", s(format!("GRP#{}", thread.group_id())));
    entry.insert("sk", s(format!("USER#{}", andrew.id())));
    put(&app, entry.clone()).await;
    let opened = app.chat.open(andrew.id(), thread.group_id()).await;
    assert_eq!(opened.map(|thread| thread.group_id()).map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
}

#[tokio::test]
async fn attributes_that_contradict_their_key_are_unreadable() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let other = app.chat.start_direct(&app.user("londo").await, &app.user("vir").await, "secret").await.unwrap();
    let mut items = vec![bayko.to_item().unwrap(), other.group().await.unwrap().to_item().unwrap()];
    items.push(app.store.get(Get::new(HandleClaim::key_from(bayko.handle()))).await.unwrap().item.unwrap());
    items[0].insert("pk", s(format!("USER#{}", andrew.id())));
    items[1].insert("pk", s(format!("GRP#{}", thread.group_id())));
    items[2].insert("pk", s("HANDLE#andrewbrown"));
    let mut outcomes = Vec::new();
    for item in items {
        put(&app, item.clone()).await;
        outcomes.push(matches!(outcome(&app, RecordKind::Insert, &item).await.0, RecordOutcome::DeadLetter(_)));
    }
    assert_eq!((outcomes, unreadable(&app).await), (vec![true, true, true], 3));
}

#[tokio::test]
async fn an_inbox_lists_no_membership_of_somebody_else() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let londo = app.user("londo").await;
    let mut entry = thread.membership().to_item().unwrap();
    entry.insert("gsi1pk", s(format!("USER#{}", londo.id())));
    put(&app, entry).await;
    let page = app.chat.inbox(londo.id()).fetch().await.unwrap();
    assert_eq!((page.items.len(), page.unreadable), (0, 1));
}

#[tokio::test]
async fn a_join_skips_an_unreadable_user() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    make_unreadable(&app, &andrew, "handle").await;
    let entry = thread.membership().to_item().unwrap();
    let (outcome, kept) = outcome(&app, RecordKind::Insert, &entry).await;
    assert!(matches!(outcome, RecordOutcome::Done) && kept == 0, "{outcome:?}");
}

#[tokio::test]
async fn a_join_skips_an_entry_damaged_later() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let entry = thread.membership().to_item().unwrap();
    app.say(&thread, "x").await;
    make_unreadable(&app, thread.membership(), "joined_at").await;
    let (outcome, kept) = outcome(&app, RecordKind::Insert, &entry).await;
    assert!(matches!(outcome, RecordOutcome::Done) && kept == 0, "{outcome:?}");
}

#[tokio::test]
async fn an_error_of_a_read_acknowledges_no_record() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let message = app.say(&thread, "x").await;
    for kind in [ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Denied] {
        let store = Denying { store: app.store.clone(), kind };
        let mut record = StreamRecord::new(RecordKind::Insert, key_of(&message.to_item().unwrap()), Some(1.into()));
        record.new = Some(message.to_item().unwrap());
        let projection = Projector::new(store).project(&[record]).await;
        assert!(matches!(projection.outcomes[0], RecordOutcome::Failed(_)), "{kind:?}: {:?}", projection.outcomes);
    }
}

/// A store that fails each query with an error of this kind.
#[derive(Debug)]
struct Denying {
    store: threadline::MemoryStore,
    kind: ErrorKind,
}

#[async_trait]
impl Store for Denying {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> threadline::Result<Answer> {
        match request.operation() {
            Operation::Query => Err(Error::new(self.kind, "not now")),
            _ => self.store.execute(request).await,
        }
    }
}

/// A store whose pages continue in another partition.
#[derive(Debug)]
struct Straying(threadline::MemoryStore);

#[async_trait]
impl Store for Straying {
    fn table_name(&self) -> &str {
        self.0.table_name()
    }

    async fn execute(&self, request: Checked) -> threadline::Result<Answer> {
        let mut answer = self.0.execute(request).await?;
        if let Answer::Query(page) = &mut answer {
            let elsewhere = Key::new(PartitionKey::parse("ELSEWHERE")?, SortKey::parse("1")?);
            page.next = Some(Position { key: elsewhere, index_key: None });
        }
        Ok(answer)
    }
}

#[tokio::test]
async fn a_page_of_another_partition_gives_up_no_record() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let message = app.say(&thread, "x").await;
    let mut record = StreamRecord::new(RecordKind::Insert, key_of(&message.to_item().unwrap()), Some(1.into()));
    record.new = Some(message.to_item().unwrap());
    let projection = Projector::new(Straying(app.store.clone())).project(&[record]).await;
    assert!(matches!(projection.outcomes[0], RecordOutcome::Failed(_)), "{:?}", projection.outcomes);
    let chat = Threadline::new(Straying(app.store.clone())).clock(app.clock.clone());
    let thread = chat.open(thread.membership().user_id(), thread.group_id()).await.unwrap();
    assert_eq!(thread.members().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_error_of_a_read_is_no_finding() {
    let app = App::new();
    app.direct().await;
    for kind in [ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Denied] {
        let auditor = Auditor::new(Denying { store: app.store.clone(), kind });
        let mut cursor = None;
        let error = loop {
            match auditor.check(cursor.clone()).await {
                Ok(page) => {
                    assert!(page.findings.is_empty(), "{kind:?}: {:?}", page.findings);
                    cursor = Some(page.next.expect("the group cannot be audited"));
                }
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{kind:?}");
    }
}

#[tokio::test]
async fn a_change_of_an_unreadable_message_changes_nothing() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let message = app.say(&thread, "x").await;
    make_unreadable(&app, &message, "user_handle").await;
    let before = app.store.get(Get::new(message.key())).await.unwrap().item;
    let error = thread.edit(&message, "y").await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Corrupt, threadline::Outcome::NotDone));
    assert!(
        app.store.get(Get::new(message.key())).await.unwrap().item == before,
        "the error says that nothing was done"
    );
}

#[tokio::test]
async fn a_change_of_a_message_with_invalid_text_may_be_done() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let message = app.say(&thread, "x").await;
    let mut item = message.to_item().unwrap();
    item.insert("user_handle", s("a#b"));
    put(&app, item).await;
    let outcomes = [thread.edit(&message, "y").await, thread.edit(&message, "y").await];
    let kinds = outcomes.map(|outcome| outcome.unwrap_err().kind());
    assert_eq!(kinds, [ErrorKind::OutcomeUnknown, ErrorKind::Corrupt]);
}
