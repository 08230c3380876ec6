//! Writing one item: what a request comes to, and carrying it out.

use std::collections::HashMap;
use std::sync::Arc;

use serde_dynamo::AttributeValue;

use super::change::{ChangeLog, Undo};
use super::condition::holds;
use super::lag::LaggingIndex;
use super::table::{Found, Stored, Table};
use super::transact::Tokens;
use super::update::{self, Changes};
use crate::capacity::{Capacity, IndexChange, index_write_units, write_units};
use crate::error::Result;
use crate::item::{
    Item, attribute_size, check_attribute_name, check_index_key, check_size, check_value, normalise, same_item,
};
use crate::key::{EXPIRES_AT, GSI1PK, GSI1SK, Key, PK, SK};
use crate::request::{
    AttributeChange, BatchAction, Condition, TransactAction, Write, WriteAction, WriteOutcome, not_its_key,
};
use crate::time::Timestamp;

/// All that the lock guards.
#[derive(Default)]
pub(super) struct State {
    pub(super) table: Table,
    /// What queries of the index read in place of the table's own, where it is to lag.
    pub(super) lagging_index: Option<LaggingIndex>,
    pub(super) log: ChangeLog,
    pub(super) tokens: Tokens,
}

/// An action of a transaction that has been checked, with what can be worked out before the lock is taken.
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
    /// The rest of the write must have passed [`Write::check_beside_item`].
    #[inline]
    pub(super) fn of(action: WriteAction) -> Result<Self> {
        Ok(match action {
            WriteAction::Put { key, item } => Self::Put(stored(key, item)?),
            WriteAction::Update { key, update } => {
                let mut changes = update.into_changes();
                for (_, change) in &mut changes {
                    if let AttributeChange::Set(value) | AttributeChange::SetIfAbsent(value) = change {
                        normalise(value);
                    }
                }
                Self::Update { key, changes }
            }
            WriteAction::Delete { key } => Self::Delete { key },
        })
    }

    pub(super) fn of_batch(write: BatchAction) -> Result<Self> {
        let key = write.key()?;
        Ok(match write {
            BatchAction::Put(item) => Self::Put(stored(key, item)?),
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
    pub(super) fn transact(action: TransactAction) -> Result<Self> {
        match action {
            TransactAction::Write(write) => {
                write.check_beside_item()?;
                let Write { action, condition, return_old } = write;
                Ok(Self { action: Action::of(action)?, condition, return_old })
            }
            TransactAction::Check { key, condition } => {
                condition.check()?;
                Ok(Self { action: Action::Check { key }, condition: Some(condition), return_old: false })
            }
        }
    }
}

/// The item as the table keeps it: checked, measured, its numbers normalised, all in one walk.
fn stored(key: Key, item: Item) -> Result<Stored> {
    let mut attributes: HashMap<String, AttributeValue> = item.into();
    let (mut size, mut key_parts, mut index_key_parts, mut may_expire) = (0, 0, 0, false);
    for (name, value) in &mut attributes {
        check_attribute_name(name)?;
        check_value(name, value)?;
        normalise(value);
        size += attribute_size(name, value);
        match name.as_str() {
            PK => key_parts += usize::from(is_text(value, key.pk.as_str())),
            SK => key_parts += usize::from(is_text(value, key.sk.as_str())),
            GSI1PK | GSI1SK => {
                check_index_key(name, value)?;
                index_key_parts += 1;
            }
            EXPIRES_AT => may_expire = true,
            _ => {}
        }
    }
    if key_parts < 2 {
        return Err(not_its_key());
    }
    check_size(size)?;
    let item = Item::from(attributes);
    let expires_at = if may_expire { item.expires_at() } else { None };
    let indexed = index_key_parts == 2;
    Ok(Stored { key: Arc::new(key), item: Arc::new(item), size, expires_at, indexed })
}

fn is_text(value: &AttributeValue, expected: &str) -> bool {
    matches!(value, AttributeValue::S(text) if text == expected)
}

/// What the write would do to the item, without doing it. Its condition has been met.
pub(super) fn decide(action: Action, old: Option<&Stored>) -> Result<Effect> {
    Ok(match (action, old) {
        (Action::Put(new), Some(old)) if old.size == new.size && same_item(&old.item, &new.item) => Effect::Keep,
        (Action::Put(new), _) => Effect::Put(new),
        (Action::Update { changes, .. }, Some(old)) => put_or_keep(update::changed(old.clone(), changes)?),
        (Action::Update { key, changes }, None) => put_or_keep(update::create(key, changes)?),
        (Action::Delete { key }, Some(_)) => Effect::Delete { key },
        (Action::Delete { .. }, None) | (Action::Check { .. }, _) => Effect::Keep,
    })
}

fn put_or_keep(new: Option<Stored>) -> Effect {
    new.map_or(Effect::Keep, Effect::Put)
}

/// Whether the condition, where there is one, holds of the item.
pub(super) fn is_met(condition: Option<&Condition>, old: Option<&Stored>) -> bool {
    condition.is_none_or(|condition| holds(condition, old.map(|old| &*old.item)))
}

impl State {
    #[inline]
    pub(super) fn write(
        &mut self,
        action: Action,
        condition: Option<&Condition>,
        return_old: bool,
        now: Timestamp,
    ) -> Result<WriteOutcome> {
        let found = self.table.find(action.key());
        let old = found.as_ref().map(Found::stored);
        let before = old.map_or(0, |old| old.size);
        let shown = old.filter(|_| return_old).and_then(|old| old.shown(now));
        if !is_met(condition, old) {
            return Ok(WriteOutcome::Refused { current: shown, capacity: idle(before) });
        }
        let capacity = match (action, found) {
            // Nothing depends on another write here, so that it need not be worked out before it is done.
            (Action::Update { changes, .. }, Some(mut found)) => {
                let (undo, index_change) = found.update(changes)?;
                if undo.is_empty() {
                    idle(before)
                } else {
                    let Stored { key, size: after, .. } = found.stored();
                    let (key, after) = (Arc::clone(key), *after);
                    self.finish(key, Undo::Changes(undo), index_change, (before, after), now)
                }
            }
            (action, found) => {
                let effect = decide(action, found.as_ref().map(Found::stored))?;
                self.carry_out(effect, before, now)
            }
        };
        Ok(WriteOutcome::Done { old: shown, capacity })
    }

    /// Does it, to an item of this size, and says what it consumed.
    pub(super) fn carry_out(&mut self, effect: Effect, before: usize, now: Timestamp) -> Capacity {
        let (key, undo, index_change, after) = match effect {
            Effect::Keep => return idle(before),
            Effect::Put(new) => {
                let (key, size) = (Arc::clone(&new.key), new.size);
                let (old, index_change) = self.table.put(new);
                (key, Undo::Whole(old.map(|old| old.item)), index_change, size)
            }
            Effect::Delete { key } => {
                let Some((old, index_change)) = self.table.delete(&key) else { return idle(before) };
                (old.key, Undo::Whole(Some(old.item)), index_change, 0)
            }
        };
        self.finish(key, undo, index_change, (before, after), now)
    }

    /// Tells an index that lags and the log of a change that was made, and says what it consumed, by the item's size before and after.
    fn finish(
        &mut self,
        key: Arc<Key>,
        undo: Undo,
        index_change: IndexChange,
        (before, after): (usize, usize),
        now: Timestamp,
    ) -> Capacity {
        self.send_to_index(&key, index_change);
        self.log.push(key, undo, now, false);
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
                self.send_to_index(&key, index_change);
                self.log.push(key, Undo::Whole(Some(old.item)), now, true);
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
