//! Conditions, which decide if a write is done.

use std::borrow::Cow;
use std::fmt;

use serde_dynamo::AttributeValue;

use crate::error::{Error, Result};
use crate::item::{Value, attribute_size, check_attribute_name, check_value, type_of};
use crate::key::PK;

/// A condition on the stored item. A store does a [`Write`](crate::store::Write) only if the item meets its condition.
/// `Debug` prints the names of attributes, not their values.
///
/// [`MemoryStore`](crate::MemoryStore) evaluates the condition. `DynamoDbStore` renders it as an expression with a
/// placeholder for each name and value: see [`Write::expressions`](crate::store::Write::expressions).
///
/// If the attribute is missing, or has another type than the value, only the comparison [`Comparison::Ne`] is true. All
/// others are false, as [in DynamoDB][operators].
///
/// ```
/// use threadline::MemoryStore;
/// use threadline::entity::{Key, PartitionKey, SortKey};
/// use threadline::store::{Condition, StoreExt, Update, Write};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let newer = Condition::absent("last_read").or(Condition::lt("last_read", "2026"));
/// let store = MemoryStore::new();
/// let key = Key::new(PartitionKey::parse("GRP#1")?, SortKey::parse("USER#1")?);
/// let mark_read = Write::update(key, Update::new().set("last_read", "2026")).when(newer);
/// store.write(mark_read.clone()).await?.done()?;
/// assert!(store.write(mark_read).await?.done().is_err(), "already marked");
/// # Ok(())
/// # }
/// ```
///
/// [operators]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
#[derive(Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub enum Condition {
    /// The attribute with this name exists, with a value of any type.
    Exists(Cow<'static, str>),
    /// The attribute with this name is missing.
    Absent(Cow<'static, str>),
    /// The comparison of the attribute with the value is true. For [`Comparison::Lt`], the attribute with this name is
    /// less than the value.
    Compare(Cow<'static, str>, Comparison, AttributeValue),
    /// All of these conditions are met.
    All(Vec<Condition>),
    /// At least one of these conditions is met.
    Any(Vec<Condition>),
    /// This condition is not met.
    Not(Box<Condition>),
}

/// A comparison of an attribute with a value, in a [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The attribute equals the value in type and content. The number `1` equals `1.0`. Sets with equal members are
    /// equal in any order.
    Eq,
    /// The attribute differs from the value in type or content, or is missing.
    Ne,
    /// The attribute is less than the value.
    Lt,
    /// The attribute is less than the value or equals it.
    Le,
    /// The attribute is greater than the value.
    Gt,
    /// The attribute is greater than the value or equals it.
    Ge,
}

impl Condition {
    /// Creates a condition that the item exists.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(Condition::item_exists(), Condition::exists("pk"));
    /// ```
    pub fn item_exists() -> Self {
        Self::Exists(Cow::Borrowed(PK))
    }

    /// Creates a condition that the item does not exist.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(Condition::item_absent(), Condition::absent("pk"));
    /// ```
    pub fn item_absent() -> Self {
        Self::Absent(Cow::Borrowed(PK))
    }

    /// Creates a condition that the attribute with this name exists.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(format!("{:?}", Condition::exists("title")), "Exists(title)");
    /// ```
    pub fn exists(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Exists(name.into())
    }

    /// Creates a condition that the attribute with this name is missing.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(format!("{:?}", Condition::absent("deleted_at")), "Absent(deleted_at)");
    /// ```
    pub fn absent(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Absent(name.into())
    }

    /// Creates a condition that the attribute with this name equals the value.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(format!("{:?}", Condition::eq("version", 3)), "Eq(version, …)");
    /// ```
    pub fn eq(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Eq, value.into().into())
    }

    /// Creates a condition that the attribute with this name differs from the value or is missing.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(format!("{:?}", Condition::ne("state", "closed")), "Ne(state, …)");
    /// ```
    pub fn ne(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Ne, value.into().into())
    }

    /// Creates a condition that the attribute with this name is less than the value.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(format!("{:?}", Condition::lt("version", 3)), "Lt(version, …)");
    /// ```
    pub fn lt(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Lt, value.into().into())
    }

    /// Creates a condition that the attribute with this name is greater than the value.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(format!("{:?}", Condition::gt("version", 3)), "Gt(version, …)");
    /// ```
    pub fn gt(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Gt, value.into().into())
    }

    /// Returns a condition that requires both this condition and the other one.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// let both = Condition::item_exists().and(Condition::eq("version", 3));
    /// assert_eq!(format!("{both:?}"), "All([Exists(pk), Eq(version, …)])");
    /// ```
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut conditions) => {
                conditions.push(other);
                Self::All(conditions)
            }
            first => Self::All(vec![first, other]),
        }
    }

    /// Returns a condition that requires this condition, the other one, or both.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// let either = Condition::item_absent().or(Condition::lt("version", 3));
    /// assert_eq!(format!("{either:?}"), "Any([Absent(pk), Lt(version, …)])");
    /// ```
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut conditions) => {
                conditions.push(other);
                Self::Any(conditions)
            }
            first => Self::Any(vec![first, other]),
        }
    }

    /// Returns the opposite condition, which is met if this condition is not.
    ///
    /// ```
    /// use threadline::store::Condition;
    ///
    /// assert_eq!(format!("{:?}", Condition::eq("version", 3).not()), "Not(Eq(version, …))");
    /// ```
    #[allow(clippy::should_implement_trait, reason = "reads as the other combinators do")]
    pub fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Checks DynamoDB's limits: names, values and their order, empty lists, 300 operators, and 4 KB of expression.
    pub(super) fn check(&self) -> Result<()> {
        let mut count = Count::default();
        self.check_nested(&mut count, 0)?;
        if count.operators > MAX_OPERATORS || count.parts > MAX_PARTS {
            return Err(too_large());
        }
        Ok(())
    }

    /// Returns the size of the names and values, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Exists(name) | Self::Absent(name) => name.len(),
            Self::Compare(name, _, value) => attribute_size(name, value),
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().map(Self::size).sum(),
            Self::Not(condition) => condition.size(),
        }
    }

    fn check_nested(&self, count: &mut Count, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(too_large());
        }
        match self {
            Self::Exists(name) | Self::Absent(name) => {
                count.add_part();
                check_attribute_name(name)
            }
            Self::Compare(name, comparison, value) => {
                count.add_part();
                check_attribute_name(name)?;
                check_value(name, value)?;
                let equality = matches!(comparison, Comparison::Eq | Comparison::Ne);
                let ordered = matches!(value, AttributeValue::S(_) | AttributeValue::N(_) | AttributeValue::B(_));
                if equality || ordered {
                    Ok(())
                } else {
                    Err(Error::invalid(format!(
                        "a condition orders `{name}` by a value of type {}; only S, N and B have an order",
                        type_of(value)
                    )))
                }
            }
            Self::All(conditions) | Self::Any(conditions) => {
                if conditions.is_empty() {
                    return Err(Error::invalid("an `All` or `Any` condition must contain at least one condition"));
                }
                count.operators += conditions.len() - 1;
                conditions.iter().try_for_each(|condition| condition.check_nested(count, depth + 1))
            }
            Self::Not(condition) => {
                count.operators += 1;
                condition.check_nested(count, depth + 1)
            }
        }
    }
}

/// The number of operators and parts, by DynamoDB's rules. A comparison, a function, a NOT, and each AND or OR count as
/// one operator.
#[derive(Default)]
struct Count {
    operators: usize,
    parts: usize,
}

impl Count {
    fn add_part(&mut self) {
        self.operators += 1;
        self.parts += 1;
    }
}

fn too_large() -> Error {
    Error::invalid(format!(
        "a condition is too large: the limits are {MAX_PARTS} parts, {MAX_OPERATORS} operators and a depth of \
         {MAX_DEPTH}; split the write"
    ))
}

/// The maximum number of operators and functions of an expression ([DynamoDB's
/// limit](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)).
const MAX_OPERATORS: usize = 300;
/// The maximum number of comparisons and functions. An expression has at most 4 KB, which fits just over 100 with
/// placeholders.
const MAX_PARTS: usize = 100;
/// The maximum depth, a limit of this crate, so that no condition can exhaust the stack.
const MAX_DEPTH: usize = 32;

// Not derived, because values are content.
impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(name) => write!(f, "Exists({name})"),
            Self::Absent(name) => write!(f, "Absent({name})"),
            Self::Compare(name, comparison, _) => write!(f, "{comparison:?}({name}, …)"),
            Self::All(conditions) => f.debug_tuple("All").field(conditions).finish(),
            Self::Any(conditions) => f.debug_tuple("Any").field(conditions).finish(),
            Self::Not(condition) => f.debug_tuple("Not").field(condition).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: usize, part: impl Fn() -> Condition) -> Condition {
        Condition::All(std::iter::repeat_with(part).take(parts).collect())
    }

    #[test]
    fn a_condition_has_at_most_a_hundred_parts() {
        let exists = || Condition::exists("a");
        assert!(all(100, exists).check().is_ok());
        assert!(all(101, exists).check().is_err());
        assert!(all(10, || all(10, exists)).check().is_ok());
        assert!(all(10, || all(11, exists)).check().is_err());
    }

    #[test]
    fn a_condition_has_at_most_300_operators() {
        // 100 comparisons, 99 ANDs and 101 NOTs, and then one more NOT.
        let nots = |parts: usize| {
            let mut part = 0;
            let parts = std::iter::repeat_with(|| {
                part += 1;
                if part <= parts { Condition::exists("a").not() } else { Condition::exists("a") }
            });
            Condition::All(parts.take(100).collect())
        };
        assert!(nots(100).not().check().is_ok());
        assert!(nots(100).not().not().check().is_err());
    }

    #[test]
    fn a_condition_is_at_most_32_deep() {
        let nots = |depth| (0..depth).fold(Condition::exists("a"), |inner, _| inner.not());
        assert!(nots(32).check().is_ok());
        assert!(nots(33).check().is_err());
        // A list of one adds no operator, so only the depth limits it.
        let all_of = |depth| (0..depth).fold(Condition::exists("a"), |inner, _| Condition::All(vec![inner]));
        assert!(all_of(32).check().is_ok());
        assert!(all_of(33).check().is_err());
        let any_of = |depth| (0..depth).fold(Condition::exists("a"), |inner, _| Condition::Any(vec![inner]));
        assert!(any_of(32).check().is_ok());
        assert!(any_of(33).check().is_err());
    }

    #[test]
    fn debug_of_a_condition_shows_names_and_no_value() {
        let value = || AttributeValue::S("canary".into());
        let condition = Condition::item_exists()
            .and(Condition::absent("a").or(Condition::lt("b", value())))
            .and(Condition::ne("c", value()).not());
        let expected = "All([Exists(pk), Any([Absent(a), Lt(b, …)]), Not(Ne(c, …))])";
        assert_eq!(format!("{condition:?}"), expected);
    }
}
