//! The parts of the table that a pattern reads and writes, and its units for a small conversation.

use threadline::card::{Card, EntityCard, RequestKind, Sizes, Source, Unit};
use threadline::store::{Capacity, Units};
use threadline_testkit::scenario::Scale;

use crate::catalogue::Catalogue;

/// A pattern's access to the items of an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

impl Access {
    /// Returns the union of both.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { reads: self.reads || other.reads, writes: self.writes || other.writes }
    }

    /// Returns `read`, `write` or `read write`; `None` if there is no access.
    pub(crate) fn words(self) -> Option<&'static str> {
        match (self.reads, self.writes) {
            (true, true) => Some("read write"),
            (true, false) => Some("read"),
            (false, true) => Some("write"),
            (false, false) => None,
        }
    }
}

/// Returns the access of a pattern, over all of its cases, to the items of an entity in the table or in the index.
///
/// A scan reads the items of every entity. DynamoDB itself writes to the index, so the cost of a case shows it.
pub(crate) fn access(card: &Card, entity: &EntityCard, place: Source) -> Access {
    let mut access = Access::default();
    for case in card.cases {
        let moves_entries = entity.index.is_some() && case.cost.terms.iter().any(|term| term.unit == Unit::IndexWrite);
        for request in case.requests.iter().filter(|request| request.entity.is_none_or(|named| named == entity)) {
            let is_write = matches!(request.kind, RequestKind::Put | RequestKind::Update | RequestKind::Delete);
            access.reads |= !is_write && request.source == place;
            access.writes |= is_write && (place == Source::Table || moves_entries);
        }
    }
    access
}

/// Returns the units of the pattern's usual case, for two members and 1 KB: `1 RCU + 2 WCU`.
pub(crate) fn units(catalogue: &Catalogue, card: &Card) -> String {
    let Some(case) = card.cases.first() else { return String::new() };
    let scenario = catalogue.scenario(card.name, case.name);
    let capacity = match scenario {
        Some(scenario) => scenario.budget(case, Scale { members: 2, message_kb: 1 }),
        None => case.cost.capacity(&Sizes::new().members(2).items(1).read(600).read_index(600)),
    };
    sums(capacity)
}

/// Returns the sum of the read units and the sum of the write units, of table and index together.
fn sums(capacity: Capacity) -> String {
    let parts = [(capacity.read(), "RCU"), (capacity.write(), "WCU")];
    let parts = parts.into_iter().filter(|(units, _)| *units != Units::ZERO);
    parts.map(|(units, unit)| format!("{} {unit}", whole(units))).collect::<Vec<_>>().join(" + ")
}

/// Shows units without `.0`.
pub(crate) fn whole(units: Units) -> String {
    let text = units.to_string();
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use threadline::card::registry::{PATTERNS, Registry};
    use threadline::{Membership, Message, User};

    use super::*;

    fn words(pattern: &str, entity: &EntityCard, place: Source) -> Option<&'static str> {
        let card = PATTERNS.iter().find(|card| card.name == pattern).unwrap();
        access(card, entity, place).words()
    }

    #[test]
    fn access_follows_from_requests_and_index_units() {
        assert_eq!(words("messages.send", &Membership::CARD, Source::Table), None);
        assert_eq!(words("messages.edit", &Message::CARD, Source::Table), Some("write"));
        assert_eq!(words("messages.edit", &Message::CARD, Source::Index), None);
        assert_eq!(words("projector.advance", &Membership::CARD, Source::Table), Some("read write"));
        assert_eq!(words("projector.advance", &Membership::CARD, Source::Index), Some("write"));
        assert_eq!(words("inbox.page", &Membership::CARD, Source::Table), None);
        assert_eq!(words("inbox.page", &Membership::CARD, Source::Index), Some("read"));
    }

    #[test]
    fn scan_reads_every_entity_of_the_table() {
        assert_eq!(words("audit.check", &User::CARD, Source::Table), Some("read"));
        assert_eq!(words("audit.check", &Membership::CARD, Source::Index), None);
    }

    #[test]
    fn units_sum_table_and_index() {
        let catalogue = Catalogue::new(Registry::new()).unwrap();
        let units = |pattern| units(&catalogue, catalogue.card(pattern).unwrap());
        assert_eq!(units("messages.send"), "1 WCU");
        assert_eq!(units("projector.advance"), "1 RCU + 6 WCU");
        assert_eq!(units("inbox.page"), "0.5 RCU");
    }
}
