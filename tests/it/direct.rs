//! Direct conversations: two people never have more than one.

use std::collections::HashSet;
use std::time::Duration;

use threadline::{
    Clock, DisplayName, Draft, ErrorKind, GroupId, Handle, ImportedDirect, MessageBody, NewGroup, Outcome, UserChange,
};
use uuid::Uuid;

use crate::groups::{count, person, texts};
use crate::support::{App, scan, time};

#[tokio::test]
async fn both_people_read_the_first_message_and_each_others_names() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    for (me, other) in [(&andrew, &bayko), (&bayko, &andrew)] {
        let thread = app.chat.open(me.id(), thread.group_id()).await.unwrap();
        assert_eq!(texts(&thread).await, ["Have you ever watched Babylon 5?"]);
        assert_eq!(thread.membership().profile(), me.profile());
        assert_eq!(thread.membership().other(), Some(other.profile()));
        assert_eq!(thread.membership().title(), None);
        assert!(thread.membership().is_direct());
    }
}

#[tokio::test]
async fn the_thread_that_a_start_returns_is_the_one_that_is_stored() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let opened = app.chat.open(andrew.id(), thread.group_id()).await.unwrap();
    assert_eq!(opened.membership(), thread.membership());
}

#[tokio::test]
async fn a_second_start_sends_into_the_first_conversation() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    app.clock.advance(Duration::from_secs(1));
    let again = app.chat.start_direct(&andrew, &bayko, "Well?").await.unwrap();
    app.clock.advance(Duration::from_secs(1));
    let back = app.chat.start_direct(&bayko, &andrew, "Only every year.").await.unwrap();
    assert_eq!(again.group_id(), thread.group_id());
    assert_eq!(back.group_id(), thread.group_id());
    assert_eq!(back.membership().user_id(), bayko.id());
    assert_eq!(texts(&thread).await, ["Have you ever watched Babylon 5?", "Well?", "Only every year."]);
    assert_eq!((count(&app, "MessageGroup").await, count(&app, "Membership").await), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_starts_create_one_conversation_with_all_messages() {
    let app = App::new();
    for round in 0..25 {
        let (one, other) = (person(2 * round), person(2 * round + 1));
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let (from, to) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
                let (chat, from, to) = (app.chat.clone(), from.clone(), to.clone());
                tokio::spawn(async move { chat.start_direct(from, to, format!("{number}").as_str()).await })
            })
            .collect();
        let mut groups = HashSet::new();
        let mut thread = None;
        for task in tasks {
            let started = task.await.unwrap().unwrap();
            groups.insert(started.group_id());
            thread = Some(started);
        }
        assert_eq!(groups.len(), 1);
        let mut sent = texts(&thread.unwrap()).await;
        sent.sort();
        assert_eq!(sent, ["0", "1", "2", "3"]);
    }
    assert_eq!((count(&app, "MessageGroup").await, count(&app, "Membership").await), (25, 50));
}

#[tokio::test]
async fn a_conversation_with_oneself_is_refused() {
    let app = App::new();
    let andrew = app.user("andrewbrown").await;
    let before = scan(&app.store).await;
    let error = app.chat.start_direct(&andrew, &andrew, "me?").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("needs two different users"), "{error}");
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn a_retry_with_the_id_of_the_message_does_not_double_it() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
    let first = app.chat.start_direct(&andrew, &bayko, draft.clone()).await.unwrap();
    let before = scan(&app.store).await;
    app.clock.advance(Duration::from_secs(60));
    let again = app.chat.start_direct(&andrew, &bayko, draft).await.unwrap();
    assert_eq!(again.membership(), first.membership());
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn a_retry_with_the_id_of_another_message_is_a_typed_conflict() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let id = app.chat.new_message_id();
    let draft = |text: &str| Draft::from(MessageBody::new(text).unwrap()).id(id);
    app.chat.start_direct(&andrew, &bayko, draft("opa")).await.unwrap();
    for error in [
        app.chat.start_direct(&andrew, &bayko, draft("epa")).await.unwrap_err(),
        app.chat.start_direct(&bayko, &andrew, draft("opa")).await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("Message")));
    }
}

#[tokio::test]
async fn a_first_message_out_of_the_window_starts_nothing() {
    for (sent_at, refused) in [
        ("2026-11-21T12:00:00Z", None),
        ("2026-11-21T11:59:59.999Z", Some(ErrorKind::Invalid)),
        ("2026-11-22T12:00:05Z", None),
        ("2026-11-22T12:00:05.001Z", Some(ErrorKind::Unavailable)),
        ("2026-11-23T12:00:00.001Z", Some(ErrorKind::Invalid)),
    ] {
        let app = App::new();
        let now = app.clock.now();
        app.clock.set(time(sent_at));
        let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
        app.clock.set(now);
        let direct = app.chat.start_direct(person(1), person(2), draft.clone()).await;
        let group = app.chat.create_group(NewGroup::new("Babylon 5", person(1)).unwrap(), draft).await;
        for result in [direct, group] {
            assert_eq!(result.err().map(|error| error.kind()), refused, "{sent_at}");
        }
        assert_eq!(scan(&app.store).await.is_empty(), refused.is_some());
    }
}

#[tokio::test]
async fn a_retry_after_the_window_finds_the_conversation() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
    let first = app.chat.start_direct(&andrew, &bayko, draft.clone()).await.unwrap();
    let before = scan(&app.store).await;
    app.clock.advance(Duration::from_secs(25 * 60 * 60));
    let again = app.chat.start_direct(&andrew, &bayko, draft).await.unwrap();
    assert_eq!(again.membership(), first.membership());
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn retry_later_than_the_window_finds_the_conversation() {
    for ahead in [Duration::from_secs(60), Duration::from_secs(25 * 60 * 60)] {
        let app = App::new();
        let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
        let now = Clock::now(&*app.clock);
        app.clock.advance(ahead);
        let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
        let new = NewGroup::new("Babylon 5", &andrew).unwrap().id(GroupId::from_uuid(Uuid::from_u128(7)));
        let direct = app.chat.start_direct(&andrew, &bayko, draft.clone()).await.unwrap();
        let group = app.chat.create_group(new.clone(), draft.clone()).await.unwrap();
        let before = scan(&app.store).await;
        app.clock.set(now);
        let again = app.chat.start_direct(&andrew, &bayko, draft.clone()).await.unwrap();
        assert_eq!(again.membership(), direct.membership());
        let again = app.chat.create_group(new, draft).await.unwrap();
        assert_eq!(again.membership(), group.membership());
        assert!(scan(&app.store).await == before);
    }
}

#[tokio::test]
async fn start_later_than_the_window_is_done_once_its_time_is_near() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let now = Clock::now(&*app.clock);
    app.clock.advance(Duration::from_secs(60));
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
    app.clock.set(now);
    let new = NewGroup::new("Babylon 5", &andrew).unwrap().id(GroupId::from_uuid(Uuid::from_u128(7)));
    for error in [
        app.chat.start_direct(&andrew, &bayko, draft.clone()).await.unwrap_err(),
        app.chat.create_group(new.clone(), draft.clone()).await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotDone));
        assert!(error.to_string().contains("61 s after"), "{error}");
    }
    app.clock.advance(Duration::from_secs(55));
    app.chat.start_direct(&andrew, &bayko, draft.clone()).await.unwrap();
    app.chat.create_group(new, draft).await.unwrap();
}

#[tokio::test]
async fn start_of_an_existing_conversation_has_the_senders_current_names() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let change = UserChange::new().handle(Handle::new("londo").unwrap()).unwrap();
    let renamed =
        app.chat.update_user(&andrew, change.display_name(DisplayName::new("Londo").unwrap()).unwrap()).await.unwrap();
    // The projector has not updated the names in the membership yet.
    for profile in [renamed.profile(), andrew.profile()] {
        app.clock.advance(Duration::from_secs(1));
        let id = app.chat.new_message_id();
        let draft = Draft::from(MessageBody::new("opa").unwrap()).id(id);
        let again = app.chat.start_direct(profile, &bayko, draft).await.unwrap();
        let started = again.messages().limit(1).fetch().await.unwrap().items.remove(0);
        let sent = app.chat.open(andrew.id(), thread.group_id()).await.unwrap();
        let sent = sent.send(app.chat.new_message_id(), "opa").await.unwrap();
        assert_eq!((started.id(), started.sender_handle()), (id, sent.sender_handle()));
        assert_eq!(started.sender_display_name(), sent.sender_display_name());
        assert_eq!(started.sender_handle(), andrew.handle());
    }
    app.project().await;
    app.clock.advance(Duration::from_secs(1));
    let again = app.chat.start_direct(&andrew, &bayko, "opa").await.unwrap();
    let started = again.messages().limit(1).fetch().await.unwrap().items.remove(0);
    assert_eq!(started.sender_handle(), renamed.handle());
}

#[tokio::test]
async fn a_message_too_old_to_be_sent_is_not_sent_by_starting_again() {
    let app = App::new();
    let (andrew, bayko, _) = app.direct().await;
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(app.chat.new_message_id());
    let before = scan(&app.store).await;
    app.clock.advance(Duration::from_secs(25 * 60 * 60));
    let error = app.chat.start_direct(&andrew, &bayko, draft).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn another_group_under_the_pairs_id_gets_no_message() {
    let app = App::new();
    let (alice, bob, mallory) = (app.user("alice").await, app.user("bob").await, app.user("mallory").await);
    let pair = GroupId::direct(alice.id(), bob.id());
    let squat = NewGroup::new("Not yours", &mallory).unwrap().member(&alice).id(pair);
    assert_eq!(app.chat.create_group(squat, "hello").await.unwrap_err().kind(), ErrorKind::Invalid);

    // An import fails too: it would lock the pair out.
    let now = Clock::now(&*app.clock);
    let import = app.chat.import_direct(ImportedDirect::new(pair, &mallory, &alice, now)).await;
    assert_eq!(import.unwrap_err().kind(), ErrorKind::Invalid);
    let thread = app.chat.start_direct(&alice, &bob, "our secret").await.unwrap();
    assert_eq!(app.chat.open(mallory.id(), thread.group_id()).await.unwrap_err().kind(), ErrorKind::NotFound);
}
