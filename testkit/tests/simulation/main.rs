//! Whole deployments, each simulated from its seed. Correct code violates no invariant; each injected bug is found.

mod bugs;
mod own_code;
mod rewritten;

use threadline_testkit::simulation::{FaultKind, Simulation, Summary};

/// Runs a hundred seeds. A violation shows the seed and the command that reproduces it.
fn hundred(injected: FaultKind, from: u64) {
    let run = |seed| Simulation::seeded(seed).faults(injected).run().unwrap_or_else(|violation| panic!("{violation}"));
    let summaries: Vec<_> = (from..from + 100).map(run).collect();
    let sum = |part: fn(&Summary) -> u64| summaries.iter().map(part).sum::<u64>();
    let messages = sum(|summary| summary.messages);
    assert!(messages > 1000, "{messages} messages: hardly anything was simulated");
    // Each fault occurs if it is injected, and only then.
    let kinds = [
        (FaultKind::Requests, "faults", sum(|summary| summary.faults)),
        (FaultKind::Crashes, "crashes", sum(|summary| summary.crashes)),
        (FaultKind::DroppedCalls, "dropped calls", sum(|summary| summary.dropped_calls)),
        (FaultKind::LateWrites, "late writes", sum(|summary| summary.late_writes)),
        (FaultKind::Redelivery, "rewinds", sum(|summary| summary.rewinds)),
        (FaultKind::Redelivery, "takeovers", sum(|summary| summary.takeovers)),
        (FaultKind::IndexLag, "stale reads", sum(|summary| summary.stale_reads)),
        (FaultKind::Clocks, "clock steps", sum(|summary| summary.clock_steps)),
        (FaultKind::ExtraItems, "foreign items", sum(|summary| summary.foreign_items)),
        (FaultKind::ExtraItems, "unreadable items", sum(|summary| summary.unreadable_items)),
    ];
    assert!(sum(|summary| summary.continued_pages) > 1000 && sum(|summary| summary.unread_checks) > 0);
    for (kind, what, count) in kinds {
        assert_eq!(count > 0, injected == kind || injected == FaultKind::Any, "{count} {what}");
    }
}

#[test]
fn interleaved_requests_break_nothing() {
    hundred(FaultKind::Races, 0);
}

#[test]
fn throttles_conflicts_failures_and_lost_answers_break_nothing() {
    hundred(FaultKind::Requests, 0);
}

#[test]
fn crashes_of_servers_and_projectors_break_nothing() {
    hundred(FaultKind::Crashes, 0);
}

#[test]
fn dropped_calls_break_nothing() {
    hundred(FaultKind::DroppedCalls, 0);
}

#[test]
fn late_writes_break_nothing() {
    hundred(FaultKind::LateWrites, 0);
}

#[test]
fn redelivery_and_two_projectors_on_one_shard_break_nothing() {
    hundred(FaultKind::Redelivery, 0);
}

#[test]
fn foreign_and_unreadable_items_break_nothing() {
    hundred(FaultKind::ExtraItems, 0);
}

#[test]
fn index_lag_breaks_nothing() {
    hundred(FaultKind::IndexLag, 0);
}

#[test]
fn wrong_clocks_break_nothing() {
    hundred(FaultKind::Clocks, 0);
}

#[test]
fn all_faults_at_once_break_nothing() {
    hundred(FaultKind::Any, 0);
}

#[test]
fn all_faults_at_once_break_nothing_with_seeds_from_100() {
    hundred(FaultKind::Any, 100);
}

#[test]
fn all_faults_at_once_break_nothing_with_seeds_from_200() {
    hundred(FaultKind::Any, 200);
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
