//! The repository itself: the layers of the source, and the Rust version that the manifest states.

mod layers;
mod msrv;
#[path = "../support/sources.rs"]
mod sources;
