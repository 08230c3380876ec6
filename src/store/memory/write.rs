//! Writing one item: what a request comes to, and carrying it out.

use std::sync::Arc;

use super::condition::holds;
use super::state::State;
use super::stored::Stored;
use super::update::{Changes, updated};
use crate::capacity::{Capacity, index_write_units, write_units};
use crate::error::Result;
use crate::item::{Item, normalize, same_item};
use crate::key::Key;
use crate::request::{AttributeChange, BatchAction, Condition, TransactAction, Write, WriteAction, WriteOutcome};
use crate::time::Timestamp;

/// An action of a transaction, with what can be worked out before the lock is taken.
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
    /// Prepares what has been checked.
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

/// What a write does to its item.
pub(super) enum Effect {
    /// Nothing: the item is what it should be.
    Keep,
    /// Puts the item in the place of what is there.
    Put(Stored),
    /// Deletes the item that is there.
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

/// Returns the item as the table keeps it. It has been checked.
fn stored(key: Key, mut item: Item) -> Stored {
    item.values_mut().for_each(normalize);
    Stored::new(key, item)
}

/// What the write would do to the item, without doing it. Its condition has been met.
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

/// Whether the condition, where there is one, holds of the item.
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
        Ok(WriteOutcome::Done { old: shown, capacity: self.carry_out(effect, before, now) })
    }

    /// Does it, to an item of this size, and returns what it consumed.
    pub(super) fn carry_out(&mut self, effect: Effect, before: usize, now: Timestamp) -> Capacity {
        let (old, new, index_change) = match effect {
            Effect::Keep => return idle(before),
            Effect::Put(new) => {
                let (old, index_change) = self.table.put(new.clone());
                (old, Some(new), index_change)
            }
            Effect::Delete { key } => {
                let Some((old, index_change)) = self.table.delete(&key) else { return idle(before) };
                (Some(old), None, index_change)
            }
        };
        let after = new.as_ref().map_or(0, |new| new.size);
        self.finish(old, new, index_change, now, false);
        Capacity {
            table_write: write_units(before, after),
            index_write: index_write_units(index_change),
            ..Capacity::default()
        }
    }

    /// Deletes what has expired, and says how many items that were.
    pub(super) fn sweep(&mut self, now: Timestamp) -> usize {
        let expired = self.table.scan(None).filter(|stored| stored.is_to_be_swept(now));
        let expired: Vec<Arc<Key>> = expired.map(|stored| Arc::clone(&stored.key)).collect();
        let mut swept = 0;
        for key in expired {
            if let Some((old, index_change)) = self.table.delete(&key) {
                self.finish(Some(old), None, index_change, now, true);
                swept += 1;
            }
        }
        swept
    }
}

/// What a write consumes that leaves an item of this size as it is, whether it was refused or had nothing to change.
pub(super) fn idle(size: usize) -> Capacity {
    Capacity::writes(write_units(size, size))
}
