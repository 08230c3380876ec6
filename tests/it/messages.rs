//! Sending, paging, editing and deleting.

use std::time::Duration;

use proptest::prelude::*;
use threadline::store::StoreExt;
use threadline::{
    Clock, Cursor, Draft, ErrorKind, Message, MessageBody, MessageId, MessagePosition, Outcome, Page, RandomIds,
    Recovery, SendWindow, Thread,
};

use crate::support::{App, time};

fn texts(page: &Page<Message>) -> Vec<String> {
    page.items.iter().map(|message| message.body().map_or("(deleted)".into(), ToString::to_string)).collect()
}

/// Creates a thread with the messages "0", "1", ..., 1 s apart.
async fn thread_of(app: &App, count: usize) -> (Thread, Vec<Message>) {
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let thread = app.chat.start_direct(&andrew, &bayko, "0").await.unwrap();
    for number in 1..count {
        app.say(&thread, &number.to_string()).await;
    }
    let messages = thread.messages().oldest_first().limit(1000).fetch().await.unwrap().items;
    assert_eq!(messages.len(), count);
    (thread, messages)
}

#[tokio::test]
async fn an_edit_to_the_same_text_changes_nothing() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let sent = app.say(&thread, "opa").await;
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(thread.edit(&sent, "opa").await.unwrap(), sent, "it does not even count as edited");
    let edited = thread.edit(&sent, "epa").await.unwrap();
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(thread.edit(&sent, "epa").await.unwrap(), edited);
    let stored = thread.messages().limit(1).fetch().await.unwrap().items.remove(0);
    assert_eq!((stored.edited_at(), stored.revision()), (edited.edited_at(), 1));
}

#[tokio::test]
async fn send_with_same_id_returns_stored_message() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let id = thread.new_message_id();
    let first = thread.send(id, "opa").await.unwrap();
    app.clock.advance(Duration::from_secs(90));
    let second = thread.send(id, "opa").await.unwrap();
    assert_eq!(first, second);
    assert_eq!(thread.messages().fetch().await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn an_id_of_another_text_or_author_is_a_typed_conflict() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let id = thread.new_message_id();
    thread.send(id, "opa").await.unwrap();
    let text = thread.send(id, "epa").await.unwrap_err();
    let baykos_end = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let author = baykos_end.send(id, "opa").await.unwrap_err();
    assert_eq!((text.kind(), author.kind()), (ErrorKind::AlreadyExists, ErrorKind::AlreadyExists));
}

#[tokio::test]
async fn a_message_later_than_the_window_is_sent_once_its_time_is_near() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    app.clock.advance(Duration::from_secs(60));
    let ahead = thread.new_message_id();
    app.clock.set(time("2026-11-22T12:00:00Z"));
    let error = thread.send(ahead, "opa").await.unwrap_err();
    assert_eq!((error.recovery(), error.outcome()), (Recovery::Retry, Outcome::NotDone));
    assert!(error.to_string().contains("61 s after"), "{error}");
    app.clock.set(time("2026-11-22T12:00:54.999Z"));
    thread.send(ahead, "opa").await.unwrap_err();
    app.clock.set(time("2026-11-22T12:00:55Z"));
    thread.send(ahead, "opa").await.unwrap();
}

#[tokio::test]
async fn a_retry_later_than_the_window_finds_its_message() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    app.clock.advance(Duration::from_secs(60));
    let ahead = thread.new_message_id();
    let sent = thread.send(ahead, "opa").await.unwrap();
    app.clock.set(time("2026-11-22T12:00:00Z"));
    assert_eq!(thread.send(ahead, "opa").await.unwrap(), sent);
    assert_eq!(thread.send(ahead, "epa").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn retry_finds_its_message_at_any_later_time() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    for ahead in [Duration::from_secs(6), Duration::from_secs(25 * 60 * 60), Duration::from_secs(50 * 365 * 86_400)] {
        app.clock.advance(ahead);
        let id = thread.new_message_id();
        let sent = thread.send(id, "opa").await.unwrap();
        app.clock.set(app.clock.now().saturating_sub(ahead));
        assert_eq!(thread.send(id, "opa").await.unwrap(), sent, "{ahead:?}");
        assert_eq!(thread.send(id, "epa").await.unwrap_err().kind(), ErrorKind::AlreadyExists, "{ahead:?}");
    }
}

#[tokio::test]
async fn retry_finds_message_that_a_wider_window_accepted() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let hour = Duration::from_secs(60 * 60);
    let wide = app.chat.clone().send_window(SendWindow::default().max_skew(hour * 48));
    let wide = wide.open(andrew.id(), thread.group_id()).await.unwrap();
    for hours in [1, 48] {
        app.clock.advance(hour * hours);
        let id = thread.new_message_id();
        app.clock.set(app.clock.now().saturating_sub(hour * hours));
        let sent = wide.send(id, "opa").await.unwrap();
        assert_eq!(thread.send(id, "opa").await.unwrap(), sent, "{hours} h");
    }
}

#[tokio::test]
async fn new_message_more_than_a_day_later_than_the_clock_is_invalid() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    app.clock.advance(Duration::from_millis(24 * 60 * 60 * 1000 + 1));
    let far = thread.new_message_id();
    app.clock.set(time("2026-11-22T12:00:00Z"));
    let error = thread.send(far, "opa").await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Invalid, Recovery::Permanent));
    assert!(error.to_string().contains("more than 24 h after this server's clock"), "{error}");
    assert_eq!(thread.messages().fetch().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn sends_succeed_once_a_clock_that_jumped_is_right() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let chat = app.chat.clone().ids(RandomIds::new());
    let thread = chat.open(andrew.id(), thread.group_id()).await.unwrap();
    thread.send(chat.new_message_id(), "before").await.unwrap();
    app.clock.set(time("2026-11-22T13:00:00Z"));
    let _ = chat.new_message_id();
    app.clock.set(time("2026-11-22T12:00:05Z"));
    for _ in 0..10 {
        thread.send(chat.new_message_id(), "after").await.unwrap();
        app.clock.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn an_id_older_than_a_day_is_refused_unless_its_message_is_stored() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let (stored, lost) = (thread.new_message_id(), thread.new_message_id());
    let sent = thread.send(stored, "opa").await.unwrap();
    app.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    assert_eq!(thread.send(stored, "opa").await.unwrap(), sent);
    assert_eq!(thread.send(lost, "opa").await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(thread.send(stored, "epa").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn a_wider_window_takes_old_messages() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let chat = app.chat.clone().send_window(SendWindow::any_age());
    let thread = chat.open(andrew.id(), thread.group_id()).await.unwrap();
    let id: MessageId = "5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse().unwrap();
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(id).sent_at(time("2023-06-26T10:16:00.375877Z"));
    let sent = thread.send_draft(draft).await.unwrap();
    assert_eq!(sent.position().to_string(), "2023-06-26T10:16:00.375877+00:00#5ebf5021-1881-4e1c-8c10-93173ba1a87a");
    assert_eq!(texts(&thread.messages().oldest_first().fetch().await.unwrap())[0], "opa");
}

#[tokio::test]
async fn a_send_window_is_equally_wide_on_both_sides() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let window = SendWindow::default().max_skew(Duration::from_secs(2)).max_age(Duration::from_secs(3));
    let chat = app.chat.clone().send_window(window);
    let thread = chat.open(andrew.id(), thread.group_id()).await.unwrap();
    let sends = [("11:59:56", false), ("11:59:57", true), ("12:00:00", true), ("12:00:02", true), ("12:00:03", false)];
    let refusal = |sent_at| if sent_at == "12:00:03" { ErrorKind::Unavailable } else { ErrorKind::Invalid };
    for (number, (sent_at, is_taken)) in sends.into_iter().enumerate() {
        let id = format!("5ebf5021-1881-4e1c-8c10-93173ba1a87{number}").parse().unwrap();
        let draft = Draft::try_from(sent_at).unwrap().id(id);
        let sent = thread.send_draft(draft.sent_at(time(&format!("2026-11-22T{sent_at}Z")))).await;
        assert_eq!(sent.map_err(|error| error.kind()).err(), (!is_taken).then_some(refusal(sent_at)), "{sent_at}");
    }
}

#[tokio::test]
async fn an_id_without_a_time_needs_one() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let v4: MessageId = "5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse().unwrap();
    assert_eq!(thread.send(v4, "opa").await.unwrap_err().kind(), ErrorKind::Invalid);
    let v7 = thread.new_message_id();
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(v7).sent_at(time("2026-11-22T11:00:00Z"));
    assert_eq!(thread.send_draft(draft).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn the_time_of_an_id_may_also_be_set() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let id = thread.new_message_id();
    let draft = Draft::from(MessageBody::new("opa").unwrap()).id(id).sent_at(id.time().unwrap());
    let sent = thread.send_draft(draft).await.unwrap();
    assert_eq!(sent.created_at(), id.time().unwrap());
    assert_eq!(thread.send(id, "opa").await.unwrap(), sent);
}

#[tokio::test]
async fn an_edit_changes_the_text_and_keeps_the_position() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let sent = app.say(&thread, "Babylon 4").await;
    app.clock.advance(Duration::from_secs(5));
    let edited = thread.edit(sent.id(), "Babylon 5").await.unwrap();
    assert_eq!(edited.body().map(MessageBody::as_str), Some("Babylon 5"));
    assert_eq!(edited.position(), sent.position());
    assert_eq!(edited.edited_at(), Some(time("2026-11-22T12:00:06Z")));
    assert_eq!(thread.messages().limit(1).fetch().await.unwrap().items, [edited]);
}

#[tokio::test]
async fn a_deleted_message_is_a_tombstone_that_no_edit_restores() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let sent = app.say(&thread, "regretted").await;
    let deleted = thread.delete(&sent).await.unwrap();
    assert!(deleted.is_deleted());
    assert_eq!(deleted.body(), None);
    assert_eq!(thread.edit(&sent, "after all").await.unwrap_err().kind(), ErrorKind::NotFound);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(thread.delete(&sent).await.unwrap(), deleted, "a retry changes nothing");
    assert_eq!(thread.send(sent.id(), "regretted").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(thread.messages().limit(1).fetch().await.unwrap().items, [deleted]);
}

#[tokio::test]
async fn changing_an_absent_message_creates_nothing() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    let nowhere = thread.new_message_id();
    assert_eq!(thread.edit(nowhere, "hello").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(thread.delete(nowhere).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(thread.messages().fetch().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_page_has_a_cursor_only_if_more_follows() {
    let app = App::new();
    let (thread, _) = thread_of(&app, 5).await;
    for (limit, more) in [(4, true), (5, false), (6, false)] {
        let page = thread.messages().limit(limit).fetch().await.unwrap();
        assert_eq!(page.items.len(), limit.min(5) as usize);
        assert_eq!(page.next.is_some(), more, "limit {limit}");
    }
}

#[tokio::test]
async fn pages_before_and_after_a_message_leave_it_out() {
    let app = App::new();
    let (thread, all) = thread_of(&app, 7).await;
    let before = thread.messages().newest_first().before(&all[3]).limit(2).fetch().await.unwrap();
    assert_eq!(texts(&before), ["2", "1"]);
    let after = thread.messages().oldest_first().after(all[3].position()).limit(2).fetch().await.unwrap();
    assert_eq!(texts(&after), ["4", "5"]);
    let between = thread.messages().after(all[1].id()).before(all[4].id()).fetch().await.unwrap();
    assert_eq!(texts(&between), ["3", "2"]);
    assert_eq!(between.next, None);
}

#[tokio::test]
async fn a_page_around_a_message_continues_in_both_directions() {
    let app = App::new();
    let (thread, all) = thread_of(&app, 9).await;
    let page = thread.messages().oldest_first().around(&all[4]).limit(5).fetch().await.unwrap();
    assert_eq!(texts(&page), ["2", "3", "4", "5", "6"]);
    let next = thread.messages().oldest_first().cursor(page.next.unwrap()).fetch().await.unwrap();
    assert_eq!(texts(&next), ["7", "8"]);
    let previous = thread.messages().newest_first().cursor(page.previous.unwrap()).fetch().await.unwrap();
    assert_eq!(texts(&previous), ["1", "0"]);
    let newest_first = thread.messages().newest_first().around(&all[4]).limit(3).fetch().await.unwrap();
    assert_eq!(texts(&newest_first), ["5", "4", "3"]);
}

#[tokio::test]
async fn a_page_around_a_message_near_an_end_is_still_full() {
    let app = App::new();
    let (thread, all) = thread_of(&app, 9).await;
    let first = thread.messages().oldest_first().around(&all[0]).limit(5).fetch().await.unwrap();
    assert_eq!(texts(&first), ["0", "1", "2", "3", "4"]);
    assert_eq!(first.previous, None);
    let last = thread.messages().oldest_first().around(&all[8]).limit(5).fetch().await.unwrap();
    assert_eq!(texts(&last), ["4", "5", "6", "7", "8"]);
    assert_eq!(last.next, None);
}

#[tokio::test]
async fn a_page_is_full_beyond_dynamodbs_megabyte() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let long = "\u{1F600}".repeat(1024); // 4096 bytes, so 256 of them and their keys are over 1 MB
    let thread = app.chat.start_direct(&andrew, &bayko, long.as_str()).await.unwrap();
    for _ in 1..400 {
        app.say(&thread, &long).await;
    }
    let page = thread.messages().limit(400).fetch().await.unwrap();
    assert_eq!((page.items.len(), page.next), (400, None));
}

#[test]
fn debug_of_a_cursor_does_not_show_its_position() {
    assert_eq!(format!("{:?}", Cursor::from("canary".to_owned())), "Cursor(…)");
}

#[tokio::test]
async fn a_cursor_of_another_thread_order_or_bound_is_refused() {
    let app = App::new();
    let (thread, all) = thread_of(&app, 5).await;
    let (londo, bayko) = (app.user("londo").await, app.chat.user(all[0].sender_id()).await.unwrap().unwrap());
    let other = app.chat.start_direct(&londo, &bayko, "another thread").await.unwrap();
    let cursor = thread.messages().limit(2).fetch().await.unwrap().next.unwrap();
    for request in [
        other.messages().cursor(cursor.clone()),
        thread.messages().oldest_first().cursor(cursor.clone()),
        thread.messages().before(&all[4]).cursor(cursor.clone()),
        thread.messages().cursor(Cursor::from("nonsense")),
    ] {
        assert_eq!(request.fetch().await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(texts(&thread.messages().cursor(cursor).fetch().await.unwrap()), ["2", "1", "0"]);
}

#[tokio::test]
async fn a_page_limit_of_zero_or_too_many_is_refused() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    for limit in [0, 1001] {
        assert_eq!(thread.messages().limit(limit).fetch().await.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn an_applications_entity_in_the_thread_does_not_shorten_a_page() {
    use threadline::entity::{AttributeValue, Item};
    use threadline::store::Write;
    let app = App::new();
    let (thread, all) = thread_of(&app, 4).await;
    let mut pin = Item::new();
    pin.insert("pk", AttributeValue::S(format!("MSG#{}", thread.group_id())));
    pin.insert("sk", AttributeValue::S(format!("{}#pin", all[2].position())));
    pin.insert("type", AttributeValue::S("Pin".into()));
    let _ = app.store.write(Write::put(pin)).await.unwrap().done().unwrap();
    let page = thread.messages().limit(4).fetch().await.unwrap();
    assert_eq!(texts(&page), ["3", "2", "1", "0"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Pages of any size, order and bounds return the same messages as a filter of the whole thread.
    #[test]
    fn pages_of_any_size_return_every_message_once(
        count in 1_usize..30,
        limit in 1_u32..12,
        ascending: bool,
        before in proptest::option::of(0_usize..30),
        after in proptest::option::of(0_usize..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let app = App::new();
            let (thread, all) = thread_of(&app, count).await;
            let position = |place: Option<usize>| place.and_then(|place| all.get(place)).map(Message::position);
            let (before, after) = (position(before), position(after));
            if before.zip(after).is_some_and(|(before, after)| after > before) {
                return;
            }
            let mut expected: Vec<_> = all
                .iter()
                .filter(|message| before.is_none_or(|before| message.position() < before))
                .filter(|message| after.is_none_or(|after| message.position() > after))
                .cloned()
                .collect();
            if !ascending {
                expected.reverse();
            }
            let mut walked = Vec::new();
            let mut cursor: Option<Cursor> = None;
            loop {
                let page = request(&thread, limit, ascending, before, after, cursor.take()).await;
                assert!(page.next.is_none() || page.items.len() == limit as usize, "a page is full, or the last");
                walked.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(walked, expected);
        });
    }
}

async fn request(
    thread: &Thread,
    limit: u32,
    ascending: bool,
    before: Option<MessagePosition>,
    after: Option<MessagePosition>,
    cursor: Option<Cursor>,
) -> Page<Message> {
    let mut request = thread.messages().limit(limit);
    request = if ascending { request.oldest_first() } else { request.newest_first() };
    if let Some(before) = before {
        request = request.before(before);
    }
    if let Some(after) = after {
        request = request.after(after);
    }
    if let Some(cursor) = cursor {
        request = request.cursor(cursor);
    }
    request.fetch().await.unwrap()
}

#[tokio::test]
async fn an_even_page_around_a_message_has_one_more_after_it() {
    let app = App::new();
    let (thread, messages) = thread_of(&app, 10).await;
    for (limit, expected) in [(1, &["5"][..]), (2, &["5", "6"]), (3, &["4", "5", "6"]), (4, &["4", "5", "6", "7"])] {
        let page = thread.messages().oldest_first().around(&messages[5]).limit(limit).fetch().await.unwrap();
        assert_eq!(texts(&page), expected, "limit {limit}");
    }
}
