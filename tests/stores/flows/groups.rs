//! Direct conversations and groups: how they start, their members, and who may open them.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use threadline::store::StoreExt;
use threadline::{
    Draft, ErrorKind, GroupId, ImportedDirect, MemoryStore, MessageBody, MessageGroup, NewGroup, NewUser, Profile,
    Thread, Threadline, User, UserId,
};

use super::{App, read, refusal, time, until_no_conflict};

fn draft(app: &App, text: &str) -> Draft {
    Draft::from(MessageBody::new(text).unwrap()).id(app.chat.new_message_id())
}

/// Returns the person with this number. A member need not be stored as a user.
fn person(app: &App, number: u32) -> Profile {
    let new = NewUser::new(app.handle(&number.to_string()), format!("Person {number}")).unwrap();
    let chat = Threadline::new(MemoryStore::new());
    let created = pin!(chat.create_user(new.id(app.uuid(number)))).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(user) = created else { panic!("a store in memory never waits") };
    user.unwrap().profile()
}

/// Creates a group of Andrew's, without other members.
async fn babylon(app: &App) -> (User, Thread) {
    let andrew = app.user("Andrew").await;
    let new = NewGroup::new("Babylon 5", &andrew).unwrap();
    let thread = app.chat.create_group(new, "In the year 2258.").await.unwrap();
    (andrew, thread)
}

async fn member_ids(thread: &Thread) -> Vec<UserId> {
    thread.members().await.unwrap().items.into_iter().map(|member| member.profile.id()).collect()
}

/// Checks the members of the group, and its member count.
async fn assert_members(app: &App, thread: &Thread, expected: &[UserId]) {
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(member_ids(thread).await, expected);
    let group: MessageGroup = app.store.get_entity(thread.group_id()).await.unwrap().unwrap();
    assert_eq!(usize::try_from(group.member_count()).unwrap(), expected.len());
}

pub(crate) async fn both_people_read_the_first_message_and_each_others_names(app: App) {
    let (andrew, bayko, started) = app.direct().await;
    assert_eq!(started.group_id(), GroupId::direct(andrew.id(), bayko.id()));
    assert_eq!(app.open(&andrew, &started).await.membership(), started.membership());
    for (me, other) in [(&andrew, &bayko), (&bayko, &andrew)] {
        let thread = app.open(me, &started).await;
        assert_eq!(read(&thread).await, ["0"]);
        assert_eq!(thread.membership().profile(), me.profile());
        assert_eq!(thread.membership().other(), Some(other.profile()));
        assert_eq!(thread.membership().title(), None);
        let inbox = app.chat.inbox(me.id()).fetch().await.unwrap();
        assert_eq!((inbox.items, inbox.next), (vec![thread.membership().clone()], None));
    }
    assert_members(&app, &started, &[andrew.id(), bayko.id()]).await;
}

pub(crate) async fn a_second_start_sends_into_the_first_conversation(app: App) {
    let (andrew, bayko, thread) = app.direct().await;
    for (number, from, to) in [("1", &andrew, &bayko), ("2", &bayko, &andrew)] {
        app.wait(1);
        let again = app.chat.start_direct(from, to, number).await.unwrap();
        assert_eq!((again.group_id(), again.membership().user_id()), (thread.group_id(), from.id()));
    }
    assert_eq!(read(&thread).await, ["0", "1", "2"]);
    assert_members(&app, &thread, &[andrew.id(), bayko.id()]).await;
}

pub(crate) async fn a_start_repeated_with_the_id_of_its_message_does_not_double_it(app: App) {
    let (andrew, bayko) = (app.user("Andrew").await, app.user("Bayko").await);
    let id = app.chat.new_message_id();
    let draft = |text: &str| Draft::from(MessageBody::new(text).unwrap()).id(id);
    let first = app.chat.start_direct(&andrew, &bayko, draft("0")).await.unwrap();
    // Within the window of the message, and after it.
    for hours in [1, 25] {
        app.wait(hours * 60 * 60);
        let again = app.chat.start_direct(&andrew, &bayko, draft("0")).await.unwrap();
        assert_eq!(again.membership(), first.membership());
    }
    let conflict = (ErrorKind::AlreadyExists, Some("Message"));
    assert_eq!(refusal(app.chat.start_direct(&andrew, &bayko, draft("1")).await), conflict);
    assert_eq!(refusal(app.chat.start_direct(&bayko, &andrew, draft("0")).await), conflict);
    assert_eq!(read(&first).await, ["0"]);
}

pub(crate) async fn concurrent_starts_create_one_conversation_with_all_messages(app: App) {
    for round in 0..5 {
        let (one, other) = (person(&app, 2 * round), person(&app, 2 * round + 1));
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let (from, to) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
                let (chat, from, to, first) =
                    (app.chat.clone(), from.clone(), to.clone(), draft(&app, &number.to_string()));
                tokio::spawn(until_no_conflict(move || {
                    let (chat, from, to, first) = (chat.clone(), from.clone(), to.clone(), first.clone());
                    async move { chat.start_direct(from, to, first).await }
                }))
            })
            .collect();
        for task in tasks {
            let thread = task.await.unwrap().unwrap();
            assert_eq!(thread.group_id(), GroupId::direct(one.id(), other.id()));
        }
        for me in [&one, &other] {
            let inbox = app.chat.inbox(me.id()).fetch().await.unwrap().items;
            assert_eq!(inbox.len(), 1);
            let thread = app.chat.open(me.id(), inbox[0].group_id()).await.unwrap();
            let mut sent = read(&thread).await;
            sent.sort();
            assert_eq!(sent, ["0", "1", "2", "3"]);
            assert_members(&app, &thread, &[one.id(), other.id()]).await;
        }
    }
}

pub(crate) async fn a_start_follows_the_imported_conversation_of_the_two(app: App) {
    let (andrew, bayko) = (app.user("Andrew").await, app.user("Bayko").await);
    let import = |one, other| ImportedDirect::new(app.uuid(1), one, other, time("2023-03-22T14:36:25Z"));
    let thread = app.chat.import_direct(import(&andrew, &bayko)).await.unwrap();
    assert_eq!(thread.group_id(), app.uuid(1));
    let again = app.chat.import_direct(import(&bayko, &andrew)).await.unwrap();
    assert_eq!((again.group_id(), again.membership().user_id()), (thread.group_id(), bayko.id()));
    for (text, from, to) in [("0", &bayko, &andrew), ("1", &andrew, &bayko)] {
        let started = app.chat.start_direct(from, to, text).await.unwrap();
        assert_eq!((started.group_id(), started.membership().user_id()), (thread.group_id(), from.id()));
        app.wait(1);
    }
    assert_eq!(read(&thread).await, ["0", "1"]);
    assert_members(&app, &thread, &[andrew.id(), bayko.id()]).await;
    // The pair's own group only points to it.
    let pair = GroupId::direct(andrew.id(), bayko.id());
    assert_eq!(refusal(app.chat.open(andrew.id(), pair).await).0, ErrorKind::NotFound);
}

pub(crate) async fn two_people_with_a_conversation_import_no_other(app: App) {
    let (andrew, bayko, thread) = app.direct().await;
    let import = ImportedDirect::new(app.uuid(1), &andrew, &bayko, time("2023-03-22T14:36:25Z"));
    let result = app.chat.import_direct(import).await;
    assert_eq!(refusal(result), (ErrorKind::AlreadyExists, Some("MessageGroup")));
    assert_eq!(refusal(app.chat.open(andrew.id(), app.uuid(1)).await).0, ErrorKind::NotFound);
    assert_eq!(app.chat.start_direct(&bayko, &andrew, "1").await.unwrap().group_id(), thread.group_id());
}

pub(crate) async fn a_group_has_its_title_its_members_and_its_first_message(app: App) {
    let users = [app.user("Andrew").await, app.user("Bayko").await, app.user("Londo").await];
    let [andrew, bayko, londo] = &users;
    let new = NewGroup::new("Babylon 5", andrew).unwrap().member(bayko).member(londo);
    let created = app.chat.create_group(new, "In the year 2258.").await.unwrap();
    assert_eq!(created.membership(), app.open(andrew, &created).await.membership());
    for me in &users {
        let thread = app.open(me, &created).await;
        assert_eq!(read(&thread).await, ["In the year 2258."]);
        let entry = thread.membership();
        assert_eq!((entry.profile(), entry.other()), (me.profile(), None));
        assert_eq!(entry.title().unwrap().as_str(), "Babylon 5");
        assert_eq!(entry.preview().unwrap().as_str(), "In the year 2258.");
        assert_members(&app, &thread, &users.each_ref().map(User::id)).await;
    }
}

pub(crate) async fn a_group_of_97_is_created_whole(app: App) {
    let people: Vec<_> = (0..97).map(|number| person(&app, number)).collect();
    assert_eq!(people.len(), NewGroup::MAX_INITIAL_MEMBERS);
    let of = |others: &[Profile]| others.iter().fold(NewGroup::new("Babylon 5", &people[0]).unwrap(), NewGroup::member);
    let thread = app.chat.create_group(of(&people[1..]), "In the year 2258.").await.unwrap();
    let ids: Vec<_> = people.iter().map(|person| person.id()).collect();
    assert_members(&app, &thread, &ids).await;
    assert_eq!(read(&app.chat.open(people[96].id(), thread.group_id()).await.unwrap()).await, ["In the year 2258."]);
    let more = of(&people[1..]).member(person(&app, 97)).id(app.uuid(1));
    assert_eq!(refusal(app.chat.create_group(more, "In the year 2259.").await).0, ErrorKind::Invalid);
    assert_eq!(refusal(app.chat.open(people[0].id(), app.uuid(1)).await).0, ErrorKind::NotFound);
}

pub(crate) async fn a_group_created_again_with_its_id_is_the_one_that_was_created(app: App) {
    let (andrew, bayko) = (app.user("Andrew").await, app.user("Bayko").await);
    let new = |title, creator: &User| NewGroup::new(title, creator).unwrap().id(app.uuid(1));
    let first = draft(&app, "0");
    let created = app.chat.create_group(new("Babylon 5", &andrew), first.clone()).await.unwrap();
    // Within the window of the message, and after it.
    for hours in [1, 25] {
        app.wait(hours * 60 * 60);
        let again = app.chat.create_group(new("Babylon 5", &andrew), first.clone()).await.unwrap();
        assert_eq!(again.membership(), created.membership());
    }
    for other in [new("Babylon 4", &andrew), new("Babylon 5", &bayko)] {
        let result = app.chat.create_group(other, draft(&app, "1")).await;
        assert_eq!(refusal(result), (ErrorKind::AlreadyExists, Some("MessageGroup")));
    }
    assert_eq!(read(&created).await, ["0"]);
    assert_members(&app, &created, &[andrew.id()]).await;
}

pub(crate) async fn added_member_reads_the_thread_and_removed_member_does_not(app: App) {
    let (andrew, thread) = babylon(&app).await;
    let bayko = app.user("Bayko").await;
    app.wait(60);
    thread.add_member(&bayko).await.unwrap();
    let opened = app.open(&bayko, &thread).await;
    assert_eq!(read(&opened).await, ["In the year 2258."]);
    assert_eq!(opened.unread().await.unwrap().count, 0);
    assert_eq!(app.chat.inbox(bayko.id()).fetch().await.unwrap().items, [opened.membership().clone()]);
    assert_members(&app, &thread, &[andrew.id(), bayko.id()]).await;
    let sent = app.say(&opened, "Hello.").await;
    assert_eq!(sent.sender_id(), bayko.id());

    thread.remove_member(bayko.id()).await.unwrap();
    assert_eq!(refusal(app.chat.open(bayko.id(), thread.group_id()).await).0, ErrorKind::NotFound);
    assert_eq!(app.chat.inbox(bayko.id()).fetch().await.unwrap().items, []);
    assert_members(&app, &thread, &[andrew.id()]).await;
    assert_eq!(read(&thread).await, ["In the year 2258.", "Hello."]);
}

pub(crate) async fn a_change_of_members_may_be_repeated(app: App) {
    let (andrew, thread) = babylon(&app).await;
    let bayko = app.user("Bayko").await;
    thread.add_member(&bayko).await.unwrap();
    let entry = app.open(&bayko, &thread).await.membership().clone();
    app.wait(60);
    thread.add_member(&bayko).await.unwrap();
    assert_eq!(app.open(&bayko, &thread).await.membership(), &entry);
    assert_members(&app, &thread, &[andrew.id(), bayko.id()]).await;
    for _ in 0..2 {
        thread.remove_member(bayko.id()).await.unwrap();
        assert_members(&app, &thread, &[andrew.id()]).await;
    }
    thread.add_member(&bayko).await.unwrap();
    assert_members(&app, &thread, &[andrew.id(), bayko.id()]).await;
}

pub(crate) async fn the_members_who_come_and_go_at_once_are_counted(app: App) {
    let (_, thread) = babylon(&app).await;
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            // Each is added twice, and half of them leave.
            let (thread, member) = (thread.clone(), person(&app, number % 8));
            tokio::spawn(async move {
                until_no_conflict(|| {
                    let (thread, member) = (thread.clone(), member.clone());
                    async move { thread.add_member(member).await }
                })
                .await
                .unwrap();
                if number < 8 && number % 2 == 0 {
                    until_no_conflict(|| {
                        let (thread, member) = (thread.clone(), member.id());
                        async move { thread.remove_member(member).await }
                    })
                    .await
                    .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let members = member_ids(&thread).await;
    assert!((5..=9).contains(&members.len()));
    assert_members(&app, &thread, &members).await;
}

pub(crate) async fn a_direct_conversation_keeps_its_two_members(app: App) {
    let (andrew, bayko, thread) = app.direct().await;
    let londo = app.user("Londo").await;
    assert_eq!(refusal(thread.add_member(&londo).await).0, ErrorKind::Invalid);
    assert_eq!(refusal(thread.remove_member(bayko.id()).await).0, ErrorKind::Invalid);
    assert_members(&app, &thread, &[andrew.id(), bayko.id()]).await;
}

pub(crate) async fn a_stranger_gets_the_error_of_an_absent_conversation(app: App) {
    let (_, _, thread) = app.direct().await;
    let londo = app.user("Londo").await;
    let stranger = app.chat.open(londo.id(), thread.group_id()).await.unwrap_err();
    let missing = app.chat.open(londo.id(), app.uuid(1)).await.unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::NotFound);
    assert_eq!(format!("{stranger} {stranger:?}"), format!("{missing} {missing:?}"));
}
