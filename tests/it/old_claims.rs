//! Claims of version 0.1, which folded only the ASCII letters of a handle, beside current claims.

use std::time::Duration;

use proptest::prelude::*;
use threadline::entity::{AttributeValue, Entity, HandleClaim, Key};
use threadline::store::StoreExt;
use threadline::store::Write;
use threadline::stream::{Auditor, Discrepancy};
use threadline::{Clock, DisplayName, ErrorKind, Handle, NewUser};
use threadline::{User, UserChange, UserId};

use crate::support::{App, block_on, cases, id, scan};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn handle(text: &str) -> Handle {
    Handle::for_look_up(text).unwrap()
}

fn to(text: &str) -> UserChange {
    UserChange::new().handle(Handle::new(text).unwrap()).unwrap()
}

fn named(text: &str) -> UserChange {
    UserChange::new().display_name(DisplayName::new(text).unwrap()).unwrap()
}

/// Puts a user like version 0.1.
pub(crate) async fn user_of_version_0_1(app: &App, handle: &str, number: u8) -> User {
    let elsewhere = App::new();
    let id: UserId = id(&format!("00000000-0000-4000-8000-0000000000{number:02}"));
    elsewhere.chat.create_user(NewUser::new("temporary", "Old").unwrap().id(id)).await.unwrap();
    for mut item in scan(&elsewhere.store).await {
        item.insert("handle", AttributeValue::S(handle.into()));
        if item.type_name() == Some(HandleClaim::TYPE) {
            item.insert("pk", AttributeValue::S(format!("HANDLE#{}", handle.to_ascii_lowercase())));
        }
        app.store.write(Write::put(item)).await.unwrap().done().unwrap();
    }
    app.chat.user(id).await.unwrap().unwrap()
}

/// Creates two users of version 0.1, whose handles now fold to the same one.
async fn pair(app: &App) -> [User; 2] {
    [user_of_version_0_1(app, "Ärger", 1).await, user_of_version_0_1(app, "ärger", 2).await]
}

/// Returns the handles of the table's claims, as in their keys.
async fn claimed(app: &App) -> Vec<String> {
    let items = scan(&app.store).await;
    let keys = items.iter().filter(|item| item.type_name() == Some(HandleClaim::TYPE)).map(|item| item.key().unwrap());
    keys.map(|key: Key| key.pk.as_str().trim_start_matches("HANDLE#").to_owned()).collect()
}

async fn assert_found(app: &App, text: &str, user: Option<&User>) {
    let found = app.chat.user_by_handle(&handle(text)).await.unwrap();
    assert_eq!(found, user.map(User::profile), "{text}");
}

/// Checks that neither a new user nor an existing one can claim any of these handles.
async fn assert_taken(app: &App, handles: &[&str]) {
    let bystander = match app.chat.user_by_handle(&handle("bystander")).await.unwrap() {
        Some(found) => app.chat.user(found.id()).await.unwrap().unwrap(),
        None => app.user("bystander").await,
    };
    for text in handles {
        let error = app.chat.create_user(NewUser::new(*text, "Other").unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("HandleClaim")), "{text}");
        let error = app.chat.update_user(&bystander, to(text)).await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("HandleClaim")), "{text}");
    }
}

async fn discrepancies(app: &App, repair: bool) -> Vec<Discrepancy> {
    let auditor = Auditor::new(app.store.clone());
    let page = if repair { auditor.repair(None).await } else { auditor.check(None).await };
    page.unwrap().findings.into_iter().map(|finding| finding.discrepancy).collect()
}

#[tokio::test]
async fn an_old_claim_is_found_and_owned_by_its_form() {
    let app = App::new();
    let user = user_of_version_0_1(&app, "ÄrgerX", 1).await;
    for text in ["ÄrgerX", "Ärgerx", "ÄRGERX"] {
        assert_found(&app, text, Some(&user)).await;
    }
    assert_taken(&app, &["ÄrgerX", "Ärgerx", "ÄRGERX"]).await;
}

#[tokio::test]
async fn a_lookup_prefers_the_typed_form() {
    let app = App::new();
    let [one, other] = pair(&app).await;
    assert_found(&app, "Ärger", Some(&one)).await;
    assert_found(&app, "ÄRGER", Some(&one)).await;
    assert_found(&app, "ärger", Some(&other)).await;
}

#[tokio::test]
async fn an_old_claim_moves_with_any_change() {
    for change in [named("New"), to("ÄRGERX"), to("ärgerx"), to("Ärgerx").display_name("New").unwrap()] {
        let app = App::with_whole_pages();
        let user = user_of_version_0_1(&app, "ÄrgerX", 1).await;
        let changed = app.chat.update_user(&user, change.clone()).await.unwrap();
        assert_eq!(claimed(&app).await, ["ärgerx"]);
        for text in ["ÄrgerX", "ärgerx", "ÄRGERX"] {
            assert_found(&app, text, Some(&changed)).await;
        }
        assert_eq!(app.chat.update_user(&user, change).await.unwrap(), changed, "a lost answer");
        assert_taken(&app, &["ÄrgerX", "ärgerx", "ÄRGERX"]).await;
        let again = app.chat.update_user(&changed, named("Once more")).await.unwrap();
        assert_found(&app, "ärgerx", Some(&again)).await;
        assert_eq!(discrepancies(&app, false).await, []);
    }
}

#[tokio::test]
async fn an_old_claim_becomes_a_reservation_of_every_form() {
    let app = App::with_whole_pages();
    let user = user_of_version_0_1(&app, "ÄrgerX", 1).await;
    let renamed = app.chat.update_user(&user, to("omenking")).await.unwrap();
    assert_eq!(claimed(&app).await, ["omenking", "ärgerx"]);
    assert_found(&app, "ÄrgerX", None).await;
    assert_found(&app, "omenking", Some(&renamed)).await;
    assert_taken(&app, &["ÄrgerX", "ärgerx", "ÄRGERX"]).await;
    let back = app.chat.update_user(&renamed, to("ÄrgerX")).await.unwrap();
    assert_found(&app, "ärgerx", Some(&back)).await;
    assert_found(&app, "omenking", None).await;
    assert_eq!(discrepancies(&app, false).await, []);
    app.clock.advance(DAY);
    assert_found(&app, "ärgerx", Some(&back)).await;
}

#[tokio::test]
async fn an_old_claim_without_a_reservation_is_free_at_once() {
    let app = App::new();
    let user = user_of_version_0_1(&app, "ÄrgerX", 1).await;
    let chat = app.chat.clone().handle_reservation(Duration::ZERO);
    chat.update_user(&user, to("omenking")).await.unwrap();
    assert_eq!(claimed(&app).await, ["omenking"]);
    app.user("ÄrgerX").await;
}

#[tokio::test]
async fn two_users_whose_handles_fold_to_one_keep_both() {
    let app = App::with_whole_pages();
    let [one, other] = pair(&app).await;
    assert_eq!(discrepancies(&app, true).await, []);
    let one = app.chat.update_user(&one, named("One")).await.unwrap();
    let other = app.chat.update_user(&other, named("Other")).await.unwrap();
    let one = app.chat.update_user(&one, to("ÄRGER")).await.unwrap();
    assert_eq!(claimed(&app).await, ["Ärger", "ärger"]);
    assert_found(&app, "Ärger", Some(&one)).await;
    assert_found(&app, "ärger", Some(&other)).await;
    assert_eq!(discrepancies(&app, true).await, []);
    for (user, taken) in [(&one, "ärger"), (&other, "Ärger")] {
        let error = app.chat.update_user(user, to(taken)).await.unwrap_err();
        assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("HandleClaim")));
    }
    assert_taken(&app, &["Ärger", "ärger"]).await;
}

#[tokio::test]
async fn an_old_claim_beside_another_users_is_reserved_at_its_key() {
    let app = App::with_whole_pages();
    let [one, other] = pair(&app).await;
    let renamed = app.chat.update_user(&one, to("omenking")).await.unwrap();
    assert_eq!(claimed(&app).await, ["omenking", "Ärger", "ärger"]);
    assert_found(&app, "ärger", Some(&other)).await;
    assert_taken(&app, &["Ärger", "ärger"]).await;
    let error = app.chat.update_user(&other, to("Ärger")).await.unwrap_err();
    assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("HandleClaim")));

    let back = app.chat.update_user(&renamed, to("Ärger")).await.unwrap();
    assert_found(&app, "Ärger", Some(&back)).await;
    assert_eq!(discrepancies(&app, true).await, []);
    app.clock.advance(DAY);
    assert_found(&app, "Ärger", Some(&back)).await;

    app.chat.update_user(&back, to("omenking")).await.unwrap();
    app.clock.advance(DAY);
    let free = app.chat.update_user(&other, to("Ärger")).await.unwrap();
    assert_found(&app, "Ärger", Some(&free)).await;
    assert_found(&app, "ärger", Some(&free)).await;
}

#[tokio::test]
async fn a_folded_handle_of_a_pair_can_be_released_and_claimed() {
    let app = App::with_whole_pages();
    let [one, other] = pair(&app).await;
    let other = app.chat.update_user(&other, to("omenking")).await.unwrap();
    assert_found(&app, "Ärger", Some(&one)).await;
    let one = app.chat.update_user(&one, named("One")).await.unwrap();
    assert_eq!(claimed(&app).await, ["omenking", "Ärger", "ärger"], "the other one's is reserved");
    let other = app.chat.update_user(&other, to("ärger")).await.unwrap();
    let other = app.chat.update_user(&other, to("omenking")).await.unwrap();
    app.clock.advance(DAY);
    let one = app.chat.update_user(&one, named("The one")).await.unwrap();
    assert_eq!(claimed(&app).await, ["omenking", "ärger"]);
    assert_found(&app, "ärger", Some(&one)).await;
    assert_found(&app, "omenking", Some(&other)).await;
    assert_eq!(discrepancies(&app, true).await, []);
}

#[tokio::test]
async fn a_handle_in_fullwidth_letters_is_still_another_user() {
    let app = App::with_whole_pages();
    let wide = user_of_version_0_1(&app, "ａndrew", 1).await;
    let andrew = app.user("andrew").await;
    assert_eq!(discrepancies(&app, true).await, []);
    let wide = app.chat.update_user(&wide, named("Wide")).await.unwrap();
    assert_found(&app, "ａndrew", Some(&wide)).await;
    assert_found(&app, "andrew", Some(&andrew)).await;
    let renamed = app.chat.update_user(&wide, to("omenking")).await.unwrap();
    assert_found(&app, "omenking", Some(&renamed)).await;
    assert_found(&app, "ａndrew", Some(&andrew)).await;
    assert_eq!(discrepancies(&app, true).await, []);
}

#[tokio::test]
async fn a_repair_moves_old_claims_whose_folded_handle_is_free() {
    let app = App::with_whole_pages();
    let user = user_of_version_0_1(&app, "ÄrgerX", 3).await;
    pair(&app).await;
    let old = [Discrepancy::OldClaim { user: user.id() }];
    assert_eq!(discrepancies(&app, false).await, old);
    assert_eq!(claimed(&app).await, ["Ärger", "Ärgerx", "ärger"]);
    assert_eq!(discrepancies(&app, true).await, old);
    assert_eq!(claimed(&app).await, ["Ärger", "ärger", "ärgerx"]);
    assert_eq!(discrepancies(&app, true).await, []);
    assert_found(&app, "ärgerx", Some(&user)).await;
    assert_taken(&app, &["ÄrgerX", "ärgerx", "ÄRGERX"]).await;
}

#[tokio::test]
async fn a_repair_updates_the_names_of_an_old_claim() {
    for (text, key, at) in [("ÄrgerX", "Ärgerx", "ärgerx"), ("Ärger", "Ärger", "Ärger")] {
        let app = App::with_whole_pages();
        let [one, _] = pair(&app).await;
        let user = if text == "Ärger" { one } else { user_of_version_0_1(&app, text, 3).await };
        let mut claim =
            scan(&app.store).await.into_iter().find(|item| item.get_s("pk") == Some(&format!("HANDLE#{key}")));
        let mut claim = claim.take().unwrap();
        claim.insert("display_name", AttributeValue::S("Other".into()));
        app.store.write(Write::put(claim)).await.unwrap().done().unwrap();
        let missing = [Discrepancy::MissingClaim { entity: HandleClaim::TYPE, user: user.id() }];
        assert_eq!(discrepancies(&app, true).await, missing);
        assert_eq!(discrepancies(&app, true).await, []);
        assert!(claimed(&app).await.contains(&at.to_owned()));
        assert_found(&app, text, Some(&user)).await;
    }
}

#[tokio::test]
async fn an_old_claim_on_an_abandoned_handle_is_duplicated() {
    let app = App::with_whole_pages();
    let user = app.user("ärgerx").await;
    let mut claim = scan(&app.store).await.into_iter().find(|item| item.get_s("pk") == Some("HANDLE#ärgerx")).unwrap();
    claim.insert("pk", AttributeValue::S("HANDLE#Ärgerx".into()));
    claim.insert("handle", AttributeValue::S("ÄrgerX".into()));
    app.store.write(Write::put(claim)).await.unwrap().done().unwrap();
    assert_eq!(
        discrepancies(&app, true).await,
        [Discrepancy::WrongClaim { entity: HandleClaim::TYPE, user: user.id() }]
    );
    assert_eq!(claimed(&app).await, ["ärgerx"]);
    assert_eq!(discrepancies(&app, true).await, []);
}

/// Handles of two folded forms, and of five keys of version 0.1.
const FORMS: [&str; 7] = ["Émé", "émé", "ÉMÉ", "émÉ", "ÉmÉ", "bay", "BAY"];

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn users_of_version_0_1_keep_their_handles(
        steps in prop::collection::vec((0..3_usize, 0..FORMS.len() + 1, 0..30_u64, 0..8), 1..25),
    ) {
        block_on(hold(steps));
    }
}

/// Changes the handle of a user in each step, some hours apart, and repairs at times.
async fn hold(steps: Vec<(usize, usize, u64, i32)>) {
    let app = App::with_whole_pages();
    let mut users = Vec::new();
    for (number, form) in (1..).zip(["Émé", "émé", "ÉMÉ"]) {
        users.push(user_of_version_0_1(&app, form, number).await);
    }
    let mut reserved: Vec<(Handle, UserId, threadline::Timestamp)> = Vec::new();
    for (number, (who, form, hours, repair)) in steps.into_iter().enumerate() {
        app.clock.advance(Duration::from_secs(hours * 60 * 60));
        let now = app.clock.now();
        reserved.retain(|(_, _, end)| *end > now);
        let user = users[who].clone();
        let name = format!("name {number}");
        let change = FORMS.get(form).map_or(named(&name), |form| to(form).display_name(name).unwrap());
        let wanted = FORMS.get(form).map_or(user.handle().clone(), |form| handle(form));
        let reservation = reserved.iter().find(|(handle, _, _)| *handle == wanted);
        match app.chat.update_user(&user, change).await {
            Ok(changed) => {
                assert!(reservation.is_none_or(|(_, owner, _)| *owner == user.id()), "reserved for another user");
                if wanted.folded() != user.handle().folded() {
                    reserved.push((user.handle().clone(), user.id(), now.saturating_add(DAY)));
                }
                reserved.retain(|(handle, _, _)| *handle != wanted);
                users[who] = changed;
            }
            Err(error) => {
                assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some(HandleClaim::TYPE)));
                assert!(reservation.is_none_or(|(_, owner, _)| *owner != user.id()), "only they can take it back");
                assert_ne!(wanted, *user.handle());
            }
        }
        for user in &users {
            assert_found(&app, user.handle().as_str(), Some(user)).await;
        }
        let found = discrepancies(&app, repair == 0).await;
        assert!(found.iter().all(|discrepancy| matches!(discrepancy, Discrepancy::OldClaim { .. })), "{found:?}");
    }
}
