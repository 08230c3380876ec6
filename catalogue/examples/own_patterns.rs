//! The program `threadline` for an application's own entities and patterns.
//!
//! ```text
//! cargo run -p threadline-catalogue --example own_patterns -- explain notes.write
//! ```

use std::process::ExitCode;

use threadline::card::registry::Registry;
use threadline::card::{Caller, Card, Case, Cost, EntityCard, RequestCard, Term};
use threadline::entity::{Item, PK, SK, TYPE};
use threadline::store::{Condition, StoreExt, Write};
use threadline_catalogue::{Catalogue, report};
use threadline_testkit::scenario::{Call, Outcome, Scenario, World};

/// The notes of a user. In an application, this card stands beside the entity.
const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note>");

/// The pattern that writes a note, beside its code.
const WRITE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone)
    .cases(&[Case::new(&[RequestCard::put(&NOTE).when("the note is new")], Cost::of(&[Term::writes(1)]))])
    .retry("is refused, because the note exists");

/// A call of the pattern in a small world. It is also used by the application's tests.
const WRITTEN: Scenario = Scenario::new("notes.write", "", &async |world: &World| {
    let user = world.user(7).await?.id();
    Ok(Call::new(async move |session| {
        let mut note = Item::new();
        note.insert(PK, format!("NOTE#{user}"));
        note.insert(SK, "2026-11-27");
        note.insert(TYPE, NOTE.name);
        note.insert("text", "Ask about the release");
        let put = Write::put(note).when(Condition::item_absent());
        session.store.write(put).await?.done().map(Outcome::plain)
    }))
});

/// Without scenarios, one line is enough: `threadline_catalogue::main(registry)`.
fn main() -> ExitCode {
    let registry = Registry::new().entity(&NOTE).pattern(&WRITE);
    match Catalogue::new(registry) {
        Ok(catalogue) => catalogue.scenarios([WRITTEN]).main(),
        Err(error) => report(&error),
    }
}
