//! The check of a registry: each fault is an error that names it.

use threadline::Message;
use threadline::card::registry::Registry;
use threadline::card::{Caller, Card, Case, Cost, EntityCard, Per, RequestCard, Term};
use threadline_catalogue::{Catalogue, Error};

const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note>");
const ONE_WRITE: Cost = Cost::of(&[Term::writes(1)]);
const WRITE: Card =
    Card::new("notes.write", "Notes::write", Caller::Anyone).cases(&[Case::new(&[RequestCard::put(&NOTE)], ONE_WRITE)]);

fn error(registry: Registry) -> Error {
    Catalogue::new(registry).unwrap_err()
}

#[test]
fn patterns_of_an_application_are_accepted() {
    let catalogue = Catalogue::new(Registry::new().entity(&NOTE).pattern(&WRITE)).unwrap();
    assert_eq!(catalogue.card("notes.write").unwrap(), &WRITE);
}

#[test]
fn two_cards_of_one_name_are_refused() {
    const SEND: Card = Card::new("messages.send", "Notes::send", Caller::Anyone)
        .cases(&[Case::new(&[RequestCard::get(&Message::CARD)], ONE_WRITE)]);
    let error = error(Registry::new().pattern(&SEND));
    assert!(matches!(error, Error::SameName("messages.send")), "{error}");
    assert_eq!(error.to_string(), "the registry has two cards named `messages.send`: rename one");
}

#[test]
fn card_of_an_unknown_entity_is_refused() {
    let error = error(Registry::new().pattern(&WRITE));
    assert!(matches!(error, Error::UnknownEntity { card: "notes.write", entity: "Note" }), "{error}");
}

#[test]
fn invalid_key_template_is_refused() {
    const EMPTY: EntityCard = EntityCard::new("Empty", "NOTE#", "<note>");
    const OPEN: EntityCard = EntityCard::new("Open", "NOTE#<user", "<note>");
    const UNTAGGED: EntityCard = EntityCard::new("Untagged", "<user>", "<note>");
    const INDEXED: EntityCard = EntityCard::new("Indexed", "NOTE#<user>", "<note>").indexed("##", "<note>");
    for (card, template) in [(&EMPTY, "NOTE#"), (&OPEN, "NOTE#<user"), (&UNTAGGED, "<user>"), (&INDEXED, "##")] {
        let error = error(Registry::new().entity(card));
        let Error::Template { entity, template: named, .. } = error else { panic!("{error}") };
        assert_eq!((entity, named), (card.name, template));
    }
}

#[test]
fn cost_that_does_not_evaluate_is_refused() {
    const TWO_UNITS: Card = Card::new("notes.write", "Notes::write", Caller::Anyone).cases(&[Case::named(
        "many",
        &[RequestCard::put(&NOTE)],
        Cost::of(&[Term::writes(1).per(Per::Each("note")), Term::writes(1).per(Per::Each("user"))]),
    )]);
    const NOTHING: Card = Card::new("notes.write", "Notes::write", Caller::Anyone).cases(&[Case::named(
        "many",
        &[RequestCard::put(&NOTE)],
        Cost::of(&[Term::writes(0)]),
    )]);
    const EMPTY: Card = Card::new("notes.write", "Notes::write", Caller::Anyone).cases(&[Case::named(
        "many",
        &[RequestCard::put(&NOTE)],
        Cost::of(&[]),
    )]);
    for card in [&TWO_UNITS, &NOTHING, &EMPTY] {
        let error = error(Registry::new().entity(&NOTE).pattern(card));
        assert!(matches!(error, Error::Cost { card: "notes.write", case: "many", .. }), "{error}");
    }
}

#[test]
fn two_entities_of_one_name_are_refused() {
    const MESSAGE: EntityCard = EntityCard::new("Message", "NOTE#<user>", "<note>");
    let error = error(Registry::new().entity(&MESSAGE));
    assert!(matches!(error, Error::SameName("Message")), "{error}");
}

#[test]
fn entity_with_a_tag_of_this_crate_is_refused() {
    const PINNED: EntityCard = EntityCard::new("Pinned", "MSG#<group>", "PIN#<message>");
    let error = error(Registry::new().entity(&PINNED));
    assert!(matches!(error, Error::Template { entity: "Pinned", template: "MSG#<group>", .. }), "{error}");
}

#[test]
fn card_needs_cases_with_names_of_their_own() {
    const NONE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone);
    const TWICE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone)
        .cases(&[Case::new(&[RequestCard::put(&NOTE)], ONE_WRITE), Case::new(&[RequestCard::get(&NOTE)], ONE_WRITE)]);
    for card in [&NONE, &TWICE] {
        let error = error(Registry::new().entity(&NOTE).pattern(card));
        assert!(matches!(error, Error::Cases { card: "notes.write", .. }), "{error}");
    }
}
