//! The audit: each kind of drift made by hand, found, and mended where what it is derived from tells how.

use threadline::store::fault::{Calls, FaultStore, Operation, Plan};
use threadline::stream::{AuditCursor, Auditor, Drift, Finding, Projector, StreamRecord};
use threadline::{
    AttributeValue, DisplayName, Entity, ErrorKind, Get, GroupId, Handle, HandleClaim, IdentityClaim, IdentitySubject,
    ImportedDirect, Item, Key, Membership, Message, MessageGroup, NewGroup, NewUser, Store, Thread, Threadline, Update,
    User, UserChange, UserId, Write,
};

use crate::meddled::Meddled;
use crate::support::{App, id, scan, time};

/// Andrew, Bayko and Vir; Andrew's conversation with Bayko, and a group of all three. All is projected.
struct World {
    app: App,
    andrew: User,
    bayko: User,
    vir: User,
    direct: Thread,
    group: Thread,
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

impl World {
    async fn new() -> Self {
        let app = App::new();
        let subject = IdentitySubject::new("MOCK").unwrap();
        let andrew = NewUser::new("andrewbrown", "Andrew Brown").unwrap().with_identity(subject);
        let andrew = app.chat.create_user(andrew).await.unwrap();
        let (bayko, vir) = (app.user("bayko").await, app.user("vir").await);
        let direct = app.chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await.unwrap();
        let group = NewGroup::new("Babylon 5", &andrew).unwrap().with_member(&bayko).with_member(&vir);
        let group = app.chat.create_group(group, "Welcome").await.unwrap();
        app.say(&direct, "one").await;
        app.say(&group, "to all").await;
        app.project().await;
        let world = Self { app, andrew, bayko, vir, direct, group };
        assert_eq!(world.check().await, []);
        world
    }

    fn auditor(&self) -> Auditor {
        Auditor::new(self.app.store.clone())
    }

    async fn check(&self) -> Vec<Finding> {
        let page = self.auditor().check(None).await.unwrap();
        assert_eq!(page.next, None);
        page.findings
    }

    /// Mends the table by an auditor on this store.
    async fn rebuild_on(&self, store: impl Store + 'static) -> Vec<Finding> {
        let page = Auditor::new(store).rebuild(None).await.unwrap();
        assert_eq!(page.next, None);
        page.findings
    }

    /// Checks that exactly this is found, and by a check that changes nothing; that it is mended; and that nothing is found then.
    async fn is_found_and_mended(&self, drift: Drift) {
        let before = scan(&self.app.store).await;
        let [found] = &self.check().await[..] else { panic!("{drift}: {:?}", self.check().await) };
        assert_eq!((&found.drift, found.mended), (&drift, false));
        assert!(scan(&self.app.store).await == before, "a check changes nothing");
        let [mended] = &self.rebuild_on(self.app.store.clone()).await[..] else { panic!("{drift}") };
        assert_eq!((&mended.drift, mended.mended), (&drift, true));
        assert_eq!(self.check().await, [], "{drift}");
    }

    async fn is_found_and_stays(&self, drift: Drift) {
        for findings in [self.check().await, self.rebuild_on(self.app.store.clone()).await, self.check().await] {
            let [found] = &findings[..] else { panic!("{drift}: {findings:?}") };
            assert_eq!((&found.drift, found.mended), (&drift, false));
        }
    }

    async fn update(&self, key: Key, update: Update) {
        self.app.store.write(Write::update(key, update).unwrap()).await.unwrap().done().unwrap();
    }

    async fn delete(&self, key: Key) -> Item {
        self.app.store.write(Write::delete(key).returning_old()).await.unwrap().done().unwrap().unwrap()
    }

    async fn put(&self, item: Item) {
        self.app.store.write(Write::put(item).unwrap()).await.unwrap().done().unwrap();
    }

    async fn get(&self, key: Key) -> Item {
        self.app.store.get(Get::new(key)).await.unwrap().item.unwrap()
    }

    fn row(&self, user: &User) -> Key {
        Membership::key_from((self.direct.group_id(), user.id()))
    }

    async fn shown(&self, user: &User) -> String {
        let row = Membership::from_item(self.get(self.row(user)).await).unwrap();
        row.preview().unwrap().to_string()
    }
}

#[tokio::test]
async fn a_missing_row_of_a_direct_conversation_is_put_back() {
    let world = World::new().await;
    let before = world.delete(world.row(&world.bayko)).await;
    world.is_found_and_mended(Drift::MissingRow { group: world.direct.group_id(), user: world.bayko.id() }).await;
    let [before, now] =
        [before, world.get(world.row(&world.bayko)).await].map(|row| Membership::from_item(row).unwrap());
    assert_eq!(now, before);
}

#[tokio::test]
async fn a_direct_conversation_without_rows_is_told_of_and_left_alone() {
    let world = World::new().await;
    world.delete(world.row(&world.andrew)).await;
    world.delete(world.row(&world.bayko)).await;
    let drift = Drift::WrongMemberCount { group: world.direct.group_id(), counted: 2, rows: 0 };
    world.is_found_and_stays(drift).await;
}

#[tokio::test]
async fn a_row_at_an_older_message_moves_to_the_newest() {
    let world = World::new().await;
    let old = world.get(world.row(&world.bayko)).await;
    world.app.say(&world.direct, "two").await;
    world.app.project().await;
    world.put(old).await;
    world.is_found_and_mended(Drift::WrongRecency { group: world.direct.group_id(), user: world.bayko.id() }).await;
    assert_eq!(world.shown(&world.bayko).await, "two");
}

#[tokio::test]
async fn a_row_that_shows_a_message_which_has_gone_moves_back_to_the_newest() {
    let world = World::new().await;
    let message = world.app.say(&world.direct, "two").await;
    world.app.project().await;
    world.delete(message.key()).await;
    let findings = world.rebuild_on(world.app.store.clone()).await;
    assert!(findings.iter().all(|finding| matches!(finding.drift, Drift::WrongRecency { .. })));
    assert_eq!(findings.len(), 2, "the rows of both");
    assert_eq!((world.check().await, world.shown(&world.andrew).await), (vec![], "one".to_owned()));
}

#[tokio::test]
async fn a_row_at_a_wrong_place_of_the_index_or_at_none_is_put_where_it_belongs() {
    let drift = |world: &World| Drift::WrongRecency { group: world.direct.group_id(), user: world.bayko.id() };
    for update in [
        Update::new().set("gsi1sk", text("GRP#2020-01-01T00:00:00.000000+00:00#x")),
        Update::new().remove("gsi1sk"),
        Update::new().remove("gsi1pk"),
    ] {
        let world = World::new().await;
        world.update(world.row(&world.bayko), update).await;
        world.is_found_and_mended(drift(&world)).await;
        let rows = world.app.inbox(world.bayko.id()).await;
        assert_eq!((rows.len(), rows[1].group_id()), (2, world.direct.group_id()));
    }
}

#[tokio::test]
async fn a_row_that_shows_something_else_of_the_newest_message_is_set_right() {
    for update in [
        Update::new().set("message", text("something else")),
        Update::new().remove("message"),
        Update::new().set("last_sender_uuid", text(UserId::from_uuid(uuid::Uuid::nil()))),
        Update::new().add("last_revision", 1),
    ] {
        let world = World::new().await;
        world.update(world.row(&world.bayko), update).await;
        world.is_found_and_mended(Drift::StalePreview { group: world.direct.group_id(), user: world.bayko.id() }).await;
        assert_eq!(world.shown(&world.bayko).await, "one");
    }
}

#[tokio::test]
async fn a_row_with_old_names_gets_the_new_ones_whatever_version_it_says_it_has() {
    for update in [
        Update::new().set("user_handle", text("old")),
        Update::new().set("user_display_name", text("Old")).add("user_version", 9),
        Update::new().set("other_handle", text("old")).add("other_version", 9),
        Update::new().set("other_display_name", text("Old")),
    ] {
        let world = World::new().await;
        world.update(world.row(&world.bayko), update).await;
        world.is_found_and_mended(Drift::StaleNames { group: world.direct.group_id(), user: world.bayko.id() }).await;
        let row = Membership::from_item(world.get(world.row(&world.bayko)).await).unwrap();
        assert_eq!((row.profile(), row.other()), (world.bayko.profile(), Some(world.andrew.profile())));
    }
}

#[tokio::test]
async fn a_wrong_count_of_members_is_set_right() {
    let world = World::new().await;
    let group = world.group.group_id();
    world.update(MessageGroup::key_from(group), Update::new().add("member_count", 4)).await;
    world.is_found_and_mended(Drift::WrongMemberCount { group, counted: 7, rows: 3 }).await;
}

#[tokio::test]
async fn rows_and_messages_without_a_group_are_told_of_and_left_alone() {
    let world = World::new().await;
    let row = world.get(Membership::key_from((world.group.group_id(), world.vir.id()))).await;
    world.delete(MessageGroup::key_from(world.group.group_id())).await;
    for user in [&world.andrew, &world.bayko, &world.vir] {
        world.delete(Membership::key_from((world.group.group_id(), user.id()))).await;
    }
    let thread = Drift::OrphanThread { group: world.group.group_id() };
    world.is_found_and_stays(thread).await;
    for message in world.group.messages().fetch().await.unwrap().items {
        world.delete(message.key()).await;
    }
    assert_eq!(world.check().await, []);
    world.put(row).await;
    world.is_found_and_stays(Drift::OrphanRow { group: world.group.group_id(), user: world.vir.id() }).await;
}

#[tokio::test]
async fn a_claim_on_what_its_user_does_not_have_is_deleted() {
    let world = World::new().await;
    let nobody = UserId::from_uuid(uuid::Uuid::nil());
    for (user, handle) in [(world.andrew.id(), "andy"), (nobody, "nobody")] {
        let mut claim = world.get(HandleClaim::key_from(world.andrew.handle())).await;
        claim.insert("pk", text(format!("HANDLE#{handle}")));
        claim.insert("handle", text(handle));
        claim.insert("user_uuid", text(user));
        world.put(claim).await;
        world.is_found_and_mended(Drift::DoubledClaim { entity: "HandleClaim", user }).await;
    }
    let mut claim = world.get(IdentityClaim::key_from(world.andrew.identity().unwrap())).await;
    claim.insert("pk", text("IDENTITY#OTHER"));
    claim.insert("cognito_user_id", text("OTHER"));
    world.put(claim).await;
    world.is_found_and_mended(Drift::DoubledClaim { entity: "IdentityClaim", user: world.andrew.id() }).await;
    assert_eq!(world.app.chat.user_by_handle(&Handle::new("andy").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_claim_that_is_missing_or_says_something_else_is_put_back() {
    let world = World::new().await;
    let andrew = &world.andrew;
    let handle = || HandleClaim::key_from(andrew.handle());
    let identity = || IdentityClaim::key_from(andrew.identity().unwrap());
    world.delete(handle()).await;
    world.is_found_and_mended(Drift::MissingClaim { entity: "HandleClaim", user: andrew.id() }).await;
    world.delete(identity()).await;
    world.is_found_and_mended(Drift::MissingClaim { entity: "IdentityClaim", user: andrew.id() }).await;
    world.update(identity(), Update::new().set("display_name", text("Old"))).await;
    world.is_found_and_mended(Drift::MissingClaim { entity: "IdentityClaim", user: andrew.id() }).await;
    let found = world.app.chat.user_by_handle(andrew.handle()).await.unwrap();
    assert_eq!(found, Some(andrew.profile()));
}

#[tokio::test]
async fn somebody_elses_claim_is_never_taken_away() {
    let world = World::new().await;
    let bayko = world.bayko.id();
    world.update(User::key_from(world.andrew.id()), Update::new().set("handle", text("bayko"))).await;
    let findings = world.rebuild_on(world.app.store.clone()).await;
    let missing = Drift::MissingClaim { entity: "HandleClaim", user: world.andrew.id() };
    assert!(findings.iter().any(|finding| finding.drift == missing && !finding.mended), "{findings:?}");
    let found = world.app.chat.user_by_handle(world.bayko.handle()).await.unwrap();
    assert_eq!(found.map(|profile| profile.id), Some(bayko));
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_told_of_without_its_content() {
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
        let told = findings.iter().filter(|finding| matches!(&finding.drift, Drift::Unreadable { .. })).count();
        assert!(told >= 1, "{key:?}: {findings:?}");
        assert!(findings.iter().all(|finding| !finding.to_string().contains("secret")), "{findings:?}");
    }
}

#[tokio::test]
async fn an_audit_goes_page_by_page_and_on_from_a_cursor_that_was_kept_as_text() {
    let world = World::new().await;
    world.delete(world.row(&world.bayko)).await;
    world.update(MessageGroup::key_from(world.group.group_id()), Update::new().add("member_count", 4)).await;
    world.delete(HandleClaim::key_from(world.vir.handle())).await;
    let (whole, items) = (world.check().await, scan(&world.app.store).await.len());
    assert_eq!(whole.len(), 3);

    let (mut findings, mut seen, mut kept) = (Vec::new(), 0, None::<String>);
    loop {
        let auditor = Auditor::new(Meddled::new(&world.app.store).pages_of(2));
        let cursor = kept.map(|text| text.parse::<AuditCursor>().unwrap());
        let page = auditor.rebuild(cursor.as_ref()).await.unwrap();
        assert!(page.items <= 2);
        seen += page.items;
        findings.extend(page.findings.into_iter().map(|finding| finding.drift));
        kept = page.next.map(|cursor| cursor.to_string());
        if kept.is_none() {
            break;
        }
    }
    let expected: Vec<_> = whole.into_iter().map(|finding| finding.drift).collect();
    assert_eq!(findings, expected);
    assert!(seen >= items, "{seen} of {items}");
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn a_text_that_is_no_cursor_is_refused_before_anything_is_read() {
    let world = World::new().await;
    let long = "A".repeat(6000);
    // Garbage, another version, and a cursor without a sort key.
    for text in ["", "x", "not base64!", "MgpBCkI", "MQpB", &long] {
        let cursor: AuditCursor = text.parse().unwrap();
        for page in [world.auditor().check(Some(&cursor)).await, world.auditor().rebuild(Some(&cursor)).await] {
            assert_eq!(page.unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
        assert_eq!(format!("{cursor:?}"), "AuditCursor(…)");
    }
}

/// What an application does meanwhile, with its projector.
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
        let newest = self.store.changes_after(None, usize::MAX).unwrap().pop().unwrap();
        let records = [StreamRecord::from(newest)];
        assert!(!Projector::new(self.store.clone()).project(&records).await.has_failed());
    }
}

/// Mends with this happening in between, projects what is left of the stream, and checks that nothing is wrong then.
async fn mend_beside(world: &World, work: impl Future<Output = ()> + Send + 'static) {
    let seen = world.app.records().len();
    let store = Meddled::new(&world.app.store).before_write(work);
    world.rebuild_on(store.clone()).await;
    assert!(store.has_happened(), "the audit wrote");
    let records = world.app.records().split_off(seen);
    assert!(!Projector::new(world.app.store.clone()).project(&records).await.has_failed());
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn an_edit_that_is_projected_while_a_preview_is_mended_is_not_lost() {
    let world = World::new().await;
    world.update(world.row(&world.bayko), Update::new().set("message", text("something else"))).await;
    let live = Live::of(&world).await;
    let store = Meddled::new(&world.app.store).before_write(async move {
        live.direct.edit(&live.newest, "edited").await.unwrap();
        live.project().await;
    });
    // Nothing of the stream is projected again: the audit alone must not undo it.
    world.rebuild_on(store).await;
    assert_eq!(world.shown(&world.bayko).await, "edited");
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn an_edit_that_is_projected_while_a_row_is_taken_back_to_it_is_not_lost() {
    let world = World::new().await;
    let gone = world.app.say(&world.direct, "two").await;
    world.app.project().await;
    let live = Live::of(&world).await;
    let one = world.direct.messages().fetch().await.unwrap().items.remove(1);
    world.delete(gone.key()).await;
    let store = Meddled::new(&world.app.store).before_write(async move {
        live.direct.edit(&one, "one, edited").await.unwrap();
        live.project().await;
    });
    world.rebuild_on(store).await;
    assert_eq!(world.shown(&world.bayko).await, "one, edited");
    assert_eq!(world.check().await, []);
}

#[tokio::test]
async fn a_message_that_is_projected_while_a_row_is_mended_or_put_back_is_not_lost() {
    for is_missing in [false, true] {
        let world = World::new().await;
        if is_missing {
            world.delete(world.row(&world.bayko)).await;
        } else {
            world.update(world.row(&world.bayko), Update::new().set("message", text("something else"))).await;
        }
        world.app.clock.advance(std::time::Duration::from_secs(1));
        let live = Live::of(&world).await;
        mend_beside(&world, async move {
            live.direct.send(live.chat.new_message_id(), "two").await.unwrap();
            live.project().await;
        })
        .await;
        assert_eq!(world.shown(&world.bayko).await, "two");
    }
}

#[tokio::test]
async fn a_rename_that_is_projected_while_names_or_claims_are_mended_is_not_lost() {
    for is_claim in [false, true] {
        let world = World::new().await;
        let (key, attribute) = if is_claim {
            (IdentityClaim::key_from(world.andrew.identity().unwrap()), "handle")
        } else {
            (world.row(&world.bayko), "other_handle")
        };
        world.update(key, Update::new().set(attribute, text("old"))).await;
        let live = Live::of(&world).await;
        let name = || DisplayName::new("Andrew B.").unwrap();
        mend_beside(&world, async move {
            live.chat.update_user(&live.andrew, UserChange::new().display_name(name())).await.unwrap();
        })
        .await;
        let row = Membership::from_item(world.get(world.row(&world.bayko)).await).unwrap();
        assert_eq!(row.other().unwrap().display_name, name());
    }
}

#[tokio::test]
async fn a_join_while_the_members_are_counted_is_not_lost() {
    let world = World::new().await;
    let group: GroupId = world.group.group_id();
    world.update(MessageGroup::key_from(group), Update::new().add("member_count", 4)).await;
    let live = Live::of(&world).await;
    let londo = world.app.user("londo").await.profile();
    let store = Meddled::new(&world.app.store).before_write(async move {
        live.group.add_member(londo).await.unwrap();
        live.project().await;
    });
    let [finding] = &world.rebuild_on(store).await[..] else { panic!() };
    assert_eq!(finding.drift, Drift::WrongMemberCount { group, counted: 7, rows: 3 });
    world.is_found_and_mended(Drift::WrongMemberCount { group, counted: 8, rows: 4 }).await;
}

#[tokio::test]
async fn a_read_that_fails_ends_the_audit_and_is_no_finding() {
    let world = World::new().await;
    for nth in 1..=4 {
        let plan = Plan::new().throttle(Calls::nth(nth).of(Operation::Get));
        let auditor = Auditor::new(FaultStore::new(world.app.store.clone(), plan));
        assert_eq!(auditor.check(None).await.unwrap_err().kind(), ErrorKind::Throttled, "get {nth}");
    }
}

#[test]
fn a_finding_says_what_differs_and_whether_it_is_mended() {
    let (group, user) = (GroupId::from_uuid(uuid::Uuid::nil()), UserId::from_uuid(uuid::Uuid::max()));
    for (drift, said) in [
        (Drift::MissingRow { group, user }, format!("group {group}: no inbox row for user {user}")),
        (
            Drift::WrongRecency { group, user },
            format!("group {group}: the row of user {user} is not at the newest message"),
        ),
        (
            Drift::StalePreview { group, user },
            format!("group {group}: the row of user {user} does not show the newest message as it is"),
        ),
        (Drift::StaleNames { group, user }, format!("group {group}: the row of user {user} has old names")),
        (
            Drift::WrongMemberCount { group, counted: 3, rows: 2 },
            format!("group {group}: it counts 3 members and has 2 rows"),
        ),
        (Drift::OrphanRow { group, user }, format!("group {group}: a row of user {user}, and no group")),
        (Drift::OrphanThread { group }, format!("group {group}: messages, and no group")),
        (
            Drift::DoubledClaim { entity: "HandleClaim", user },
            format!("user {user}: a HandleClaim of something else than the user has"),
        ),
        (
            Drift::MissingClaim { entity: "IdentityClaim", user },
            format!("user {user}: no IdentityClaim of what the user has"),
        ),
        (Drift::Unreadable { what: "the item at `A / 1`".into() }, "the item at `A / 1`".to_owned()),
    ] {
        assert_eq!(drift.to_string(), said);
    }
}

#[tokio::test]
async fn what_was_mended_says_so() {
    let world = World::new().await;
    world.delete(world.row(&world.bayko)).await;
    let [found] = &world.check().await[..] else { panic!("one row is missing") };
    let [mended] = &world.rebuild_on(world.app.store.clone()).await[..] else { panic!("one row is missing") };
    assert_eq!(found.to_string(), found.drift.to_string());
    assert_eq!(mended.to_string(), format!("{}: mended", found.drift));
}

#[tokio::test]
async fn an_imported_conversation_is_no_drift_unless_its_own_group_is_gone() {
    let world = World::new().await;
    let group: GroupId = id("5ae290ed-55d1-47a0-bc6d-fe2bc2700399");
    let imported = ImportedDirect::new(group, &world.bayko, &world.vir, time("2023-03-22T14:36:25Z"));
    let thread = world.app.chat.import_direct(imported).await.unwrap();
    assert_eq!(world.check().await, [], "the item under the pair's own id only leads there");
    for member in [&world.bayko, &world.vir] {
        world.delete(Membership::key_from((thread.group_id(), member.id()))).await;
    }
    world.delete(MessageGroup::key_from(group)).await;
    world.is_found_and_stays(Drift::OrphanThread { group }).await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_no_other_row_from_its_audit() {
    let world = World::new().await;
    let group = world.group.group_id();
    let row = |user: &User| Membership::key_from((group, user.id()));
    world.update(row(&world.andrew), Update::new().set("joined_at", text("never"))).await;
    world.update(row(&world.vir), Update::new().set("message", text("something else"))).await;
    let stale = Drift::StalePreview { group, user: world.vir.id() };
    for (findings, mended) in [(world.check().await, false), (world.rebuild_on(world.app.store.clone()).await, true)] {
        let [unreadable, other] = &findings[..] else { panic!("{findings:?}") };
        assert!(matches!(unreadable.drift, Drift::Unreadable { .. }) && !unreadable.mended, "{findings:?}");
        assert_eq!((&other.drift, other.mended), (&stale, mended));
    }
}
