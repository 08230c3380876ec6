//! Where records go that can never succeed: into the table itself, as items of their own.
//!
//! That way the function needs no other service, the content stays as safe as the table it came from, and one Query finds all
//! of it. The logs say that there is a dead letter, never what is in it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use threadline::entity::{Entity, Key, KeySegment, PartitionKey, SortKey, tag};
use threadline::store::StoreExt;
use threadline::store::meter::Metered;
use threadline::stream::{DeadLetterSink, JsonLinesSink, StreamRecord};
use threadline::{DynamoDbStore, Error, ErrorKind, Result};
use uuid::Uuid;

/// The most bytes of a record that one item holds. A record may have two images of 400 KB, and an item has 400 KB at most.
const PART_BYTES: usize = 300 * 1024;

/// A record that can never succeed, or a part of a long one: `record` has its JSON, or the piece of it from the part's place.
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
        let pieces = pieces(&json);
        for (part, piece) in (1..).zip(&pieces) {
            let letter = DeadLetter {
                dead_letter_uuid: id,
                part: KeySegment::new(format!("{part:03}"))?,
                parts: pieces.len(),
                record: (*piece).to_owned(),
            };
            self.store.put_entity(&letter).await?;
        }
        tracing::error!(
            dead_letter = %id,
            sequence = record.sequence.as_ref().map(|number| number.as_str()),
            event = record.kind.as_str(),
            // The shape of the key: its tags, without the values.
            key = record.key().ok().map(|key| format!("{key:?}")),
            not_readable_whole = record.raw.is_some(),
            kind = ?error.kind(),
            entity = error.entity(),
            "a record can never succeed, and is kept as a dead letter",
        );
        Ok(())
    }
}

/// The record's JSON, and an id that the same record has again when it comes again.
async fn letter(record: &StreamRecord, error: &Error) -> Result<(Uuid, String)> {
    let line = JsonLinesSink::new(Vec::new());
    line.keep(record, error).await?;
    let unwritable = |_| Error::new(ErrorKind::Invalid, "the record makes no JSON");
    let mut json: Value = serde_json::from_slice(&line.into_inner()).map_err(unwritable)?;
    let text = json.to_string();
    // An error of the service has a request id of its own each time.
    json["error"].take();
    Ok((Uuid::new_v5(&Uuid::NAMESPACE_OID, json.to_string().as_bytes()), text))
}

/// The text in pieces that fit into an item, cut between characters.
fn pieces(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let (piece, rest) = text.split_at(text.floor_char_boundary(PART_BYTES));
        pieces.push(piece);
        text = rest;
    }
    pieces
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
            let pieces = pieces(&text);
            assert!(pieces.iter().all(|piece| piece.len() <= PART_BYTES && !piece.is_empty()));
            assert_eq!(pieces.concat(), text);
        }
    }
}
