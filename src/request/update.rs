//! The changes that an update makes to an item.

use std::borrow::Cow;
use std::fmt;

use serde_dynamo::AttributeValue;

use super::substitution::Substituted;
use crate::error::{Error, Result};
use crate::item::{Value, attribute_size, check_attribute_name, check_index_key, check_value};
use crate::key::{GSI1PK, GSI1SK, PK, SK};

/// One change to one attribute. `Debug` prints no value.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum AttributeChange {
    /// Sets the attribute.
    Set(AttributeValue),
    /// Sets the attribute where it is missing.
    SetIfAbsent(AttributeValue),
    /// Adds to the number in the attribute, which counts as 0 where it is missing. The write is refused as
    /// [`Invalid`](crate::ErrorKind::Invalid) where the attribute holds something else.
    Add(i64),
    /// Removes the attribute.
    Remove,
}

impl AttributeChange {
    /// The value that it sets.
    fn value(&self) -> Option<&AttributeValue> {
        match self {
            Self::Set(value) | Self::SetIfAbsent(value) => Some(value),
            Self::Add(_) | Self::Remove => None,
        }
    }
}

/// The changes that an update makes, each to an attribute of its own. `Debug` prints no value.
///
/// ```
/// use threadline::Update;
///
/// let update = Update::new().set("title", "Babylon 5").add("version", 1).remove("draft");
/// assert_eq!(update.changes().len(), 3);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Update {
    changes: Vec<(Cow<'static, str>, AttributeChange)>,
}

impl Update {
    /// No change yet. An update without any is refused when the write is made.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.with(name, AttributeChange::Set(value.into().into()))
    }

    /// Sets an attribute where it is missing.
    #[must_use]
    pub fn set_if_absent(self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.with(name, AttributeChange::SetIfAbsent(value.into().into()))
    }

    /// Adds to the number in an attribute, which counts as 0 where it is missing.
    #[must_use]
    pub fn add(self, name: impl Into<Cow<'static, str>>, number: i64) -> Self {
        self.with(name, AttributeChange::Add(number))
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(name, AttributeChange::Remove)
    }

    /// Adds a change.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, change: AttributeChange) -> Self {
        self.changes.push((name.into(), change));
        self
    }

    /// The changes, by attribute, in the order given.
    pub fn changes(&self) -> &[(Cow<'static, str>, AttributeChange)] {
        &self.changes
    }

    /// The changes themselves, for a store that makes them.
    pub(crate) fn into_changes(self) -> Vec<(Cow<'static, str>, AttributeChange)> {
        self.changes
    }

    /// The bytes of its names and values.
    pub(super) fn size(&self) -> usize {
        let size = |(name, change): &(Cow<'static, str>, AttributeChange)| {
            change.value().map_or(name.len(), |value| attribute_size(name, value))
        };
        self.changes.iter().map(size).sum()
    }

    /// Returns an error for an update that DynamoDB would refuse.
    pub(crate) fn check(&self) -> Result<()> {
        if self.changes.is_empty() {
            return Err(Error::invalid("an update must change something"));
        }
        // 4 KB of expression hold a good 100 changes, with placeholders in place of names and values.
        if self.changes.len() > MAX_CHANGES {
            return Err(Error::invalid(format!(
                "an update may change at most {MAX_CHANGES} attributes; put the item instead"
            )));
        }
        for (place, (name, change)) in self.changes.iter().enumerate() {
            check_attribute_name(name)?;
            if name == PK || name == SK {
                return Err(Error::invalid(format!(
                    "an update cannot change `{name}`: delete the item and put another"
                )));
            }
            if self.changes.iter().take(place).any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(format!("an update changes `{name}` twice")));
            }
            match change {
                AttributeChange::Set(value) | AttributeChange::SetIfAbsent(value) => {
                    check_value(name, value)?;
                    check_index_key(name, value)?;
                }
                AttributeChange::Add(_) if name == GSI1PK || name == GSI1SK => {
                    return Err(Error::invalid(format!(
                        "the key attribute `{name}` must be a string, and an update adds to it"
                    )));
                }
                AttributeChange::Add(_) | AttributeChange::Remove => {}
            }
        }
        self.substitute(Substituted::default()).check()
    }

    /// Adds its names and values to those of the request.
    pub(super) fn substitute<'a>(&'a self, substituted: Substituted<'a>) -> Substituted<'a> {
        self.changes.iter().fold(substituted, |substituted, (name, change)| match change {
            AttributeChange::Set(value) | AttributeChange::SetIfAbsent(value) => substituted.name(name).value(value),
            AttributeChange::Add(number) => substituted.name(name).value(&AttributeValue::N(number.to_string())),
            AttributeChange::Remove => substituted.name(name),
        })
    }
}

const MAX_CHANGES: usize = 100;

// Hand-written: values are content.
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
    fn the_changes_of_an_update_are_in_the_order_given() {
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
    fn debug_shows_what_an_update_changes_and_no_value() {
        let update = Update::new().set("b", text()).set_if_absent("c", text()).add("d", 41).remove("a");
        let expected = r#"{"b": Set(…), "c": SetIfAbsent(…), "d": Add(…), "a": Remove}"#;
        assert_eq!(format!("{update:?}"), expected);
    }
}
