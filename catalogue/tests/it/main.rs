//! Tests of the catalogue from outside.

mod cost;
mod picture;
mod program;
mod registry;

use threadline::card::registry::Registry;
use threadline_catalogue::Catalogue;

/// Returns the catalogue of this crate's patterns.
fn catalogue() -> Catalogue {
    Catalogue::new(Registry::new()).unwrap()
}
