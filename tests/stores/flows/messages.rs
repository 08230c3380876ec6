//! Messages: sent once, read page by page, edited and deleted.

use threadline::{Cursor, Draft, ErrorKind, Message, MessageBody, MessageId, MessagePosition, SendWindow, Thread};

use super::{App, read, refusal, texts, time};

/// Creates a thread with the messages "0", "1", ..., 1 s apart.
async fn thread_of(app: &App, count: usize) -> (Thread, Vec<Message>) {
    let (_, _, thread) = app.direct().await;
    for number in 1..count {
        app.say(&thread, &number.to_string()).await;
    }
    let all = thread.messages().oldest_first().limit(1000).fetch().await.unwrap().items;
    assert_eq!(all.len(), count);
    (thread, all)
}

/// Returns the texts of all pages of this size.
async fn walk(thread: &Thread, limit: u32, oldest_first: bool, bounds: [Option<&Message>; 2]) -> Vec<String> {
    let (mut walked, mut cursor) = (Vec::new(), None);
    loop {
        let mut request = thread.messages().limit(limit);
        request = if oldest_first { request.oldest_first() } else { request.newest_first() };
        if let Some(after) = bounds[0] {
            request = request.after(after);
        }
        if let Some(before) = bounds[1] {
            request = request.before(before);
        }
        if let Some(cursor) = cursor {
            request = request.cursor(cursor);
        }
        let page = request.fetch().await.unwrap();
        assert!(page.items.len() <= limit as usize);
        assert!(page.next.is_none() || page.items.len() == limit as usize, "a page is full, or the last");
        walked.extend(texts(&page));
        cursor = page.next;
        if cursor.is_none() {
            return walked;
        }
    }
}

/// Returns the numbers as texts, in this order.
fn numbers(range: std::ops::Range<usize>, oldest_first: bool) -> Vec<String> {
    let numbers = range.map(|number| number.to_string());
    if oldest_first { numbers.collect() } else { numbers.rev().collect() }
}

pub(crate) async fn a_send_repeated_with_the_same_id_is_done_once(app: App) {
    let (_, _, thread) = app.direct().await;
    app.wait(1);
    let id = thread.new_message_id();
    let first = thread.send(id, "opa").await.unwrap();
    assert_eq!((first.id(), Some(first.created_at())), (id, id.time()));
    app.wait(90);
    assert_eq!(thread.send(id, "opa").await.unwrap(), first);
    assert_eq!(thread.messages().limit(1).fetch().await.unwrap().items, [first]);
    assert_eq!(read(&thread).await, ["0", "opa"]);
}

pub(crate) async fn an_id_that_is_taken_by_another_text_or_author_is_refused(app: App) {
    let (_, bayko, thread) = app.direct().await;
    let sent = app.say(&thread, "opa").await;
    let conflict = (ErrorKind::AlreadyExists, Some("Message"));
    assert_eq!(refusal(thread.send(sent.id(), "epa").await), conflict);
    assert_eq!(refusal(app.open(&bayko, &thread).await.send(sent.id(), "opa").await), conflict);
    assert_eq!(thread.messages().limit(1).fetch().await.unwrap().items, [sent]);
}

pub(crate) async fn an_id_older_than_a_day_is_refused_unless_its_message_is_stored(app: App) {
    let (_, _, thread) = app.direct().await;
    let sent = app.say(&thread, "opa").await;
    let lost = thread.new_message_id();
    app.wait(24 * 60 * 60 + 1);
    assert_eq!(thread.send(sent.id(), "opa").await.unwrap(), sent);
    assert_eq!(refusal(thread.send(sent.id(), "epa").await).0, ErrorKind::AlreadyExists);
    assert_eq!(refusal(thread.send(lost, "opa").await).0, ErrorKind::Invalid);
    assert_eq!(read(&thread).await, ["0", "opa"]);
}

pub(crate) async fn an_id_that_holds_no_time_is_sent_with_one(app: App) {
    let (andrew, _, thread) = app.direct().await;
    let id: MessageId = "5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse().unwrap();
    assert_eq!(refusal(thread.send(id, "opa").await).0, ErrorKind::Invalid);

    let chat = app.chat.clone().send_window(SendWindow::any_age());
    let thread = chat.open(andrew.id(), thread.group_id()).await.unwrap();
    let sent_at = time("2023-06-26T10:16:00.375877Z");
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(id).sent_at(sent_at);
    let sent = thread.send_draft(draft.clone()).await.unwrap();
    assert_eq!(thread.send_draft(draft).await.unwrap(), sent);
    assert_eq!((sent.created_at(), sent.position()), (sent_at, MessagePosition::new(sent_at, id)));
    assert_eq!(read(&thread).await, ["opa", "0"]);
    thread.edit(&sent, "epa").await.unwrap();
    thread.edit(MessagePosition::new(sent_at, id), "upa").await.unwrap();
    assert_eq!(refusal(thread.edit(id, "opa").await).0, ErrorKind::Invalid);
    assert_eq!(read(&thread).await, ["upa", "0"]);
}

pub(crate) async fn pages_of_any_size_in_either_order_give_every_message_once(app: App) {
    let (thread, _) = thread_of(&app, 7).await;
    for limit in [1, 2, 3, 6, 7, 8, 1000] {
        for oldest_first in [true, false] {
            let walked = walk(&thread, limit, oldest_first, [None, None]).await;
            assert_eq!(walked, numbers(0..7, oldest_first), "limit {limit}");
        }
    }
    for limit in [0, 1001] {
        assert_eq!(refusal(thread.messages().limit(limit).fetch().await).0, ErrorKind::Invalid);
    }
}

pub(crate) async fn pages_within_bounds_give_every_message_between_them_once(app: App) {
    let (thread, all) = thread_of(&app, 9).await;
    for limit in [1, 2, 5, 6, 20] {
        for oldest_first in [true, false] {
            for (after, before, expected) in [
                (Some(2), None, 3..9),
                (None, Some(6), 0..6),
                (Some(2), Some(6), 3..6),
                (Some(2), Some(3), 3..3),
                (Some(2), Some(2), 2..2),
                (Some(8), None, 9..9),
                (None, Some(0), 0..0),
            ] {
                let bounds = [after, before].map(|place: Option<usize>| place.map(|place| &all[place]));
                let walked = walk(&thread, limit, oldest_first, bounds).await;
                assert_eq!(walked, numbers(expected, oldest_first), "limit {limit}, {after:?} to {before:?}");
            }
        }
    }
    // A bound may be an id, and need not exist.
    let nowhere = MessagePosition::new(time("2026-11-22T12:00:03.5Z"), app.uuid(1));
    let page = thread.messages().after(all[1].id()).before(nowhere).fetch().await.unwrap();
    assert_eq!(texts(&page), ["3", "2"]);
}

pub(crate) async fn a_page_around_a_message_continues_in_both_directions(app: App) {
    let (thread, all) = thread_of(&app, 9).await;
    for limit in [1, 2, 5, 8, 9, 10] {
        for oldest_first in [true, false] {
            let request = || {
                let request = thread.messages().limit(limit);
                if oldest_first { request.oldest_first() } else { request.newest_first() }
            };
            let reversed = || if oldest_first { request().newest_first() } else { request().oldest_first() };
            let page = request().around(&all[4]).fetch().await.unwrap();
            assert_eq!(page.items.len(), 9.min(limit as usize));
            assert!(page.items.contains(&all[4]));
            let (mut walked, mut next, mut previous) = (texts(&page), page.next, page.previous);
            while let Some(cursor) = next {
                let page = request().cursor(cursor).fetch().await.unwrap();
                walked.extend(texts(&page));
                next = page.next;
            }
            while let Some(cursor) = previous {
                let page = reversed().cursor(cursor).fetch().await.unwrap();
                walked.splice(0..0, texts(&page).into_iter().rev());
                previous = page.next;
            }
            assert_eq!(walked, numbers(0..9, oldest_first), "limit {limit}");
        }
    }
}

pub(crate) async fn a_page_around_a_message_near_an_end_is_still_full(app: App) {
    let (thread, all) = thread_of(&app, 9).await;
    for (place, expected, previous, next) in [
        (0, 0..5, false, true),
        (1, 0..5, false, true),
        (4, 2..7, true, true),
        (7, 4..9, true, false),
        (8, 4..9, true, false),
    ] {
        let page = thread.messages().oldest_first().around(&all[place]).limit(5).fetch().await.unwrap();
        assert_eq!(texts(&page), numbers(expected, true));
        assert_eq!((page.previous.is_some(), page.next.is_some()), (previous, next), "around {place}");
    }
}

pub(crate) async fn message_is_found_by_itself_its_position_or_its_id(app: App) {
    let (_, _, thread) = app.direct().await;
    let sent = app.say(&thread, "opa").await;
    // An eventually consistent read may miss it on a real table, but not on DynamoDB Local.
    assert_eq!(thread.message(&sent).await.unwrap().as_ref(), Some(&sent));
    assert_eq!(thread.message(sent.position()).await.unwrap().as_ref(), Some(&sent));
    assert_eq!(thread.message(sent.id()).await.unwrap().as_ref(), Some(&sent));
    assert_eq!(thread.message(thread.new_message_id()).await.unwrap(), None);
    let deleted = thread.delete(&sent).await.unwrap();
    assert_eq!(thread.message(&sent).await.unwrap(), Some(deleted));
}

pub(crate) async fn a_page_is_full_beyond_dynamodbs_megabyte(app: App) {
    let (_, _, thread) = app.direct().await;
    let long = "\u{1F600}".repeat(1024); // 4096 bytes, so 256 of them and their keys are over 1 MB
    for _ in 1..300 {
        app.say(&thread, &long).await;
    }
    for oldest_first in [true, false] {
        let request = thread.messages().limit(300);
        let request = if oldest_first { request.oldest_first() } else { request.newest_first() };
        let page = request.fetch().await.unwrap();
        assert_eq!((page.items.len(), page.next), (300, None));
    }
}

pub(crate) async fn a_cursor_of_another_list_is_refused(app: App) {
    let (thread, all) = thread_of(&app, 5).await;
    let andrew = app.chat.user(all[0].sender_id()).await.unwrap().unwrap();
    let londo = app.user("Londo").await;
    let other = app.chat.start_direct(&andrew, &londo, "another thread").await.unwrap();
    let cursor = thread.messages().limit(2).fetch().await.unwrap().next.unwrap();
    let of_inbox = app.chat.inbox(andrew.id()).limit(1).fetch().await.unwrap().next.unwrap();
    for request in [
        other.messages().cursor(cursor.clone()),
        thread.messages().oldest_first().cursor(cursor.clone()),
        thread.messages().before(&all[4]).cursor(cursor.clone()),
        thread.messages().after(&all[0]).cursor(cursor.clone()),
        thread.messages().around(&all[2]).cursor(cursor.clone()),
        thread.messages().cursor(of_inbox),
        thread.messages().cursor(Cursor::from("nonsense".to_owned())),
    ] {
        assert_eq!(refusal(request.fetch().await).0, ErrorKind::Invalid);
    }
    assert_eq!(refusal(app.chat.inbox(andrew.id()).cursor(cursor.clone()).fetch().await).0, ErrorKind::Invalid);
    // The page size may change between pages, and the message at the cursor may change.
    thread.delete(&all[3]).await.unwrap();
    assert_eq!(texts(&thread.messages().cursor(cursor).limit(7).fetch().await.unwrap()), ["2", "1", "0"]);
}

pub(crate) async fn an_edit_changes_the_text_and_keeps_the_position(app: App) {
    let (thread, all) = thread_of(&app, 3).await;
    app.wait(5);
    let edited = thread.edit(all[1].id(), "Babylon 5").await.unwrap();
    assert_eq!(edited.body().map(MessageBody::as_str), Some("Babylon 5"));
    assert_eq!((edited.position(), edited.edited_at()), (all[1].position(), Some(time("2026-11-22T12:00:07Z"))));
    let stored = thread.messages().oldest_first().fetch().await.unwrap().items;
    assert_eq!(stored, [all[0].clone(), edited, all[2].clone()]);
}

pub(crate) async fn a_deleted_message_is_a_tombstone_that_no_edit_restores(app: App) {
    let (_, _, thread) = app.direct().await;
    let sent = app.say(&thread, "regretted").await;
    thread.edit(&sent, "regretted more").await.unwrap();
    let deleted = thread.delete(&sent).await.unwrap();
    assert_eq!((deleted.is_deleted(), deleted.body()), (true, None));
    assert_eq!(refusal(thread.edit(&sent, "after all").await), (ErrorKind::NotFound, Some("Message")));
    app.wait(60);
    assert_eq!(thread.delete(&sent).await.unwrap(), deleted, "a retry changes nothing");
    assert_eq!(refusal(thread.send(sent.id(), "regretted").await).0, ErrorKind::AlreadyExists);
    assert_eq!(thread.messages().limit(1).fetch().await.unwrap().items, [deleted]);
    assert_eq!(read(&thread).await, ["0", "(deleted)"]);
}

pub(crate) async fn only_the_author_may_edit_or_delete(app: App) {
    let (_, bayko, thread) = app.direct().await;
    let sent = app.say(&thread, "mine").await;
    let theirs = app.open(&bayko, &thread).await;
    let denied = (ErrorKind::Denied, Some("Message"));
    assert_eq!(refusal(theirs.edit(&sent, "ours").await), denied);
    assert_eq!(refusal(theirs.delete(&sent).await), denied);
    assert_eq!(thread.messages().limit(1).fetch().await.unwrap().items, std::slice::from_ref(&sent));
    // A tombstone cannot be edited either.
    let deleted = thread.delete(&sent).await.unwrap();
    assert_eq!(refusal(theirs.delete(&sent).await), denied);
    assert_eq!(thread.messages().limit(1).fetch().await.unwrap().items, [deleted]);
}

pub(crate) async fn a_change_to_a_message_that_is_not_there_creates_nothing(app: App) {
    let (_, _, thread) = app.direct().await;
    let nowhere = thread.new_message_id();
    assert_eq!(refusal(thread.edit(nowhere, "hello").await), (ErrorKind::NotFound, Some("Message")));
    assert_eq!(refusal(thread.delete(nowhere).await), (ErrorKind::NotFound, Some("Message")));
    assert_eq!(read(&thread).await, ["0"]);
}
