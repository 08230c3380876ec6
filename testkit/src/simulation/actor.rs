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

/// An application's own code in a simulated deployment. It calls the deployment's servers as the other devices do. All
/// its random choices follow from the seed.
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

    /// Calls a random server. The work takes time, meets faults, and interleaves with all other work. Returns `None` if
    /// the server crashes, so the outcome is unknown. The call is not retried: retry it yourself, with
    /// [`pause`](Self::pause) in between.
    pub async fn call<T>(&self, work: impl AsyncFn(Threadline) -> Result<T>) -> Option<Result<T>> {
        let servers = &self.world.servers;
        let server = servers.get(self.below(servers.len()))?;
        server.run(work(server.chat())).await
    }

    /// Lets other tasks run.
    pub async fn pause(&self) {
        let steps = 1 + self.below(8);
        pause(u32::try_from(steps).unwrap_or(1)).await;
    }

    /// Returns the users created so far, as their own devices know them. Empty at the start.
    pub fn users(&self) -> Vec<User> {
        self.world.people.borrow().iter().filter_map(|versions| versions.last().cloned()).collect()
    }

    /// Draws a number below `end`; 0 if `end` is 0.
    pub fn below(&self, end: usize) -> usize {
        self.random.borrow_mut().below(end)
    }

    /// Returns a new, unique UUIDv7 of the current time.
    pub fn new_id(&self) -> Uuid {
        self.ids.next(self.world.clock.now())
    }

    /// Adds a line to the trace.
    pub fn trace(&self, line: impl Into<String>) {
        self.world.trace(|| line.into());
    }

    /// Ends the simulation with a violation of this invariant and the observation.
    pub fn fail(&self, invariant: impl Into<String>, what: impl Into<String>) {
        self.world.report(Breach::new(invariant.into(), what));
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Actor")
    }
}
