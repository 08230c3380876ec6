//! Tests that the faults of Cruddur's messaging do not occur: see `docs/from-cruddur.md`. `projector` tests stale
//! names, and `permission` tests reads by non-members.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use threadline::entity::{AttributeValue, Item};
use threadline::store::{Answer, Checked, Store, StoreExt, Write};
use threadline::{
    Draft, Error, ErrorKind, GroupId, Handle, IdentitySubject, MessageBody, MessageId, NewGroup, NewUser, Result,
    Threadline,
};

use crate::support::{App, scan, time};

#[tokio::test]
async fn a_new_year_empties_neither_a_thread_nor_an_inbox() {
    let app = App::at("2026-12-31T23:59:58Z");
    let (andrew, bayko, thread) = app.direct().await;
    app.say(&thread, "Happy new year!").await;
    app.clock.advance(Duration::from_secs(3600));
    app.say(&thread, "Already?").await;
    app.project().await;

    let page = thread.messages().oldest_first().fetch().await.unwrap();
    let years: Vec<_> = page.items.iter().map(|message| message.created_at().to_string()[..4].to_owned()).collect();
    assert_eq!(years, ["2026", "2026", "2027"]);
    assert_eq!(app.inbox(andrew.id()).await.len(), 1);
    assert_eq!(app.inbox(bayko.id()).await.len(), 1);
}

#[tokio::test]
async fn all_pages_can_be_reached() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    for number in 1..50 {
        app.say(&thread, &format!("message {number}")).await;
    }
    let mut seen = HashSet::new();
    let mut cursor = None;
    loop {
        let mut request = thread.messages().limit(20);
        if let Some(cursor) = cursor {
            request = request.cursor(cursor);
        }
        let page = request.fetch().await.unwrap();
        seen.extend(page.items.iter().map(threadline::Message::id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 50);
}

#[tokio::test]
async fn two_messages_of_one_microsecond_are_both_kept() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    // The clock does not move, so all of these have one time.
    for text in ["one", "two", "three"] {
        thread.send(thread.new_message_id(), text).await.unwrap();
    }
    let page = thread.messages().oldest_first().fetch().await.unwrap();
    let texts: Vec<_> = page.items.iter().filter_map(|message| message.body()).map(MessageBody::as_str).collect();
    assert_eq!(texts, ["Have you ever watched Babylon 5?", "one", "two", "three"]);
}

#[tokio::test]
async fn two_conversations_of_one_microsecond_are_both_in_the_inbox() {
    let app = App::new();
    let (andrew, bayko, londo) = (app.user("andrew").await, app.user("bayko").await, app.user("londo").await);
    app.chat.start_direct(&bayko, &andrew, "now").await.unwrap();
    app.chat.start_direct(&londo, &andrew, "now").await.unwrap();
    let entries = app.inbox(andrew.id()).await;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].last_message_at(), entries[1].last_message_at());
}

#[tokio::test]
async fn messages_from_different_time_zones_are_in_order_of_time() {
    let app = App::at("2023-04-05T20:00:00Z");
    let (_, _, thread) = app.direct().await;
    // As text, the second sorts before the first.
    for (text, sent_at) in
        [("first", "2023-04-05T12:30:00.000005+00:00"), ("second", "2023-04-05T12:00:00.000005-04:00")]
    {
        let id: MessageId = uuid::Uuid::from_u128(text.len() as u128).into();
        let draft = Draft::from(MessageBody::new(text).unwrap()).id(id).sent_at(time(sent_at));
        thread.send_draft(draft).await.unwrap();
    }
    let page = thread.messages().oldest_first().limit(2).fetch().await.unwrap();
    let texts: Vec<_> = page.items.iter().filter_map(|message| message.body()).map(MessageBody::as_str).collect();
    assert_eq!(texts, ["first", "second"]);
    let times: Vec<_> = page.items.iter().map(|message| message.created_at().to_string()).collect();
    assert_eq!(times, ["2023-04-05T12:30:00.000005+00:00", "2023-04-05T16:00:00.000005+00:00"]);
}

#[tokio::test]
async fn a_conversation_starts_as_a_whole_or_not_at_all() {
    let app = App::new();
    let (andrew, bayko, londo) = (app.user("andrew").await, app.user("bayko").await, app.user("londo").await);
    // A membership that fails the last action of the transaction, and no other.
    let group: GroupId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    let mut in_the_way = Item::new();
    in_the_way.insert("pk", AttributeValue::S(format!("GRP#{group}")));
    in_the_way.insert("sk", AttributeValue::S(format!("USER#{}", londo.id())));
    app.store.write(Write::put(in_the_way)).await.unwrap().done().unwrap();
    let before = scan(&app.store).await.len();

    let new = NewGroup::new("Babylon 5", &andrew).unwrap().id(group).member(&bayko).member(&londo);
    let error = app.chat.create_group(new, "hello").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConditionFailed);
    assert_eq!(scan(&app.store).await.len(), before, "neither a group, nor an entry, nor a message");
}

#[tokio::test]
async fn two_people_never_have_two_conversations() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let again = app.chat.start_direct(&bayko, &andrew, "It is me").await.unwrap();
    assert_eq!(again.group_id(), thread.group_id());
    assert_eq!(app.inbox(andrew.id()).await.len(), 1);
    assert_eq!(thread.messages().fetch().await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn bad_input_is_a_typed_error_and_nothing_is_stored() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let too_long = "x".repeat(1025);
    for text in ["", too_long.as_str()] {
        let error = thread.send(thread.new_message_id(), text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.operation(), Some("messages.send"));
    }
    assert_eq!(thread.messages().fetch().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn an_unknown_handle_and_ones_own_start_no_conversation() {
    let app = App::new();
    let andrew = app.user("andrewbrown").await;
    assert_eq!(app.chat.user_by_handle(&Handle::new("nobody").unwrap()).await.unwrap(), None);
    assert_eq!(app.chat.user_by_identity(&IdentitySubject::new("unknown").unwrap()).await.unwrap(), None);
    let error = app.chat.start_direct(&andrew, &andrew, "Is there anybody?").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_store_failure_is_never_an_empty_answer() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let chat = Threadline::new(Locked);
    let locked: Vec<Error> = vec![
        chat.user(andrew.id()).await.unwrap_err(),
        chat.inbox(andrew.id()).fetch().await.unwrap_err(),
        chat.open(andrew.id(), thread.group_id()).await.unwrap_err(),
        chat.start_direct(&andrew, &bayko, "hello").await.unwrap_err(),
    ];
    for error in locked {
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    }
}

#[tokio::test]
async fn a_sent_message_is_returned_with_its_id() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let (first, second) = (app.say(&thread, "one").await, app.say(&thread, "two").await);
    assert_ne!(first.id().as_uuid(), andrew.id().as_uuid());
    assert_ne!(first.id(), second.id());
}

#[tokio::test]
async fn a_conversation_may_have_more_than_two_members() {
    let app = App::new();
    let (andrew, bayko, londo) = (app.user("andrew").await, app.user("bayko").await, app.user("londo").await);
    let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko).member(&londo);
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    for user in [&andrew, &bayko, &londo] {
        let entries = app.inbox(user.id()).await;
        assert_eq!(entries[0].group_id(), thread.group_id());
        assert_eq!(entries[0].title().map(|title| title.as_str()), Some("Babylon 5"));
    }
    assert_eq!(thread.members().await.unwrap().items.len(), 3);
}

#[tokio::test]
async fn neither_a_handle_nor_an_identity_has_two_users() {
    let app = App::new();
    let mock = || IdentitySubject::new("MOCK").unwrap();
    app.chat.create_user(NewUser::new("andrewbrown", "Andrew").unwrap().identity(mock()).unwrap()).await.unwrap();
    let handle = app.chat.create_user(NewUser::new("AndrewBrown", "Another").unwrap()).await.unwrap_err();
    let identity = NewUser::new("bayko", "Bayko").unwrap().identity(mock()).unwrap();
    let identity = app.chat.create_user(identity).await.unwrap_err();
    assert_eq!((handle.kind(), handle.entity()), (ErrorKind::AlreadyExists, Some("HandleClaim")));
    assert_eq!((identity.kind(), identity.entity()), (ErrorKind::AlreadyExists, Some("IdentityClaim")));
}

#[test]
fn each_invalid_input_is_reported_with_its_field() {
    let handle = NewUser::new("no spaces", "Andrew").unwrap_err();
    let name = NewUser::new("andrewbrown", " ").unwrap_err();
    let body = MessageBody::new("x".repeat(1025)).unwrap_err();
    assert_eq!(handle.entity(), Some("Handle"));
    assert_eq!(name.entity(), Some("DisplayName"));
    assert_eq!(body.entity(), Some("MessageBody"));
    assert_eq!(body.to_string(), "message text is 1025 characters; the limit is 1024");
}

/// A table without permission for these credentials.
#[derive(Debug)]
struct Locked;

#[async_trait]
impl Store for Locked {
    fn table_name(&self) -> &str {
        "locked"
    }

    async fn execute(&self, _: Checked) -> Result<Answer> {
        Err(Error::new(ErrorKind::Denied, "these credentials may not use the table"))
    }
}
