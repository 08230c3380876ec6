//! Two sides that do the same work in turns on one thread, so that a busy machine slows both alike. The output is not
//! judged: the targets are for a quiet machine.

use cpu_time::ThreadTime;
use threadline::entity::Entity;

use super::{Table, Thread, block_on};

/// A target for the CPU time of a piece of work.
pub(crate) enum Target {
    /// At most this many times the other side's.
    AtMost(f64),
    /// The other side's, divided by at least this.
    Faster(f64),
}

/// Two sides, and the number of rounds.
pub(crate) struct Turns {
    rounds: usize,
}

impl Turns {
    /// Prints the heading. An odd number of rounds has a median.
    pub(crate) fn against(other: &str) -> Self {
        let rounds = if std::env::args().any(|argument| argument == "--bench") {
            201
        } else {
            println!("This is a test that it works: one round, from which nothing follows.");
            1
        };
        println!("{:<22} {:>13} {other:>13} {:>7} {:>8}", "CPU time of one", "threadline", "ratio", "target");
        Self { rounds }
    }

    /// Measures both sides in turns and prints the medians. The ratio is the median of the rounds' ratios, so changes
    /// of the machine's speed do not matter.
    pub(crate) fn compare(&self, name: &str, target: Target, ours: impl Fn() -> f64, other: impl Fn() -> f64) {
        let mut measured: Vec<(f64, f64)> = Vec::with_capacity(self.rounds);
        for round in 0..self.rounds {
            // Each side goes first in half of the rounds.
            let other_first = (round % 2 == 1).then(&other);
            let ours = ours();
            measured.push((ours, other_first.unwrap_or_else(&other)));
        }
        let median_of = |value: fn(&(f64, f64)) -> f64| median(measured.iter().map(value).collect());
        let (ratio, target) = match target {
            Target::AtMost(most) => (median_of(|pair| pair.0 / pair.1), format!("<= {most:.2}")),
            Target::Faster(least) => (median_of(|pair| pair.1 / pair.0), format!(">= {least:.1}")),
        };
        let (ours, other) = (median_of(|pair| pair.0), median_of(|pair| pair.1));
        println!("{name:<22} {ours:>10.0} ns {other:>10.0} ns {ratio:>7.2} {target:>8}");
    }
}

/// Returns the nanoseconds to put one of the thread's first `count` messages.
pub(crate) fn put(table: &impl Table, thread: &Thread, count: usize) -> f64 {
    timed(&thread.messages[..count], |message| assert!(block_on(table.put(message))))
}

/// Returns the nanoseconds to read one of the thread's first `count` messages.
pub(crate) fn get(table: &impl Table, thread: &Thread, count: usize) -> f64 {
    timed(&thread.messages[..count], |message| assert!(block_on(table.get(message.key_parts())).is_some()))
}

/// Returns the nanoseconds to read the newest page.
pub(crate) fn newest(table: &impl Table, thread: &Thread) -> f64 {
    timed(&[(); 50], |()| assert_eq!(block_on(table.newest(thread.group())).len(), 20))
}

/// Returns the nanoseconds to move the inbox entry to one of the thread's first `count` messages.
pub(crate) fn advance(table: &impl Table, thread: &Thread, count: usize) -> f64 {
    timed(&thread.messages[..count], |message| assert!(block_on(table.advance(&thread.entry, message))))
}

/// Returns the nanoseconds of CPU time that the work took for one of the inputs.
fn timed<T>(inputs: &[T], work: impl FnMut(&T)) -> f64 {
    let start = ThreadTime::now();
    inputs.iter().for_each(work);
    start.elapsed().as_nanos() as f64 / inputs.len() as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
