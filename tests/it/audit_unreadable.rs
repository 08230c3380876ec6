//! Items that the audit cannot read. It reports them without their content, and compares everything else.

use threadline::entity::{Entity, HandleClaim, IdentityClaim};
use threadline::store::Update;
use threadline::stream::Discrepancy;
use threadline::{Membership, MessageGroup, User};

use crate::audit::{World, text};

#[tokio::test]
async fn an_unreadable_item_is_reported_without_its_content() {
    // The ids are the same in every world.
    let world = World::new().await;
    for key in [
        User::key_from(world.vir.id()),
        HandleClaim::key_from(world.vir.handle()),
        MessageGroup::key_from(world.group.group_id()),
        Membership::key_from((world.group.group_id(), world.vir.id())),
    ] {
        let world = World::new().await;
        world
            .update(
                key.clone(),
                Update::new()
                    .set("created_at", text("a secret"))
                    .set("joined_at", text("a secret"))
                    .set("user_uuid", text("a secret")),
            )
            .await;
        let findings = world.check().await;
        let reports =
            findings.iter().filter(|finding| matches!(&finding.discrepancy, Discrepancy::Unreadable { .. })).count();
        assert!(reports >= 1, "{key:?}: {findings:?}");
        assert!(findings.iter().all(|finding| !finding.to_string().contains("secret")), "{findings:?}");
    }
}

#[tokio::test]
async fn an_unreadable_user_hides_no_other_finding() {
    let world = World::new().await;
    world.update(User::key_from(world.vir.id()), Update::new().set("created_at", text("a secret"))).await;
    world.update(world.entry(&world.bayko), Update::new().set("message", text("something else"))).await;
    world.update(MessageGroup::key_from(world.group.group_id()), Update::new().add("member_count", 4)).await;
    let key = Membership::key_from((world.group.group_id(), world.bayko.id()));
    world.update(key, Update::new().set("user_handle", text("old"))).await;
    world
        .assert_all_but_unreadable_repaired(&[
            Discrepancy::StalePreview { group: world.direct.group_id(), user: world.bayko.id() },
            Discrepancy::WrongMemberCount { group: world.group.group_id(), counted: 7, rows: 3 },
            Discrepancy::StaleNames { group: world.group.group_id(), user: world.bayko.id() },
        ])
        .await;
}

#[tokio::test]
async fn an_unreadable_membership_is_counted_and_hides_no_other() {
    let world = World::new().await;
    let group = world.group.group_id();
    let entry = |user: &User| Membership::key_from((group, user.id()));
    world.update(entry(&world.vir), Update::new().set("joined_at", text("a secret"))).await;
    world.update(entry(&world.andrew), Update::new().set("message", text("something else"))).await;
    world.update(MessageGroup::key_from(group), Update::new().add("member_count", 4)).await;
    world
        .assert_all_but_unreadable_repaired(&[
            Discrepancy::StalePreview { group, user: world.andrew.id() },
            Discrepancy::WrongMemberCount { group, counted: 7, rows: 3 },
        ])
        .await;
}

#[tokio::test]
async fn an_unreadable_membership_does_not_count_as_missing() {
    let world = World::new().await;
    world.update(world.entry(&world.bayko), Update::new().set("joined_at", text("a secret"))).await;
    world.assert_all_but_unreadable_repaired(&[]).await;
}

#[tokio::test]
async fn an_unreadable_message_is_reported_and_the_newest_readable_is_shown() {
    let world = World::new().await;
    let two = world.app.say(&world.direct, "two").await;
    world.update(two.key(), Update::new().set("user_uuid", text("a secret"))).await;
    world.update(world.entry(&world.bayko), Update::new().set("message", text("something else"))).await;
    let discrepancy = Discrepancy::StalePreview { group: world.direct.group_id(), user: world.bayko.id() };
    world.assert_all_but_unreadable_repaired(&[discrepancy]).await;
    assert_eq!(world.shown(&world.bayko).await, "one");
}

#[tokio::test]
async fn entries_of_an_unreadable_group_are_still_compared() {
    let world = World::new().await;
    let group = world.group.group_id();
    world.update(MessageGroup::key_from(group), Update::new().set("created_at", text("a secret"))).await;
    let entry = Membership::key_from((group, world.andrew.id()));
    world.update(entry, Update::new().set("message", text("something else"))).await;
    let discrepancy = Discrepancy::StalePreview { group, user: world.andrew.id() };
    world.assert_all_but_unreadable_repaired(&[discrepancy]).await;
}

#[tokio::test]
async fn an_unreadable_claim_does_not_hide_the_users_other_claim() {
    let world = World::new().await;
    let andrew = &world.andrew;
    world.update(HandleClaim::key_from(andrew.handle()), Update::new().set("user_uuid", text("a secret"))).await;
    world.delete(IdentityClaim::key_from(andrew.identity().unwrap())).await;
    let discrepancy = Discrepancy::MissingClaim { entity: "IdentityClaim", user: andrew.id() };
    world.assert_all_but_unreadable_repaired(&[discrepancy]).await;
}
