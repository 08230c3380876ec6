#![doc = include_str!("docs/testing.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod conformance;
pub mod fault;
#[cfg(feature = "mock")]
mod mock;
mod random;
pub mod scenario;
mod shuffled_stream;
pub mod simulation;

#[cfg(feature = "mock")]
pub use mock::MockStore;
pub use shuffled_stream::{Batch, ShuffledStream};
