//! The text of a finding, and what is no finding.

use threadline::entity::Entity;
use threadline::store::Operation;
use threadline::stream::{Auditor, Discrepancy};
use threadline::{ErrorKind, GroupId, ImportedDirect, Membership, MessageGroup, UserId};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::audit::World;
use crate::support::{id, time};

#[tokio::test]
async fn a_read_that_fails_ends_the_page_and_is_no_finding() {
    let world = World::new().await;
    let mut errors = 0;
    for nth in 1..=4 {
        let plan = Plan::new().throttle(Calls::nth(nth).of(Operation::Get));
        match Auditor::new(FaultStore::new(world.app.store.clone(), plan)).check(None).await {
            Ok(page) => assert!(page.findings.is_empty() && page.next.is_some(), "get {nth}: {page:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Throttled, "get {nth}");
                errors += 1;
            }
        }
    }
    assert!(errors > 0, "at its first item, the page is an error");
}

#[test]
fn a_finding_says_what_differs_and_if_it_was_repaired() {
    let (group, user) = (GroupId::from_uuid(uuid::Uuid::nil()), UserId::from_uuid(uuid::Uuid::max()));
    for (discrepancy, said) in [
        (Discrepancy::MissingEntry { group, user }, format!("group {group}: user {user} has no inbox entry")),
        (
            Discrepancy::WrongRecency { group, user },
            format!("group {group}: the inbox entry of user {user} is not at the newest message"),
        ),
        (
            Discrepancy::StalePreview { group, user },
            format!("group {group}: the inbox entry of user {user} differs from the newest message"),
        ),
        (
            Discrepancy::StaleNames { group, user },
            format!("group {group}: the inbox entry of user {user} has outdated names"),
        ),
        (
            Discrepancy::WrongMemberCount { group, counted: 3, memberships: 2 },
            format!("group {group}: member count is 3, but there are 2 memberships"),
        ),
        (
            Discrepancy::OrphanEntry { group, user },
            format!("group {group}: user {user} has a membership, but there is no group"),
        ),
        (Discrepancy::OrphanThread { group }, format!("group {group}: there are messages, but there is no group")),
        (
            Discrepancy::WrongClaim { entity: "HandleClaim", user },
            format!("user {user}: a HandleClaim for a value that the user does not have"),
        ),
        (Discrepancy::MissingClaim { entity: "IdentityClaim", user }, format!("user {user}: IdentityClaim is missing")),
        (Discrepancy::OldClaim { user }, format!("user {user}: a HandleClaim with the key of version 0.1")),
        (Discrepancy::Unreadable { reason: "the item at `A / 1`".into() }, "the item at `A / 1`".to_owned()),
    ] {
        assert_eq!(discrepancy.to_string(), said);
    }
}

#[tokio::test]
async fn a_repaired_finding_says_so() {
    let world = World::new().await;
    world.delete(world.entry(&world.bayko)).await;
    let [found] = &world.check().await[..] else { panic!("one entry is missing") };
    let [repaired] = &world.repair_on(world.app.store.clone()).await[..] else { panic!("one entry is missing") };
    assert_eq!(found.to_string(), found.discrepancy.to_string());
    assert_eq!(repaired.to_string(), format!("{}: repaired", found.discrepancy));
}

#[tokio::test]
async fn an_imported_conversation_is_no_discrepancy_unless_its_group_is_gone() {
    let world = World::new().await;
    let group: GroupId = id("5ae290ed-55d1-47a0-bc6d-fe2bc2700399");
    let imported = ImportedDirect::new(group, &world.bayko, &world.vir, time("2023-03-22T14:36:25Z"));
    let thread = world.app.chat.import_direct(imported).await.unwrap();
    assert_eq!(world.check().await, [], "the item under the pair's own id only points there");
    for member in [&world.bayko, &world.vir] {
        world.delete(Membership::key_from((thread.group_id(), member.id()))).await;
    }
    world.delete(MessageGroup::key_from(group)).await;
    world.is_found_and_stays(Discrepancy::OrphanThread { group }).await;
}
