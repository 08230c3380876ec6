//! Expiring messages: their copies before DynamoDB removes them, and after.

use std::time::Duration;

use proptest::prelude::*;
use threadline::entity::{AttributeValue, Entity, Item};
use threadline::store::meter::Metered;
use threadline::store::{Capacity, Operation, StoreExt, Update, Write};
use threadline::stream::{Auditor, Discrepancy, Finding, Projector, StreamRecord};
use threadline::{Clock, ErrorKind, ManualClock, Membership, Message, Outcome, Thread, Threadline, User};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::support::{App, block_on, cases, scan};

/// Returns a thread whose last message expires in a minute, with both texts projected.
async fn expiring() -> (App, User, Thread, Message) {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    app.say(&thread, "it stays").await;
    let sent = app.say(&thread, "it goes").await;
    let end = AttributeValue::N((app.clock.now().unix_seconds() + 60).to_string());
    let expires = Write::update(sent.key(), Update::new().set("expires_at", end).add("revision", 1));
    app.store.write(expires).await.unwrap().done().unwrap();
    app.project().await;
    (app, bayko, thread, sent)
}

fn preview(membership: &Membership) -> Option<String> {
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
async fn a_mark_whose_read_fails_is_not_done() {
    let (app, bayko, thread, sent) = expiring().await;
    let store = FaultStore::new(app.store.clone(), Plan::new());
    let chat = Threadline::new(store.clone()).clock(app.clock.clone());
    let open = async || chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let mut theirs = open().await;
    app.clock.advance(Duration::from_secs(120));
    store.set_plan(Plan::new().throttle(Calls::all().of(Operation::Query)));
    let error = theirs.mark_read(&sent).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Throttled, Outcome::NotDone));
    store.set_plan(Plan::new());
    assert_eq!(open().await.membership().last_read(), None);
    theirs.mark_read(&sent).await.unwrap();
    assert_eq!(open().await.membership().last_read(), Some(sent.position()));
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
    assert_eq!(thread.message(&sent).await.unwrap().map(|message| message.id()), Some(sent.id()));
    app.clock.advance(Duration::from_secs(120));
    assert_eq!(thread.message(&sent).await.unwrap(), None);
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
    assert_eq!(findings(&app, false).await, []);
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

/// Sets the expiry of a message, as another program does, and changes nothing else.
async fn expire(app: &App, message: &Message, seconds: Option<i64>) {
    let update = match seconds {
        Some(seconds) => {
            let end = app.clock.now().unix_seconds() + seconds;
            Update::new().set("expires_at", AttributeValue::N(end.to_string()))
        }
        None => Update::new().remove("expires_at"),
    };
    app.store.write(Write::update(message.key(), update)).await.unwrap().done().unwrap();
}

fn records_from(app: &App, first: usize) -> Vec<StreamRecord> {
    app.records().split_off(first)
}

async fn project(app: &App, records: &[StreamRecord]) {
    assert!(!Projector::new(app.store.clone()).project(records).await.has_failed());
}

/// Returns a conversation whose last message is projected, and the number of its records.
async fn projected() -> (App, User, Message, usize) {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    app.say(&thread, "it stays").await;
    let sent = app.say(&thread, "it goes").await;
    app.project().await;
    let seen = app.records().len();
    (app, bayko, sent, seen)
}

async fn entries(app: &App) -> Vec<Item> {
    scan(&app.store).await.into_iter().filter(|item| item.type_name() == Some(Membership::TYPE)).collect()
}

async fn findings(app: &App, repair: bool) -> Vec<Finding> {
    let auditor = Auditor::new(app.store.clone());
    let (mut cursor, mut findings) = (None, Vec::new());
    loop {
        let page = match repair {
            true => auditor.repair(cursor.clone()).await.unwrap(),
            false => auditor.check(cursor.clone()).await.unwrap(),
        };
        findings.extend(page.findings);
        cursor = page.next;
        if cursor.is_none() {
            return findings;
        }
    }
}

#[tokio::test]
async fn preview_follows_an_expiry_that_is_added_changed_and_removed() {
    // With both images, and with only the new one.
    for has_old in [true, false] {
        let (app, bayko, sent, mut seen) = projected().await;
        for (seconds, shown_after_a_minute) in
            [(Some(30), "it stays"), (Some(300), "it goes"), (Some(45), "it stays"), (None, "it goes")]
        {
            expire(&app, &sent, seconds).await;
            let mut records = records_from(&app, seen);
            seen = app.records().len();
            records.iter_mut().filter(|_| !has_old).for_each(|record| record.old = None);
            project(&app, &records).await;
            assert_eq!(findings(&app, false).await, [], "{seconds:?}");
            assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some("it goes"), "{seconds:?}");
            let now = app.clock.now();
            app.clock.advance(Duration::from_secs(60));
            assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some(shown_after_a_minute), "{seconds:?}");
            app.clock.set(now);
        }
    }
}

#[tokio::test]
async fn message_that_expires_at_once_and_is_restored_is_followed() {
    let (app, bayko, sent, mut seen) = projected().await;
    for (seconds, shown) in [(Some(-10), "it stays"), (None, "it goes"), (Some(0), "it stays"), (Some(30), "it goes")] {
        expire(&app, &sent, seconds).await;
        let records = records_from(&app, seen);
        seen = app.records().len();
        project(&app, &records).await;
        assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some(shown), "{seconds:?}");
        assert_eq!(findings(&app, false).await, [], "{seconds:?}");
    }
}

#[tokio::test]
async fn repair_repairs_entries_whose_message_expired_before_it_is_removed() {
    let (app, bayko, _, _) = expiring().await;
    app.clock.advance(Duration::from_secs(120));
    let found = findings(&app, true).await;
    assert_eq!(found.len(), 2);
    assert!(
        found.iter().all(|finding| finding.repaired && matches!(finding.discrepancy, Discrepancy::WrongRecency { .. }))
    );
    assert_eq!(findings(&app, false).await, []);
    let before = entries(&app).await;
    let seen = app.records().len();
    assert_eq!(app.store.sweep_expired(), 1);
    project(&app, &records_from(&app, seen)).await;
    assert!(entries(&app).await == before);
    assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some("it stays"));
}

#[tokio::test]
async fn expiry_is_not_taken_from_a_redelivered_record() {
    let (app, _, sent, seen) = projected().await;
    for seconds in [Some(30), Some(60), None, Some(90)] {
        expire(&app, &sent, seconds).await;
    }
    let records = records_from(&app, seen);
    project(&app, &records).await;
    let right = entries(&app).await;
    assert_eq!(findings(&app, false).await, []);
    for record in &records {
        project(&app, std::slice::from_ref(record)).await;
        assert!(entries(&app).await == right);
    }
    project(&app, &records[..2]).await;
    assert!(entries(&app).await == right);
}

#[tokio::test]
async fn expiry_is_projected_with_the_removal_of_an_older_message() {
    let (app, _, sent, seen) = projected().await;
    let older = app.records().into_iter().rev().filter_map(|record| record.new);
    let older = older.filter_map(|item| Message::from_item(item).ok()).find(|message| message.id() != sent.id());
    app.store.write(Write::delete(older.unwrap().key())).await.unwrap().done().unwrap();
    expire(&app, &sent, Some(30)).await;
    project(&app, &records_from(&app, seen)).await;
    assert_eq!(findings(&app, false).await, []);
}

#[tokio::test]
async fn changed_expiry_costs_two_reads_and_two_writes_a_member() {
    let app = App::with_whole_pages();
    let (_, _, thread) = app.direct().await;
    let sent = app.say(&thread, "it goes").await;
    app.project().await;
    let seen = app.records().len();
    expire(&app, &sent, Some(30)).await;
    let meter = Metered::new(app.store.clone());
    let projector = Projector::new(meter.clone());
    // 1 RCU more to read the members.
    let cost = Capacity::reads(1 + 2 * 2) + Capacity::writes(2) + Capacity::index_writes(2);
    let records = records_from(&app, seen);
    assert!(!meter.measure(projector.project(&records)).await.exactly(cost).unwrap().has_failed());
    // A redelivered record finds correct entries.
    assert!(!meter.measure(projector.project(&records)).await.exactly(Capacity::reads(1)).unwrap().has_failed());
}

#[tokio::test]
async fn expiry_of_an_older_message_changes_no_entry() {
    let (app, _, _, seen) = projected().await;
    let older = app.records().into_iter().filter_map(|record| record.new);
    let older = older.filter_map(|item| Message::from_item(item).ok()).next().unwrap();
    let before = entries(&app).await;
    expire(&app, &older, Some(30)).await;
    project(&app, &records_from(&app, seen)).await;
    assert!(entries(&app).await == before);
    assert_eq!(findings(&app, false).await, []);
}

#[tokio::test]
async fn the_message_before_an_expired_one_is_shown_until_its_own_end() {
    let (app, bayko, sent, seen) = projected().await;
    let mut newest_first = app.records().into_iter().rev().filter_map(|record| Message::from_item(record.new?).ok());
    let older = newest_first.find(|message| message.id() != sent.id()).unwrap();
    expire(&app, &older, Some(60)).await;
    expire(&app, &sent, Some(30)).await;
    project(&app, &records_from(&app, seen)).await;

    // A store whose clock is slow still returns the message at its expiry.
    let at_its_end = ManualClock::starting_at(app.clock.now().saturating_add(Duration::from_secs(30)));
    let chat = Threadline::new(app.store.clone()).clock(at_its_end);
    assert_eq!(preview(&chat.inbox(bayko.id()).fetch().await.unwrap().items[0]), None);

    app.clock.advance(Duration::from_secs(45));
    assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some("it stays"));
}

#[tokio::test]
async fn audit_finds_an_expiry_that_was_not_projected_and_repair_repairs_it() {
    let (app, bayko, sent, _) = projected().await;
    expire(&app, &sent, Some(30)).await;
    let found = findings(&app, false).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|finding| matches!(finding.discrepancy, Discrepancy::StalePreview { .. })), "{found:?}");
    assert!(findings(&app, true).await.iter().all(|finding| finding.repaired));
    assert_eq!(findings(&app, false).await, []);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(preview(&app.inbox(bayko.id()).await[0]).as_deref(), Some("it stays"));
}

proptest! {
    #![proptest_config(cases(64))]

    /// Batches may overlap, as after a crash.
    #[test]
    fn expiry_converges_in_any_batches(
        changes in prop::collection::vec(prop::option::of(10_i64..100), 1..8),
        batches in prop::collection::vec((0_usize..4, 1_usize..4), 1..12),
    ) {
        block_on(async {
            let (app, _, sent, seen) = projected().await;
            for seconds in changes {
                expire(&app, &sent, seconds).await;
            }
            let records = records_from(&app, seen);
            let mut next = 0_usize;
            for (back, count) in batches.into_iter().chain([(0, records.len())]) {
                let first = next.saturating_sub(back);
                let last = (first + count).min(records.len()).max(next.min(records.len()));
                project(&app, &records[first.min(records.len())..last]).await;
                next = last;
            }
            project(&app, &records[next..]).await;
            assert_eq!(findings(&app, false).await, []);
        });
    }
}

/// Returns the texts of all pages of two.
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
        // A page of the store has three items. Here eight expired ones follow each other, and more are at the end.
        if number % 9 == 0 {
            expected.push(number.to_string());
            middle = Some(sent);
            continue;
        }
        let past = AttributeValue::N(app.clock.now().unix_seconds().to_string());
        let expires = Write::update(sent.key(), Update::new().set("expires_at", past));
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

#[tokio::test]
async fn a_marked_thread_shows_no_expired_message() {
    let (app, bayko, thread, sent) = expiring().await;
    let mut theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    app.clock.advance(Duration::from_secs(120));
    theirs.mark_read(&sent).await.unwrap();
    assert_eq!(preview(theirs.membership()).as_deref(), Some("it stays"));
}
