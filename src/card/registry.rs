//! The registry: a list of the [cards](crate::card) of all access patterns and entities.
//!
//! Use the [`Registry`] in code that covers all patterns, for example to print their costs or to check their budgets.

use crate::card::{Card, EntityCard};
use crate::model::{HandleClaim, IdentityClaim, Membership, Message, MessageGroup, User};
use crate::patterns::{groups, inbox, messages, users};
use crate::stream::{audit, projector};

/// The cards of this crate's access patterns.
pub const PATTERNS: &[&Card] = &[
    &users::create::CARD,
    &users::get::CARD,
    &users::by_handle::CARD,
    &users::by_identity::CARD,
    &users::update::CARD,
    &groups::start_direct::CARD,
    &groups::create::CARD,
    &groups::import_direct::CARD,
    &groups::open::CARD,
    &groups::members::CARD,
    &groups::get::CARD,
    &groups::add_member::CARD,
    &groups::remove_member::CARD,
    &messages::send::CARD,
    &messages::get::CARD,
    &messages::page::CARD,
    &messages::edit::CARD,
    &messages::delete::CARD,
    &inbox::page::CARD,
    &inbox::mark_read::CARD,
    &inbox::unread::CARD,
    &projector::ADVANCE,
    &projector::REFRESH,
    &projector::JOIN,
    &projector::RENAME,
    &audit::CHECK,
    &audit::REPAIR,
];

/// The cards of this crate's entities: their names and the templates of their keys.
pub const ENTITIES: &[&EntityCard] =
    &[&User::CARD, &HandleClaim::CARD, &IdentityClaim::CARD, &MessageGroup::CARD, &Membership::CARD, &Message::CARD];

/// A list of cards: those of this crate's access patterns and entities, and those that an application adds.
///
/// ```
/// use threadline::card::{Caller, Card, Case, Cost, EntityCard, RequestCard, Term};
/// use threadline::card::registry::Registry;
///
/// const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note>");
/// const WRITE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone)
///     .cases(&[Case::new(&[RequestCard::put(&NOTE)], Cost::of(&[Term::writes(1)]))])
///     .retry("replaces the note with an equal one");
///
/// let registry = Registry::new().pattern(&WRITE).entity(&NOTE);
/// assert_eq!(registry.card("notes.write"), Some(&WRITE));
/// for card in registry.cards() {
///     println!("{}: {}", card.name, card.cases[0].cost);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Registry {
    cards: Vec<&'static Card>,
    entities: Vec<&'static EntityCard>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// Creates a registry with the cards of this crate.
    pub fn new() -> Self {
        Self { cards: PATTERNS.to_vec(), entities: ENTITIES.to_vec() }
    }

    /// Adds the card of an access pattern of the application.
    pub fn pattern(mut self, card: &'static Card) -> Self {
        self.cards.push(card);
        self
    }

    /// Adds the card of an entity of the application.
    pub fn entity(mut self, entity: &'static EntityCard) -> Self {
        self.entities.push(entity);
        self
    }

    /// Returns the cards of all access patterns, this crate's first.
    pub fn cards(&self) -> &[&'static Card] {
        &self.cards
    }

    /// Returns the card of the access pattern with this name, such as `messages.send`, if any.
    pub fn card(&self, name: &str) -> Option<&'static Card> {
        self.cards.iter().copied().find(|card| card.name == name)
    }

    /// Returns the cards of all entities, this crate's first.
    pub fn entities(&self) -> &[&'static EntityCard] {
        &self.entities
    }
}
