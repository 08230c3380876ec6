#![doc = include_str!("../docs/conformance.md")]
// This module is test code that ships: a behavior that a store does not show ends in a panic that says so.
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

/// A behavior under way.
type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One behavior that every store must show.
#[derive(Clone, Copy)]
pub struct Behavior {
    topic: &'static str,
    name: &'static str,
    check: for<'a> fn(&'a dyn Store, &'a Scope) -> Running<'a>,
}

impl Behavior {
    /// What it is about, such as `query`: the module that it is in.
    pub fn topic(&self) -> &'static str {
        self.topic
    }

    /// Its name, which reads as a sentence: that of the function which checks it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks that the store shows it, on items of its own.
    ///
    /// # Panics
    /// When the store does not show it; and for a run id that is no [`KeySegment`](threadline::entity::KeySegment).
    pub async fn check(&self, store: &dyn Store, run_id: &str) {
        (self.check)(store, &Scope::new(run_id, self.name)).await;
    }
}

impl fmt::Debug for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Behavior({}::{})", self.topic, self.name)
    }
}
