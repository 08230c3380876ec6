//! Tests of the function as Lambda runs it, on DynamoDB Local.

mod deployment;
mod function;
mod http;
mod proxy;
mod table;

use serde_json::{Value, json};
use threadline::{DisplayName, ImportedDirect, NewUser, UserChange};

use function::{Answer, Function, program};
use proxy::Proxy;
use table::{Table, endpoint, event, record, sent};

const ALL_WELL: &str = r#"{"batchItemFailures":[]}"#;

fn failed_from(number: &str) -> String {
    json!({ "batchItemFailures": [{ "itemIdentifier": number }] }).to_string()
}

/// Returns the event that AWS sent for a message of a Cruddur table.
fn real_event() -> Value {
    let text = include_str!("../../../../tests/data/stream-insert-event.json");
    let mut event: Value = serde_json::from_str(text).unwrap();
    // The tests' tables have other names.
    event["Records"][0].as_object_mut().unwrap().remove("eventSourceARN");
    event
}

/// Returns the real event's record without an attribute that a message needs.
fn poison(number: &str) -> Value {
    let mut record = real_event()["Records"][0].take();
    record["dynamodb"]["NewImage"] = json!({ "message": { "S": "a secret of Augustsz" } });
    record["dynamodb"]["SequenceNumber"] = number.into();
    record
}

/// Parses the lines of a log, each of which must be JSON.
fn parse(lines: Vec<String>) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[tokio::test]
async fn the_real_event_moves_entries_once_despite_redelivery() {
    let table = Table::create().await;
    let sender = "76d2f241-a860-4d8b-a8e3-6cd68db75ab9".parse().unwrap();
    let augustsz = NewUser::new("Augustsz", "Augustsz").unwrap().id(sender);
    let augustsz = table.chat.create_user(augustsz).await.unwrap();
    let bayko = table.user("bayko").await;
    let group = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399".parse().unwrap();
    let started = "2023-06-26T08:00:00Z".parse().unwrap();
    table.chat.import_direct(ImportedDirect::new(group, &augustsz, &bayko, started)).await.unwrap();

    let mut function = Function::start(&table.name, &endpoint());
    for _ in 0..2 {
        assert_eq!(function.invoke(real_event()).response(), ALL_WELL);
        assert_eq!(table.inbox(bayko.id()).await, ["opa"]);
        assert_eq!(table.inbox(augustsz.id()).await, ["opa"]);
    }

    let logs = parse(function.stop());
    let batches: Vec<_> = logs.iter().map(|line| &line["fields"]).filter(|fields| fields["records"] == 1).collect();
    assert_eq!(batches.len(), 2, "{logs:#?}");
    assert_eq!(batches[0]["done"], 1);
    assert_eq!((&batches[0]["table_read_units"], &batches[0]["table_write_units"]), (&json!(1.0), &json!(2.0)));
    assert_eq!(batches[0]["index_write_units"], 4.0);
    assert_eq!(batches[1]["index_write_units"], 0.0, "the second time nothing moves");
}

#[tokio::test]
async fn a_new_name_reaches_the_inbox_entries() {
    let table = Table::create().await;
    let (andrew, bayko) = (table.user("andrewbrown").await, table.user("bayko").await);
    table.chat.start_direct(&andrew, &bayko, "Hello").await.unwrap();
    let change = UserChange::new().display_name(DisplayName::new("Andrew B.").unwrap()).unwrap();
    table.chat.update_user(&andrew, change).await.unwrap();

    let mut function = Function::start(&table.name, &endpoint());
    let renamed = record("MODIFY", &table.read_user(andrew.id()).await, "1");
    assert_eq!(function.invoke(event([renamed])).response(), ALL_WELL);
    let inbox = table.chat.inbox(bayko.id()).fetch().await.unwrap().items;
    assert_eq!(inbox[0].other().unwrap().display_name().as_str(), "Andrew B.");
}

#[tokio::test]
async fn a_poison_record_becomes_a_dead_letter_and_blocks_nothing() {
    let table = Table::create().await;
    let (andrew, bayko) = (table.user("andrewbrown").await, table.user("bayko").await);
    let thread = table.chat.start_direct(&andrew, &bayko, "Hello").await.unwrap();
    let message = thread.send(thread.new_message_id(), "Are you there?").await.unwrap();

    let mut function = Function::start(&table.name, &endpoint());
    let unreadable = json!({ "eventName": "INSERT", "dynamodb": { "Keys": 17, "SequenceNumber": "2" } });
    let batch = event([poison("1"), unreadable.clone(), sent(&message, "3")]);
    for _ in 0..2 {
        assert_eq!(function.invoke(batch.clone()).response(), ALL_WELL);
    }
    assert_eq!(table.inbox(bayko.id()).await, ["Are you there?"]);

    let letters = table.dead_letters().await;
    let mut letters: Vec<Value> =
        letters.iter().map(|letter| serde_json::from_str(letter.get_s("record").unwrap()).unwrap()).collect();
    letters.sort_by_key(|letter| letter["sequenceNumber"].to_string());
    assert_eq!(letters.len(), 2, "the second time, they find their own items");
    assert_eq!(letters[0]["newImage"]["message"]["S"], "a secret of Augustsz");
    let raw: Value = serde_json::from_str(letters[1]["raw"].as_str().unwrap()).unwrap();
    assert_eq!(raw, unreadable);

    let lines = function.stop();
    for content in ["secret", "Augustsz", "5ae290ed", "there?", "andrewbrown", &message.group_id().to_string()] {
        assert!(!lines.iter().any(|line| line.contains(content)), "`{content}` is in {lines:#?}");
    }
    let logs = parse(lines);
    let kept = logs.iter().find(|line| line["fields"]["sequence"] == "1").expect("the log reports it");
    assert_eq!(kept["fields"]["key"], "MSG#… / …");
    assert_eq!(kept["fields"]["kind"], "Corrupt");
}

#[tokio::test]
async fn a_record_too_long_for_an_item_becomes_several() {
    let table = Table::create().await;
    let mut record = poison("1");
    record["dynamodb"]["NewImage"]["old"] = json!({ "S": "ö".repeat(190_000) });
    record["dynamodb"]["OldImage"] = record["dynamodb"]["NewImage"].clone();

    let mut function = Function::start(&table.name, &endpoint());
    assert_eq!(function.invoke(event([record.clone()])).response(), ALL_WELL);
    let letters = table.dead_letters().await;
    assert_eq!(letters.len(), 3);
    let whole: String = letters.iter().map(|letter| letter.get_s("record").unwrap()).collect();
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["oldImage"], record["dynamodb"]["OldImage"]);
    assert_eq!(whole["newImage"], record["dynamodb"]["NewImage"]);
}

#[tokio::test]
async fn a_throttled_record_is_reported_and_done_on_redelivery() {
    let table = Table::create().await;
    let andrew = table.user("andrewbrown").await;
    let (bayko, londo) = (table.user("bayko").await, table.user("londo").await);
    let with_bayko = table.chat.start_direct(&andrew, &bayko, "Hello, Bayko").await.unwrap();
    let with_londo = table.chat.start_direct(&andrew, &londo, "Hello, Londo").await.unwrap();
    let to_londo = with_londo.send(with_londo.new_message_id(), "for Londo").await.unwrap();
    let to_bayko = with_bayko.send(with_bayko.new_message_id(), "for Bayko").await.unwrap();
    let records = [sent(&to_londo, "99"), sent(&to_bayko, "100"), sent(&to_londo, "101")];

    let proxy = Proxy::to(&endpoint());
    let mut function = Function::start(&table.name, &proxy.endpoint());
    proxy.throttle("UpdateItem", format!("GRP#{}", with_bayko.group_id()));
    assert_eq!(function.invoke(event(records.clone())).response(), failed_from("100"));
    assert_eq!(table.inbox(bayko.id()).await, ["Hello, Bayko"]);
    assert_eq!(table.inbox(londo.id()).await, ["for Londo"]);

    proxy.recover();
    assert_eq!(function.invoke(event(records[1..].to_vec())).response(), ALL_WELL);
    assert_eq!(table.inbox(bayko.id()).await, ["for Bayko"]);
    assert_eq!(table.inbox(londo.id()).await, ["for Londo"]);

    let logs = parse(function.stop());
    let failures: Vec<_> =
        logs.iter().map(|line| &line["fields"]).filter(|fields| fields["kind"].is_string()).collect();
    assert_eq!(failures.len(), 1, "{logs:#?}");
    assert_eq!(failures[0]["kind"], "Throttled");
    assert_eq!(failures[0]["code"], "ProvisionedThroughputExceededException");
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_written_is_not_lost() {
    let table = Table::create().await;
    let proxy = Proxy::to(&endpoint());
    let mut function = Function::start(&table.name, &proxy.endpoint());
    proxy.throttle("PutItem", "DEADLETTER");
    assert_eq!(function.invoke(event([poison("7")])).response(), failed_from("7"));
    assert_eq!(table.dead_letters().await, []);

    let mut without_number = poison("7");
    without_number["dynamodb"]["SequenceNumber"].take();
    let all = event([poison("7"), without_number]);
    assert_eq!(function.invoke(all.clone()).response(), failed_from(""), "the whole batch must be redelivered");

    proxy.recover();
    assert_eq!(function.invoke(all).response(), ALL_WELL);
    assert_eq!(table.dead_letters().await.len(), 2);
}

#[tokio::test]
async fn another_event_fails_the_invocation_and_not_the_function() {
    let table = Table::create().await;
    let mut function = Function::start(&table.name, &endpoint());
    let Answer::Error(error) = function.invoke(json!({ "hello": "world" })) else { panic!("the payload is no event") };
    assert_eq!(error["errorType"], "Misconfigured");
    assert!(error["errorMessage"].as_str().unwrap().contains("Records"), "{error}");
    let mut of_another = real_event();
    of_another["Records"][0]["eventSourceARN"] = "arn:aws:dynamodb:us-east-1:1:table/orders/stream/1".into();
    let of_a_queue = json!({ "Records": [{ "messageId": "m1", "eventSource": "aws:sqs", "body": "..." }] });
    for foreign in [of_another, of_a_queue] {
        let Answer::Error(error) = function.invoke(foreign) else { panic!("a success would delete the event") };
        assert_eq!(error["errorType"], "Misconfigured");
    }
    assert_eq!(function.invoke(event([])).response(), ALL_WELL);
}

#[test]
fn the_function_does_not_start_without_a_table_name() {
    let output = program().env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("TABLE_NAME is not set"), "{output:?}");
}
