//! Writing one item: what a request comes to, and carrying it out.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_dynamo::AttributeValue;

use super::change::ChangeLog;
use super::condition::holds;
use super::table::{Stored, Table};
use super::transact::Tokens;
use super::update;
use super::value::{normalise, same_item};
use crate::capacity::{Capacity, Units, index_write_units, write_units};
use crate::error::{Error, Result};
use crate::item::{Item, MAX_ITEM_BYTES, attribute_size, check_attribute_name, check_value};
use crate::key::{Key, PK, SK};
use crate::request::{BatchPut, Change, Condition, TransactAction, Write, WriteAction, WriteOutcome};
use crate::time::Timestamp;

/// All that the lock guards.
#[derive(Default)]
pub(super) struct State {
    pub(super) table: Table,
    pub(super) log: ChangeLog,
    pub(super) tokens: Tokens,
}

/// A write that has been checked, with what can be worked out before the lock is taken.
pub(super) struct Prepared {
    pub(super) key: Key,
    pub(super) action: Action,
    pub(super) condition: Option<Condition>,
    pub(super) return_old: bool,
}

pub(super) enum Action {
    Put(Stored),
    Update(Vec<(Cow<'static, str>, Change)>),
    Delete,
    Check,
}

/// What a write does to its item.
pub(super) enum Effect {
    /// Nothing: the condition was not met.
    Refused,
    /// Nothing: the item is what it should be.
    Keep,
    Put(Stored),
    Delete,
}

impl Prepared {
    /// Requests are checked when they are made, but their fields are open. So whatever the service would refuse is refused
    /// here, too.
    pub(super) fn write(write: Write) -> Result<Self> {
        let Write { action, condition, return_old } = write;
        if let Some(condition) = &condition {
            condition.check()?;
        }
        let (key, action) = match action {
            WriteAction::Put { key, item } => {
                let stored = stored(&key, item)?;
                (key, Action::Put(stored))
            }
            WriteAction::Update { key, update } => {
                update.check()?;
                let mut changes = update.into_changes();
                for (_, change) in &mut changes {
                    if let Change::Set(value) | Change::SetIfAbsent(value) = change {
                        normalise(value);
                    }
                }
                (key, Action::Update(changes))
            }
            WriteAction::Delete { key } => (key, Action::Delete),
        };
        Ok(Self { key, action, condition, return_old })
    }

    pub(super) fn transact(action: TransactAction) -> Result<Self> {
        match action {
            TransactAction::Write(write) => Self::write(write),
            TransactAction::Check { key, condition } => {
                condition.check()?;
                Ok(Self { key, action: Action::Check, condition: Some(condition), return_old: false })
            }
        }
    }

    pub(super) fn batch(write: BatchPut) -> Result<Self> {
        let key = write.key()?;
        let action = match write {
            BatchPut::Put(item) => Action::Put(stored(&key, item)?),
            BatchPut::Delete(_) => Action::Delete,
        };
        Ok(Self { key, action, condition: None, return_old: false })
    }
}

/// The item as the table keeps it: checked, measured, its numbers normalised, in one walk.
fn stored(key: &Key, item: Item) -> Result<Stored> {
    if item.get_s(PK) != Some(key.pk.as_str()) || item.get_s(SK) != Some(key.sk.as_str()) {
        return Err(Error::invalid("the key of a put is not the key in its item"));
    }
    item.index_key()?;
    let mut attributes: HashMap<String, AttributeValue> = item.into();
    let mut size = 0;
    for (name, value) in &mut attributes {
        check_attribute_name(name)?;
        check_value(name, value)?;
        normalise(value);
        size += attribute_size(name, value);
    }
    if size > MAX_ITEM_BYTES {
        return Err(Error::invalid(format!("an item may have at most {MAX_ITEM_BYTES} bytes, and this has {size}")));
    }
    Ok(Stored::new(attributes.into(), size))
}

/// What the write would do to the item, without doing it.
pub(super) fn decide(key: &Key, action: Action, condition: Option<&Condition>, old: Option<&Stored>) -> Result<Effect> {
    let item = old.map(|old| &*old.item);
    if condition.is_some_and(|condition| !holds(condition, item)) {
        return Ok(Effect::Refused);
    }
    Ok(match action {
        Action::Put(new) if old.is_some_and(|old| old.size == new.size && same_item(&old.item, &new.item)) => {
            Effect::Keep
        }
        Action::Put(new) => Effect::Put(new),
        Action::Update(changes) => update::apply(key, old, changes)?.map_or(Effect::Keep, Effect::Put),
        Action::Delete if old.is_some() => Effect::Delete,
        Action::Delete | Action::Check => Effect::Keep,
    })
}

impl State {
    pub(super) fn write(&mut self, write: Prepared, now: Timestamp) -> Result<WriteOutcome> {
        let Prepared { key, action, condition, return_old } = write;
        let old = self.table.get(&key).cloned();
        let effect = decide(&key, action, condition.as_ref(), old.as_ref())?;
        let refused = matches!(effect, Effect::Refused);
        let capacity = self.carry_out(key, effect, old.as_ref(), now);
        let old = old.filter(|_| return_old).and_then(|old| old.shown(now));
        Ok(if refused {
            WriteOutcome::Refused { current: old, capacity }
        } else {
            WriteOutcome::Done { old, capacity }
        })
    }

    /// Does it, and says what it consumed. A refused write is charged by the item that is there, and so is one that finds
    /// nothing to do.
    pub(super) fn carry_out(&mut self, key: Key, effect: Effect, old: Option<&Stored>, now: Timestamp) -> Capacity {
        let before = old.map_or(0, |old| old.size);
        let new = match effect {
            Effect::Refused | Effect::Keep => return Capacity::writes(write_units(before, before)),
            Effect::Put(new) => Some(new),
            Effect::Delete => None,
        };
        let table_write = write_units(before, new.as_ref().map_or(0, |new| new.size));
        let index_write = self.replace(key, old, new, now, false);
        Capacity { table_write, index_write, ..Capacity::default() }
    }

    /// Replaces the item and logs the change; gives back what the index consumed.
    fn replace(&mut self, key: Key, old: Option<&Stored>, new: Option<Stored>, now: Timestamp, by_ttl: bool) -> Units {
        self.log.push(old, new.as_ref(), now, by_ttl);
        index_write_units(self.table.replace(key, old, new))
    }

    /// Deletes what has expired, and says how many items that were.
    pub(super) fn sweep(&mut self, now: Timestamp) -> usize {
        let expired: Vec<Stored> = self.table.scan(None).filter(|stored| stored.is_expired(now)).cloned().collect();
        let mut swept = 0;
        for old in expired {
            // Every stored item has a valid key.
            if let Ok(key) = old.item.key() {
                self.replace(key, Some(&old), None, now, true);
                swept += 1;
            }
        }
        swept
    }
}
