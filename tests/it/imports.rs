//! Imported direct conversations, with their old ids.

use std::time::Duration;

use threadline::{ErrorKind, GroupId, ImportedDirect, User, UserChange};

use crate::groups::{count, group, person, texts};
use crate::support::{App, id, scan, time};

const OLD: &str = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399";

fn imported(group: &str, one: &User, other: &User) -> ImportedDirect {
    ImportedDirect::new(id(group), one, other, time("2023-03-22T14:36:25Z"))
}

#[tokio::test]
async fn a_start_follows_the_imported_conversation_of_the_two() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let thread = app.chat.import_direct(imported(OLD, &andrew, &bayko)).await.unwrap();
    assert_eq!(thread.group_id(), id(OLD));
    let started = app.chat.start_direct(&bayko, &andrew, "opa").await.unwrap();
    assert_eq!((started.group_id(), started.membership().user_id()), (id(OLD), bayko.id()));
    app.clock.advance(Duration::from_secs(1));
    app.chat.start_direct(&andrew, &bayko, "epa").await.unwrap();
    assert_eq!(texts(&thread).await, ["opa", "epa"]);
    assert_eq!(count(&app, "Membership").await, 2);
}

#[tokio::test]
async fn the_pointer_is_no_conversation_to_open() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    app.chat.import_direct(imported(OLD, &andrew, &bayko)).await.unwrap();
    let pair = GroupId::direct(andrew.id(), bayko.id());
    assert_eq!(app.chat.open(andrew.id(), pair).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_import_may_be_repeated_from_either_side() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let first = app.chat.import_direct(imported(OLD, &andrew, &bayko)).await.unwrap();
    let before = scan(&app.store).await;
    let again = app.chat.import_direct(imported(OLD, &andrew, &bayko)).await.unwrap();
    assert_eq!(again.membership(), first.membership());
    let back = app.chat.import_direct(imported(OLD, &bayko, &andrew)).await.unwrap();
    assert_eq!(back.membership().user_id(), bayko.id());
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn an_import_under_the_pairs_own_id_is_the_conversation_itself() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let pair = GroupId::direct(andrew.id(), bayko.id()).to_string();
    for _ in 0..2 {
        let thread = app.chat.import_direct(imported(&pair, &andrew, &bayko)).await.unwrap();
        assert_eq!(group(&app, &thread).await.continued_in(), None);
    }
    assert_eq!(app.chat.start_direct(&andrew, &bayko, "opa").await.unwrap().group_id(), id(&pair));
}

#[tokio::test]
async fn two_people_with_a_conversation_import_no_other() {
    let app = App::new();
    let (andrew, bayko, _) = app.direct().await;
    let londo = app.user("londo").await;
    app.chat.import_direct(imported(OLD, &andrew, &londo)).await.unwrap();
    let before = scan(&app.store).await;
    for import in [
        // The two have a conversation already, or this id is that of another pair, or both.
        imported("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2", &andrew, &bayko),
        imported("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2", &andrew, &londo),
        imported(OLD, &bayko, &londo),
        imported(OLD, &andrew, &bayko),
    ] {
        let error = app.chat.import_direct(import).await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("MessageGroup")));
    }
    assert!(scan(&app.store).await == before);
    assert_eq!(app.chat.import_direct(imported(OLD, &andrew, &andrew)).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn an_imported_conversation_is_in_the_inbox_at_its_start_time() {
    let app = App::new();
    let import = ImportedDirect::new(id(OLD), person(1), person(2), time("2023-03-22T14:36:25Z"));
    app.chat.import_direct(import).await.unwrap();
    let thread = app.chat.open(person(1).id(), id(OLD)).await.unwrap();
    assert_eq!(thread.membership().last_message_at(), time("2023-03-22T14:36:25Z"));
}

#[tokio::test]
async fn the_pairs_own_id_is_not_imported_over_a_pointer_to_another() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let started = time("2023-06-26T08:00:00Z");
    let elsewhere: GroupId = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399".parse().unwrap();
    app.chat.import_direct(ImportedDirect::new(elsewhere, &andrew, &bayko, started)).await.unwrap();
    let pair = GroupId::direct(andrew.id(), bayko.id());
    let error = app.chat.import_direct(ImportedDirect::new(pair, &andrew, &bayko, started)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn an_import_with_another_pairs_id_is_refused() {
    let app = App::new();
    let (one, other, third) = (app.user("one").await, app.user("other").await, app.user("third").await);
    let theirs = GroupId::direct(one.id(), third.id());
    let started = time("2023-03-22T14:36:25Z");
    let error = app.chat.import_direct(ImportedDirect::new(theirs, &one, &other, started)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    app.chat.start_direct(&one, &third, "We can talk").await.unwrap();
    let own = GroupId::direct(one.id(), other.id());
    app.chat.import_direct(ImportedDirect::new(own, &one, &other, started)).await.unwrap();
}

#[tokio::test]
async fn a_start_into_an_import_has_the_senders_current_names() {
    let app = App::new();
    let (one, other) = (app.user("one").await, app.user("other").await);
    app.chat.start_direct(&one, &other, "Hello").await.unwrap();
    let change = UserChange::new().display_name("Another Name").unwrap();
    let renamed = app.chat.update_user(&one, change).await.unwrap();
    let thread = app.chat.start_direct(&renamed, &other, "not projected yet").await.unwrap();
    let page = thread.messages().limit(1).fetch().await.unwrap();
    assert_eq!(page.items[0].sender_display_name().as_str(), "one by name");
    let json = serde_json::to_value(thread.membership()).unwrap();
    assert_eq!(json["profile"]["display_name"], "one by name", "an API may answer with it");
}
