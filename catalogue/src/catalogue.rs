//! The catalogue: a checked registry, and the scenarios of its patterns.

use threadline::card::Card;
use threadline::card::registry::Registry;
use threadline::table::TableSpec;
use threadline_testkit::scenario::{self, Scenario};

use crate::check::check;
use crate::error::Error;

/// A checked registry with the scenarios of its patterns. Every output of this crate is generated from a catalogue.
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
    /// Creates a catalogue of these cards, with the scenarios of Threadline's own patterns.
    ///
    /// # Errors
    /// [`Error::SameName`], [`Error::Cases`], [`Error::UnknownEntity`], [`Error::Template`] or [`Error::Cost`] for an
    /// invalid registry. The error names the invalid card or entity.
    pub fn new(registry: Registry) -> Result<Self, Error> {
        check(&registry)?;
        Ok(Self { registry, scenarios: scenario::all(), table: TableSpec::new("threadline") })
    }

    /// Adds the scenarios of an application's own patterns. [`explain`](Self::explain) runs them to print exact
    /// requests.
    #[must_use]
    pub fn scenarios(mut self, scenarios: impl IntoIterator<Item = Scenario>) -> Self {
        self.scenarios.extend(scenarios);
        self
    }

    /// Sets the definition of the table. The formats that deploy the table, such as
    /// [`CloudFormation`](crate::Format::CloudFormation), show the whole definition. `threadline table` creates such a
    /// table. Default: `TableSpec::new("threadline")`.
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
    /// [`Error::NoChoice`] if no pattern has this name. The error lists the names of all patterns.
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
