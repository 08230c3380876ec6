//! Users: unique handles and identities, lookups, and renames.

use threadline::entity::{Entity, HandleClaim, Item};
use threadline::store::{Capacity, StoreExt, Units, Update, Write};
use threadline::{Clock, DisplayName, Error, ErrorKind, Handle, IdentitySubject, NewUser, UserChange};

use crate::support::{App, id, scan};

const ANDREW: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

fn handle(text: &str) -> Handle {
    Handle::new(text).unwrap()
}

fn subject(text: &str) -> IdentitySubject {
    IdentitySubject::new(text).unwrap()
}

fn new_handle(text: &str) -> UserChange {
    UserChange::new().handle(handle(text)).unwrap()
}

fn new_name(text: &str) -> UserChange {
    UserChange::new().display_name(DisplayName::new(text).unwrap()).unwrap()
}

/// Returns Andrew, with an id and an identity.
fn andrew() -> NewUser {
    NewUser::new("AndrewBrown", "Andrew Brown").unwrap().id(id(ANDREW)).identity(subject("d23f0824")).unwrap()
}

/// Checks that the error has this kind and names this entity, and that the table is unchanged.
async fn assert_refused<T>(app: &App, before: &[Item], result: Result<T, Error>, kind: ErrorKind, entity: &str) {
    let Err(error) = result else { panic!("it was done") };
    assert_eq!((error.kind(), error.entity()), (kind, Some(entity)));
    assert!(scan(&app.store).await == before, "something was written");
}

#[tokio::test]
async fn a_new_user_has_the_requested_attributes() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    assert_eq!(user.id(), id(ANDREW));
    assert_eq!(user.handle().as_str(), "AndrewBrown");
    assert_eq!(user.display_name().as_str(), "Andrew Brown");
    assert_eq!(user.identity(), Some(&subject("d23f0824")));
    assert_eq!((user.version(), user.created_at()), (1, app.clock.now()));
}

#[tokio::test]
async fn a_user_without_an_id_gets_a_new_one() {
    let app = App::new();
    let (one, other) = (app.user("one").await, app.user("other").await);
    assert_ne!(one.id(), other.id());
    let id = threadline::MessageId::from_uuid(*one.id().as_uuid());
    assert_eq!(id.time(), Some(app.clock.now()));
}

#[tokio::test]
async fn a_handle_is_unique_regardless_of_ascii_case() {
    let app = App::new();
    app.user("AndrewBrown").await;
    let before = scan(&app.store).await;
    for taken in ["AndrewBrown", "andrewbrown", "ANDREWBROWN"] {
        let result = app.chat.create_user(NewUser::new(taken, "Other").unwrap()).await;
        assert_refused(&app, &before, result, ErrorKind::AlreadyExists, "HandleClaim").await;
    }
    app.user("andrewbrown2").await;
}

#[tokio::test]
async fn an_identity_belongs_to_one_user() {
    let app = App::new();
    app.chat.create_user(andrew()).await.unwrap();
    let before = scan(&app.store).await;
    let other = NewUser::new("other", "Other").unwrap().identity(subject("d23f0824")).unwrap();
    let result = app.chat.create_user(other).await;
    assert_refused(&app, &before, result, ErrorKind::AlreadyExists, "IdentityClaim").await;
}

#[tokio::test]
async fn an_id_belongs_to_one_user() {
    let app = App::new();
    app.chat.create_user(andrew()).await.unwrap();
    let before = scan(&app.store).await;
    let other = NewUser::new("other", "Other").unwrap().id(id(ANDREW));
    let result = app.chat.create_user(other).await;
    assert_refused(&app, &before, result, ErrorKind::AlreadyExists, "User").await;
}

#[tokio::test]
async fn a_conflict_error_names_the_handle_before_the_identity() {
    let app = App::new();
    app.chat.create_user(andrew()).await.unwrap();
    let before = scan(&app.store).await;
    let both = NewUser::new("andrewbrown", "Other").unwrap().identity(subject("d23f0824")).unwrap();
    let result = app.chat.create_user(both).await;
    assert_refused(&app, &before, result, ErrorKind::AlreadyExists, "HandleClaim").await;
}

#[tokio::test]
async fn create_user_with_same_id_returns_the_created_user() {
    let app = App::new();
    let first = app.chat.create_user(andrew()).await.unwrap();
    let before = scan(&app.store).await;
    app.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(app.chat.create_user(andrew()).await.unwrap(), first);
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn create_user_retry_with_other_names_or_identity_is_refused() {
    let app = App::new();
    app.chat.create_user(andrew()).await.unwrap();
    let before = scan(&app.store).await;
    let with = |handle: &str, name: &str| NewUser::new(handle, name).unwrap().id(id(ANDREW));
    for other in [
        with("andrewbrown", "Andrew Brown").identity(subject("d23f0824")).unwrap(),
        with("AndrewBrown", "Andrew").identity(subject("d23f0824")).unwrap(),
        with("AndrewBrown", "Andrew Brown").identity(subject("36f675cc")).unwrap(),
        with("AndrewBrown", "Andrew Brown"),
    ] {
        let result = app.chat.create_user(other).await;
        assert_refused(&app, &before, result, ErrorKind::AlreadyExists, "User").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_claims_on_a_handle_wins() {
    let app = App::new();
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let chat = app.chat.clone();
            let wanted = if number % 2 == 0 { "Zoe" } else { "zoe" };
            tokio::spawn(async move { chat.create_user(NewUser::new(wanted, "Zoe").unwrap()).await })
        })
        .collect();
    let mut created = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(user) => created.push(user),
            Err(error) => assert_eq!(error.entity(), Some("HandleClaim")),
        }
    }
    assert_eq!(created.len(), 1);
    let found = app.chat.user_by_handle(&handle("ZOE")).await.unwrap().unwrap();
    assert_eq!(found, created[0].profile());
    assert_eq!(scan(&app.store).await.len(), 2);
}

#[tokio::test]
async fn a_user_is_found_by_id_by_handle_in_any_case_and_by_identity() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    assert_eq!(app.chat.user(user.id()).await.unwrap(), Some(user.clone()));
    for typed in ["AndrewBrown", "andrewbrown", "ANDREWBROWN"] {
        assert_eq!(app.chat.user_by_handle(&handle(typed)).await.unwrap(), Some(user.profile()));
    }
    assert_eq!(app.chat.user_by_identity(&subject("d23f0824")).await.unwrap(), Some(user.profile()));
}

#[tokio::test]
async fn an_absent_user_is_none_and_no_error() {
    let app = App::new();
    app.chat.create_user(andrew()).await.unwrap();
    assert_eq!(app.chat.user(id("9531985d-5d9d-49f8-9818-e811892f902b")).await.unwrap(), None);
    assert_eq!(app.chat.user_by_handle(&handle("andrew")).await.unwrap(), None);
    // Identities differ by case.
    assert_eq!(app.chat.user_by_identity(&subject("D23F0824")).await.unwrap(), None);
}

#[tokio::test]
async fn a_rename_moves_the_claim_and_reserves_the_old_handle() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let renamed = app.chat.update_user(&user, new_handle("omenking")).await.unwrap();
    assert_eq!((renamed.handle().as_str(), renamed.version()), ("omenking", 2));
    assert_eq!(app.chat.user(user.id()).await.unwrap(), Some(renamed.clone()));
    assert_eq!(app.chat.user_by_handle(&handle("omenking")).await.unwrap(), Some(renamed.profile()));
    assert_eq!(app.chat.user_by_identity(&subject("d23f0824")).await.unwrap(), Some(renamed.profile()));
    assert_eq!(app.chat.user_by_handle(&handle("AndrewBrown")).await.unwrap(), None);
    let other = || NewUser::new("andrewbrown", "Other").unwrap();
    let bayko = app.user("bayko").await;
    for _ in 0..2 {
        let error = app.chat.create_user(other()).await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("HandleClaim")));
        let error = app.chat.update_user(&bayko, new_handle("Andrewbrown")).await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("HandleClaim")));
        app.clock.advance(std::time::Duration::from_secs(24 * 60 * 60 - 1));
        app.clock.set(app.clock.now().saturating_sub(std::time::Duration::from_secs(12 * 60 * 60)));
    }
    app.clock.advance(std::time::Duration::from_secs(12 * 60 * 60));
    // The reservation has ended, but its item is still in the table.
    let other = app.chat.create_user(other()).await.unwrap();
    assert_eq!(app.chat.user_by_handle(&handle("AndrewBrown")).await.unwrap(), Some(other.profile()));
}

#[tokio::test]
async fn a_reserved_handle_is_no_finding_and_only_its_user_may_reclaim_it() {
    let app = App::with_whole_pages();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let mut now = user.clone();
    for number in 0..3 {
        for name in ["omenking", "AndrewBrown"] {
            let change = new_handle(name);
            let before = now.clone();
            now = app.chat.update_user(&now, change.clone()).await.unwrap();
            assert_eq!(app.chat.update_user(&before, change).await.unwrap(), now, "round {number}: a lost answer");
            assert_eq!(app.chat.user_by_handle(now.handle()).await.unwrap(), Some(now.profile()));
            assert_eq!(app.chat.user_by_handle(before.handle()).await.unwrap(), None);
            let auditor = threadline::stream::Auditor::new(app.store.clone());
            assert_eq!(auditor.repair(None).await.unwrap().findings, []);
        }
    }
}

#[tokio::test]
async fn without_a_reservation_a_handle_is_free_at_once() {
    let app = App::new();
    let chat = app.chat.clone().handle_reservation(std::time::Duration::ZERO);
    let user = chat.create_user(andrew()).await.unwrap();
    chat.update_user(&user, new_handle("omenking")).await.unwrap();
    app.user("andrewbrown").await;
}

#[tokio::test]
async fn a_released_handle_can_be_reclaimed() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let renamed = app.chat.update_user(&user, new_handle("omenking")).await.unwrap();
    let again = app.chat.update_user(&renamed, new_handle("AndrewBrown")).await.unwrap();
    assert_eq!((again.handle().as_str(), again.version()), ("AndrewBrown", 3));
    assert_eq!(app.chat.user_by_handle(&handle("omenking")).await.unwrap(), None);
}

#[tokio::test]
async fn a_rename_to_another_case_keeps_the_claim_and_shows_the_new_case() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let renamed = app.chat.update_user(&user, new_handle("ANDREWBROWN")).await.unwrap();
    let found = app.chat.user_by_handle(&handle("andrewbrown")).await.unwrap().unwrap();
    assert_eq!(found, renamed.profile());
    assert_eq!(found.handle().as_str(), "ANDREWBROWN");
    assert_eq!(scan(&app.store).await.len(), 3);
}

#[tokio::test]
async fn a_new_display_name_reaches_the_user_and_both_claims() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let renamed = app.chat.update_user(&user, new_name("Andrew WC Brown")).await.unwrap();
    assert_eq!(renamed.display_name().as_str(), "Andrew WC Brown");
    assert_eq!(renamed.handle(), user.handle());
    let by_handle = app.chat.user_by_handle(user.handle()).await.unwrap().unwrap();
    let by_identity = app.chat.user_by_identity(&subject("d23f0824")).await.unwrap().unwrap();
    for found in [by_handle, by_identity] {
        assert_eq!(found, renamed.profile());
        assert_eq!(found.version(), Some(2));
    }
}

#[tokio::test]
async fn profiles_with_the_same_names_are_equal_at_any_version() {
    let app = App::new();
    let profile = app.chat.create_user(andrew()).await.unwrap().profile();
    let claim = HandleClaim::key_from(profile.handle());
    let without_version = Write::update(claim, Update::new().remove("version"));
    app.store.write(without_version).await.unwrap().done().unwrap();
    let found = app.chat.user_by_handle(profile.handle()).await.unwrap().unwrap();
    assert_eq!((profile.version(), found.version()), (Some(1), None));
    assert_eq!(profile, found);
    let other = app.user("andrewbrown2").await;
    assert_ne!(profile, other.profile());
}

#[tokio::test]
async fn a_rename_to_a_taken_handle_changes_nothing() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    app.user("bayko").await;
    let before = scan(&app.store).await;
    let result = app.chat.update_user(&user, new_handle("Bayko")).await;
    assert_refused(&app, &before, result, ErrorKind::AlreadyExists, "HandleClaim").await;
}

#[tokio::test]
async fn the_second_change_to_one_version_is_refused() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    app.chat.update_user(&user, new_name("Andrew")).await.unwrap();
    let before = scan(&app.store).await;
    for change in [new_name("Brown"), new_handle("omenking"), new_handle("ANDREWBROWN")] {
        let result = app.chat.update_user(&user, change).await;
        assert_refused(&app, &before, result, ErrorKind::ConditionFailed, "User").await;
    }
}

#[tokio::test]
async fn a_completed_change_may_be_retried() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    for change in [new_handle("omenking"), new_name("Andrew"), new_handle("omenking").display_name(name("A")).unwrap()]
    {
        let user = app.chat.user(user.id()).await.unwrap().unwrap();
        let first = app.chat.update_user(&user, change.clone()).await.unwrap();
        let before = scan(&app.store).await;
        assert_eq!(app.chat.update_user(&user, change).await.unwrap(), first);
        assert!(scan(&app.store).await == before);
    }
}

fn name(text: &str) -> DisplayName {
    DisplayName::new(text).unwrap()
}

#[tokio::test]
async fn a_change_without_effect_writes_nothing() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let (chat, meter) = app.metered();
    for change in [UserChange::new(), new_handle("AndrewBrown"), new_name("Andrew Brown")] {
        assert_eq!(chat.update_user(&user, change).await.unwrap(), user);
    }
    assert_eq!(meter.take(), Capacity::reads(Units::whole(3)), "only the table knows if it has them");
}

#[tokio::test]
async fn a_change_to_replaced_names_is_refused() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    app.chat.update_user(&user, new_name("B")).await.unwrap();
    let error = app.chat.update_user(&user, new_name("Andrew Brown")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConditionFailed);
}

#[tokio::test]
async fn a_change_of_an_absent_user_is_not_found() {
    let elsewhere = App::new();
    let user = elsewhere.chat.create_user(andrew()).await.unwrap();
    let app = App::new();
    let result = app.chat.update_user(&user, new_name("Andrew")).await;
    assert_refused(&app, &[], result, ErrorKind::NotFound, "User").await;
}

#[tokio::test]
async fn attributes_of_the_application_survive_a_rename() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    for item in scan(&app.store).await {
        let update = Update::new().set("avatar", threadline::entity::AttributeValue::S("1.png".into()));
        let write = Write::update(item.key().unwrap(), update);
        let _ = app.store.write(write).await.unwrap();
    }
    app.chat.update_user(&user, new_name("Andrew")).await.unwrap();
    for item in scan(&app.store).await {
        assert_eq!(item.get_s("avatar"), Some("1.png"));
        assert_eq!(item.get_s("display_name"), Some("Andrew"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_concurrent_change_is_lost() {
    let app = App::new();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let (chat, user) = (app.chat.clone(), user.clone());
            tokio::spawn(async move {
                let mut user = user;
                loop {
                    match chat.update_user(&user, new_handle(&format!("andrew{number}"))).await {
                        Ok(_) => return,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::ConditionFailed),
                    }
                    user = chat.user(user.id()).await.unwrap().unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let after = app.chat.user(user.id()).await.unwrap().unwrap();
    assert_eq!(after.version(), 11);
    assert_eq!(app.chat.user_by_handle(after.handle()).await.unwrap(), Some(after.profile()));
    // The user, the identity's claim, the claim on the last handle, and the reservations of the others.
    assert_eq!(scan(&app.store).await.len(), 3 + 10);
    app.clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    assert_eq!(scan(&app.store).await.len(), 3);
}
