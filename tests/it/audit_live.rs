//! The audit beside a running application: it undoes nothing and yields to concurrent changes.

use threadline::entity::{Entity, IdentityClaim};
use threadline::store::{StoreExt, Update, Write};
use threadline::stream::{Discrepancy, Projector};
use threadline::{DisplayName, GroupId, Membership, Message, MessageGroup, Thread, Threadline, User, UserChange};

use crate::audit::{World, text};
use crate::hooked_store::HookedStore;

/// The application's concurrent work, with its projector.
#[derive(Clone)]
struct Live {
    chat: Threadline,
    store: threadline::MemoryStore,
    direct: Thread,
    group: Thread,
    andrew: User,
    newest: Message,
}

impl Live {
    async fn of(world: &World) -> Self {
        let newest = world.direct.messages().fetch().await.unwrap().items.remove(0);
        let (chat, store) = (world.app.chat.clone(), world.app.store.clone());
        let (direct, group) = (world.direct.clone(), world.group.clone());
        Self { chat, store, direct, group, andrew: world.andrew.clone(), newest }
    }

    /// Projects the last change.
    async fn project(&self) {
        let newest = self.store.records_after(None, usize::MAX).unwrap().pop().unwrap();
        let records = [newest];
        assert!(!Projector::new(self.store.clone()).project(&records).await.has_failed());
    }
}

/// Repairs while this work happens, projects the rest of the stream, and checks that no discrepancy is left.
async fn repair_during(world: &World, work: impl Future<Output = ()> + Send + 'static) {
    let seen = world.app.records().len();
    let store = HookedStore::new(&world.app.store).before_write(work);
    world.repair_on(store.clone()).await;
    assert!(store.has_run(), "the audit wrote");
    let records = world.app.records().split_off(seen);
    assert!(!Projector::new(world.app.store.clone()).project(&records).await.has_failed());
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn an_edit_projected_during_a_preview_repair_is_not_lost() {
    let world = World::new().await;
    world.update(world.entry(&world.bayko), Update::new().set("message", text("something else"))).await;
    let live = Live::of(&world).await;
    let store = HookedStore::new(&world.app.store).before_write(async move {
        live.direct.edit(&live.newest, "edited").await.unwrap();
        live.project().await;
    });
    // No record is projected again: the audit alone must not undo the change.
    world.repair_on(store).await;
    assert_eq!(world.shown(&world.bayko).await, "edited");
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn an_edit_projected_while_an_entry_moves_back_to_it_is_not_lost() {
    let world = World::new().await;
    let gone = world.app.say(&world.direct, "two").await;
    world.app.project().await;
    let live = Live::of(&world).await;
    let one = world.direct.messages().fetch().await.unwrap().items.remove(1);
    world.delete(gone.key()).await;
    let store = HookedStore::new(&world.app.store).before_write(async move {
        live.direct.edit(&one, "one, edited").await.unwrap();
        live.project().await;
    });
    world.repair_on(store).await;
    assert_eq!(world.shown(&world.bayko).await, "one, edited");
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn a_message_projected_during_a_repair_is_not_lost() {
    for is_missing in [false, true] {
        let world = World::new().await;
        if is_missing {
            world.delete(world.entry(&world.bayko)).await;
        } else {
            world.update(world.entry(&world.bayko), Update::new().set("message", text("something else"))).await;
        }
        world.app.clock.advance(std::time::Duration::from_secs(1));
        let live = Live::of(&world).await;
        repair_during(&world, async move {
            live.direct.send(live.chat.new_message_id(), "two").await.unwrap();
            live.project().await;
        })
        .await;
        assert_eq!(world.shown(&world.bayko).await, "two");
    }
}

#[tokio::test]
async fn a_rename_projected_during_a_repair_is_not_lost() {
    for is_claim in [false, true] {
        let world = World::new().await;
        let (key, attribute) = if is_claim {
            (IdentityClaim::key_from(world.andrew.identity().unwrap()), "handle")
        } else {
            (world.entry(&world.bayko), "other_handle")
        };
        world.update(key, Update::new().set(attribute, text("old"))).await;
        let live = Live::of(&world).await;
        let name = || DisplayName::new("Andrew B.").unwrap();
        repair_during(&world, async move {
            live.chat.update_user(&live.andrew, UserChange::new().display_name(name()).unwrap()).await.unwrap();
        })
        .await;
        let entry = Membership::from_item(world.get(world.entry(&world.bayko)).await).unwrap();
        assert_eq!(*entry.other().unwrap().display_name(), name());
    }
}

#[tokio::test]
async fn a_repair_beaten_to_one_of_two_names_does_not_claim_success() {
    for (attribute, name) in [("user_handle", "bayko"), ("other_handle", "andrewbrown")] {
        let world = World::new().await;
        let key = world.entry(&world.bayko);
        world.update(key.clone(), Update::new().set("user_handle", text("old")).set("other_handle", text("old"))).await;
        let (live, update) = (world.app.store.clone(), Update::new().set(attribute, text(name)));
        let store = HookedStore::new(&world.app.store).before_write(async move {
            live.write(Write::update(key, update)).await.unwrap().done().unwrap();
        });
        let [finding] = &world.repair_on(store).await[..] else { panic!() };
        assert!(!finding.repaired, "{attribute}");
        world
            .assert_found_and_repaired(Discrepancy::StaleNames {
                group: world.direct.group_id(),
                user: world.bayko.id(),
            })
            .await;
    }
}

#[tokio::test]
async fn a_busy_thread_does_not_prevent_a_repair() {
    let world = World::new().await;
    world.update(world.entry(&world.bayko), Update::new().set("message", text("something else"))).await;
    let live = Live::of(&world).await;
    let seen = world.app.records().len();
    let store = HookedStore::new(&world.app.store).before_each_write(move || {
        let live = live.clone();
        async move { drop(live.direct.send(live.chat.new_message_id(), "on and on").await.unwrap()) }
    });
    let [finding] = &world.repair_on(store).await[..] else { panic!() };
    assert!(finding.repaired, "{finding}");
    let records = world.app.records().split_off(seen);
    assert!(!Projector::new(world.app.store.clone()).project(&records).await.has_failed());
    assert_eq!(world.check().await, []);
    assert_eq!(world.shown(&world.bayko).await, "on and on");
}

#[tokio::test]
async fn a_join_during_the_member_count_is_not_lost() {
    let world = World::new().await;
    let group: GroupId = world.group.group_id();
    world.update(MessageGroup::key_from(group), Update::new().add("member_count", 4)).await;
    let live = Live::of(&world).await;
    let londo = world.app.user("londo").await.profile();
    let store = HookedStore::new(&world.app.store).before_write(async move {
        live.group.add_member(londo).await.unwrap();
        live.project().await;
    });
    let [finding] = &world.repair_on(store).await[..] else { panic!() };
    assert_eq!(finding.discrepancy, Discrepancy::WrongMemberCount { group, counted: 7, rows: 3 });
    world.assert_found_and_repaired(Discrepancy::WrongMemberCount { group, counted: 8, rows: 4 }).await;
}

#[tokio::test]
async fn a_join_and_a_leave_between_reads_keep_a_correct_count() {
    let world = World::new().await;
    let (joins, leaves) = (Live::of(&world).await, Live::of(&world).await);
    let londo = world.app.user("londo").await;
    let profile = londo.profile();
    // The count is the same before and after. The memberships were read in between.
    let store = HookedStore::new(&world.app.store)
        .before_query(&format!("GRP#{}", world.group.group_id()), async move {
            joins.group.add_member(profile).await.unwrap();
        })
        .before_write(async move { leaves.group.remove_member(londo.id()).await.unwrap() });
    world.repair_on(store.clone()).await;
    assert!(store.has_run());
    assert_eq!(world.check().await, []);
}
