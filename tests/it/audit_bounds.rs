//! The number of an audit's requests, in total and at once.

use threadline::entity::{AttributeValue, Entity, HandleClaim, IdentityClaim};
use threadline::store::{Get, StoreExt, Write};
use threadline::stream::{Auditor, Discrepancy};
use threadline::{DisplayName, IdentitySubject, Membership, MessageGroup, NewGroup, NewUser, Thread, User, UserChange};
use threadline_testkit::fault::{FaultStore, Plan};

use crate::hooked_store::HookedStore;
use crate::support::App;

/// The number of requests after which a page ends, unless its first item needs more.
const MAX_REQUESTS: usize = 200;

async fn users(app: &App, count: usize) -> Vec<User> {
    let mut users = Vec::new();
    for number in 0..count {
        let subject = IdentitySubject::new(format!("subject-{number}")).unwrap();
        let new = NewUser::new(format!("u{number}"), format!("User {number}")).unwrap().identity(subject).unwrap();
        users.push(app.chat.create_user(new).await.unwrap());
    }
    users
}

/// Creates a group with these members, in whose previews the first message is cut.
async fn group(app: &App, users: &[User]) -> Thread {
    let group = NewGroup::new("Babylon 5", &users[0]).unwrap();
    let thread = app.chat.create_group(group, "🙂".repeat(200)).await.unwrap();
    for user in &users[1..] {
        thread.add_member(user).await.unwrap();
    }
    thread
}

async fn delete_claims(app: &App, user: &User) {
    for key in [HandleClaim::key_from(user.handle()), IdentityClaim::key_from(user.identity().unwrap())] {
        app.store.write(Write::delete(key)).await.unwrap().done().unwrap();
    }
}

/// Audits the whole table. Returns the findings, and the requests and items of each page.
async fn pages(app: &App, repair: bool) -> (Vec<Discrepancy>, Vec<(usize, usize)>) {
    let (mut findings, mut pages, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let store = FaultStore::new(app.store.clone(), Plan::new());
        let auditor = Auditor::new(store.clone());
        let page = match repair {
            true => auditor.repair(cursor.clone()).await.unwrap(),
            false => auditor.check(cursor.clone()).await.unwrap(),
        };
        findings.extend(page.findings.into_iter().map(|finding| finding.discrepancy));
        pages.push((usize::try_from(store.calls()).unwrap(), page.items));
        cursor = page.next;
        if cursor.is_none() {
            return (findings, pages);
        }
    }
}

/// Makes each of these memberships show an older message than the newest.
async fn set_back(app: &App, thread: &Thread, users: &[User]) {
    for user in users {
        let theirs = app.chat.open(user.id(), thread.group_id()).await.unwrap();
        let mut item = theirs.membership().to_item().unwrap();
        item.insert("message", AttributeValue::S("something else".into()));
        app.store.write(Write::put(item)).await.unwrap().done().unwrap();
    }
}

#[tokio::test]
async fn a_page_ends_before_the_item_that_would_pass_the_limit() {
    let app = App::with_whole_pages();
    for user in users(&app, 150).await {
        delete_claims(&app, &user).await;
    }
    let (findings, pages) = pages(&app, false).await;
    assert_eq!(findings.len(), 300);
    assert!(pages.len() > 2 && pages.iter().all(|(requests, _)| *requests <= MAX_REQUESTS), "{pages:?}");
    assert_eq!(pages.iter().map(|(_, items)| items).sum::<usize>(), 150, "each item once");
    let (_, pages) = self::pages(&app, true).await;
    assert!(pages.len() > 2 && pages.iter().all(|(requests, _)| *requests <= MAX_REQUESTS), "{pages:?}");
}

#[tokio::test]
async fn a_group_of_the_most_members_takes_few_requests_to_check() {
    let app = App::with_whole_pages();
    let users = users(&app, MessageGroup::MAX_MEMBERS).await;
    let thread = group(&app, &users).await;
    set_back(&app, &thread, &users[500..]).await;
    for user in &users[..500] {
        let renamed = UserChange::new().display_name(DisplayName::new("X").unwrap()).unwrap();
        app.chat.update_user(user, renamed).await.unwrap();
    }
    let (findings, pages) = pages(&app, false).await;
    assert_eq!(findings.len(), MessageGroup::MAX_MEMBERS);
    assert!(pages.iter().all(|(requests, _)| *requests <= MAX_REQUESTS), "{pages:?}");
}

#[tokio::test]
async fn a_group_that_alone_passes_the_limit_has_a_page_of_its_own() {
    let app = App::with_whole_pages();
    let users = users(&app, 150).await;
    let thread = group(&app, &users).await;
    set_back(&app, &thread, &users).await;
    let (findings, pages) = pages(&app, true).await;
    assert_eq!(findings.len(), 150);
    let longer: Vec<_> = pages.iter().filter(|(requests, _)| *requests > MAX_REQUESTS).collect();
    assert!(matches!(longer[..], [(_, 1)]), "{pages:?}");
    assert_eq!(self::pages(&app, false).await.0, []);
}

#[tokio::test]
async fn an_audit_has_eight_requests_in_progress() {
    let app = App::with_whole_pages();
    let users = users(&app, 20).await;
    let thread = group(&app, &users).await;
    set_back(&app, &thread, &users).await;
    for repair in [false, true] {
        let store = HookedStore::new(&app.store);
        let auditor = Auditor::new(store.clone());
        let mut cursor = None;
        loop {
            let page = match repair {
                true => auditor.repair(cursor.clone()).await.unwrap(),
                false => auditor.check(cursor.clone()).await.unwrap(),
            };
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(store.max_concurrent(), 8, "repair: {repair}");
    }
}

#[tokio::test]
async fn memberships_of_one_group_are_repaired_concurrently() {
    let app = App::with_whole_pages();
    let users: Vec<_> = users(&app, 20).await;
    let thread = group(&app, &users).await;
    set_back(&app, &thread, &users).await;
    for user in &users {
        delete_claims(&app, user).await;
        app.store.write(Write::delete(user.key())).await.unwrap().done().unwrap();
    }
    let store = HookedStore::new(&app.store);
    let page = Auditor::new(store.clone()).repair(None).await.unwrap();
    assert_eq!((page.findings.len(), page.next), (20, None));
    assert_eq!(store.max_concurrent(), 8);
}

#[tokio::test]
async fn an_unreadable_membership_is_found_once_also_without_a_group() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    app.project().await;
    let mut item = thread.membership().to_item().unwrap();
    item.remove("joined_at");
    app.store.write(Write::put(item)).await.unwrap().done().unwrap();
    let is_unreadable = |discrepancy: &&Discrepancy| matches!(discrepancy, Discrepancy::Unreadable { .. });
    assert_eq!(pages(&app, false).await.0.iter().filter(is_unreadable).count(), 1);
    let group = MessageGroup::key_from(thread.group_id());
    app.store.write(Write::delete(group)).await.unwrap().done().unwrap();
    assert_eq!(pages(&app, false).await.0.iter().filter(is_unreadable).count(), 1);
    let key = Membership::key_from((thread.group_id(), andrew.id()));
    assert!(app.store.get(Get::new(key)).await.unwrap().item.is_some());
}
