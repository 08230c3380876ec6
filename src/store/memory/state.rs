//! The table with its index, its log and its tokens.

use std::sync::Arc;

use super::change::{ChangeLog, Entry};
use super::lag::{IndexLag, LaggingIndex};
use super::page::Page;
use super::stored::Stored;
use super::table::Table;
use super::token::Tokens;
use crate::capacity::Units;
use crate::request::{Query, QuerySource};
use crate::time::Timestamp;

/// The data that the lock guards.
#[derive(Default)]
pub(super) struct State {
    pub(super) table: Table,
    /// The index that queries read instead of the table's own, if there is a lag.
    lagging_index: Option<LaggingIndex>,
    pub(super) log: ChangeLog,
    pub(super) tokens: Tokens,
}

impl State {
    /// Sets the lag of the index, which starts from its current entries.
    pub(super) fn set_index_lag(&mut self, lag: IndexLag) {
        match &mut self.lagging_index {
            _ if lag.is_none() => self.lagging_index = None,
            Some(index) => index.set_lag(lag),
            None => self.lagging_index = Some(LaggingIndex::of(&self.table, lag)),
        }
    }

    /// Applies up to this many pending changes to the index. Returns the number of changes that remain pending.
    pub(super) fn catch_up_index(&mut self, changes: usize) -> usize {
        self.lagging_index.as_mut().map_or(0, |index| index.catch_up(changes))
    }

    pub(super) fn query_page(&self, query: Query) -> Page {
        match (&self.lagging_index, &query.source) {
            (Some(index), QuerySource::Index { .. }) => index.copy.query_page(query),
            _ => self.table.query_page(query),
        }
    }

    /// Adds a change to the log and, if it costs index units, to the lagging index.
    pub(super) fn finish(
        &mut self,
        old: Option<Stored>,
        new: Option<Stored>,
        index_write: Units,
        at: Timestamp,
        by_ttl: bool,
    ) {
        let Some(key) = new.as_ref().or(old.as_ref()).map(|stored| Arc::clone(&stored.key)) else { return };
        if let Some(index) = &mut self.lagging_index
            && index_write != Units::ZERO
        {
            index.push(Arc::clone(&key), new.clone());
        }
        let item = |stored: Option<Stored>| stored.map(|stored| stored.item);
        self.log.push(Entry { key, old: item(old), new: item(new), at, by_ttl });
    }
}
