//! An index that is behind its table, on demand.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::numbers::Numbers;
use super::stored::Stored;
use super::table::Table;
use crate::key::Key;

/// How far the index of a [`MemoryStore`](super::MemoryStore) is behind its table: on DynamoDB the index is updated after the
/// write, [within a fraction of a second or
/// later](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes).
///
/// What counts is each change of an entry: a write that leaves the index as it is counts for nothing, and a transaction for as
/// many as it changes, since it does not reach the index as a whole. Until a change has reached the index, a query of it finds the
/// item as it was: one that is new is missing, one that is gone is there, and the others are in their old places with all their
/// old attributes, because the index holds copies. The changes of one item reach it in their order. `Debug` prints how it is written.
///
/// ```
/// use threadline::store::memory::IndexLag;
///
/// assert_eq!(format!("{:?}", IndexLag::writes(3).shuffled(7)), "IndexLag::writes(3).shuffled(7)");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexLag {
    /// How many changes may be on their way.
    most: usize,
    seed: Option<u64>,
}

impl IndexLag {
    /// None: a query of the index sees every write at once.
    pub fn none() -> Self {
        Self::default()
    }

    pub(super) fn is_none(self) -> bool {
        self.most == 0
    }

    /// The last `count` changes have not reached the index yet.
    pub fn writes(count: usize) -> Self {
        Self { most: count, seed: None }
    }

    /// No change reaches the index, until it is told to catch up.
    pub fn held() -> Self {
        Self { most: usize::MAX, seed: None }
    }

    /// The same, but the changes of different items reach the index in any order, which follows from the seed: DynamoDB promises
    /// none.
    #[must_use]
    pub fn shuffled(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }
}

impl fmt::Debug for IndexLag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.most {
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

/// An index that is behind: the items as they were when it was written last, and what has not reached it yet, oldest first.
pub(super) struct LaggingIndex {
    /// A table of its own, of which only the index is read.
    pub(super) copy: Table,
    on_their_way: VecDeque<(Arc<Key>, Option<Stored>)>,
    lag: IndexLag,
    numbers: Option<Numbers>,
}

impl LaggingIndex {
    /// Up to date with the table.
    pub(super) fn of(table: &Table, lag: IndexLag) -> Self {
        let mut copy = Table::default();
        for stored in table.scan(None).filter(|stored| stored.indexed) {
            copy.put(stored.clone());
        }
        Self { copy, on_their_way: VecDeque::new(), lag, numbers: lag.seed.map(Numbers::seeded) }
    }

    /// The item is so now, and will be in the index.
    pub(super) fn push(&mut self, key: Arc<Key>, item: Option<Stored>) {
        self.on_their_way.push_back((key, item));
        self.keep_to_the_lag();
    }

    /// Sets how far it lags from now on.
    pub(super) fn lag_by(&mut self, lag: IndexLag) {
        (self.lag, self.numbers) = (lag, lag.seed.map(Numbers::seeded));
        self.keep_to_the_lag();
    }

    fn keep_to_the_lag(&mut self) {
        self.catch_up(self.on_their_way.len().saturating_sub(self.lag.most));
    }

    /// Lets so many changes reach the index, and says how many are still on their way.
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
        self.on_their_way.len()
    }

    /// The change that reaches the index next: of all items or of the one that was drawn, the oldest.
    fn next(&mut self) -> Option<(Arc<Key>, Option<Stored>)> {
        let place = match &mut self.numbers {
            None => 0,
            Some(numbers) => {
                let (drawn, _) = self.on_their_way.get(numbers.below(self.on_their_way.len()))?;
                self.on_their_way.iter().position(|(key, _)| key == drawn)?
            }
        };
        self.on_their_way.remove(place)
    }
}
