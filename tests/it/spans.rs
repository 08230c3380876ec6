//! The spans of calls and of their requests, by the names of OpenTelemetry.

use std::num::NonZeroU32;

use threadline::card::Card;
use threadline::card::registry::PATTERNS;
use threadline::entity::{Item, Key, PartitionKey, SortKey};
use threadline::store::{
    BatchAction, BatchGet, BatchWrite, Condition, Get, Order, Query, Scan, StoreExt, TransactAction, Transaction,
    Update, Write,
};
use threadline::{ErrorKind, MemoryStore, NewUser, Threadline};
use threadline_testkit::fault::{Calls, FaultStore, Plan};
use threadline_testkit::scenario::World;

use crate::scenarios::{SMALL, Staged, cases};
use crate::span_recorder::{Closed, spans_of};

fn key(pk: &str) -> Key {
    Key::new(PartitionKey::parse(pk).unwrap(), SortKey::parse("B").unwrap())
}

fn item(pk: &str) -> Item {
    let mut item = Item::new();
    item.insert("pk", pk);
    item.insert("sk", "B");
    item
}

/// Returns the attributes of the spans with this name.
fn texts(spans: &[Closed], name: &str) -> Vec<String> {
    spans.iter().filter(|span| span.name == name).map(Closed::text).collect()
}

#[tokio::test]
async fn span_of_each_pattern_has_its_summary_table_and_consumption() {
    let spans = spans_of(async {
        for (_, _, scenario) in cases() {
            let staged = Staged::new(&scenario, SMALL).await;
            let session = staged.stage.enter(staged.store.clone(), World::CALLER).await.unwrap();
            staged.stage.call(&session).await.unwrap();
        }
    });
    let spans = spans.await;
    for Card { name: pattern, .. } in PATTERNS {
        let is_success = |span: &&Closed| span.name == *pattern && span.get("error.type").is_empty();
        let of_pattern: Vec<_> = spans.iter().filter(is_success).collect();
        assert!(!of_pattern.is_empty(), "no span of {pattern}");
        for span in of_pattern {
            let names: Vec<_> = span.fields.keys().copied().collect();
            let expected = [
                "db.collection.name",
                "db.query.summary",
                "db.system.name",
                "threadline.index.read_units",
                "threadline.index.write_units",
                "threadline.table.read_units",
                "threadline.table.write_units",
            ];
            assert_eq!(names, expected, "{pattern}");
            assert_eq!(span.get("db.query.summary"), *pattern);
            assert_eq!((span.get("db.system.name"), span.get("db.collection.name")), ("aws.dynamodb", "threadline"));
        }
        let is_request = |span: &Closed| span.name.starts_with("DynamoDB.") && span.get("db.query.summary") == *pattern;
        assert!(spans.iter().any(is_request), "no request of {pattern}");
    }
}

#[tokio::test]
async fn span_of_a_call_separates_the_units_of_table_and_index() {
    let spans = spans_of(async {
        let chat = Threadline::new(MemoryStore::new().table("conversations"));
        let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown").unwrap()).await.unwrap();
        let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap()).await.unwrap();
        chat.start_direct(&andrew, &bayko, "first").await.unwrap();
        chat.inbox(andrew.id()).fetch().await.unwrap();
    });
    let spans = spans.await;
    let text = |summary, read, write, index_read, index_write| {
        [format!(
            "db.collection.name=conversations db.query.summary={summary} db.system.name=aws.dynamodb \
             threadline.index.read_units={index_read} threadline.index.write_units={index_write} \
             threadline.table.read_units={read} threadline.table.write_units={write}"
        )]
    };
    assert_eq!(texts(&spans, "groups.start_direct"), text("groups.start_direct", "0.0", "8.0", "0.0", "2.0"));
    assert_eq!(texts(&spans, "inbox.page"), text("inbox.page", "0.0", "0.0", "0.5", "0.0"));
}

#[tokio::test]
async fn failed_call_and_its_request_have_the_kind_of_the_error() {
    let spans = spans_of(async {
        let store = FaultStore::new(MemoryStore::new(), Plan::new().throttle(Calls::all()));
        let error = Threadline::new(store).user("0ac1266c-dcf6-4b97-ab92-53e7ab719fb2".parse().unwrap()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Throttled);
    });
    let spans = spans.await;
    let names: Vec<_> = spans.iter().map(|span| span.name).collect();
    assert_eq!(names, ["DynamoDB.GetItem", "users.get"]);
    for span in &spans {
        assert_eq!((span.get("error.type"), span.get("otel.status_code")), ("Throttled", "ERROR"), "{span:?}");
        assert_eq!(span.get("db.query.summary"), "users.get");
    }
    assert_eq!(spans[0].get("threadline.key_shape"), "USER#…");
}

#[tokio::test]
async fn failed_call_has_the_units_of_its_requests() {
    let spans = spans_of(async {
        let chat = Threadline::new(MemoryStore::new());
        chat.open(World::STRANGER, World::GROUP).await.unwrap_err();
    });
    let spans = spans.await;
    let span = spans.iter().find(|span| span.name == "groups.open").unwrap();
    assert_eq!((span.get("error.type"), span.get("threadline.table.read_units")), ("NotFound", "1.0"));
}

#[tokio::test]
async fn failure_without_a_request_is_in_the_span_of_the_call() {
    let spans = spans_of(async {
        let chat = Threadline::new(MemoryStore::new());
        let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown").unwrap()).await.unwrap();
        chat.start_direct(&andrew, &andrew, "alone").await.unwrap_err();
    });
    let spans = spans.await;
    let span = spans.iter().find(|span| span.name == "groups.start_direct").unwrap();
    assert_eq!((span.get("error.type"), span.get("otel.status_code")), ("Invalid", "ERROR"));
}

#[tokio::test]
async fn span_of_each_request_has_the_attributes_of_its_operation() {
    let limit = NonZeroU32::new(7).unwrap();
    let spans = spans_of(async {
        let store = MemoryStore::new();
        store.write(Write::put(item("USER#1"))).await.unwrap().done().unwrap();
        store.write(Write::update(key("USER#1"), Update::new().set("a", "b"))).await.unwrap().done().unwrap();
        store.get(Get::new(key("USER#1")).consistent()).await.unwrap();
        store.write(Write::delete(key("OTHER#1#2"))).await.unwrap().done().unwrap();
        let partition = PartitionKey::parse("MSG#1").unwrap();
        store.query(Query::table(partition.clone()).order(Order::Descending).limit(limit)).await.unwrap();
        store.query(Query::index(partition)).await.unwrap();
        store.scan(Scan::new().limit(limit)).await.unwrap();
        let actions = ["USER#1", "GRP#1", "USER#2"].map(|pk| TransactAction::Write(Write::put(item(pk))));
        store.transact(Transaction::new(actions)).await.unwrap().done().unwrap();
        store.batch_get(BatchGet::new([key("USER#1"), key("USER#2")])).await.unwrap();
        let _ = store.batch_write(BatchWrite::new([BatchAction::Delete(key("USER#1"))])).await.unwrap();
    });
    let spans = spans.await;
    let actual: Vec<_> = spans.iter().map(|span| format!("{}: {}", span.name, without_constants(span))).collect();
    let expected = [
        "DynamoDB.PutItem: key=USER#… table_write=1.0",
        "DynamoDB.UpdateItem: key=USER#… table_write=1.0",
        "DynamoDB.GetItem: consistent_read=true rows=1 key=USER#… table_read=1.0",
        "DynamoDB.DeleteItem: key=…#…#… table_write=1.0",
        "DynamoDB.Query: consistent_read=false limit=7 scan_forward=false rows=0 key=MSG#… table_read=0.5",
        "DynamoDB.Query: consistent_read=false index_name=gsi1 scan_forward=true rows=0 index_read=0.5 key=MSG#…",
        "DynamoDB.Scan: limit=7 rows=1 table_read=0.5",
        "DynamoDB.TransactWriteItems: batch=3 key=GRP#…, USER#… table_write=6.0",
        "DynamoDB.BatchGetItem: batch=2 rows=2 key=USER#… table_read=1.0",
        "DynamoDB.BatchWriteItem: key=USER#… table_write=1.0",
    ];
    assert_eq!(actual, expected);
}

/// Checks the attributes that every request has, and returns the others with short names, without units of zero.
fn without_constants(span: &Closed) -> String {
    assert_eq!(format!("DynamoDB.{}", span.get("db.operation.name")), span.name);
    for (name, value) in
        [("db.system.name", "aws.dynamodb"), ("db.collection.name", "threadline"), ("otel.kind", "client")]
    {
        assert_eq!(span.get(name), value, "{span:?}");
    }
    let others = span.fields.iter().filter_map(|(name, value)| {
        let short = match *name {
            "db.system.name" | "db.collection.name" | "db.operation.name" | "otel.kind" => return None,
            "db.operation.batch.size" => "batch",
            "db.response.returned_rows" => "rows",
            "threadline.key_shape" => "key",
            "threadline.table.read_units" => "table_read",
            "threadline.table.write_units" => "table_write",
            "threadline.index.read_units" => "index_read",
            "threadline.index.write_units" => "index_write",
            name => name.strip_prefix("aws.dynamodb.").unwrap_or(name),
        };
        (!name.ends_with("_units") || value != "0.0").then(|| format!("{short}={value}"))
    });
    Vec::from_iter(others).join(" ")
}

#[tokio::test]
async fn unmet_condition_is_a_status_code_and_no_error() {
    let spans = spans_of(async {
        let store = MemoryStore::new();
        let put = Write::put(item("USER#1")).when(Condition::item_exists());
        let _ = store.write(put.clone()).await.unwrap();
        let _ = store.transact(Transaction::new([put])).await.unwrap();
    });
    let spans = spans.await;
    let codes: Vec<_> = spans.iter().map(|span| span.get("db.response.status_code")).collect();
    assert_eq!(codes, ["ConditionalCheckFailedException", "TransactionCanceledException"]);
    for span in &spans {
        assert_eq!((span.get("error.type"), span.get("otel.status_code")), ("", ""));
        assert_ne!(span.get("threadline.table.write_units"), "0.0", "a refused write has a cost");
    }
}
