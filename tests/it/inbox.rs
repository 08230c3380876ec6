//! The inbox: its order, its pages, the read marker and the unread count.

use std::time::Duration;

use threadline::{Clock, ErrorKind, NewGroup, Threadline, Unread};
use threadline_testkit::fault::{FaultStore, Plan};

use crate::support::App;

#[tokio::test]
async fn the_conversation_with_the_newest_message_is_first() {
    let app = App::new();
    let (andrew, bayko, first) = app.direct().await;
    app.clock.advance(Duration::from_secs(1));
    let londo = app.user("londo").await;
    let second = app.chat.start_direct(&andrew, &londo, "Ambassador?").await.unwrap();
    let order = |entries: Vec<threadline::Membership>| entries.iter().map(|entry| entry.group_id()).collect::<Vec<_>>();
    assert_eq!(order(app.inbox(andrew.id()).await), [second.group_id(), first.group_id()]);

    app.say(&first, "Season two!").await;
    assert_eq!(order(app.inbox(andrew.id()).await), [second.group_id(), first.group_id()], "not projected yet");
    app.project().await;
    assert_eq!(order(app.inbox(andrew.id()).await), [first.group_id(), second.group_id()]);
    let entry = app.inbox(bayko.id()).await.remove(0);
    assert_eq!(entry.preview().map(|preview| preview.as_str()), Some("Season two!"));
    assert_eq!(entry.other().map(|other| other.id()), Some(andrew.id()));
}

#[tokio::test]
async fn pages_of_an_inbox_return_every_entry_once() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    for number in 0..7 {
        app.clock.advance(Duration::from_secs(1));
        let group = NewGroup::new(format!("group {number}"), &andrew).unwrap();
        app.chat.create_group(group, "hello").await.unwrap();
    }
    for limit in 1..9_u32 {
        let mut titles = Vec::new();
        let mut cursor = None;
        loop {
            let mut request = app.chat.inbox(andrew.id()).limit(limit);
            if let Some(cursor) = cursor {
                request = request.cursor(cursor);
            }
            let page = request.fetch().await.unwrap();
            assert!(page.next.is_none() || page.items.len() == limit as usize);
            titles.extend(page.items.iter().map(|entry| entry.title().unwrap().to_string()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<_> = (0..7).rev().map(|number| format!("group {number}")).collect();
        assert_eq!(titles, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_users_inbox_is_refused() {
    let app = App::new();
    let (andrew, bayko, _) = app.direct().await;
    let londo = app.user("londo").await;
    app.chat.start_direct(&andrew, &londo, "hello").await.unwrap();
    let cursor = app.chat.inbox(andrew.id()).limit(1).fetch().await.unwrap().next.unwrap();
    let error = app.chat.inbox(bayko.id()).cursor(cursor).fetch().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn ones_own_messages_are_never_unread() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let mut baykos_end = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    assert_eq!(baykos_end.unread().await.unwrap().count, 1);
    let read = baykos_end.messages().limit(1).fetch().await.unwrap().items.remove(0);
    baykos_end.mark_read(&read).await.unwrap();
    app.say(&baykos_end, "Only every year.").await;
    app.project().await;
    assert_eq!(baykos_end.unread().await.unwrap().count, 0);
    assert!(!app.inbox(bayko.id()).await[0].is_unread());
}

#[tokio::test]
async fn an_entry_is_unread_after_a_message_of_another_until_it_is_read() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let mut baykos_end = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let sent = app.say(&thread, "Well?").await;
    app.project().await;
    assert!(app.inbox(bayko.id()).await[0].is_unread());
    assert_eq!(baykos_end.unread().await.unwrap().count, 2);
    baykos_end.mark_read(sent.id()).await.unwrap();
    assert!(!app.inbox(bayko.id()).await[0].is_unread());
    assert_eq!(baykos_end.unread().await.unwrap().count, 0);
}

#[tokio::test]
async fn the_read_marker_only_moves_forward() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let (early, late) = (app.say(&thread, "early").await, app.say(&thread, "late").await);
    let mut one = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let mut other = one.clone();
    one.mark_read(&late).await.unwrap();
    other.mark_read(&early).await.unwrap();
    assert_eq!(other.membership().last_read(), Some(late.position()), "the slower device learns of it");
    let stored = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    assert_eq!(stored.membership().last_read(), Some(late.position()));
}

#[tokio::test]
async fn the_read_marker_never_passes_the_clock() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let mut baykos_end = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    for ahead in [4, 3600, 90_000] {
        app.clock.advance(Duration::from_secs(ahead + 1));
        let from_ahead = thread.new_message_id();
        app.clock.set(app.clock.now().saturating_sub(Duration::from_secs(ahead)));
        baykos_end.mark_read(from_ahead).await.unwrap();
        let marked = baykos_end.membership().last_read().unwrap();
        assert_eq!((marked.created_at(), marked.message_id()), (app.clock.now(), None));
        let sent = app.say(&thread, "after the mark").await;
        app.project().await;
        assert!(app.inbox(bayko.id()).await[0].is_unread());
        baykos_end.mark_read(&sent).await.unwrap();
        assert_eq!(baykos_end.membership().last_read(), Some(sent.position()));
    }
}

#[tokio::test]
async fn reading_does_not_move_the_conversation_in_the_inbox() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let before = app.inbox(bayko.id()).await[0].last_message_at();
    let sent = app.say(&thread, "not projected yet").await;
    let mut baykos_end = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    baykos_end.mark_read(&sent).await.unwrap();
    assert_eq!(app.inbox(bayko.id()).await[0].last_message_at(), before);
}

#[tokio::test]
async fn mark_read_after_leaving_is_refused_and_creates_no_membership() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrew").await, app.user("bayko").await);
    let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko);
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    let mut baykos_end = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    thread.remove_member(bayko.id()).await.unwrap();
    let sent = app.say(&thread, "He is gone").await;
    let error = baykos_end.mark_read(&sent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    app.project().await;
    assert_eq!(app.inbox(bayko.id()).await, []);
}

#[tokio::test]
async fn the_unread_count_is_capped() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let baykos_end = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    for number in 2..=Unread::MAX {
        app.say(&thread, &number.to_string()).await;
    }
    let exact = baykos_end.unread().await.unwrap();
    assert_eq!((exact.count, exact.or_more), (Unread::MAX, false));
    app.say(&thread, "one more").await;
    let capped = baykos_end.unread().await.unwrap();
    assert_eq!((capped.count, capped.or_more), (Unread::MAX, true));
}

#[tokio::test]
async fn a_page_is_one_query_and_shows_if_another_follows() {
    let app = App::with_whole_pages();
    let (andrew, _, _) = app.direct().await;
    for handle in ["londo", "vir"] {
        let other = app.user(handle).await;
        app.chat.start_direct(&andrew, &other, "Ambassador?").await.unwrap();
    }
    for (limit, items, is_more) in [(1, 1, true), (2, 2, true), (3, 3, false), (4, 3, false)] {
        let store = FaultStore::new(app.store.clone(), Plan::new());
        let page = Threadline::new(store.clone()).inbox(andrew.id()).limit(limit).fetch().await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some(), store.calls()), (items, is_more, 1), "limit {limit}");
    }
}

#[tokio::test]
async fn a_count_is_one_query() {
    let app = App::with_whole_pages();
    let (andrew, bayko, thread) = app.direct().await;
    for number in 1..600 {
        app.say(&thread, &number.to_string()).await;
    }
    let store = FaultStore::new(app.store.clone(), Plan::new());
    let chat = Threadline::new(store.clone()).clock(app.clock.clone());
    let baykos = chat.unread(&app.inbox(bayko.id()).await[0]).await.unwrap();
    assert_eq!((baykos.count, baykos.or_more, store.calls()), (Unread::MAX, true, 1));
    // Andrew wrote all of them, so the newest ends the count.
    let andrews = chat.unread(&app.inbox(andrew.id()).await[0]).await.unwrap();
    assert_eq!((andrews.count, andrews.or_more, store.calls()), (0, false, 2));
}

#[tokio::test]
async fn a_member_added_later_has_the_whole_thread_as_read() {
    let app = App::new();
    let (andrew, londo) = (app.user("andrew").await, app.user("londo").await);
    let thread = app.chat.create_group(NewGroup::new("Babylon 5", &andrew).unwrap(), "Welcome").await.unwrap();
    app.clock.advance(Duration::from_secs(60));
    thread.add_member(&londo).await.unwrap();
    let entry = app.inbox(londo.id()).await.remove(0);
    assert_eq!(entry.preview().map(|preview| preview.as_str()), Some("Welcome"));
    assert!(!entry.is_unread());
    assert_eq!(app.chat.unread(&entry).await.unwrap().count, 0);
}
