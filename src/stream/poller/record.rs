//! Conversion of Streams API records into records of this crate.

use std::collections::HashMap;

use aws_sdk_dynamodbstreams::types::{AttributeValue as SdkValue, Record};
use serde_dynamo::AttributeValue;

use crate::item::Item;
use crate::stream::{RecordKind, StreamRecord};

/// Converts a record of the DynamoDB Streams API into a [`StreamRecord`].
///
/// The conversion cannot fail. It omits attributes of unknown types, and an invalid sequence number. If the
/// [projector](crate::stream::Projector) needs a missing part, it reports the record as failed or as a dead letter.
impl From<Record> for StreamRecord {
    fn from(record: Record) -> Self {
        let kind = record.event_name().map_or(RecordKind::Unknown, |name| RecordKind::from(name.as_str()));
        // DynamoDB sets this identity if it deletes an expired item. A delete by a request has none.
        let expired = record.user_identity().is_some_and(|identity| {
            identity.r#type() == Some("Service") && identity.principal_id() == Some("dynamodb.amazonaws.com")
        });
        let Some(change) = record.dynamodb else {
            return Self { expired, ..Self::new(kind, Item::new(), None) };
        };
        let sequence = change.sequence_number.and_then(|number| number.parse().ok());
        Self {
            old: change.old_image.map(item_from_sdk),
            new: change.new_image.map(item_from_sdk),
            expired,
            ..Self::new(kind, change.keys.map(item_from_sdk).unwrap_or_default(), sequence)
        }
    }
}

fn item_from_sdk(item: HashMap<String, SdkValue>) -> Item {
    item.into_iter().filter_map(|(name, value)| Some((name, value_from_sdk(value)?))).collect()
}

/// Converts a value. Returns `None` for an unknown type, or for a list or map that contains one.
///
/// serde_dynamo's own conversion panics on an unknown type.
fn value_from_sdk(value: SdkValue) -> Option<AttributeValue> {
    Some(match value {
        SdkValue::S(text) => AttributeValue::S(text),
        SdkValue::N(number) => AttributeValue::N(number),
        SdkValue::B(bytes) => AttributeValue::B(bytes.into_inner()),
        SdkValue::Bool(flag) => AttributeValue::Bool(flag),
        SdkValue::Null(null) => AttributeValue::Null(null),
        SdkValue::Ss(set) => AttributeValue::Ss(set),
        SdkValue::Ns(set) => AttributeValue::Ns(set),
        SdkValue::Bs(set) => AttributeValue::Bs(set.into_iter().map(|bytes| bytes.into_inner()).collect()),
        SdkValue::L(list) => AttributeValue::L(list.into_iter().map(value_from_sdk).collect::<Option<_>>()?),
        SdkValue::M(map) => AttributeValue::M(
            map.into_iter().map(|(name, value)| Some((name, value_from_sdk(value)?))).collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodbstreams::primitives::Blob;
    use aws_sdk_dynamodbstreams::types::{Identity, OperationType, StreamRecord as SdkChange};

    fn text(text: &str) -> SdkValue {
        SdkValue::S(text.into())
    }

    #[test]
    fn record_is_converted_completely() {
        let change = SdkChange::builder()
            .keys("pk", text("MSG#1"))
            .keys("sk", text("1#1"))
            .old_image("n", SdkValue::N("1".into()))
            .new_image("l", SdkValue::L(vec![SdkValue::Bool(true), SdkValue::B(Blob::new([1]))]))
            .new_image("m", SdkValue::M(HashMap::from([("k".into(), SdkValue::Null(true))])))
            .sequence_number("000000000000000000003")
            .build();
        let record = StreamRecord::from(Record::builder().event_name(OperationType::Modify).dynamodb(change).build());
        assert_eq!(record.kind, RecordKind::Modify);
        assert_eq!(record.key().unwrap().pk.as_str(), "MSG#1");
        assert_eq!(record.old.unwrap().get("n"), Some(&AttributeValue::N("1".into())));
        let new = record.new.unwrap();
        let list = AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::B(vec![1])]);
        assert_eq!(new.get("l"), Some(&list));
        assert_eq!(new.get("m"), Some(&AttributeValue::M(HashMap::from([("k".into(), AttributeValue::Null(true))]))));
        assert_eq!(record.sequence.unwrap().as_str(), "000000000000000000003");
        assert!(!record.expired);
    }

    #[test]
    fn delete_of_an_expired_item_differs_from_delete_by_request() {
        let remove = |kind: &str, principal: &str| {
            let identity = Identity::builder().r#type(kind).principal_id(principal).build();
            Record::builder().event_name(OperationType::Remove).user_identity(identity).build()
        };
        assert!(StreamRecord::from(remove("Service", "dynamodb.amazonaws.com")).expired);
        assert!(!StreamRecord::from(remove("Service", "else.amazonaws.com")).expired);
        assert!(!StreamRecord::from(remove("User", "dynamodb.amazonaws.com")).expired);
    }

    #[test]
    fn invalid_sdk_record_is_still_converted() {
        let record = StreamRecord::from(Record::builder().event_name("SHUFFLE".into()).build());
        assert_eq!((record.kind, record.sequence.is_none()), (RecordKind::Unknown, true));
        assert!(record.key().is_err());

        let change = SdkChange::builder().new_image("text", text("here")).sequence_number("not a number").build();
        let record = StreamRecord::from(Record::builder().dynamodb(change).build());
        assert_eq!(record.new.unwrap().len(), 1);
        assert!(record.sequence.is_none());
    }
}
