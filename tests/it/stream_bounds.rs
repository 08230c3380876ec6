//! The number of concurrent requests of the projector.

use threadline::entity::Entity;
use threadline::stream::{Projection, Projector};
use threadline::{DisplayName, ErrorKind, Membership, NewGroup, User, UserChange};

use crate::hooked_store::HookedStore;
use crate::support::App;

/// The maximum number of concurrent requests of a batch.
const BOUND: usize = 8;

async fn users(app: &App, count: usize) -> Vec<User> {
    let mut users = Vec::new();
    for number in 0..count {
        users.push(app.user(&format!("u{number}")).await);
    }
    users
}

/// Projects the records after the first `seen`, and counts the requests.
async fn project(app: &App, seen: usize) -> (Projection, usize) {
    let store = HookedStore::new(&app.store);
    let projection = Projector::new(store.clone()).project(&app.records().split_off(seen)).await;
    (projection, store.max_concurrent())
}

#[tokio::test]
async fn groups_of_a_batch_are_projected_concurrently_within_one_limit() {
    let app = App::new();
    let users = users(&app, 4).await;
    let mut threads = Vec::new();
    for number in 0..20 {
        let title = format!("Babylon {number}");
        let group = users[1..].iter().fold(NewGroup::new(title, &users[0]).unwrap(), NewGroup::member);
        threads.push(app.chat.create_group(group, "Welcome").await.unwrap());
    }
    let seen = app.records().len();
    for thread in &threads {
        app.say(thread, "one").await;
    }
    let (projection, most) = project(&app, seen).await;
    assert!(!projection.has_failed());
    assert_eq!(most, BOUND);
    for user in &users {
        let entries = app.inbox(user.id()).await;
        assert!(entries.iter().all(|entry| entry.preview().unwrap().as_str() == "one"));
    }
}

#[tokio::test]
async fn entries_of_one_group_use_the_whole_limit() {
    let app = App::with_whole_pages();
    let users = users(&app, 20).await;
    let group = users[1..].iter().fold(NewGroup::new("Babylon 5", &users[0]).unwrap(), NewGroup::member);
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    // The new memberships, which are compared with their users, and then a message.
    let (projection, most) = project(&app, 0).await;
    assert!(!projection.has_failed());
    assert_eq!(most, BOUND);
    let seen = app.records().len();
    app.say(&thread, "one").await;
    let (projection, most) = project(&app, seen).await;
    assert!(!projection.has_failed());
    assert_eq!(most, BOUND);
}

#[tokio::test]
async fn users_of_a_batch_are_renamed_concurrently_within_one_limit() {
    let app = App::new();
    let users = users(&app, 12).await;
    for pair in users.chunks(2) {
        app.chat.start_direct(&pair[0], &pair[1], "hello").await.unwrap();
    }
    let seen = app.records().len();
    for user in &users {
        let change = UserChange::new().display_name(DisplayName::new("Somebody").unwrap()).unwrap();
        app.chat.update_user(user, change).await.unwrap();
    }
    let (projection, most) = project(&app, seen).await;
    assert!(!projection.has_failed());
    assert_eq!(most, BOUND);
    for user in &users {
        let entry = app.inbox(user.id()).await.remove(0);
        assert_eq!(entry.profile().display_name().as_str(), "Somebody");
        assert_eq!(entry.other().unwrap().display_name().as_str(), "Somebody");
    }
}

#[tokio::test]
async fn a_failed_group_has_its_own_outcome_and_delays_no_other() {
    let app = App::new();
    let users = users(&app, 3).await;
    let one = app.chat.start_direct(&users[0], &users[1], "hello").await.unwrap();
    let other = app.chat.start_direct(&users[0], &users[2], "hello").await.unwrap();
    let seen = app.records().len();
    app.say(&other, "one").await;
    app.say(&one, "one").await;
    let records = app.records().split_off(seen);
    let key = Membership::key_from((one.group_id(), users[1].id()));
    let store = HookedStore::new(&app.store).failing(key, ErrorKind::Throttled);
    let projection = Projector::new(store).project(&records).await;
    assert_eq!(projection.lowest_failed, records[1].sequence);
    assert_eq!(app.inbox(users[2].id()).await[0].preview().unwrap().as_str(), "one");
}

#[tokio::test]
async fn the_lowest_failed_sequence_number_compares_as_a_number() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let seen = app.records().len();
    for text in ["one", "two"] {
        app.say(&thread, text).await;
    }
    let mut records = app.records().split_off(seen);
    for (record, number) in records.iter_mut().zip([9, 10]) {
        record.sequence = Some(number.into());
    }
    let key = Membership::key_from((thread.group_id(), bayko.id()));
    let store = HookedStore::new(&app.store).failing(key, ErrorKind::Throttled);
    let projection = Projector::new(store).project(&records).await;
    assert_eq!(projection.lowest_failed, Some(9.into()));
}
