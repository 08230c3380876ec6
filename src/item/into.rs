//! Conversion of an application's types to values of attributes.

use std::fmt;

use serde_dynamo::AttributeValue;
use uuid::Uuid;

use crate::key::{PartitionKey, SortKey};

/// The value of an attribute. Methods such as [`Item::insert`](crate::entity::Item::insert) accept it.
///
/// These types convert to a `Value`: text, integers, booleans, bytes, ids, times, keys and this crate's validated
/// texts. For any other value, use [`AttributeValue`](crate::entity::AttributeValue). `Debug` prints only the type of
/// the value.
///
/// ```
/// use threadline::entity::Item;
/// use threadline::store::{Condition, Update};
/// use threadline::UserId;
///
/// let user: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
/// let mut item = Item::new();
/// item.insert("user_uuid", user);
/// item.insert("stars", 5);
/// assert_eq!(format!("{item:?}"), r#"Item { stars: "N", user_uuid: "S" }"#);
/// let update = Update::new().set("title", "Babylon 5").set("is_open", true);
/// let condition = Condition::eq("user_uuid", user).and(Condition::lt("stars", 6));
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Value(pub(crate) AttributeValue);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", super::type_of(&self.0))
    }
}

impl From<AttributeValue> for Value {
    fn from(value: AttributeValue) -> Self {
        Self(value)
    }
}

impl From<Value> for AttributeValue {
    fn from(value: Value) -> Self {
        value.0
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(AttributeValue::S(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self(AttributeValue::S(text))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self(AttributeValue::Bool(flag))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self(AttributeValue::B(bytes))
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        id.to_string().into()
    }
}

impl From<PartitionKey> for Value {
    fn from(key: PartitionKey) -> Self {
        String::from(key).into()
    }
}

impl From<SortKey> for Value {
    fn from(key: SortKey) -> Self {
        String::from(key).into()
    }
}

macro_rules! from_number {
    ($($type:ty)*) => {$(
        impl From<$type> for Value {
            fn from(number: $type) -> Self {
                Self(AttributeValue::N(number.to_string()))
            }
        }
    )*};
}

from_number!(i32 i64 u32 u64 usize);
