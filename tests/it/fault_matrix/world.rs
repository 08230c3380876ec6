//! A table in a faulty store, and the initial table of the calls without a scenario. Both are equal in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use threadline::entity::{Entity, HandleClaim, Item};
use threadline::store::meter::Metered;
use threadline::store::{Answer, Checked, Store, StoreExt, Update, Write};
use threadline::{
    IdentitySubject, MemoryStore, MessageGroup, NewGroup, NewUser, Result, SequentialIds, Thread, Threadline, User,
    UserChange,
};
use threadline_testkit::fault::{FaultStore, Plan};
use threadline_testkit::scenario::{Scenario, Session, Stage, World};

use crate::scenarios::{SMALL, Staged};
use crate::support::{App, scan};

/// A table in memory, with a meter and faults.
pub(super) struct Table {
    memory: MemoryStore,
    /// Meters the store without its faults.
    pub(super) meter: Metered<MemoryStore>,
    /// The store that the calls go through.
    pub(super) store: FaultStore<Metered<MemoryStore>>,
}

impl Table {
    /// Wraps the table in a store whose slow requests end at once, or never.
    fn new(memory: MemoryStore, is_forever: bool) -> Self {
        let meter = Metered::new(memory.clone());
        let store = FaultStore::new(meter.clone(), Plan::new());
        let store = match is_forever {
            true => store.sleep(|_| std::future::pending()),
            false => store.sleep(|_| std::future::ready(())),
        };
        Self { memory, meter, store }
    }

    /// Returns all that the table contains.
    pub(super) async fn items(&self) -> Vec<Item> {
        scan(&self.memory).await
    }
}

/// A scenario on a faulty table, entered by its caller.
pub(super) struct Entered {
    pub(super) stage: Stage,
    pub(super) session: Session,
}

pub(super) async fn enter(scenario: &Scenario, is_forever: bool) -> (Table, Entered) {
    let Staged { stage, store } = Staged::new(scenario, SMALL).await;
    let table = Table::new(store, is_forever);
    let session = stage.enter(Arc::new(table.store.clone()), World::CALLER).await.unwrap();
    (table, Entered { stage, session })
}

/// Counts the requests that change the table.
#[derive(Clone, Debug)]
struct Watched {
    store: MemoryStore,
    changes: Arc<AtomicUsize>,
}

#[async_trait]
impl Store for Watched {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let records = || self.store.records_after(None, usize::MAX).unwrap().len();
        let before = records();
        let answer = self.store.execute(request).await;
        self.changes.fetch_add(usize::from(records() > before), Ordering::Relaxed);
        answer
    }
}

/// Returns the number of the scenario's requests that change the table.
pub(super) async fn changes(scenario: &Scenario) -> usize {
    let Staged { stage, store } = Staged::new(scenario, SMALL).await;
    let watched = Watched { store, changes: Arc::default() };
    let session = stage.enter(watched.clone(), World::CALLER).await.unwrap();
    stage.call(&session).await.unwrap();
    watched.changes.load(Ordering::Relaxed)
}

/// The table of the calls without a scenario, with much to repair.
pub(super) struct Untidy {
    pub(super) chat: Threadline,
    pub(super) store: FaultStore<Metered<MemoryStore>>,
    /// Has an identity.
    pub(super) andrew: User,
    /// Has no conversation, and no claim on the handle.
    pub(super) londo: User,
    /// Andrew's thread of a group with Bayko and Vir, whose entries do not show his last message yet.
    pub(super) group: Thread,
}

pub(super) async fn untidy(is_forever: bool) -> (Table, Untidy) {
    let app = App::with_whole_pages();
    let andrew = NewUser::new("andrewbrown", "Andrew Brown").unwrap();
    let andrew = andrew.identity(IdentitySubject::new("MOCK").unwrap()).unwrap();
    let andrew = app.chat.create_user(andrew).await.unwrap();
    let (bayko, londo, vir) = (app.user("bayko").await, app.user("londo").await, app.user("vir").await);
    app.chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await.unwrap();
    let of_two = |title| NewGroup::new(title, &andrew).unwrap().member(&bayko);
    let group = app.chat.create_group(of_two("Babylon 5"), "Welcome").await.unwrap();

    let shrunk = app.chat.create_group(of_two("Babylon 4"), "Welcome").await.unwrap();
    let gone = app.say(&shrunk, "gone").await;
    app.project().await;
    let count = Update::new().add("member_count", 1);
    for write in [
        Write::delete(gone.key()),
        Write::update(MessageGroup::key_from(shrunk.group_id()), count),
        Write::delete(HandleClaim::key_from(londo.handle())),
    ] {
        app.store.write(write).await.unwrap().done().unwrap();
    }

    group.add_member(&vir).await.unwrap();
    app.say(&group, "opa").await;
    for user in [&bayko, &vir] {
        let renamed = UserChange::new().display_name("Renamed").unwrap();
        app.chat.update_user(user, renamed).await.unwrap();
    }

    let table = Table::new(app.store.clone(), is_forever);
    let store = table.store.clone();
    let chat = Threadline::new(store.clone()).clock(app.clock.clone()).ids(SequentialIds::seeded(9));
    let group = chat.open(andrew.id(), group.group_id()).await.unwrap();
    (table, Untidy { chat, store, andrew, londo, group })
}
