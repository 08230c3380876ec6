//! Records of the Streams API, as records of this crate.

use std::collections::HashMap;

use aws_sdk_dynamodbstreams::types::{AttributeValue as SdkValue, Record};
use serde_dynamo::AttributeValue;

use crate::item::Item;
use crate::stream::{RecordKind, StreamRecord};

/// A record of the DynamoDB Streams API. It cannot fail: an attribute of a type that is newer than this crate is left out, and so
/// is a sequence number that is none. What is missing then shows when the record is projected.
impl From<Record> for StreamRecord {
    fn from(record: Record) -> Self {
        let kind = record.event_name().map_or(RecordKind::Unknown, |name| RecordKind::from(name.as_str()));
        // A delete by a request has no identity; DynamoDB's own, of an expired item, has this one.
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

/// `None` for a type that this crate does not know, or a list or map with one inside. By hand: serde_dynamo's own conversion
/// panics on it.
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
    fn a_record_comes_over_whole() {
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
    fn a_delete_of_an_expired_item_is_told_from_one_by_a_request() {
        let remove = |kind: &str, principal: &str| {
            let identity = Identity::builder().r#type(kind).principal_id(principal).build();
            Record::builder().event_name(OperationType::Remove).user_identity(identity).build()
        };
        assert!(StreamRecord::from(remove("Service", "dynamodb.amazonaws.com")).expired);
        assert!(!StreamRecord::from(remove("Service", "else.amazonaws.com")).expired);
        assert!(!StreamRecord::from(remove("User", "dynamodb.amazonaws.com")).expired);
    }

    #[test]
    fn what_makes_no_sense_is_a_record_all_the_same() {
        let record = StreamRecord::from(Record::builder().event_name("SHUFFLE".into()).build());
        assert_eq!((record.kind, record.sequence.is_none()), (RecordKind::Unknown, true));
        assert!(record.key().is_err());

        let change = SdkChange::builder().new_image("text", text("here")).sequence_number("not a number").build();
        let record = StreamRecord::from(Record::builder().dynamodb(change).build());
        assert_eq!(record.new.unwrap().len(), 1);
        assert!(record.sequence.is_none());
    }
}
