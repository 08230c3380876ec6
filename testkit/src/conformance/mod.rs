#![doc = include_str!("../docs/conformance.md")]
// This module is test code that ships: a store without a behavior causes a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod batch;
pub mod capacity;
pub mod condition;
pub mod delete;
pub mod expiry;
pub mod get;
pub mod index;
pub mod limits;
mod list;
pub mod paging;
pub mod put;
pub mod query;
pub mod scan;
mod scope;
mod support;
pub mod transact;
pub mod typed;
pub mod update;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use threadline::store::Store;

pub use list::all;
pub use scope::Scope;

/// A running check of a behavior.
type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One behavior that every [`Store`] must have, with the function that checks it.
#[derive(Clone, Copy)]
pub struct Behavior {
    topic: &'static str,
    name: &'static str,
    check: for<'a> fn(&'a dyn Store, &'a Scope) -> Running<'a>,
}

impl Behavior {
    /// Returns the topic of the behavior: the name of its module, such as `query`.
    pub fn topic(&self) -> &'static str {
        self.topic
    }

    /// Returns the name of the behavior, which reads as a sentence. The function that checks the behavior has the same
    /// name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks that this store has the behavior. The check uses only items of its own, whose keys contain the run id.
    ///
    /// # Panics
    /// Panics if the store does not have the behavior, or if the run id is not a
    /// [`KeySegment`](threadline::entity::KeySegment).
    pub async fn check(&self, store: &dyn Store, run_id: &str) {
        (self.check)(store, &Scope::new(run_id, self.name)).await;
    }
}

impl fmt::Debug for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Behavior({}::{})", self.topic, self.name)
    }
}
