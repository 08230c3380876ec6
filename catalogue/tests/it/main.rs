//! Tests of the catalogue from outside.

mod cost;
mod explain;
mod iam;
mod picture;
mod program;
mod registry;
#[cfg(feature = "dynamodb")]
mod wire;

use threadline::card::registry::Registry;
use threadline_catalogue::Catalogue;

/// Returns the catalogue of this crate's patterns.
fn catalogue() -> Catalogue {
    Catalogue::new(Registry::new()).unwrap()
}
