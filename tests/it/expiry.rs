//! A message that expires: what becomes of its copies before DynamoDB removes it, and after.

use std::time::Duration;

use threadline::stream::Auditor;
use threadline::{AttributeValue, Clock, Entity, ErrorKind, Message, Store, Thread, Update, Write};

use crate::support::App;

/// A thread whose last message expires in a minute, with its two texts projected.
async fn expiring() -> (App, threadline::User, Thread, Message) {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    app.say(&thread, "it stays").await;
    let sent = app.say(&thread, "it goes").await;
    let end = AttributeValue::N((app.clock.now().unix_seconds() + 60).to_string());
    let expires = Write::update(sent.key(), Update::new().set("expires_at", end).add("revision", 1)).unwrap();
    app.store.write(expires).await.unwrap().done().unwrap();
    app.project().await;
    (app, bayko, thread, sent)
}

fn preview(membership: &threadline::Membership) -> Option<String> {
    membership.preview().map(ToString::to_string)
}

#[tokio::test]
async fn an_expired_message_is_in_no_preview_before_it_is_removed() {
    let (app, bayko, thread, _) = expiring().await;
    assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some("it goes"));
    app.clock.advance(Duration::from_secs(120));
    for membership in [
        app.inbox(bayko.id()).await.remove(0),
        app.chat.open(bayko.id(), thread.group_id()).await.unwrap().membership().clone(),
    ] {
        assert_eq!(preview(&membership).as_deref(), Some("it stays"));
        assert!(membership.is_unread());
        assert_eq!(app.chat.unread(&membership).await.unwrap().count, 2);
    }
}

#[tokio::test]
async fn an_expired_message_is_not_unread_once_the_rest_is_read() {
    let (app, bayko, thread, sent) = expiring().await;
    let mut theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let before = thread.messages().before(&sent).limit(1).fetch().await.unwrap().items.remove(0);
    theirs.mark_read(&before).await.unwrap();
    assert!(app.inbox(bayko.id()).await[0].is_unread());
    app.clock.advance(Duration::from_secs(120));
    let membership = app.inbox(bayko.id()).await.remove(0);
    assert!(!membership.is_unread());
    assert_eq!(app.chat.unread(&membership).await.unwrap().count, 0);
}

#[tokio::test]
async fn a_retry_of_an_expired_message_says_so() {
    let (app, bayko, thread, sent) = expiring().await;
    assert_eq!(thread.send(sent.id(), "it goes").await.unwrap().id(), sent.id());
    app.clock.advance(Duration::from_secs(120));
    assert_eq!(thread.send(sent.id(), "it goes").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some("it stays"));
}

#[tokio::test]
async fn a_removed_message_leaves_every_inbox() {
    let (app, bayko, _, _) = expiring().await;
    app.clock.advance(Duration::from_secs(120));
    assert_eq!(app.store.sweep_expired(), 1);
    app.project().await;
    assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some("it stays"));
    let auditor = Auditor::new(app.store.clone());
    let mut cursor = None;
    loop {
        let page = auditor.check(cursor.as_ref()).await.unwrap();
        assert_eq!(page.findings, []);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
}

#[tokio::test]
async fn a_message_keeps_its_expiry_when_it_is_read_back() {
    let (app, _, thread, sent) = expiring().await;
    let read = thread.messages().limit(1).fetch().await.unwrap().items.remove(0);
    assert_eq!(read.expires_at().unwrap().unix_seconds(), app.clock.now().unix_seconds() + 60);
    assert_eq!(Message::from_item(read.to_item().unwrap()).unwrap(), read);
    assert_eq!(sent.expires_at(), None);
    for odd in [AttributeValue::S("soon".into()), AttributeValue::N("1e125".into()), AttributeValue::Bool(true)] {
        let mut item = read.to_item().unwrap();
        item.insert("expires_at", odd);
        assert_eq!(Message::from_item(item).unwrap().expires_at(), None);
    }
}

/// The texts of all pages of two.
async fn all_pages(thread: &Thread, oldest_first: bool) -> Vec<String> {
    let (mut texts, mut cursor) = (Vec::new(), None);
    loop {
        let page = thread.messages().limit(2);
        let page = if oldest_first { page.oldest_first() } else { page };
        let page = match cursor {
            Some(cursor) => page.cursor(cursor),
            None => page,
        };
        let page = page.fetch().await.unwrap();
        texts.extend(page.items.iter().map(|message| message.body().unwrap().to_string()));
        cursor = page.next;
        if cursor.is_none() {
            return texts;
        }
    }
}

#[tokio::test]
async fn every_list_reads_past_pages_of_expired_messages() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let mut expected = vec!["Have you ever watched Babylon 5?".to_owned()];
    let mut middle = None;
    for number in 0..24 {
        let sent = app.say(&thread, &number.to_string()).await;
        // A page of the store holds three: here are eight in a row that have expired, and more at the end.
        if number % 9 == 0 {
            expected.push(number.to_string());
            middle = Some(sent);
            continue;
        }
        let past = AttributeValue::N(app.clock.now().unix_seconds().to_string());
        let expires = Write::update(sent.key(), Update::new().set("expires_at", past)).unwrap();
        app.store.write(expires).await.unwrap().done().unwrap();
    }
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(all_pages(&thread, true).await, expected);
    let before = thread.messages().before(&middle.unwrap()).limit(2).fetch().await.unwrap();
    let texts: Vec<_> = before.items.iter().map(|message| message.body().unwrap().as_str()).collect();
    assert_eq!(texts, [&expected[2], &expected[1]]);
    let membership = app.chat.open(bayko.id(), thread.group_id()).await.unwrap().membership().clone();
    assert_eq!(app.chat.unread(&membership).await.unwrap().count, 4);
    app.project().await;
    assert_eq!(preview(&app.inbox(bayko.id()).await[0]), expected.last().cloned());
    expected.reverse();
    assert_eq!(all_pages(&thread, false).await, expected);
}
