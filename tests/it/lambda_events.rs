//! Lambda's events of the table's stream. Any content is read, and the answers are those that Lambda expects.

mod tables;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::Event;
use serde_json::{Value, json};
use threadline::entity::AttributeValue;
use threadline::stream::lambda::{DynamoDbEventResponse, records_from_event, records_of_table};
use threadline::stream::{
    DeadLetterSink, JsonLinesSink, Projection, Projector, RecordKind, RecordOutcome, StreamRecord,
};
use threadline::{Error, ErrorKind, MemoryStore};

const GROUP: &str = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399";
const NUMBER: &str = "8500000000009229331846";

/// Returns the event that AWS sent for a message of a Cruddur table.
fn real_event() -> Value {
    serde_json::from_str(include_str!("../data/stream-insert-event.json")).unwrap()
}

/// Returns the real event with a change to its record.
fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut event = real_event();
    change(&mut event["Records"][0]);
    event
}

/// Reads the event's only record in both ways.
#[track_caller]
fn read(event: &Value) -> StreamRecord {
    let record = read_tolerantly(event);
    let typed: Event = serde_json::from_value(event.clone()).unwrap();
    let typed = typed.records.into_iter().map(StreamRecord::from).collect::<Vec<_>>();
    let mut expected = record.clone();
    expected.raw = None;
    assert_eq!(typed[..], [expected], "the two ways differ");
    record
}

/// Reads the event's only record without the types of `aws_lambda_events`.
#[track_caller]
fn read_tolerantly(event: &Value) -> StreamRecord {
    let records = records_from_event(event).unwrap();
    let [record] = &records[..] else { panic!("{records:?}") };
    record.clone()
}

/// Projects these on an empty table, and returns the dead letters too.
async fn project(records: &[StreamRecord]) -> (Projection, Vec<Value>) {
    let sink = Kept::default();
    let projection = Projector::new(MemoryStore::new()).dead_letters(sink.clone()).project(records).await;
    let lines = sink.0.lock().unwrap().clone();
    (projection, lines)
}

/// Keeps the lines that `JsonLinesSink` writes.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<Value>>>);

#[async_trait]
impl DeadLetterSink for Kept {
    async fn keep(&self, record: &StreamRecord, error: &Error) -> threadline::Result<()> {
        let to_memory = JsonLinesSink::new(Vec::new());
        to_memory.keep(record, error).await?;
        self.0.lock().unwrap().push(serde_json::from_slice(&to_memory.into_inner()).unwrap());
        Ok(())
    }
}

/// A sink that keeps nothing.
#[derive(Debug)]
struct Full;

#[async_trait]
impl DeadLetterSink for Full {
    async fn keep(&self, _: &StreamRecord, _: &Error) -> threadline::Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "the sink is full"))
    }
}

/// Returns the answer to these records if the sink fails: dead letters then count as failed.
async fn answer_of_a_full_sink(records: &[StreamRecord]) -> Value {
    let projection = Projector::new(MemoryStore::new()).dead_letters(Full).project(records).await;
    serde_json::to_value(DynamoDbEventResponse::from(&projection)).unwrap()
}

/// Returns a record with this number that can never succeed.
fn poison(number: Value) -> Value {
    json!({
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": { "pk": { "S": format!("MSG#{GROUP}") }, "sk": { "S": "2023-06-26T10:16:00.375877+00:00" } },
            "NewImage": { "message": { "S": "no keys, no sender" } },
            "SequenceNumber": number,
        },
    })
}

#[test]
fn the_real_event_is_read_completely() {
    let record = read(&real_event());
    assert_eq!(record.kind, RecordKind::Insert);
    assert_eq!(record.key().unwrap().pk.as_str(), format!("MSG#{GROUP}"));
    assert_eq!(record.new.as_ref().unwrap().get_s("message"), Some("opa"));
    assert_eq!(record.new.as_ref().unwrap().len(), 7);
    assert_eq!(record.old, None, "the stream is NEW_IMAGE");
    assert_eq!(record.sequence.as_ref().unwrap().as_str(), NUMBER);
    assert!(!record.expired);
    assert_eq!(record.raw, None);
}

#[test]
fn an_image_that_is_missing_or_null_or_empty_is_none() {
    for image in [None, Some(Value::Null), Some(json!({}))] {
        let record = read(&changed(|record| {
            record["eventName"] = "REMOVE".into();
            let change = record["dynamodb"].as_object_mut().unwrap();
            change.remove("NewImage");
            change.extend(image.map(|image| ("OldImage".to_owned(), image)));
        }));
        assert_eq!((record.kind, record.old, record.new), (RecordKind::Remove, None, None));
        assert_eq!(record.raw, None, "every part of it can be read");
    }
}

#[test]
fn both_images_are_read_with_every_type_of_value() {
    let record = read(&changed(|record| {
        record["eventName"] = "MODIFY".into();
        record["dynamodb"]["OldImage"] = json!({ "old": { "BOOL": true } });
        record["dynamodb"]["NewImage"] = json!({
            "n": { "N": "1.5" }, "b": { "B": "aGVsbG8=" }, "null": { "NULL": true },
            "l": { "L": [{ "S": "a" }, { "M": { "deep": { "NS": ["1", "2"] } } }] }, "bs": { "BS": ["aGVsbG8="] },
        });
    }));
    assert_eq!(record.kind, RecordKind::Modify);
    assert_eq!(record.old.unwrap().get("old"), Some(&AttributeValue::Bool(true)));
    assert_eq!(record.new.unwrap().get("b"), Some(&AttributeValue::B(b"hello".to_vec())));
}

#[test]
fn only_dynamodbs_own_deletion_is_an_expiry() {
    let identity = |identity: Value| {
        changed(|record| {
            record["eventName"] = "REMOVE".into();
            record["userIdentity"] = identity;
        })
    };
    assert!(read(&identity(json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" }))).expired);
    for other in [
        json!({ "type": "User", "principalId": "dynamodb.amazonaws.com" }),
        json!({ "type": "Service", "principalId": "replication.dynamodb.amazonaws.com" }),
        json!({}),
        Value::Null,
    ] {
        assert!(!read(&identity(other.clone())).expired, "{other}");
    }
}

#[test]
fn an_event_of_an_unknown_name_is_kept_unchanged() {
    let event = changed(|record| record["eventName"] = "COMPACT".into());
    let record = read(&event);
    assert_eq!(record.kind, RecordKind::Unknown);
    let raw: Value = serde_json::from_str(record.raw.unwrap().as_str()).unwrap();
    assert_eq!(raw, event["Records"][0]);
}

#[test]
fn a_missing_or_empty_number_is_no_number() {
    for number in [Value::Null, "".into(), "12a".into(), "-1".into(), "9".repeat(41).into()] {
        let record = read(&changed(|record| record["dynamodb"]["SequenceNumber"] = number.clone()));
        assert_eq!(record.sequence, None, "{number}");
    }
    let record = read_tolerantly(&changed(|record| record["dynamodb"]["SequenceNumber"] = 17.into()));
    assert_eq!(record.sequence, None, "a JSON number loses digits");
}

#[test]
fn one_bad_record_does_not_make_the_others_unreadable() {
    let mut event = real_event();
    let records = event["Records"].as_array_mut().unwrap();
    for bad in [
        Value::Null,
        json!(17),
        json!({}),
        json!({ "dynamodb": [] }),
        json!({ "eventName": [], "dynamodb": { "Keys": { "pk": "no type", "sk": 1 }, "SequenceNumber": {} } }),
    ] {
        records.insert(0, bad);
    }
    let records = records_from_event(&event).unwrap();
    assert_eq!(records.len(), 6);
    assert!(records[..5].iter().all(|record| record.raw.is_some() && record.keys.is_empty()));
    assert_eq!(records[5], read(&real_event()));
}

#[tokio::test]
async fn a_record_with_an_unreadable_part_is_a_dead_letter_unchanged() {
    let unreadable = [
        changed(|record| record["dynamodb"]["NewImage"]["message"] = json!({ "VECTOR": [1, 2] })),
        changed(|record| record["dynamodb"]["Keys"]["sk"] = json!({ "S": 1 })),
    ];
    for event in unreadable {
        let (projection, lines) = project(&records_from_event(&event).unwrap()).await;
        let [RecordOutcome::DeadLetter(error)] = &projection.outcomes[..] else { panic!("{projection:?}") };
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Corrupt), "{error}");
        assert!(!projection.has_failed());
        let raw: Value = serde_json::from_str(lines[0]["raw"].as_str().unwrap()).unwrap();
        assert_eq!(raw, event["Records"][0]);
    }
}

#[tokio::test]
async fn an_unreadable_image_that_is_not_needed_is_ignored() {
    let foreign = changed(|record| {
        record["dynamodb"]["Keys"]["pk"]["S"] = "REACTIONS#1".into();
        record["dynamodb"]["NewImage"] = json!({ "new": { "VECTOR": [1, 2] } });
    });
    let removed = changed(|record| {
        record["eventName"] = "REMOVE".into();
        record["dynamodb"]["NewImage"].take();
        record["dynamodb"]["OldImage"] = json!({ "new": { "VECTOR": [1, 2] } });
    });
    let records: Vec<_> = [foreign, removed].iter().map(read_tolerantly).collect();
    let (projection, lines) = project(&records).await;
    assert!(matches!(projection.outcomes[..], [RecordOutcome::Nothing, RecordOutcome::Done]), "{projection:?}");
    assert_eq!(lines, Vec::<Value>::new());
}

#[tokio::test]
async fn a_stream_without_new_images_is_misconfigured() {
    let event = changed(|record| {
        record["dynamodb"]["StreamViewType"] = "KEYS_ONLY".into();
        record["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    });
    let (projection, lines) = project(&[read(&event)]).await;
    let [RecordOutcome::Failed(error)] = &projection.outcomes[..] else { panic!("{projection:?}") };
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(error.to_string().contains("to NEW_IMAGE"), "{error}");
    assert_eq!((lines, projection.lowest_failed.unwrap().as_str()), (vec![], NUMBER));
}

#[test]
fn a_record_nested_too_deep_keeps_its_number() {
    let mut deep = json!({ "S": "core" });
    for _ in 0..200 {
        deep = json!({ "L": [deep] });
    }
    let record = read_tolerantly(&changed(|record| record["dynamodb"]["NewImage"]["deep"] = deep));
    assert_eq!((record.new, record.raw), (None, None));
    assert_eq!(record.sequence.unwrap().as_str(), NUMBER);
}

#[test]
fn text_nested_too_deep_is_no_json() {
    // Otherwise a caller could exhaust the stack before anything of the event is checked.
    for open in ["[", r#"{"Records":"#, r#"{"Records":[{"dynamodb":{"NewImage":{"deep":{"L":["#] {
        let error = serde_json::from_str::<Value>(&open.repeat(100_000)).unwrap_err();
        assert!(error.to_string().starts_with("recursion limit exceeded"), "{error}");
    }
}

#[test]
fn the_deepest_item_that_dynamodb_stores_is_read() {
    let mut deep = json!({ "S": "core" });
    for _ in 0..31 {
        deep = json!({ "M": { "in": deep } });
    }
    let event = changed(|record| record["dynamodb"]["NewImage"]["deep"] = deep);
    let event: Value = serde_json::from_str(&event.to_string()).unwrap();
    assert_eq!(read(&event).new.unwrap().len(), 8);
}

#[test]
fn another_event_is_refused() {
    for event in [Value::Null, json!({}), json!([]), json!({ "Records": null }), json!({ "Records": {} })] {
        assert_eq!(records_from_event(&event).unwrap_err().kind(), ErrorKind::Misconfigured, "{event}");
    }
    assert_eq!(records_from_event(&json!({ "Records": [] })).unwrap(), []);
}

#[tokio::test]
async fn a_record_without_keys_is_kept_unchanged() {
    for keys in [None, Some(Value::Null), Some(json!({})), Some(json!([]))] {
        let event = changed(|record| {
            let change = record["dynamodb"].as_object_mut().unwrap();
            change.remove("Keys");
            change.extend(keys.map(|keys| ("Keys".to_owned(), keys)));
        });
        let (projection, lines) = project(&records_from_event(&event).unwrap()).await;
        assert!(matches!(projection.outcomes[..], [RecordOutcome::DeadLetter(_)]), "{projection:?}");
        let raw: Value = serde_json::from_str(lines[0]["raw"].as_str().unwrap()).unwrap();
        assert_eq!(raw, event["Records"][0]);
    }
}

#[tokio::test]
async fn a_record_whose_key_no_item_can_have_is_a_dead_letter() {
    for text in [String::new(), "x".repeat(1025)] {
        let event = changed(|record| record["dynamodb"]["Keys"]["sk"]["S"] = text.clone().into());
        let (projection, lines) = project(&records_from_event(&event).unwrap()).await;
        assert!(matches!(projection.outcomes[..], [RecordOutcome::DeadLetter(_)]), "{projection:?}");
        assert_eq!(lines.len(), 1);
    }
}

#[tokio::test]
async fn an_attribute_of_an_unknown_type_is_left_out() {
    let event = changed(|record| record["dynamodb"]["NewImage"]["embedding"] = json!({ "F32": [0.1] }));
    let (projection, lines) = project(&records_from_event(&event).unwrap()).await;
    assert!(matches!(projection.outcomes[..], [RecordOutcome::Done]), "{projection:?}");
    assert_eq!(lines, Vec::<Value>::new());
}

#[tokio::test]
async fn an_item_with_foreign_keys_is_ignored() {
    for (pk, sk) in [("USER#alexdebrie", "#METADATA#alexdebrie"), ("##", "#"), ("a\nb", "c"), ("MSG#x", "2023-04-05")] {
        let keys = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let event = json!({"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": keys, "SequenceNumber": "1"}}]});
        let (projection, lines) = project(&records_from_event(&event).unwrap()).await;
        assert!(matches!(projection.outcomes[..], [RecordOutcome::Nothing]), "{pk} {sk}: {projection:?}");
        assert_eq!(lines, Vec::<Value>::new());
    }
}

#[test]
fn debug_of_a_record_shows_no_content() {
    let event = changed(|record| record["dynamodb"]["NewImage"]["message"] = json!({ "VECTOR": "opa" }));
    let debug = format!("{:?}", read_tolerantly(&event));
    assert!(!debug.contains("opa") && !debug.contains(GROUP), "{debug}");
}

#[tokio::test]
async fn a_batch_without_failures_returns_an_empty_list() {
    let (projection, _) = project(&records_from_event(&real_event()).unwrap()).await;
    let answer = serde_json::to_string(&DynamoDbEventResponse::from(&projection)).unwrap();
    assert_eq!(answer, r#"{"batchItemFailures":[]}"#);
    let nothing = DynamoDbEventResponse::from(&Projection::default());
    assert_eq!(serde_json::to_string(&nothing).unwrap(), answer);
}

#[tokio::test]
async fn a_dead_letter_in_its_sink_is_no_failure() {
    let event = json!({ "Records": [poison("1".into())] });
    let (projection, lines) = project(&records_from_event(&event).unwrap()).await;
    assert_eq!(
        serde_json::to_value(DynamoDbEventResponse::from(&projection)).unwrap(),
        json!({ "batchItemFailures": [] })
    );
    assert_eq!(lines[0]["newImage"]["message"]["S"], "no keys, no sender");
}

#[tokio::test]
async fn the_lowest_failed_number_is_returned_unchanged() {
    let numbers = ["100000000000000000000001", "00099", "100", "0100"];
    let event = json!({ "Records": numbers.map(|number| poison(number.into())) });
    let answer = answer_of_a_full_sink(&records_from_event(&event).unwrap()).await;
    assert_eq!(answer.to_string(), r#"{"batchItemFailures":[{"itemIdentifier":"00099"}]}"#);
}

#[tokio::test]
async fn a_failure_without_a_number_asks_for_the_whole_batch() {
    for numbers in [vec![Value::Null], vec!["7".into(), "none".into()], vec![Value::Null, "7".into()]] {
        let event = json!({ "Records": numbers.into_iter().map(poison).collect::<Vec<_>>() });
        let answer = answer_of_a_full_sink(&records_from_event(&event).unwrap()).await;
        assert_eq!(answer.to_string(), r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#);
    }
}
