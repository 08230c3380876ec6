//! All scenarios of the registry's cases, each staged in memory.

use threadline::MemoryStore;
use threadline::card::registry::PATTERNS;
use threadline::card::{Card, Case};
use threadline_testkit::scenario::{self, Scale, Scenario, Stage, World};

/// The default scale of a test that does not depend on it.
pub(crate) const SMALL: Scale = Scale { members: 3, message_kb: 1 };

/// A scenario, set up on a store in memory.
pub(crate) struct Staged {
    pub(crate) stage: Stage,
    pub(crate) store: MemoryStore,
}

impl Staged {
    pub(crate) async fn new(scenario: &Scenario, scale: Scale) -> Self {
        let clock = World::clock();
        let store = MemoryStore::new().clock(clock.clone());
        let world = World::new(std::sync::Arc::new(store.clone()), clock, scale);
        let stage = scenario.stage(world).await.unwrap_or_else(|error| panic!("{scenario:?}: {error}"));
        Self { stage, store }
    }

    /// Returns the number of changes in the table's stream.
    pub(crate) fn changes(&self) -> usize {
        self.store.records_after(None, usize::MAX).unwrap().len()
    }
}

/// Returns each case of the registry with its scenario.
pub(crate) fn cases() -> Vec<(&'static Card, &'static Case, Scenario)> {
    let case = |scenario: Scenario| {
        let card = PATTERNS.iter().find(|card| card.name == scenario.pattern);
        let (card, case) = card.and_then(|card| Some((card, card.case(scenario.case)?))).unwrap();
        (*card, case, scenario)
    };
    scenario::all().into_iter().map(case).collect()
}

#[test]
fn every_case_has_one_scenario_and_every_scenario_a_case() {
    let mut cases: Vec<_> =
        PATTERNS.iter().flat_map(|card| card.cases.iter().map(|case| (card.name, case.name))).collect();
    let mut scenarios: Vec<_> = scenario::all().iter().map(|scenario| (scenario.pattern, scenario.case)).collect();
    cases.sort_unstable();
    scenarios.sort_unstable();
    assert_eq!(scenarios, cases, "scenarios on the left, cases of the registry on the right");
}
