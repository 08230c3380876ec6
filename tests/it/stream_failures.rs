//! One item or record that fails in the projector: what succeeds beside it, and which record is redelivered.

use threadline::entity::{AttributeValue, Entity};
use threadline::store::Operation;
use threadline::store::{StoreExt, Update, Write};
use threadline::stream::{Projector, RecordOutcome};
use threadline::{DisplayName, ErrorKind, Handle, Membership, User, UserChange};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::hooked_store::HookedStore;
use crate::stream_faults::three;
use crate::support::App;

#[tokio::test]
async fn an_unwritable_entry_does_not_stop_the_others() {
    let app = App::new();
    let (users, thread) = three(&app).await;
    let seen = app.records().len();
    app.say(&thread, "one").await;
    let failing = |store: HookedStore, user: &User, kind| {
        store.failing(Membership::key_from((thread.group_id(), user.id())), kind)
    };
    let [first, second, third] = &users;

    let store = failing(HookedStore::new(&app.store).pages_of(2), first, ErrorKind::Invalid);
    let projection = app.project_on(store.clone(), seen).await;
    assert!(matches!(projection.outcomes[..], [RecordOutcome::DeadLetter(_)]), "{projection:?}");
    assert_eq!(app.previews(&[first, second, third]).await, ["Welcome", "one", "one"]);

    app.say(&thread, "two").await;
    let projection = app.project_on(failing(store, second, ErrorKind::Throttled), seen + 3).await;
    let [RecordOutcome::Failed(error)] = &projection.outcomes[..] else { panic!("{projection:?}") };
    assert_eq!(
        error.kind(),
        ErrorKind::Throttled,
        "the record is redelivered, although the other failure is permanent"
    );
    assert_eq!(app.previews(&[first, second, third]).await, ["Welcome", "one", "two"]);
}

#[tokio::test]
async fn a_failed_rename_of_a_conversation_does_not_stop_the_others() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    let mut threads = Vec::new();
    for handle in ["bayko", "londo", "vir"] {
        let other = app.user(handle).await;
        threads.push((app.chat.start_direct(&andrew, &other, "hello").await.unwrap(), other));
    }
    let seen = app.records().len();
    app.chat.update_user(&andrew, UserChange::new().handle(Handle::new("andy").unwrap()).unwrap()).await.unwrap();
    let key = Membership::key_from((threads[0].0.group_id(), andrew.id()));
    let projection = app.project_on(HookedStore::new(&app.store).failing(key, ErrorKind::Invalid), seen).await;
    assert!(projection.outcomes.iter().any(|outcome| matches!(outcome, RecordOutcome::DeadLetter(_))));
    for (number, (thread, other)) in threads.iter().enumerate() {
        let own = app.entry(thread, andrew.id()).await;
        assert_eq!(own.get_s("user_handle"), Some(if number == 0 { "andrew" } else { "andy" }));
        assert_eq!(app.entry(thread, other.id()).await.get_s("other_handle"), Some("andy"));
    }
}

#[tokio::test]
async fn a_failure_without_a_sequence_number_is_reported() {
    let app = App::new();
    app.direct().await;
    let mut records = app.records();
    records.iter_mut().for_each(|record| record.sequence = None);
    let throttled = FaultStore::new(app.store.clone(), Plan::new().throttle(Calls::every(1)));
    let projection = Projector::new(throttled).project(&records).await;
    assert!(projection.has_failed());
    assert_eq!(projection.lowest_failed, None);
    assert!(!Projector::new(app.store.clone()).project(&records).await.has_failed());
}

#[tokio::test]
async fn an_unreadable_entry_fails_only_its_own_record() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let seen = app.records().len();
    app.say(&thread, "one").await;
    let unreadable = Membership::key_from((thread.group_id(), bayko.id()));
    let update = Update::new().set("joined_at", AttributeValue::N("1".into()));
    app.store.write(Write::update(unreadable, update)).await.unwrap().done().unwrap();
    let projection = app.project_on(app.store.clone(), seen).await;
    let [RecordOutcome::Done, RecordOutcome::DeadLetter(error)] = &*projection.outcomes else {
        panic!("{projection:?}")
    };
    assert_eq!((error.kind(), error.entity()), (ErrorKind::Corrupt, Some("Membership")));
    assert!(!projection.has_failed(), "a retry would fail in the same way");
    assert_eq!(app.previews(&[&andrew]).await, ["one"], "the other entry moved");
}

/// Makes the user's item unreadable.
async fn break_user(app: &App, user: &User) {
    let update = Update::new().set("version", AttributeValue::S("none".into()));
    app.store.write(Write::update(user.key(), update)).await.unwrap().done().unwrap();
}

#[tokio::test]
async fn an_unreadable_user_does_not_stop_names_of_other_members() {
    let app = App::new();
    let (users, thread) = three(&app).await;
    let records = app.records();
    break_user(&app, &users[0]).await;
    let change = UserChange::new().display_name(DisplayName::new("Londo Mollari").unwrap()).unwrap();
    app.chat.update_user(&users[2], change).await.unwrap();
    let projection = Projector::new(app.store.clone()).project(&records).await;
    let impossible = |outcome: &RecordOutcome| matches!(outcome, RecordOutcome::DeadLetter(_));
    assert!(!projection.outcomes.iter().any(impossible), "the user has a record of its own: {projection:?}");
    assert!(!projection.has_failed());
    let entry = Membership::from_item(app.entry(&thread, users[2].id()).await).unwrap();
    assert_eq!(entry.profile().display_name().as_str(), "Londo Mollari");
}

#[tokio::test]
async fn an_unreadable_user_does_not_hide_another_failure() {
    let app = App::new();
    let (users, _) = three(&app).await;
    let records = app.records();
    break_user(&app, &users[1]).await;
    let throttled = Plan::new().throttle(Calls::nth(1).of(Operation::Get).on_partition("USER#"));
    let projection = Projector::new(FaultStore::new(app.store.clone(), throttled)).project(&records).await;
    assert!(projection.has_failed(), "{projection:?}");
    let again = Projector::new(app.store.clone()).project(&records).await;
    assert!(!again.has_failed(), "{again:?}");
}
