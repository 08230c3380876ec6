//! The reference for the DynamoDB store: the SDK with serde_dynamo, with the same requests.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use serde::{Deserialize, Serialize};
use threadline::entity::{Entity, Key, MessageKey};
use threadline::{DisplayName, GroupId, Handle, Membership, Message, MessageBody, MessageId, MessagePosition, UserId};

use crate::canned::TABLE;
use crate::support::{Forward, PAGE, Table, partition};

pub(crate) struct Raw(pub(crate) Client);

/// The attributes of a new message, as an application describes them to serde.
#[derive(Serialize)]
struct NewMessage<'a> {
    message_uuid: MessageId,
    user_uuid: UserId,
    user_handle: &'a Handle,
    user_display_name: &'a DisplayName,
    message: Option<&'a MessageBody>,
}

/// A stored message, as an application describes it to serde.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct RawMessage {
    pk: String,
    sk: MessagePosition,
    message_uuid: MessageId,
    user_uuid: UserId,
    user_handle: Handle,
    user_display_name: DisplayName,
    message: MessageBody,
}

impl From<Message> for RawMessage {
    fn from(message: Message) -> Self {
        Self {
            pk: partition(message.group_id()).into(),
            sk: message.position(),
            message_uuid: message.id(),
            user_uuid: message.sender_id(),
            user_handle: message.sender_handle().clone(),
            user_display_name: message.sender_display_name().clone(),
            message: message.body().unwrap().clone(),
        }
    }
}

impl Table for Raw {
    type Message = RawMessage;

    async fn put(&self, message: &Message) -> bool {
        let new = NewMessage {
            message_uuid: message.id(),
            user_uuid: message.sender_id(),
            user_handle: message.sender_handle(),
            user_display_name: message.sender_display_name(),
            message: message.body(),
        };
        let mut item: HashMap<String, AttributeValue> = serde_dynamo::to_item(new).unwrap();
        item.extend(primary_key(message.key()));
        item.insert("type".into(), AttributeValue::S("Message".into()));
        let answer = self
            .0
            .put_item()
            .table_name(TABLE)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#n0)")
            .expression_attribute_names("#n0", "pk")
            .return_values(ReturnValue::None)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match answer {
            Ok(_) => true,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn get(&self, key: MessageKey) -> Option<RawMessage> {
        let answer = self
            .0
            .get_item()
            .table_name(TABLE)
            .set_key(Some(primary_key(Message::key_from(key))))
            .consistent_read(false)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .unwrap();
        answer.item.map(|item| serde_dynamo::from_item(item).unwrap())
    }

    async fn newest(&self, group: GroupId) -> Vec<RawMessage> {
        let answer = self
            .0
            .query()
            .table_name(TABLE)
            .consistent_read(false)
            .key_condition_expression("#n0 = :v0")
            .expression_attribute_names("#n0", "pk")
            .expression_attribute_values(":v0", AttributeValue::S(partition(group).into()))
            .scan_index_forward(false)
            .limit(i32::try_from(PAGE).unwrap())
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .unwrap();
        serde_dynamo::from_items(answer.items.unwrap()).unwrap()
    }

    async fn advance(&self, entry: &Membership, message: &Message) -> bool {
        let Forward { position, sender, recency, preview } = Forward::to(message);
        let answer = self
            .0
            .update_item()
            .table_name(TABLE)
            .set_key(Some(primary_key(entry.key())))
            .update_expression("SET #n0 = :v0, #n1 = :v1, #n2 = :v2, #n3 = :v3")
            .condition_expression("attribute_exists(#n4) AND (attribute_not_exists(#n0) OR #n0 < :v4)")
            .expression_attribute_names("#n0", "last_message")
            .expression_attribute_names("#n1", "last_sender_uuid")
            .expression_attribute_names("#n2", "gsi1sk")
            .expression_attribute_names("#n3", "message")
            .expression_attribute_names("#n4", "pk")
            .expression_attribute_values(":v0", AttributeValue::S(position.clone()))
            .expression_attribute_values(":v1", AttributeValue::S(sender))
            .expression_attribute_values(":v2", AttributeValue::S(recency))
            .expression_attribute_values(":v3", AttributeValue::S(preview))
            .expression_attribute_values(":v4", AttributeValue::S(position))
            .return_values(ReturnValue::None)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match answer {
            Ok(_) => true,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn primary_key(key: Key) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.into())),
        ("sk".to_owned(), AttributeValue::S(key.sk.into())),
    ])
}
