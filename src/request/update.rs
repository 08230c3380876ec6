//! The changes that an update makes to the attributes of an item.

use std::borrow::Cow;
use std::fmt;

use serde_dynamo::AttributeValue;

use crate::error::{Error, Result};
use crate::item::{Value, attribute_size, check_attribute_name, check_index_key, check_value};
use crate::key::{GSI1PK, GSI1SK, PK, SK};

/// The change of one attribute in an [`Update`]. `Debug` prints no value.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum AttributeChange {
    /// Sets the attribute to this value.
    Set(AttributeValue),
    /// Sets a missing attribute to this value. An existing attribute does not change.
    SetIfAbsent(AttributeValue),
    /// Adds this number to the number in the attribute. A missing attribute counts as 0. If the attribute is not a
    /// number, the write fails as [`Invalid`](crate::ErrorKind::Invalid).
    Add(i64),
    /// Removes the attribute.
    Remove,
}

impl AttributeChange {
    /// Returns the value that the change sets, if any.
    fn value(&self) -> Option<&AttributeValue> {
        match self {
            Self::Set(value) | Self::SetIfAbsent(value) => Some(value),
            Self::Add(_) | Self::Remove => None,
        }
    }
}

/// The changes that a [`Write`](crate::store::Write) makes to the attributes of an item. An attribute has at most one
/// change. `Debug` prints the names of attributes, not their values.
///
/// ```
/// use threadline::store::Update;
///
/// let update = Update::new().set("title", "Babylon 5").add("version", 1).remove("draft");
/// assert_eq!(update.changes().len(), 3);
/// ```
#[derive(Clone, Default, PartialEq)]
#[must_use]
pub struct Update {
    changes: Vec<(Cow<'static, str>, AttributeChange)>,
}

impl Update {
    /// Creates an update without changes. Add at least one before you send it:
    /// [`Checked::new`](crate::store::Checked::new) refuses an empty update.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{Get, StoreExt, Update, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// let update = Update::new().set("name", "Andrew").set_if_absent("city", "Toronto").add("logins", 1);
    /// store.write(Write::update(key.clone(), update)).await?.done()?;
    /// let user = store.get(Get::new(key)).await?.item.unwrap_or_default();
    /// assert_eq!(user.get_s("city"), Some("Toronto"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a change that sets the attribute with this name to the value.
    pub fn set(self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.change(name, AttributeChange::Set(value.into().into()))
    }

    /// Adds a change that sets the attribute with this name to the value if the attribute is missing.
    pub fn set_if_absent(self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.change(name, AttributeChange::SetIfAbsent(value.into().into()))
    }

    /// Adds a change that increases the number in the attribute with this name by `number`. A missing attribute counts
    /// as 0.
    pub fn add(self, name: impl Into<Cow<'static, str>>, number: i64) -> Self {
        self.change(name, AttributeChange::Add(number))
    }

    /// Adds a change that removes the attribute with this name.
    pub fn remove(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.change(name, AttributeChange::Remove)
    }

    /// Adds a change of any kind to the attribute with this name.
    pub fn change(mut self, name: impl Into<Cow<'static, str>>, change: AttributeChange) -> Self {
        self.changes.push((name.into(), change));
        self
    }

    /// Returns the changes in the order in which they were added, each with the name of its attribute.
    pub fn changes(&self) -> &[(Cow<'static, str>, AttributeChange)] {
        &self.changes
    }

    /// Takes the changes out.
    pub(crate) fn into_changes(self) -> Vec<(Cow<'static, str>, AttributeChange)> {
        self.changes
    }

    /// Returns the size of the names and values, in bytes.
    pub(super) fn size(&self) -> usize {
        let size = |(name, change): &(Cow<'static, str>, AttributeChange)| {
            change.value().map_or(name.len(), |value| attribute_size(name, value))
        };
        self.changes.iter().map(size).sum()
    }

    /// Checks DynamoDB's limits, except on the size of names and values.
    pub(super) fn check(&self) -> Result<()> {
        if self.changes.is_empty() {
            return Err(Error::invalid("an update must have at least one change"));
        }
        // An expression has at most 4 KB, which fits just over 100 changes with placeholders.
        if self.changes.len() > MAX_CHANGES {
            return Err(Error::invalid(format!(
                "an update has {} changes; the limit is {MAX_CHANGES}; put the item instead",
                self.changes.len()
            )));
        }
        for (number, (name, change)) in self.changes.iter().enumerate() {
            check_attribute_name(name)?;
            if name == PK || name == SK {
                return Err(Error::invalid(format!(
                    "an update cannot change `{name}`: delete the item and put another"
                )));
            }
            if self.changes.iter().take(number).any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(format!("an update changes `{name}` twice")));
            }
            match change {
                AttributeChange::Set(value) | AttributeChange::SetIfAbsent(value) => {
                    check_value(name, value)?;
                    check_index_key(name, value)?;
                }
                AttributeChange::Add(_) if name == GSI1PK || name == GSI1SK => {
                    return Err(Error::invalid(format!(
                        "the key attribute `{name}` must be a string; an update cannot add to it"
                    )));
                }
                AttributeChange::Add(_) | AttributeChange::Remove => {}
            }
        }
        Ok(())
    }
}

const MAX_CHANGES: usize = 100;

// Not derived, because values are content.
impl fmt::Debug for AttributeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set(…)",
            Self::SetIfAbsent(_) => "SetIfAbsent(…)",
            Self::Add(_) => "Add(…)",
            Self::Remove => "Remove",
        })
    }
}

impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.changes.iter().map(|(name, change)| (name, change))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> AttributeValue {
        AttributeValue::S("canary".into())
    }

    #[test]
    fn update_keeps_the_order_of_its_changes() {
        let update = Update::new().set("b", text()).set_if_absent("c", text()).add("d", -1).remove("a");
        let changes: Vec<_> = update.changes().iter().map(|(name, change)| (&**name, change.clone())).collect();
        let expected = [
            ("b", AttributeChange::Set(text())),
            ("c", AttributeChange::SetIfAbsent(text())),
            ("d", AttributeChange::Add(-1)),
            ("a", AttributeChange::Remove),
        ];
        assert_eq!(changes, expected);
    }

    #[test]
    fn debug_of_an_update_shows_names_and_no_value() {
        let update = Update::new().set("b", text()).set_if_absent("c", text()).add("d", 41).remove("a");
        let expected = r#"{"b": Set(…), "c": SetIfAbsent(…), "d": Add(…), "a": Remove}"#;
        assert_eq!(format!("{update:?}"), expected);
    }
}
