//! Whole deployments, each simulated from its seed: no invariant breaks, and each that a bug would break is seen to break.

mod bugs;
mod own_code;
mod rewritten;

use threadline::simulation::{Simulation, Trouble};

/// Runs a hundred seeds. A violation tells the seed and the command that replays it.
fn hundred(trouble: Trouble, from: u64) {
    let mut made = (0, 0, 0);
    for seed in from..from + 100 {
        match Simulation::seeded(seed).with_trouble(trouble).run() {
            Ok(summary) => {
                made = (made.0 + summary.messages, made.1 + summary.faults, made.2 + summary.crashes);
            }
            Err(violation) => panic!("{violation}"),
        }
    }
    let (messages, faults, crashes) = made;
    assert!(messages > 1000, "{messages} messages: hardly anything was simulated");
    assert_eq!(faults > 0, matches!(trouble, Trouble::Faults | Trouble::Any), "{faults} faults");
    assert_eq!(crashes > 0, matches!(trouble, Trouble::Crashes | Trouble::Any), "{crashes} crashes");
}

#[test]
fn requests_that_interleave_break_nothing() {
    hundred(Trouble::Races, 0);
}

#[test]
fn throttles_conflicts_failures_and_lost_answers_break_nothing() {
    hundred(Trouble::Faults, 0);
}

#[test]
fn servers_and_projectors_that_die_between_two_requests_break_nothing() {
    hundred(Trouble::Crashes, 0);
}

#[test]
fn writes_that_arrive_when_they_were_given_up_break_nothing() {
    hundred(Trouble::Late, 0);
}

#[test]
fn records_that_come_again_and_two_projectors_on_one_shard_break_nothing() {
    hundred(Trouble::Redelivery, 0);
}

#[test]
fn an_index_that_lags_breaks_nothing() {
    hundred(Trouble::Lag, 0);
}

#[test]
fn clocks_that_differ_break_nothing() {
    hundred(Trouble::Clocks, 0);
}

#[test]
fn all_troubles_at_once_break_nothing() {
    hundred(Trouble::Any, 0);
}

#[test]
fn all_troubles_at_once_break_nothing_with_other_seeds() {
    hundred(Trouble::Any, 100);
}

#[test]
fn all_troubles_at_once_break_nothing_with_yet_other_seeds() {
    hundred(Trouble::Any, 200);
}

#[test]
fn a_seed_makes_the_same_run_each_time() {
    for seed in 0..5 {
        let summary = || Simulation::seeded(seed).run().unwrap();
        assert_eq!(summary(), summary(), "seed {seed}");
    }
    let summary = |seed| Simulation::seeded(seed).run().unwrap();
    assert_ne!(summary(0), summary(1));
}
