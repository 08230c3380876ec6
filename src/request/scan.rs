//! Reading the whole table: for tools, never for an access pattern.

use std::num::NonZeroU32;

use super::query::Position;
use crate::error::{Error, Result};

/// Reads the table, a page at a time, eventually consistent, in no useful order. It costs what the table weighs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    pub(crate) limit: Option<NonZeroU32>,
    pub(crate) start: Option<Position>,
}

impl Scan {
    /// Reads the table from the beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads at most this many items.
    #[must_use]
    pub fn limit(mut self, limit: NonZeroU32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Goes on behind this position.
    #[must_use]
    pub fn start(mut self, start: Option<Position>) -> Self {
        self.start = start;
        self
    }

    /// Returns the limit on the items that the page reads, if any.
    pub fn get_limit(&self) -> Option<NonZeroU32> {
        self.limit
    }

    /// Returns the position after which the page starts, if any.
    pub fn get_start(&self) -> Option<&Position> {
        self.start.as_ref()
    }

    pub(super) fn check(&self) -> Result<()> {
        match &self.start {
            Some(start) if start.index_key.is_some() => {
                Err(Error::invalid("a position in the index cannot start a read of the table"))
            }
            _ => Ok(()),
        }
    }
}
