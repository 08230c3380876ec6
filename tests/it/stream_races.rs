//! Changes between the projector's reads and writes, or before a late record.

use std::sync::{Arc, Mutex};

use threadline::entity::Entity;
use threadline::store::{StoreExt, Write};
use threadline::stream::{Auditor, Projector, RecordKind, StreamRecord};
use threadline::{
    DisplayName, GroupId, Handle, IdentitySubject, Membership, Message, MessageBody, NewGroup, NewUser, Profile,
    Thread, Threadline, User, UserChange, UserId,
};

use crate::hooked_store::HookedStore;
use crate::support::App;

const IDENTITY: &str = "b6a3a4a5-6b0e-4d1c-9a60-2f9f4f3ad111";

impl App {
    async fn only_entry(&self, user: UserId) -> Membership {
        let mut entries = self.inbox(user).await;
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    }

    async fn renamed(&self, user: &User, handle: &str) -> User {
        let change = UserChange::new().handle(Handle::new(handle).unwrap()).unwrap();
        self.chat.update_user(user, change).await.unwrap()
    }
}

fn shown(entry: &Membership) -> Option<&str> {
    entry.preview().map(|preview| preview.as_str())
}

async fn group_of(app: &App, users: &[&User]) -> (GroupId, Thread) {
    let new = NewGroup::new("Babylon 5", users[0]).unwrap();
    let new = users[1..].iter().fold(new, |new, user| new.member(*user));
    let thread = app.chat.create_group(new, "Welcome").await.unwrap();
    (thread.group_id(), thread)
}

/// Projects the records from `seen` on, with this work between the projector's reads and its first write.
async fn project_hooked(app: &App, seen: usize, work: impl Future<Output = ()> + Send + 'static) {
    let store = HookedStore::new(&app.store).before_write(work);
    let records = app.records().split_off(seen);
    assert!(!Projector::new(store.clone()).project(&records).await.has_failed());
    assert!(store.has_run(), "the projector wrote");
}

/// Andrew adds Vir while a message is sent and projected, so the new entry is out of date. Returns the message, and the
/// number of records before the call's own.
async fn join_during_send(app: &App, opener: &User, thread: &Thread, joining: &User) -> (Message, usize) {
    app.clock.advance(std::time::Duration::from_secs(1));
    let message = Arc::new(Mutex::new(None));
    let (sender, sent, rest) = (thread.clone(), message.clone(), app.store.clone());
    let store = HookedStore::new(&app.store).before_write(async move {
        let message = sender.send(sender.new_message_id(), "one").await.unwrap();
        Projector::new(rest).advance(&message).await.unwrap();
        *sent.lock().unwrap() = Some(message);
    });
    let chat = Threadline::new(store.clone()).clock(app.clock.clone());
    chat.open(opener.id(), thread.group_id()).await.unwrap().add_member(joining).await.unwrap();
    assert!(store.has_run(), "the call wrote");
    assert_eq!(
        shown(&app.only_entry(joining.id()).await),
        Some("Welcome"),
        "the entry was put too late for the message"
    );
    let message = message.lock().unwrap().take().unwrap();
    // The call's own records are the last two: the group's count and the membership.
    (message, app.records().len() - 2)
}

#[tokio::test]
async fn a_message_projected_during_another_removal_stays() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let removed = app.say(&thread, "one").await;
    app.project().await;
    let seen = app.records().len();
    app.store.write(Write::delete(removed.key())).await.unwrap().done().unwrap();
    let records = app.records().split_off(seen);
    app.clock.advance(std::time::Duration::from_secs(1));
    let (sender, rest) = (thread.clone(), app.store.clone());
    let work = async move {
        let message = sender.send(sender.new_message_id(), "two").await.unwrap();
        Projector::new(rest).advance(&message).await.unwrap();
    };
    // The newest message was read before this.
    let store = HookedStore::new(&app.store).before_query(&format!("GRP#{}", thread.group_id()), work);
    assert!(!Projector::new(store.clone()).project(&records).await.has_failed());
    assert!(store.has_run(), "the projector read the entries");
    assert_eq!(shown(&app.only_entry(bayko.id()).await), Some("two"));
}

#[tokio::test]
async fn a_newer_revision_projected_meanwhile_stays() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let message = app.say(&thread, "one").await;
    app.project().await;
    let seen = app.records().len();
    thread.edit(&message, "two").await.unwrap();
    let (projector, store) = (Projector::new(app.store.clone()), app.store.clone());
    project_hooked(&app, seen, async move {
        thread.edit(&message, "three").await.unwrap();
        let newest = store.records_after(None, usize::MAX).unwrap().pop().unwrap();
        assert!(!projector.project(&[newest]).await.has_failed());
    })
    .await;
    assert_eq!(shown(&app.only_entry(bayko.id()).await), Some("three"));
}

#[tokio::test]
async fn a_newer_message_projected_meanwhile_stays() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    app.project().await;
    let seen = app.records().len();
    app.say(&thread, "one").await;
    app.clock.advance(std::time::Duration::from_secs(1));
    let (projector, store) = (Projector::new(app.store.clone()), app.store.clone());
    project_hooked(&app, seen, async move {
        thread.send(thread.new_message_id(), "two").await.unwrap();
        let newest = store.records_after(None, usize::MAX).unwrap().pop().unwrap();
        assert!(!projector.project(&[newest]).await.has_failed());
    })
    .await;
    assert_eq!(shown(&app.only_entry(bayko.id()).await), Some("two"));
}

#[tokio::test]
async fn a_message_removed_and_sent_again_in_one_batch_is_shown() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let message = app.say(&thread, "as sent").await;
    thread.edit(&message, "as edited").await.unwrap();
    app.project().await;
    let seen = app.records().len();
    app.store.write(Write::delete(message.key())).await.unwrap().done().unwrap();
    thread.send(message.id(), "as sent").await.unwrap();
    let records = app.records().split_off(seen);
    let kinds: Vec<_> = records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [RecordKind::Remove, RecordKind::Insert]);
    assert!(!Projector::new(app.store.clone()).project(&records).await.has_failed());
    assert_eq!(shown(&app.only_entry(bayko.id()).await), Some("as sent"));
}

#[tokio::test]
async fn a_member_who_joins_during_a_projection_gets_the_message() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let (_, thread) = group_of(&app, &[&andrew]).await;
    let (_, seen) = join_during_send(&app, &andrew, &thread, &vir).await;
    let records = app.records().split_off(seen);
    assert!(!Projector::new(app.store.clone()).project(&records).await.has_failed());
    assert_eq!(shown(&app.only_entry(vir.id()).await), Some("one"));
}

#[tokio::test]
async fn a_member_added_by_an_old_thread_has_the_newest_message() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let (group, thread) = group_of(&app, &[&andrew]).await;
    let opened = app.chat.open(andrew.id(), group).await.unwrap();
    app.say(&thread, "one").await;
    app.project().await;
    let seen = app.records().len();
    opened.add_member(&vir).await.unwrap();
    let records = app.records().split_off(seen);
    assert!(!Projector::new(app.store.clone()).project(&records).await.has_failed());
    assert_eq!(shown(&app.only_entry(vir.id()).await), Some("one"));
}

#[tokio::test]
async fn a_new_entry_with_a_removed_message_gets_the_newest() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let (group, thread) = group_of(&app, &[&andrew]).await;
    let gone = app.say(&thread, "gone").await;
    app.project().await;
    let opened = app.chat.open(andrew.id(), group).await.unwrap();
    app.store.write(Write::delete(gone.key())).await.unwrap().done().unwrap();
    app.project().await;
    let seen = app.records().len();
    opened.add_member(&vir).await.unwrap();
    let records = app.records().split_off(seen);
    assert!(!Projector::new(app.store.clone()).project(&records).await.has_failed());
    assert_eq!(shown(&app.only_entry(vir.id()).await), Some("Welcome"));
}

#[tokio::test]
async fn an_edit_projected_while_a_new_entry_is_updated_is_not_lost() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let (_, thread) = group_of(&app, &[&andrew]).await;
    let (message, seen) = join_during_send(&app, &andrew, &thread, &vir).await;
    let (projector, store) = (Projector::new(app.store.clone()), app.store.clone());
    project_hooked(&app, seen, async move {
        for text in ["two", "three"] {
            thread.edit(&message, MessageBody::new(text).unwrap()).await.unwrap();
        }
        let newest = store.records_after(None, usize::MAX).unwrap().pop().unwrap();
        assert!(!projector.project(&[newest]).await.has_failed());
    })
    .await;
    assert_eq!(shown(&app.only_entry(vir.id()).await), Some("three"));
}

#[tokio::test]
async fn a_new_entry_in_a_busy_thread_is_updated_once() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let (_, thread) = group_of(&app, &[&andrew]).await;
    let (_, seen) = join_during_send(&app, &andrew, &thread, &vir).await;
    let records = app.records().split_off(seen);
    let before = app.records().len();
    // There is always a message newer than the one just read.
    let sender = thread.clone();
    let store = HookedStore::new(&app.store).before_each_write(move || {
        let sender = sender.clone();
        async move { drop(sender.send(sender.new_message_id(), "on and on").await.unwrap()) }
    });
    let projection = Projector::new(store).project(&records).await;
    assert!(!projection.has_failed(), "{projection:?}");
    assert_eq!(shown(&app.only_entry(vir.id()).await), Some("one"), "the newest when it was read");
    assert_eq!(app.records().len(), before + 2, "a message, and the entry");
    app.project().await;
    assert_eq!(shown(&app.only_entry(vir.id()).await), Some("on and on"));
    assert_eq!(Auditor::new(app.store.clone()).check(None).await.unwrap().findings, []);
}

#[tokio::test]
async fn an_entry_put_with_old_names_gets_the_new_ones() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrew").await, app.user("bayko").await);
    let renamed = [app.renamed(&andrew, "ab").await, app.renamed(&bayko, "bab").await];
    app.project().await;
    app.chat.start_direct(&andrew, &bayko, "hello").await.unwrap();
    app.project().await;
    let profiles: Vec<_> = renamed.iter().map(User::profile).collect();
    let entries = [app.only_entry(andrew.id()).await, app.only_entry(bayko.id()).await];
    assert_eq!(entries.each_ref().map(Membership::profile), profiles[..]);
    assert_eq!(entries.map(|entry| entry.other().unwrap()), [profiles[1].clone(), profiles[0].clone()]);
}

/// Renames a user twice. Returns the user and both records.
async fn two_renames(app: &App, user: &User) -> (User, [StreamRecord; 2]) {
    let seen = app.records().len();
    let second = app.renamed(user, "second").await;
    let third = app.renamed(&second, "third").await;
    let records = app.records().split_off(seen).into_iter();
    let users: Vec<_> = records.filter(|record| record.keys.get_s("sk") == Some("USER")).collect();
    (third, users.try_into().unwrap())
}

#[tokio::test]
async fn the_later_of_two_renames_in_a_batch_counts_in_any_order() {
    for later_first in [false, true] {
        let app = App::new();
        let (andrew, bayko, _) = app.direct().await;
        let (third, mut users) = two_renames(&app, &andrew).await;
        if later_first {
            users.reverse();
        }
        assert!(!Projector::new(app.store.clone()).project(&users).await.has_failed());
        assert_eq!(app.only_entry(andrew.id()).await.profile(), third.profile());
        assert_eq!(app.only_entry(bayko.id()).await.other(), Some(third.profile()));
    }
}

#[tokio::test]
async fn a_late_record_never_restores_older_names() {
    let app = App::new();
    let (andrew, bayko, _) = app.direct().await;
    let (third, users) = two_renames(&app, &andrew).await;
    let projector = Projector::new(app.store.clone());
    for number in [0, 1, 0] {
        assert!(!projector.project(&users[number..=number]).await.has_failed());
    }
    assert_eq!(app.only_entry(andrew.id()).await.profile(), third.profile());
    assert_eq!(app.only_entry(bayko.id()).await.other(), Some(third.profile()));
}

/// Creates Andrew with an identity and renames him twice. Returns the record of the first rename.
async fn renamed_twice(app: &App) -> (User, StreamRecord) {
    let new = NewUser::new("first", "Andrew Brown").unwrap().identity(IDENTITY).unwrap();
    let first = app.chat.create_user(new).await.unwrap();
    let (third, [older, _]) = two_renames(app, &first).await;
    app.project().await;
    (third, older)
}

/// A lagging projector applies the older rename after this membership was projected.
async fn older_rename_after_entry_of(profile: impl AsyncFn(&App) -> Profile) {
    let app = App::new();
    let (andrew, older) = renamed_twice(&app).await;
    let (bayko, vir) = (app.user("bayko").await, app.user("vir").await);
    let seen = app.records().len();
    app.chat.start_direct(profile(&app).await, &bayko, "hello").await.unwrap();
    app.chat.start_direct(&vir, profile(&app).await, "hello").await.unwrap();
    let (_, thread) = group_of(&app, &[&vir]).await;
    thread.add_member(profile(&app).await).await.unwrap();
    let projector = Projector::new(app.store.clone());
    for records in [app.records().split_off(seen), vec![older]] {
        assert!(!projector.project(&records).await.has_failed());
    }

    let entries = app.inbox(andrew.id()).await;
    assert_eq!(entries.iter().map(Membership::profile).collect::<Vec<_>>(), vec![andrew.profile(); 3]);
    assert_eq!(app.only_entry(bayko.id()).await.other(), Some(andrew.profile()));
    let directs = app.inbox(vir.id()).await.into_iter().filter_map(|entry| entry.other());
    assert_eq!(directs.collect::<Vec<_>>(), [andrew.profile()]);
}

#[tokio::test]
async fn an_entry_for_a_user_found_by_handle_never_gets_older_names() {
    let by_handle = async |app: &App| app.chat.user_by_handle(&Handle::new("third").unwrap()).await.unwrap().unwrap();
    older_rename_after_entry_of(by_handle).await;
}

#[tokio::test]
async fn an_entry_for_a_user_found_by_identity_never_gets_older_names() {
    let subject: IdentitySubject = IDENTITY.parse().unwrap();
    older_rename_after_entry_of(async |app: &App| app.chat.user_by_identity(&subject).await.unwrap().unwrap()).await;
}

#[tokio::test]
async fn the_other_members_entry_never_gets_older_names() {
    let other_one = async |app: &App| {
        let (andrew, delenn) = (
            app.chat.user_by_handle(&Handle::new("third").unwrap()).await.unwrap().unwrap(),
            app.user(&format!("delenn{}", app.records().len())).await,
        );
        let thread = app.chat.start_direct(&delenn, andrew, "hello").await.unwrap();
        let other = thread.membership().other().unwrap();
        // Leaves only the memberships of this test.
        for key in [Membership::key_from((thread.group_id(), other.id())), thread.membership().key()] {
            app.store.write(Write::delete(key)).await.unwrap().done().unwrap();
        }
        other
    };
    older_rename_after_entry_of(other_one).await;
}

#[tokio::test]
async fn an_entry_from_an_old_profile_never_gets_intermediate_names() {
    let app = App::new();
    let (first, bayko) = (app.user("first").await, app.user("bayko").await);
    let seen = app.records().len();
    let second = app.renamed(&first, "second").await;
    let older = app.records().split_off(seen).into_iter().find(|record| record.keys.get_s("sk") == Some("USER"));
    let again = app.renamed(&second, "first").await;
    assert_eq!(again.profile(), first.profile());

    let seen = app.records().len();
    app.chat.start_direct(&first, &bayko, "hello").await.unwrap();
    let projector = Projector::new(app.store.clone());
    for records in [app.records().split_off(seen), vec![older.unwrap()]] {
        assert!(!projector.project(&records).await.has_failed());
    }
    assert_eq!(app.only_entry(first.id()).await.profile(), again.profile());
    assert_eq!(app.only_entry(bayko.id()).await.other(), Some(again.profile()));
}

#[tokio::test]
async fn an_entry_deleted_during_its_update_does_not_return() {
    let app = App::new();
    let (andrew, vir) = (app.user("andrew").await, app.user("vir").await);
    let (group, thread) = group_of(&app, &[&andrew]).await;
    let (_, seen) = join_during_send(&app, &andrew, &thread, &vir).await;
    let leaver = vir.id();
    project_hooked(&app, seen, async move { thread.remove_member(leaver).await.unwrap() }).await;
    assert_eq!(app.inbox(vir.id()).await, []);
    let last = app.records().into_iter().rfind(|record| record.keys.get_s("sk") != Some("GRP"));
    assert_eq!(last.unwrap().key().unwrap(), Membership::key_from((group, vir.id())));
}

#[tokio::test]
async fn an_entry_missing_from_the_index_gets_the_new_names() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrew").await, app.user("bayko").await);
    let before = app.records().len();
    app.chat.start_direct(&andrew, &bayko, "hello").await.unwrap();
    let put = app.records().len();
    let renamed = app.renamed(&andrew, "ab").await;
    let (entries, rename) = (app.records()[before..put].to_vec(), app.records().split_off(put));

    let lagging = Projector::new(HookedStore::new(&app.store).lagging_index());
    assert!(!lagging.project(&rename).await.has_failed());
    assert_eq!(app.only_entry(andrew.id()).await.profile(), andrew.profile(), "the rename found no entry");
    assert!(!lagging.project(&entries).await.has_failed());
    assert_eq!(app.only_entry(andrew.id()).await.profile(), renamed.profile());
    assert_eq!(app.only_entry(bayko.id()).await.other(), Some(renamed.profile()));
}

#[tokio::test]
async fn a_concurrent_message_and_rename_both_reach_the_entry() {
    let app = App::new();
    let (andrew, bayko, thread) = app.direct().await;
    app.project().await;
    let long = "語".repeat(200);
    let name = UserChange::new().display_name(DisplayName::new("é".repeat(40)).unwrap()).unwrap();
    for rename_first in [true, false] {
        let seen = app.records().len();
        let user = app.chat.user(andrew.id()).await.unwrap().unwrap();
        let (chat, sender, name) = (app.chat.clone(), thread.clone(), name.clone());
        let (projector, store, text) = (Projector::new(app.store.clone()), app.store.clone(), long.clone());
        app.clock.advance(std::time::Duration::from_secs(1));
        if rename_first {
            app.say(&thread, &long).await;
        } else {
            app.renamed(&user, "andrew").await;
        }
        project_hooked(&app, seen, async move {
            let before = store.records_after(None, usize::MAX).unwrap().len();
            if rename_first {
                chat.update_user(&user, name).await.unwrap();
            } else {
                sender.send(sender.new_message_id(), text).await.unwrap();
            }
            let mut records = store.records_after(None, usize::MAX).unwrap();
            assert!(!projector.project(&records.split_off(before)).await.has_failed());
        })
        .await;
        let user = app.chat.user(andrew.id()).await.unwrap().unwrap();
        for (entry, names) in [(app.only_entry(andrew.id()).await, None), (app.only_entry(bayko.id()).await, Some(()))]
        {
            let held = if names.is_some() { entry.other().unwrap() } else { entry.profile() };
            assert_eq!(held, user.profile());
            let size = entry.to_item().unwrap().size();
            assert!(shown(&entry).unwrap().len() > 60 && size <= 1024, "{size} bytes");
        }
        assert_eq!(Auditor::new(app.store.clone()).check(None).await.unwrap().findings, []);
    }
}
