//! A request that writes one item: a put, an update or a delete, with an optional condition.

use super::condition::Condition;
use super::expression::Expressions;
use super::update::Update;
use crate::capacity::Capacity;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::Key;

/// A request that puts, updates or deletes one item, perhaps with a [`Condition`].
///
/// ```
/// use threadline::MemoryStore;
/// use threadline::entity::Item;
/// use threadline::store::{Condition, StoreExt, Write, WriteOutcome};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let mut item = Item::new();
/// item.insert("pk", "REACTIONS#1");
/// item.insert("sk", "USER#1");
/// let write = Write::put(item.clone()).when(Condition::item_absent()).returning_old();
///
/// let store = MemoryStore::new();
/// store.write(write.clone()).await?.done()?;
/// let WriteOutcome::Refused { current, .. } = store.write(write).await? else { unreachable!() };
/// assert_eq!(current, Some(item));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Write {
    /// `None` for a put of an item without a valid key, which the check refuses.
    key: Option<Key>,
    pub(crate) action: WriteAction,
    pub(crate) condition: Option<Condition>,
    pub(crate) return_old: bool,
}

/// The effect of a [`Write`] on its item: a put, an update or a delete.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAction {
    /// Puts this whole item. It replaces a stored item with the same key.
    Put(Item),
    /// Changes attributes of the item. Creates the item if it is missing.
    Update(Update),
    /// Deletes the item. A missing item is not an error.
    Delete,
}

impl Write {
    /// Creates a write that puts this whole item. It replaces a stored item with the same key.
    ///
    /// ```
    /// use threadline::entity::Item;
    /// use threadline::store::{Write, WriteAction};
    ///
    /// let mut item = Item::new();
    /// item.insert("pk", "USER#1");
    /// item.insert("sk", "USER");
    /// let write = Write::put(item.clone());
    /// assert_eq!(write.action(), &WriteAction::Put(item));
    /// ```
    pub fn put(item: Item) -> Self {
        Self::of(item.key().ok(), WriteAction::Put(item))
    }

    /// Creates a write that updates the item with this key. By default, the write creates a missing item. To update
    /// only an existing item, pass [`Condition::item_exists`] to [`when`](Self::when).
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{Condition, StoreExt, Update, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// let write = Write::update(key, Update::new().add("logins", 1)).when(Condition::item_exists());
    /// assert!(MemoryStore::new().write(write).await?.done().is_err(), "the item is missing");
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(key: Key, update: Update) -> Self {
        Self::of(Some(key), WriteAction::Update(update))
    }

    /// Creates a write that deletes the item with this key.
    ///
    /// ```
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{Write, WriteAction};
    ///
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// assert_eq!(Write::delete(key).action(), &WriteAction::Delete);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn delete(key: Key) -> Self {
        Self::of(Some(key), WriteAction::Delete)
    }

    fn of(key: Option<Key>, action: WriteAction) -> Self {
        Self { key, action, condition: None, return_old: false }
    }

    /// Adds a condition. If the stored item does not meet the condition, the store refuses the write. After several
    /// calls, the item must meet all of their conditions. Default: none.
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(match self.condition.take() {
            Some(earlier) => earlier.and(condition),
            None => condition,
        });
        self
    }

    /// Requests the old item in the answer: the item as it was before the write. If the condition is not met, the
    /// answer contains the stored item. Returning the item costs no extra capacity.
    ///
    /// In a transaction, a write returns its item only if its condition is not met.
    pub fn returning_old(mut self) -> Self {
        self.return_old = true;
        self
    }

    /// Returns the key of the item that is written.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) if the write puts an item without a valid key. A
    /// [checked](crate::store::Checked) write always has a key.
    pub fn key(&self) -> Result<&Key> {
        if let (None, WriteAction::Put(item)) = (&self.key, &self.action) {
            item.key()?;
        }
        self.key.as_ref().ok_or_else(|| Error::invalid("the write has no key"))
    }

    /// Returns the effect of the write: a put, an update or a delete.
    pub fn action(&self) -> &WriteAction {
        &self.action
    }

    /// Returns the condition of the write, if any.
    pub fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }

    /// Returns `true` if the write [requests the old item](Self::returning_old).
    pub fn returns_old(&self) -> bool {
        self.return_old
    }

    /// Returns the size of the names and values of the update and the condition, in bytes.
    pub(super) fn size_in_expressions(&self) -> usize {
        let update = match &self.action {
            WriteAction::Update(update) => update.size(),
            WriteAction::Put(_) | WriteAction::Delete => 0,
        };
        update + self.condition.as_ref().map_or(0, Condition::size)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.key()?;
        match &self.action {
            WriteAction::Put(item) => item.check_attributes()?,
            WriteAction::Update(update) => update.check()?,
            WriteAction::Delete => {}
        }
        if let Some(condition) = &self.condition {
            condition.check()?;
        }
        Expressions::check(self.size_in_expressions(), || self.expressions())
    }
}

/// The answer of a store to a [`Write`]. An unmet condition is an answer, not an error.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a write may have been refused; call `done` if its condition must be met"]
pub enum WriteOutcome {
    /// The write was done.
    Done {
        /// The item before the write. `None` if the item was missing or expired, or if the write did not [request
        /// it](Write::returning_old).
        old: Option<Item>,
        /// The capacity that the write consumed.
        capacity: Capacity,
    },
    /// The stored item did not meet the condition, and nothing was written.
    Refused {
        /// The stored item. `None` if the item is missing or expired, or if the write did not [request
        /// it](Write::returning_old).
        current: Option<Item>,
        /// The capacity that the attempt consumed. DynamoDB charges for the attempt but does not report the units, so
        /// `DynamoDbStore` returns the minimum: one write unit.
        capacity: Capacity,
    },
}

impl WriteOutcome {
    /// Returns the `old` item of a write that was done. Returns an error if the write was refused.
    ///
    /// # Errors
    /// [`ConditionFailed`](ErrorKind::ConditionFailed) if the stored item did not meet the condition.
    pub fn done(self) -> Result<Option<Item>> {
        match self {
            Self::Done { old, .. } => Ok(old),
            Self::Refused { .. } => Err(Error::new(
                ErrorKind::ConditionFailed,
                "the condition of the write was not met; nothing was written",
            )),
        }
    }

    /// Returns the capacity that the write consumed. A refused write consumes capacity too.
    pub fn capacity(&self) -> Capacity {
        match self {
            Self::Done { capacity, .. } | Self::Refused { capacity, .. } => *capacity,
        }
    }
}
