#![doc = include_str!("../docs/simulation.md")]

mod actor;
mod at_rest;
mod client;
mod executor;
mod extra_items;
mod model;
mod network;
mod parameters;
mod reads;
mod shards;
mod truth;
mod violation;
mod world;
mod writes;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use threadline::MemoryStore;
use threadline::store::Store;
use threadline::stream::{Projector, SequenceNumber, StreamRecord};

use self::client::Client;
use self::executor::{Tasks, run_alone};
use self::network::{Network, lock};
use self::parameters::Parameters;
use self::shards::Shards;
use self::violation::Breach;
use self::world::World;
use crate::random::Random;

pub use actor::Actor;
pub use parameters::FaultKind;
pub use violation::Violation;

/// The maximum number of steps. A run that needs more does not come to rest.
const MOST_STEPS: u64 = 2_000_000;
/// The default number of trace lines in a violation.
const TRACE_LINES: usize = 60;

type Wrap = Rc<dyn Fn(Arc<dyn Store>) -> Arc<dyn Store>>;
type ActorFn = Rc<dyn Fn(Actor) -> Pin<Box<dyn Future<Output = ()>>>>;
type Invariant = Rc<dyn Fn(MemoryStore) -> Pin<Box<dyn Future<Output = Result<(), String>>>>>;
type Keep = Rc<dyn Fn(&StreamRecord) -> bool>;

/// A simulated deployment: users' devices, servers, projectors and a table, from one seed. The [module](self) describes
/// its contents and its checks.
#[derive(Clone)]
pub struct Simulation {
    seed: u64,
    faults: FaultKind,
    server_store: Wrap,
    projector_store: Wrap,
    keeps: Keep,
    actors: Vec<ActorFn>,
    invariants: Vec<(Cow<'static, str>, Invariant)>,
    full_trace: bool,
    /// `true` for the library's own workload on its own table.
    is_builtin: bool,
}

/// The counts of a run of a [`Simulation`]. They show the faults that the run met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of steps. Each step runs one task to its next yield point.
    pub steps: u64,
    /// The number of requests to the table.
    pub requests: u64,
    /// The number of requests that met a fault.
    pub faults: u64,
    /// The number of crashes of servers and projectors.
    pub crashes: u64,
    /// The number of calls that a server dropped midway.
    pub dropped_calls: u64,
    /// The number of writes that reached the table after their sender had given up.
    pub late_writes: u64,
    /// The number of stream records that were delivered, including redeliveries.
    pub records: u64,
    /// The number of times that the stream moved back to records that were already processed.
    pub rewinds: u64,
    /// The number of times that a second projector started on a shard while another one worked on it.
    pub takeovers: u64,
    /// The number of reads of the index while the index lagged.
    pub stale_reads: u64,
    /// The number of servers whose clock was fast at the end.
    pub fast_clocks: u64,
    /// The number of times that a server's clock was set forward or back.
    pub clock_steps: u64,
    /// The number of items in the table that belong to other programs.
    pub foreign_items: u64,
    /// The number of items of Threadline's entities that cannot be read.
    pub unreadable_items: u64,
    /// The number of requests for the second or a later page of a list.
    pub continued_pages: u64,
    /// The number of comparisons of unread messages: one for each message and each member.
    pub unread_checks: u64,
    /// The number of messages in the table at the end.
    pub messages: u64,
}

impl Simulation {
    /// Creates the deployment of this seed, with faults of all kinds. The seed also determines the size of the
    /// deployment and its workload.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            faults: FaultKind::Any,
            server_store: Rc::new(|table| table),
            projector_store: Rc::new(|table| table),
            keeps: Rc::new(|_| true),
            actors: Vec::new(),
            invariants: Vec::new(),
            full_trace: false,
            is_builtin: true,
        }
    }

    /// Sets the faults to inject. Default: [`FaultKind::Any`].
    #[must_use]
    pub fn faults(mut self, kind: FaultKind) -> Self {
        self.faults = kind;
        self
    }

    /// Adds code of the application, which runs beside the users' devices. Call this method once for each actor. The
    /// code may await only the methods of its [`Actor`]. No other future wakes the code.
    #[must_use]
    pub fn actor<W: Future<Output = ()> + 'static>(mut self, work: impl Fn(Actor) -> W + 'static) -> Self {
        self.is_builtin = false;
        self.actors.push(Rc::new(move |actor| Box::pin(work(actor))));
        self
    }

    /// Adds an invariant of the application: a sentence, and a function that checks the table once the simulation is at
    /// rest. If the table violates the invariant, the function returns its observation as the error.
    #[must_use]
    pub fn invariant<W: Future<Output = Result<(), String>> + 'static>(
        mut self,
        invariant: impl Into<Cow<'static, str>>,
        holds: impl Fn(MemoryStore) -> W + 'static,
    ) -> Self {
        self.is_builtin = false;
        self.invariants.push((invariant.into(), Rc::new(move |table| Box::pin(holds(table)))));
        self
    }

    /// Sets a function that wraps the store of each server. The wrapper may be an application's cache, or a bug for the
    /// simulation to find. The simulation calls the function once for each server. Default: no wrapper.
    #[must_use]
    pub fn server_store(mut self, wrap: impl Fn(Arc<dyn Store>) -> Arc<dyn Store> + 'static) -> Self {
        self.is_builtin = false;
        self.server_store = Rc::new(wrap);
        self
    }

    /// Sets a function that wraps the store of each projector. The simulation calls the function once for each
    /// projector. Default: no wrapper.
    #[must_use]
    pub fn projector_store(mut self, wrap: impl Fn(Arc<dyn Store>) -> Arc<dyn Store> + 'static) -> Self {
        self.is_builtin = false;
        self.projector_store = Rc::new(wrap);
        self
    }

    /// Sets a filter of stream records. The projectors receive the records for which the function returns `true`. All
    /// other records are lost, as with a wrong event filter. Default: the projectors receive all records.
    #[must_use]
    pub fn record_filter(mut self, keep: impl Fn(&StreamRecord) -> bool + 'static) -> Self {
        self.is_builtin = false;
        self.keeps = Rc::new(keep);
        self
    }

    /// Keeps the whole trace for a [`Violation`]. Default: the last 60 lines.
    #[must_use]
    pub fn full_trace(mut self) -> Self {
        self.full_trace = true;
        self
    }

    /// Runs the simulation until all work is done and no more faults occur. Returns the counts of the run.
    ///
    /// # Errors
    /// [`Violation`] if an invariant is violated. The simulation then runs a second time to record the trace.
    pub fn run(&self) -> Result<Summary, Box<Violation>> {
        self.play(false).or_else(|violation| self.play(true).and(Err(violation)))
    }

    fn play(&self, traced: bool) -> Result<Summary, Box<Violation>> {
        let mut random = Random::seeded(self.seed);
        let parameters = Parameters::drawn(&mut random, self.faults);
        let mut run = Run::new(parameters, &mut random, self, traced);
        let result = run
            .run_to_rest()
            .and_then(|()| at_rest::check(&run.world, &mut random))
            .and_then(|()| self.check_own_invariants(&run.world.store));
        match result {
            Ok(()) => Ok(run.summary()),
            Err(breach) => {
                let mut traffic = lock(&run.world.traffic);
                let mut trace = traffic.trace.take().unwrap_or_default();
                if !self.full_trace {
                    trace.drain(..trace.len().saturating_sub(TRACE_LINES));
                }
                let Breach { invariant, observed } = breach;
                let (seed, faults, step, is_builtin) = (self.seed, self.faults, traffic.step, self.is_builtin);
                Err(Box::new(Violation { seed, faults, step, invariant, observed, trace, is_builtin }))
            }
        }
    }
}

impl Simulation {
    fn check_own_invariants(&self, table: &MemoryStore) -> Result<(), Breach> {
        for (invariant, holds) in &self.invariants {
            run_alone(holds(table.clone())).map_err(|what| Breach::new(invariant.clone(), what))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("seed", &self.seed).field("faults", &self.faults).finish_non_exhaustive()
    }
}

/// A run of a simulation.
struct Run {
    world: Rc<World>,
    tasks: Tasks,
    shards: Rc<Shards>,
    /// For each shard, `true` if its projector is alive.
    projectors: Vec<Rc<Cell<bool>>>,
    projector_store: Wrap,
    keeps: Keep,
    random: Random,
    seen: Option<SequenceNumber>,
    crashes: u64,
    takeovers: u64,
    clock_steps: u64,
    steps: u64,
}

impl Run {
    fn new(parameters: Parameters, random: &mut Random, simulation: &Simulation, traced: bool) -> Self {
        let tasks = Tasks::new(random.fork(), parameters.sticky);
        let world = Rc::new(World::new(parameters, random, &*simulation.server_store, traced));
        world.trace(|| format!("{:?}", world.parameters));
        let shards = Rc::new(Shards::new(&world, random));
        let mut run = Self {
            world,
            tasks,
            shards,
            projectors: Vec::new(),
            projector_store: Rc::clone(&simulation.projector_store),
            keeps: Rc::clone(&simulation.keeps),
            random: random.fork(),
            seen: None,
            crashes: 0,
            takeovers: 0,
            clock_steps: 0,
            steps: 0,
        };
        for person in 0..run.world.parameters.users {
            for device in 0..run.world.parameters.devices {
                let client = Client::new(Rc::clone(&run.world), person, device, random.fork());
                run.world.devices.set(run.world.devices.get() + 1);
                let weight = run.weight();
                run.tasks.spawn(weight, client.live());
            }
        }
        for actor in &simulation.actors {
            let work = actor(Actor::new(Rc::clone(&run.world), random.fork()));
            let world = Rc::clone(&run.world);
            world.devices.set(world.devices.get() + 1);
            run.tasks.spawn(4, async move {
                work.await;
                world.devices.set(world.devices.get().saturating_sub(1));
            });
        }
        for shard in 0..run.world.parameters.shards {
            run.projectors.push(Rc::new(Cell::new(false)));
            run.start_projector(shard);
        }
        run
    }

    /// Draws a task's weight: some tasks are slower than others.
    fn weight(&mut self) -> u32 {
        self.random.pick(&[1, 4, 4, 16]).copied().unwrap_or(1)
    }

    /// Starts another projector, which takes the shard over.
    fn start_projector(&mut self, shard: usize) {
        let table = (self.projector_store)(Arc::new(self.world.store.clone()));
        let faults = self.world.faults(table, &mut self.random);
        let lease = self.shards.take_over(shard);
        let name = format!("projector {shard}/{lease}");
        let projector = Projector::new(Network::new(faults, name, &self.world.traffic));
        let random = self.random.fork();
        let (world, shards, keeps) = (Rc::clone(&self.world), Rc::clone(&self.shards), Rc::clone(&self.keeps));
        let lives = Rc::new(Cell::new(true));
        if let Some(current) = self.projectors.get_mut(shard) {
            *current = Rc::clone(&lives);
        }
        let mut work = Box::pin(shards::work(world, shards, projector, (shard, lease), keeps, random));
        let weight = self.weight();
        self.tasks.spawn(
            weight,
            poll_fn(move |context| if lives.get() { work.as_mut().poll(context) } else { Poll::Ready(()) }),
        );
    }

    /// Runs until nothing is left to do.
    fn run_to_rest(&mut self) -> Result<(), Breach> {
        let mut faulty_steps = u64::try_from(self.random.below(2000)).unwrap_or(0);
        while !self.is_at_rest() {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Err(Breach::new(Breach::REST, format!("work is left after {MOST_STEPS} steps")));
            }
            lock(&self.world.traffic).step = self.steps;
            let tick = u64::try_from(self.random.between(0, self.world.parameters.tick)).unwrap_or(0);
            self.world.clock.advance(Duration::from_millis(tick));
            if self.world.devices.get() == 0 {
                faulty_steps = faulty_steps.saturating_sub(1);
            }
            if faulty_steps > 0 {
                self.inject_faults();
            } else if !self.world.faults_over.get() {
                self.world.end_faults();
            }
            if self.world.faults_over.get() || self.random.chance(10) {
                self.deliver_late_writes();
            }
            self.tasks.step();
            self.follow()?;
        }
        self.world.store.catch_up_index(usize::MAX);
        Ok(())
    }

    fn is_at_rest(&self) -> bool {
        self.world.faults_over.get() && self.world.devices.get() == 0 && self.shards.are_empty()
    }

    fn inject_faults(&mut self) {
        let parameters = &self.world.parameters;
        if self.random.chance(parameters.server_crash)
            && let Some(server) = self.random.pick(&self.world.servers)
        {
            self.world.trace(|| format!("server {} dies", server.number));
            server.crash(&self.world);
            self.crashes += 1;
        }
        if self.random.chance(self.world.parameters.clock_step) {
            let most = usize::try_from(self.world.parameters.skew.as_millis()).unwrap_or(0);
            let ahead = if self.random.chance(500) { 0 } else { self.random.between(0, most) };
            if let Some(server) = self.random.pick(&self.world.servers) {
                self.world.trace(|| format!("the clock of server {} is set {ahead} ms fast", server.number));
                server.set_clock(u64::try_from(ahead).unwrap_or(0));
                self.clock_steps += 1;
            }
        }
        if self.random.chance(self.world.parameters.projector_crash) {
            let shard = self.random.below(self.projectors.len());
            self.world.trace(|| format!("the projector of shard {shard} dies"));
            if let Some(lives) = self.projectors.get(shard) {
                lives.set(false);
            }
            self.start_projector(shard);
            self.crashes += 1;
        }
        if self.random.chance(self.world.parameters.takeover) {
            let shard = self.random.below(self.projectors.len());
            self.world.trace(|| format!("another projector takes shard {shard} over"));
            self.start_projector(shard);
            self.takeovers += 1;
        }
    }

    /// Delivers one late write, or all of them once the faults are over.
    fn deliver_late_writes(&mut self) {
        loop {
            let Some(late) = lock(&self.world.traffic).take_late() else { return };
            self.world.trace(|| "a late write arrives".to_owned());
            run_alone(late);
            if !self.world.faults_over.get() {
                return;
            }
        }
    }

    /// Passes the changes of this step to the model.
    fn follow(&mut self) -> Result<(), Breach> {
        let records = self.world.store.records_after(self.seen.as_ref(), usize::MAX);
        let records = records.map_err(|error| Breach::unexpected(format!("the stream: {error}")))?;
        let mut model = self.world.model.borrow_mut();
        if let Some(last) = records.last() {
            self.seen.clone_from(&last.sequence);
            model.follow(&records, self.world.time());
            self.shards.have_more();
        }
        lock(&self.world.traffic).index_lags = self.world.store.catch_up_index(0) > 0;
        model.breach.take().map_or(Ok(()), Err)
    }

    fn summary(&self) -> Summary {
        let messages: usize = self.world.model.borrow().truth.groups.values().map(|group| group.messages.len()).sum();
        let traffic = lock(&self.world.traffic);
        Summary {
            steps: self.steps,
            requests: traffic.requests,
            faults: self.world.faults_met(),
            crashes: self.crashes,
            dropped_calls: self.world.dropped.get(),
            late_writes: traffic.late_writes,
            records: self.shards.delivered.get(),
            rewinds: self.shards.rewinds.get(),
            takeovers: self.takeovers,
            stale_reads: traffic.stale_reads,
            fast_clocks: self.world.fast_clocks(),
            clock_steps: self.clock_steps,
            foreign_items: self.world.model.borrow().truth.foreign,
            unreadable_items: self.world.model.borrow().truth.unreadable,
            continued_pages: traffic.continued_pages,
            unread_checks: self.world.unread_checks.get(),
            messages: u64::try_from(messages).unwrap_or(u64::MAX),
        }
    }
}
