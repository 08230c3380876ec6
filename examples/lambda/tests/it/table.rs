//! A test's own table on DynamoDB Local, and reads of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use threadline::entity::{Entity, Item, PartitionKey, tag};
use threadline::store::dynamodb::local_client;
use threadline::store::{Query, StoreExt};
use threadline::table::TableSpec;
use threadline::{DynamoDbStore, Message, NewUser, Threadline, User, UserId};

/// Returns the address of DynamoDB Local. Without one a test fails: a pass would be false.
pub(crate) fn endpoint() -> String {
    std::env::var("DYNAMODB_ENDPOINT").unwrap_or_else(|_| {
        panic!(
            "DYNAMODB_ENDPOINT is not set: start scripts/dynamodb-local and set it to the address, or run \
                ./scripts/test"
        )
    })
}

pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) chat: Threadline,
}

impl Table {
    pub(crate) async fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        let name = format!("threadline-lambda-{}-{}-{count}", std::process::id(), since_epoch.as_millis());
        let client = local_client(&endpoint());
        TableSpec::new(&name).deletion_protection(false).create(&client).await.expect("the table can be created");
        let chat = Threadline::new(DynamoDbStore::new(client, &name));
        Self { name, chat }
    }

    pub(crate) async fn user(&self, handle: &str) -> User {
        self.chat.create_user(NewUser::new(handle, handle).unwrap()).await.unwrap()
    }

    /// Returns the previews in the user's inbox, newest first.
    pub(crate) async fn inbox(&self, user: UserId) -> Vec<String> {
        let page = self.chat.inbox(user).fetch().await.unwrap();
        page.items.iter().map(|entry| entry.preview().map_or("(none)", |preview| preview.as_str()).to_owned()).collect()
    }

    /// Returns the dead letters, part by part.
    pub(crate) async fn dead_letters(&self) -> Vec<Item> {
        let all = Query::table_consistent(PartitionKey::new((tag!("DEADLETTER"),)));
        let page = self.chat.store().query(all).await.unwrap();
        assert_eq!(page.next, None);
        page.items
    }

    /// Reads the user.
    pub(crate) async fn read_user(&self, id: UserId) -> User {
        self.chat.store().get_entity(id).await.unwrap().unwrap()
    }
}

/// Returns an event of the table's stream with these records.
pub(crate) fn event(records: impl IntoIterator<Item = Value>) -> Value {
    json!({ "Records": records.into_iter().collect::<Vec<_>>() })
}

/// Returns the record of a new message.
pub(crate) fn sent(message: &Message, number: &str) -> Value {
    record("INSERT", message, number)
}

/// Returns a record of an entity's item.
pub(crate) fn record(name: &str, entity: &impl Entity, number: &str) -> Value {
    let image = serde_json::to_value(serde_dynamo::Item::from(entity.to_item().unwrap())).unwrap();
    json!({
        "eventID": number,
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1687774560.0,
            "Keys": { "pk": image["pk"], "sk": image["sk"] },
            "NewImage": image,
            "SequenceNumber": number,
            "SizeBytes": 299,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}
