//! The table that each call of the matrix finds: the same to the last byte each time.

use std::time::Duration;

use threadline::store::meter::Metered;
use threadline::stream::{RecordKind, StreamRecord};
use threadline::{
    Entity, HandleClaim, IdentitySubject, Item, Membership, MemoryStore, Message, MessageGroup, NewGroup, NewUser,
    SequentialIds, StoreExt, Thread, Threadline, Update, User, UserChange, Write,
};
use threadline_testkit::fault::{FaultStore, Plan};

use crate::support::{App, scan};

pub(super) struct World {
    pub(super) app: App,
    /// What the calls go through.
    pub(super) store: FaultStore<Metered<MemoryStore>>,
    /// What the store without its faults is asked for.
    pub(super) meter: Metered<MemoryStore>,
    pub(super) chat: Threadline,
    /// Has an identity.
    pub(super) andrew: User,
    /// Has a conversation with Andrew, and other names than those in its rows.
    pub(super) bayko: User,
    /// Has no conversation, and no claim on the handle.
    pub(super) londo: User,
    /// Andrew's end of a group with Bayko and Vir, whose rows do not show his last message yet.
    pub(super) group: Thread,
    pub(super) last: Message,
    /// The row of Vir, who has other names by now, was put before that message.
    pub(super) joined: StreamRecord,
    /// A message that the rows of its group show was removed.
    pub(super) removed: StreamRecord,
}

impl World {
    /// The table, behind a store that sleeps so.
    pub(super) async fn new<F>(sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let app = App::with_whole_pages();
        let andrew = NewUser::new("andrewbrown", "Andrew Brown").unwrap();
        let andrew = andrew.with_identity(IdentitySubject::new("MOCK").unwrap());
        let andrew = app.chat.create_user(andrew).await.unwrap();
        let (bayko, londo, vir) = (app.user("bayko").await, app.user("londo").await, app.user("vir").await);
        app.chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await.unwrap();
        let of_two = |title| NewGroup::new(title, &andrew).unwrap().with_member(&bayko);
        let group = app.chat.create_group(of_two("Babylon 5"), "Welcome").await.unwrap();

        let shrunk = app.chat.create_group(of_two("Babylon 4"), "Welcome").await.unwrap();
        let gone = app.say(&shrunk, "gone").await;
        app.project().await;
        let removed = write(&app, Write::delete(gone.key()), RecordKind::Remove, Message::TYPE).await;
        // For the auditor.
        let count = Update::new().add("member_count", 1);
        let count = Write::update(MessageGroup::key_from(shrunk.group_id()), count);
        app.store.write(count).await.unwrap().done().unwrap();
        app.store.write(Write::delete(HandleClaim::key_from(londo.handle()))).await.unwrap().done().unwrap();

        let seen = app.records().len();
        group.add_member(&vir).await.unwrap();
        let joined = record(&app, seen, RecordKind::Insert, Membership::TYPE);
        let last = app.say(&group, "opa").await;
        let renamed = || UserChange::new().display_name("Renamed".parse().unwrap());
        let bayko = app.chat.update_user(&bayko, renamed()).await.unwrap();
        app.chat.update_user(&vir, renamed()).await.unwrap();

        let meter = Metered::new(app.store.clone());
        let store = FaultStore::new(meter.clone(), Plan::new()).with_sleep(sleep);
        let chat = Threadline::new(store.clone()).with_clock(app.clock.clone()).with_ids(SequentialIds::seeded(9));
        let group = chat.open(andrew.id(), group.group_id()).await.unwrap();
        Self { app, store, meter, chat, andrew, bayko, londo, group, last, joined, removed }
    }

    /// All that the table holds.
    pub(super) async fn items(&self) -> Vec<Item> {
        scan(&self.app.store).await
    }
}

async fn write(app: &App, write: Write, kind: RecordKind, entity: &str) -> StreamRecord {
    let seen = app.records().len();
    app.store.write(write).await.unwrap().done().unwrap();
    record(app, seen, kind, entity)
}

/// The record, behind the first `seen`, of such a change to such an item.
fn record(app: &App, seen: usize, kind: RecordKind, entity: &str) -> StreamRecord {
    let is_it = |record: &StreamRecord| {
        let image = record.new.as_ref().or(record.old.as_ref());
        record.kind == kind && image.and_then(Item::type_name) == Some(entity)
    };
    app.records().split_off(seen).into_iter().find(is_it).unwrap()
}
