//! What a simulation found.

use std::borrow::Cow;
use std::fmt;

use super::knobs::Trouble;

/// An invariant that does not hold, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) invariant: Cow<'static, str>,
    pub(super) what: String,
}

impl Broken {
    pub(super) const KEPT: &'static str = "an acknowledged message is stored";
    pub(super) const ONCE: &'static str = "a message is stored once";
    pub(super) const TEXT: &'static str = "a message has the text that was written last";
    pub(super) const ORDER: &'static str = "a thread has one order for everyone";
    pub(super) const PAGE: &'static str = "a page is full, or there is no more";
    pub(super) const MEMBERS: &'static str = "only members open a conversation";
    pub(super) const AUTHOR: &'static str = "only the author changes a message";
    pub(super) const FORWARD: &'static str = "a row only moves forward";
    pub(super) const ROW: &'static str = "at rest, a row shows the newest message and the names of now";
    pub(super) const SIZE: &'static str = "a row costs one capacity unit to write";
    pub(super) const INBOX: &'static str = "at rest, an inbox has each conversation once, the newest first";
    pub(super) const AUDIT: &'static str = "at rest, an audit finds nothing";
    pub(super) const COUNT: &'static str = "a group counts its rows";
    pub(super) const UNREAD: &'static str = "what others wrote after the marker is unread";
    pub(super) const CLAIM: &'static str = "a handle and an identity belong to one user";
    pub(super) const VERSION: &'static str = "a user's version is written once";
    pub(super) const PAIR: &'static str = "two people have one conversation";
    pub(super) const ANSWER: &'static str = "an answer is one that the call may give";
    pub(super) const READABLE: &'static str = "an item can be read";
    pub(super) const REST: &'static str = "it comes to rest";

    pub(super) fn new(invariant: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self { invariant: invariant.into(), what: what.into() }
    }

    pub(super) fn unexpected(what: impl Into<String>) -> Self {
        Self::new(Self::ANSWER, what)
    }
}

/// An invariant that did not hold. `Display` tells the seed, the invariant, what was seen, and the last of what went on before.
/// It has no content, and names users, groups and messages by numbers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The seed, which replays it.
    pub seed: u64,
    /// What troubled the deployment.
    pub trouble: Trouble,
    /// The step at which it was seen.
    pub step: u64,
    /// The invariant, in a sentence.
    pub invariant: Cow<'static, str>,
    /// What was seen.
    pub what: String,
    /// What went on before it, the last of it at the end.
    pub trace: Vec<String>,
    /// Whether it is the library's own workload, on its own table.
    pub(super) is_plain: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, trouble, step, invariant, what, .. } = self;
        writeln!(f, "seed {seed}, step {step}: broken: {invariant}")?;
        writeln!(f, "  seen: {what}")?;
        if self.is_plain {
            let command = "cargo run --release -p threadline-testkit --example simulate --";
            writeln!(f, "  replay: {command} --seed {seed} --trouble {} --trace", trouble.name())?;
        } else {
            writeln!(f, "  replay: the same simulation with Simulation::seeded({seed}) and Trouble::{trouble:?}")?;
        }
        writeln!(f, "  the last of what went on:")?;
        for line in &self.trace {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}
