//! The check of a registry. Each fault is an error that names the card or the entity.

use std::collections::BTreeSet;

use threadline::card::registry::{ENTITIES, Registry};
use threadline::card::{Card, EntityCard, Per, Term};

use crate::error::Error;

/// Checks the cards of a registry.
///
/// # Errors
/// As [`Catalogue::new`](crate::Catalogue::new).
pub(crate) fn check(registry: &Registry) -> Result<(), Error> {
    let cards = registry.cards().iter().map(|card| card.name);
    for names in [registry.entities().iter().map(|entity| entity.name).collect::<Vec<_>>(), cards.collect()] {
        if let Some(name) = repeated(names) {
            return Err(Error::SameName(name));
        }
    }
    registry.entities().iter().try_for_each(|entity| check_templates(entity))?;
    registry.cards().iter().try_for_each(|card| check_card(registry, card))
}

fn repeated(names: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

fn check_card(registry: &Registry, card: &Card) -> Result<(), Error> {
    let error = |reason| Err(Error::Cases { card: card.name, reason });
    if card.cases.is_empty() {
        return error("has no case: add one");
    }
    if repeated(card.cases.iter().map(|case| case.name)).is_some() {
        return error("has two cases of one name: rename one");
    }
    for case in card.cases {
        let mut entities = case.requests.iter().filter_map(|request| request.entity);
        if let Some(entity) = entities.find(|entity| !registry.entities().contains(entity)) {
            return Err(Error::UnknownEntity { card: card.name, entity: entity.name });
        }
        let error = |reason| Error::Cost { card: card.name, case: case.name, reason };
        check_cost(case.cost.terms).map_err(error)?;
    }
    Ok(())
}

fn check_cost(terms: &[Term]) -> Result<(), &'static str> {
    let mut items = terms.iter().filter_map(|term| if let Per::Each(item) = term.per { Some(item) } else { None });
    let first = items.next();
    if items.any(|item| Some(item) != first) {
        return Err("it counts two kinds of things, but a cost may count one");
    }
    if terms.is_empty() {
        return Err("it has no term");
    }
    if terms.iter().any(|term| term.halves == 0) {
        return Err("it has a term of zero units");
    }
    Ok(())
}

fn check_templates(entity: &EntityCard) -> Result<(), Error> {
    let of_index = entity.index.into_iter().flat_map(|(pk, sk)| [pk, sk]);
    for template in [entity.pk, entity.sk].into_iter().chain(of_index) {
        let error = |reason| Error::Template { entity: entity.name, template, reason };
        if template.split('#').any(|segment| !is_segment(segment)) {
            return Err(error("each part between `#` is a tag such as `MSG`, or a name such as `<group>`"));
        }
    }
    let error = |reason| Err(Error::Template { entity: entity.name, template: entity.pk, reason });
    let tag = entity.pk.split('#').next();
    if entity.pk.starts_with('<') {
        return error("a partition key begins with a tag");
    }
    let is_taken = ENTITIES.iter().any(|own| own.pk.split('#').next() == tag);
    if is_taken && !ENTITIES.contains(&entity) {
        return error("Threadline's own entities have this tag: begin with another one");
    }
    Ok(())
}

/// Returns `true` for a tag, and for a name in angle brackets.
fn is_segment(segment: &str) -> bool {
    let name = segment.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let name = name.unwrap_or(segment);
    !name.is_empty() && !name.contains(['<', '>'])
}
