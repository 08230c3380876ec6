#![doc = include_str!("docs/testing.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod conformance;
mod delivery;
pub mod fault;
#[cfg(feature = "mock")]
mod mock;
mod random;
pub mod scenario;
pub mod simulation;

pub use delivery::{Batch, Delivery};
#[cfg(feature = "mock")]
pub use mock::MockStore;
