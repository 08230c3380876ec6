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
        (Discrepancy::MissingRow { group, user }, format!("group {group}: no inbox row for user {user}")),
        (
            Discrepancy::WrongRecency { group, user },
            format!("group {group}: the row of user {user} is not at the newest message"),
        ),
        (
            Discrepancy::StalePreview { group, user },
            format!("group {group}: the row of user {user} does not show the newest message as it is"),
        ),
        (Discrepancy::StaleNames { group, user }, format!("group {group}: the row of user {user} has old names")),
        (
            Discrepancy::WrongMemberCount { group, counted: 3, rows: 2 },
            format!("group {group}: it counts 3 members and has 2 rows"),
        ),
        (Discrepancy::OrphanRow { group, user }, format!("group {group}: a row of user {user}, and no group")),
        (Discrepancy::OrphanThread { group }, format!("group {group}: messages, and no group")),
        (
            Discrepancy::DoubledClaim { entity: "HandleClaim", user },
            format!("user {user}: a HandleClaim of something else than the user has"),
        ),
        (
            Discrepancy::MissingClaim { entity: "IdentityClaim", user },
            format!("user {user}: no IdentityClaim of what the user has"),
        ),
        (Discrepancy::OldClaim { user }, format!("user {user}: a HandleClaim by the key of version 0.1")),
        (Discrepancy::Unreadable { what: "the item at `A / 1`".into() }, "the item at `A / 1`".to_owned()),
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
    assert_eq!(world.check().await, [], "the item under the pair's own id only leads there");
    for member in [&world.bayko, &world.vir] {
        world.delete(Membership::key_from((thread.group_id(), member.id()))).await;
    }
    world.delete(MessageGroup::key_from(group)).await;
    world.is_found_and_stays(Discrepancy::OrphanThread { group }).await;
}
