//! Whole deployments, each simulated from its seed: no invariant breaks, and each that a bug would break is seen to break.

mod bugs;
mod own_code;
mod rewritten;

use threadline_testkit::simulation::{Simulation, Summary, Trouble};

/// Runs a hundred seeds. A violation tells the seed and the command that replays it.
fn hundred(trouble: Trouble, from: u64) {
    let run = |seed| Simulation::seeded(seed).trouble(trouble).run().unwrap_or_else(|violation| panic!("{violation}"));
    let summaries: Vec<_> = (from..from + 100).map(run).collect();
    let sum = |part: fn(&Summary) -> u64| summaries.iter().map(part).sum::<u64>();
    let messages = sum(|summary| summary.messages);
    assert!(messages > 1000, "{messages} messages: hardly anything was simulated");
    // Each trouble is there where it should be, and nowhere else.
    let troubles = [
        (Trouble::Faults, "faults", sum(|summary| summary.faults)),
        (Trouble::Crashes, "crashes", sum(|summary| summary.crashes)),
        (Trouble::Dropped, "dropped calls", sum(|summary| summary.dropped_calls)),
        (Trouble::Late, "late writes", sum(|summary| summary.late_writes)),
        (Trouble::Redelivery, "repeats", sum(|summary| summary.repeats)),
        (Trouble::Redelivery, "takeovers", sum(|summary| summary.takeovers)),
        (Trouble::Lag, "stale reads", sum(|summary| summary.stale_reads)),
        (Trouble::Clocks, "clock steps", sum(|summary| summary.clock_steps)),
        (Trouble::Items, "foreign items", sum(|summary| summary.foreign_items)),
        (Trouble::Items, "unreadable items", sum(|summary| summary.unreadable_items)),
    ];
    assert!(sum(|summary| summary.continued_pages) > 1000 && sum(|summary| summary.unread_checks) > 0);
    for (kind, what, count) in troubles {
        assert_eq!(count > 0, trouble == kind || trouble == Trouble::Any, "{count} {what}");
    }
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
fn calls_that_are_dropped_midway_break_nothing() {
    hundred(Trouble::Dropped, 0);
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
fn foreign_and_unreadable_items_break_nothing() {
    hundred(Trouble::Items, 0);
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
