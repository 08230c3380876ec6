//! Real items of Cruddur, from its stream and its table.

use std::fs;

use serde_json::Value;
use threadline::entity::{Entity, Item};
use threadline::{ErrorKind, Message, Timestamp};

use crate::entities::{item, json};
use crate::support::{id, time};

fn new_image() -> Value {
    let event: Value =
        serde_json::from_str(&fs::read_to_string("tests/data/stream-insert-event.json").unwrap()).unwrap();
    event["Records"][0]["dynamodb"]["NewImage"].clone()
}

#[test]
fn a_real_cruddur_message_reads_as_a_message() {
    let message = Message::from_item(item(&new_image())).unwrap();
    assert_eq!(message.id(), id("5ebf5021-1881-4e1c-8c10-93173ba1a87a"));
    assert_eq!(message.group_id(), id("5ae290ed-55d1-47a0-bc6d-fe2bc2700399"));
    assert_eq!(message.created_at(), time("2023-06-26T10:16:00.375877Z"));
    assert_eq!(message.position().to_string(), "2023-06-26T10:16:00.375877+00:00");
    assert_eq!(message.position().message_id(), None);
    assert_eq!(message.body().unwrap().as_str(), "opa");
    assert_eq!(message.sender_id(), id("76d2f241-a860-4d8b-a8e3-6cd68db75ab9"));
    assert_eq!(message.sender_handle().as_str(), "Augustsz");
    assert_eq!(message.sender_display_name().as_str(), "Augustsz");
    assert_eq!((message.edited_at(), message.deleted_at()), (None, None));
}

#[test]
fn a_real_cruddur_message_is_stored_unchanged_with_its_type() {
    let message = Message::from_item(item(&new_image())).unwrap();
    let mut expected = new_image();
    expected["type"] = serde_json::json!({"S": "Message"});
    assert_eq!(json(&message.to_item().unwrap()), expected);
}

#[test]
fn the_size_of_a_real_stream_record_equals_that_of_aws() {
    // `SizeBytes` includes the keys and the image.
    let image = item(&new_image());
    let keys: usize = ["pk", "sk"].iter().map(|name| name.len() + image.get_s(name).unwrap().len()).sum();
    assert_eq!(keys + image.size(), 299);
}

/// The messages of a table as Cruddur's versions left it: some times are in UTC, some in other offsets, most without
/// one.
fn cruddur_messages() -> Vec<Item> {
    let entries: Vec<_> = fs::read_to_string("tests/data/cruddur-table.jsonl")
        .unwrap()
        .lines()
        .map(|line| item(&serde_json::from_str::<Value>(line).unwrap()["Item"]))
        .collect();
    assert_eq!(entries.len(), 123);
    entries.into_iter().filter(|entry| entry.get_s("pk").unwrap().starts_with("MSG#")).collect()
}

#[test]
fn only_cruddur_messages_with_a_utc_time_read_as_messages() {
    let (mut read, mut refused) = (0, 0);
    for entry in cruddur_messages() {
        let sk = entry.get_s("sk").unwrap().to_owned();
        let is_documented = sk.len() == 32 && sk.ends_with("+00:00");
        match Message::from_item(entry.clone()) {
            Ok(message) => {
                assert!(is_documented, "{sk}");
                assert_eq!(message.body().unwrap().as_str(), entry.get_s("message").unwrap());
                assert_eq!(message.position().to_string(), sk);
                read += 1;
            }
            Err(error) => {
                assert!(!is_documented, "{sk}");
                assert_eq!(error.kind(), ErrorKind::Corrupt);
                assert_eq!(error.entity(), Some("Message"));
                let text = error.to_string();
                assert_eq!(
                    text,
                    "the item at `MSG#… / …` is not a valid Message: attribute `sk` has type S and an invalid value"
                );
                refused += 1;
            }
        }
    }
    assert_eq!((read, refused), (8, 101));
}

#[test]
fn a_time_without_an_offset_is_refused_in_a_key() {
    // A valid time, but a key with it would never be found again.
    let offset = "2023-03-22T14:36:25.547845+05:30";
    assert!(offset.parse::<Timestamp>().is_ok());
    let entry = cruddur_messages().into_iter().find(|entry| entry.get_s("sk") == Some(offset)).unwrap();
    assert_eq!(Message::from_item(entry).unwrap_err().kind(), ErrorKind::Corrupt);
}
