//! The counts of a run.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::answer::Answer;
use crate::operation::Operation;
use crate::tolerated::TOLERATED;

#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) operations: u64,
    /// The number of operations of each kind and outcome, for the in-memory store.
    pub(crate) outcomes: BTreeMap<(&'static str, &'static str), u64>,
    /// The number of pages of the in-memory store's queries and scans.
    pub(crate) pages: u64,
    /// The number of changes in the in-memory store's stream.
    pub(crate) changes: u64,
    /// The number of times that each tolerated difference was met.
    pub(crate) met: Vec<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { operations: 0, outcomes: BTreeMap::new(), pages: 0, changes: 0, met: vec![0; TOLERATED.len()] }
    }
}

impl Tally {
    pub(crate) fn count(&mut self, operation: &Operation, answer: &Answer) {
        self.operations += 1;
        if let Answer::Pages(pages) = answer {
            self.pages += u64::try_from(pages.len()).unwrap_or(u64::MAX);
        }
        let outcome = match answer {
            Answer::Refused { .. } => "refused",
            Answer::Canceled { .. } => "canceled",
            Answer::Failed { .. } => "an error",
            _ => "done",
        };
        *self.outcomes.entry((operation.name(), outcome)).or_default() += 1;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.pages += other.pages;
        self.changes += other.changes;
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        for (met, more) in self.met.iter_mut().zip(other.met) {
            *met += more;
        }
    }
}
