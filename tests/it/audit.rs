//! The audit: each kind of discrepancy is created by hand, found, and repaired if its source allows that.

use std::sync::Arc;

use threadline::card::Case;
use threadline::card::registry::PATTERNS;
use threadline::entity::{AttributeValue, Entity, HandleClaim, IdentityClaim, Item, Key};
use threadline::store::{Checked, Get, Store, StoreExt, Update, Write};
use threadline::stream::{Auditor, Discrepancy, Finding};
use threadline::{Handle, IdentitySubject, Membership, MessageGroup, NewGroup, NewUser, Thread, User, UserId};
use threadline_testkit::scenario::{Recorder, Scenario, mismatch};

use crate::scenarios::{SMALL, Staged, cases};
use crate::support::{App, scan};

/// Andrew, Bayko and Vir, Andrew's conversation with Bayko, and a group of all three. Everything is projected.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) andrew: User,
    pub(crate) bayko: User,
    pub(crate) vir: User,
    pub(crate) direct: Thread,
    pub(crate) group: Thread,
}

pub(crate) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

impl World {
    pub(crate) async fn new() -> Self {
        let app = App::new();
        let subject = IdentitySubject::new("MOCK").unwrap();
        let andrew = NewUser::new("andrewbrown", "Andrew Brown").unwrap().identity(subject).unwrap();
        let andrew = app.chat.create_user(andrew).await.unwrap();
        let (bayko, vir) = (app.user("bayko").await, app.user("vir").await);
        let direct = app.chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await.unwrap();
        let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko).member(&vir);
        let group = app.chat.create_group(group, "Welcome").await.unwrap();
        app.say(&direct, "one").await;
        app.say(&group, "to all").await;
        app.project().await;
        let world = Self { app, andrew, bayko, vir, direct, group };
        assert_eq!(world.check().await, []);
        world
    }

    pub(crate) fn auditor(&self) -> Auditor {
        Auditor::new(self.app.store.clone())
    }

    pub(crate) async fn check(&self) -> Vec<Finding> {
        let (auditor, mut cursor, mut findings) = (self.auditor(), None, Vec::new());
        loop {
            let page = auditor.check(cursor.clone()).await.unwrap();
            findings.extend(page.findings);
            cursor = page.next;
            if cursor.is_none() {
                // A discrepancy without a group is reported on each page.
                findings.dedup();
                return findings;
            }
        }
    }

    /// Repairs the table by an auditor on this store. Checks that the card declares each request.
    pub(crate) async fn repair_on(&self, store: impl Store + 'static) -> Vec<Finding> {
        let recorder = Recorder::new(Arc::new(store));
        let (auditor, mut cursor, mut findings) = (Auditor::new(recorder.clone()), None, Vec::new());
        loop {
            let page = auditor.repair(cursor.clone()).await.unwrap();
            recorder.take().iter().for_each(|request| assert!(is_declared(request), "{request:?}"));
            findings.extend(page.findings);
            cursor = page.next;
            if cursor.is_none() {
                // A discrepancy without a group is reported on each page.
                findings.dedup();
                return findings;
            }
        }
    }

    /// Checks that exactly this is found without a change, then repaired, and that nothing is found after that.
    pub(crate) async fn assert_found_and_repaired(&self, discrepancy: Discrepancy) {
        let before = scan(&self.app.store).await;
        let [found] = &self.check().await[..] else { panic!("{discrepancy}: {:?}", self.check().await) };
        assert_eq!((&found.discrepancy, found.repaired), (&discrepancy, false));
        assert!(scan(&self.app.store).await == before, "a check changes nothing");
        let [repaired] = &self.repair_on(self.app.store.clone()).await[..] else { panic!("{discrepancy}") };
        assert_eq!((&repaired.discrepancy, repaired.repaired), (&discrepancy, true));
        assert_eq!(self.check().await, [], "{discrepancy}");
    }

    pub(crate) async fn is_found_and_stays(&self, discrepancy: Discrepancy) {
        for findings in [self.check().await, self.repair_on(self.app.store.clone()).await, self.check().await] {
            let [found] = &findings[..] else { panic!("{discrepancy}: {findings:?}") };
            assert_eq!((&found.discrepancy, found.repaired), (&discrepancy, false));
        }
    }

    /// Checks that these are found beside unreadable items, then repaired, and that only the unreadable ones remain.
    pub(crate) async fn assert_all_but_unreadable_repaired(&self, discrepancies: &[Discrepancy]) {
        let is_unreadable = |finding: &Finding| matches!(finding.discrepancy, Discrepancy::Unreadable { .. });
        for repaired in [false, true] {
            let findings = if repaired { self.repair_on(self.app.store.clone()).await } else { self.check().await };
            assert!(findings.iter().any(is_unreadable), "{findings:?}");
            let others: Vec<_> = findings.iter().filter(|finding| !is_unreadable(finding)).collect();
            assert_eq!(others.len(), discrepancies.len(), "{findings:?}");
            for discrepancy in discrepancies {
                assert!(
                    others.iter().any(|found| found.discrepancy == *discrepancy && found.repaired == repaired),
                    "{findings:?}"
                );
            }
        }
        assert!(self.check().await.iter().all(is_unreadable), "{:?}", self.check().await);
    }

    pub(crate) async fn update(&self, key: Key, update: Update) {
        self.app.store.write(Write::update(key, update)).await.unwrap().done().unwrap();
    }

    pub(crate) async fn delete(&self, key: Key) -> Item {
        self.app.store.write(Write::delete(key).returning_old()).await.unwrap().done().unwrap().unwrap()
    }

    pub(crate) async fn put(&self, item: Item) {
        self.app.store.write(Write::put(item)).await.unwrap().done().unwrap();
    }

    pub(crate) async fn get(&self, key: Key) -> Item {
        self.app.store.get(Get::new(key)).await.unwrap().item.unwrap()
    }

    pub(crate) fn entry(&self, user: &User) -> Key {
        Membership::key_from((self.direct.group_id(), user.id()))
    }

    pub(crate) async fn shown(&self, user: &User) -> String {
        let entry = Membership::from_item(self.get(self.entry(user)).await).unwrap();
        entry.preview().unwrap().to_string()
    }
}

/// Returns `true` if a case of `audit.repair` declares this request.
fn is_declared(request: &Checked) -> bool {
    let card = PATTERNS.iter().find(|card| card.name == "audit.repair").unwrap();
    let of_case = |case: &'static Case| case.requests.chunk_by(|one, next| one.transaction && next.transaction);
    let mut declared = card.cases.iter().flat_map(of_case);
    declared.any(|requests| mismatch(requests, std::slice::from_ref(request), true).is_none())
}

#[tokio::test]
async fn each_case_of_the_card_repairs_one_finding() {
    let of_repair = |case: &Case, scenario: &Scenario| scenario.pattern == "audit.repair" && !case.name.is_empty();
    for (_, _, scenario) in cases().into_iter().filter(|(_, case, scenario)| of_repair(case, scenario)) {
        let staged = Staged::new(&scenario, SMALL).await;
        let auditor = Auditor::new(staged.store);
        let page = auditor.repair(None).await.unwrap();
        let [found] = &page.findings[..] else { panic!("{scenario:?}: {:?}", page.findings) };
        assert!(found.repaired, "{scenario:?}: {found}");
        assert_eq!(auditor.check(None).await.unwrap().findings, [], "{scenario:?}");
    }
}

#[tokio::test]
async fn repair_restores_a_missing_direct_membership() {
    let world = World::new().await;
    let before = world.delete(world.entry(&world.bayko)).await;
    world
        .assert_found_and_repaired(Discrepancy::MissingEntry { group: world.direct.group_id(), user: world.bayko.id() })
        .await;
    let [before, now] =
        [before, world.get(world.entry(&world.bayko)).await].map(|entry| Membership::from_item(entry).unwrap());
    assert_eq!(now, before);
}

#[tokio::test]
async fn repair_restores_a_membership_with_current_names() {
    let world = World::new().await;
    world.delete(world.entry(&world.bayko)).await;
    world
        .update(world.entry(&world.andrew), Update::new().set("other_handle", text("old")).add("other_version", 9))
        .await;
    let names_in_the_row = async || {
        world.repair_on(world.app.store.clone()).await;
        let entry = Membership::from_item(world.get(world.entry(&world.bayko)).await).unwrap();
        (entry.profile().handle().to_string(), entry.profile().version())
    };
    assert_eq!(names_in_the_row().await, (world.bayko.handle().to_string(), Some(1)));

    // The user is absent, so only this membership is left.
    world.delete(User::key_from(world.bayko.id())).await;
    world.delete(world.entry(&world.bayko)).await;
    world
        .update(world.entry(&world.andrew), Update::new().set("other_handle", text("old")).add("other_version", 9))
        .await;
    assert_eq!(names_in_the_row().await, ("old".to_owned(), None));
}

#[tokio::test]
async fn a_direct_conversation_without_memberships_is_only_reported() {
    let world = World::new().await;
    world.delete(world.entry(&world.andrew)).await;
    world.delete(world.entry(&world.bayko)).await;
    let discrepancy = Discrepancy::WrongMemberCount { group: world.direct.group_id(), counted: 2, memberships: 0 };
    world.is_found_and_stays(discrepancy).await;
}

#[tokio::test]
async fn repair_moves_an_entry_to_the_newest_message() {
    let world = World::new().await;
    let old = world.get(world.entry(&world.bayko)).await;
    world.app.say(&world.direct, "two").await;
    world.app.project().await;
    world.put(old).await;
    world
        .assert_found_and_repaired(Discrepancy::WrongRecency { group: world.direct.group_id(), user: world.bayko.id() })
        .await;
    assert_eq!(world.shown(&world.bayko).await, "two");
}

#[tokio::test]
async fn repair_moves_an_entry_from_a_removed_message_to_the_newest() {
    let world = World::new().await;
    let message = world.app.say(&world.direct, "two").await;
    world.app.project().await;
    world.delete(message.key()).await;
    let findings = world.repair_on(world.app.store.clone()).await;
    assert!(findings.iter().all(|finding| matches!(finding.discrepancy, Discrepancy::WrongRecency { .. })));
    assert_eq!(findings.len(), 2, "the entries of both");
    assert_eq!((world.check().await, world.shown(&world.andrew).await), (vec![], "one".to_owned()));
}

#[tokio::test]
async fn repair_moves_an_entry_to_its_index_position() {
    let discrepancy =
        |world: &World| Discrepancy::WrongRecency { group: world.direct.group_id(), user: world.bayko.id() };
    for update in [
        Update::new().set("gsi1sk", text("GRP#2020-01-01T00:00:00.000000+00:00#x")),
        Update::new().remove("gsi1sk"),
        Update::new().remove("gsi1pk"),
    ] {
        let world = World::new().await;
        world.update(world.entry(&world.bayko), update).await;
        world.assert_found_and_repaired(discrepancy(&world)).await;
        let entries = world.app.inbox(world.bayko.id()).await;
        assert_eq!((entries.len(), entries[1].group_id()), (2, world.direct.group_id()));
    }
}

#[tokio::test]
async fn repair_corrects_an_entry_that_misstates_its_message() {
    for update in [
        Update::new().set("message", text("something else")),
        Update::new().remove("message"),
        Update::new().set("last_sender_uuid", text(UserId::from_uuid(uuid::Uuid::nil()))),
        Update::new().add("last_revision", 1),
    ] {
        let world = World::new().await;
        world.update(world.entry(&world.bayko), update).await;
        world
            .assert_found_and_repaired(Discrepancy::StalePreview {
                group: world.direct.group_id(),
                user: world.bayko.id(),
            })
            .await;
        assert_eq!(world.shown(&world.bayko).await, "one");
    }
}

#[tokio::test]
async fn repair_updates_old_names_at_any_recorded_version() {
    for update in [
        Update::new().set("user_handle", text("old")),
        Update::new().set("user_display_name", text("Old")).add("user_version", 9),
        Update::new().set("other_handle", text("old")).add("other_version", 9),
        Update::new().set("other_display_name", text("Old")),
    ] {
        let world = World::new().await;
        world.update(world.entry(&world.bayko), update).await;
        world
            .assert_found_and_repaired(Discrepancy::StaleNames {
                group: world.direct.group_id(),
                user: world.bayko.id(),
            })
            .await;
        let entry = Membership::from_item(world.get(world.entry(&world.bayko)).await).unwrap();
        assert_eq!((entry.profile(), entry.other()), (world.bayko.profile(), Some(world.andrew.profile())));
    }
}

#[tokio::test]
async fn repair_corrects_a_member_count() {
    let world = World::new().await;
    let group = world.group.group_id();
    world.update(MessageGroup::key_from(group), Update::new().add("member_count", 4)).await;
    world.assert_found_and_repaired(Discrepancy::WrongMemberCount { group, counted: 7, memberships: 3 }).await;
}

#[tokio::test]
async fn memberships_and_messages_without_a_group_are_only_reported() {
    let world = World::new().await;
    let entry = world.get(Membership::key_from((world.group.group_id(), world.vir.id()))).await;
    world.delete(MessageGroup::key_from(world.group.group_id())).await;
    for user in [&world.andrew, &world.bayko, &world.vir] {
        world.delete(Membership::key_from((world.group.group_id(), user.id()))).await;
    }
    let thread = Discrepancy::OrphanThread { group: world.group.group_id() };
    world.is_found_and_stays(thread).await;
    for message in world.group.messages().fetch().await.unwrap().items {
        world.delete(message.key()).await;
    }
    assert_eq!(world.check().await, []);
    world.put(entry).await;
    world.is_found_and_stays(Discrepancy::OrphanEntry { group: world.group.group_id(), user: world.vir.id() }).await;
}

#[tokio::test]
async fn a_claim_that_does_not_match_its_user_is_deleted() {
    let world = World::new().await;
    let nobody = UserId::from_uuid(uuid::Uuid::nil());
    for (user, handle) in [(world.andrew.id(), "andy"), (nobody, "nobody")] {
        let mut claim = world.get(HandleClaim::key_from(world.andrew.handle())).await;
        claim.insert("pk", text(format!("HANDLE#{handle}")));
        claim.insert("handle", text(handle));
        claim.insert("user_uuid", text(user));
        world.put(claim).await;
        world.assert_found_and_repaired(Discrepancy::WrongClaim { entity: "HandleClaim", user }).await;
    }
    let mut claim = world.get(IdentityClaim::key_from(world.andrew.identity().unwrap())).await;
    claim.insert("pk", text("IDENTITY#OTHER"));
    claim.insert("cognito_user_id", text("OTHER"));
    world.put(claim).await;
    world.assert_found_and_repaired(Discrepancy::WrongClaim { entity: "IdentityClaim", user: world.andrew.id() }).await;
    assert_eq!(world.app.chat.user_by_handle(&Handle::new("andy").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn repair_restores_a_missing_or_different_claim() {
    let world = World::new().await;
    let andrew = &world.andrew;
    let handle = || HandleClaim::key_from(andrew.handle());
    let identity = || IdentityClaim::key_from(andrew.identity().unwrap());
    world.delete(handle()).await;
    world.assert_found_and_repaired(Discrepancy::MissingClaim { entity: "HandleClaim", user: andrew.id() }).await;
    world.delete(identity()).await;
    world.assert_found_and_repaired(Discrepancy::MissingClaim { entity: "IdentityClaim", user: andrew.id() }).await;
    world.update(identity(), Update::new().set("display_name", text("Old"))).await;
    world.assert_found_and_repaired(Discrepancy::MissingClaim { entity: "IdentityClaim", user: andrew.id() }).await;
    let found = world.app.chat.user_by_handle(andrew.handle()).await.unwrap();
    assert_eq!(found, Some(andrew.profile()));
}

#[tokio::test]
async fn repair_never_takes_another_users_claim() {
    let world = World::new().await;
    let bayko = world.bayko.id();
    world.update(User::key_from(world.andrew.id()), Update::new().set("handle", text("bayko"))).await;
    let findings = world.repair_on(world.app.store.clone()).await;
    let missing = Discrepancy::MissingClaim { entity: "HandleClaim", user: world.andrew.id() };
    assert!(findings.iter().any(|finding| finding.discrepancy == missing && !finding.repaired), "{findings:?}");
    let found = world.app.chat.user_by_handle(world.bayko.handle()).await.unwrap();
    assert_eq!(found.map(|profile| profile.id()), Some(bayko));
}
