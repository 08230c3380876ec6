//! Conversion of an application's types to values of attributes.

use std::fmt;

use serde_dynamo::AttributeValue;
use uuid::Uuid;

use crate::key::{PartitionKey, SortKey};

/// The value of an attribute. Methods such as [`Item::insert`](crate::entity::Item::insert) accept it.
///
/// These types convert to a `Value`: text, integers, booleans, bytes, ids, times, message positions, keys and this
/// crate's validated texts. For any other value, use [`AttributeValue`](crate::entity::AttributeValue). `Debug` prints
/// only the type of the value.
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

/// Implements the conversion of types to a [`Value`], with the function that returns the value of the attribute.
macro_rules! values {
    ($($type:ty: $write:expr;)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                let write: fn($type) -> AttributeValue = $write;
                Self(write(value))
            }
        }
    )*};
}

values! {
    &str: |text| AttributeValue::S(text.to_owned());
    String: AttributeValue::S;
    bool: AttributeValue::Bool;
    Vec<u8>: AttributeValue::B;
    Uuid: |id| AttributeValue::S(id.to_string());
    PartitionKey: |key| AttributeValue::S(key.into());
    SortKey: |key| AttributeValue::S(key.into());
    i32: |number| AttributeValue::N(number.to_string());
    i64: |number| AttributeValue::N(number.to_string());
    u32: |number| AttributeValue::N(number.to_string());
    u64: |number| AttributeValue::N(number.to_string());
    usize: |number| AttributeValue::N(number.to_string());
}
