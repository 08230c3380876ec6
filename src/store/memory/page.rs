//! Pages of queries and scans.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use super::index::IndexEntry;
use super::stored::Stored;
use super::table::Table;
use crate::error::Result;
use crate::key::Key;
use crate::request::{MAX_PAGE_BYTES, Order, Position, Query, QuerySource, Scan, SortRange};

/// The items that a page reads, including expired ones.
#[derive(Default)]
pub(super) struct Page {
    pub(super) read: Vec<Stored>,
    pub(super) bytes: usize,
    /// `true` if the page ended at a limit, so there may be more items.
    pub(super) more: bool,
}

impl Page {
    /// Reads items until the limit or 1 MB is reached.
    ///
    /// Like DynamoDB, it does not look at the next item. So a page of exactly `limit` items has a next position even
    /// after the last item. The page includes the item that reaches 1 MB.
    fn read<'a>(items: impl Iterator<Item = &'a Stored>, limit: Option<usize>) -> Self {
        let mut page = Self { read: Vec::with_capacity(limit.unwrap_or(0).min(128)), ..Self::default() };
        for stored in items {
            page.read.push(stored.clone());
            page.bytes = page.bytes.saturating_add(stored.size);
            if page.bytes >= MAX_PAGE_BYTES || Some(page.read.len()) == limit {
                page.more = true;
                break;
            }
        }
        page
    }

    fn read_in<'a>(items: impl DoubleEndedIterator<Item = &'a Stored>, order: Order, limit: Option<usize>) -> Self {
        match order {
            Order::Ascending => Self::read(items, limit),
            Order::Descending => Self::read(items.rev(), limit),
        }
    }
}

impl Table {
    pub(super) fn scan_page(&self, scan: &Scan) -> Page {
        let start = scan.start.as_ref().map(|start| &start.key);
        Page::read(self.scan(start), to_usize(scan.limit.map(u32::from)))
    }

    pub(super) fn query_page(&self, query: Query) -> Page {
        let limit = to_usize(query.limit.map(u32::from));
        let (low, high) = bounds(&query.range);
        match query.source {
            QuerySource::Table { partition, .. } => {
                let Some(partition) = self.partition(partition.as_str()) else { return Page::default() };
                let (low, high) = (low.map_or(Unbounded, Included), high.map_or(Unbounded, Excluded));
                let start = query.start.map(|start| String::from(start.key.sk));
                let Some((low, high)) = after_start(low, high, start, query.order) else { return Page::default() };
                let range = (low.as_ref().map(String::as_str), high.as_ref().map(String::as_str));
                Page::read_in(partition.range::<str, _>(range).map(|(_, stored)| stored), query.order, limit)
            }
            QuerySource::Index { partition } => {
                let Some(partition) = self.index().partition(partition.as_str()) else { return Page::default() };
                let low = low.map_or(Unbounded, |low| Included(IndexEntry::before(low)));
                let high = high.map_or(Unbounded, |high| Excluded(IndexEntry::before(high)));
                let start = query.start.and_then(IndexEntry::at);
                let Some(range) = after_start(low, high, start, query.order) else { return Page::default() };
                let items = partition.range(range).filter_map(|entry| self.get(entry.key()?));
                Page::read_in(items, query.order, limit)
            }
        }
    }
}

impl Stored {
    /// Returns the position of this item, after which the next page starts.
    pub(super) fn position(&self, in_index: bool) -> Result<Position> {
        let index_key = if in_index { self.item.index_key()? } else { None };
        Ok(Position { key: Key::clone(&self.key), index_key })
    }
}

fn to_usize(limit: Option<u32>) -> Option<usize> {
    limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Returns the bounds of the range: the lowest sort key in it, and the lowest one after it.
fn bounds(range: &SortRange) -> (Option<String>, Option<String>) {
    match range {
        SortRange::All => (None, None),
        // A prefix ends with `#`, and `$` is the next character after `#`.
        SortRange::BeginsWith(prefix) => {
            let prefix = prefix.as_str();
            (Some(prefix.to_owned()), prefix.strip_suffix('#').map(|head| format!("{head}$")))
        }
        SortRange::Before(end) => (None, Some(end.as_str().to_owned())),
        SortRange::After(start) => (Some(next_text(start.as_str())), None),
        SortRange::Between(low, high) => (Some(low.as_str().to_owned()), Some(next_text(high.as_str()))),
    }
}

/// Returns the lowest text that is greater.
fn next_text(text: &str) -> String {
    format!("{text}\0")
}

/// Returns the part of the range after the start; `None` if it is empty, because `BTreeMap::range` panics on such a
/// range.
fn after_start<T: Ord>(low: Bound<T>, high: Bound<T>, start: Option<T>, order: Order) -> Option<(Bound<T>, Bound<T>)> {
    let (low, high) = match (start, order) {
        (None, _) => (low, high),
        (Some(start), Order::Ascending) => (Excluded(start), high),
        (Some(start), Order::Descending) => (low, Excluded(start)),
    };
    match (&low, &high) {
        (Included(a) | Excluded(a), Included(b) | Excluded(b)) if a >= b => None,
        _ => Some((low, high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_range_is_none() {
        let (low, high) = (|at| Included(at), |at| Excluded(at));
        assert_eq!(after_start(low(2), high(1), None, Order::Ascending), None);
        assert_eq!(after_start(low(1), high(1), None, Order::Ascending), None);
        assert_eq!(after_start(low(1), high(2), Some(2), Order::Ascending), None);
        assert_eq!(after_start(low(1), high(2), Some(1), Order::Descending), None);
        assert_eq!(after_start(low(1), high(3), Some(1), Order::Ascending), Some((Excluded(1), Excluded(3))));
        assert_eq!(after_start(low(1), high(3), Some(2), Order::Descending), Some((Included(1), Excluded(2))));
        assert_eq!(after_start(Unbounded, Unbounded, Some(2), Order::Ascending), Some((Excluded(2), Unbounded)));
    }
}
