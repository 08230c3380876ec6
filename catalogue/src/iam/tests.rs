//! Tests: the projector's work and each repair ask for what their policies allow, beyond the cases of the cards.

use std::collections::BTreeSet;

use threadline::card::registry::Registry;
use threadline::entity::{Entity, HandleClaim, IdentityClaim, Item, Key, PK};
use threadline::store::{Get, StoreExt, Update, Write};
use threadline::stream::{Auditor, Projector};
use threadline::{
    DisplayName, IdentitySubject, Membership, MemoryStore, MessageGroup, NewGroup, NewUser, Thread, Threadline, User,
    UserChange,
};
use threadline_testkit::scenario::Recorder;

use super::Policy;
use super::grant::Grant;
use super::record::of_request;

/// An action, `true` for the index, and the tag of the partition key.
type Tagged = (&'static str, bool, Option<String>);

fn tag(key: &str) -> String {
    key.split('#').next().unwrap().to_owned()
}

/// Returns what the requests ask, with the tags of their keys.
fn asked(recorder: &Recorder<MemoryStore>) -> BTreeSet<Tagged> {
    let requests = recorder.take();
    let asked = requests.iter().flat_map(|request| of_request(request.request()).unwrap());
    let tagged = |asked: super::record::Asked| match asked.keys.as_slice() {
        [] => vec![(asked.action, asked.on_index, None)],
        keys => keys.iter().map(|key| (asked.action, asked.on_index, Some(tag(key)))).collect(),
    };
    asked.flat_map(tagged).collect()
}

fn allowed(policy: Policy) -> BTreeSet<Tagged> {
    let grants = Grant::all(&policy.cards(&Registry::new()), policy.further_requests()).unwrap();
    grants.into_iter().map(|Grant { action, on_index, pk }| (action, on_index, pk.map(tag))).collect()
}

/// Andrew, Bayko and their direct conversation, and a group of both.
struct Table {
    store: MemoryStore,
    chat: Threadline,
    andrew: User,
    bayko: User,
    direct: Thread,
    group: Thread,
}

impl Table {
    async fn new() -> Self {
        let store = MemoryStore::new();
        let chat = Threadline::new(store.clone());
        let identity = IdentitySubject::new("MOCK").unwrap();
        let andrew = NewUser::new("andrewbrown", "Andrew Brown").unwrap().identity(identity).unwrap();
        let andrew = chat.create_user(andrew).await.unwrap();
        let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap()).await.unwrap();
        let direct = chat.start_direct(&andrew, &bayko, &*"語".repeat(300)).await.unwrap();
        let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko);
        let group = chat.create_group(group, "Welcome").await.unwrap();
        assert!(!Projector::new(store.clone()).catch_up(&store).await.unwrap().has_failed());
        Self { store, chat, andrew, bayko, direct, group }
    }

    async fn get(&self, key: Key) -> Item {
        self.store.get(Get::new(key)).await.unwrap().item.unwrap()
    }

    async fn write(&self, write: Write) {
        self.store.write(write).await.unwrap().done().unwrap();
    }

    /// Repairs the table, and returns what that asked.
    async fn repaired(&self) -> BTreeSet<Tagged> {
        let recorder = Recorder::new(self.store.clone());
        let auditor = Auditor::new(recorder.clone());
        let (mut cursor, mut is_found) = (None, false);
        loop {
            let page = auditor.repair(cursor).await.unwrap();
            is_found |= !page.findings.is_empty();
            assert!(page.findings.iter().all(|finding| finding.repaired), "{:?}", page.findings);
            cursor = page.next;
            if cursor.is_none() {
                assert!(is_found);
                return asked(&recorder);
            }
        }
    }
}

#[tokio::test]
async fn operator_may_do_what_each_repair_asks_and_no_more() {
    let mut all = BTreeSet::new();
    let entry = |table: &Table| Membership::key_from((table.direct.group_id(), table.bayko.id()));
    let identity = |table: &Table| IdentityClaim::key_from(table.andrew.identity().unwrap());

    let table = Table::new().await;
    table.write(Write::delete(entry(&table))).await;
    table.write(Write::delete(HandleClaim::key_from(table.andrew.handle()))).await;
    table.write(Write::delete(identity(&table))).await;
    let miscounted = Update::new().add("member_count", 4);
    table.write(Write::update(MessageGroup::key_from(table.group.group_id()), miscounted)).await;
    all.extend(table.repaired().await);

    let table = Table::new().await;
    let doubled = [
        (HandleClaim::key_from(table.andrew.handle()), "HANDLE#andy", "handle", "andy"),
        (identity(&table), "IDENTITY#OTHER", "cognito_user_id", "OTHER"),
    ];
    for (key, pk, name, value) in doubled {
        let mut claim = table.get(key).await;
        claim.insert(PK, pk);
        claim.insert(name, value);
        table.write(Write::put(claim)).await;
    }
    all.extend(table.repaired().await);

    let table = Table::new().await;
    // A shorter name lets the preview grow, so the repair reads the message.
    table.write(Write::update(entry(&table), Update::new().set("other_display_name", "N".repeat(60)))).await;
    all.extend(table.repaired().await);

    // The conversation's newest message is gone, or was not projected.
    let table = Table::new().await;
    table.direct.send(table.chat.new_message_id(), "later").await.unwrap();
    all.extend(table.repaired().await);

    assert_eq!(all, allowed(Policy::Operator));
}

#[tokio::test]
async fn projector_may_do_what_its_work_asks_and_no_more() {
    let Table { store, chat, andrew, bayko: _, direct, group } = Table::new().await;
    let vir = chat.create_user(NewUser::new("vir", "Vir").unwrap()).await.unwrap();
    let recorder = Recorder::new(store.clone());
    let projector = Projector::new(recorder.clone());
    let mut seen = 0;
    let mut project = async || {
        let records = store.records_after(None, usize::MAX).unwrap();
        for record in records.get(seen..).unwrap() {
            assert!(!projector.project(std::slice::from_ref(record)).await.has_failed());
        }
        seen = records.len();
    };
    let sent = group.send(chat.new_message_id(), "one").await.unwrap();
    let gone = group.send(chat.new_message_id(), "two").await.unwrap();
    group.edit(&sent, "three").await.unwrap();
    group.delete(&gone).await.unwrap();
    project().await;
    store.write(Write::delete(gone.key())).await.unwrap().done().unwrap();
    group.add_member(&vir).await.unwrap();
    project().await;
    let long = UserChange::new().display_name(DisplayName::new("é".repeat(40)).unwrap()).unwrap();
    let long = chat.update_user(&andrew, long).await.unwrap();
    project().await;
    // Shorter names: the preview may grow, so the message is read.
    chat.update_user(&long, UserChange::new().display_name(DisplayName::new("A").unwrap()).unwrap()).await.unwrap();
    direct.send(chat.new_message_id(), "last").await.unwrap();
    project().await;

    let mut all = asked(&recorder);
    all.insert(("PutItem", false, Some("DEADLETTER".to_owned())));
    assert_eq!(all, allowed(Policy::Projector));
}
