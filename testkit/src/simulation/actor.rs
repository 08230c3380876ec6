//! The handle by which an application's own code takes part in a simulation.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use threadline::{Clock, IdSource, Result, SequentialIds, Threadline, User};
use uuid::Uuid;

use super::executor::pause;
use super::violation::Breach;
use super::world::World;
use crate::random::Random;

/// A handle for an application's own code in a [`Simulation`](super::Simulation). The code calls the simulated servers
/// as users' devices do. All random numbers of the handle follow from the seed.
#[derive(Clone)]
pub struct Actor {
    world: Rc<World>,
    random: Rc<RefCell<Random>>,
    ids: Rc<SequentialIds>,
}

impl Actor {
    pub(super) fn new(world: Rc<World>, random: Random) -> Self {
        let ids = Rc::new(world.ids());
        Self { world, random: Rc::new(RefCell::new(random)), ids }
    }

    /// Runs this work on a random server. The work takes time, meets faults, and interleaves with all other work.
    /// Returns `None` if the server crashes: the outcome is then unknown. The simulation does not retry the call. Retry
    /// it in your own code, after a [`pause`](Self::pause).
    pub async fn call<T>(&self, work: impl AsyncFn(Threadline) -> Result<T>) -> Option<Result<T>> {
        let servers = &self.world.servers;
        let server = servers.get(self.below(servers.len()))?;
        server.run(work(server.chat())).await
    }

    /// Waits while other tasks of the simulation run.
    pub async fn pause(&self) {
        let steps = 1 + self.below(8);
        pause(u32::try_from(steps).unwrap_or(1)).await;
    }

    /// Returns all users, each in the newest version that the user's devices know. The list is empty at the start.
    pub fn users(&self) -> Vec<User> {
        self.world.people.borrow().iter().filter_map(|versions| versions.last().cloned()).collect()
    }

    /// Returns a random number below `end`; 0 if `end` is 0.
    pub fn below(&self, end: usize) -> usize {
        self.random.borrow_mut().below(end)
    }

    /// Returns a new, unique UUIDv7 with the current time of the simulation.
    pub fn new_id(&self) -> Uuid {
        self.ids.next(self.world.clock.now())
    }

    /// Adds a line to the trace that a [`Violation`](super::Violation) shows.
    pub fn trace(&self, line: impl Into<String>) {
        self.world.trace(|| line.into());
    }

    /// Ends the simulation with a [`Violation`](super::Violation) of this invariant. `what` is the observation.
    pub fn fail(&self, invariant: impl Into<String>, what: impl Into<String>) {
        self.world.report(Breach::new(invariant.into(), what));
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Actor")
    }
}
