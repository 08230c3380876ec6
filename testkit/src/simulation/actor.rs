//! Where an application's own code runs in a simulated deployment.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use threadline::{Clock, IdSource, Result, SequentialIds, Threadline, User};
use uuid::Uuid;

use super::executor::pause;
use super::violation::Breach;
use super::world::World;
use crate::random::Random;

/// A place in a simulated deployment for an application's own code: a device of somebody's, which asks the deployment's servers as
/// all others do. Everything that is drawn here follows from the seed.
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

    /// Asks a server, which is drawn: what it does takes its time, meets faults, and interleaves with all others. `None` where the
    /// server dies over it, so that nobody knows how far it came. It is asked once: trying again is the application's, with
    /// [`pause`](Self::pause) in between.
    pub async fn call<T>(&self, work: impl AsyncFn(Threadline) -> Result<T>) -> Option<Result<T>> {
        let servers = &self.world.servers;
        let server = servers.get(self.below(servers.len()))?;
        server.run(work(server.chat())).await
    }

    /// Lets others go on.
    pub async fn pause(&self) {
        let steps = 1 + self.below(8);
        pause(u32::try_from(steps).unwrap_or(1)).await;
    }

    /// The users that there are by now, as they are known to their own devices. Nobody at the beginning.
    pub fn users(&self) -> Vec<User> {
        self.world.people.borrow().iter().filter_map(|versions| versions.last().cloned()).collect()
    }

    /// A number below this one; 0 below 0.
    pub fn below(&self, end: usize) -> usize {
        self.random.borrow_mut().below(end)
    }

    /// A UUIDv7 of now that nobody else has.
    pub fn new_id(&self) -> Uuid {
        self.ids.next(self.world.clock.now())
    }

    /// Adds a line to the trace.
    pub fn trace(&self, line: impl Into<String>) {
        self.world.trace(|| line.into());
    }

    /// Ends the simulation: this invariant does not hold, and that is what was seen.
    pub fn fail(&self, invariant: impl Into<String>, what: impl Into<String>) {
        self.world.report(Breach::new(invariant.into(), what));
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Actor")
    }
}
