//! The catalogue: a checked registry, and the scenarios of its patterns.

use std::collections::BTreeSet;

use threadline::card::registry::Registry;
use threadline::card::{Card, EntityCard, Per};
use threadline::table::TableSpec;
use threadline_testkit::scenario::{self, Scenario};

use crate::error::Error;

/// A checked registry with the scenarios of its patterns. Every output of this crate follows from it.
///
/// ```
/// use threadline::card::registry::Registry;
/// use threadline_catalogue::Catalogue;
///
/// let catalogue = Catalogue::new(Registry::new())?;
/// assert!(catalogue.card("messages.send").is_ok());
/// # Ok::<(), threadline_catalogue::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Catalogue {
    registry: Registry,
    scenarios: Vec<Scenario>,
    table: TableSpec,
}

impl Catalogue {
    /// Creates a catalogue of these cards, with the scenarios of this crate's patterns.
    ///
    /// # Errors
    /// [`Error::SameName`], [`Error::UnknownEntity`], [`Error::Template`] or [`Error::Cost`], each with the name of the
    /// faulty card or entity.
    pub fn new(registry: Registry) -> Result<Self, Error> {
        check(&registry)?;
        Ok(Self { registry, scenarios: scenario::all(), table: TableSpec::new("threadline") })
    }

    /// Adds the scenarios of an application's own patterns. With them, [`explain`](Self::explain) prints exact requests.
    #[must_use]
    pub fn scenarios(mut self, scenarios: impl IntoIterator<Item = Scenario>) -> Self {
        self.scenarios.extend(scenarios);
        self
    }

    /// Sets the definition of the table, for the formats of a deployment. Default: `TableSpec::new("threadline")`.
    #[must_use]
    pub fn table(mut self, table: TableSpec) -> Self {
        self.table = table;
        self
    }

    /// Returns the definition of the table.
    pub fn get_table(&self) -> &TableSpec {
        &self.table
    }

    /// Returns the scenario of a case, if any.
    pub(crate) fn scenario(&self, pattern: &str, case: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.pattern == pattern && scenario.case == case)
    }

    /// Returns the registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the card of a pattern.
    ///
    /// # Errors
    /// [`Error::NoChoice`] with the names of all patterns, if there is none with this name.
    pub fn card(&self, name: &str) -> Result<&'static Card, Error> {
        self.registry.card(name).ok_or_else(|| Error::NoChoice {
            what: "pattern",
            given: name.to_owned(),
            choices: self.pattern_names(),
        })
    }

    /// Returns the names of all patterns, separated by commas.
    pub(crate) fn pattern_names(&self) -> String {
        self.registry.cards().iter().map(|card| card.name).collect::<Vec<_>>().join(", ")
    }
}

fn check(registry: &Registry) -> Result<(), Error> {
    registry.entities().iter().try_for_each(|entity| check_templates(entity))?;
    let mut names = BTreeSet::new();
    for card in registry.cards() {
        if !names.insert(card.name) {
            return Err(Error::SameName(card.name));
        }
        let entities = card.cases.iter().flat_map(|case| case.requests).filter_map(|request| request.entity);
        for entity in entities {
            if !registry.entities().contains(&entity) {
                return Err(Error::UnknownEntity { card: card.name, entity: entity.name });
            }
        }
        card.cases.iter().try_for_each(|case| {
            let error = |reason| Error::Cost { card: card.name, case: case.name, reason };
            check_cost(case.cost.terms).map_err(error)
        })?;
    }
    Ok(())
}

fn check_cost(terms: &[threadline::card::Term]) -> Result<(), &'static str> {
    let mut items = terms.iter().filter_map(|term| if let Per::Each(item) = term.per { Some(item) } else { None });
    let first = items.next();
    if items.any(|item| Some(item) != first) {
        return Err("it counts two kinds of things, but a cost may count one");
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
    if entity.pk.starts_with('<') {
        let error = |reason| Error::Template { entity: entity.name, template: entity.pk, reason };
        return Err(error("a partition key begins with a tag, so that it meets no other entity's"));
    }
    Ok(())
}

/// Returns `true` for a tag, and for a name in angle brackets.
fn is_segment(segment: &str) -> bool {
    let name = segment.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let name = name.unwrap_or(segment);
    !name.is_empty() && !name.contains(['<', '>'])
}
