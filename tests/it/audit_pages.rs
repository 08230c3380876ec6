//! The pages of an audit: their cursors, and a request that fails within a page.

use threadline::entity::{Entity, HandleClaim};
use threadline::store::Update;
use threadline::stream::{AuditCursor, Auditor, Discrepancy};
use threadline::{ErrorKind, MessageGroup, User};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::audit::{World, text};
use crate::hooked_store::HookedStore;
use crate::support::scan;

#[tokio::test]
async fn an_unwritable_entry_is_reported_and_blocks_no_other_repair() {
    let world = World::new().await;
    for user in [&world.andrew, &world.bayko] {
        world.update(world.entry(user), Update::new().set("message", text("something else"))).await;
    }
    let store = HookedStore::new(&world.app.store).failing(world.entry(&world.andrew), ErrorKind::Invalid);
    let findings = world.repair_on(store).await;
    let discrepancy = |user: &User| Discrepancy::StalePreview { group: world.direct.group_id(), user: user.id() };
    let repaired: Vec<_> = findings.iter().map(|finding| (finding.discrepancy.clone(), finding.repaired)).collect();
    assert_eq!(repaired, [(discrepancy(&world.andrew), false), (discrepancy(&world.bayko), true)]);
}

#[tokio::test]
async fn an_error_within_a_page_ends_it_early_and_loses_no_finding() {
    let world = World::new().await;
    world.delete(world.entry(&world.bayko)).await;
    world.update(MessageGroup::key_from(world.group.group_id()), Update::new().add("member_count", 4)).await;
    world.delete(HandleClaim::key_from(world.vir.handle())).await;
    let whole = world.check().await;
    assert_eq!(whole.len(), 3);

    for nth in 1.. {
        let store = FaultStore::new(world.app.store.clone(), Plan::new().throttle(Calls::nth(nth)));
        let auditor = Auditor::new(store.clone());
        let (mut findings, mut items, mut errors, mut cursor) = (Vec::new(), 0, 0, None);
        loop {
            match auditor.check(cursor.clone()).await {
                Ok(page) => {
                    findings.extend(page.findings);
                    items += page.items;
                    cursor = page.next;
                    if cursor.is_none() {
                        break;
                    }
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Throttled);
                    errors += 1;
                }
            }
        }
        assert_eq!((findings, items), (whole.clone(), scan(&world.app.store).await.len()), "call {nth}");
        assert!(errors <= 1);
        if store.calls() < nth {
            return;
        }
    }
}

#[tokio::test]
async fn repairs_before_an_error_at_the_same_item_are_reported() {
    let world = World::new().await;
    for user in [&world.andrew, &world.bayko] {
        world.update(world.entry(user), Update::new().set("message", text("something else"))).await;
    }
    let store = HookedStore::new(&world.app.store).failing(world.entry(&world.bayko), ErrorKind::Throttled);
    let auditor = Auditor::new(store);
    // Starts at the group's item, so that it is the first of the page.
    let before = Auditor::new(HookedStore::new(&world.app.store).pages_of(1));
    let mut cursor = None;
    let page = loop {
        match auditor.repair(cursor.clone()).await {
            Ok(page) if page.findings.is_empty() => cursor = before.check(cursor.clone()).await.unwrap().next,
            Ok(page) => break page,
            Err(error) => panic!("{error}"),
        }
    };
    let [finding] = &page.findings[..] else { panic!("{page:?}") };
    let andrews = Discrepancy::StalePreview { group: world.direct.group_id(), user: world.andrew.id() };
    assert_eq!((&finding.discrepancy, finding.repaired), (&andrews, true));
    let next = page.next.expect("the page ended before the end of the table");
    assert_eq!(auditor.repair(next.clone()).await.unwrap_err().kind(), ErrorKind::Throttled);
    let rest = world.auditor().repair(next.clone()).await.unwrap().findings;
    let baykos = Discrepancy::StalePreview { group: world.direct.group_id(), user: world.bayko.id() };
    assert_eq!(
        rest.iter().map(|finding| (&finding.discrepancy, finding.repaired)).collect::<Vec<_>>(),
        [(&baykos, true)]
    );
}

#[tokio::test]
async fn an_audit_continues_from_a_cursor_kept_as_text() {
    let world = World::new().await;
    world.delete(world.entry(&world.bayko)).await;
    world.update(MessageGroup::key_from(world.group.group_id()), Update::new().add("member_count", 4)).await;
    world.delete(HandleClaim::key_from(world.vir.handle())).await;
    let (whole, items) = (world.check().await, scan(&world.app.store).await.len());
    assert_eq!(whole.len(), 3);

    let (mut findings, mut seen, mut kept) = (Vec::new(), 0, None::<String>);
    loop {
        let auditor = Auditor::new(HookedStore::new(&world.app.store).pages_of(2));
        let cursor = kept.map(AuditCursor::from);
        let page = auditor.repair(cursor.clone()).await.unwrap();
        assert!(page.items <= 2);
        seen += page.items;
        findings.extend(page.findings.into_iter().map(|finding| finding.discrepancy));
        kept = page.next.map(|cursor| cursor.to_string());
        if kept.is_none() {
            break;
        }
    }
    let expected: Vec<_> = whole.into_iter().map(|finding| finding.discrepancy).collect();
    assert_eq!(findings, expected);
    assert!(seen >= items, "{seen} of {items}");
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn an_invalid_cursor_is_refused_before_any_read() {
    let world = World::new().await;
    let long = "A".repeat(6000);
    // Invalid text, another version, and a cursor without a sort key.
    for text in ["", "x", "not base64!", "MgpBCkI", "MQpB", &long] {
        let cursor = AuditCursor::from(text);
        for page in [world.auditor().check(cursor.clone()).await, world.auditor().repair(cursor.clone()).await] {
            assert_eq!(page.unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
        assert_eq!(format!("{cursor:?}"), "AuditCursor(…)");
    }
}
