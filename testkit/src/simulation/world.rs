//! The deployment: one table, its servers, and the model of their calls.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use threadline::store::Store;
use threadline::store::memory::IndexLag;
use threadline::{Clock, ManualClock, MemoryStore, SequentialIds, Threadline, Timestamp, User};

use super::model::Model;
use super::network::{Network, Traffic, lock};
use super::parameters::Parameters;
use super::violation::Breach;
use crate::fault::FaultStore;
use crate::fault::Plan;
use crate::random::Random;

/// The state that all tasks share.
#[derive(Debug)]
pub(super) struct World {
    pub(super) parameters: Parameters,
    pub(super) store: MemoryStore,
    pub(super) clock: Arc<ManualClock>,
    pub(super) model: RefCell<Model>,
    pub(super) servers: Vec<Server>,
    pub(super) traffic: Arc<Mutex<Traffic>>,
    /// Each person's user, in all versions that their devices know; none before it is created.
    pub(super) people: RefCell<Vec<Vec<User>>>,
    /// `true` once the faults are over and the run continues only until it is at rest.
    pub(super) faults_over: Cell<bool>,
    pub(super) devices: Cell<usize>,
    processes: RefCell<Vec<FaultStore<Arc<dyn Store>>>>,
    sources: Cell<u32>,
    /// The number of checks that a message is unread.
    pub(super) unread_checks: Cell<u64>,
    /// The number of dropped calls.
    pub(super) dropped: Cell<u64>,
}

impl World {
    pub(super) fn new(
        parameters: Parameters,
        random: &mut Random,
        table: &dyn Fn(Arc<dyn Store>) -> Arc<dyn Store>,
        traced: bool,
    ) -> Self {
        // 2026-11-22T12:00:00Z
        let start = Timestamp::from_unix_millis(1_795_348_800_000).unwrap_or(Timestamp::MIN);
        let clock = Arc::new(ManualClock::starting_at(start));
        let lag = IndexLag::writes(parameters.lag).shuffled(random.next());
        let store = MemoryStore::new().clock(clock.clone()).index_lag(lag).page_size(parameters.page_size);
        let traffic = Traffic::new(random.fork(), parameters.late, traced);
        let people = RefCell::new(vec![Vec::new(); parameters.users]);
        let mut world = Self {
            servers: Vec::new(),
            model: RefCell::default(),
            faults_over: Cell::new(false),
            devices: Cell::new(0),
            processes: RefCell::default(),
            unread_checks: Cell::new(0),
            dropped: Cell::new(0),
            sources: Cell::new(1),
            people,
            parameters,
            clock,
            traffic,
            store,
        };
        for number in 0..world.parameters.servers {
            let table = table(Arc::new(world.store.clone()));
            let server = Server::new(&world, number, table, random);
            world.servers.push(server);
        }
        world
    }

    /// Returns a source of unique ids.
    pub(super) fn ids(&self) -> SequentialIds {
        self.sources.set(self.sources.get().wrapping_add(1));
        SequentialIds::seeded(self.sources.get())
    }

    pub(super) fn now(&self) -> u64 {
        self.model.borrow_mut().now()
    }

    /// Returns the correct time.
    pub(super) fn time(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn report(&self, breach: Breach) {
        self.model.borrow_mut().report(breach);
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn trace(&self, line: impl FnOnce() -> String) {
        lock(&self.traffic).trace_line(line);
    }

    /// Wraps the table for a process, with faults of its own.
    pub(super) fn faults(&self, table: Arc<dyn Store>, random: &mut Random) -> FaultStore<Arc<dyn Store>> {
        let plan =
            if self.faults_over.get() { Plan::new() } else { Plan::random(random.next(), self.parameters.rates) };
        let process = FaultStore::new(table, plan);
        self.processes.borrow_mut().push(process.clone());
        process
    }

    /// Returns `true` once the faults are over.
    pub(super) fn are_faults_over(&self) -> bool {
        self.faults_over.get()
    }

    /// Ends all faults.
    pub(super) fn end_faults(&self) {
        self.trace(|| "no more faults".to_owned());
        self.faults_over.set(true);
        lock(&self.traffic).late = 0;
        for process in &*self.processes.borrow() {
            process.set_plan(Plan::new());
        }
    }

    /// Returns the number of servers with a fast clock.
    pub(super) fn fast_clocks(&self) -> u64 {
        self.servers.iter().map(|server| u64::from(server.clock.millis.load(Ordering::Relaxed) > 0)).sum()
    }

    /// Returns the number of requests that met a fault.
    pub(super) fn faults_met(&self) -> u64 {
        self.processes.borrow().iter().map(FaultStore::faults).sum()
    }
}

/// An application server: a process that may crash at any moment and lose its work.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) number: usize,
    life: Cell<u32>,
    faults: FaultStore<Arc<dyn Store>>,
    clock: Arc<Skewed>,
    chat: RefCell<Threadline>,
}

impl Server {
    fn new(world: &World, number: usize, table: Arc<dyn Store>, random: &mut Random) -> Self {
        let skew = usize::try_from(world.parameters.skew.as_millis()).unwrap_or(0);
        let ahead = Duration::from_millis(u64::try_from(random.between(0, skew)).unwrap_or(0));
        let millis = AtomicU64::new(u64::try_from(ahead.as_millis()).unwrap_or(0));
        let clock = Arc::new(Skewed { clock: world.clock.clone(), millis });
        let faults = world.faults(table, random);
        let chat = RefCell::new(start(world, number, &faults, &clock));
        Self { number, life: Cell::new(0), faults, clock, chat }
    }

    /// Returns the server's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the server's clock to this much later than the correct time.
    pub(super) fn set_clock(&self, ahead_millis: u64) {
        self.clock.millis.store(ahead_millis, Ordering::Relaxed);
    }

    pub(super) fn chat(&self) -> Threadline {
        self.chat.borrow().clone()
    }

    /// Does the work; `None` if the server crashes.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let life = self.life.get();
        let mut work = pin!(work);
        poll_fn(|context| match self.life.get() == life {
            true => work.as_mut().poll(context).map(Some),
            false => Poll::Ready(None),
        })
        .await
    }

    /// Crashes the process, and starts another one.
    pub(super) fn crash(&self, world: &World) {
        self.life.set(self.life.get().wrapping_add(1));
        *self.chat.borrow_mut() = start(world, self.number, &self.faults, &self.clock);
    }
}

fn start(world: &World, number: usize, faults: &FaultStore<Arc<dyn Store>>, clock: &Arc<Skewed>) -> Threadline {
    let name = format!("server {number}");
    Threadline::new(Network::new(faults.clone(), name, &world.traffic)).clock(clock.clone()).ids(world.ids())
}

/// A fast clock.
#[derive(Debug)]
struct Skewed {
    clock: Arc<ManualClock>,
    millis: AtomicU64,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.clock.now().saturating_add(Duration::from_millis(self.millis.load(Ordering::Relaxed)))
    }
}
