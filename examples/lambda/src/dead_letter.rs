//! The sink for dead letters: items in the same table.
//!
//! So the function needs no other service, the content is as safe as the table, and one Query finds all of it. The logs
//! report a dead letter without its content.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use threadline::entity::{Entity, Key, KeySegment, PartitionKey, SortKey, tag};
use threadline::store::StoreExt;
use threadline::store::meter::Metered;
use threadline::stream::{DeadLetterSink, JsonLinesSink, StreamRecord};
use threadline::{DynamoDbStore, Error, ErrorKind, Result};
use uuid::Uuid;

/// The most bytes of a record in one item. A record may have two images of 400 KB, but an item has at most 400 KB.
const PART_BYTES: usize = 300 * 1024;

/// A record that can never succeed, or a part of a long one. `record` has its JSON, or this part of the JSON.
#[derive(Debug, Serialize, Deserialize)]
struct DeadLetter {
    dead_letter_uuid: Uuid,
    part: KeySegment,
    parts: usize,
    record: String,
}

impl Entity for DeadLetter {
    const TYPE: &'static str = "DeadLetter";
    type KeyParts<'a> = (Uuid, &'a KeySegment);

    fn key_from((id, part): (Uuid, &KeySegment)) -> Key {
        Key::new(PartitionKey::new((tag!("DEADLETTER"),)), SortKey::new((id, part)))
    }

    fn key_parts(&self) -> (Uuid, &KeySegment) {
        (self.dead_letter_uuid, &self.part)
    }
}

/// Puts dead letters into the table.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    store: Metered<DynamoDbStore>,
}

impl DeadLetters {
    pub(crate) fn new(store: Metered<DynamoDbStore>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl DeadLetterSink for DeadLetters {
    async fn keep(&self, record: &StreamRecord, error: &Error) -> Result<()> {
        let (id, json) = letter(record, error).await?;
        let parts = split(&json);
        for (part, text) in (1..).zip(&parts) {
            let letter = DeadLetter {
                dead_letter_uuid: id,
                part: KeySegment::new(format!("{part:03}"))?,
                parts: parts.len(),
                record: (*text).to_owned(),
            };
            self.store.put_entity(&letter).await?;
        }
        tracing::error!(
            dead_letter = %id,
            sequence = record.sequence.as_ref().map(|number| number.as_str()),
            event = record.kind.as_str(),
            // The key's tags, without its values.
            key = record.key().ok().map(|key| format!("{key:?}")),
            not_readable_whole = record.raw.is_some(),
            kind = ?error.kind(),
            entity = error.entity(),
            "a record can never succeed, and is kept as a dead letter",
        );
        Ok(())
    }
}

/// Returns the record's id and its JSON. A redelivered record has the same id.
async fn letter(record: &StreamRecord, error: &Error) -> Result<(Uuid, String)> {
    let line = JsonLinesSink::new(Vec::new());
    line.keep(record, error).await?;
    let unwritable = |_| Error::new(ErrorKind::Invalid, "the record has no JSON form");
    let mut json: Value = serde_json::from_slice(&line.into_inner()).map_err(unwritable)?;
    let text = json.to_string();
    // A service error has a new request id each time, so the id must not depend on it.
    json["error"].take();
    Ok((Uuid::new_v5(&Uuid::NAMESPACE_OID, json.to_string().as_bytes()), text))
}

/// Splits the text between characters into parts that fit into an item.
fn split(mut text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let (part, rest) = text.split_at(text.floor_char_boundary(PART_BYTES));
        parts.push(part);
        text = rest;
    }
    parts
}

#[cfg(test)]
mod tests {
    use threadline::entity::Item;
    use threadline::stream::RecordKind;

    use super::*;

    fn poison(text: &str) -> StreamRecord {
        let mut image = Item::new();
        for name in ["a", "b", "c", "d", "e"] {
            image.insert(name, text);
        }
        let mut record = StreamRecord::new(RecordKind::Insert, Item::new(), Some("17".parse().unwrap()));
        record.new = Some(image);
        record
    }

    #[tokio::test]
    async fn a_record_keeps_its_id_with_any_error() {
        let (one, other) = (Error::new(ErrorKind::Invalid, "one"), Error::new(ErrorKind::Invalid, "other"));
        let (id, json) = letter(&poison("a"), &one).await.unwrap();
        assert!(json.contains("\"error\":\"one\""), "{json}");
        assert_eq!(letter(&poison("a"), &other).await.unwrap().0, id);
        assert_ne!(letter(&poison("b"), &one).await.unwrap().0, id);
    }

    #[test]
    fn parts_fit_and_lose_nothing() {
        for text in ["short".to_owned(), "ö".repeat(PART_BYTES), "a".repeat(PART_BYTES)] {
            let parts = split(&text);
            assert!(parts.iter().all(|part| part.len() <= PART_BYTES && !part.is_empty()));
            assert_eq!(parts.concat(), text);
        }
    }
}
