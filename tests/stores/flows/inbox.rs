//! The inbox: its order, which a projector updates, its pages, the read marker and the unread count.

use threadline::stream::Projector;
use threadline::{ErrorKind, GroupId, Membership, Message, NewGroup, Unread, UserId};

use super::{App, refusal};

/// Returns the entries of an inbox. DynamoDB Local updates the index at once.
async fn inbox(app: &App, user: UserId) -> Vec<Membership> {
    let page = app.chat.inbox(user).limit(100).fetch().await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

async fn order(app: &App, user: UserId) -> Vec<GroupId> {
    inbox(app, user).await.iter().map(Membership::group_id).collect()
}

async fn project(app: &App, message: &Message) {
    Projector::new(app.store.clone()).advance(message).await.unwrap();
}

#[track_caller]
fn assert_shows(entry: &Membership, message: &Message) {
    assert_eq!((entry.group_id(), entry.last_message()), (message.group_id(), Some(message.position())));
    assert_eq!((entry.last_sender_id(), entry.last_message_at()), (Some(message.sender_id()), message.created_at()));
    assert_eq!(entry.preview().map(|preview| preview.as_str()), message.body().map(|body| body.as_str()));
}

pub(crate) async fn a_conversation_moves_to_the_top_when_its_message_is_projected(app: App) {
    let (andrew, bayko, first) = app.direct().await;
    app.wait(1);
    let londo = app.user("Londo").await;
    let second = app.chat.start_direct(&andrew, &londo, "Ambassador?").await.unwrap();
    let (one, other) = (first.group_id(), second.group_id());
    assert_eq!(order(&app, andrew.id()).await, [other, one]);

    let sent = app.say(&first, "Season two!").await;
    assert_eq!(order(&app, andrew.id()).await, [other, one], "not projected yet");
    project(&app, &sent).await;
    assert_eq!(order(&app, andrew.id()).await, [one, other]);
    assert_shows(&inbox(&app, andrew.id()).await[0], &sent);
    assert_shows(&inbox(&app, bayko.id()).await[0], &sent);
    assert_eq!(order(&app, londo.id()).await, [other]);
    // The opened membership equals the inbox entry.
    assert_eq!(app.open(&bayko, &first).await.membership(), &inbox(&app, bayko.id()).await[0]);
}

pub(crate) async fn an_older_or_repeated_message_moves_no_row_back(app: App) {
    let (andrew, bayko, thread) = app.direct().await;
    let (early, late) = (app.say(&thread, "early").await, app.say(&thread, "late").await);
    project(&app, &late).await;
    let before = inbox(&app, bayko.id()).await;
    assert_shows(&before[0], &late);
    for again in [&early, &late, &early] {
        project(&app, again).await;
        assert_eq!(inbox(&app, bayko.id()).await, before);
        assert_shows(&inbox(&app, andrew.id()).await[0], &late);
    }
}

pub(crate) async fn every_member_gets_the_message_and_a_former_member_gets_no_entry(app: App) {
    let andrew = app.user("Andrew").await;
    let mut group = NewGroup::new("Babylon 5", &andrew).unwrap();
    let mut users = Vec::new();
    for number in 0..8 {
        users.push(app.user(&format!("User {number}").replace(' ', "")).await);
        group = group.member(&users[number]);
    }
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    let mut left = app.open(&users[0], &thread).await;
    thread.remove_member(users[0].id()).await.unwrap();
    let sent = app.say(&thread, "All hands").await;
    project(&app, &sent).await;
    for user in &users[1..] {
        let entries = inbox(&app, user.id()).await;
        assert_eq!(entries.len(), 1);
        assert_shows(&entries[0], &sent);
    }
    assert_eq!(refusal(left.mark_read(&sent).await).0, ErrorKind::NotFound);
    assert_eq!(inbox(&app, users[0].id()).await, []);
    assert_eq!(thread.members().await.unwrap().items.len(), 8);
}

pub(crate) async fn pages_of_any_size_give_every_conversation_once(app: App) {
    let andrew = app.user("Andrew").await;
    let mut expected = Vec::new();
    for number in 0..7 {
        // Pairs have their newest message at the same time.
        app.wait(number % 2);
        let group = NewGroup::new(format!("group {number}"), &andrew).unwrap();
        expected.push(app.chat.create_group(group, "hello").await.unwrap().membership().clone());
    }
    expected.sort_by_key(|entry| std::cmp::Reverse((entry.last_message_at(), entry.group_id())));
    for limit in [1, 2, 3, 6, 7, 8, 1000] {
        let (mut walked, mut cursor) = (Vec::new(), None);
        loop {
            let request = app.chat.inbox(andrew.id()).limit(limit);
            let request = match cursor {
                Some(cursor) => request.cursor(cursor),
                None => request,
            };
            let page = request.fetch().await.unwrap();
            assert!(page.items.len() <= limit as usize);
            assert!(page.next.is_none() || page.items.len() == limit as usize, "a page is full, or the last");
            walked.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(walked, expected, "limit {limit}");
    }
    for limit in [0, 1001] {
        assert_eq!(refusal(app.chat.inbox(andrew.id()).limit(limit).fetch().await).0, ErrorKind::Invalid);
    }
}

pub(crate) async fn a_cursor_of_another_inbox_is_refused(app: App) {
    let (andrew, bayko, thread) = app.direct().await;
    let londo = app.user("Londo").await;
    app.wait(1);
    app.chat.start_direct(&andrew, &londo, "Ambassador?").await.unwrap();
    let cursor = app.chat.inbox(andrew.id()).limit(1).fetch().await.unwrap().next.unwrap();
    let result = app.chat.inbox(bayko.id()).cursor(cursor.clone()).fetch().await;
    assert_eq!(refusal(result).0, ErrorKind::Invalid);
    let rest = app.chat.inbox(andrew.id()).cursor(cursor.clone()).fetch().await.unwrap();
    assert_eq!(rest.items.iter().map(Membership::group_id).collect::<Vec<_>>(), [thread.group_id()]);
    // An entry that moved to the top meanwhile is not on later pages.
    project(&app, &app.say(&thread, "Well?").await).await;
    assert_eq!(app.chat.inbox(andrew.id()).cursor(cursor).fetch().await.unwrap().items, []);
}

pub(crate) async fn the_read_marker_only_moves_forward(app: App) {
    let (_, bayko, thread) = app.direct().await;
    let (early, late) = (app.say(&thread, "early").await, app.say(&thread, "late").await);
    let mut one = app.open(&bayko, &thread).await;
    let mut other = one.clone();
    one.mark_read(early.id()).await.unwrap();
    assert_eq!(app.open(&bayko, &thread).await.membership().last_read(), Some(early.position()));
    one.mark_read(&late).await.unwrap();
    other.mark_read(&early).await.unwrap();
    assert_eq!(other.membership().last_read(), Some(late.position()), "the slower device learns of it");
    other.mark_read(late.position()).await.unwrap();
    assert_eq!(app.open(&bayko, &thread).await.membership(), one.membership());
    let members = thread.members().await.unwrap().items;
    let read = |user| members.iter().find(|member| member.profile.id() == user).unwrap().last_read;
    assert_eq!(read(bayko.id()), Some(late.position()));
    assert_eq!(read(thread.membership().user_id()), None);
}

pub(crate) async fn reading_moves_no_conversation(app: App) {
    let (andrew, bayko, thread) = app.direct().await;
    app.wait(1);
    let londo = app.user("Londo").await;
    app.chat.start_direct(&londo, &bayko, "Ambassador?").await.unwrap();
    let before = order(&app, bayko.id()).await;
    let sent = app.say(&thread, "not projected yet").await;
    app.open(&bayko, &thread).await.mark_read(&sent).await.unwrap();
    assert_eq!(order(&app, bayko.id()).await, before);
    assert_eq!(inbox(&app, bayko.id()).await[1].last_read(), Some(sent.position()));
    assert_eq!(inbox(&app, andrew.id()).await[0].last_read(), None);
    project(&app, &sent).await;
    let entry = inbox(&app, bayko.id()).await.remove(0);
    assert_shows(&entry, &sent);
    assert_eq!((entry.last_read(), entry.is_unread()), (Some(sent.position()), false));
}

pub(crate) async fn the_messages_of_others_after_marker_and_own_are_unread(app: App) {
    let (andrew, bayko, thread) = app.direct().await;
    let mut theirs = app.open(&bayko, &thread).await;
    assert_eq!((theirs.unread().await.unwrap().count, thread.unread().await.unwrap().count), (1, 0));
    let first = app.say(&thread, "1").await;
    let regretted = app.say(&thread, "2").await;
    thread.delete(&regretted).await.unwrap();
    assert_eq!(theirs.unread().await.unwrap().count, 3, "a deleted message counts");
    theirs.mark_read(&first).await.unwrap();
    assert_eq!(theirs.unread().await.unwrap().count, 1);
    let mine = app.say(&theirs, "mine").await;
    project(&app, &mine).await;
    assert!(!inbox(&app, bayko.id()).await[0].is_unread());
    assert_eq!(theirs.unread().await.unwrap().count, 0, "sending is reading");
    app.say(&thread, "3").await;
    let last = app.say(&thread, "4").await;
    project(&app, &last).await;
    let entry = inbox(&app, bayko.id()).await.remove(0);
    assert!(entry.is_unread());
    assert_eq!(app.chat.unread(&entry).await.unwrap().count, 2);
    assert!(!inbox(&app, andrew.id()).await[0].is_unread());
    for (read, count) in [(&mine, 2), (&last, 0)] {
        theirs.mark_read(read).await.unwrap();
        let unread = theirs.unread().await.unwrap();
        assert_eq!((unread.count, unread.or_more), (count, false));
        assert_eq!(inbox(&app, bayko.id()).await[0].is_unread(), count > 0);
    }
}

pub(crate) async fn the_unread_count_is_capped(app: App) {
    let (_, bayko, thread) = app.direct().await;
    let theirs = app.open(&bayko, &thread).await;
    for number in 2..=Unread::MAX {
        app.say(&thread, &number.to_string()).await;
    }
    let exact = theirs.unread().await.unwrap();
    assert_eq!((exact.count, exact.or_more), (Unread::MAX, false));
    app.say(&thread, "one more").await;
    let capped = theirs.unread().await.unwrap();
    assert_eq!((capped.count, capped.or_more), (Unread::MAX, true));
}
