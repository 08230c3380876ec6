//! Simulations with an application's own code and its own invariants.

use threadline::entity::{AttributeValue, Item, Key, PartitionKey, SortKey};
use threadline::store::{Get, StoreExt, Update, Write};
use threadline::{Result, Threadline};
use threadline_testkit::simulation::{Actor, Simulation};

const ACTORS: usize = 4;

fn counter() -> Key {
    Key::new(PartitionKey::parse("COUNTER").unwrap(), SortKey::parse("COUNTER").unwrap())
}

fn count(item: Option<&Item>) -> u64 {
    match item.and_then(|item| item.get("count")) {
        Some(AttributeValue::N(count)) => count.parse().unwrap(),
        _ => 0,
    }
}

/// Reads the count and writes one more. Two concurrent calls count as one.
async fn read_and_write(chat: Threadline) -> Result<()> {
    let before = count(chat.store().get(Get::new(counter()).consistent()).await?.item.as_ref());
    let update = Update::new().set("count", AttributeValue::N((before + 1).to_string()));
    chat.store().write(Write::update(counter(), update)).await?.done().map(drop)
}

async fn add_one(chat: Threadline) -> Result<()> {
    chat.store().write(Write::update(counter(), Update::new().add("count", 1))).await?.done().map(drop)
}

fn counting(seed: u64, work: impl AsyncFn(Threadline) -> Result<()> + Copy + 'static) -> Simulation {
    let mut simulation = Simulation::seeded(seed).faults(threadline_testkit::simulation::FaultKind::Races);
    for _ in 0..ACTORS {
        simulation = simulation.actor(move |actor: Actor| async move {
            actor.pause().await;
            if !matches!(actor.call(work).await, Some(Ok(()))) {
                actor.fail("a call is done where nothing goes wrong", "it failed");
            }
        });
    }
    simulation.invariant("every actor is counted", |table| async move {
        let counted = count(table.get(Get::new(counter())).await.unwrap().item.as_ref());
        if counted == 4 { Ok(()) } else { Err(format!("{counted} are")) }
    })
}

#[test]
fn a_race_in_an_actor_is_found_by_its_invariant() {
    let violation = (0..100).find_map(|seed| counting(seed, read_and_write).run().err()).unwrap();
    assert_eq!(violation.invariant, "every actor is counted");
    assert!(violation.to_string().contains(&format!("Simulation::seeded({})", violation.seed)));
    assert!(!violation.trace.is_empty());
}

#[test]
fn code_without_the_race_breaks_nothing() {
    for seed in 0..100 {
        counting(seed, add_one).run().unwrap();
    }
}

#[test]
fn an_actors_failure_ends_the_simulation() {
    let simulation = Simulation::seeded(1).actor(|actor| async move {
        while actor.users().is_empty() {
            actor.pause().await;
        }
        actor.trace("somebody is here");
        actor.fail("nobody ever comes", "somebody did");
    });
    let violation = simulation.run().unwrap_err();
    assert_eq!((&*violation.invariant, &*violation.observed), ("nobody ever comes", "somebody did"));
    assert!(violation.trace.iter().any(|line| line.ends_with("somebody is here")));
}
