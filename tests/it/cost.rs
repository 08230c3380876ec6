//! Each case of each pattern consumes what its card's formula says, on the in-memory store, which charges as DynamoDB
//! does.

use threadline::store::meter::Metered;
use threadline_testkit::scenario::{Scale, World};

use crate::scenarios::{Staged, cases};

#[tokio::test]
async fn measured_capacity_equals_the_formula_of_the_card() {
    let mut wrong = Vec::new();
    for (_, case, scenario) in cases() {
        for (members, message_kb) in [(2, 1), (3, 1), (50, 1), (2, 5), (3, 5), (50, 5)] {
            let scale = Scale { members, message_kb };
            let staged = Staged::new(&scenario, scale).await;
            let meter = Metered::new(staged.store.clone());
            let session = staged.stage.enter(meter.clone(), World::CALLER).await.unwrap();
            let measured = meter.measure(staged.stage.call(&session)).await;
            match measured.exactly(scenario.budget(case, scale)) {
                Ok(outcome) => drop(outcome.unwrap_or_else(|error| panic!("{scenario:?}: {error}"))),
                Err(error) => wrong.push(format!("{scenario:?}, {scale:?}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
