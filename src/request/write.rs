//! Writing one item: put, update or delete, on a condition.

use super::condition::Condition;
use super::substitution::Substituted;
use super::update::Update;
use crate::capacity::Capacity;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::Key;

/// Writes one item.
///
/// ```
/// use threadline::entity::Item;
/// use threadline::store::{Condition, Write};
///
/// let mut item = Item::new();
/// item.insert("pk", "REACTIONS#1");
/// item.insert("sk", "USER#1");
/// let write = Write::put(item).when(Condition::item_absent()).returning_old();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// `None` for a put of an item without a valid key, which the check refuses.
    key: Option<Key>,
    pub(crate) action: WriteAction,
    pub(crate) condition: Option<Condition>,
    pub(crate) return_old: bool,
}

/// The effect of a [`Write`] on its item.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAction {
    /// Puts a whole item in the place of what was there.
    Put(Item),
    /// Changes attributes of the item, and creates it where it is missing.
    Update(Update),
    /// Deletes the item; one that is missing is no error.
    Delete,
}

impl Write {
    /// Puts a whole item.
    pub fn put(item: Item) -> Self {
        Self::of(item.key().ok(), WriteAction::Put(item))
    }

    /// Changes attributes of the item with this key, and creates it where it is missing: where it must exist, say so by
    /// [`when`](Self::when).
    pub fn update(key: Key, update: Update) -> Self {
        Self::of(Some(key), WriteAction::Update(update))
    }

    /// Deletes the item with this key.
    pub fn delete(key: Key) -> Self {
        Self::of(Some(key), WriteAction::Delete)
    }

    fn of(key: Option<Key>, action: WriteAction) -> Self {
        Self { key, action, condition: None, return_old: false }
    }

    /// Writes only when this holds of the item before, and what was asked for by an earlier call.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(match self.condition.take() {
            Some(earlier) => earlier.and(condition),
            None => condition,
        });
        self
    }

    /// Asks for the item as it was before the write, or as it is if the condition was not met. It costs nothing.
    #[must_use]
    pub fn returning_old(mut self) -> Self {
        self.return_old = true;
        self
    }

    /// Returns the key of the item.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for a put of an item without a valid key. A [checked](crate::store::Checked) write
    /// always has one.
    pub fn key(&self) -> Result<&Key> {
        if let (None, WriteAction::Put(item)) = (&self.key, &self.action) {
            item.key()?;
        }
        self.key.as_ref().ok_or_else(|| Error::invalid("the write has no key"))
    }

    /// Returns the effect of the write.
    pub fn action(&self) -> &WriteAction {
        &self.action
    }

    /// Returns the condition of the write, if any.
    pub fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }

    /// Returns `true` if the write asks for the item.
    pub fn returns_old(&self) -> bool {
        self.return_old
    }

    pub(super) fn check(&self) -> Result<()> {
        self.key()?;
        let mut substituted = Substituted::default();
        match &self.action {
            WriteAction::Put(item) => item.check_attributes()?,
            WriteAction::Update(update) => {
                update.check()?;
                substituted = update.substitute(substituted);
            }
            WriteAction::Delete => {}
        }
        if let Some(condition) = &self.condition {
            condition.check()?;
            substituted = condition.substitute(substituted);
        }
        substituted.check()
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
