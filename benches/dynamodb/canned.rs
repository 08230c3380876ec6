//! A client of the SDK with prepared HTTP answers, so that only local CPU time is measured.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, HttpClient, Region, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use serde_json::{Value, json};
use threadline::entity::Entity;
use threadline::{DynamoDbStore, Message};
use tokio::runtime::{Builder, EnterGuard, Runtime};

use crate::support::{PAGE, Thread, block_on};

/// The name of the table.
pub(crate) const TABLE: &str = "threadline";

/// DynamoDB's answers to the four requests.
#[derive(Clone, Debug)]
pub(crate) struct Canned {
    get: Arc<str>,
    query: Arc<str>,
    write: Arc<str>,
    advance: Arc<str>,
    /// The last request, if it is recorded.
    seen: Arc<Mutex<Option<Value>>>,
}

impl Canned {
    pub(crate) fn new(thread: &Thread) -> Self {
        let items: Vec<_> = thread.messages.iter().rev().take(PAGE as usize).map(item).collect();
        let last = json!({ "pk": items[items.len() - 1]["pk"], "sk": items[items.len() - 1]["sk"] });
        Self {
            get: answer(json!({ "Item": item(&thread.messages[0]), "ConsumedCapacity": consumed(0.5, None) })),
            query: answer(json!({
                "Count": PAGE, "ScannedCount": PAGE, "Items": items, "LastEvaluatedKey": last,
                "ConsumedCapacity": consumed(1.0, None),
            })),
            write: answer(json!({ "ConsumedCapacity": consumed(1.0, None) })),
            advance: answer(json!({ "ConsumedCapacity": consumed(1.0, Some(2.0)) })),
            seen: Arc::default(),
        }
    }

    pub(crate) fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "benchmark"))
            .http_client(self.clone())
            .build();
        Client::from_conf(config)
    }

    pub(crate) fn store(&self) -> DynamoDbStore {
        DynamoDbStore::new(self.client(), TABLE)
    }

    /// Returns the request of a call as JSON, and the call's output.
    pub(crate) fn exchange<T>(&self, call: impl Future<Output = T>) -> (Value, T) {
        *self.lock() = Some(Value::Null);
        let answer = block_on(call);
        (self.lock().take().unwrap(), answer)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Value>> {
        self.seen.lock().unwrap()
    }
}

/// The SDK looks for a runtime's timers, even without anything to wait for.
pub(crate) fn enter_runtime() -> EnterGuard<'static> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_current_thread().enable_time().build().unwrap()).enter()
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(seen) = &mut *self.lock() {
            *seen = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        }
        let answer = match request.headers().get("x-amz-target") {
            Some("DynamoDB_20120810.GetItem") => &self.get,
            Some("DynamoDB_20120810.Query") => &self.query,
            Some("DynamoDB_20120810.PutItem") => &self.write,
            Some("DynamoDB_20120810.UpdateItem") => &self.advance,
            other => panic!("no answer to {other:?} is prepared"),
        };
        let mut response = HttpResponse::new(200.try_into().unwrap(), (&**answer).into());
        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        response.headers_mut().insert("x-amzn-requestid", "4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG");
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn item(message: &Message) -> Value {
    serde_json::to_value(serde_dynamo::Item::from(message.to_item().unwrap())).unwrap()
}

fn consumed(table: f64, index: Option<f64>) -> Value {
    let mut consumed = json!({
        "TableName": TABLE, "CapacityUnits": table + index.unwrap_or(0.0), "Table": { "CapacityUnits": table },
    });
    if let Some(index) = index {
        consumed["GlobalSecondaryIndexes"] = json!({ "gsi1": { "CapacityUnits": index } });
    }
    consumed
}

fn answer(body: Value) -> Arc<str> {
    body.to_string().into()
}
