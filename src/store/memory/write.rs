//! Writes of one item: the effect of a request, and its execution.

use std::sync::Arc;

use super::condition::holds;
use super::state::State;
use super::stored::Stored;
use super::update::{Changes, updated};
use crate::capacity::{Capacity, write_units};
use crate::error::Result;
use crate::item::{Item, normalize, same_item};
use crate::key::Key;
use crate::request::{AttributeChange, BatchAction, Condition, TransactAction, Write, WriteAction, WriteOutcome};
use crate::time::Timestamp;

/// An action with everything that can be computed before the lock is taken.
pub(super) struct Prepared {
    pub(super) action: Action,
    pub(super) condition: Option<Condition>,
    pub(super) return_old: bool,
}

pub(super) enum Action {
    Put(Stored),
    Update { key: Key, changes: Changes },
    Delete { key: Key },
    Check { key: Key },
}

impl Action {
    /// Prepares a checked action.
    pub(super) fn of(key: Key, action: WriteAction) -> Self {
        match action {
            WriteAction::Put(item) => Self::Put(stored(key, item)),
            WriteAction::Update(update) => {
                let mut changes = update.into_changes();
                for (_, change) in &mut changes {
                    if let AttributeChange::Set(value) | AttributeChange::SetIfAbsent(value) = change {
                        normalize(value);
                    }
                }
                Self::Update { key, changes }
            }
            WriteAction::Delete => Self::Delete { key },
        }
    }

    pub(super) fn of_batch(write: BatchAction) -> Result<Self> {
        let key = write.key()?;
        Ok(match write {
            BatchAction::Put(item) => Self::Put(stored(key, item)),
            BatchAction::Delete(_) => Self::Delete { key },
        })
    }

    pub(super) fn key(&self) -> &Key {
        match self {
            Self::Put(new) => &new.key,
            Self::Update { key, .. } | Self::Delete { key } | Self::Check { key } => key,
        }
    }
}

/// The effect of a write on its item.
pub(super) enum Effect {
    /// The item does not change.
    Keep,
    /// The item is stored, and replaces an old one.
    Put(Stored),
    /// The stored item is deleted.
    Delete { key: Key },
}

impl Prepared {
    pub(super) fn write(write: Write) -> Result<Self> {
        let key = write.key()?.clone();
        let Write { action, condition, return_old, .. } = write;
        Ok(Self { action: Action::of(key, action), condition, return_old })
    }

    pub(super) fn transact(action: TransactAction) -> Result<Self> {
        match action {
            TransactAction::Write(write) => Self::write(write),
            TransactAction::Check { key, condition } => {
                Ok(Self { action: Action::Check { key }, condition: Some(condition), return_old: false })
            }
        }
    }
}

/// Returns the item as the table stores it. The item has been checked.
fn stored(key: Key, mut item: Item) -> Stored {
    item.values_mut().for_each(normalize);
    Stored::new(key, item)
}

/// Returns the effect of an action whose condition is met, without executing it.
pub(super) fn decide(action: Action, old: Option<&Stored>) -> Result<Effect> {
    Ok(match (action, old) {
        (Action::Put(new), Some(old)) if old.size == new.size && same_item(&old.item, &new.item) => Effect::Keep,
        (Action::Put(new), _) => Effect::Put(new),
        (Action::Update { key, changes }, old) => {
            updated(key, old.map(|old| &*old.item), changes)?.map_or(Effect::Keep, Effect::Put)
        }
        (Action::Delete { key }, Some(_)) => Effect::Delete { key },
        (Action::Delete { .. }, None) | (Action::Check { .. }, _) => Effect::Keep,
    })
}

/// Returns `true` if the item meets the condition, or if there is no condition.
pub(super) fn is_met(condition: Option<&Condition>, old: Option<&Stored>) -> bool {
    condition.is_none_or(|condition| holds(condition, old.map(|old| &*old.item)))
}

impl State {
    pub(super) fn write(
        &mut self,
        action: Action,
        condition: Option<&Condition>,
        return_old: bool,
        now: Timestamp,
    ) -> Result<WriteOutcome> {
        let old = self.table.get(action.key());
        let before = old.map_or(0, |old| old.size);
        let shown = old.filter(|_| return_old).and_then(|old| old.shown(now));
        if !is_met(condition, old) {
            return Ok(WriteOutcome::Refused { current: shown, capacity: idle(before) });
        }
        let effect = decide(action, old)?;
        Ok(WriteOutcome::Done { old: shown, capacity: self.apply(effect, before, now) })
    }

    /// Executes the effect on an item of this size, and returns the consumed capacity.
    pub(super) fn apply(&mut self, effect: Effect, before: usize, now: Timestamp) -> Capacity {
        let (old, new, index_write) = match effect {
            Effect::Keep => return idle(before),
            Effect::Put(new) => {
                let (old, index_write) = self.table.put(new.clone());
                (old, Some(new), index_write)
            }
            Effect::Delete { key } => {
                let Some((old, index_write)) = self.table.delete(&key) else { return idle(before) };
                (Some(old), None, index_write)
            }
        };
        let after = new.as_ref().map_or(0, |new| new.size);
        self.finish(old, new, index_write, now, false);
        Capacity { table_write: write_units(before, after), index_write, ..Capacity::default() }
    }

    /// Deletes expired items, and returns their number.
    pub(super) fn sweep(&mut self, now: Timestamp) -> usize {
        let expired = self.table.scan(None).filter(|stored| stored.can_be_swept(now));
        let expired: Vec<Arc<Key>> = expired.map(|stored| Arc::clone(&stored.key)).collect();
        let mut swept = 0;
        for key in expired {
            if let Some((old, index_write)) = self.table.delete(&key) {
                self.finish(Some(old), None, index_write, now, true);
                swept += 1;
            }
        }
        swept
    }
}

/// Returns the capacity of a write that leaves an item of this size unchanged, refused or not.
pub(super) fn idle(size: usize) -> Capacity {
    Capacity::writes(write_units(size, size))
}
