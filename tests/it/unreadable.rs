//! Unreadable items hide no others from lists, counts, joins and projections.

use threadline::entity::{AttributeValue, Entity};
use threadline::stream::{RecordKind, RecordOutcome};
use threadline::{ErrorKind, GroupId, Membership, NewGroup, Threadline, User};
use threadline_testkit::fault::{FaultStore, Plan};

use crate::ownership::{item, make_unreadable, outcome, put, s, texts, unreadable};
use crate::support::App;

#[tokio::test]
async fn an_unreadable_message_hides_no_other() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let mut messages = Vec::new();
    for number in 0..7 {
        messages.push(app.say(&thread, &number.to_string()).await);
    }
    for damaged in [1, 2, 6] {
        make_unreadable(&app, &messages[damaged], "message").await;
    }
    let expected = ["Have you ever watched Babylon 5?", "0", "3", "4", "5"];
    for limit in [1, 2, 3, 20] {
        let (mut newest_first, unreadable) = texts(&thread, false, limit).await;
        newest_first.reverse();
        assert_eq!((newest_first, unreadable), (expected.map(str::to_owned).to_vec(), 3), "limit {limit}");
        let (oldest_first, unreadable) = texts(&thread, true, limit).await;
        assert_eq!((oldest_first, unreadable), (expected.map(str::to_owned).to_vec(), 3), "limit {limit}");
    }
    let findings = unreadable(&app).await;
    let around = thread.messages().around(&messages[3]).limit(3).fetch().await.unwrap();
    assert_eq!(around.items.len(), 3);
    let between = thread.messages().after(&messages[0]).before(&messages[4]).fetch().await.unwrap();
    assert_eq!((between.items.len(), between.unreadable), (1, 2));
    let theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let unread = theirs.unread().await.unwrap();
    assert_eq!((unread.count, unread.unreadable), (5, 3));
    assert_eq!(findings, 3);
}

#[tokio::test]
async fn an_unreadable_membership_hides_no_other() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    let mut threads = Vec::new();
    for handle in ["bayko", "londo", "vir", "gkar", "delenn"] {
        let other = app.user(handle).await;
        app.clock.advance(std::time::Duration::from_secs(1));
        threads.push(app.chat.start_direct(&andrew, &other, "hello").await.unwrap());
    }
    make_unreadable(&app, threads[3].membership(), "joined_at").await;
    for limit in [1, 2, 10] {
        let (mut groups, mut unreadable, mut cursor) = (Vec::new(), 0, None);
        loop {
            let request = app.chat.inbox(andrew.id()).limit(limit);
            let page = match cursor.take() {
                Some(cursor) => request.cursor(cursor).fetch().await.unwrap(),
                None => request.fetch().await.unwrap(),
            };
            groups.extend(page.items.iter().map(Membership::group_id));
            unreadable += page.unreadable;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<GroupId> = [4, 2, 1, 0].map(|place: usize| threads[place].group_id()).to_vec();
        assert_eq!((groups, unreadable), (expected, 1), "limit {limit}");
    }
    let members = threads[3].members().await.unwrap();
    assert_eq!((members.items.len(), members.unreadable), (1, 1));
    let error = app.chat.open(andrew.id(), threads[3].group_id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_projection_skips_an_unreadable_membership() {
    let app = App::new();
    let (andrew, bayko, vir) = (app.user("andrew").await, app.user("bayko").await, app.user("vir").await);
    let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko).member(&vir);
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    let theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    make_unreadable(&app, theirs.membership(), "joined_at").await;
    let message = app.say(&thread, "second").await;
    let (outcome, kept) = outcome(&app, RecordKind::Insert, &message.to_item().unwrap()).await;
    assert!(matches!(outcome, RecordOutcome::Done), "the message is not at fault: {outcome:?}");
    assert_eq!(kept, 0);
    for user in [&andrew, &vir] {
        assert_eq!(app.inbox(user.id()).await[0].preview().map(ToString::to_string).as_deref(), Some("second"));
    }
    let mut damaged = theirs.membership().to_item().unwrap();
    damaged.insert("joined_at", AttributeValue::Bool(true));
    let (own_record, _) = crate::ownership::outcome(&app, RecordKind::Modify, &damaged).await;
    assert!(matches!(own_record, RecordOutcome::DeadLetter(_)), "{own_record:?}");
}

#[tokio::test]
async fn a_corrupt_newest_message_does_not_prevent_a_join() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrew").await, app.user("bayko").await);
    let thread = app.chat.create_group(NewGroup::new("Babylon 5", &andrew).unwrap(), "Welcome").await.unwrap();
    for number in 0..5 {
        let message = app.say(&thread, &number.to_string()).await;
        make_unreadable(&app, &message, "user_handle").await;
    }
    thread.add_member(&bayko).await.unwrap();
    let joined = app.inbox(bayko.id()).await.remove(0);
    assert_eq!(joined.preview().map(ToString::to_string).as_deref(), Some("Welcome"));
}

#[tokio::test]
async fn an_unreadable_user_is_reported_by_audit_and_projector() {
    let app = App::new();
    let (andrew, ..) = app.direct().await;
    app.project().await;
    let mut damaged = andrew.to_item().unwrap();
    damaged.remove("handle");
    put(&app, damaged.clone()).await;
    assert_eq!(unreadable(&app).await, 1);
    for kind in [RecordKind::Insert, RecordKind::Modify] {
        assert!(matches!(outcome(&app, kind, &damaged).await, (RecordOutcome::DeadLetter(_), 1)));
    }
    assert!(matches!(
        outcome(&app, RecordKind::Remove, &User::to_item(&andrew).unwrap()).await.0,
        RecordOutcome::Nothing
    ));
}

#[tokio::test]
async fn pages_around_a_message_count_each_unreadable_once() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let mut messages = Vec::new();
    for number in 0..12 {
        messages.push(app.say(&thread, &number.to_string()).await);
    }
    for damaged in [0, 2, 3, 5, 6, 9, 11] {
        make_unreadable(&app, &messages[damaged], "message").await;
    }
    for (around, message) in messages.iter().enumerate() {
        // On a page of two or less, nothing is before the message, and the unreadable item there is on both sides.
        for limit in 3..8 {
            let page = thread.messages().around(message).limit(limit).fetch().await.unwrap();
            let (mut count, mut items) = (page.unreadable, page.items.len());
            let follow = [(page.next, false), (page.previous, true)];
            for (mut cursor, oldest_first) in follow {
                while let Some(at) = cursor {
                    let request = thread.messages().limit(limit).cursor(at);
                    let request = if oldest_first { request.oldest_first() } else { request };
                    let page = request.fetch().await.unwrap();
                    count += page.unreadable;
                    items += page.items.len();
                    cursor = page.next;
                }
            }
            assert_eq!((items, count), (6, 7), "around {around}, limit {limit}");
        }
    }
}

#[tokio::test]
async fn an_unreadable_message_at_a_bound_is_excluded() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let mut messages = Vec::new();
    for number in 0..5 {
        messages.push(app.say(&thread, &number.to_string()).await);
    }
    for damaged in [1, 4] {
        make_unreadable(&app, &messages[damaged], "message").await;
    }
    let page = thread.messages().after(&messages[1]).before(&messages[4]).fetch().await.unwrap();
    assert_eq!((page.items.len(), page.unreadable), (2, 0));
}

#[tokio::test]
async fn a_page_skips_many_foreign_items_in_few_requests() {
    let app = App::with_whole_pages();
    let (_, bayko, thread) = app.direct().await;
    let pk = format!("MSG#{}", thread.group_id());
    for number in 0..2000 {
        put(&app, item(&[("pk", &pk), ("sk", &format!("PIN#{number:04}")), ("type", "Pin")])).await;
    }
    let store = FaultStore::new(app.store.clone(), Plan::new());
    let chat = Threadline::new(store.clone()).clock(app.clock.clone());
    let theirs = chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let before = store.calls();
    assert_eq!(theirs.messages().limit(1).fetch().await.unwrap().items.len(), 1);
    assert!(store.calls() - before < 15, "{} requests", store.calls() - before);
}

#[tokio::test]
async fn a_misplaced_entry_makes_no_endless_inbox() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    let mut threads = Vec::new();
    for handle in ["bayko", "londo", "vir", "gkar"] {
        let other = app.user(handle).await;
        app.clock.advance(std::time::Duration::from_secs(1));
        threads.push(app.chat.start_direct(&andrew, &other, "hello").await.unwrap());
    }
    let group = threads[3].group_id();
    for (place, listed, unreadable) in [
        (format!("GRP#2020-01-01T00:00:00.000000+00:00#{group}"), 4, 0),
        (format!("GRP#2020-01-01T00:00:00+00:00#{group}"), 3, 1),
        ("GRP#2020#x".to_owned(), 3, 1),
    ] {
        let mut entry = threads[3].membership().to_item().unwrap();
        entry.insert("gsi1sk", s(place.clone()));
        put(&app, entry).await;
        for limit in 1..5 {
            let (mut count, mut unread, mut cursor, mut pages) = (0, 0, None, 0);
            loop {
                let request = app.chat.inbox(andrew.id()).limit(limit);
                let page = match cursor.take() {
                    Some(cursor) => request.cursor(cursor).fetch().await.unwrap(),
                    None => request.fetch().await.unwrap(),
                };
                (count, unread, pages) = (count + page.items.len(), unread + page.unreadable, pages + 1);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
                assert!(pages < 10, "{place}: the inbox never ends");
            }
            assert_eq!((count, unread), (listed, unreadable), "{place}, limit {limit}");
        }
    }
}
