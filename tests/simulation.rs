//! Whole deployments, simulated.

use threadline::simulation::{Simulation, Trouble};

fn run(trouble: Trouble, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(violation) = Simulation::seeded(seed).with_trouble(trouble).run() {
            panic!("{violation}");
        }
    }
}

#[test]
fn races() {
    run(Trouble::Races, 0..100);
}

#[test]
fn any() {
    run(Trouble::Any, 0..100);
}
