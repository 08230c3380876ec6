//! Items of other programs in our table: no call lists, counts, changes or deletes them.

use threadline::entity::{AttributeValue, Entity, HandleClaim, IdentityClaim, Key, MessageKey};
use threadline::store::{Get, StoreExt};
use threadline::stream::{Auditor, Discrepancy, RecordKind, RecordOutcome};
use threadline::{
    ErrorKind, GroupId, Handle, IdentitySubject, Membership, Message, MessageGroup, MessagePosition, NewGroup, NewUser,
};

use crate::ownership::{findings, item, outcome, put, s};
use crate::support::App;

/// Puts another program's item at the key.
async fn put_foreign(app: &App, key: &Key) {
    let foreign = [("pk", key.pk.as_str()), ("sk", key.sk.as_str()), ("type", "Account"), ("handle", "bayko")];
    put(app, item(&foreign)).await;
}

#[tokio::test]
async fn an_audit_skips_other_programs_keys() {
    let app = App::with_whole_pages();
    app.direct().await;
    app.project().await;
    for number in 0..40 {
        let (pk, sk) = (format!("CUSTOMER#{number}"), format!("#METADATA#{number}"));
        let mut item = item(&[("pk", &pk), ("sk", &sk)]);
        item.insert("blob", s("x".repeat(300_000)));
        put(&app, item).await;
    }
    assert_eq!(findings(&app).await, []);
}

#[tokio::test]
async fn foreign_items_in_a_thread_are_skipped_everywhere() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let pk = format!("MSG#{}", thread.group_id());
    for (sk, type_name) in [("#PINNED#1", Some("Pin")), ("#PINNED#2", None), ("zzz", Some("Pin")), ("~#", None)] {
        let mut pin = item(&[("pk", &pk), ("sk", sk)]);
        if let Some(type_name) = type_name {
            pin.insert("type", s(type_name));
        }
        put(&app, pin.clone()).await;
        assert!(matches!(outcome(&app, RecordKind::Insert, &pin).await, (RecordOutcome::Nothing, 0)), "{sk}");
    }
    let page = thread.messages().oldest_first().limit(1).fetch().await.unwrap();
    assert_eq!((page.items.len(), page.unreadable, page.next), (1, 0, None));
    let theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    assert_eq!((theirs.unread().await.unwrap().count, theirs.unread().await.unwrap().unreadable), (1, 0));
    app.project().await;
    assert_eq!(findings(&app).await, []);
}

#[tokio::test]
async fn a_foreign_item_at_a_membership_key_makes_no_member() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let vir = app.user("vir").await;
    let key = Membership::key_from((thread.group_id(), vir.id()));
    let seat = item(&[("pk", key.pk.as_str()), ("sk", key.sk.as_str()), ("type", "Seat")]);
    put(&app, seat).await;
    let error = app.chat.open(vir.id(), thread.group_id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(thread.members().await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn look_ups_find_no_item_of_another_program() {
    let app = App::new();
    let user = app.user("andrew").await;
    let subject = IdentitySubject::new("cognito-1").unwrap();
    let handle = Handle::new("bayko").unwrap();
    put_foreign(&app, &user.key()).await;
    put_foreign(&app, &HandleClaim::key_from(&handle)).await;
    put_foreign(&app, &IdentityClaim::key_from(&subject)).await;
    assert_eq!(app.chat.user(user.id()).await.unwrap(), None);
    assert_eq!(app.chat.user_by_handle(&handle).await.unwrap(), None);
    assert_eq!(app.chat.user_by_identity(&subject).await.unwrap(), None);
    let taken = app.chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap()).await.unwrap_err();
    assert_eq!((taken.kind(), taken.entity()), (ErrorKind::AlreadyExists, Some(HandleClaim::TYPE)));
}

#[tokio::test]
async fn no_call_changes_or_counts_an_item_of_another_program() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let thread = app.chat.create_group(NewGroup::new("Babylon 5", &andrew).unwrap(), "Welcome").await.unwrap();
    let member = Membership::key_from((thread.group_id(), vir.id()));
    put_foreign(&app, &member).await;
    assert_eq!(thread.add_member(&vir).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    thread.remove_member(vir.id()).await.unwrap();
    assert!(app.store.get(Get::new(member)).await.unwrap().item.is_some(), "it is not ours to delete");
    assert_eq!(thread.group().await.unwrap().member_count(), 1);

    let id = thread.new_message_id();
    let position = MessagePosition::try_from(id).unwrap();
    put_foreign(&app, &Message::key_from(MessageKey { group: thread.group_id(), position })).await;
    assert_eq!(thread.send(id, "hello").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(thread.edit(position, "hello").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(thread.delete(position).await.unwrap_err().kind(), ErrorKind::NotFound);

    let group = GroupId::direct(andrew.id(), vir.id());
    put_foreign(&app, &MessageGroup::key_from(group)).await;
    let error = app.chat.start_direct(&andrew, &vir, "hello").await.unwrap_err();
    assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some(MessageGroup::TYPE)));
}

#[tokio::test]
async fn a_join_skips_another_programs_item_at_a_users_key() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    put_foreign(&app, &bayko.key()).await;
    let theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let (outcome, kept) = outcome(&app, RecordKind::Insert, &theirs.membership().to_item().unwrap()).await;
    assert!(matches!((&outcome, kept), (RecordOutcome::Done, 0)), "{outcome:?}");
}

#[tokio::test]
async fn an_audit_ignores_items_of_another_program() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    app.project().await;
    put_foreign(&app, &MessageGroup::key_from(thread.group_id())).await;
    put_foreign(&app, &HandleClaim::key_from(andrew.handle())).await;
    let findings = findings(&app).await;
    let is_orphan = |discrepancy: &Discrepancy| {
        matches!(discrepancy, Discrepancy::OrphanEntry { .. } | Discrepancy::OrphanThread { .. })
    };
    assert!(findings.iter().any(is_orphan), "{findings:?}");
    let is_claim = |discrepancy: &Discrepancy| {
        *discrepancy == Discrepancy::MissingClaim { entity: HandleClaim::TYPE, user: andrew.id() }
    };
    assert!(findings.iter().any(is_claim), "{findings:?}");
}

#[tokio::test]
async fn an_edit_leaves_another_programs_item_that_names_the_user() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let position = MessagePosition::try_from(thread.new_message_id()).unwrap();
    let key = Message::key_from(MessageKey { group: thread.group_id(), position });
    let mut foreign = item(&[("pk", key.pk.as_str()), ("sk", key.sk.as_str()), ("type", "Pin")]);
    foreign.insert("user_uuid", s(andrew.id().to_string()));
    put(&app, foreign.clone()).await;
    assert_eq!(thread.message(position).await.unwrap(), None);
    let edited = thread.edit(position, "hello").await.unwrap_err().kind();
    let deleted = thread.delete(position).await.unwrap_err().kind();
    let stored = app.store.get(Get::new(key)).await.unwrap().item.unwrap();
    assert_eq!((edited, deleted, stored == foreign), (ErrorKind::NotFound, ErrorKind::NotFound, true));
}

#[tokio::test]
async fn a_rename_leaves_another_programs_item_at_a_claims_key() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    let foreign = |handle: &str| {
        let pk = format!("HANDLE#{handle}");
        let mut item = item(&[("pk", &pk), ("sk", "HANDLE"), ("type", "Account")]);
        item.insert("user_uuid", s(andrew.id().to_string()));
        item
    };
    put(&app, foreign("londo")).await;
    let change = threadline::UserChange::new().handle(Handle::new("londo").unwrap()).unwrap();
    let renamed = app.chat.update_user(&andrew, change).await.map(|_| ()).map_err(|error| error.kind());
    let key = foreign("londo").key().unwrap();
    let kept = app.store.get(Get::new(key)).await.unwrap().item == Some(foreign("londo"));
    assert_eq!((renamed, kept), (Err(ErrorKind::AlreadyExists), true));
}

#[tokio::test]
async fn a_repair_leaves_another_programs_item_at_a_claims_key() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    let mut foreign = item(&[("pk", "HANDLE#andrew"), ("sk", "HANDLE"), ("type", "Account")]);
    foreign.insert("user_uuid", s(andrew.id().to_string()));
    put(&app, foreign.clone()).await;
    let (auditor, mut cursor) = (Auditor::new(app.store.clone()), None);
    loop {
        cursor = auditor.repair(cursor.clone()).await.unwrap().next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(app.store.get(Get::new(foreign.key().unwrap())).await.unwrap().item == Some(foreign));
}

#[tokio::test]
async fn a_mark_and_a_rename_leave_another_programs_items() {
    let app = App::new();
    let (andrew, _, mut thread) = app.direct().await;
    let message = app.say(&thread, "x").await;
    put_foreign(&app, &thread.membership().key()).await;
    let mut foreign = item(&[("pk", andrew.key().pk.as_str()), ("sk", "USER"), ("type", "Account")]);
    foreign.insert("version", AttributeValue::N("1".into()));
    put(&app, foreign.clone()).await;
    let marked = thread.mark_read(&message).await.map_err(|error| error.kind());
    let change = threadline::UserChange::new().display_name(threadline::DisplayName::new("Z").unwrap()).unwrap();
    let changed = app.chat.update_user(&andrew, change).await.map(|_| ()).map_err(|error| error.kind());
    let kept = app.store.get(Get::new(andrew.key())).await.unwrap().item == Some(foreign);
    assert_eq!((marked, changed, kept), (Err(ErrorKind::NotFound), Err(ErrorKind::NotFound), true));
}

#[tokio::test]
async fn a_join_and_a_leave_leave_another_programs_item_at_the_groups_key() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let thread = app.chat.create_group(NewGroup::new("Babylon 5", &andrew).unwrap(), "Welcome").await.unwrap();
    let key = MessageGroup::key_from(thread.group_id());
    put_foreign(&app, &key).await;
    let mut foreign = app.store.get(Get::new(key.clone())).await.unwrap().item.unwrap();
    foreign.insert("member_count", AttributeValue::N("1".into()));
    put(&app, foreign.clone()).await;
    thread.add_member(&vir).await.unwrap_err();
    thread.remove_member(andrew.id()).await.unwrap_err();
    assert!(app.store.get(Get::new(key)).await.unwrap().item == Some(foreign));
}

#[tokio::test]
async fn a_new_user_leaves_another_programs_expired_item_at_a_claims_key() {
    let app = App::new();
    let mut foreign = item(&[("pk", "HANDLE#andrew"), ("sk", "HANDLE"), ("type", "Account")]);
    foreign.insert("expires_at", AttributeValue::N("1".into()));
    put(&app, foreign).await;
    let error = app.chat.create_user(NewUser::new("andrew", "Andrew").unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some(HandleClaim::TYPE)));
}
