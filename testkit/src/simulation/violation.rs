//! The violations that a simulation finds.

use std::borrow::Cow;
use std::fmt;

use super::parameters::FaultKind;

/// A violated invariant and its observation, before a [`Violation`] adds the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) invariant: Cow<'static, str>,
    pub(super) observed: String,
}

impl Breach {
    pub(super) const STORED: &'static str = "an acknowledged message is stored";
    pub(super) const ONCE: &'static str = "a message is stored once";
    pub(super) const TEXT: &'static str = "a message has the text that was written last";
    pub(super) const ORDER: &'static str = "a thread has one order for everyone";
    pub(super) const PAGE: &'static str = "a page is full unless it is the last one";
    pub(super) const MEMBERS: &'static str = "only members open a conversation";
    pub(super) const AUTHOR: &'static str = "only the author changes a message";
    pub(super) const FORWARD: &'static str = "an inbox entry only moves forward";
    pub(super) const ENTRY: &'static str = "at rest, an inbox entry shows the newest message and the current names";
    pub(super) const SIZE: &'static str = "an inbox entry costs one capacity unit to write";
    pub(super) const INBOX: &'static str = "at rest, an inbox has each conversation once, newest first";
    pub(super) const AUDIT: &'static str = "at rest, an audit finds nothing";
    pub(super) const COUNT: &'static str = "a group counts its members";
    pub(super) const UNREAD: &'static str = "messages of others after the marker are unread";
    pub(super) const CLAIM: &'static str = "a handle and an identity belong to one user";
    pub(super) const VERSION: &'static str = "a user's version is written once";
    pub(super) const PAIR: &'static str = "two people have one conversation";
    pub(super) const ANSWER: &'static str = "an answer is one that the call allows";
    pub(super) const READABLE: &'static str = "an item is readable";
    pub(super) const REST: &'static str = "the deployment comes to rest";

    pub(super) fn new(invariant: impl Into<Cow<'static, str>>, observed: impl Into<String>) -> Self {
        Self { invariant: invariant.into(), observed: observed.into() }
    }

    pub(super) fn unexpected(observed: impl Into<String>) -> Self {
        Self::new(Self::ANSWER, observed)
    }
}

/// The violation of an invariant in a [`Simulation`](super::Simulation). `Display` shows the seed, the invariant, the
/// observation and the trace. The texts contain no content: users, groups and messages have numbers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The seed of the simulation, which reproduces the violation.
    pub seed: u64,
    /// The kind of faults that the simulation injected.
    pub faults: FaultKind,
    /// The number of the step after which the violation was seen.
    pub step: u64,
    /// The invariant that was violated, as a sentence.
    pub invariant: Cow<'static, str>,
    /// The observation that contradicts the invariant.
    pub observed: String,
    /// The steps that led to the violation, oldest first.
    pub trace: Vec<String>,
    /// `true` for the library's own workload on its own table.
    pub(super) is_builtin: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, faults, step, invariant, observed, .. } = self;
        writeln!(f, "seed {seed}, step {step}: violated: {invariant}")?;
        writeln!(f, "  observed: {observed}")?;
        if self.is_builtin {
            let command = "cargo run --release -p threadline-testkit --example simulate --";
            writeln!(f, "  replay: {command} --seed {seed} --fault {} --trace", faults.name())?;
        } else {
            writeln!(f, "  replay: the same simulation with Simulation::seeded({seed}) and FaultKind::{faults:?}")?;
        }
        writeln!(f, "  trace:")?;
        for line in &self.trace {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}
