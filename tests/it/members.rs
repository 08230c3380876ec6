//! Members who join and leave, and the member count.

use std::time::Duration;

use threadline::entity::{AttributeValue, Entity, Item};
use threadline::store::Operation;
use threadline::store::{StoreExt, Update, Write};
use threadline::{ErrorKind, Membership, MessageGroup, NewGroup, Thread, Threadline, User};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::groups::{group, person, texts};
use crate::support::{App, scan};

/// Creates a group of Andrew's, without other members.
async fn babylon(app: &App) -> (User, Thread) {
    let andrew = app.user("andrewbrown").await;
    let new = NewGroup::new("Babylon 5", &andrew).unwrap();
    let thread = app.chat.create_group(new, "In the year 2258.").await.unwrap();
    (andrew, thread)
}

#[tokio::test]
async fn an_added_member_reads_the_thread_and_has_it_as_read() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let bayko = app.user("bayko").await;
    thread.add_member(&bayko).await.unwrap();
    let opened = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    assert_eq!(texts(&opened).await, ["In the year 2258."]);
    assert_eq!(opened.unread().await.unwrap().count, 0);
    assert!(!opened.membership().is_unread());
    assert_eq!(opened.membership().preview().unwrap().as_str(), "In the year 2258.");
    assert_eq!(app.inbox(bayko.id()).await, [opened.membership().clone()]);
    assert_eq!(group(&app, &thread).await.member_count(), 2);
}

#[tokio::test]
async fn a_member_added_again_stays_as_before() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let bayko = app.user("bayko").await;
    thread.add_member(&bayko).await.unwrap();
    let before = scan(&app.store).await;
    app.clock.advance(Duration::from_secs(60));
    thread.add_member(&bayko).await.unwrap();
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn a_removed_member_cannot_open_the_thread_or_see_it_in_the_inbox() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let bayko = app.user("bayko").await;
    thread.add_member(&bayko).await.unwrap();
    thread.remove_member(bayko.id()).await.unwrap();
    let error = app.chat.open(bayko.id(), thread.group_id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(app.inbox(bayko.id()).await.is_empty());
    assert_eq!(group(&app, &thread).await.member_count(), 1);
}

#[tokio::test]
async fn removal_of_a_stranger_changes_nothing() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let bayko = app.user("bayko").await;
    thread.add_member(&bayko).await.unwrap();
    thread.remove_member(bayko.id()).await.unwrap();
    let before = scan(&app.store).await;
    thread.remove_member(bayko.id()).await.unwrap();
    thread.remove_member(person(7).id()).await.unwrap();
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn a_member_may_leave_and_be_added_again() {
    let app = App::new();
    let (andrew, thread) = babylon(&app).await;
    let bayko = app.user("bayko").await;
    thread.add_member(&bayko).await.unwrap();
    let baykos = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    baykos.remove_member(bayko.id()).await.unwrap();
    thread.add_member(&bayko).await.unwrap();
    let members: Vec<_> = thread.members().await.unwrap().items.into_iter().map(|member| member.profile.id()).collect();
    assert_eq!(members.len(), 2);
    assert!(members.contains(&andrew.id()) && members.contains(&bayko.id()));
}

#[tokio::test]
async fn a_direct_conversation_keeps_its_two_members() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let before = scan(&app.store).await;
    assert_eq!(thread.add_member(person(7)).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(thread.remove_member(bayko.id()).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn a_group_has_at_most_1000_members() {
    let app = App::new();
    assert_eq!(MessageGroup::MAX_MEMBERS, 1000);
    let (_, thread) = babylon(&app).await;
    for number in 1..MessageGroup::MAX_MEMBERS {
        thread.add_member(person(number)).await.unwrap();
    }
    let before = scan(&app.store).await;
    let error = thread.add_member(person(MessageGroup::MAX_MEMBERS)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    // Adding an existing member again is no error.
    thread.add_member(person(1)).await.unwrap();
    assert!(scan(&app.store).await == before);
    assert_eq!(group(&app, &thread).await.member_count(), 1000);
    thread.remove_member(person(1).id()).await.unwrap();
    thread.add_member(person(MessageGroup::MAX_MEMBERS)).await.unwrap();
    assert_eq!(thread.members().await.unwrap().items.len(), MessageGroup::MAX_MEMBERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_member_count_is_correct_after_concurrent_changes() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let thread = thread.clone();
            tokio::spawn(async move {
                // Three tasks add each member, and every third of them removes the member again.
                let member = person(number % 20);
                thread.add_member(member.clone()).await.unwrap();
                if number % 3 == 0 {
                    thread.remove_member(member.id()).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let members = thread.members().await.unwrap().items.len();
    assert_eq!(usize::try_from(group(&app, &thread).await.member_count()).unwrap(), members);
    assert!((1..=21).contains(&members));
}

#[tokio::test]
async fn members_are_listed_in_the_order_of_their_ids() {
    let app = App::new();
    let (andrew, thread) = babylon(&app).await;
    let mut expected = vec![andrew.profile()];
    for number in (0..300).rev() {
        thread.add_member(person(number)).await.unwrap();
        expected.push(person(number));
    }
    expected.sort_by_key(|profile| profile.id());
    let members: Vec<_> = thread.members().await.unwrap().items.into_iter().map(|member| member.profile).collect();
    assert_eq!(members, expected);
}

#[tokio::test]
async fn members_on_several_pages_are_all_listed() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    for number in 0..10 {
        thread.add_member(person(number)).await.unwrap();
        // An application's attribute makes each membership large: together they have 3 MB.
        let avatar = Update::new().set("avatar", AttributeValue::B(vec![0; 300_000]));
        let key = Membership::key_from((thread.group_id(), person(number).id()));
        let _ = app.store.write(Write::update(key, avatar)).await.unwrap();
    }
    assert_eq!(thread.members().await.unwrap().items.len(), 11);
}

#[tokio::test]
async fn a_listed_member_shows_when_it_joined_and_what_it_has_read() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    let joined = threadline::Clock::now(&*app.clock);
    let message = app.say(&thread, "Well?").await;
    app.chat.open(bayko.id(), thread.group_id()).await.unwrap().mark_read(&message).await.unwrap();
    let mut members = thread.members().await.unwrap().items;
    members.sort_by_key(|member| member.profile.id() != andrew.id());
    assert_eq!(members[0].profile, andrew.profile());
    assert_eq!((members[0].joined_at, members[0].last_read), (joined, None));
    assert_eq!((members[1].joined_at, members[1].last_read), (joined, Some(message.position())));
}

#[tokio::test]
async fn a_new_member_has_everything_as_read_despite_an_old_thread() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    for text in ["one", "two", "three"] {
        app.say(&thread, text).await;
    }
    thread.add_member(person(1)).await.unwrap();
    let entry = app.inbox(person(1).id()).await.remove(0);
    assert_eq!(entry.preview().map(|preview| preview.as_str()), Some("three"), "though nothing was projected");
    assert_eq!(app.chat.unread(&entry).await.unwrap().count, 0);
}

#[tokio::test]
async fn a_removed_member_cannot_add_themselves() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let bob = person(1);
    thread.add_member(bob.clone()).await.unwrap();
    let bobs_end = app.chat.open(bob.id(), thread.group_id()).await.unwrap();
    thread.remove_member(bob.id()).await.unwrap();

    assert_eq!(bobs_end.add_member(bob.clone()).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(thread.members().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn an_applications_item_beside_the_members_is_no_member() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let mut draft = Item::new();
    draft.insert("pk", AttributeValue::S(format!("GRP#{}", thread.group_id())));
    draft.insert("sk", AttributeValue::S("USER#0#draft".into()));
    draft.insert("type", AttributeValue::S("Draft".into()));
    app.store.write(Write::put(draft)).await.unwrap().done().unwrap();
    assert_eq!(thread.members().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_member_change_in_conflict_may_be_retried() {
    let app = App::new();
    let (andrew, thread) = babylon(&app).await;
    let (londo, before) = (app.user("londo").await, scan(&app.store).await);
    let conflicts = Plan::new().conflict(Calls::all().of(Operation::Transact));
    let chat = Threadline::new(FaultStore::new(app.store.clone(), conflicts)).clock(app.clock.clone());
    let thread = chat.open(andrew.id(), thread.group_id()).await.unwrap();
    for error in [thread.add_member(&londo).await.unwrap_err(), thread.remove_member(andrew.id()).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
    assert!(scan(&app.store).await == before);
}

#[tokio::test]
async fn a_group_with_an_unreadable_count_is_not_full() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let bayko = app.user("bayko").await;
    let text = Update::new().set("member_changes", AttributeValue::S("two".to_owned()));
    let key = MessageGroup::key_from(thread.group_id());
    app.store.write(Write::update(key, text)).await.unwrap().done().unwrap();
    let error = thread.add_member(&bayko).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!error.to_string().contains("members already"), "{error}");
}

#[tokio::test]
async fn remove_member_without_a_group_is_no_success() {
    let app = App::new();
    let (_, thread) = babylon(&app).await;
    let bayko = app.user("bayko").await;
    thread.add_member(&bayko).await.unwrap();
    app.store.write(Write::delete(MessageGroup::key_from(thread.group_id()))).await.unwrap().done().unwrap();
    assert_eq!(thread.remove_member(bayko.id()).await.unwrap_err().kind(), ErrorKind::ConditionFailed);
    assert!(app.chat.open(bayko.id(), thread.group_id()).await.is_ok());
}
