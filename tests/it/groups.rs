//! Groups with a title, and `open`, which admits only members.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use threadline::entity::Entity;
use threadline::store::{StoreExt, Update, Write};
use threadline::{
    Clock, Draft, ErrorKind, GroupId, MemoryStore, Message, MessageBody, MessageGroup, NewGroup, NewUser, Profile,
    Thread, Threadline, UserId,
};
use uuid::Uuid;

use crate::support::{App, id, scan};

/// Returns a person with an id of this number. A member need not be stored as a user.
pub(crate) fn person(number: usize) -> Profile {
    let id = UserId::from_uuid(Uuid::from_u128(u128::try_from(number).unwrap()));
    let new = NewUser::new(format!("person{number}"), format!("Person {number}")).unwrap().id(id);
    elsewhere(new)
}

/// Returns the profile of a user of another table.
pub(crate) fn elsewhere(new: NewUser) -> Profile {
    let chat = Threadline::new(MemoryStore::new());
    let created = pin!(chat.create_user(new)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(user) = created else { panic!("a store in memory never waits") };
    user.unwrap().profile()
}

pub(crate) async fn texts(thread: &Thread) -> Vec<String> {
    let page = thread.messages().oldest_first().limit(1000).fetch().await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|message| message.body().unwrap().to_string()).collect()
}

pub(crate) async fn count(app: &App, entity: &str) -> usize {
    scan(&app.store).await.iter().filter(|item| item.type_name() == Some(entity)).count()
}

/// Reads the group's item.
pub(crate) async fn group(app: &App, thread: &Thread) -> MessageGroup {
    let found = app.store.get(threadline::store::Get::new(MessageGroup::key_from(thread.group_id()))).await.unwrap();
    MessageGroup::from_item(found.item.unwrap()).unwrap()
}

/// Returns a new group of this many people. The first is its creator.
fn of(members: usize) -> NewGroup {
    let new = NewGroup::new("Babylon 5", person(0)).unwrap();
    (1..members).fold(new, |new, number| new.member(person(number)))
}

#[tokio::test]
async fn every_member_has_the_title_and_the_first_message() {
    let app = App::new();
    let thread = app.chat.create_group(of(3), "In the year 2258.").await.unwrap();
    for number in 0..3 {
        let thread = app.chat.open(person(number).id(), thread.group_id()).await.unwrap();
        assert_eq!(thread.membership().title().unwrap().as_str(), "Babylon 5");
        assert_eq!(thread.membership().preview().unwrap().as_str(), "In the year 2258.");
        assert_eq!(thread.membership().other(), None);
        assert!(!thread.membership().is_direct());
        assert_eq!(texts(&thread).await, ["In the year 2258."]);
    }
    let group = group(&app, &thread).await;
    assert_eq!((group.member_count(), group.created_by()), (3, person(0).id()));
}

#[tokio::test]
async fn a_new_group_has_at_most_97_other_members() {
    let app = App::new();
    assert_eq!(NewGroup::MAX_INITIAL_MEMBERS, 97);
    let error = app.chat.create_group(of(98), "opa").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(scan(&app.store).await.is_empty());
    let thread = app.chat.create_group(of(97), "opa").await.unwrap();
    assert_eq!(thread.members().await.unwrap().items.len(), 97);
    assert_eq!(group(&app, &thread).await.member_count(), 97);
}

#[tokio::test]
async fn a_member_named_twice_is_refused() {
    let app = App::new();
    for new in [of(3).member(person(2)), of(2).member(person(0))] {
        let error = app.chat.create_group(new, "opa").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("names one member twice"), "{error}");
    }
    assert!(scan(&app.store).await.is_empty());
}

#[tokio::test]
async fn two_groups_may_have_the_same_people_and_title() {
    let app = App::new();
    let one = app.chat.create_group(of(2), "opa").await.unwrap();
    let other = app.chat.create_group(of(2), "opa").await.unwrap();
    assert_ne!(one.group_id(), other.group_id());
}

#[tokio::test]
async fn create_group_with_same_id_returns_the_created_group() {
    let app = App::new();
    let new = of(3).id(id("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2"));
    let first = app.chat.create_group(new.clone(), "opa").await.unwrap();
    let before = scan(&app.store).await;
    app.clock.advance(Duration::from_secs(60));
    let again = app.chat.create_group(new, "opa").await.unwrap();
    assert_eq!(again.membership(), first.membership());
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn create_group_retry_after_the_window_returns_the_created_group() {
    let app = App::new();
    let new = of(3).id(id("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2"));
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
    let first = app.chat.create_group(new.clone(), draft.clone()).await.unwrap();
    let before = scan(&app.store).await;
    app.clock.advance(Duration::from_secs(25 * 60 * 60));
    let again = app.chat.create_group(new, draft).await.unwrap();
    assert_eq!(again.membership(), first.membership());
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn create_group_with_id_of_another_group_is_refused() {
    let app = App::new();
    let group = "0ac1266c-dcf6-4b97-ab92-53e7ab719fb2";
    app.chat.create_group(of(3).id(id(group)), "opa").await.unwrap();
    let before = scan(&app.store).await;
    for other in [NewGroup::new("Babylon 4", person(0)).unwrap(), NewGroup::new("Babylon 5", person(1)).unwrap()] {
        let error = app.chat.create_group(other.id(id(group)), "opa").await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("MessageGroup")));
    }
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn a_stranger_gets_the_error_of_an_absent_conversation() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let londo = app.user("londo").await;
    let stranger = app.chat.open(londo.id(), thread.group_id()).await.unwrap_err();
    let missing = app.chat.open(londo.id(), GroupId::from_uuid(Uuid::nil())).await.unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::NotFound);
    assert_eq!(format!("{stranger} {stranger:?}"), format!("{missing} {missing:?}"));
}

#[tokio::test]
async fn a_member_who_joined_a_moment_ago_may_open_at_once() {
    let app = App::new();
    let thread = app.chat.create_group(of(1), "In the year 2258.").await.unwrap();
    thread.add_member(person(1)).await.unwrap();
    let opened = app.chat.open(person(1).id(), thread.group_id()).await.unwrap();
    let sent: Message = opened.send(opened.new_message_id(), "opa").await.unwrap();
    assert_eq!(sent.sender_id(), person(1).id());
}

#[tokio::test]
async fn create_group_retry_with_another_first_message_is_refused() {
    let app = App::new();
    let andrew = app.user("andrewbrown").await;
    let group = GroupId::from_uuid(app.chat.new_message_id().as_uuid().to_owned());
    let new = || NewGroup::new("Babylon 5", &andrew).unwrap().id(group);
    let draft = |id, text: &str| Draft::from(MessageBody::new(text).unwrap()).id(id);
    let id = app.chat.new_message_id();
    app.chat.create_group(new(), draft(id, "one")).await.unwrap();
    app.chat.create_group(new(), draft(id, "one")).await.unwrap();
    for other in [draft(id, "two"), draft(app.chat.new_message_id(), "one")] {
        assert_eq!(app.chat.create_group(new(), other).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
}

/// Creates a group whose first message, with its own id, has expired. Returns its input too.
async fn with_expired_first_message(app: &App) -> (NewGroup, Draft, Thread) {
    let new = of(3).id(id("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2"));
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
    let thread = app.chat.create_group(new.clone(), draft.clone()).await.unwrap();
    let message = thread.messages().fetch().await.unwrap().items.remove(0);
    let expires = Update::new().set("expires_at", app.clock.now().unix_seconds() + 30);
    app.store.write(Write::update(message.key(), expires)).await.unwrap().done().unwrap();
    app.clock.advance(Duration::from_secs(60));
    (new, draft, thread)
}

#[tokio::test]
async fn create_group_retry_returns_group_whose_first_message_has_expired() {
    let app = App::new();
    let (new, draft, thread) = with_expired_first_message(&app).await;
    let before = scan(&app.store).await;
    for hours in [0, 25] {
        app.clock.advance(Duration::from_secs(hours * 60 * 60));
        let again = app.chat.create_group(new.clone(), draft.clone()).await.unwrap();
        assert_eq!(again.group_id(), thread.group_id(), "{hours} h");
        let other = Draft::from(MessageBody::new("epa").unwrap()).id(app.chat.new_message_id());
        app.chat.create_group(new.clone(), other).await.unwrap_err();
    }
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn create_group_retry_without_first_message_reports_that_group_exists() {
    let app = App::new();
    let (new, draft, _) = with_expired_first_message(&app).await;
    assert_eq!(app.store.sweep_expired(), 1);
    let before = scan(&app.store).await;
    for hours in [0, 25] {
        app.clock.advance(Duration::from_secs(hours * 60 * 60));
        let error = app.chat.create_group(new.clone(), draft.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("MessageGroup")), "{hours} h");
        let text = "group exists, but its first message is another one or no longer stored: open the group";
        assert_eq!(error.message(), text, "{hours} h");
    }
    assert!(scan(&app.store).await == before);
}
