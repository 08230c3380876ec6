//! Writes of one item: the effect of a request, and its execution.

use std::sync::Arc;

use super::condition::holds;
use super::state::State;
use super::stored::Stored;
use super::update::updated;
use crate::capacity::{Capacity, write_units};
use crate::error::Result;
use crate::item::{normalize, same_item};
use crate::key::Key;
use crate::request::{Condition, Write, WriteAction, WriteOutcome};
use crate::time::Timestamp;

/// The effect of a write on its item.
pub(super) enum Effect {
    /// The item does not change.
    Keep,
    /// The item is stored, and replaces an old one.
    Put(Stored),
    /// The stored item is deleted.
    Delete { key: Key },
}

/// Returns the effect of a checked action whose condition is met, without executing it.
pub(super) fn decide(key: Key, action: WriteAction, old: Option<&Stored>) -> Result<Effect> {
    Ok(match action {
        WriteAction::Put(mut item) => {
            item.values_mut().for_each(normalize);
            let new = Stored::new(key, item);
            match old {
                Some(old) if old.size == new.size && same_item(&old.item, &new.item) => Effect::Keep,
                _ => Effect::Put(new),
            }
        }
        WriteAction::Update(update) => {
            updated(key, old.map(|old| &*old.item), update)?.map_or(Effect::Keep, Effect::Put)
        }
        WriteAction::Delete if old.is_some() => Effect::Delete { key },
        WriteAction::Delete => Effect::Keep,
    })
}

/// Returns `true` if the item meets the condition, or if there is no condition.
pub(super) fn is_met(condition: Option<&Condition>, old: Option<&Stored>) -> bool {
    condition.is_none_or(|condition| holds(condition, old.map(|old| &*old.item)))
}

impl State {
    pub(super) fn write(&mut self, write: Write, now: Timestamp) -> Result<WriteOutcome> {
        let key = write.key()?.clone();
        let old = self.table.get(&key);
        let before = old.map_or(0, |old| old.size);
        let shown = old.filter(|_| write.return_old).and_then(|old| old.shown(now));
        if !is_met(write.condition.as_ref(), old) {
            return Ok(WriteOutcome::Refused { current: shown, capacity: idle(before) });
        }
        let effect = decide(key, write.action, old)?;
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
