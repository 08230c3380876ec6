//! Tests of the catalogue from outside.

mod cost;
mod explain;
mod iam;
mod infrastructure;
mod markdown;
mod mermaid;
mod page;
mod picture;
mod program;
mod registry;
#[cfg(feature = "dynamodb")]
mod wire;
mod workbench;

use threadline::card::registry::Registry;
use threadline::card::{Caller, Card, Case, Cost, EntityCard, RequestCard, Term};
use threadline_catalogue::Catalogue;

/// Returns the catalogue of this crate's patterns.
fn catalogue() -> Catalogue {
    Catalogue::new(Registry::new()).unwrap()
}

/// An entity of an application. Its texts need escaping in each format.
const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note|\"a\" & b>");
/// A pattern of an application, without a scenario.
const NOTE_WRITE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone)
    .cases(&[Case::named(
        "a | <b>b</b> \"c\"; # & d",
        &[RequestCard::put(&NOTE).when("the <i>note</i> is new; or # equal")],
        Cost::of(&[Term::writes(1)]),
    )])
    .retry("replaces the <i>note</i>");

/// Returns the catalogue with an entity and a pattern of an application.
fn catalogue_with_notes() -> Catalogue {
    Catalogue::new(Registry::new().entity(&NOTE).pattern(&NOTE_WRITE)).unwrap()
}
