//! What a simulation found.

use std::borrow::Cow;
use std::fmt;

use super::parameters::FaultKind;

/// An invariant that does not hold, and what was seen.
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

/// An invariant that did not hold. `Display` tells the seed, the invariant, what was seen, and trace before.
/// It has no content, and names users, groups and messages by numbers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The seed, which replays it.
    pub seed: u64,
    /// What troubled the deployment.
    pub faults: FaultKind,
    /// The step at which it was seen.
    pub step: u64,
    /// The invariant, in a sentence.
    pub invariant: Cow<'static, str>,
    /// What was seen.
    pub observed: String,
    /// What went on before it, the last of it at the end.
    pub trace: Vec<String>,
    /// Whether it is the library's own workload, on its own table.
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
