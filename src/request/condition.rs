//! The conditions that a write may depend on.

use std::borrow::Cow;
use std::fmt;

use serde_dynamo::AttributeValue;

use super::substitution::Substituted;
use crate::error::{Error, Result};
use crate::item::{Value, attribute_size, check_attribute_name, check_value};
use crate::key::PK;

/// A condition on the item as it is before the write. Closed, so that the in-memory store evaluates it and the DynamoDB store
/// renders it, with placeholders only. `Debug` prints no value.
///
/// A comparison with an attribute that is missing is false, except that [`Comparison::Ne`] is true; so is one with an
/// attribute of another type. ([Comparison
/// operators](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html))
///
/// ```
/// use threadline::store::Condition;
///
/// let newer = Condition::absent("last_read").or(Condition::lt("last_read", "2026"));
/// let condition = Condition::item_exists().and(newer);
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// The attribute is there, whatever its type.
    Exists(Cow<'static, str>),
    /// The attribute is not there.
    Absent(Cow<'static, str>),
    /// The attribute compares so with the value.
    Compare(Cow<'static, str>, Comparison, AttributeValue),
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
}

/// How an attribute compares with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal, in type and value; numbers by value, sets without regard to order.
    Eq,
    /// Not equal, or missing.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

impl Condition {
    /// There is an item with the key.
    pub fn item_exists() -> Self {
        Self::Exists(Cow::Borrowed(PK))
    }

    /// There is no item with the key.
    pub fn item_absent() -> Self {
        Self::Absent(Cow::Borrowed(PK))
    }

    /// The attribute is there.
    pub fn exists(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Exists(name.into())
    }

    /// The attribute is not there.
    pub fn absent(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Absent(name.into())
    }

    /// The attribute equals the value.
    pub fn eq(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Eq, value.into().into())
    }

    /// The attribute differs from the value, or is missing.
    pub fn ne(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Ne, value.into().into())
    }

    /// The attribute is less than the value.
    pub fn lt(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Lt, value.into().into())
    }

    /// The attribute is greater than the value.
    pub fn gt(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::Compare(name.into(), Comparison::Gt, value.into().into())
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut conditions) => {
                conditions.push(other);
                Self::All(conditions)
            }
            first => Self::All(vec![first, other]),
        }
    }

    /// At least one of the two holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut conditions) => {
                conditions.push(other);
                Self::Any(conditions)
            }
            first => Self::Any(vec![first, other]),
        }
    }

    /// This does not hold.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "reads as the other combinators do")]
    pub fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Checks what DynamoDB would refuse: names, values, empty lists, more than 300 operators, more than 4 KB of expression,
    /// more than 2 MB of names and values, and ordering by a type that has no order.
    pub(crate) fn check(&self) -> Result<()> {
        let mut count = Count::default();
        self.check_nested(&mut count, 0)?;
        if count.operators > MAX_OPERATORS || count.parts > MAX_PARTS {
            return Err(too_large());
        }
        self.substitute(Substituted::default()).check()
    }

    /// Adds its names and values to those of the request.
    pub(super) fn substitute<'a>(&'a self, substituted: Substituted<'a>) -> Substituted<'a> {
        match self {
            Self::Exists(name) | Self::Absent(name) => substituted.name(name),
            Self::Compare(name, _, value) => substituted.name(name).value(value),
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter().fold(substituted, |substituted, condition| condition.substitute(substituted))
            }
            Self::Not(condition) => condition.substitute(substituted),
        }
    }

    /// The bytes of its names and values.
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
                    Err(Error::invalid(format!("a condition orders `{name}` by a value that is no S, N or B")))
                }
            }
            Self::All(conditions) | Self::Any(conditions) => {
                if conditions.is_empty() {
                    return Err(Error::invalid("a condition of all or any of no conditions says nothing"));
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

/// What a condition is made of, as DynamoDB counts: a comparison, a function and a NOT are one operator each, and so is each AND
/// or OR between two.
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
        "a condition may have at most {MAX_PARTS} parts and {MAX_OPERATORS} operators, {MAX_DEPTH} deep; split the write"
    ))
}

/// DynamoDB's limit on the operators and functions of an expression.
const MAX_OPERATORS: usize = 300;
/// The most comparisons and functions: 4 KB of expression hold a good 100, with placeholders in place of names and values.
const MAX_PARTS: usize = 100;
/// Our own limit, so that no condition can exhaust the stack.
const MAX_DEPTH: usize = 32;

// Hand-written: values are content.
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
        // 100 comparisons, 99 ANDs and 101 NOTs; then one NOT more.
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
        // These count for no operator, so that nothing else limits them.
        let alls = |depth| (0..depth).fold(Condition::exists("a"), |inner, _| Condition::All(vec![inner]));
        assert!(alls(32).check().is_ok());
        assert!(alls(33).check().is_err());
        let anys = |depth| (0..depth).fold(Condition::exists("a"), |inner, _| Condition::Any(vec![inner]));
        assert!(anys(32).check().is_ok());
        assert!(anys(33).check().is_err());
    }

    #[test]
    fn debug_shows_what_a_condition_asks_and_no_value() {
        let value = || AttributeValue::S("canary".into());
        let condition = Condition::item_exists()
            .and(Condition::absent("a").or(Condition::lt("b", value())))
            .and(Condition::ne("c", value()).not());
        let expected = "All([Exists(pk), Any([Absent(a), Lt(b, …)]), Not(Ne(c, …))])";
        assert_eq!(format!("{condition:?}"), expected);
    }
}
