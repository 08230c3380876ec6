//! Writing one item: put, update or delete, on a condition.

use super::condition::Condition;
use super::substitution::Substituted;
use super::update::Update;
use crate::capacity::Capacity;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::{Key, PK, SK};

/// Writes one item.
///
/// ```
/// use threadline::{Condition, Item, Write};
///
/// let mut item = Item::new();
/// item.insert("pk", "REACTIONS#1");
/// item.insert("sk", "USER#1");
/// let write = Write::put(item)?.when(Condition::item_absent())?.returning_old();
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Write {
    /// What to do.
    pub action: WriteAction,
    /// What must hold of the item before.
    pub condition: Option<Condition>,
    /// Whether the answer brings the item as it was: before the write, or where the condition was not met. It costs nothing.
    pub return_old: bool,
}

/// What a [`Write`] does.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAction {
    /// Puts a whole item in the place of what was there.
    Put {
        /// The item's key, as in its attributes.
        key: Key,
        /// The item.
        item: Item,
    },
    /// Changes attributes of the item, and creates it where it is missing.
    Update {
        /// The key of the item.
        key: Key,
        /// The changes.
        update: Update,
    },
    /// Deletes the item; one that is missing is no error.
    Delete {
        /// The key of the item.
        key: Key,
    },
}

impl Write {
    /// Puts a whole item.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for what [`Item::check`] refuses.
    pub fn put(item: Item) -> Result<Self> {
        Ok(Self::of(WriteAction::Put { key: item.checked_key()?, item }))
    }

    /// Changes attributes of the item with this key, and creates it where it is missing: where it must exist, say so by
    /// [`when`](Self::when).
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for an update without changes, with two of one attribute or one of the key, and for a
    /// value that cannot be stored.
    pub fn update(key: Key, update: Update) -> Result<Self> {
        update.check()?;
        Ok(Self::of(WriteAction::Update { key, update }))
    }

    /// Deletes the item with this key.
    pub fn delete(key: Key) -> Self {
        Self::of(WriteAction::Delete { key })
    }

    fn of(action: WriteAction) -> Self {
        Self { action, condition: None, return_old: false }
    }

    /// Writes only when this holds of the item before, and what was asked for by an earlier call.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for a condition that DynamoDB would not take.
    pub fn when(mut self, condition: Condition) -> Result<Self> {
        condition.check()?;
        self.condition = Some(match self.condition.take() {
            Some(earlier) => earlier.and(condition),
            None => condition,
        });
        Ok(self)
    }

    /// Asks for the item as it was.
    #[must_use]
    pub fn returning_old(mut self) -> Self {
        self.return_old = true;
        self
    }

    /// Checks the whole write, as its parts were checked when it was made; but its fields are open. Every store calls it
    /// before it acts.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for what [`Item::check`], [`Update::check`] or [`Condition::check`] refuses, for a put
    /// whose key is not the one in its item, and for an update and a condition that have more than 2 MB of names and values
    /// together.
    pub fn check(&self) -> Result<()> {
        if let WriteAction::Put { key, item } = &self.action {
            // A key is valid, so that the item's need not be read.
            if item.get_s(PK) != Some(key.pk.as_str()) || item.get_s(SK) != Some(key.sk.as_str()) {
                return Err(Error::invalid("the key of a put is not the key in its item"));
            }
            item.check_attributes()?;
        }
        let mut substituted = Substituted::default();
        if let Some(condition) = &self.condition {
            condition.check()?;
            substituted = condition.substitute(substituted);
        }
        if let WriteAction::Update { update, .. } = &self.action {
            update.check()?;
            substituted = update.substitute(substituted);
        }
        substituted.check()
    }

    /// The key of the item.
    pub fn key(&self) -> &Key {
        match &self.action {
            WriteAction::Put { key, .. } | WriteAction::Update { key, .. } | WriteAction::Delete { key } => key,
        }
    }
}

/// The answer to a [`Write`]: a condition that is not met is an answer, not an error.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a write may have been refused; call `done` where its condition had to hold"]
pub enum WriteOutcome {
    /// The write was done.
    Done {
        /// The item before, where it was asked for, there was one and it had not expired.
        old: Option<Item>,
        /// What the write consumed.
        capacity: Capacity,
    },
    /// The condition was not met, and nothing was written.
    Refused {
        /// The item as it is, where it was asked for, there is one and it has not expired.
        current: Option<Item>,
        /// What the attempt consumed. DynamoDB charges for it and does not say how much, so its store gives the least: the
        /// minimum of one unit.
        capacity: Capacity,
    },
}

impl WriteOutcome {
    /// The item before, for a write that had to be done.
    ///
    /// # Errors
    /// [`ConditionFailed`](ErrorKind::ConditionFailed) when the condition was not met.
    pub fn done(self) -> Result<Option<Item>> {
        match self {
            Self::Done { old, .. } => Ok(old),
            Self::Refused { .. } => Err(Error::new(
                ErrorKind::ConditionFailed,
                "the condition of the write was not met; nothing was written",
            )),
        }
    }

    /// What the write, or the attempt, consumed.
    pub fn capacity(&self) -> Capacity {
        match self {
            Self::Done { capacity, .. } | Self::Refused { capacity, .. } => *capacity,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_dynamo::AttributeValue;

    use super::*;
    use crate::key::{PK, PartitionKey, SK, SortKey};

    #[test]
    fn a_write_whose_parts_were_changed_behind_its_check_is_refused() {
        let mut item = Item::new();
        item.insert(PK, AttributeValue::S("A".into()));
        item.insert(SK, AttributeValue::S("1".into()));
        let key = Key::new(PartitionKey::parse("A").unwrap(), SortKey::parse("2").unwrap());
        let fine = Write::put(item.clone()).unwrap();
        assert!(fine.check().is_ok());
        let of = |action| Write { action, ..fine.clone() };
        for wrong in [
            of(WriteAction::Put { key: key.clone(), item: item.clone() }),
            of(WriteAction::Put { key: fine.key().clone(), item: Item::new() }),
            of(WriteAction::Update { key, update: Update::new() }),
            Write { condition: Some(Condition::Any(vec![])), ..fine.clone() },
        ] {
            assert_eq!(wrong.check().unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
        }
    }
}
