//! An index that lags its table, on demand.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::numbers::Numbers;
use super::stored::Stored;
use super::table::Table;
use crate::key::Key;

/// The lag of the index of a [`MemoryStore`](super::MemoryStore): the maximum number of pending changes. A change is
/// pending until it reaches the index.
///
/// DynamoDB writes the table first and updates the index [a fraction of a second later, or more][gsi]. A store with a
/// lag does the same.
///
/// * The lag counts only writes that change the index. A transaction that changes several items of the index counts as
///   several changes, which may reach the index separately.
/// * A query of the index returns each item as it was before its pending changes. The query omits an item whose
///   creation is pending, and still returns an item whose deletion is pending.
/// * If an update of an item is pending, the query returns the item with all its old attributes, at its old position.
/// * The changes of one item reach the index in the order of the writes.
///
/// `Debug` prints the expression that creates the lag.
///
/// [gsi]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes
///
/// ```
/// use threadline::store::memory::IndexLag;
///
/// assert_eq!(format!("{:?}", IndexLag::writes(3).shuffled(7)), "IndexLag::writes(3).shuffled(7)");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct IndexLag {
    /// The maximum number of pending changes.
    max_pending: usize,
    seed: Option<u64>,
}

impl IndexLag {
    /// Creates a lag of zero: every change reaches the index at once.
    pub fn none() -> Self {
        Self::default()
    }

    pub(super) fn is_none(self) -> bool {
        self.max_pending == 0
    }

    /// Creates a lag of `count` changes: the newest `count` changes are pending, and all older ones are in the index.
    pub fn writes(count: usize) -> Self {
        Self { max_pending: count, seed: None }
    }

    /// Creates a lag without a maximum. Every change stays pending until
    /// [`catch_up_index`](super::MemoryStore::catch_up_index) applies it.
    pub fn held() -> Self {
        Self { max_pending: usize::MAX, seed: None }
    }

    /// Makes the changes of different items reach the index in a pseudorandom order. The seed determines the order.
    /// DynamoDB guarantees no order between different items.
    pub fn shuffled(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }
}

impl fmt::Debug for IndexLag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max_pending {
            0 => f.write_str("IndexLag::none()")?,
            usize::MAX => f.write_str("IndexLag::held()")?,
            count => write!(f, "IndexLag::writes({count})")?,
        }
        match self.seed {
            Some(seed) => write!(f, ".shuffled({seed})"),
            None => Ok(()),
        }
    }
}

/// An index that lags its table: the items in the index, and the pending changes, oldest first.
pub(super) struct LaggingIndex {
    /// A separate table, of which only the index is read.
    pub(super) copy: Table,
    pending: VecDeque<(Arc<Key>, Option<Stored>)>,
    lag: IndexLag,
    numbers: Option<Numbers>,
}

impl LaggingIndex {
    /// Creates an index without pending changes.
    pub(super) fn of(table: &Table, lag: IndexLag) -> Self {
        let mut copy = Table::default();
        for stored in table.scan(None).filter(|stored| stored.indexed) {
            copy.put(stored.clone());
        }
        Self { copy, pending: VecDeque::new(), lag, numbers: lag.seed.map(Numbers::seeded) }
    }

    /// Adds a change of an item.
    pub(super) fn push(&mut self, key: Arc<Key>, item: Option<Stored>) {
        self.pending.push_back((key, item));
        self.enforce_lag();
    }

    /// Sets the lag.
    pub(super) fn set_lag(&mut self, lag: IndexLag) {
        (self.lag, self.numbers) = (lag, lag.seed.map(Numbers::seeded));
        self.enforce_lag();
    }

    fn enforce_lag(&mut self) {
        self.catch_up(self.pending.len().saturating_sub(self.lag.max_pending));
    }

    /// Applies up to this many changes. Returns the number of pending changes.
    pub(super) fn catch_up(&mut self, changes: usize) -> usize {
        for _ in 0..changes {
            let Some((key, item)) = self.next() else { break };
            match item {
                Some(item) if item.indexed => {
                    self.copy.put(item);
                }
                _ => {
                    self.copy.delete(&key);
                }
            }
        }
        self.pending.len()
    }

    /// Takes the next change: the oldest one, or the oldest one of a random item.
    fn next(&mut self) -> Option<(Arc<Key>, Option<Stored>)> {
        let index = match &mut self.numbers {
            None => 0,
            Some(numbers) => {
                let (drawn, _) = self.pending.get(numbers.below(self.pending.len()))?;
                self.pending.iter().position(|(key, _)| key == drawn)?
            }
        };
        self.pending.remove(index)
    }
}
