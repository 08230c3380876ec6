//! The executor: all tasks on one thread, in an order that the seed determines.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::random::Random;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// The tasks that are not complete.
pub(super) struct Tasks {
    tasks: Vec<Task>,
    random: Random,
    /// The number of steps, per thousand, that go to the task of the previous step.
    sticky: u16,
    last: Option<usize>,
}

struct Task {
    work: Work,
    weight: u32,
}

impl Tasks {
    pub(super) fn new(random: Random, sticky: u16) -> Self {
        Self { tasks: Vec::new(), random, sticky, last: None }
    }

    /// Adds a task, which gets steps in proportion to its weight.
    pub(super) fn spawn(&mut self, weight: u32, work: impl Future<Output = ()> + 'static) {
        self.tasks.push(Task { work: Box::pin(work), weight: weight.max(1) });
    }

    /// Runs one task to its next yield point.
    pub(super) fn step(&mut self) {
        let again = self.last.filter(|last| *last < self.tasks.len() && self.random.chance(self.sticky));
        let chosen = again.or_else(|| self.random.weighted(self.tasks.iter().map(|task| task.weight)));
        let Some(task) = chosen.and_then(|place| self.tasks.get_mut(place)) else { return };
        self.last = chosen;
        if task.work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
            && let Some(done) = chosen
        {
            self.tasks.swap_remove(done);
            self.last = None;
        }
    }
}

/// A yield point: the task continues in one of its later steps.
#[derive(Debug)]
pub(super) struct Yield {
    left: u32,
}

/// Yields this many times.
pub(super) fn pause(times: u32) -> Yield {
    Yield { left: times }
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(()) };
        self.left = left;
        // A task may have several requests in progress, and polls only those that were woken.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Runs a future that waits only for itself, such as a call on a store in memory.
pub(super) fn run_alone<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
