//! Users: unique handles and identities, lookups, and renames.

use threadline::entity::{Entity, HandleClaim};
use threadline::store::{Get, StoreExt, Write};
use threadline::{Clock, DisplayName, ErrorKind, IdentitySubject, NewUser, Profile, User, UserChange};

use super::{App, refusal, until_no_conflict};

fn subject(app: &App) -> IdentitySubject {
    IdentitySubject::new(app.own("d23f0824")).unwrap()
}

fn new_handle(app: &App, text: &str) -> UserChange {
    UserChange::new().handle(app.handle(text)).unwrap()
}

fn new_name(text: &str) -> UserChange {
    UserChange::new().display_name(DisplayName::new(text).unwrap()).unwrap()
}

/// Returns Andrew, with an id and an identity.
fn andrew(app: &App) -> NewUser {
    NewUser::new(app.handle("Andrew"), "Andrew Brown").unwrap().id(app.uuid(1)).identity(subject(app)).unwrap()
}

/// Checks that the table has this user, and both claims with the same names.
async fn assert_stored(app: &App, user: &User) {
    assert_eq!(app.chat.user(user.id()).await.unwrap().as_ref(), Some(user));
    assert_eq!(app.chat.user_by_handle(user.handle()).await.unwrap(), Some(user.profile()));
    assert_eq!(app.chat.user_by_identity(&subject(app)).await.unwrap(), Some(user.profile()));
}

pub(crate) async fn a_user_is_found_by_id_by_handle_in_any_case_and_by_identity(app: App) {
    let user = app.chat.create_user(andrew(&app)).await.unwrap();
    assert_eq!((user.id(), user.handle(), user.version()), (app.uuid(1), &app.handle("Andrew"), 1));
    assert_eq!((user.identity(), user.created_at()), (Some(&subject(&app)), app.clock.now()));
    assert_stored(&app, &user).await;
    for typed in ["Andrew", "andrew", "ANDREW"] {
        let found = app.chat.user_by_handle(&app.handle(typed)).await.unwrap();
        assert_eq!(found, Some(Profile::from(&user)), "{typed}");
    }
}

pub(crate) async fn an_absent_user_is_none_and_no_error(app: App) {
    app.chat.create_user(andrew(&app)).await.unwrap();
    assert_eq!(app.chat.user(app.uuid(2)).await.unwrap(), None);
    assert_eq!(app.chat.user_by_handle(&app.handle("Andre")).await.unwrap(), None);
    // Identities differ by case.
    let other = IdentitySubject::new(app.own("D23F0824")).unwrap();
    assert_eq!(app.chat.user_by_identity(&other).await.unwrap(), None);
}

pub(crate) async fn a_taken_handle_identity_or_id_creates_nobody(app: App) {
    let user = app.chat.create_user(andrew(&app)).await.unwrap();
    let handle = NewUser::new(app.handle("ANDREW"), "Other").unwrap().id(app.uuid(2));
    let other = || NewUser::new(app.handle("Other"), "Other").unwrap();
    for (new, entity) in [
        (handle.clone(), "HandleClaim"),
        (handle.identity(subject(&app)).unwrap(), "HandleClaim"),
        (other().id(app.uuid(2)).identity(subject(&app)).unwrap(), "IdentityClaim"),
        (other().id(app.uuid(1)), "User"),
    ] {
        assert_eq!(refusal(app.chat.create_user(new).await), (ErrorKind::AlreadyExists, Some(entity)));
    }
    assert_stored(&app, &user).await;
    assert_eq!(app.chat.user(app.uuid(2)).await.unwrap(), None);
    assert_eq!(app.chat.user_by_handle(&app.handle("Other")).await.unwrap(), None);
}

pub(crate) async fn create_user_with_same_id_returns_the_created_user(app: App) {
    let first = app.chat.create_user(andrew(&app)).await.unwrap();
    app.wait(60);
    assert_eq!(app.chat.create_user(andrew(&app)).await.unwrap(), first);
    assert_stored(&app, &first).await;
}

pub(crate) async fn one_of_many_concurrent_claims_on_a_handle_wins(app: App) {
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let wanted = app.handle(if number % 2 == 0 { "Zoe" } else { "zoe" });
            let (chat, new) = (app.chat.clone(), NewUser::new(wanted, "Zoe").unwrap().id(app.uuid(number)));
            tokio::spawn(until_no_conflict(move || {
                let (chat, new) = (chat.clone(), new.clone());
                async move { chat.create_user(new).await }
            }))
        })
        .collect();
    let mut created = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(user) => created.push(user),
            refused => assert_eq!(refusal(refused), (ErrorKind::AlreadyExists, Some("HandleClaim"))),
        }
    }
    assert_eq!(created.len(), 1);
    let found = app.chat.user_by_handle(&app.handle("ZOE")).await.unwrap();
    assert_eq!(found, Some(created[0].profile()));
    for number in 0..8 {
        let stored = app.chat.user(app.uuid(number)).await.unwrap();
        assert_eq!(stored, created.iter().find(|user| user.id() == app.uuid(number)).cloned());
    }
}

pub(crate) async fn a_rename_moves_the_claim_and_reserves_the_old_handle(app: App) {
    let user = app.chat.create_user(andrew(&app)).await.unwrap();
    let renamed = app.chat.update_user(&user, new_handle(&app, "Omenking")).await.unwrap();
    assert_eq!((renamed.handle(), renamed.version()), (&app.handle("Omenking"), 2));
    assert_stored(&app, &renamed).await;
    assert_eq!(app.chat.user_by_handle(user.handle()).await.unwrap(), None);
    let other = NewUser::new(app.handle("andrew"), "Other").unwrap();
    assert_eq!(refusal(app.chat.create_user(other).await), (ErrorKind::AlreadyExists, Some("HandleClaim")));
}

pub(crate) async fn a_rename_to_another_case_keeps_the_claim(app: App) {
    let user = app.chat.create_user(andrew(&app)).await.unwrap();
    let renamed = app.chat.update_user(&user, new_handle(&app, "ANDREW")).await.unwrap();
    assert_eq!((renamed.handle(), renamed.version()), (&app.handle("ANDREW"), 2));
    assert_stored(&app, &renamed).await;
    assert_eq!(app.chat.user_by_handle(user.handle()).await.unwrap(), Some(renamed.profile()));
    let taken = NewUser::new(app.handle("andrew"), "Other").unwrap();
    assert_eq!(refusal(app.chat.create_user(taken).await), (ErrorKind::AlreadyExists, Some("HandleClaim")));
}

pub(crate) async fn a_claim_of_version_0_1_moves_with_a_change(app: App) {
    let user =
        app.chat.create_user(NewUser::new(app.handle("Émile"), "Émile").unwrap().identity(subject(&app)).unwrap());
    let mut user = user.await.unwrap();
    let new = HandleClaim::key_from(user.handle());
    let mut claim = app.store.get(Get::new(new.clone()).consistent()).await.unwrap().item.unwrap();
    let old = format!("HANDLE#{}", user.handle().as_str().to_ascii_lowercase());
    claim.insert("pk", threadline::entity::AttributeValue::S(old));
    let old = claim.key().unwrap();
    app.store.write(Write::delete(new)).await.unwrap().done().unwrap();
    app.store.write(Write::put(claim)).await.unwrap().done().unwrap();
    assert_stored(&app, &user).await;
    for change in [new_handle(&app, "ÉMILE"), new_handle(&app, "Omenking"), new_handle(&app, "Émile"), new_name("E")]
    {
        user = app.chat.update_user(&user, change).await.unwrap();
        assert_stored(&app, &user).await;
        let taken = NewUser::new(app.handle("émile"), "Other").unwrap();
        assert_eq!(refusal(app.chat.create_user(taken).await), (ErrorKind::AlreadyExists, Some("HandleClaim")));
    }
    assert_eq!(app.store.get(Get::new(old).consistent()).await.unwrap().item, None);
}

pub(crate) async fn a_new_display_name_reaches_the_user_and_both_claims(app: App) {
    let user = app.chat.create_user(andrew(&app)).await.unwrap();
    let renamed = app.chat.update_user(&user, new_name("Andrew WC Brown")).await.unwrap();
    assert_eq!(renamed.display_name().as_str(), "Andrew WC Brown");
    assert_eq!((renamed.handle(), renamed.version()), (user.handle(), 2));
    assert_stored(&app, &renamed).await;
}

pub(crate) async fn a_rename_to_a_taken_handle_changes_nothing(app: App) {
    let user = app.chat.create_user(andrew(&app)).await.unwrap();
    let bayko = app.user("Bayko").await;
    let result = app.chat.update_user(&user, new_handle(&app, "BAYKO")).await;
    assert_eq!(refusal(result), (ErrorKind::AlreadyExists, Some("HandleClaim")));
    assert_stored(&app, &user).await;
    assert_eq!(app.chat.user_by_handle(bayko.handle()).await.unwrap(), Some(bayko.profile()));
}

pub(crate) async fn the_second_change_to_one_version_is_refused(app: App) {
    let user = app.chat.create_user(andrew(&app)).await.unwrap();
    let renamed = app.chat.update_user(&user, new_name("Andrew")).await.unwrap();
    for change in [new_name("Brown"), new_handle(&app, "Omenking"), new_handle(&app, "ANDREW")] {
        let result = app.chat.update_user(&user, change).await;
        assert_eq!(refusal(result), (ErrorKind::ConditionFailed, Some("User")));
        assert_stored(&app, &renamed).await;
    }
    assert_eq!(app.chat.user_by_handle(&app.handle("Omenking")).await.unwrap(), None);
    let again = app.chat.update_user(&renamed, new_handle(&app, "Omenking")).await.unwrap();
    assert_eq!(again.version(), 3);
    assert_stored(&app, &again).await;
}

pub(crate) async fn a_completed_change_may_be_retried(app: App) {
    let mut user = app.chat.create_user(andrew(&app)).await.unwrap();
    for change in [new_handle(&app, "Omenking"), new_name("A"), new_handle(&app, "OMENKING")] {
        let renamed = app.chat.update_user(&user, change.clone()).await.unwrap();
        assert_eq!(app.chat.update_user(&user, change).await.unwrap(), renamed);
        assert_stored(&app, &renamed).await;
        user = renamed;
    }
}

pub(crate) async fn a_user_who_was_never_created_cannot_be_renamed(app: App) {
    // A user of another table, who does not exist in this one.
    let elsewhere = threadline::Threadline::new(threadline::MemoryStore::new());
    let user = elsewhere.create_user(andrew(&app)).await.unwrap();
    for change in [new_handle(&app, "Omenking"), new_name("Andrew")] {
        assert_eq!(refusal(app.chat.update_user(&user, change).await), (ErrorKind::NotFound, Some("User")));
    }
    assert_eq!(app.chat.user(user.id()).await.unwrap(), None);
    for handle in ["Andrew", "Omenking"] {
        assert_eq!(app.chat.user_by_handle(&app.handle(handle)).await.unwrap(), None);
    }
    assert_eq!(app.chat.user_by_identity(&subject(&app)).await.unwrap(), None);
}
