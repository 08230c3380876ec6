//! Compares the in-memory store, with typed messages, with dynoxide embedded in the same process, with items, by CPU
//! time: `cargo bench --manifest-path differential/Cargo.toml`.

#[path = "../../benches/support/mod.rs"]
mod support;

use std::collections::HashMap;

use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::actions::query::QueryRequest;
use dynoxide::actions::update_item::UpdateItemRequest;
use dynoxide::{Database, DynoxideError, Item, item};
use serde_json::json;
use support::turns::Target::Faster;
use support::turns::{Turns, advance, get, newest, put};
use support::{Forward, MESSAGES, Ours, PAGE, Table, Thread, block_on, partition};
use threadline::entity::{Entity, Key, MessageKey};
use threadline::{GroupId, Membership, MemoryStore, Message};

const TABLE: &str = "threadline";

fn main() {
    let thread = Thread::new();
    let (ours, embedded) = (Ours::<MemoryStore>::with(&thread), Embedded::with(&thread));
    check_that_both_do_the_same(&ours, &embedded, &thread);

    let turns = Turns::against("dynoxide");
    let (new_ours, new_embedded) = (Ours::<MemoryStore>::default, Embedded::default);
    turns.compare(
        "put",
        Faster(8.0),
        || put(&new_ours(), &thread, MESSAGES),
        || put(&new_embedded(), &thread, MESSAGES),
    );
    turns.compare("get", Faster(6.0), || get(&ours, &thread, MESSAGES), || get(&embedded, &thread, MESSAGES));
    turns.compare("newest 20 of 1,000", Faster(4.0), || newest(&ours, &thread), || newest(&embedded, &thread));
    let (new_ours, new_embedded) = (|| Ours::with(&thread), || Embedded::with(&thread));
    turns.compare(
        "advance",
        Faster(15.0),
        || advance(&new_ours(), &thread, MESSAGES),
        || advance(&new_embedded(), &thread, MESSAGES),
    );
}

fn check_that_both_do_the_same(ours: &Ours<MemoryStore>, embedded: &Embedded, thread: &Thread) {
    block_on(async {
        let (read, found) = (ours.newest(thread.group()).await, embedded.newest(thread.group()).await);
        assert!(read.iter().eq(thread.messages.iter().rev().take(20)));
        assert!(read.iter().map(item_of).eq(found));
        let message = &thread.messages[0];
        assert_eq!(ours.get(message.key_parts()).await.as_ref(), Some(message));
        assert_eq!(embedded.get(message.key_parts()).await, Some(item_of(message)));
        assert!(!ours.put(message).await && !embedded.put(message).await, "it is there already");
    });
    let (ours, embedded) = (Ours::with(thread), Embedded::with(thread));
    for (message, moves) in [(&thread.messages[1], true), (&thread.messages[0], false)] {
        assert_eq!(block_on(ours.advance(&thread.entry, message)), moves);
        assert_eq!(block_on(embedded.advance(&thread.entry, message)), moves);
    }
}

/// dynoxide as a library, with a table of the same keys and index. It has no stream, which would make its writes
/// several times as expensive. The in-memory store always has one.
struct Embedded(Database);

impl Default for Embedded {
    fn default() -> Self {
        let database = Database::memory().unwrap();
        let key_part = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let key = |pk: &str, sk: &str| json!([key_part(pk, "HASH"), key_part(sk, "RANGE")]);
        let text = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let table = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": key("pk", "sk"),
            "AttributeDefinitions": [text("pk"), text("sk"), text("gsi1pk"), text("gsi1sk")],
            "GlobalSecondaryIndexes": [{
                "IndexName": "gsi1",
                "KeySchema": key("gsi1pk", "gsi1sk"),
                "Projection": { "ProjectionType": "ALL" },
            }],
        });
        let table: CreateTableRequest = serde_json::from_value(table).unwrap();
        database.create_table(table).unwrap();
        Self(database)
    }
}

impl Embedded {
    fn with(thread: &Thread) -> Self {
        let table = Self::default();
        for message in &thread.messages {
            assert!(block_on(table.put(message)));
        }
        // Both use DynamoDB's JSON.
        let item = HashMap::from(thread.entry.to_item().unwrap());
        let item = serde_json::from_value(serde_json::to_value(item).unwrap()).unwrap();
        table.0.put_item(PutItemRequest { table_name: TABLE.into(), item, ..PutItemRequest::default() }).unwrap();
        table
    }
}

impl Table for Embedded {
    type Message = Item;

    async fn put(&self, message: &Message) -> bool {
        done(self.0.put_item(PutItemRequest {
            table_name: TABLE.into(),
            item: item_of(message),
            condition_expression: Some("attribute_not_exists(pk)".into()),
            ..PutItemRequest::default()
        }))
    }

    async fn get(&self, key: MessageKey) -> Option<Item> {
        let request =
            GetItemRequest { table_name: TABLE.into(), key: primary_key(Message::key_from(key)), ..Default::default() };
        self.0.get_item(request).unwrap().item
    }

    async fn newest(&self, group: GroupId) -> Vec<Item> {
        let request = QueryRequest {
            table_name: TABLE.into(),
            key_condition_expression: Some("pk = :pk".into()),
            expression_attribute_values: Some(item! { ":pk" => String::from(partition(group)) }),
            scan_index_forward: false,
            limit: Some(PAGE as usize),
            ..QueryRequest::default()
        };
        self.0.query(request).unwrap().items.unwrap()
    }

    async fn advance(&self, entry: &Membership, message: &Message) -> bool {
        let Forward { position, sender, recency, preview } = Forward::to(message);
        done(
            self.0.update_item(UpdateItemRequest {
                table_name: TABLE.into(),
                key: primary_key(entry.key()),
                update_expression: Some(
                    "SET last_message = :position, last_sender_uuid = :sender, gsi1sk = :recency, message = :preview"
                        .into(),
                ),
                condition_expression: Some(
                    "attribute_exists(pk) AND (attribute_not_exists(last_message) OR last_message < :position)".into(),
                ),
                expression_attribute_values: Some(item! {
                    ":position" => position,
                    ":sender" => sender,
                    ":recency" => recency,
                    ":preview" => preview,
                }),
                ..UpdateItemRequest::default()
            }),
        )
    }
}

fn done<T>(answer: dynoxide::Result<T>) -> bool {
    match answer {
        Ok(_) => true,
        Err(DynoxideError::ConditionalCheckFailedException(..)) => false,
        Err(error) => panic!("{error}"),
    }
}

fn primary_key(key: Key) -> Item {
    item! { "pk" => String::from(key.pk), "sk" => String::from(key.sk) }
}

/// Builds the item of a message by hand.
fn item_of(message: &Message) -> Item {
    let mut item = primary_key(message.key());
    item.extend(item! {
        "type" => "Message",
        "message_uuid" => message.id().to_string(),
        "user_uuid" => message.sender_id().to_string(),
        "user_handle" => message.sender_handle().as_str(),
        "user_display_name" => message.sender_display_name().as_str(),
        "message" => message.body().unwrap().as_str(),
    });
    item
}
