//! A request that reads the whole table. It is for tools, not for access patterns.

use std::num::NonZeroU32;

use super::query::Position;
use crate::error::{Error, Result};

/// A request that reads one page of the whole table. The read is eventually consistent, and the items have no defined
/// order. All pages together cost 0.5 RCU per 4 KB of the table.
///
/// ```
/// use std::num::NonZeroU32;
/// use threadline::MemoryStore;
/// use threadline::store::{Scan, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let page = MemoryStore::new().scan(Scan::new().limit(NonZeroU32::MIN)).await?;
/// assert!(page.items.is_empty());
/// assert_eq!(page.next, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Scan {
    pub(crate) limit: Option<NonZeroU32>,
    pub(crate) start: Option<Position>,
}

impl Scan {
    /// Creates a scan from the start of the table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of items to read for the page, including expired ones. Default: no maximum, so the page
    /// ends at 1 MB.
    pub fn limit(mut self, limit: NonZeroU32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the position after which the page starts. Default: the start of the table.
    pub fn start(mut self, start: impl Into<Option<Position>>) -> Self {
        self.start = start.into();
        self
    }

    /// Returns the maximum number of items to read for the page, if one is set.
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
                Err(Error::invalid("a scan cannot start at a position of the index"))
            }
            _ => Ok(()),
        }
    }
}
