//! Simulates whole deployments, each from its seed, and stops at the first violation. It needs no server.
//!
//! ```text
//! cargo run --release -p threadline-testkit --example simulate -- --seeds 100000
//! cargo run --release -p threadline-testkit --example simulate -- --seed 7 --trace
//! ```

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use threadline_testkit::simulation::{FaultKind, Simulation, Summary};

/// Simulates deployments: users, servers and projectors on one table, with faults and crashes.
#[derive(Debug, Parser)]
struct Options {
    /// The number of seeds
    #[arg(long, default_value_t = 1000)]
    seeds: u64,

    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,

    /// Run only this seed
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,

    /// The faults to inject; requests interleave in any case
    #[arg(long, value_enum, default_value_t = Fault::Any)]
    fault: Fault,

    /// Print the whole trace of a violation
    #[arg(long)]
    trace: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Fault {
    Races,
    Requests,
    Crashes,
    LateWrites,
    Redelivery,
    IndexLag,
    Clocks,
    ExtraItems,
    DroppedCalls,
    Any,
}

impl From<Fault> for FaultKind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Races => Self::Races,
            Fault::Requests => Self::Requests,
            Fault::Crashes => Self::Crashes,
            Fault::LateWrites => Self::LateWrites,
            Fault::Redelivery => Self::Redelivery,
            Fault::IndexLag => Self::IndexLag,
            Fault::Clocks => Self::Clocks,
            Fault::ExtraItems => Self::ExtraItems,
            Fault::DroppedCalls => Self::DroppedCalls,
            Fault::Any => Self::Any,
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let seeds = match options.seed {
        Some(seed) => seed..=seed,
        None => options.from..=options.from.saturating_add(options.seeds).saturating_sub(1),
    };
    let bar = ProgressBar::new(seeds.end().saturating_sub(*seeds.start()).saturating_add(1));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {per_sec}, {eta} left, {msg}") {
        bar.set_style(style);
    }
    let mut summaries = Vec::new();
    for seed in seeds {
        let simulation = Simulation::seeded(seed).faults(options.fault.into());
        let simulation = if options.trace { simulation.full_trace() } else { simulation };
        match simulation.run() {
            Ok(summary) => summaries.push(summary),
            Err(violation) => {
                bar.abandon();
                // Not `eprintln!`, which panics if standard error is closed; nor `println!` below.
                writeln!(std::io::stderr(), "{violation}").ok();
                return ExitCode::FAILURE;
            }
        }
        bar.inc(1);
        if bar.is_hidden() && bar.position().is_multiple_of(10_000) {
            writeln!(std::io::stdout(), "{} of {} seeds", bar.position(), bar.length().unwrap_or_default()).ok();
        }
    }
    bar.finish_and_clear();
    let sum = |part: fn(&Summary) -> u64| summaries.iter().map(part).sum::<u64>();
    writeln!(
        std::io::stdout(),
        "{} seeds: every invariant held. {} messages, {} requests, {} faults, {} crashes, {} dropped calls, {} late \
         writes, {} records delivered, {} rewinds, {} takeovers, {} stale reads, {} clock steps, {} foreign and {} \
         unreadable items, {} continued pages, {} unread checks, {} steps.",
        summaries.len(),
        sum(|summary| summary.messages),
        sum(|summary| summary.requests),
        sum(|summary| summary.faults),
        sum(|summary| summary.crashes),
        sum(|summary| summary.dropped_calls),
        sum(|summary| summary.late_writes),
        sum(|summary| summary.records),
        sum(|summary| summary.rewinds),
        sum(|summary| summary.takeovers),
        sum(|summary| summary.stale_reads),
        sum(|summary| summary.clock_steps),
        sum(|summary| summary.foreign_items),
        sum(|summary| summary.unreadable_items),
        sum(|summary| summary.continued_pages),
        sum(|summary| summary.unread_checks),
        sum(|summary| summary.steps),
    )
    .ok();
    ExitCode::SUCCESS
}
