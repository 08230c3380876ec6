//! The table with its index, its log and its tokens.

use std::sync::Arc;

use super::change::{ChangeLog, Entry};
use super::lag::{IndexLag, LaggingIndex};
use super::page::Page;
use super::stored::Stored;
use super::table::Table;
use super::token::Tokens;
use crate::capacity::IndexChange;
use crate::request::{Query, QuerySource};
use crate::time::Timestamp;

/// All that the lock guards.
#[derive(Default)]
pub(super) struct State {
    pub(super) table: Table,
    /// What queries of the index read in place of the table's own, where it is to lag.
    lagging_index: Option<LaggingIndex>,
    pub(super) log: ChangeLog,
    pub(super) tokens: Tokens,
}

impl State {
    /// From now on the index lags so. It starts from what it shows.
    pub(super) fn lag_index(&mut self, lag: IndexLag) {
        match &mut self.lagging_index {
            _ if lag.is_none() => self.lagging_index = None,
            Some(index) => index.lag_by(lag),
            None => self.lagging_index = Some(LaggingIndex::of(&self.table, lag)),
        }
    }

    /// Lets so many changes reach the index, and says how many are still on their way.
    pub(super) fn catch_up_index(&mut self, changes: usize) -> usize {
        self.lagging_index.as_mut().map_or(0, |index| index.catch_up(changes))
    }

    pub(super) fn query_page(&self, query: Query) -> Page {
        match (&self.lagging_index, &query.source) {
            (Some(index), QuerySource::Index { .. }) => index.copy.query_page(query),
            _ => self.table.query_page(query),
        }
    }

    /// Tells an index that lags and the log of a change that was made.
    pub(super) fn finish(
        &mut self,
        old: Option<Stored>,
        new: Option<Stored>,
        index_change: IndexChange,
        at: Timestamp,
        by_ttl: bool,
    ) {
        let Some(key) = new.as_ref().or(old.as_ref()).map(|stored| Arc::clone(&stored.key)) else { return };
        if let Some(index) = &mut self.lagging_index
            && index_change != IndexChange::None
        {
            index.push(Arc::clone(&key), new.clone());
        }
        let item = |stored: Option<Stored>| stored.map(|stored| stored.item);
        self.log.push(Entry { key, old: item(old), new: item(new), at, by_ttl });
    }
}
